"""The chat template, and the same rendering in pieces for training.

The template follows GLM-4.6V's: `[gMASK]<sop>`, roles as control tokens, `/nothink` after a user's
text and an empty `<think></think>` before the answer where thinking is off. Earlier reasoning is
left out of the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

IMAGE = "<|image|>"
PICTURE = f"<|begin_of_image|>{IMAGE}<|end_of_image|>"
THOUGHTLESS = "<think></think>\n"

TEMPLATE = r"""[gMASK]<sop>
{%- macro text_of(content) -%}
{%- if content is string -%}
{{- content -}}
{%- else -%}
{%- for part in content -%}
{%- if part is string -%}
{{- part -}}
{%- elif part.type in ('image', 'image_url') -%}
<|begin_of_image|><|image|><|end_of_image|>
{%- elif part.type == 'text' -%}
{{- part.text -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{%- endmacro -%}
{%- set quiet = enable_thinking is defined and not enable_thinking -%}
{%- for message in messages -%}
{%- set text = text_of(message.content) | trim -%}
{%- if message.role == 'user' -%}
{{- '<|user|>\n' + text -}}
{%- if quiet and not text.endswith('/nothink') -%}{{- '/nothink' -}}{%- endif -%}
{%- elif message.role == 'assistant' -%}
{%- if '</think>' in text -%}{%- set text = text.split('</think>')[-1] | trim -%}{%- endif -%}
{{- '<|assistant|>\n<think></think>\n' + text -}}
{%- else -%}
{{- '<|system|>\n' + text -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|assistant|>\n' -}}
{%- if quiet -%}{{- '<think></think>\n' -}}{%- endif -%}
{%- endif -%}
"""


@dataclass(frozen=True)
class Piece:
    """A stretch of a rendered conversation. `learn` marks what the model itself must say."""

    text: str
    learn: bool = False


@dataclass(frozen=True)
class Exchange:
    """A question with `pictures` new pictures before its text, its answer, and what is thought before it where
    thinking is on."""

    question: str
    answer: str
    pictures: int = 0
    thought: str = ""


def pieces(system: str | None, exchanges: Sequence[Exchange], *, quiet: bool = True) -> list[Piece]:
    """Render a conversation as `TEMPLATE` does, split where learning starts and stops.

    After each answer the model learns to say `<|user|>`, which ends its turn; where thinking is not
    switched off (`quiet` false), it also learns to open and close a thought, which is empty but in a last turn that
    has one.
    """
    out = [Piece("[gMASK]<sop>" + (f"<|system|>\n{system}" if system else ""))]
    for number, exchange in enumerate(exchanges):
        # The role token of a later turn was learned at the end of the turn before.
        start = "<|user|>\n" if number == 0 else "\n"
        asked = start + PICTURE * exchange.pictures + exchange.question.strip()
        if quiet:
            out.append(Piece(f"{asked}/nothink<|assistant|>\n{THOUGHTLESS}"))
            out.append(Piece(exchange.answer, learn=True))
        else:
            out.append(Piece(f"{asked}<|assistant|>\n"))
            # A thought is left out of the history, as the template does: it comes once, in the last turn.
            if exchange.thought and number == len(exchanges) - 1:
                out.append(Piece(f"<think>{exchange.thought}</think>\n{exchange.answer}", learn=True))
            else:
                out.append(Piece(THOUGHTLESS + exchange.answer, learn=True))
        out.append(Piece("<|user|>", learn=True))
    return out
