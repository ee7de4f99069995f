#!/bin/sh
exec ./sends.py twice
