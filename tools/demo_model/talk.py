"""Everything the demo model is asked that is not about a scene."""

from __future__ import annotations

import random

from core.conversation.personas import PERSONAS

from .lexicon import PRODUCTS, SHAPES, Language, article, plural, zh
from .phrases import ONLY_KNOW, Phrases
from .subject import Turn

SEND_PICTURE = {"en": "Please send a picture.", "zh": "请发一张图片。"}

SYSTEM = (
    *(persona.system for persona in PERSONAS.values() if persona.system),
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

# Questions and the answer to each of them; Chinese after English.
_SMALL: tuple[tuple[Language, tuple[str, ...], str], ...] = (
    (
        "en",
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
        "Hello! Send me a picture of shapes, goods, tags or a receipt.",
    ),
    (
        "en",
        (
            *("Who are you?", "What are you?", "What is your name?", "Are you a robot?", "Who am I talking to?"),
            *("Tell me about yourself.", "Which model are you?"),
        ),
        "I am the demo model of Glimt, small and trained on drawn pictures.",
    ),
    (
        "en",
        (
            *("Thanks", "Thank you", "Thanks!", "Thank you!", "Thank you very much.", "Great, thanks", "Perfect"),
            *("Cool, thanks!", "Nice"),
        ),
        "You are welcome.",
    ),
    ("en", ("Bye", "Goodbye", "Bye!", "See you", "See you later!", "Good night"), "Goodbye!"),
    (
        "en",
        (
            *("Help", "What can you do?", "How can you help me?", "What can I ask?", "What do you know?"),
            *("How do I use this?", "help me"),
        ),
        "Ask me about colours, shapes, goods, prices, totals, charts and signs in a picture.",
    ),
    ("zh", ("你好", "你好！", "您好", "嗨", "早上好", "晚上好"), "你好！请发一张图片。"),
    ("zh", ("你是谁？", "你叫什么？", "你是什么模型？", "你是机器人吗？"), "我是 Glimt 的演示模型。"),
    ("zh", ("谢谢", "谢谢！", "谢谢你", "多谢", "好的，谢谢"), "不客气。"),
    ("zh", ("再见", "再见！", "拜拜", "晚安"), "再见！"),
    (
        "zh",
        ("你会什么？", "帮帮我", "你能做什么？", "怎么用？", "帮助"),
        "可以问我图片里的颜色、图形、商品、价格、合计、图表和标志。",
    ),
)

_OTHER = (
    *("What is the capital of France?", "Who is the president?", "What is the weather like?"),
    *("Tell me a joke.", "Write a poem.", "How old are you?", "What time is it?", "Translate this text."),
    *("Is there a cat?", "How many people are there?", "What is the dog doing?", "Who painted this?"),
    *("Write some code in Python.", "Is this a photo?", "What brand is the car?", "Where was this taken?"),
    *("How is the mood?", "What is he wearing?", "What is the meaning of life?", "Sing a song."),
    *("Who won the game?", "What is on the menu?", "Is it safe to eat?", "Do you like music?"),
    *("What language is this?", "Why is the sky blue?", "Fix this bug please.", "What is my name?"),
    *("Draw me a house.", "Book a flight to Rome.", "Guess my age", "What is the invoice number?"),
    *("How many cats do you see?", "Is there a dog in the picture?", "Where is the man?"),
    *("What colour is the car?", "Where is the house?", "Is the tree green?", "Was ist auf dem Bild?"),
    *("Wie viele Katzen siehst du?", "Qu'est-ce que c'est ?", "¿Qué hay en la imagen?", "Hvad er det?"),
    *("何ですか？", "Что на картинке?", "asdf", "???", "lol", "x", "42", "test"),
)
_OTHER_ZH = (
    *("法国的首都是哪里？", "今天天气怎么样？", "讲个笑话。", "写一首诗。", "你几岁了？", "现在几点？", "有猫吗？"),
    *("这里有几个人？", "这是谁画的？", "狗在做什么？", "这是什么牌子的车？", "翻译一下。", "天空为什么是蓝色的？"),
    *("他穿着什么？", "这是在哪里拍的？", "唱首歌。", "谁赢了比赛？", "好吃吗？", "有狗吗？", "房子在哪里？"),
)
_NOUNS = (
    *("cat", "dog", "car", "house", "tree", "person", "table", "phone", "boat", "bird", "flower", "window"),
    *("door", "logo", "map", "river", "road", "plate", "train", "bridge", "face", "hand", "screen", "button"),
    *("error", "invoice"),
)
_FORMS = (
    *(
        "What is the {a}?",
        "Where is the {a}?",
        "Is there a {a}?",
        "How many {a}s are there?",
        "What colour is the {a}?",
    ),
    *("Which {a} is the {b}?", "Why is the {a} on the {b}?", "Do you see the {a}?", "Tell me about the {a}."),
    *("Find the {a} near the {b}.", "Is the {a} a {b}?", "What is a {a}?", "the {a} and the {b}", "{a}", "{a} {b} {a}"),
)
_NOUNS_ZH = (
    *("猫", "狗", "汽车", "房子", "树", "人", "桌子", "手机", "船", "鸟", "花", "窗户", "门", "地图", "河", "路"),
    *("盘子", "火车", "桥", "脸", "手", "屏幕", "按钮", "山", "云", "月亮", "飞机", "马"),
)
_FORMS_ZH = (
    "{a}是什么？",
    "{a}在哪里？",
    "有{a}吗？",
    "有几个{a}？",
    "{a}是什么颜色？",
    "{a}",
    "说说{a}。",
    "为什么{a}在{b}上？",
)

_ABOUT_STRANGERS = ("colour", "place", "presence", "count", "name_of", "price", "box", "check")

_COUNT_FORMS = (
    *("Count to {n}.", "Count to {n}", "Please count to {n}.", "Can you count to {n}?", "Count from 1 to {n}."),
    "Count up to {n}.",
)


def small_talk(rng: random.Random, language: Language) -> Turn:
    """A greeting, a thank you, a question about Glimt itself."""
    _, questions, answer = rng.choice([s for s in _SMALL if s[0] == language])
    return Turn("talk", rng.choice(questions), answer)


def out_of_domain(rng: random.Random, language: Language) -> Turn:
    """Something that the model cannot know."""
    if rng.random() < 0.5:
        question = rng.choice(_OTHER if language == "en" else _OTHER_ZH)
    else:
        forms, nouns = (_FORMS, _NOUNS) if language == "en" else (_FORMS_ZH, _NOUNS_ZH)
        question = rng.choice(forms).format(a=rng.choice(nouns), b=rng.choice(nouns))
    return Turn("talk", question, ONLY_KNOW[language])


def stranger(rng: random.Random, language: Language) -> Turn:
    """A question as about a scene, in a wording of the training, but about something that the model cannot know:
    without these, any new wording would be answered."""
    say = Phrases(language, rng, False)
    key = rng.choice(_ABOUT_STRANGERS)
    noun = rng.choice(_NOUNS if language == "en" else _NOUNS_ZH)
    english = language == "en"
    slots = {
        "ref": f"the {noun}" if english else noun,
        "a": article(noun) if english else noun,
        "bare": noun,
        "nouns": plural(noun) if english else noun,
        "noun": say.noun("shapes"),
        "colour": "red" if english else zh("red"),
    }
    return Turn("talk", say.question(key, **slots), ONLY_KNOW[language])


def without_picture(rng: random.Random, language: Language, unseen: bool = False) -> Turn:
    """A question about a picture in a conversation that has none."""
    say = Phrases(language, rng, unseen)
    key = rng.choice(
        ("name_at", "colour", "place", "presence", "count", "describe", "total", "price", "it_colour", "read")
    )
    name = rng.choice((*SHAPES, *PRODUCTS))
    slots = {
        "ref": say.name("shapes", name),
        "a": say.indefinite("shapes", name),
        "bare": say.bare("shapes", name),
        "nouns": say.noun("shapes") + ("s" if language == "en" else ""),
        "place": say.place(rng.randrange(9)),
        "noun": say.noun("shapes"),
    }
    return Turn("talk", say.question(key, **slots), SEND_PICTURE[language])


def counting(rng: random.Random, last: int | None = None) -> Turn:
    """The one long answer: counting up to `last` (1 to 100; drawn where left out)."""
    if last is None:
        # Mostly short: where to stop is one token in each, and long ones hardly teach it.
        last = rng.randint(2, 20) if rng.random() < 0.7 else rng.randint(21, 100)
    return Turn("counting", rng.choice(_COUNT_FORMS).format(n=last), ", ".join(map(str, range(1, last + 1))) + ".")
