"""A strict Slack on loopback: Web API, Socket Mode, events over HTTP, files and OAuth.

It refuses what Slack refuses, with Slack's codes, and writes down in `violations` what a sound app never does; leaving
its `with` block fails when there is any. Start at `FakeSlack`.
"""

from tests.fakes.slack.api import Call
from tests.fakes.slack.delivery import Attempt, Delivery, encode
from tests.fakes.slack.fake import FakeSlack, Seen
from tests.fakes.slack.files import StoredFile
from tests.fakes.slack.signing import signed_headers
from tests.fakes.slack.speaking import Said
from tests.fakes.slack.state import Channel, Message, User, Workspace

__all__ = [
    "Attempt",
    "Call",
    "Channel",
    "Delivery",
    "FakeSlack",
    "Message",
    "Said",
    "Seen",
    "StoredFile",
    "User",
    "Workspace",
    "encode",
    "signed_headers",
]
