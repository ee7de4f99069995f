#!/bin/sh
exec ./sends.py lies
