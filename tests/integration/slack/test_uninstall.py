"""A workspace removes the app: its tokens go, its questions stop, and nobody else notices."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import pytest

from bots.services import Services, open_services
from bots.slack.uninstall import Uninstaller
from core.conversation.inbound import InboundQuestion
from core.store.models import Turn
from core.values import Platform, TurnState, utc_now
from tests.fakes.slack import FakeSlack, Workspace
from tests.integration.slack.many import Many, many
from tests.processes import Installation, installation

REVOKED = {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": ["U0BOT"]}}
_NUMBERS = count(1)
UNINSTALLED = {"type": "app_uninstalled"}


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("uninstall")) as made:
        yield made


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeSlack]:
    """Shared: each test has a workspace of its own."""
    with FakeSlack() as made:
        yield made


@dataclass
class Scene:
    """`team` has installed the app."""

    it: Many
    services: Services
    uninstaller: Uninstaller
    team: Workspace

    async def ask(self, team: Workspace) -> str:
        """A question that waits; its turn's id."""
        number = next(_NUMBERS)
        accepted = await self.services.ask(
            InboundQuestion(Platform.SLACK, team.id, "U1", f"{team.id}:C1:{number}", "?", conversation=f"C1:{number}")
        )
        return accepted.turn_id

    def turn(self, turn_id: str) -> Turn:
        """The row as it is now."""
        with self.services.store.read() as repositories:
            found = repositories.turns.get(turn_id)
        assert found is not None
        return found

    def claim(self, turn_id: str) -> None:
        """Be the worker."""
        now = utc_now()
        with self.services.store.write() as repositories:
            assert repositories.turns.claim(turn_id, "the-test", now, now + timedelta(minutes=5)) is not None


@asynccontextmanager
async def scene(fake: FakeSlack, at: Installation) -> AsyncIterator[Scene]:
    settings = at.settings.model_copy(update={"redis_url": at.redis_server.url})
    team = fake.add_workspace("globex", scopes=None)
    async with open_services(settings) as services, many(fake, settings.sql_url) as it:
        assert (await it.install(team)).status_code == 200
        uninstaller = Uninstaller(services, it.tokens, it.access.installations)
        yield Scene(it, services, uninstaller, team)


def remove(fake: FakeSlack, team: Workspace) -> None:
    """As Slack does it, without the events."""
    with fake.lock:
        for token in [token for token, grant in fake.world.grants.items() if grant.team_id == team.id]:
            del fake.world.grants[token]


@pytest.mark.parametrize("events", [(REVOKED, UNINSTALLED), (UNINSTALLED, REVOKED, UNINSTALLED)])
def test_tokens_go_and_questions_stop(fake: FakeSlack, at: Installation, events: tuple[dict[str, object], ...]) -> None:
    async def play() -> None:
        async with scene(fake, at) as s:
            other = fake.add_workspace("other", scopes=None)
            await s.it.install(other)
            assert await s.it.tokens(s.team.id) is not None
            waiting, running, theirs = [await s.ask(team) for team in (s.team, s.team, other)]
            s.claim(running)

            remove(fake, s.team)
            stopped = [await s.uninstaller.handle(s.team.id, event) for event in events]

            assert stopped[0] == 2
            assert s.turn(waiting).state == TurnState.CANCELLED
            assert s.turn(running).cancel_requested
            assert s.turn(theirs).state == TurnState.READY
            assert await s.it.tokens(s.team.id) is None
            assert await s.it.tokens(other.id) is not None
            assert s.it.access.installations is not None
            known = {team for team, _name in await s.it.access.installations.teams()}
            assert s.team.id not in known
            assert other.id in known
            with s.services.store.write() as repositories:
                repositories.turns.request_cancel(theirs, utc_now())

    asyncio.run(play())


def test_an_event_that_comes_after_a_new_installation_changes_nothing(fake: FakeSlack, at: Installation) -> None:
    async def play() -> None:
        async with scene(fake, at) as s:
            then = fake.world.clock.now() - 60
            remove(fake, s.team)
            await s.it.install(s.team)
            waiting = await s.ask(s.team)

            assert await s.uninstaller.handle(s.team.id, UNINSTALLED, then) == 0

            assert s.turn(waiting).state == TurnState.READY
            assert await s.it.tokens(s.team.id) is not None
            # It is over at last, by a clock of Slack's that is behind ours.
            remove(fake, s.team)
            assert await s.uninstaller.handle(s.team.id, UNINSTALLED, then) == 1

    asyncio.run(play())


def test_a_persons_own_token_is_none_of_our_business(fake: FakeSlack, at: Installation) -> None:
    async def play() -> None:
        async with scene(fake, at) as s:
            event = {"type": "tokens_revoked", "tokens": {"oauth": ["U1"]}}
            assert await s.uninstaller.handle(s.team.id, event) == 0
            assert await s.it.tokens(s.team.id) is not None

    asyncio.run(play())


def test_a_workspace_that_was_never_known_is_no_error(fake: FakeSlack, at: Installation) -> None:
    async def play() -> None:
        async with scene(fake, at) as s:
            assert await s.uninstaller.handle("T0NOBODY", UNINSTALLED) == 0

    asyncio.run(play())
