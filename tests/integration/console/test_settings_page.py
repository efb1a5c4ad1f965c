"""The pages on which owners decide: what is saved counts, faults stand beside their fields, nothing is overwritten."""

import httpx
import pytest

from core.admins import Action
from core.policy.snapshot import Snapshot, snapshot_of
from core.store.settings import Target
from core.values import Platform, new_id, utc_now
from tests.deciding import decide, target_of
from tests.integration.console.desk import Desk

INSTALLATION = Target("installation")


def stored(desk: Desk, target: Target) -> dict[str, object]:
    with desk.store.read() as repositories:
        current = repositories.settings.current(target)
    return current.document if current is not None else {}


def version(desk: Desk, target: Target) -> str:
    with desk.store.read() as repositories:
        current = repositories.settings.current(target)
    return str(current.version if current is not None else 0)


def snapshot(desk: Desk) -> Snapshot:
    with desk.store.read() as repositories:
        return snapshot_of(repositories.settings.newest())


@pytest.fixture
def place(desk: Desk) -> tuple[Target, str]:
    """A channel of a workspace of the test's own, and the page's address."""
    target = target_of(desk.store, Platform.SLACK, f"T{new_id()[-8:]}", "C1")
    return target, f"/settings/places/{target.id}"


@pytest.fixture
def workspace(desk: Desk) -> tuple[Target, str]:
    target = target_of(desk.store, Platform.SLACK, f"T{new_id()[-8:]}")
    return target, f"/settings/workspaces/{target.id}"


def test_everything_of_a_workspace_is_saved_shown_and_written_down(
    desk: Desk, owner: httpx.Client, workspace: tuple[Target, str]
) -> None:
    target, address = workspace
    form: dict[str, str | list[str]] = {
        "base": "0", "comment": "We begin", "persona": "shop", "system_prompt": "Be kind.\r\nAlways.",
        "temperature": "0.5", "max_new_tokens": "200", "thinking": "true", "languages": ["zh", "en"],
        "hidden": ["tutor"], "listens": "pictures", "places": "C1\r\n C2 ", "people": "U1",
        "questions_per_day": "0", "workspace_tokens_per_month": "1000000",
        "mode-0-name": "shop", "mode-0-title": "Our shop", "mode-0-system_prompt": "You sell <b>things</b>.",
        "mode-1-name": "",
    }  # fmt: skip
    answer = owner.post(address, data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{address}?saved=1")
    assert stored(desk, target) == {
        "persona": "shop", "system_prompt": "Be kind.\nAlways.", "temperature": 0.5, "max_new_tokens": 200,
        "thinking": True, "languages": ["zh", "en"], "hidden": ["tutor"], "listens": "pictures",
        "places": ["C1", "C2"], "people": ["U1"], "questions_per_day": 0, "workspace_tokens_per_month": 1000000,
        "personas": [{"name": "shop", "title": "Our shop", "system_prompt": "You sell <b>things</b>."}],
    }  # fmt: skip
    page = owner.get(address).text
    assert "You sell &lt;b&gt;things&lt;/b&gt;." in page
    assert "<b>things" not in page
    assert '<option value="pictures" selected>' in page
    assert "also every message with a picture" in page
    assert "We begin" in page
    entry = desk.audit(action=Action.SETTINGS_CHANGED)[0]
    assert entry.detail["changed"]["system_prompt"] == [None, "16 characters"]
    assert entry.detail["changed"]["people"] == [None, "1 listed"]
    assert entry.detail["changed"]["temperature"] == [None, 0.5]
    assert "You sell" not in str(entry.detail)
    # What is sent as it was shown changes nothing.
    again = owner.post(address, data={**form, "base": "1"})
    assert again.headers["location"] == f"{address}?same=1"
    assert version(desk, target) == "1"


def test_faults_stand_beside_their_fields_and_what_was_typed_stays(
    desk: Desk, owner: httpx.Client, workspace: tuple[Target, str]
) -> None:
    target, address = workspace
    wrong = {
        "base": "0", "temperature": "warm", "max_new_tokens": "0", "questions_per_day": "many",
        "mode-3-name": "Our Shop", "mode-3-temperature": "9", "system_prompt": "Typed <script>",
    }  # fmt: skip
    answer = owner.post(address, data=wrong)
    assert answer.status_code == 400
    for name, says in {
        "temperature": "This must be a number.",
        "max_new_tokens": "This must be at least 1.",
        "questions_per_day": "This must be a whole number.",
        "mode-0-name": "A mode&#39;s name has",
        "mode-0-temperature": "This must be at most 2.",
    }.items():
        assert f'id="{name}-wrong">{says}' in answer.text, name
        assert f'aria-describedby="{name}-wrong"' in answer.text
    assert "Typed &lt;script&gt;" in answer.text
    assert 'value="warm"' in answer.text
    assert stored(desk, target) == {}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"mode-0-name": "a", "mode-1-name": "a"}, "There are two modes named “a”."),
        ({"mode-0-name": "plain"}, "“plain” is what the system prompt"),
        ({"listens": "always"}, "This cannot be chosen."),
        ({"languages": "tlh"}, "“tlh” is no language"),
        ({"thinking": "maybe"}, "This cannot be chosen."),
        ({"system_prompt": "x" * 8001}, "This is too long: at most 8,000 characters."),
        ({"base": "x"}, "base is the number of a version"),
        ({"base": ""}, "base is the number of a version"),
        ({"mode-0-title": "No name"}, "A mode&#39;s name has"),
    ],
)
def test_what_cannot_be_saved_is_said(
    desk: Desk, owner: httpx.Client, workspace: tuple[Target, str], fields: dict[str, str], says: str
) -> None:
    target, address = workspace
    answer = owner.post(address, data={"base": "0", "temperature": "1", **fields})
    assert answer.status_code == 400
    assert says in answer.text
    assert stored(desk, target) == {}


