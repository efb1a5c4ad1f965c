"""The words of the demo model's world, in English and Chinese. A word's English form is its key everywhere."""

from __future__ import annotations

from typing import Literal

Language = Literal["en", "zh"]
Rgb = tuple[int, int, int]

COLOURS: dict[str, Rgb] = {
    "red": (214, 38, 38),
    "orange": (246, 132, 18),
    "yellow": (250, 212, 36),
    "green": (36, 156, 66),
    "blue": (36, 88, 216),
    "purple": (128, 52, 178),
    "pink": (246, 132, 190),
    "black": (28, 28, 32),
}
COLOURS_ZH = dict(zip(COLOURS, ("红色", "橙色", "黄色", "绿色", "蓝色", "紫色", "粉色", "黑色"), strict=True))

SHAPES = {
    "circle": "圆形",
    "square": "正方形",
    "triangle": "三角形",
    "star": "星形",
    "diamond": "菱形",
    "cross": "十字",
    "ring": "圆环",
    "heart": "心形",
}
PRODUCTS = {
    "shoe": "鞋",
    "cup": "杯子",
    "shirt": "衬衫",
    "lamp": "台灯",
    "bag": "包",
    "hat": "帽子",
    "chair": "椅子",
    "bottle": "瓶子",
    "book": "书",
    "clock": "钟",
    "umbrella": "雨伞",
}
PATTERNS = {"plain": "纯色", "striped": "条纹", "dotted": "圆点", "checked": "格子"}
GOODS = {
    "milk": "牛奶",
    "bread": "面包",
    "yogurt": "酸奶",
    "rice": "大米",
    "tea": "茶",
    "coffee": "咖啡",
    "flour": "面粉",
    "ham": "火腿",
    "cheese": "奶酪",
    "butter": "黄油",
    "fish": "鱼",
    "soup": "汤",
    "sugar": "糖",
    "salt": "盐",
    "juice": "果汁",
    "water": "水",
    "cake": "蛋糕",
    "pasta": "面条",
    "honey": "蜂蜜",
    "jam": "果酱",
    "oil": "食油",
    "soap": "肥皂",
}
SIGNS = {
    "stop": "停车",
    "no entry": "禁止进入",
    "no smoking": "禁止吸烟",
    "high voltage": "高压危险",
    "warning": "注意危险",
    "flammable": "易燃物",
    "radiation": "辐射危险",
    "exit": "出口",
    "first aid": "急救",
    "parking": "停车场",
}
DANGERS = ("high voltage", "warning", "flammable", "radiation")
STORES = ("Fresh Market", "Corner Shop", "City Store", "Green Foods", "Daily Mart", "Star Market")
LABELS = (
    ("Mon", "Tue", "Wed", "Thu", "Fri"),
    ("Jan", "Feb", "Mar", "Apr", "May"),
    ("A", "B", "C", "D", "E"),
    ("Oslo", "Rome", "Lima", "Cairo", "Paris"),
)
# What a single large word or a door may say.
WORDS = ("open", "closed", "sale", "push", "pull", "hello", "menu", "new", "free", "welcome", "thanks", "sold")

NUMBERS = ("None", "One", "Two", "Three", "Four", "Five")
NUMBERS_ZH = ("零", "一", "两", "三", "四", "五")

# Where an answer says that something is, by cell of a 3x3 grid.
PLACES = (
    "in the top left",
    "at the top",
    "in the top right",
    "on the left",
    "in the centre",
    "on the right",
    "in the bottom left",
    "at the bottom",
    "in the bottom right",
)
PLACES_ZH = ("左上角", "上方", "右上角", "左边", "中间", "右边", "左下角", "下方", "右下角")

_ZH = {**COLOURS_ZH, **SHAPES, **PRODUCTS, **PATTERNS, **GOODS, **SIGNS}
PLURAL = {"cross": "crosses"}
# Names that take no article: there is "milk", not "a milk".
MASS = frozenset((*GOODS, *SIGNS))


def zh(word: str) -> str:
    """The Chinese for `word`; a word that has none (what is printed, a price) stays as it is."""
    return _ZH.get(word, word)


def plural(noun: str) -> str:
    """More than one of `noun`."""
    return PLURAL.get(noun, noun + "s")


def article(words: str) -> str:
    """`words` with their indefinite article."""
    return ("an " if words[0] in "aeiou" else "a ") + words


def sentence(text: str) -> str:
    """`text` as an English sentence of its own."""
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


def join(parts: list[str], language: Language) -> str:
    """A list in words: "a, b and c"."""
    if language == "zh":
        return "、".join(parts)
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))
