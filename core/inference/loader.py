"""Loads a model: safetensors only, no code from the checkpoint, nothing fetched that was not named."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import structlog
import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMultimodalLM
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_MULTIMODAL_LM_MAPPING
from transformers.utils.logging import disable_progress_bar

from core.errors import GlimtError, ModelLoadError
from core.inference.families import family_of, steady_tokens
from core.inference.hardware import choose_devices, choose_dtype, choose_threads
from core.inference.hub import Hub
from core.inference.memory import free_bytes
from core.inference.placement import weight_limits
from core.inference.presets import ROOM_BYTES, SHRUNK
from core.inference.processor import load_processor, load_tokenizer
from core.inference.quantise import quantisation_of, weight_bytes
from core.inference.selection import select_model
from core.inference.source import Source
from core.inference.threads import compute_alone
from core.inference.vocabulary import Vocabulary, read_vocabulary
from core.settings import Settings
from core.values import Quantisation

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to compute. `processor` is None for a model that reads text only. `device` takes prompts in; layers
    may be on others. `threads` are for whoever computes with it."""

    name: str
    model: Any
    tokenizer: Any
    processor: Any | None
    template: str
    vocabulary: Vocabulary
    device: torch.device
    context_tokens: int
    threads: int


def load_model(settings: Settings) -> LoadedModel:
    """Load what `GLIMT_MODEL` names onto `GLIMT_DEVICE`. The calling thread computes alone from then on.

    Raises:
        ConfigurationError: a setting names something that is not there.
        ModelLoadError: the model is broken, of an unknown kind, or does not fit.
    """
    source = select_model(settings, Hub.of(settings))
    need = int(source.weight_bytes * SHRUNK[settings.quantisation]) + ROOM_BYTES
    devices = choose_devices(settings.device, need)
    device = devices[0]
    dtype = choose_dtype(settings.dtype, device, source.weight_bytes)
    threads = choose_threads(device, source.weight_bytes)
    compute_alone()
    began = time.monotonic()
    # Bars written past the log would break its lines.
    disable_progress_bar()
    log.info("model_loading", model=source.name, mib=source.weight_bytes // 2**20)
    try:
        loaded = _load(source, devices, dtype, settings, threads)
    except GlimtError:
        raise
    except torch.OutOfMemoryError as error:
        raise ModelLoadError(
            f"{source.name} ({source.weight_bytes / 2**30:.1f} GiB of weights) does not fit {_named(devices)}: {error}"
        ) from error
    except Exception as error:
        raise ModelLoadError(f"{source.folder} cannot be loaded ({type(error).__name__}: {error})") from error
    log.info(
        "model_loaded",
        model=loaded.name,
        device=_named(devices),
        dtype=str(dtype).removeprefix("torch."),
        quantisation=str(settings.quantisation),
        weights_mib=weight_bytes(loaded.model) >> 20,
        threads=threads,
        context_tokens=loaded.context_tokens,
        seconds=round(time.monotonic() - began, 1),
    )
    return loaded


def load_models(
    settings: Sequence[Settings], about: Callable[[Settings], AbstractContextManager[None]]
) -> list[LoadedModel]:
    """Load several models that one process computes with, each as `load_model` does and inside what `about` gives."""
    loaded = []
    for one in settings:
        with about(one):
            loaded.append(load_model(one))
    return loaded


def _load(
    source: Source, devices: tuple[torch.device, ...], dtype: torch.dtype, settings: Settings, threads: int
) -> LoadedModel:
    config = AutoConfig.from_pretrained(source.folder, trust_remote_code=False)
    tokenizer = load_tokenizer(source.folder)
    if type(config) in MODEL_FOR_MULTIMODAL_LM_MAPPING:
        kind: Any = AutoModelForMultimodalLM
        processor = load_processor(source.folder, config.model_type, tokenizer)
    elif type(config) in MODEL_FOR_CAUSAL_LM_MAPPING:
        kind, processor = AutoModelForCausalLM, None
    else:
        raise ModelLoadError(f"{source.folder}: models of type {config.model_type!r} do not answer questions.")
    template = getattr(processor, "chat_template", None) or tokenizer.chat_template
    if not isinstance(template, str):
        raise ModelLoadError(f"{source.folder} has no chat template: it is no model for conversations.")
    model, report = kind.from_pretrained(
        source.folder,
        config=config,
        dtype=dtype,
        quantization_config=quantisation_of(settings.quantisation, kind, config, dtype, source.folder),
        **_placement(devices, source.weight_bytes, settings.quantisation),
        use_safetensors=True,
        trust_remote_code=False,
        output_loading_info=True,
    )
    _require_whole(source, report)
    _require_in_memory(source, model, devices)
    if (prepare := family_of(config.model_type).prepare) is not None:
        prepare(model, source.folder)
    own_limit = steady_tokens(config.get_text_config())
    return LoadedModel(
        threads=threads,
        name=source.name,
        model=model.eval(),
        tokenizer=tokenizer,
        processor=processor,
        template=template,
        vocabulary=read_vocabulary(config, model.generation_config, tokenizer, template),
        device=devices[0],
        context_tokens=min(own_limit, settings.context_tokens or own_limit),
    )


def _placement(devices: tuple[torch.device, ...], weights: int, quantisation: Quantisation) -> dict[str, Any]:
    """What `from_pretrained` is told of where the weights go."""
    if len(devices) == 1:
        # Where nothing is said of it, bitsandbytes takes a GPU if there is one.
        said = devices[0].type != "cpu" or quantisation is not Quantisation.NONE
        return {"device_map": {"": devices[0]}} if said else {}
    free = {device.index: free_bytes(device) for device in devices}
    limits = weight_limits(int(weights * SHRUNK[quantisation]), free)
    return {"device_map": "balanced", "max_memory": limits}


def _require_in_memory(source: Source, model: Any, devices: tuple[torch.device, ...]) -> None:
    """Refuse what accelerate put beside the GPUs: every step would carry it there and back."""
    places = {str(place) for place in getattr(model, "hf_device_map", {}).values()}
    if len(devices) > 1 and places & {"cpu", "disk"}:
        raise ModelLoadError(
            f"{source.name} ({source.weight_bytes / 2**30:.1f} GiB of weights) does not fit {_named(devices)}. Free "
            "their memory, add GPUs, set GLIMT_QUANTISATION, or choose a smaller model."
        )


def _named(devices: tuple[torch.device, ...]) -> str:
    return ", ".join(map(str, devices))


def _require_whole(source: Source, report: dict[str, Any]) -> None:
    """Refuse what transformers filled in at random. Tied weights, which a checkpoint leaves out, are not reported.

    Raises:
        ModelLoadError: weights are missing or of another shape; some are named.
    """
    # A mismatched key comes with both shapes.
    mismatched = [key if isinstance(key, str) else key[0] for key in report["mismatched_keys"]]
    lacking = sorted({*report["missing_keys"], *mismatched})
    if lacking:
        named = ", ".join(lacking[:3]) + (f" and {len(lacking) - 3} more" if len(lacking) > 3 else "")
        raise ModelLoadError(
            f"{source.folder}: its .safetensors files lack weights that its config.json asks for, or have them in "
            f"another shape: {named}. Fetch the model again, or take the config.json that belongs to these weights."
        )
