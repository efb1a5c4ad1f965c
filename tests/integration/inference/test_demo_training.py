"""Training the demo model: that what is trained is what transformers runs, and that a run can be cut off and go on."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from core.inference.source import DEMO
from tools.demo_model.batches import Batch, Batches
from tools.demo_model.check import fallen
from tools.demo_model.curves import draw_curve
from tools.demo_model.dialogue import sample_dialogue
from tools.demo_model.encode import CONVERSATIONS, COUNTING, LAYOUT, PICTURES, Pack, encode, fill
from tools.demo_model.evaluate import FolderAnswers
from tools.demo_model.exam import CONDITIONS, examine, prompts_for
from tools.demo_model.export import as_glm4v, export, image_processor
from tools.demo_model.layers import Shape
from tools.demo_model.memory import Memory
from tools.demo_model.muon import Muon, orthogonal
from tools.demo_model.network import Network
from tools.demo_model.pool import Pool
from tools.demo_model.run_exam import examine_run
from tools.demo_model.train import train
from tools.demo_model.vocabulary import wrap

SMALL = Shape(
    width=64, heads=2, key_heads=1, text_layers=1, text_inner=96, vision_layers=1, vision_heads=2, merger_inner=96
)
TOKENIZER = DEMO / "tokenizer.json"


class OnePack:
    """A pool that has one pack only."""

    def __init__(self, seed: str) -> None:
        self.pack: Pack = {name: np.zeros(shape, kind) for name, (shape, kind) in LAYOUT.items()}
        fill(self.pack, Tokenizer.from_file(str(TOKENIZER)), seed, 0.1)

    def take(self, use) -> None:  # type: ignore[no-untyped-def]
        use(self.pack)


def two_packs(seed: str) -> Batch:
    batches = Batches(OnePack(seed), 2, "cpu")  # type: ignore[arg-type]
    try:
        return next(iter(batches))
    finally:
        batches.close()


def test_the_network_computes_what_transformers_computes() -> None:
    torch.manual_seed(0)
    network = Network(SMALL)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0.0 if parameter.ndim > 1 else 1.0, 0.12)
    core = Tokenizer.from_file(str(TOKENIZER))
    glm = as_glm4v(network.state_dict(), SMALL, wrap(core))
    batch = two_packs("equal")
    with torch.no_grad():
        hidden = network.read(network.see(batch), batch)
        scores = hidden @ network.model.language_model.embed_tokens.weight.T

    # The same conversations again, as the pack made them.
    rng, used, compared = random.Random("equal"), 0, 0
    for row in range(6):
        pictures = 2 if PICTURES - used - (CONVERSATIONS - row) > 0 else 1
        assert rng.random() >= COUNTING, "this seed has no counting among its first"
        dialogue = sample_dialogue(rng, easy=0.1, pictures=pictures)
        one = encode(dialogue, core)
        used += len(one.starts)
        ids = torch.tensor([one.ids])
        seen = image_processor()(images=[s.drawn.image for s in dialogue.shots[: len(one.starts)]], return_tensors="pt")
        with torch.no_grad():
            wanted = glm(
                input_ids=ids, mm_token_type_ids=(ids == glm.config.image_token_id).int(), **dict(seen)
            ).logits[0]
        # In the second pack of the batch too.
        for start in (0, CONVERSATIONS):
            torch.testing.assert_close(scores[start + row, : len(one.ids)], wanted, atol=2e-3, rtol=1e-3)
        compared += len(one.starts)
    assert compared >= 6


def test_reading_on_gives_what_reading_anew_gives() -> None:
    torch.manual_seed(3)
    network = Network(SMALL)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0.0 if parameter.ndim > 1 else 1.0, 0.12)
    batch = two_packs("memory")
    rows, lengths = torch.arange(len(batch["ids"])), (batch["ids"] != 0).sum(-1) - 20
    with torch.no_grad():
        features = network.see(batch)
        wanted = network.read(features, batch)
        memories = [Memory(batch["ids"].shape[1]) for _ in range(SMALL.text_layers)]
        # What stands behind a row's prompt was read too, and must not be seen.
        network.read(features, batch, memories)
        for at in (lengths + step for step in range(20)):
            tokens, positions = batch["ids"][rows, at].long(), batch["positions"][rows, :, at]
            read = network.read_on(tokens, positions, at, memories)
            torch.testing.assert_close(read, wanted[rows, at], atol=1e-4, rtol=1e-4)


def test_a_run_goes_on_where_it_was_cut_off_and_becomes_a_folder(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "tokenizer.json").write_bytes(TOKENIZER.read_bytes())
    train(run, 0.06, shape=SMALL, slots=1, exam=1)
    first = torch.load(run / "checkpoint.pt")
    train(run, 0.1, shape=SMALL, slots=1, resume=True)
    second = torch.load(run / "checkpoint.pt")
    assert second["step"] > first["step"] > 0
    assert 0.1 <= second["minutes"] < 1
    lines = [json.loads(line) for line in (run / "curve.jsonl").read_text().splitlines()]
    assert lines[0]["step"] == 0
    assert lines[0]["helper"] > 0

    with (run / "curve.jsonl").open("a") as curve:
        for minutes in (0.1, 0.2):
            curve.write(json.dumps({"minutes": minutes, "right": 0.5, "exam": {"colour": 0.4, "total": 0.1}}) + "\n")
    draw_curve(run / "curve.jsonl", tmp_path / "curve.svg")
    assert (tmp_path / "curve.svg").read_text().startswith("<svg xmlns=")

    examine_run(run, "cpu", 2, 1, 1, tmp_path / "tables.json")
    examine_run(run, "cpu", 2, 0, 1, tmp_path / "shared.json", workers=2)
    told = json.loads((tmp_path / "tables.json").read_text())
    assert sum(total for _, total in told["all"].values()) > 4
    assert set(told["conditions"]) == set(CONDITIONS)
    assert json.loads((tmp_path / "shared.json").read_text())["all"] == told["all"]

    export(run, tmp_path / "model")
    prompts = examine(FolderAnswers(tmp_path / "model"), prompts_for(7, 1)[:2])
    assert all(prompt.answer for prompt in prompts)

    # From the model folder on: the language learns, the tower stays.
    train(tmp_path / "more", 0.06, shape=SMALL, slots=1, start=tmp_path / "model", tower_rate=0.0)
    before, after = (
        load_file(tmp_path / "model/model.safetensors"),
        torch.load(tmp_path / "more/checkpoint.pt")["network"],
    )
    same = {name for name, value in before.items() if name in after and torch.equal(after[name].bfloat16(), value)}
    assert {name for name in before if "visual" in name} <= same
    assert not {name for name in before if name.endswith("down_proj.weight") and "visual" not in name} & same


def test_a_worker_that_dies_stops_the_run(tmp_path: Path) -> None:
    broken = tmp_path / "tokenizer.json"
    broken.write_text("{}")
    pool = Pool(1, 1, broken, "broken")
    try:
        with pytest.raises(RuntimeError, match="has ended"):
            pool.take(lambda pack: None)
    finally:
        pool.close()


def test_a_batch_that_is_no_number_of_packs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="multiple of 32"):
        train(tmp_path, 1, batch=20)


def test_a_tower_that_stays_must_come_from_somewhere(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give a start"):
        train(tmp_path, 1, tower_rate=0.0)


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 24, 8), (2, 8, 24)])
def test_muon_turns_a_stack_as_it_turns_one(shape: tuple[int, int, int]) -> None:
    torch.manual_seed(1)
    stack = torch.randn(shape)
    for one, turned in zip(stack, orthogonal(stack), strict=True):
        torch.testing.assert_close(orthogonal(one[None])[0], turned)
        singular = torch.linalg.svdvals(turned)
        assert 0.3 < singular.min() <= singular.max() < 1.6


def test_muon_steps_as_torch_does() -> None:
    torch.manual_seed(2)
    start = torch.randn(16, 12)
    ours, theirs = (torch.nn.Parameter(start.clone()) for _ in range(2))
    mine = Muon([ours], 0.01)
    reference = torch.optim.Muon([theirs], lr=0.01, weight_decay=0.05, adjust_lr_fn="match_rms_adamw")
    for _ in range(3):
        gradient = torch.randn_like(start)
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        mine.step()
        reference.step()
    # Torch's own turns in bfloat16.
    torch.testing.assert_close(ours, theirs, atol=2e-3, rtol=2e-2)


def test_a_kind_that_falls_is_named() -> None:
    before = {"colour": (40, 40), "count": (5, 8)}
    assert fallen(before, {"colour": (38, 40), "count": (4, 8)}) == []
    (found,) = fallen(before, {"colour": (37, 40), "count": (8, 8)})
    assert found.startswith("colour: 37 of 40")
    (found,) = fallen(before, {"colour": (40, 40), "count": (3, 8)})
    assert found.startswith("count: 3 of 8")
    (found,) = fallen(before, {"colour": (40, 40)})
    assert "another" in found
