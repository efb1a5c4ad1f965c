"""More Chinese wordings for training."""

from __future__ import annotations

from collections.abc import Mapping

MORE_CHINESE: Mapping[str, tuple[str, ...]] = {
    "name_at": (
        "{place}的是什么？",
        "看看{place}是什么。",
        "请问{place}是哪个{noun}？",
        "{place}放着什么？",
        "能看到{place}是什么吗？",
    ),
    "name_of": (
        "{ref}叫什么？",
        "图中{ref}是什么？",
        "能说出{ref}是什么吗？",
        "看看{ref}是什么。",
    ),
    "colour": (
        "图中{ref}是什么颜色？",
        "能说出{ref}的颜色吗？",
        "{ref}的颜色呢？",
        "看看{ref}是什么颜色。",
    ),
    "pattern": (
        "图中{ref}是什么图案？",
        "{ref}的图案呢？",
        "能说出{ref}的图案吗？",
    ),
    "price": (
        "图中{ref}多少钱？",
        "{ref}什么价格？",
        "能说出{ref}的价格吗？",
        "{ref}的价格呢？",
        "我想买{ref}，多少钱？",
    ),
    "value": (
        "图中{ref}的值是多少？",
        "{ref}的数值呢？",
        "能说出{ref}的数值吗？",
    ),
    "place": (
        "图中{ref}在哪里？",
        "{ref}的位置呢？",
        "能说出{ref}的位置吗？",
        "{ref}放在哪里？",
    ),
    "box": (
        "请标出{ref}。",
        "把{ref}框出来。",
        "给{ref}画个框。",
    ),
    "presence": (
        "图中有{bare}吗？",
        "能看到{bare}吗？",
        "这里有没有{bare}？",
        "找得到{bare}吗？",
    ),
    "count": (
        "图中有几个{nouns}？",
        "能看到几个{nouns}？",
        "{nouns}有几个？",
        "{nouns}有多少个？",
    ),
    "cheapest": (
        "哪个价格最低？",
        "最便宜的是哪一个？",
    ),
    "dearest": (
        "哪个价格最高？",
        "最贵的是哪一个？",
    ),
    "total": (
        "合计呢？",
        "一共要付多少钱？",
        "总共付了多少？",
        "总价呢？",
    ),
    "read": (
        "能读出文字吗？",
        "上面有什么文字？",
        "文字是什么？",
    ),
    "store": (
        "商店的名字是什么？",
        "在哪家店？",
    ),
    "describe": (
        "看看图里有什么。",
        "图中有什么？",
        "说说你看到的。",
    ),
    "it_box": (
        "把它框出来。",
        "给它画个框。",
    ),
    "it_place": (
        "它放在哪里？",
        "它在哪儿？",
    ),
    "it_name": (
        "它叫什么？",
        "说说它是什么。",
    ),
    "and": (
        "再看{ref}呢？",
        "{ref}又是什么情况？",
    ),
    "no": (
        "我问的是{ref}。",
        "错了，是{ref}。",
    ),
    "no_other": (
        "我问的是另一个。",
        "错了，另一个。",
    ),
    "and_other": (
        "再看另一个呢？",
        "那另外那个呢？",
    ),
}
