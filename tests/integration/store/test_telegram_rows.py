"""Groups that become supergroups, and what is open at a place and inside it; on both databases."""

from core.conversation.inbound import Accepted, InboundQuestion
from core.conversation.intake import Intake
from core.media.blobs import BlobStore
from core.settings import load_settings
from core.store.database import Store
from core.values import Platform, new_id, utc_now


def ask(store: Store, place: str, chat: int, bot: str) -> Accepted:
    intake = Intake(store, BlobStore(f"memory://{new_id()}"), load_settings(_env_file=None))
    target = {"chat_id": chat, "message_id": 5, "user_id": 11}
    return intake.accept(
        InboundQuestion(Platform.TELEGRAM, bot, "11", new_id(), "Which?", place=place, reply_to=target)
    )


def workspace(store: Store, bot: str) -> str:
    with store.read() as repositories:
        found = repositories.people.known_workspace(Platform.TELEGRAM, bot)
    assert found is not None
    return found.id


def name_of(store: Store, accepted: Accepted) -> str:
    with store.read() as repositories:
        conversation = repositories.conversations.get(accepted.conversation_id)
    assert conversation is not None
    return conversation.external_id


def move(store: Store, bot: str) -> int:
    ours = workspace(store, bot)
    with store.write() as repositories:
        return repositories.telegram.move_chat(ours, "-4", "-1004")


def test_a_group_takes_its_conversation_along(store: Store) -> None:
    bot = new_id()[:12]
    asked = ask(store, "-4", -4, bot)
    assert move(store, bot) == 1
    assert name_of(store, asked) == "-1004#0"
    assert ask(store, "-1004", -1004, bot).conversation_id == asked.conversation_id
    with store.read() as repositories:
        delivery = repositories.deliveries.of_turn(asked.turn_id)
    assert delivery is not None
    # There is no message of that number in the supergroup.
    assert delivery.target == {"chat_id": -1004, "message_id": 0, "user_id": 11}
    # Both chats tell of it.
    assert move(store, bot) == 0


def test_whoever_wrote_in_the_supergroup_first_keeps_their_conversation(store: Store) -> None:
    bot = new_id()[:12]
    old, new = ask(store, "-4", -4, bot), ask(store, "-1004", -1004, bot)
    assert move(store, bot) == 0
    assert (name_of(store, old), name_of(store, new)) == ("-4#0", "-1004#0")
    assert ask(store, "-1004", -1004, bot).conversation_id == new.conversation_id


def test_what_is_open_at_a_place_and_inside_it(store: Store) -> None:
    bot = new_id()[:12]
    here, inside = ask(store, "-7", -7, bot), ask(store, "-7:3", -7, bot)
    ask(store, "-77", -77, bot)
    done = ask(store, "-7", -7, bot)
    with store.write() as repositories:
        repositories.turns.request_cancel(done.turn_id, utc_now())
    with store.read() as repositories:
        assert repositories.turns.open_at(workspace(store, bot), "-7") == [here.turn_id, inside.turn_id]


def test_a_connection_is_kept_as_it_was_told_last(store: Store) -> None:
    number = new_id()
    for enabled in (True, False):
        with store.write() as repositories:
            repositories.telegram.set_connection(
                number,
                bot_id="7",
                owner_id=12_345_678_901,
                owner_chat_id=12_345_678_901,
                owner_locale="zh-hans",
                can_reply=True,
                enabled=enabled,
                now=utc_now(),
            )
    with store.read() as repositories:
        row = repositories.telegram.connection(number)
        assert repositories.telegram.connection("unknown") is None
    assert row is not None
    assert (row.owner_id, row.enabled, row.owner_locale) == (12_345_678_901, False, "zh-hans")
