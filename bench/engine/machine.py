"""A program: what this machine can do at best, measured at the shapes of a model, and what the model costs.

It also says how many threads every side shall compute with, and makes the random checkpoint where none is named.
"""

import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode
from transformers.utils.logging import disable_progress_bar

from bench.engine.machine_floor import Rates, Work
from bench.engine.sides.settings import side_settings
from bench.engine.workload import SIDE
from bench.random_model import SMALL, USUAL, save_model
from core.inference.loader import LoadedModel, load_model
from core.inference.port import Message, Picture
from core.inference.render import Renderer

# Tokens of one product: prompts of some questions together.
MANY_TOKENS = 2048
# No cache holds so much.
UNCACHED_BYTES = 512 * 2**20


def measure_work(loaded: LoadedModel) -> Work:
    """Counted while the model itself computes, so that it holds for any family."""
    pixels = random.Random(0).randbytes(SIDE * SIDE * 3)
    file = BytesIO()
    Image.frombytes("RGB", (SIDE, SIDE), pixels).save(file, "PNG")
    picture = Picture(sha256(file.getvalue()).hexdigest(), file.getvalue(), SIDE, SIDE)
    prompt = Renderer(loaded)([Message("user", "Question  0: what is this?", (picture,))])
    model, device = loaded.model, loaded.device
    inputs = {
        name: value.to(device, model.dtype if value.is_floating_point() else None)
        for name, value in prompt.inputs.items()
    }
    with torch.inference_mode():
        with FlopCounterMode(display=False) as reading:
            out = model(input_ids=prompt.ids.to(device), use_cache=True, logits_to_keep=1, **inputs)
        cache = out.past_key_values
        kv_bytes = sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers) // prompt.tokens
        # Without what was said before, which is counted by its bytes.
        with FlopCounterMode(display=False) as decoding:
            one = torch.zeros(1, 1, dtype=torch.long, device=device)
            model(input_ids=one, position_ids=prompt.position(0).to(device), use_cache=False)
    flop_token = decoding.get_total_flops()
    return Work(
        prompt_tokens=prompt.tokens,
        picture_tokens=prompt.picture_tokens,
        flop_prompt=reading.get_total_flops(),
        flop_token=flop_token,
        # Each weight that a token meets costs two operations, in products of experts only those that are chosen.
        weight_bytes=int(flop_token / 2) * model.dtype.itemsize,
        kv_bytes=kv_bytes,
    )


def measure_rates(width: int, inner: int, dtype: torch.dtype, device: torch.device, seconds: float) -> Rates:
    """At the shapes of a model of this `width`; `seconds` for each of some ways, the best of which counts."""
    flop_per_s = {}
    for kind in (torch.bfloat16, torch.float32):
        products = [(MANY_TOKENS, width, inner), (MANY_TOKENS, inner, width), (MANY_TOKENS, width, width)]
        flop_per_s[_name(kind)] = max(_product_rate(*shape, kind, device, seconds) for shape in products)
    ways = (_sum_rate, _row_rate)
    bytes_per_s = max(way(width, inner, kind, device, seconds) for way in ways for kind in (dtype, torch.float32))
    return Rates(flop_per_s, bytes_per_s, _name(dtype))


def _product_rate(rows: int, width: int, inner: int, dtype: torch.dtype, device: torch.device, seconds: float) -> float:
    """The better of the product as it stands and, on a CPU, with weights laid out for it beforehand."""
    x, w = torch.randn(rows, width, device=device).to(dtype), torch.randn(inner, width, device=device).to(dtype)
    ways: list[Callable[[], object]] = [lambda: F.linear(x, w)]
    if device.type == "cpu" and hasattr(torch.ops.mkldnn, "_reorder_linear_weight"):
        packed = torch.ops.mkldnn._reorder_linear_weight(w, rows)
        ways.append(lambda: torch.ops.mkldnn._linear_pointwise(x, packed, None, "none", [], ""))
    return 2 * rows * width * inner / min(_best(way, device, seconds) for way in ways)


def _sum_rate(width: int, inner: int, dtype: torch.dtype, device: torch.device, seconds: float) -> float:
    """Everything added up, as many bytes as no cache holds."""
    numbers = torch.ones(UNCACHED_BYTES // dtype.itemsize, device=device, dtype=dtype)
    return numbers.nbytes / _best(numbers.sum, device, seconds)


def _row_rate(width: int, inner: int, dtype: torch.dtype, device: torch.device, seconds: float) -> float:
    """One row times matrices of the model's shape, a new one each time, as decoding does."""
    count = max(2, UNCACHED_BYTES // (width * inner * dtype.itemsize))
    weights = torch.ones(count, inner, width, device=device, dtype=dtype)
    row = torch.ones(1, width, device=device, dtype=dtype)
    return weights.nbytes / _best(lambda: [F.linear(row, weight) for weight in weights], device, seconds)


def _best(work: Callable[[], object], device: torch.device, seconds: float) -> float:
    """Seconds of the fastest of the repetitions that fit, at least three."""
    times: list[float] = []
    with torch.inference_mode():
        while len(times) < 3 or sum(times) < seconds:
            began = time.perf_counter()
            work()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            times.append(time.perf_counter() - began)
    return min(times)


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def describe() -> dict[str, Any]:
    """What machine this is, in words."""
    model = ""
    if (cpuinfo := Path("/proc/cpuinfo")).is_file():
        lines = cpuinfo.read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    able = {
        "AVX-512 bf16": torch.cpu._is_avx512_bf16_supported(),
        "AMX": torch.cpu._is_amx_tile_supported(),
    }
    return {
        "processor": model or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "instructions": [name for name, there in able.items() if there],
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "torch": torch.__version__,
    }


def main() -> None:
    """The first argument holds `model`, or else `folder` and `small` for a random one; `threads`, 0 for those that are
    free; and `seconds` for each measurement."""
    options: dict[str, Any] = json.loads(sys.argv[1])
    if not options["model"]:
        disable_progress_bar()
        options["model"] = str(save_model(Path(options["folder"]), SMALL if options["small"] else USUAL))
    settings = side_settings(options)
    loaded = load_model(settings)
    device = loaded.device
    # Loading sets as many as there are free cores.
    threads = options["threads"] or torch.get_num_threads()
    torch.set_num_threads(threads)
    text = loaded.model.config.get_text_config()
    dtype = loaded.model.dtype
    work = measure_work(loaded)
    rates = measure_rates(text.hidden_size, text.intermediate_size, dtype, device, options["seconds"])
    result = {
        "model": options["model"],
        **describe(),
        "device": str(device),
        "dtype": _name(dtype),
        "threads": threads,
        "context_tokens": loaded.context_tokens,
        "parameters": sum(parameter.numel() for parameter in loaded.model.parameters()),
        "model_type": loaded.model.config.model_type,
        "work": asdict(work),
        "rates": asdict(rates),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
