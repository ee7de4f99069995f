#!/bin/sh
# Prints what it was started with, before a shell adds to it.
tr '\0' '\n' </proc/$$/environ
