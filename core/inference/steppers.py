"""Chooses how a model's sequences are computed."""

from core.errors import ConfigurationError
from core.inference.batch import BatchStepper
from core.inference.families import family_of
from core.inference.loader import LoadedModel
from core.inference.memory import cache_budget
from core.inference.patches import embed_patches_by_product
from core.inference.pictures import PictureEncoder
from core.inference.prefixes import PrefixCache
from core.inference.ragged import layer_shapes
from core.inference.slots import SHORTEST, KvSlots
from core.inference.stepper import RoundRobinStepper, Stepper
from core.settings import Settings

# Tokens of prompts that are read in one step, beside the rows that decode: they make those wait.
CHUNK_TOKENS = 512


def create_stepper(loaded: LoadedModel, settings: Settings, part: float = 1.0) -> tuple[Stepper, int]:
    """The stepper for `loaded`'s family, and the most tokens that one of its sequences may have.

    A step advances as many sequences as the worker has slots. `part` of the memory for caches is this model's.

    Raises:
        ConfigurationError: there is not enough memory for any sequence.
    """
    family = family_of(loaded.model.config.model_type)
    if not family.batched:
        return RoundRobinStepper(loaded), loaded.context_tokens
    embed_patches_by_product(loaded.model)
    layers = layer_shapes(loaded.model, loaded.device)
    budget = cache_budget(loaded.device, settings.cache_mb, part)
    token_bytes = sum(layer.bytes(loaded.model.dtype) for layer in layers)
    tokens = min(budget.slot_bytes // token_bytes, settings.worker_slots * loaded.context_tokens)
    if tokens < SHORTEST:
        raise ConfigurationError(
            f"There is memory for {tokens} tokens of {loaded.name}, and {SHORTEST} are the least that make sense. Free "
            "some, set GLIMT_CACHE_MB, or choose a smaller model."
        )
    stepper = BatchStepper(
        loaded,
        KvSlots(layers, tokens, loaded.model.dtype, loaded.device),
        PictureEncoder(loaded.model, loaded.device, budget.picture_bytes),
        PrefixCache(budget.prefix_bytes),
        most_rows=settings.worker_slots,
        chunk_tokens=CHUNK_TOKENS,
    )
    return stepper, tokens
