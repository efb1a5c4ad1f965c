"""What admins decide in the console's settings (docs/adr/0028): documents in versions, what they come to at a place,
and quotas. Nothing here asks the database while a message waits; `watch.py` keeps what it says in memory.
"""
