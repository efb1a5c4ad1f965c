"""Taking conversations out: for training (`export.py`), and all of one person's data for this person (`person.py`)."""
