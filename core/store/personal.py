"""All that is stored about one person, for this person."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from core.store.models import (
    ApiKey,
    Conversation,
    Delivery,
    Erasure,
    Feedback,
    InboundEvent,
    Person,
    Post,
    Turn,
    Usage,
    WebSession,
    Workspace,
)
from core.store.review.export import TurnRecord, records_of
from core.store.review.scope import EVERYTHING
from core.store.slack_tables import SlackInstallation
from core.store.telegram_tables import TelegramBusiness
from core.values import Platform

PAGE = 200
_MOST_FOUND = 50


@dataclass(frozen=True, slots=True)
class Profile:
    """A person, and what is kept beside conversations."""

    person: Person
    workspace: Workspace
    keys: Sequence[ApiKey]
    browsers: Sequence[WebSession]
    erasures: Sequence[Erasure]
    installations: Sequence[SlackInstallation]
    business: Sequence[TelegramBusiness]


@dataclass(slots=True)
class PersonalTurn:
    """A question of this person with all that belongs to it. `posts`: what platforms call the messages of an answer."""

    record: TurnRecord
    conversation: Conversation
    deliveries: list[Delivery] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    events: list[InboundEvent] = field(default_factory=list)


class PersonalRepository:
    """Reads past all scopes: for owners, for the person himself, and for whoever runs the installation."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, words: str) -> list[tuple[Person, Workspace]]:
        """People by our id, the platform's id, or a part of their name; not more than fit on a page."""
        known = Person.display_name.icontains(words, autoescape=True)
        found = select(Person, Workspace).join(Workspace, Workspace.id == Person.workspace_id)
        found = found.where(or_(Person.id == words, Person.external_id == words, known)).order_by(Person.id)
        return [(person, workspace) for person, workspace in self._session.execute(found.limit(_MOST_FOUND))]

    def profile(self, person_id: str) -> Profile | None:
        """Who it is; None: there is no such person."""
        row = self._session.execute(
            select(Person, Workspace).join(Workspace, Workspace.id == Person.workspace_id).where(Person.id == person_id)
        ).one_or_none()
        if row is None:
            return None
        person, workspace = row
        every = self._session.scalars
        return Profile(
            person,
            workspace,
            every(select(ApiKey).where(ApiKey.person_id == person_id).order_by(ApiKey.id)).all(),
            every(select(WebSession).where(WebSession.person_id == person_id).order_by(WebSession.id)).all(),
            every(select(Erasure).where(Erasure.person_id == person_id).order_by(Erasure.id)).all(),
            self._installations(person, workspace),
            self._business(person, workspace),
        )

    def turns(self, person_id: str, *, after: str = "", limit: int = PAGE) -> list[PersonalTurn]:
        """What he asked, by the turns' ids. All pages together read once through all turns there are."""
        statement = (
            select(Turn, Person)
            .join(Person, Person.id == Turn.person_id)
            .where(Turn.person_id == person_id, Turn.id > after)
            .order_by(Turn.id)
            .limit(limit)
            .options(selectinload(Turn.attachments), selectinload(Turn.answer_pictures))
        )
        records = records_of(self._session, EVERYTHING, self._session.execute(statement))
        threads = select(Conversation).where(Conversation.id.in_({record.turn.conversation_id for record in records}))
        by_id = {conversation.id: conversation for conversation in self._session.scalars(threads)}
        turns = {record.turn.id: PersonalTurn(record, by_id[record.turn.conversation_id]) for record in records}
        deliveries = {}
        for delivery in self._session.scalars(
            select(Delivery).where(Delivery.turn_id.in_(turns)).order_by(Delivery.id)
        ):
            turns[delivery.turn_id].deliveries.append(delivery)
            deliveries[delivery.id] = delivery.turn_id
        posts = select(Post).where(Post.delivery_id.in_(deliveries)).order_by(Post.delivery_id, Post.position)
        for post in self._session.scalars(posts):
            turns[deliveries[post.delivery_id]].posts.append(post)
        events = select(InboundEvent).where(InboundEvent.turn_id.in_(turns)).order_by(InboundEvent.id)
        for event in self._session.scalars(events):
            turns[str(event.turn_id)].events.append(event)
        return list(turns.values())

    def conversations(self, person_id: str, *, after: str = "", limit: int = PAGE) -> list[Conversation]:
        """Those that he began, by their ids."""
        mine = (Conversation.person_id == person_id, Conversation.id > after)
        return list(self._session.scalars(select(Conversation).where(*mine).order_by(Conversation.id).limit(limit)))

    def feedback(self, person_id: str, *, after: str = "", limit: int = PAGE) -> list[Feedback]:
        """What he thought of answers, also of those to others."""
        mine = (Feedback.person_id == person_id, Feedback.id > after)
        return list(self._session.scalars(select(Feedback).where(*mine).order_by(Feedback.id).limit(limit)))

    def usage(self, person_id: str, *, after: str = "", limit: int = PAGE) -> list[Usage]:
        """What his answers cost."""
        mine = (Usage.person_id == person_id, Usage.id > after)
        return list(self._session.scalars(select(Usage).where(*mine).order_by(Usage.id).limit(limit)))

    def _installations(self, person: Person, workspace: Workspace) -> Sequence[SlackInstallation]:
        if workspace.platform != Platform.SLACK:
            return ()
        mine = (SlackInstallation.user_id == person.external_id, SlackInstallation.team_id == workspace.external_id)
        return self._session.scalars(select(SlackInstallation).where(*mine).order_by(SlackInstallation.id)).all()

    def _business(self, person: Person, workspace: Workspace) -> Sequence[TelegramBusiness]:
        if workspace.platform != Platform.TELEGRAM or not person.external_id.isdecimal():
            return ()
        mine = TelegramBusiness.owner_id == int(person.external_id)
        return self._session.scalars(select(TelegramBusiness).where(mine).order_by(TelegramBusiness.id)).all()
