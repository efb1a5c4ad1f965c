"""What the model is examined on: unseen scenes, in layouts, typefaces and wordings of which training shows none.

An exam is a list of prompts. A follow-up is asked with the model's *own* earlier answers as history.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from PIL import Image, ImageFilter

from glimt.evaluation import score

from . import talk
from .asker import Asker
from .change import sample_change
from .chat import Exchange
from .lexicon import Language
from .phrases import Phrases
from .picture import draw, jpeg, noisy
from .scenes import Scene, sample
from .subject import Chain, Turn
from .typing_habits import typed

# The bar of the project, in points.
BAR = {
    **dict.fromkeys(("colour", "shape", "position", "presence", "followup"), 95),
    **dict.fromkeys(("count", "product", "price", "sign", "refusal"), 90),
    **dict.fromkeys(("total", "chart", "arithmetic", "box"), 80),
}
OTHERS = (
    "read",
    "describe",
    "compare",
    "tag",
    "empty",
    "absent",
    "changed",
    "new picture",
    "talk",
    "thinking",
    "counting",
)
KINDS = (*BAR, *OTHERS)
# The scenes of an exam, in turn.
SCENES = (
    *("shapes", "products", "tags", "receipt", "chart", "signs", "shapes", "board", "nothing", "change"),
    *("shapes", "products", "tags", "receipt", "chart", "board", "words", "shapes", "signs", "nothing"),
)
# Picture sizes that people send; the processor makes one of `picture.GRIDS` of each.
SIZES = ((480, 480), (640, 480), (480, 640), (400, 300), (360, 640), (640, 360), (300, 300), (640, 640))
TALL = ((480, 640), (360, 640), (480, 480), (400, 600))
AS_SENT = "as sent"
CONDITIONS = (AS_SENT, "noise", "blur", "JPEG", "turned 10°", "half size", "as in training")
"""What pictures suffer. The last: nothing, and wordings, layouts and typefaces are those of the training."""
BOX = re.compile(r"\[\[(\d+),(\d+),(\d+),(\d+)\]\]")


@dataclass
class Prompt:
    """A conversation that awaits an answer, and the answer that is right. `pictures` are those of `exchanges` and of
    the `question`, in order; `new` of them come with the question. `rest`: turns to be asked behind it."""

    kind: str
    language: Language
    scene: str
    question: str
    expected: str
    pictures: list[Image.Image]
    system: str | None = None
    exchanges: tuple[Exchange, ...] = ()
    new: int = 1
    quiet: bool = True
    rest: Chain = field(default_factory=list)
    answer: str = ""

    @property
    def right(self) -> bool:
        """Whether the answer given is the expected one; a box, whether it covers half of both."""
        if self.kind == "box" or BOX.search(self.expected):
            return overlap(self.answer, self.expected) >= 0.5
        return normalise(self.answer) == normalise(self.expected)


class Answerer(Protocol):
    """A model that can be examined."""

    def answer(self, prompts: Sequence[Prompt], longest: int) -> None:
        """Fill in `answer` of every prompt, with at most `longest` tokens."""


def normalise(text: str) -> str:
    """As `glimt eval` compares answers, without a thought before it."""
    return score.normalise(text.split("</think>")[-1])


def overlap(said: str, expected: str) -> float:
    """The first boxes of two answers: their common part over what either covers; 0 where there is none."""
    found, wanted = BOX.search(said), BOX.search(expected)
    if found is None or wanted is None:
        return 0.0
    a, b = ([int(n) for n in match.groups()] for match in (found, wanted))
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    common = max(0, wide) * max(0, high)
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / both if both > 0 else 0.0


def photograph(scene: Scene, rng: random.Random, condition: str) -> tuple[Image.Image, tuple[tuple[float, ...], ...]]:
    """`scene` as somebody might send it, under a condition; with the boxes of its things."""
    size = rng.choice(TALL if scene.kind == "receipt" else SIZES)
    turn = rng.choice((-10.0, 10.0)) if condition == CONDITIONS[4] else None
    drawn = draw(scene, size, turn)
    image = drawn.image
    if condition == "noise":
        image = noisy(image, rng, 20)
    elif condition == "blur":
        image = image.filter(ImageFilter.GaussianBlur(1.2 * min(size) / 224))
    elif condition == "JPEG":
        image = jpeg(image, 25)
    elif condition == "half size":
        image = image.resize((112 * size[0] // min(size), 112 * size[1] // min(size)), Image.Resampling.BICUBIC)
    elif rng.random() < 0.4:
        image = jpeg(image, rng.randint(55, 95))
    return image, drawn.boxes


def prompts_for(number: int, seed: int, condition: str = AS_SENT) -> list[Prompt]:
    """Scene `number` of exam `seed`: a question of up to five kinds, one of them with its follow-ups."""
    rng = random.Random(f"exam {seed} {number}")
    language: Language = "en" if rng.random() < 0.5 else "zh"
    system = rng.choice(talk.SYSTEM) if rng.random() < 0.3 else None
    kind = SCENES[number % len(SCENES)]
    if kind == "change":
        return _changed(rng, language, system, condition)
    unseen = condition != CONDITIONS[-1]
    scene = sample(kind, rng, unseen=unseen)
    image, boxes = photograph(scene, rng, condition)
    chains = Asker(scene, boxes, language, rng, unseen=unseen).chains()  # type: ignore[arg-type]
    out: dict[str, Prompt] = {}
    for first, *rest in chains:
        if first.kind not in out and len(out) < 5:
            out[first.kind] = _prompt(first, language, kind, [image], system, rng)
            out[first.kind].rest = rest if not any(p.rest for p in out.values()) else []
    prompts = list(out.values())
    if kind == "board":
        turn = next(chain[0] for chain in chains if chain[0].kind == "arithmetic")
        thought = _prompt(replace(turn, kind="thinking"), language, kind, [image], None, rng)
        prompts.append(replace(thought, quiet=False))
    return [*prompts, *_extra(number, rng, language, kind, image)]


def _prompt(
    turn: Turn, language: Language, scene: str, pictures: list[Image.Image], system: str | None, rng: random.Random
) -> Prompt:
    question = typed(rng, turn.question, language, plain=turn.kind in ("followup", "talk"))
    return Prompt(turn.kind, language, scene, question, turn.answer, pictures, system, new=len(pictures))


def _changed(rng: random.Random, language: Language, system: str | None, condition: str) -> list[Prompt]:
    unseen = condition != CONDITIONS[-1]
    first, second, answer = sample_change(rng, language, unseen=unseen)
    state = rng.getstate()
    pictures = []
    for scene in (first, second):
        rng.setstate(state)
        pictures.append(photograph(scene, rng, condition)[0])
    turn = Turn("changed", Phrases(language, rng, unseen).question("changed"), answer)
    return [_prompt(turn, language, "change", pictures, system, rng)]


def _extra(number: int, rng: random.Random, language: Language, kind: str, image: Image.Image) -> list[Prompt]:
    """For some scenes: a new picture in a later turn, small talk, other things, and rarely counting."""
    out = []
    if number % 10 == 1:
        scene = sample("shapes", rng, unseen=True)
        second, boxes = photograph(scene, rng, AS_SENT)
        turn = rng.choice(Asker(scene, boxes, language, rng, unseen=True).chains())[0]  # type: ignore[arg-type]
        prompt = _prompt(replace(turn, kind="new picture"), language, "shapes", [image, second], None, rng)
        before = Exchange("How many items are there?", "Two.", 1)
        out.append(replace(prompt, exchanges=(before,), new=1))
    if number % 10 == 2:
        small = rng.choice((talk.small_talk(rng, language), talk.without_picture(rng, language, unseen=True)))
        out.append(_prompt(small, language, "", [], None, rng))
    if number % 10 in (3, 6) and kind != "nothing":
        other = replace(talk.out_of_domain(rng, language), kind="refusal")
        out.append(_prompt(other, language, kind, [image], None, rng))
    if number % 100 == 4:
        out.append(_prompt(talk.counting(rng), "en", "", [], None, rng))
    return out


def follow_up(prompt: Prompt) -> Prompt:
    """The next turn of a prompt's chain, behind the answer that the model gave."""
    turn, *rest = prompt.rest
    given = Exchange(prompt.question, prompt.answer, prompt.new)
    return Prompt(
        turn.kind,
        prompt.language,
        prompt.scene,
        turn.question,
        turn.answer,
        prompt.pictures,
        prompt.system,
        (*prompt.exchanges, given),
        new=0,
        rest=rest,
    )


def examine(model: Answerer, prompts: list[Prompt]) -> list[Prompt]:
    """Have all `prompts` and their follow-ups answered; all of them, with answers."""
    done: list[Prompt] = []
    while prompts:
        for wanted, longest in (
            (("counting",), 320),
            (("describe", "read", "talk", "thinking", "refusal"), 100),
            ((), 32),
        ):
            part = [p for p in prompts if (p.kind in wanted if wanted else not p.answer)]
            part = [p for p in part if not p.answer]
            if part:
                model.answer(part, longest)
        done += prompts
        prompts = [follow_up(p) for p in prompts if p.rest]
    return done
