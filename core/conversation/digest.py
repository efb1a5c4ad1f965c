"""The rolling digest of a conversation: equal for equal histories, so a stateless client finds its conversation."""

import json
from collections.abc import Sequence
from hashlib import sha256


def root(system_prompt: str) -> str:
    """Digest of a conversation without turns."""
    return sha256(b"glimt-history\0" + system_prompt.strip().encode()).hexdigest()


def extend(digest: str, question: str, picture_keys: Sequence[str], answer: str) -> str:
    """Digest after one more answered turn. White space around the texts does not count."""
    turn = json.dumps([digest, question.strip(), list(picture_keys), answer.strip()], ensure_ascii=False)
    return sha256(turn.encode()).hexdigest()