def test_two_at_once(desk: Desk, owner: httpx.Client, place: tuple[Target, str]) -> None:
    target, address = place
    other = desk.signed_in()
    assert owner.post(address, data={"base": "0", "listens": "never", "comment": "quiet"}).status_code == 303
    stale = other.post(address, data={"base": "0", "listens": "pictures", "comment": "all of them"})
    assert stale.status_code == 409
    assert "Somebody else has changed these settings meanwhile. Nothing of yours was saved." in stale.text
    assert '<option value="pictures" selected>' in stale.text
    assert 'value="all of them"' in stale.text
    assert "quiet" in stale.text
    assert '<input type="hidden" name="base" value="1">' in stale.text
    assert stored(desk, target) == {"listens": "never"}
    assert other.post(f"{address}/undo", data={"base": "0", "version": "0"}).status_code == 409
    # Whoever has seen it may decide otherwise.
    assert other.post(address, data={"base": "1", "listens": "pictures"}).status_code == 303
    assert stored(desk, target) == {"listens": "pictures"}


def test_undo_restores_and_is_undone(desk: Desk, owner: httpx.Client, place: tuple[Target, str]) -> None:
    target, address = place
    for base, temperature in enumerate(("0.1", "0.2", "0.3")):
        owner.post(address, data={"base": str(base), "temperature": temperature})
    page = owner.get(address).text
    assert 'name="version" value="2">Undo' in page
    assert 'aria-label="Bring back version 1"' in page
    assert owner.post(f"{address}/undo", data={"base": "3", "version": "2"}).status_code == 303
    assert stored(desk, target) == {"temperature": 0.2}
    assert owner.post(f"{address}/undo", data={"base": "4", "version": "3"}).status_code == 303
    assert stored(desk, target) == {"temperature": 0.3}
    assert owner.post(f"{address}/undo", data={"base": "5", "version": "0"}).status_code == 303
    assert stored(desk, target) == {}
    assert owner.post(f"{address}/undo", data={"base": "6", "version": "99"}).status_code == 404
    assert desk.audit(action=Action.SETTINGS_CHANGED)[0].detail["as_in_version"] == 0
    assert "as in version 2" in owner.get(address).text


def test_a_preview_saves_nothing(desk: Desk, owner: httpx.Client, place: tuple[Target, str]) -> None:
    target, address = place
    answer = owner.post(address, data={"base": "0", "temperature": "1.5", "preview": "1"})
    assert answer.status_code == 200
    assert "It is not saved yet" in answer.text
    assert '<td class="value">1.5</td><td class="soft">this place</td>' in answer.text
    assert stored(desk, target) == {}


def test_where_each_value_comes_from(desk: Desk, owner: httpx.Client) -> None:
    name = f"T{new_id()[-8:]}"
    decide(desk.store, Platform.SLACK, name, temperature=0.25, people=["U7"], questions_per_day=0)
    target = decide(desk.store, Platform.SLACK, name, "C1", listens="never", persona="removed-since")
    page = owner.get(f"/settings/places/{target.id}").text
    for value, source in {
        "0.25": "the workspace",
        "never: it stays silent": "this place",
        "U7": "the workspace",
        "no limit": "the workspace",
        "whichever runs": "built in",
        "512": "GLIMT_… at start",
    }.items():
        assert f'<td class="value">{value}</td><td class="soft">{source}</td>' in page, value
    assert "removed-since (there is no such mode any more)" in page
    assert "Now: plain" in page


def test_a_mode_is_removed(desk: Desk, owner: httpx.Client, workspace: tuple[Target, str]) -> None:
    target, address = workspace
    modes = {"mode-0-name": "one", "mode-1-name": "two"}
    owner.post(address, data={"base": "0", **modes})
    owner.post(address, data={"base": "1", **modes, "mode-0-remove": "1"})
    assert stored(desk, target) == {"personas": [{"name": "two"}]}
    # The inbox offers it as a filter.
    assert '<option value="two"' in owner.get("/").text
    assert owner.get("/?mode=two").status_code == 200


def test_the_pages_lead_to_each_other_and_to_nothing_that_is_not_there(
    desk: Desk, owner: httpx.Client, place: tuple[Target, str]
) -> None:
    _, address = place
    with desk.store.read() as repositories:
        found = repositories.review(repositories.admins.scope(desk.add())).place(place[0].id)
    assert found is not None
    up = f"/settings/workspaces/{found[1].id}"
    assert up in owner.get(address).text
    assert up in owner.get("/settings").text
    assert address in owner.get(up).text
    for nothing in (new_id(), "x", place[0].id):
        assert owner.get(f"/settings/workspaces/{nothing}").status_code == 404
        assert owner.post(f"/settings/workspaces/{nothing}", data={"base": "0", "temperature": "1"}).status_code == 404
    assert owner.get(f"/settings/places/{found[1].id}").status_code == 404


def test_a_broken_row_is_shown_as_far_as_it_can_be_read(desk: Desk, owner: httpx.Client) -> None:
    target = target_of(desk.store, Platform.SLACK, f"T{new_id()[-8:]}", "C1")
    with desk.store.write() as repositories:
        broken = {"temperature": "warm", "listens": "never"}
        repositories.settings.add(target, broken, base=0, now=utc_now(), admin_name="somebody with SQL")
    page = owner.get(f"/settings/places/{target.id}")
    assert page.status_code == 200
    assert "never: it stays silent" in page.text


def test_a_form_that_is_much_too_large(owner: httpx.Client) -> None:
    answer = owner.post("/settings", data={"base": "0", "system_prompt": "x" * 3_000_000})
    assert answer.status_code == 413
