"""Whether our engine says, token by token, what transformers' `generate` says alone, in float32."""

from bench.engine.lineup import OURS, SEQUENTIAL, Lineup
from bench.engine.scale import Scale
from bench.engine.workload import Ask, Conversation, Pictures, together


def measure_identity(lineup: Lineup, pictures: Pictures, scale: Scale) -> tuple[int, int]:
    """How many answers are equal, and of how many: some of W, computed beside all the others, and every turn of M with
    everything used again. A word is one token and reads one way only, so that texts are equal where tokens are."""
    asks = together(pictures, scale.questions, scale.new_tokens)
    conversation = Conversation(pictures.new())
    said = []
    with lineup.using(OURS) as process:
        said += [answer.text for answer in process.run(asks).answers[: scale.identity_questions]]
        for _ in range(scale.turns):
            ask = conversation.ask(scale.turn_tokens, conversation="identity", pictures_of="identity")
            answer = process.run([ask]).answers[0]
            said.append(answer.text)
            conversation.answered(answer.text)
    alone = asks[: scale.identity_questions]
    alone += [Ask(messages, scale.turn_tokens) for messages in conversation.turns()][: scale.turns]
    with lineup.using(SEQUENTIAL) as process:
        expected = [process.run([ask]).answers[0].text for ask in alone]
    return sum(a == b for a, b in zip(said, expected, strict=True)), len(expected)
