"""The Slack adapter. Events come in through `app.py`, and answers go out through `answers.py`."""
