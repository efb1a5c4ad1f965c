"""Which messages are questions to us, and who is served."""

from bots.slack.message import Message
from bots.slack.words import addressee, mentions
from core.policy.document import Listens
from core.policy.watch import Policies
from core.settings import Settings
from core.values import Platform

# What the models are made for.
_LOOKED_AT = ("image/", "application/pdf")


def may_be_for_us(message: Message, bot_user: str, listens: Listens) -> bool | None:
    """Whether the message is a question to us; None: it is if we take part in its thread."""
    if message.direct:
        return True
    if listens == "never":
        return False
    if message.mention_event or bot_user in mentions(message.text):
        return True
    # Perhaps somebody turns to somebody else.
    ours = addressee(message.text) in ("", bot_user)
    if listens == "pictures" and ours and _has_picture(message):
        return True
    if not message.root or not ours:
        return False
    # A command can only be for us.
    return None if listens != "mentions" or message.text.lstrip().startswith("!") else False


class Listening:
    """Whom we answer where: within what the operator allows, as admins have decided."""

    def __init__(self, settings: Settings, policies: Policies) -> None:
        self._settings = settings
        self._policies = policies

    def opens(self, team: str, channel: str) -> bool:
        """Whether the operator lets us answer there, and admins have not silenced us. Direct messages are no channel.

        Raises:
            StoreError: nobody knows yet.
        """
        settings = self._settings
        if settings.slack_workspaces and team not in settings.slack_workspaces:
            return False
        if is_direct(channel):
            return True
        if settings.slack_channels and channel not in settings.slack_channels:
            return False
        return self.listens(team, channel) != "never"

    def serves(self, team: str, channel: str, user: str) -> bool:
        """Whether admins let this person ask there. Raises as `opens`."""
        place = "" if is_direct(channel) else channel
        return self._policies.now.serves(Platform.SLACK, team, user, place)

    def listens(self, team: str, channel: str) -> Listens:
        """What we answer in a channel. Raises as `opens`."""
        decided: Listens | None = self._policies.now.at(Platform.SLACK, team, channel).find("listens").value
        return decided or ("threads" if self._settings.slack_threads == "all" else "mentions")


def is_direct(channel: str) -> bool:
    """Whether somebody is alone with us there."""
    return channel.startswith("D")


def _has_picture(message: Message) -> bool:
    # Of what Slack does not tell the type it may be one.
    types = [str(file.get("mimetype") or "") for file in message.files]
    return message.promises_files or any(not kind or kind.startswith(_LOOKED_AT) for kind in types)
