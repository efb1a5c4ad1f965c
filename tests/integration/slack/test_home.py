"""App Home: what it shows whom, and that erasing asks first. The fake refuses what is beyond Slack's limits."""

from typing import Any

import pytest

from bots.chat.reply import Reply
from bots.chat.texts import texts_for
from bots.slack.home import RECENT, home_blocks, mrkdwn
from core.store.models import Conversation
from core.values import TurnState, utc_now
from tests.fakes.slack import FakeSlack, User
from tests.fakes.slack.methods.content import check_view
from tests.integration.slack.office import Office, ask_in
from tests.processes import PATIENCE_S


def shown(slack: FakeSlack, user: User) -> str:
    """The texts of somebody's Home tab."""
    home = slack.world.homes.get(user.id)
    return "" if home is None else "\n".join(_texts(home["blocks"]))


def _texts(part: Any) -> list[str]:
    if isinstance(part, dict):
        return [part["text"]] if isinstance(part.get("text"), str) else [t for v in part.values() for t in _texts(v)]
    return [t for item in part for t in _texts(item)] if isinstance(part, list) else []


def opened(office: Office, user: User, says: str) -> str:
    """Open it, and wait until it says this."""
    assert office.slack.open_home(user).wait(PATIENCE_S).acknowledged
    return until_it_says(office, user, says)


def until_it_says(office: Office, user: User, says: str) -> str:
    return str(office.slack.wait_for(lambda: text if says in (text := shown(office.slack, user)) else None, PATIENCE_S))


def press(office: Office, user: User, label: str) -> None:
    """The button with this label."""
    home = office.slack.world.homes[user.id]
    elements = [e for block in home["blocks"] for e in block.get("elements", [])]
    (action,) = [e["action_id"] for e in elements if e["text"]["text"] == label]
    assert office.slack.press_home(user, action).wait(PATIENCE_S).acknowledged


def test_somebody_who_is_new_sees_what_to_do(office: Office) -> None:
    ann = office.slack.user("ann")

    text = opened(office, ann, "What I can do")

    for said in ("*help*", "0 questions", "None yet. Send me a picture with a question.", "Erase my conversations"):
        assert said in text, text
    assert "**" not in text


def test_in_the_readers_language(office: Office) -> None:
    li = office.slack.user("li", locale="zh-CN")

    text = opened(office, li, "我能做什么")

    for said in ("你的用量", "最近的对话", "隐私"):
        assert said in text, text


def test_the_latest_conversations_and_the_usage_are_ones_own(office: Office) -> None:
    bob, eve = office.slack.user("bob"), office.slack.user("eve")
    room = office.slack.channel("home-room", bob, eve)
    ts = ask_in(office, bob, room, f"{office.slack.workspace.bot_user.mention} Bob &lt;b&gt; &amp; | question?")
    turn = office.turn_of(room, ts)
    office.take(turn.question).answer("Yes.")
    office.until_state(turn.id, TurnState.DELIVERED)

    text = opened(office, bob, "1 question")

    assert f"https://acme.slack.com/archives/{room.id}/p{ts.replace('.', '')}" in text
    assert "Bob &lt;b&gt; &amp; ¦ question?" in text
    assert "Bob" not in opened(office, eve, "0 questions")


def test_erasing_asks_first_and_then_says_what_it_did(office: Office) -> None:
    carl = office.slack.user("carl")
    room = office.slack.channel("carls-room", carl)
    ask_in(office, carl, room, f"{office.slack.workspace.bot_user.mention} Carl's secret?")
    opened(office, carl, "Carl's secret?")

    press(office, carl, "Erase my conversations")
    until_it_says(office, carl, "This cannot be undone")
    assert len(office.turns_about("Carl's secret?")) == 1
    press(office, carl, "Keep it")
    until_it_says(office, carl, "Nothing was erased.")
    assert len(office.turns_about("Carl's secret?")) == 1

    press(office, carl, "Erase my conversations")
    until_it_says(office, carl, "This cannot be undone")
    press(office, carl, "Erase everything")
    text = until_it_says(office, carl, "Erased: 1 question")

    assert "Carl's secret?" not in text
    assert "None yet." in text
    assert office.turns_about("Carl's secret?") == []


def test_a_refused_view_ends_nothing(office: Office) -> None:
    dora = office.slack.user("dora")
    office.slack.faults.refuse("views.publish", "view_too_large")
    assert office.slack.open_home(dora).wait(PATIENCE_S).acknowledged
    office.slack.wait_for(lambda: [c for c in office.slack.calls if c.error == "view_too_large"] or None, PATIENCE_S)

    opened(office, dora, "What I can do")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_longest_is_within_slacks_limits(language: str) -> None:
    long = Reply("\n".join(f"- **{'x' * 80}** & <{n}>" for n in range(400)))
    recent = [
        (
            Conversation(title="<!channel> |" * 40, updated_at=utc_now(), external_id=f"C:{n}"),
            f"https://x.slack.com/{n}",
        )
        for n in range(RECENT)
    ]
    blocks = home_blocks(texts_for(language), long, long, long, recent, long)

    check_view({"type": "home", "blocks": blocks}, home=True, file_exists=lambda _: False)
    assert "<!channel>" not in str(blocks)


def test_our_markdown_becomes_slacks_and_nothing_else() -> None:
    assert mrkdwn("- **help** – shows <this> & that\n- a") == "• *help* – shows &lt;this&gt; &amp; that\n• a"
