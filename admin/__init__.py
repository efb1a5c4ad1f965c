"""The review console: admins read what was asked and answered."""
