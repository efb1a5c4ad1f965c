"""Groups and what the bot hears there, topics, migrations, Business connections."""

from typing import Any

import pytest
from telegram import Bot, ReplyParameters
from telegram.error import BadRequest, ChatMigrated, Forbidden

from tests.fakes.telegram import Chat, FakeTelegram, User
from tests.integration.fakes.conftest import Do
from tests.integration.fakes.pictures import png


def latest(bot: Bot, do: Do[Any]) -> Any:
    """The last message, of which the caller knows which parts it has."""
    return do(bot.get_updates())[-1].message


def heard(telegram: FakeTelegram, bot: Bot, do: Do[Any]) -> list[str | None]:
    """What has come since the last time."""
    updates = do(bot.get_updates(offset=telegram.updates.every[0].id))
    telegram.updates.drop()
    return [update.message.text for update in updates if update.message]


def test_privacy_mode(telegram: FakeTelegram, bot: Bot, do: Do[Any], alice: User) -> None:
    group = telegram.group("Cats", alice)
    telegram.updates.drop()
    answer = do(bot.send_message(group.id, "I am here"))
    for text in ("a cat", "/help", "/help@glimt_bot now", "/help@other_bot", "@glimt_bot what?", "x@glimt_bots"):
        telegram.say(alice, group, text)
    mine = group.messages[answer.id]
    telegram.say(alice, group, "why?", reply_to=mine)
    assert heard(telegram, bot, do) == ["/help", "/help@glimt_bot now", "@glimt_bot what?", "why?"]
    telegram.mentions_pass_privacy = False
    telegram.say(alice, group, "@glimt_bot what?")
    telegram.privacy = False
    telegram.say(alice, group, "still not heard")
    assert heard(telegram, bot, do) == []
    telegram.remove_bot(group, alice)
    telegram.add_bot(group, alice)
    telegram.updates.drop()
    telegram.say(alice, group, "heard")
    assert heard(telegram, bot, do) == ["heard"]
    assert do(bot.get_me()).can_read_all_group_messages


def test_who_speaks_as_the_group(telegram: FakeTelegram, bot: Bot, do: Do[Any]) -> None:
    alice = telegram.user("alice", language="")
    group = telegram.group("Cats", alice, admin=True)
    telegram.say(alice, group, "hello", anonymous=True)
    message = latest(bot, do)
    assert (message.from_user.username, message.sender_chat.id) == ("GroupAnonymousBot", group.id)
    telegram.say(alice, group, "it is me")
    assert (latest(bot, do).from_user.id, latest(bot, do).from_user.language_code) == (alice.id, None)


def test_memberships(telegram: FakeTelegram, bot: Bot, do: Do[Any], alice: User) -> None:
    group = telegram.group("Cats", alice, bot=False)
    with pytest.raises(Forbidden, match="bot is not a member of the supergroup chat"):
        do(bot.send_message(group.id, "Hi"))
    telegram.add_bot(group, alice)
    change, joined = do(bot.get_updates())[-2:]
    assert change.my_chat_member.old_chat_member.status == "left"
    assert change.my_chat_member.new_chat_member.status == "member"
    assert joined.message.new_chat_members[0].id == bot.id
    assert do(bot.get_chat_member(group.id, alice.id)).status == "creator"
    assert do(bot.get_chat(group.id)).title == "Cats"
    assert do(bot.get_chat_member_count(group.id)) == 2
    telegram.remove_bot(group, alice)
    with pytest.raises(Forbidden, match="bot was kicked from the supergroup chat"):
        do(bot.send_message(group.id, "Hi"))
    basic = telegram.group("Dogs", alice, kind="group")
    basic.can_send = False
    with pytest.raises(BadRequest, match=r"(?i)not enough rights to send text messages"):
        do(bot.send_message(basic.id, "Hi"))
    assert do(bot.leave_chat(basic.id))
    assert do(bot.get_updates())[-1].my_chat_member.new_chat_member.status == "left"
    telegram.block(alice)
    assert do(bot.get_updates())[-1].my_chat_member.new_chat_member.status == "kicked"


def test_topics(telegram: FakeTelegram, bot: Bot, do: Do[Any], alice: User) -> None:
    forum = telegram.group("Pets", alice, forum=True)
    cats, dogs = telegram.topic(forum, "Cats", alice), telegram.topic(forum, "Dogs", alice)
    photo = telegram.photo(telegram.user("bob"), forum, png(), topic=cats)
    asked = telegram.say(alice, forum, "@glimt_bot what?", reply_to=photo)
    message = latest(bot, do)
    assert (message.message_thread_id, message.is_topic_message) == (cats.id, True)
    assert message.reply_to_message.photo
    do(bot.send_message(forum.id, "A cat", reply_parameters=ReplyParameters(asked.id)))
    do(bot.send_message(forum.id, "A dog", message_thread_id=dogs.id))
    do(bot.send_message(forum.id, "General"))
    assert [[seen.text for seen in telegram.seen(forum, thread)][-1] for thread in (cats.id, dogs.id, 0)] == [
        "A cat",
        "A dog",
        "General",
    ]
    telegram.say(alice, forum, "@glimt_bot and now?", topic=dogs)
    assert latest(bot, do).reply_to_message.forum_topic_created.name == "Dogs"
    with pytest.raises(BadRequest, match="Message thread not found"):
        do(bot.send_message(forum.id, "x", message_thread_id=99))
    telegram.close_topic(forum, dogs, alice)
    with pytest.raises(BadRequest, match=r"(?i)topic_closed"):
        do(bot.send_message(forum.id, "x", message_thread_id=dogs.id))
    telegram.close_topic(forum, dogs, alice, closed=False)
    do(bot.send_message(forum.id, "open", message_thread_id=dogs.id))
    assert "#Dogs Glimt: open" in telegram.transcript(forum)


