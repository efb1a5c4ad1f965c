"""Chooses how a model's sequences are computed."""

import structlog
import torch

from core.errors import ConfigurationError
from core.inference import flash
from core.inference.batch import BatchStepper
from core.inference.families import can_batch, family_of
from core.inference.footprint import step_footprint
from core.inference.graphs import CudaRecorder
from core.inference.loader import LoadedModel
from core.inference.memory import MIB, budgets
from core.inference.norms import fuse_norms
from core.inference.packed import pack_linears
from core.inference.patches import embed_patches_by_product
from core.inference.pictures import PictureEncoder
from core.inference.placement import tokens_that_fit
from core.inference.prefixes import PrefixCache
from core.inference.products import use_in_towers, worthwhile
from core.inference.ragged import layer_shapes
from core.inference.slots import SHORTEST, KvSlots
from core.inference.split import by_grid
from core.inference.stepper import RoundRobinStepper, Stepper
from core.settings import Settings

log = structlog.get_logger(__name__)

# Tokens of prompts that are read in one step, beside the rows that decode: they make those wait.
CHUNK_TOKENS = 512
# A GPU is hardly busy with less.
CHUNK_TOKENS_CUDA = 2048


def create_stepper(loaded: LoadedModel, settings: Settings, part: float = 1.0) -> tuple[Stepper, int]:
    """The stepper for `loaded`'s family, and the most tokens that one of its sequences may have.

    A step advances as many sequences as the worker has slots. `part` of the memory for caches is this model's.

    Raises:
        ConfigurationError: there is not enough memory for any sequence.
    """
    pack_linears(loaded.model)
    if worthwhile(loaded.model.dtype, loaded.device):
        use_in_towers(loaded.model)
    if loaded.device.type == "cuda":
        _prepare_for_cuda(loaded)
    if not can_batch(loaded.model.config, loaded.context_tokens):
        return RoundRobinStepper(loaded), loaded.context_tokens
    embed_patches_by_product(loaded.model)
    layers = layer_shapes(loaded.model, loaded.device)
    rows = settings.worker_slots
    chunk_tokens = CHUNK_TOKENS_CUDA if loaded.device.type == "cuda" else CHUNK_TOKENS
    token_bytes: dict[torch.device, int] = {}
    for layer in layers:
        device = layer.device or loaded.device
        token_bytes[device] = token_bytes.get(device, 0) + layer.bytes(loaded.model.dtype)
    step_bytes = step_footprint(loaded, layers, rows, chunk_tokens, settings.picture_keep_pixels)
    budget = budgets(token_bytes, settings.cache_mb, step_bytes, part)
    room = tokens_that_fit(token_bytes, {device: each.slot_bytes for device, each in budget.items()})
    kept = tokens_that_fit(token_bytes, {device: each.prefix_bytes for device, each in budget.items()})
    tokens = min(room, rows * loaded.context_tokens)
    if tokens < SHORTEST:
        raise ConfigurationError(
            f"There is memory for {tokens} tokens of {loaded.name}, and {SHORTEST} are the least that make sense. Free "
            "some, set GLIMT_CACHE_MB, or choose a smaller model."
        )
    stepper = BatchStepper(
        loaded,
        KvSlots(layers, tokens, loaded.model.dtype, loaded.device),
        PictureEncoder(loaded.model, loaded.device, min(each.picture_bytes for each in budget.values())),
        PrefixCache(kept * sum(token_bytes.values())),
        most_rows=rows,
        chunk_tokens=chunk_tokens,
        record=CudaRecorder(loaded.device) if loaded.device.type == "cuda" and len(token_bytes) == 1 else None,
    )
    log.info(
        "memory_divided",
        step_mb=step_bytes // MIB,
        measured=loaded.device.type == "cuda",
        slots_mb=tokens * sum(token_bytes.values()) // MIB,
        prefixes_mb=stepper.prefixes.cache.budget // MIB,
        pictures_mb=stepper.encoder.cache.budget // MIB,
        slot_tokens=tokens,
    )
    return stepper, tokens


def _prepare_for_cuda(loaded: LoadedModel) -> None:
    """What costs a GPU most is to be told of many small things."""
    # It makes a plan for each new shape, which took 50 ms; prompts and pictures are nearly all of new shapes.
    torch.backends.cuda.enable_cudnn_sdp(False)
    if loaded.model.dtype not in (torch.bfloat16, torch.float16):
        return
    fuse_norms(loaded.model)
    # These towers say where each picture ends.
    if family_of(loaded.model.config.model_type).split is by_grid:
        use_in_towers(loaded.model, flash.NAME)
