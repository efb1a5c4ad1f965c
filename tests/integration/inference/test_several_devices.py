"""A model whose layers are on several devices, as far as that can be seen on a machine with one.

The second device is torch's `meta`, which knows shapes and places but holds no numbers: whatever meets across devices
without having been carried there fails, and so does carrying the last numbers back, which is where a step must get to.
"""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from accelerate.hooks import AlignDevicesHook, add_hook_to_module

from core.errors import InferenceError
from core.inference.loader import LoadedModel, load_model
from core.inference.port import Message, Sampling
from core.inference.ragged import Layout, computing, layer_shapes, ragged_attention
from core.inference.render import Renderer
from core.inference.slots import KvSlots, LayerShape
from core.inference.stepper import Admitted, Sequence
from core.settings import load_settings
from tests.integration.inference.conftest import CheckpointOf, noise
from tests.integration.inference.steppers import batch_stepper

CPU, META = torch.device("cpu"), torch.device("meta")
TOKENS = 4


def loaded(folder: Path) -> LoadedModel:
    return load_model(load_settings(_env_file=None, model=str(folder), device="cpu", dtype="float32"))


def spread(model: Any, second: torch.device) -> None:
    """Put the second layer, the last norm and the head on `second`, with the hooks of accelerate that carry numbers."""
    decoder = model.get_decoder()
    later = [decoder.layers[1], decoder.norm, model.get_output_embeddings()]
    for module in (*decoder.layers, decoder.norm, decoder.rotary_emb, model.get_output_embeddings()):
        device = second if module in later else CPU
        add_hook_to_module(module.to(device), AlignDevicesHook(execution_device=device))


def computed(model: LoadedModel) -> tuple[list[list[int]], list[InferenceError]]:
    """Tokens of two prompts in chunks, and errors."""
    stepper = batch_stepper(model, chunk_tokens=16)
    render = Renderer(model)
    messages = [Message("user", "What is in this picture?", (noise(60, 60),)), Message("user", "How many are there?")]
    sequences = [Sequence(render([message]), Sampling(), TOKENS) for message in messages]
    for sequence in sequences:
        stepper.add(sequence)
    errors: list[InferenceError] = []
    left = set(sequences)
    while left:
        for sequence, outcome in stepper.step():
            if isinstance(outcome, InferenceError):
                errors.append(outcome)
                left.discard(sequence)
            elif not isinstance(outcome, Admitted) and len(sequence.computed) == TOKENS:
                left.discard(sequence)
                stepper.remove(sequence)
    return [sequence.computed for sequence in sequences], errors


@pytest.mark.parametrize("family", ["glm4v", "qwen3_vl"])
def test_hooks_between_layers_change_no_token(checkpoint: CheckpointOf, family: str) -> None:
    model = loaded(checkpoint(family))
    plain = computed(model)
    spread(model.model, CPU)
    assert computed(model) == plain
    assert plain[1] == []


@pytest.mark.parametrize("family", ["glm4v", "qwen3_vl"])
def test_a_step_gets_through_all_layers_wherever_they_are(checkpoint: CheckpointOf, family: str) -> None:
    model = loaded(checkpoint(family))
    spread(model.model, META)
    heads: list[torch.Tensor] = []
    model.model.get_output_embeddings().register_forward_hook(lambda _module, _given, given: heads.append(given))

    assert [layer.device for layer in layer_shapes(model.model, CPU)] == [CPU, META]
    tokens, errors = computed(model)

    assert {head.device for head in heads} == {META}
    # The words are chosen on the first device.
    assert tokens == [[], []]
    assert [str(error) for error in errors] == ["NotImplementedError: Cannot copy out of meta tensor; no data!"] * 2


def test_decoding_rows_find_keys_and_values_beside_their_layer() -> None:
    shapes = [LayerShape(2, 8, 8, CPU), LayerShape(2, 8, 8, META)]
    slots = KvSlots(shapes, 512, torch.float32, CPU)
    assert [keys.device for keys in slots.keys] == [value.device for value in slots.values] == [CPU, META]
    layout = Layout(slots, [3, 5], [])
    for number, device in enumerate((CPU, META)):
        query = torch.ones(1, 4, 2, 8, device=device)
        key = value = torch.ones(1, 2, 2, 8, device=device)
        with computing(layout):
            seen, _ = ragged_attention(SimpleNamespace(layer_idx=number), query, key, value, None, 1.0)
        assert seen.device == device
        assert seen.shape == (1, 2, 4, 8)
    assert slots.keys[0][1, 0, 5].tolist() == [1.0] * 8