def test_threads_of_replies_are_no_topics(telegram: FakeTelegram, bot: Bot, do: Do[Any], alice: User) -> None:
    group = telegram.group("Cats", alice, admin=True)
    first = telegram.say(alice, group, "one")
    second = telegram.say(alice, group, "two", reply_to=first)
    telegram.say(alice, group, "three", reply_to=second)
    message = latest(bot, do)
    assert (message.message_thread_id, message.is_topic_message) == (first.id, None)
    with pytest.raises(BadRequest, match="Message thread is not a forum topic thread"):
        do(bot.send_message(group.id, "four", message_thread_id=first.id))
    basic = telegram.group("Dogs", alice, kind="group")
    with pytest.raises(BadRequest, match="Message thread not found"):
        do(bot.send_message(basic.id, "x", message_thread_id=first.id))


def test_numbers_of_messages(telegram: FakeTelegram, bot: Bot, do: Do[Any], chat: Chat, alice: User) -> None:
    """Supergroups count for themselves, so the same number stands in several chats."""
    one, two = telegram.group("One", alice), telegram.group("Two", alice)
    assert telegram.say(alice, one, "x").id == telegram.say(alice, two, "x").id == 1
    basic = telegram.group("Three", alice, kind="group")
    assert telegram.say(alice, basic, "x").id == telegram.say(alice, chat, "x").id - 1


def test_migration(telegram: FakeTelegram, bot: Bot, do: Do[Any], alice: User) -> None:
    group = telegram.group("Cats", alice, kind="group")
    sent = do(bot.send_message(group.id, "before"))
    new = telegram.migrate(group, alice)
    with pytest.raises(BadRequest, match=r"(?i)message_id_invalid"):
        do(bot.edit_message_text("after", group.id, sent.id))
    away, home = (update.message for update in do(bot.get_updates())[-2:])
    assert (away.chat.id, away.migrate_to_chat_id) == (group.id, new.id)
    assert (home.chat.id, home.migrate_from_chat_id) == (new.id, group.id)
    with pytest.raises(ChatMigrated) as caught:
        do(bot.send_message(group.id, "Hi"))
    assert caught.value.new_chat_id == new.id
    do(bot.send_message(new.id, "Hi"))


def test_business(telegram: FakeTelegram, bot: Bot, do: Do[Any], alice: User) -> None:
    link = telegram.connect(telegram.user("owner"))
    update = do(bot.get_updates())[-1].business_connection
    assert (update.id, update.user.first_name, update.rights.can_reply) == (link.id, "Owner", True)
    shop = telegram.customer(link, alice)
    asked = telegram.photo(alice, shop, png(), "How much?")
    message = do(bot.get_updates())[-1].business_message
    assert (message.business_connection_id, message.chat.id, message.caption) == (link.id, alice.id, "How much?")
    do(bot.send_chat_action(alice.id, "typing", business_connection_id=link.id))
    answer = do(bot.send_message(alice.id, "Ten", business_connection_id=link.id))
    assert (answer.from_user.first_name, answer.sender_business_bot.id) == ("Owner", bot.id)
    echo = do(bot.get_updates())[-1].business_message
    assert (echo.text, echo.sender_business_bot.id) == ("Ten", bot.id)
    do(bot.edit_message_text("Eleven", alice.id, answer.id, business_connection_id=link.id))
    do(bot.read_business_message(link.id, alice.id, asked.id))
    assert telegram.read == [asked.message]
    assert telegram.transcript(shop) == "Alice: [photo] How much?\nOwner: Eleven\n    before: Ten"
    assert telegram.answers(telegram.private(alice)) == []
    telegram.say(link.owner, shop, "I am here myself")
    assert do(bot.get_updates())[-1].business_message.from_user.first_name == "Owner"
    telegram.delete(asked.message)
    assert do(bot.get_updates())[-1].deleted_business_messages.message_ids == (asked.id,)


def test_business_rights(telegram: FakeTelegram, bot: Bot, do: Do[Any], alice: User) -> None:
    link = telegram.connect(telegram.user("owner"), can_read=False)
    shop = telegram.customer(link, alice)

    def answer(connection: str = link.id) -> None:
        do(bot.send_message(alice.id, "Ten", business_connection_id=connection))

    with pytest.raises(BadRequest, match=r"(?i)business_peer_usage_missing"):
        answer()
    asked = telegram.say(alice, shop, "How much?")
    answer()
    with pytest.raises(BadRequest, match=r"(?i)bot_access_forbidden"):
        do(bot.read_business_message(link.id, alice.id, asked.id))
    assert len(telegram.take_violations()) == 1
    telegram.change(link, can_reply=False)
    assert do(bot.get_updates())[-1].business_connection.rights.can_reply is None
    with pytest.raises(BadRequest, match=r"(?i)bot_access_forbidden"):
        answer()
    telegram.change(link, can_reply=True)
    telegram.advance(24 * 3_600 + 1)
    with pytest.raises(BadRequest, match=r"(?i)business_peer_usage_missing"):
        answer()
    telegram.change(link, enabled=False)
    telegram.say(alice, shop, "Anybody there?")
    assert not do(bot.get_updates())[-1].business_connection.is_enabled
    with pytest.raises(BadRequest, match=r"(?i)business_connection_invalid"):
        answer()
    with pytest.raises(BadRequest, match=r"(?i)business connection not found"):
        answer("bc0")
    with pytest.raises(BadRequest, match=r"(?i)business_peer_invalid"):
        do(bot.send_message(1, "x", business_connection_id=telegram.connect(link.owner).id))
