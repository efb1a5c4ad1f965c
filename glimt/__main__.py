"""`python -m glimt`, for environments where the console script is not on the path."""

from glimt.cli import app

app()
