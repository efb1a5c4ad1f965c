"""The sides, one a file; each is run as a program by `bench/engine/process.py`."""
