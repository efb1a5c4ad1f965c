"""The Telegram adapter: updates in, answers out. Nothing of Telegram's leaves this folder."""
