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
# Rights are taken away now and then, and what Slack did not tell it may tell soon.
_RIGHTS_FRESH_S = 300.0
_UNKNOWN_FRESH_S = 60.0


class Profile(NamedTuple):
    """What Slack tells of somebody; empty where it does not."""

    name: str = ""
    locale: str = ""
    # An admin or owner of the workspace.
    admin: bool = False


class _Known(NamedTuple):
    profile: Profile
    at: float
    told: bool


class People:
    """Asks Slack once a day for each person; never before an acknowledgement (`known`)."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._profiles: OrderedDict[tuple[str, str], _Known] = OrderedDict()

    def known(self, team: str, user: str) -> Profile:
        """What was learnt before; asks nobody."""
        found = self._profiles.get((team, user))
        return found.profile if found is not None else Profile()

    async def learn(self, team: str, user: str, *, rights: bool = False) -> Profile:
        """What Slack tells, or nothing where it does not tell. `rights`: what it told lately."""
        found = self._profiles.get((team, user))
        if found is not None:
            fresh_s = _UNKNOWN_FRESH_S if not found.told else _RIGHTS_FRESH_S if rights else _FRESH_S
            if time.monotonic() - found.at < fresh_s:
                return found.profile
        profile, told = Profile(), False
        try:
            client = await self._clients.of(team)
            said = (await client.users_info(user=user, include_locale=True)).get("user") or {}
            shown = said.get("profile") or {}
            name = shown.get("display_name") or said.get("real_name") or said.get("name") or ""
            # Of somebody from another workspace, Slack tells what he is over there.
            at_home = said.get("team_id") in (None, team)
            admin = at_home and bool(said.get("is_admin") or said.get("is_owner") or said.get("is_primary_owner"))
            profile, told = Profile(str(name), str(said.get("locale") or ""), admin), True
        except (*FAILURES, NotAllowed) as error:
            log.info("slack_person_unknown", error=error_code(error))
            if found is not None:
                # Its name and language are better than none; its rights are not.
                profile = found.profile._replace(admin=False)
        self._profiles[(team, user)] = _Known(profile, time.monotonic(), told)
        if len(self._profiles) > _KEPT:
            self._profiles.popitem(last=False)
        return profile
