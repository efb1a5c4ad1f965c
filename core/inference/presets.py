"""Models that are known by a short name: what they are, what memory they need, under what licence.

Nothing here was run: sizes, licences and languages were read on the models' own pages, and the share of a model that
can be quantised was counted on its architecture without weights. What a model needs is arithmetic from these.
"""

from dataclasses import dataclass
from typing import Literal

from core.values import Quantisation

GIB = 1024**3
# Beside the weights: room for a step's intermediate results and for the keys and values of a few conversations.
ROOM_BYTES = GIB
_ROOM_SHARE = 0.1
# Bytes that a quantised number takes, with its share of the scales.
_QUANTISED: dict[Quantisation, float] = {
    Quantisation.INT8: 1.01,
    Quantisation.NF4: 0.5625,
}
# What the weights of any model shrink to, roughly, before it is known which parts it has.
SHRUNK = {Quantisation.NONE: 1.0, Quantisation.INT8: 0.65, Quantisation.NF4: 0.5}


@dataclass(frozen=True, slots=True)
class Preset:
    """One model that `GLIMT_MODEL` may name.

    `hub` is its name on the model hub. `parameters` are all of it, `active` those that take part in one token,
    `quantisable` those in linear layers of the language model, which is all that quantisation changes; 0 where the
    most are experts, which the libraries leave alone. `rank`: `auto` takes the highest that fits; 0 is for models that
    are not for every question, which somebody must ask for by name.
    """

    name: str
    hub: str
    parameters: float
    quantisable: float
    licence: Literal["MIT", "Apache-2.0"]
    languages: str
    good_for: str
    rank: int = 0
    sees: bool = True
    active: float = 0.0

    @property
    def computed(self) -> float:
        """Parameters that take part in computing one token."""
        return self.active or self.parameters

    def can_be(self, quantisation: Quantisation) -> bool:
        """Whether `quantisation` is possible."""
        return quantisation is Quantisation.NONE or self.quantisable > 0

    def weight_bytes(self, quantisation: Quantisation, number_bytes: int = 2) -> int:
        """Memory of the weights, where a number that is not quantised takes `number_bytes`."""
        each = _QUANTISED.get(quantisation, float(number_bytes))
        return int(self.quantisable * each + (self.parameters - self.quantisable) * number_bytes)

    def need_bytes(self, quantisation: Quantisation, number_bytes: int = 2) -> int:
        """Memory to answer with: the weights and some room."""
        weights = self.weight_bytes(quantisation, number_bytes)
        return weights + ROOM_BYTES + int(weights * _ROOM_SHARE)


_ALL = (
    Preset(
        "smolvlm-256m",
        "HuggingFaceTB/SmolVLM-256M-Instruct",
        parameters=0.256e9,
        quantisable=0.106e9,
        licence="Apache-2.0",
        languages="English",
        good_for="trying things out on two cores; short descriptions",
        rank=1,
    ),
    Preset(
        "smolvlm-500m",
        "HuggingFaceTB/SmolVLM-500M-Instruct",
        parameters=0.508e9,
        quantisable=0.315e9,
        licence="Apache-2.0",
        languages="English",
        good_for="simple questions on a CPU",
        rank=2,
    ),
    Preset(
        "glm-ocr",
        "zai-org/GLM-OCR",
        parameters=0.9e9,
        quantisable=0.252e9,
        licence="MIT",
        languages="8, English and Chinese first",
        good_for="reading text, tables and formulas; eyes of a text model",
    ),
    Preset(
        "qwen3-vl-2b",
        "Qwen/Qwen3-VL-2B-Instruct",
        parameters=2.13e9,
        quantisable=1.41e9,
        licence="Apache-2.0",
        languages="many; reads 32 in pictures",
        good_for="a small GPU, or a CPU with many cores",
        rank=3,
    ),
    Preset(
        "qwen3-vl-4b",
        "Qwen/Qwen3-VL-4B-Instruct",
        parameters=4.44e9,
        quantisable=3.63e9,
        licence="Apache-2.0",
        languages="many; reads 32 in pictures",
        good_for="a GPU of 12 GiB",
        rank=4,
    ),
    Preset(
        "qwen2.5-vl-7b",
        "Qwen/Qwen2.5-VL-7B-Instruct",
        parameters=8.29e9,
        quantisable=6.52e9,
        licence="Apache-2.0",
        languages="many",
        good_for="documents, charts and boxes around things",
    ),
    Preset(
        "glm-4.6v-flash",
        "zai-org/GLM-4.6V-Flash",
        parameters=10.29e9,
        quantisable=8.16e9,
        licence="MIT",
        languages="English, Chinese",
        good_for="the best answers that one GPU of 24 GiB gives; can think first",
        rank=5,
    ),
    Preset(
        "glm-4.1v-thinking",
        "zai-org/GLM-4.1V-9B-Thinking",
        parameters=10.29e9,
        quantisable=8.16e9,
        licence="MIT",
        languages="English, Chinese",
        good_for="puzzles and diagrams; always thinks first",
    ),
    Preset(
        "glm-4.7-flash",
        "zai-org/GLM-4.7-Flash",
        parameters=29.94e9,
        quantisable=0.0,
        active=3e9,
        licence="MIT",
        languages="English, Chinese",
        good_for="long conversations; reads text only and needs eyes",
        sees=False,
    ),
    Preset(
        "glm-4.5v",
        "zai-org/GLM-4.5V",
        parameters=106e9,
        quantisable=0.0,
        active=12e9,
        licence="MIT",
        languages="English, Chinese",
        good_for="several large GPUs",
    ),
    Preset(
        "glm-4.6v",
        "zai-org/GLM-4.6V",
        parameters=106e9,
        quantisable=0.0,
        active=12e9,
        licence="MIT",
        languages="English, Chinese",
        good_for="several large GPUs; long documents",
        rank=6,
    ),
)
PRESETS: dict[str, Preset] = {preset.name: preset for preset in _ALL}
# The name that stands for whichever preset suits the machine.
AUTO = "auto"


def markdown_table() -> str:
    """The presets as README.md shows them."""
    kinds = (Quantisation.NONE, Quantisation.INT8, Quantisation.NF4)
    lines = [
        "| preset | parameters | GiB in bf16 | int8 | nf4 | licence | languages | good for |",
        "| --- | ---: | ---: | ---: | ---: | --- | --- | --- |",
    ]
    for preset in PRESETS.values():
        needs = [f"{preset.need_bytes(kind) / GIB:.1f}" if preset.can_be(kind) else "–" for kind in kinds]
        words = [f"`{preset.name}`", size(preset), *needs, preset.licence, preset.languages, preset.good_for]
        lines.append(f"| {' | '.join(words)} |")
    return "\n".join(lines)


def size(preset: Preset) -> str:
    """Parameters, for people."""
    billions = preset.parameters / 1e9
    if billions < 1:
        return f"{billions * 1000:.0f} M"
    return f"{billions:.{0 if billions >= 10 else 1}f} B"
