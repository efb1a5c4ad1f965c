"""A message → the question that intake commits."""

from bots.slack.files import earlier_files, own_files, reference
from bots.slack.message import Message
from bots.slack.target import Target
from bots.slack.words import plain
from core.conversation.inbound import InboundQuestion, Pending
from core.values import Platform


def question_of(
    message: Message, bot_user: str, *, joins: bool, locale: str = "", person_name: str = ""
) -> InboundQuestion:
    """The question that a message asks. `joins`: we are called into a thread that we had no part in so far.

    Its files are references, because nothing may be fetched before the acknowledgement.
    """
    target = Target(message.team, message.channel, message.thread.root, message.ts, message.user, message.user_team)
    pending: list[Pending] = []
    if joins and message.root:
        pending.append(earlier_files(message))
    pending += [reference(file) for file in message.files]
    if not message.files and (message.mention_event or message.promises_files):
        pending.append(own_files(message))
    return InboundQuestion(
        platform=Platform.SLACK,
        workspace=message.team,
        person=message.user,
        event_key=message.key,
        other_keys=message.other_keys,
        question=plain(message.text, bot_user),
        conversation=message.thread.name,
        place=message.channel,
        reply_to=target.stored(),
        locale=locale,
        person_name=person_name,
        pending=tuple(pending),
    )
