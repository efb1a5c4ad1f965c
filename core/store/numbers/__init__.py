"""The overview's numbers: counted by day, kept for days that are over, read as far as an admin may read."""
