"""Commands and buttons against a real store: what they change, and what they say."""

import pytest

from core.conversation.personas import PERSONAS
from core.errors import QuestionErased
from core.store.models import Feedback, Usage
from core.store.retention.figures import Figures
from core.store.retention.rules import What
from core.values import TurnState, new_id, utc_now
from tests.integration.chat.office import Office, in_office


@in_office
async def test_new_begins_a_conversation_with_the_next_question(office: Office) -> None:
    first, second = await office.ask(), await office.ask()
    assert first.conversation_id == second.conversation_id
    assert "new conversation" in (await office.say("new")).text
    third, elsewhere = await office.ask(), await office.ask(place="other chat")
    assert third.conversation_id not in (first.conversation_id, elsewhere.conversation_id)
    # A thread is a conversation whatever was said beside it.
    inside = [await office.ask(thread="chat:1"), await office.ask(thread="chat:1")]
    assert len({asked.conversation_id for asked in inside}) == 1
    reply = await office.say("new", thread="chat:1", threads=True)
    assert "Every thread" in reply.text
    assert (await office.ask()).conversation_id == third.conversation_id


@in_office
async def test_stop_ends_ones_own_questions_and_otherwise_what_runs_in_the_conversation(office: Office) -> None:
    assert (await office.say("stop")).text == "Nothing is being answered here."
    running, hers, elsewhere = await office.ask(), await office.ask(person="bea"), await office.ask(place="other")
    office.claim(running.turn_id)
    assert (await office.say("stop")).text == "1 question stopped."
    assert office.turn(running.turn_id).cancel_requested
    assert office.turn(hers.turn_id).state == office.turn(elsewhere.turn_id).state == TurnState.READY
    assert (await office.say("stop", person="carl")).text == "2 questions stopped."
    assert office.turn(hers.turn_id).state == TurnState.CANCELLED
    assert office.turn(elsewhere.turn_id).state == TurnState.READY


@in_office
async def test_retry_asks_ones_own_last_question_again(office: Office) -> None:
    assert "Nothing was asked" in (await office.say("retry")).text
    asked = await office.ask()
    assert "being answered already" in (await office.say("retry")).text
    await office.say("stop")
    assert "Somebody else" in (await office.say("retry", person="bea")).text
    assert (await office.say("retry")).turn_id == asked.turn_id
    assert office.turn(asked.turn_id).state == TurnState.READY
    office.claim(asked.turn_id).end("A star.")
    refused = await office.say("retry", locale="zh")
    assert refused.turn_id is None
    assert refused.text == "只有失败或已停止的问题可以重试，而且在它之后提出的问题不能正在回答中。"


@in_office
async def test_buttons_of_another_place_do_nothing(office: Office) -> None:
    asked = await office.ask()
    for name in ("stop", "again", "up", "down"):
        reply = await office.press(f"{name}:{asked.turn_id}", place="other chat")
        assert reply.text == "That does not exist (any more)."
    assert (await office.press(f"stop:{new_id()}")).text == "That does not exist (any more)."
    assert office.turn(asked.turn_id).state == TurnState.READY
    assert (await office.press(f"stop:{asked.turn_id}", person="bea")).text == "Stopped."
    assert (await office.press(f"stop:{asked.turn_id}")).text == "This was answered already."


@in_office
async def test_the_mode_belongs_to_the_place(office: Office) -> None:
    listed = await office.say("mode nonsense")
    assert "no mode “nonsense”" in listed.text
    assert all(f"**{name}**" in listed.text for name in PERSONAS)
    assert listed.private
    chosen = await office.say("mode Documents")
    assert (chosen.private, "documents" in chosen.text) == (False, True)
    assert "**documents** (now)" in (await office.say("mode", person="bea")).text
    assert "**plain** (now)" in (await office.say("mode", place="other chat")).text
    tutor = next(button for button in listed.buttons if button.label == "tutor")
    await office.press(tutor.value)
    assert "**tutor** (now)" in (await office.say("mode")).text


@in_office
async def test_a_chosen_language_beats_what_the_platform_says(office: Office) -> None:
    assert (await office.say("stop", locale="zh-CN")).text == "这里没有正在进行的回答。"
    assert (await office.say("lang english", locale="zh-CN")).text.startswith("I write to you in English")
    assert (await office.say("stop", locale="zh-CN")).text == "Nothing is being answered here."
    offered = await office.say("lang klingon", locale="zh-CN")
    assert [button.label for button in offered.buttons] == ["English", "中文"]
    assert (await office.press(offered.buttons[1].value)).text.startswith("我现在用中文")
    await office.say("lang en")
    await office.say("lang auto")
    assert (await office.say("stop", locale="zh-CN")).text == "这里没有正在进行的回答。"
    assert (await office.say("stop", person="bea")).text == "Nothing is being answered here."


