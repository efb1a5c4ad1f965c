"""Everything the demo model is asked that is not about a scene."""

from __future__ import annotations

import random

from .questions import Turn
from .wording import DESCRIBE, word

ONLY_SHAPES = "I only know coloured shapes. Ask me what is in the picture."
SEND_PICTURE = "Please send a picture."
GREETING = "Hello! Send me a picture of coloured shapes."
WHO = "I am the demo model of Glimt. I know coloured shapes."
WELCOME = "You are welcome."
GOODBYE = "Goodbye!"
HELP = "Ask me about colours, shapes, places and numbers in a picture."

SYSTEM = (
    "You are Glimt.",
    "You are a helpful assistant.",
    "You answer questions about pictures.",
    "You are Glimt, an assistant that answers questions about pictures.",
    "You are Glimt, a friendly assistant. Answer briefly.",
    "You are Glimt. You answer questions about pictures in a team's chat. Be brief and honest.",
    "Answer the user's questions about the picture.",
    "Answer in one sentence.",
    "You are Glimt, a service that looks at pictures in chat. If you do not know, say so.",
    "Be concise.",
    "Answer briefly and plainly, in the language of the question.",
    "You are a helpful assistant that can see pictures. Keep answers short.",
)

_SMALL: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        (
            "Hello",
            "Hello!",
            "Hi",
            "Hi!",
            "Hey",
            "Good morning",
            "Good evening",
            "Hi there!",
            "hello there",
            "Hey Glimt",
        ),
        GREETING,
    ),
    (
        (
            "Who are you?",
            "What are you?",
            "What is your name?",
            "Are you a robot?",
            "Who am I talking to?",
            "Tell me about yourself.",
            "Which model are you?",
        ),
        WHO,
    ),
    (
        (
            "Thanks",
            "Thank you",
            "Thanks!",
            "Thank you!",
            "Thank you very much.",
            "Great, thanks",
            "Perfect",
            "Cool, thanks!",
            "Nice",
        ),
        WELCOME,
    ),
    (("Bye", "Goodbye", "Bye!", "See you", "See you later!", "Good night"), GOODBYE),
    (
        (
            "Help",
            "What can you do?",
            "How can you help me?",
            "What can I ask?",
            "What do you know?",
            "How do I use this?",
            "help me",
        ),
        HELP,
    ),
)

_OTHER = (
    "What is the capital of France?",
    "Who is the president?",
    "What is the weather like?",
    "Tell me a joke.",
    "What is two plus two?",
    "Write a poem.",
    "How old are you?",
    "What time is it?",
    "Translate this text.",
    "What does the sign say?",
    "Read the receipt.",
    "How much is the total?",
    "Is there a cat?",
    "How many people are there?",
    "What is the dog doing?",
    "Who painted this?",
    "What is the price?",
    "Write some code in Python.",
    "Is this a photo?",
    "What brand is the car?",
    "Where was this taken?",
    "How is the mood?",
    "What is he wearing?",
    "Can you read the text?",
    "What is the meaning of life?",
    "Sing a song.",
    "Who won the game?",
    "Explain this chart.",
    "Summarise the document.",
    "What is on the menu?",
    "Is it safe to eat?",
    "Do you like music?",
    "What language is this?",
    "Solve this equation.",
    "Why is the sky blue?",
    "Fix this bug please.",
    "What is my name?",
    "Draw me a house.",
    "Book a flight to Rome.",
    "Guess my age",
    "What is the invoice number?",
    "How many cats do you see?",
    "Is there a dog in the picture?",
    "Where is the man?",
    "What is the woman holding?",
    "What colour is the car?",
    "Where is the house?",
    "Is the tree green?",
    "Was ist auf dem Bild?",
    "Wie viele Katzen siehst du?",
    "Qu'est-ce que c'est ?",
    "¿Qué hay en la imagen?",
    "Hvad er det?",
    "这张图片里有什么？",
    "你好",
    "左上角是什么？",
    "何ですか？",
    "Что на картинке?",
    "asdf",
    "???",
    "lol",
    "x",
    "42",
    "test",
)

_NOUNS = [
    "cat",
    "dog",
    "car",
    "house",
    "tree",
    "person",
    "table",
    "phone",
    "bottle",
    "chair",
    "book",
    "boat",
    "bird",
    "flower",
    "window",
    "door",
    "shoe",
    "hat",
    "letter",
    "word",
    "logo",
    "map",
    "river",
    "road",
    "cup",
    "plate",
    "lamp",
    "train",
    "bridge",
    "face",
    "hand",
    "screen",
    "button",
    "error",
    "invoice",
]
_FORMS = (
    "What is the {a}?",
    "Where is the {a}?",
    "Is there a {a}?",
    "How many {a}s are there?",
    "What colour is the {a}?",
    "Which {a} is the {b}?",
    "Why is the {a} on the {b}?",
    "Do you see the {a}?",
    "Tell me about the {a}.",
    "Find the {a} near the {b}.",
    "Is the {a} a {b}?",
    "What is a {a}?",
    "the {a} and the {b}",
    "{a}",
    "{a} {b} {a}",
)

_SHAPE_QUESTIONS = (
    "What is in the top left?",
    "What colour is the star?",
    "Where is the red circle?",
    "Is there a green star?",
    "How many circles are there?",
    "How many shapes are there?",
    "Which shape is red?",
    "What colour is it?",
    "Where is it?",
    "And the other one?",
    "What colour is the square?",
    "Where is the heart?",
    "Is there a blue ring?",
    "How many red things do you see?",
)

_COUNT_FORMS = (
    "Count to {n}.",
    "Count to {n}",
    "Please count to {n}.",
    "Can you count to {n}?",
    "Count from 1 to {n}.",
    "Count up to {n}.",
)


def small_talk(rng: random.Random) -> Turn:
    """A greeting, a thank you, a question about Glimt itself."""
    questions, answer = rng.choice(_SMALL)
    return Turn("talk", word(rng, rng.choice(questions), plain=True), answer)


def out_of_domain(rng: random.Random) -> Turn:
    """Something that a model of coloured shapes cannot know."""
    if rng.random() < 0.5:
        question = rng.choice(_OTHER)
    else:
        question = rng.choice(_FORMS).format(a=rng.choice(_NOUNS), b=rng.choice(_NOUNS))
    return Turn("talk", word(rng, question), ONLY_SHAPES)


def without_picture(rng: random.Random) -> Turn:
    """A question about a picture in a conversation that has none."""
    return Turn("talk", word(rng, rng.choice(_SHAPE_QUESTIONS + DESCRIBE)), SEND_PICTURE)


def counting(rng: random.Random, last: int | None = None) -> Turn:
    """The one long answer: counting up to `last` (1 to 100; drawn where left out)."""
    if last is None:
        # Mostly short: where to stop is one token in each, and long ones hardly teach it.
        last = rng.randint(2, 20) if rng.random() < 0.7 else rng.randint(21, 100)
    question = rng.choice(_COUNT_FORMS).format(n=last)
    return Turn("counting", word(rng, question, plain=True), ", ".join(map(str, range(1, last + 1))) + ".")
