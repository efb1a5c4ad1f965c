"""How much memory a step takes beside the weights and what is kept: it must stay free.

On a CUDA device the heaviest steps are made once and measured. On a CPU, where that would take its time at every start
and memory comes back late, it is estimated from shapes; three quarters of what is free are left there anyway.
"""

import io
import math
from collections.abc import Callable, Iterator, Sequence

import torch
from PIL import Image

from core.errors import ConfigurationError, InferenceError
from core.inference.batch import BatchStepper
from core.inference.loader import LoadedModel
from core.inference.pictures import PictureEncoder
from core.inference.port import Message, Picture, Sampling
from core.inference.prefixes import PrefixCache
from core.inference.render import Prompt, Renderer
from core.inference.slots import KvSlots, LayerShape, slot_length
from core.inference.stepper import Sequence as Sequence_

# Attention looks back so far in the trial, where the model can; longer prompts take hardly more.
_LONGEST_TRIAL = 8192
# How often a step has a token's numbers of one layer at once. Seen: 5 to 6, 233 M parameters, float32, two cores.
_AT_ONCE = 6


def step_footprint(loaded: LoadedModel, layers: Sequence[LayerShape], rows: int, chunk_tokens: int, pixels: int) -> int:
    """Bytes that the heaviest step takes: `rows` that decode and a chunk, or a picture of `pixels` being encoded.

    Raises:
        ConfigurationError: such a step does not fit at all.
    """
    if loaded.device.type != "cuda":
        return estimate(loaded, rows + chunk_tokens, rows)
    try:
        return max(_peak(loaded.device, trial) for trial in trials(loaded, layers, rows, chunk_tokens, pixels))
    except (InferenceError, torch.OutOfMemoryError) as error:
        raise ConfigurationError(
            f"{loaded.name} is on {loaded.device}, but a step of it does not fit beside it ({error}). Choose a smaller "
            "model, or lower GLIMT_WORKER_SLOTS or GLIMT_PICTURE_KEEP_PIXELS."
        ) from error


def estimate(loaded: LoadedModel, tokens: int, rows: int) -> int:
    """Bytes for a step over `tokens` tokens, of which `rows` are chosen from the vocabulary."""
    config, size = loaded.model.config.get_text_config(), loaded.model.dtype.itemsize
    width = config.hidden_size
    inner = getattr(config, "intermediate_size", None) or 4 * width
    # Logits are made float32 to choose from them, and once more to suppress what must not come.
    return int(_AT_ONCE * tokens * (4 * width + 3 * inner) * size + (rows + 1) * config.vocab_size * (size + 8))


def trials(
    loaded: LoadedModel, layers: Sequence[LayerShape], rows: int, chunk_tokens: int, pixels: int
) -> Iterator[Callable[[], int]]:
    """The heaviest steps, to be made once. Each returns the bytes of its slots, which are gone then.

    They raise InferenceError if they fail.
    """
    render = Renderer(loaded)
    short = render([Message("user", "x")])
    reach = min(_LONGEST_TRIAL, loaded.context_tokens - 1)
    long = _cut(render([Message("user", "x " * reach)]), reach)
    yield lambda: _run(loaded, layers, [long], chunk_tokens)
    yield lambda: _run(loaded, layers, [*[short] * rows, _cut(long, chunk_tokens)], chunk_tokens + short.tokens * rows)
    if loaded.processor is not None:
        seen = render([Message("user", "x", (_blank(pixels),))])
        yield lambda: _encode(loaded, seen)


def _encode(loaded: LoadedModel, prompt: Prompt) -> int:
    encoder = PictureEncoder(loaded.model, loaded.device, 0)
    with torch.inference_mode():
        for picture in prompt.pictures:
            encoder("", picture)
    return 0


def _run(loaded: LoadedModel, layers: Sequence[LayerShape], prompts: list[Prompt], chunk_tokens: int) -> int:
    """Read `prompts` and say one more token after each."""
    length = slot_length(max(prompt.tokens for prompt in prompts) + 2)
    slots = KvSlots(layers, length * len(prompts), loaded.model.dtype, loaded.device)
    encoder, prefixes = PictureEncoder(loaded.model, loaded.device, 0), PrefixCache(0)
    stepper = BatchStepper(loaded, slots, encoder, prefixes, most_rows=len(prompts), chunk_tokens=chunk_tokens)
    sequences = [Sequence_(prompt, Sampling(), 2) for prompt in prompts]
    for sequence in sequences:
        stepper.add(sequence)
    while not all(sequence.computed for sequence in sequences):
        for _, outcome in stepper.step():
            if isinstance(outcome, InferenceError):
                raise outcome
    list(stepper.step())
    return length * len(prompts) * sum(layer.bytes(loaded.model.dtype) for layer in layers)


def _peak(device: torch.device, run: Callable[[], int]) -> int:
    """Bytes that `run` takes at its worst, less those that it says it would not take otherwise."""
    torch.cuda.synchronize(device)
    torch.cuda.reset_peak_memory_stats(device)
    before = torch.cuda.memory_allocated(device)
    not_counted = run()
    torch.cuda.synchronize(device)
    peak = torch.cuda.max_memory_allocated(device) - before - not_counted
    # What it took must count as free again.
    torch.cuda.empty_cache()
    return max(peak, 0)


def _cut(prompt: Prompt, tokens: int) -> Prompt:
    """The first `tokens` tokens of a prompt without pictures."""
    return Prompt(
        ids=prompt.ids[:, :tokens],
        placeholders=prompt.placeholders[:tokens],
        inputs={},
        pictures=(),
        positions=prompt.positions[..., :tokens],
        shift=prompt.shift,
        thinking=prompt.thinking,
    )


def _blank(pixels: int) -> Picture:
    side = math.isqrt(pixels)
    file = io.BytesIO()
    Image.new("RGB", (side, side)).save(file, "BMP")
    return Picture("", file.getvalue(), side, side)
