"""transformers' own `generate`, over batches of what is waiting; with batches of one it is one after another."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from bench.engine.side import Arrivals, serve
from bench.engine.sides.settings import side_settings
from bench.engine.workload import Answer, Ask, Say, picture_file
from core.inference.loader import load_model


class Plain:
    """A batch is as long as its longest prompt, and nobody joins or leaves until it is done."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._loaded = load_model(side_settings(options))
        torch.set_num_threads(options["threads"])
        self._batch = int(options["batch"])
        self._pictures = Path(options["pictures"])
        self._loaded.tokenizer.padding_side = "left"
        # Greedy, and no token ends an answer, so that every side computes the same number.
        config = self._loaded.model.generation_config
        config.eos_token_id = None
        config.do_sample = False
        config.temperature = config.top_p = config.top_k = None

    @torch.inference_mode()
    def answer(self, asks: Sequence[Ask]) -> list[Answer]:
        answers: dict[int, Answer] = {}
        arrivals = Arrivals(asks)
        while arrivals.left:
            batch = arrivals.take(self._batch)
            if not batch:
                arrivals.sleep()
                continue
            texts = self._generate([ask for _, ask in batch])
            # A batch gives nothing away before it is done.
            now = arrivals.now_s
            for (number, ask), text in zip(batch, texts, strict=True):
                answers[number] = Answer(now, now, ask.new_tokens, text)
        return [answers[number] for number in range(len(asks))]

    def counters(self) -> dict[str, float]:
        if torch.cuda.is_available():
            return {"device_peak_mb": round(torch.cuda.max_memory_allocated() / 2**20)}
        return {}

    def close(self) -> None:
        """Nothing of its own runs."""

    def _generate(self, batch: Sequence[Ask]) -> list[str]:
        inputs = self._inputs([ask.messages for ask in batch])
        made = self._loaded.model.generate(
            **inputs,
            max_new_tokens=batch[0].new_tokens,
            suppress_tokens=sorted(self._loaded.vocabulary.suppressed),
        )
        hidden = self._loaded.vocabulary.hidden
        texts = []
        for ids in made[:, inputs["input_ids"].shape[1] :].tolist():
            assert len(ids) == batch[0].new_tokens
            texts.append(self._loaded.tokenizer.decode([id for id in ids if id not in hidden]).strip())
        return texts

    def _inputs(self, prompts: Sequence[Sequence[Say]]) -> dict[str, torch.Tensor]:
        assert self._loaded.processor is not None
        inputs = self._loaded.processor.apply_chat_template(
            [[{"role": say.role, "content": self._content(say)} for say in messages] for messages in prompts],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            padding=True,
        )
        dtype = self._loaded.model.dtype
        return {
            name: value.to(self._loaded.device, dtype if value.is_floating_point() else None)
            for name, value in inputs.items()
        }

    def _content(self, say: Say) -> list[dict[str, Any]]:
        text = {"type": "text", "text": say.text}
        if say.picture is None:
            return [text]
        return [{"type": "image", "image": Image.open(picture_file(self._pictures, say.picture))}, text]


if __name__ == "__main__":
    serve(Plain)
