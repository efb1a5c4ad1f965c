"""A day in Telegram: people ask in chats, the real adapter, queue and demo model answer, processes die in between.

`make day-telegram` prints the transcript; the last line counts. Telegram is tests/fakes/telegram, which refuses what
Telegram refuses and fails when one of its rules is broken.
"""

import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from bench.day import PATIENCE_S, SAMPLE, counted, plain, ratings
from bots.telegram.target import post_id
from core.process import stop
from core.store.models import Delivery, Post
from core.values import Platform
from tests.fakes.telegram import Chat, FakeTelegram, Message, Said, Seen
from tests.processes import Installation, installation, until


@dataclass
class Day:
    """What was asked so far: the messages that became questions."""

    at: Installation
    telegram: FakeTelegram
    asked: list[Message] = field(default_factory=list)

    def ask(self, said: Said) -> Message:
        """Somebody has asked; the message by which the question is known."""
        self.asked.append(said.message)
        return said.message

    def answers_to(self, question: Message) -> list[Seen]:
        """Our whole messages that answer one question, and those that say the same again."""
        posts = self._posts()
        turn_id = self._turn_id(question)
        if turn_id is None:
            return []
        there = {_name(one.message): one for one in self.telegram.answers(question.chat)}
        first = [
            there[post]
            for post, (turn, position) in posts.items()
            if turn == turn_id and position == 0 and post in there
        ]
        again = [one for post, one in there.items() if post not in posts and any(one.text == f.text for f in first)]
        return first + again

    def wait(self, *questions: Message) -> None:
        """Until these are answered."""
        for question in questions:
            until(lambda one=question: self.answers_to(one), f"{question.text!r} is answered", PATIENCE_S)  # type: ignore[misc]

    def pictures_of(self, question: Message) -> int:
        """How many files a question has."""
        turn_id = self._turn_id(question)
        with self.at.store.read() as repositories:
            turn = repositories.turns.get(turn_id) if turn_id is not None else None
        return len(turn.attachments) if turn is not None else 0

    def _turn_id(self, question: Message) -> str | None:
        owner = f"b{question.connection.owner.id}:" if question.connection is not None else ""
        key = f"{self.telegram.bot.id}:{owner}{question.chat.id}:{question.id}"
        with self.at.store.read() as repositories:
            event = repositories.inbound.find(Platform.TELEGRAM, key)
        return event.turn_id if event is not None else None

    def _posts(self) -> dict[str, tuple[str, int]]:
        """Which turn, and which part of its answer, each whole message of ours shows, by the delivery's own record."""
        with self.at.store.read() as repositories:
            rows = (
                repositories.session.query(Post.external_id, Delivery.turn_id, Post.position)
                .join(Delivery, Delivery.id == Post.delivery_id)
                .filter(Post.complete.is_(True))
            )
            return {post: (turn_id, position) for post, turn_id, position in rows if post}


def main() -> int:
    """Play it; 0: each question was answered exactly once."""
    with tempfile.TemporaryDirectory(prefix="glimt-day-") as folder, FakeTelegram() as telegram:
        telegram.know_rich()
        chosen = {
            "TELEGRAM_BOT_TOKEN": telegram.bot_token,
            "TELEGRAM_API_URL": telegram.url,
            "GLIMT_TELEGRAM_BUSINESS": "approve",
        }
        with installation(Path(folder), model="demo") as at:
            at.env.update(chosen)
            day = Day(at, telegram)
            chats = _play(day)
            telegram.check()
            for title, chat in chats.items():
                print(f"--- {title}")
                print(telegram.transcript(chat))
            return counted([len(day.answers_to(one)) for one in day.asked])


def _play(day: Day) -> dict[str, Chat]:
    """The day itself; its chats by what they are called in the transcript."""
    at, telegram = day.at, day.telegram
    ann, bob = telegram.user("ann"), telegram.user("bob", language="zh-hans")
    olga, carl = telegram.user("olga"), telegram.user("carl")
    mine, his, hers = telegram.private(ann), telegram.private(bob), telegram.private(olga)
    me, sample = telegram.bot.mention, SAMPLE.read_bytes()
    worker = at.start_worker()
    at.start_bots()
    bots = at.processes[-1]

    telegram.start(telegram.user("dora"), "support")
    first = day.ask(telegram.photo(ann, mine, sample, "What is in this picture?"))
    day.wait(first)
    colours = [plain(colour) for colour in ("red", "green", "blue", "yellow")]
    album = telegram.album(ann, mine, colours, "What is in these pictures?", late=1)
    four = day.ask(album)
    telegram.wait_for(lambda: not telegram.updates.waiting, PATIENCE_S)
    album.arrive()
    day.wait(four)
    assert day.pictures_of(four) == len(colours), "the late picture belongs to the album's question"
    before_words = day.ask(telegram.photo(bob, his, sample))
    telegram.say(bob, his, "这张图片里有什么？")
    document = day.ask(telegram.document(ann, mine, "scan.png", sample, "What is in this picture?"))
    day.wait(before_words, document)

    group = telegram.group("Harbour", ann, bob, forum=True)
    topic = telegram.topic(group, "boats", ann)
    somebodys = telegram.photo(bob, group, sample, topic=topic)
    reply = day.ask(telegram.say(ann, group, f"{me} What is in this picture?", reply_to=somebodys, topic=topic))
    day.wait(reply)

    # A shop, whose owner decides about every answer.
    telegram.start(olga)
    shop = telegram.customer(telegram.connect(olga), carl)
    for number, question in enumerate(("Do you have this in blue?", "And how much is it?")):
        asked = day.ask(telegram.photo(carl, shop, sample, question))
        proposal = telegram.wait_for(
            lambda: [one for one in telegram.answers(hers) if "Send" in one.buttons], PATIENCE_S
        )[0]
        if number == 0:
            telegram.press(olga, proposal.message, "Send")
        else:
            telegram.say(olga, hers, "It costs 20 euros.", reply_to=proposal.message)
        day.wait(asked)
        telegram.wait_for(lambda: not [one for one in telegram.answers(hers) if "Send" in one.buttons], PATIENCE_S)

    # Processes die while questions are on their way.
    before = len(telegram.called("getFile"))
    dying = [
        day.ask(telegram.photo(who, telegram.private(who), sample, f"What is in picture {n}?"))
        for n, who in enumerate((ann, bob, olga, ann))
    ]
    telegram.wait_for(lambda: len(telegram.called("getFile")) > before, PATIENCE_S)
    for process in (bots, worker):
        process.kill()
        process.wait()
    while_away = day.ask(telegram.say(ann, group, f"{me} Is anybody there?", topic=topic))
    worker = at.start_worker()
    at.start_bots()
    day.wait(*dying, while_away)

    # Nobody answers this one: so there is time for Stop, also on a fast machine.
    stop(worker, 20.0)
    stopped = day.ask(telegram.photo(ann, mine, sample, "Tell me everything about it."))
    telegram.wait_for(lambda: any(draft.stop for draft in telegram.drafts(mine)), PATIENCE_S)
    telegram.stop(mine)
    day.wait(stopped)
    telegram.press(ann, day.answers_to(first)[0].message, "👍")
    until(lambda: ratings(at) == 1, "the thumb is kept", PATIENCE_S)
    stop(at.processes[-1], 20.0)
    return {"Ann": mine, "Bob": his, "Harbour": group, "Olga": hers, "Carl and the shop of Olga": shop}


def _name(message: Message) -> str:
    owner = message.connection.owner.id if message.connection is not None else 0
    return post_id(message.chat.id, message.id, owner)


if __name__ == "__main__":
    sys.exit(main())
