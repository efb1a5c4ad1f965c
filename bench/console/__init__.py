"""`glimt bench console`: what admins wait for in the review console, with few conversations and with many."""
