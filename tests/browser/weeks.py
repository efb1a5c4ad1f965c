"""Weeks of questions, so that the overview has something to show."""

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from core.store.database import Store
from core.store.models import Conversation, Feedback, Place, Turn, Usage
from core.store.numbers.roll import count_all_again
from core.values import Platform, TurnState, new_id

DAYS = 45
TITLES = (
    "What is wrong with this plug?",
    "How do I fold this chair?",
    "这张收据的总额是多少？",
    "Which size is the blue one?",
    "Is this the right filter for my machine?",
    "What does the red light mean?",
    "Can I wash this at 60 degrees?",
    "Please read the serial number to me",
    "Where does the short screw go?",
)


def fill_weeks(store: Store, zone: ZoneInfo, now: datetime, external_id: str, name: str = "") -> str:
    """Weeks of questions in a Slack workspace, with a gap and a bad day, counted; the workspace's id."""
    dice = random.Random(7)
    with store.write() as repositories:
        workspace = repositories.people.workspace(Platform.SLACK, external_id, name=name)
        people = [repositories.people.person(workspace.id, f"U{n}").id for n in range(9)]
        places = [Place(id=new_id(), workspace_id=workspace.id, external_id=f"C-{name}") for name in ("help", "shop")]
        repositories.session.add_all(places)
        repositories.session.flush()
        turns, usage, thumbs = [], [], []
        for number, person in enumerate(people):
            thread = repositories.conversations.get_or_create(workspace.id, f"thread-{number}", person)
            row = repositories.session.get_one(Conversation, thread.id)
            row.place_id, row.title = places[number % 2].id, TITLES[number]
            seq = 0
            for day in range(DAYS):
                if 20 <= day <= 23:
                    continue
                for _ in range(dice.randrange(1, 9)):
                    seq += 1
                    asked = now - timedelta(days=day, minutes=dice.randrange(60))
                    bad = dice.random() < (0.5 if day == 9 else 0.04)
                    wait, took = dice.expovariate(1), dice.lognormvariate(1.2, 0.6)
                    turn = {"id": new_id(), "conversation_id": thread.id, "person_id": person, "seq": seq}
                    turn |= {"state": TurnState.FAILED if bad else TurnState.DELIVERED, "created_at": asked}
                    turn |= {"ready_at": asked, "started_at": asked + timedelta(seconds=wait), "model": "demo"}
                    turn |= {"first_token_at": asked + timedelta(seconds=wait + took / 3)}
                    turns.append(turn | {"finished_at": asked + timedelta(seconds=wait + took)})
                    cost = {"workspace_id": workspace.id, "person_id": person, "turn_id": turn["id"], "attempt": 1}
                    cost |= {"prompt_tokens": dice.randrange(200, 900), "cached_tokens": dice.randrange(0, 190)}
                    usage.append(cost | {"model": "demo", "completion_tokens": dice.randrange(10, 200)})
                    if dice.random() < 0.2:
                        rating = 1 if dice.random() < 0.8 else -1
                        thumbs.append({"turn_id": turn["id"], "person_id": person, "rating": rating})
        for table, rows in ((Turn, turns), (Usage, usage), (Feedback, thumbs)):
            repositories.session.execute(insert(table), rows)
    count_all_again(store, zone, now)
    return workspace.id
