"""`glimt eval`: any models on anybody's questions about pictures, side by side."""
