"""One file for each family of methods; importing them registers them."""

from tests.fakes.slack.methods import agents, chat, conversations, installation, people, streams, uploads, views
from tests.fakes.slack.methods.registry import HANDLERS

__all__ = ["HANDLERS", "agents", "chat", "conversations", "installation", "people", "streams", "uploads", "views"]