@in_office
async def test_help_usage_and_privacy_say_what_there_is(office: Office) -> None:
    assert "- **forget** –" in (await office.say("help")).text
    await office.answered(pictures=2)
    await office.answered()
    await office.answered(person="bea")
    used = (await office.say("usage")).text.splitlines()
    assert used[0] == "Today: 2 questions, 2 pictures, 60 tokens read, 10 written"
    assert used[1] == used[0].replace("Today", "This month")
    told = await office.say("privacy")
    assert "Telegram" in told.text
    assert "own machines" in told.text
    assert [button.danger for button in told.buttons] == [True]
    assert "removed after" not in told.text
    with office.services.store.write() as repositories:
        for what, days in ((What.TURNS, 90), (What.PICTURES, 1)):
            repositories.retention.set_rule(None, what, days, by="olga", shown=Figures(), now=utc_now())
    told = await office.say("privacy")
    assert "Anyway it is removed after 90 days. Pictures are removed after 1 day." in told.text


@in_office
async def test_what_an_admin_holds_is_not_forgotten_and_that_is_said(office: Office) -> None:
    goes, held = await office.answered(), await office.answered("Mine?", thread="held")
    with office.services.store.write() as repositories:
        conversation_id = repositories.turns.by_ids([held])[held].conversation_id
        repositories.retention.set_hold(conversation_id, "a dispute", "olga", utc_now())
    yes, _ = (await office.say("forget")).buttons
    said = (await office.press(yes.value)).text
    assert said.startswith("Erased: 1 question with their answers, 0 pictures.")
    assert "1 question is kept: an admin has to keep its conversation" in said
    with office.services.store.read() as repositories:
        assert set(repositories.turns.by_ids([goes, held])) == {held}
    assert (await office.press(yes.value)).text.startswith("1 question is kept")


@in_office
async def test_thumbs_are_noted_with_a_reason(office: Office) -> None:
    turn_id = await office.answered()

    def ratings() -> list[tuple[int, str]]:
        with office.services.store.read() as repositories:
            return [(row.rating, row.reason) for row in repositories.session.query(Feedback)]

    assert (await office.press(f"up:{turn_id}", person="bea")).text == "Thank you."
    assert ratings() == [(1, "")]
    asked = await office.press(f"down:{turn_id}", person="bea")
    assert ratings() == [(-1, "")]
    overlooked = next(button for button in asked.buttons if button.label == "Something overlooked")
    assert (await office.press(overlooked.value, person="bea")).buttons == ()
    assert ratings() == [(-1, "overlooked")]


@in_office
async def test_a_human_takes_over_and_the_model_is_silent_until_it_is_released(office: Office) -> None:
    assert "nothing to hand over" in (await office.say("human")).text
    running, waiting = await office.ask(), await office.ask(person="bea")
    office.claim(running.turn_id)
    said = await office.say("human")
    assert not said.private
    assert office.turn(running.turn_id).cancel_requested
    assert office.turn(waiting.turn_id).state == TurnState.HANDED_OVER
    assert "already" in (await office.say("human", person="bea")).text
    later = await office.ask("And now?")
    assert later.handed_over
    assert office.turn(later.turn_id).state == TurnState.HANDED_OVER
    (release,) = said.buttons
    assert "does not exist" in (await office.press(release.value, place="other chat")).text
    assert "I answer here again" in (await office.press(release.value)).text
    assert not (await office.ask("And now?")).handed_over


@in_office
async def test_forget_asks_first_and_erases_only_what_is_ones_own(office: Office) -> None:
    mine = [await office.answered(pictures=1, event="e1"), (await office.ask("And?")).turn_id]
    hers = await office.answered("Hers?", person="bea", thread="shared")
    shared = await office.answered("Mine?", thread="shared")
    asked = await office.say("forget")
    assert asked.text.startswith("Shall I erase")
    yes, no = asked.buttons
    assert (await office.press(no.value)).text == "Nothing was erased."
    assert "somebody else" in (await office.press(yes.value, person="bea")).text
    assert office.turn(mine[0]).question == "What is this?"
    assert (await office.press(yes.value)).text == "Erased: 3 questions with their answers, 1 picture."
    with office.services.store.read() as repositories:
        left = repositories.turns.by_ids([*mine, shared, hers])
        costs = {row.turn_id: row.person_id for row in repositories.session.query(Usage)}
    assert set(left) == {hers}
    assert (costs[mine[0]], costs[shared]) == ("", "")
    assert costs[hers]
    assert (await office.press(yes.value)).text == "There was nothing to erase."
    # The platform brings the event again: it does not come back to life.
    with pytest.raises(QuestionErased):
        await office.ask(pictures=1, event="e1")
    assert (await office.say("usage")).text.startswith("Today: 0 questions")
