"""Two processes take in parts of one album at the same moment, as behind a webhook that several of them answer."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from bots.telegram.message import Said
from bots.telegram.taking import Taken, Taking
from bots.telegram.words import Text
from core.conversation.inbound import Pending
from core.conversation.joining import turn_of_key
from core.values import Platform
from tests.integration.telegram.stand import Stand
from tests.processes import PATIENCE_S

ALBUMS = 12


def parts_of(stand: Stand, number: int) -> Sequence[Said]:
    ann = stand.telegram.user(f"both{number}")
    return [
        Said(
            bot_id=str(stand.telegram.bot.id),
            update_id=900_000_000 + 2 * number + part,
            message_id=1 + part,
            chat_id=ann.id,
            topic_id=None,
            private=True,
            user_id=ann.id,
            user=None,
            text=Text(""),
            files=(Pending("photo", {"unique": f"u{part}", "message": 1 + part, "why": "A test."}),),
            album="album",
        )
        for part in range(2)
    ]


def test_an_album_that_two_processes_begin_is_one_question_with_all_of_it(stand: Stand) -> None:
    takings = [Taking(stand.services), Taking(stand.services)]
    barrier = Barrier(2)

    def take(taking: Taking, said: Said) -> Taken:
        barrier.wait(PATIENCE_S)
        return taking.take(said, "", said.files)

    with ThreadPoolExecutor(2) as threads:
        for number in range(ALBUMS):
            parts = parts_of(stand, number)
            both = [threads.submit(take, taking, said) for taking, said in zip(takings, parts, strict=True)]
            assert [one.result(PATIENCE_S).gathers for one in both] == [True, True]
            ids = {turn_of_key(stand.at.store, Platform.TELEGRAM, said.key) for said in parts}
            assert len(ids) == 1
            turn = stand.turn(str(ids.pop()))
            assert sorted(a.source["unique"] for a in turn.attachments) == ["u0", "u1"]
            stand.run(stand.services.cancel(turn.id))
