"""Who people are: the language that they read, and what they are called."""

import time
from collections import OrderedDict
from typing import NamedTuple

import structlog

from bots.slack.clients import Clients
from bots.slack.refusals import FAILURES, error_code
from core.errors import NotAllowed

log = structlog.get_logger(__name__)

_KEPT = 10_000
_FRESH_S = 24 * 3600.0


class Profile(NamedTuple):
    """What Slack tells of somebody; empty where it does not."""

    name: str = ""
    locale: str = ""


class People:
    """Asks Slack once a day for each person; never before an acknowledgement (`known`)."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._profiles: OrderedDict[tuple[str, str], tuple[float, Profile]] = OrderedDict()

    def known(self, team: str, user: str) -> Profile:
        """What was learnt before; asks nobody."""
        found = self._profiles.get((team, user))
        return found[1] if found is not None else Profile()

    async def learn(self, team: str, user: str) -> Profile:
        """What Slack tells, or nothing where it does not tell."""
        found = self._profiles.get((team, user))
        if found is not None and time.monotonic() - found[0] < _FRESH_S:
            return found[1]
        profile = Profile()
        try:
            client = await self._clients.of(team)
            said = (await client.users_info(user=user, include_locale=True)).get("user") or {}
            shown = said.get("profile") or {}
            name = shown.get("display_name") or said.get("real_name") or said.get("name") or ""
            profile = Profile(str(name), str(said.get("locale") or ""))
        except (*FAILURES, NotAllowed) as error:
            log.info("slack_person_unknown", error=error_code(error))
        self._profiles[(team, user)] = (time.monotonic(), profile)
        if len(self._profiles) > _KEPT:
            self._profiles.popitem(last=False)
        return profile
