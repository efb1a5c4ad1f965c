"""The command line, and `glimt up`, which runs every process on one machine. The only place that sees every package."""
