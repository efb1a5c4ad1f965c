"""More words for a cell of the 3x3 grid, for training alone; each is true of that one cell only."""

from __future__ import annotations

from collections.abc import Mapping

from .lexicon import Language


def _corner(high: str, side: str) -> tuple[str, ...]:
    other = {"top": "upper", "bottom": "lower"}[high]
    where = {"top": "up", "bottom": "down"}[high]
    return (
        *(
            f"at the {other} {side}",
            f"in the {other} {side} corner",
            f"{other} {side}",
            f"in the {side} {other} corner",
        ),
        *(
            f"in the corner {high} {side}",
            f"{where} on the {side}",
            f"in the {other} {side} part",
            f"to the {other} {side}",
        ),
        *(f"in the {high} {side} part of the picture", f"in the {other} {side} of the picture"),
    )


def _middle(high: str) -> tuple[str, ...]:
    other = {"top": "upper", "bottom": "lower"}[high]
    return (
        *(f"in the middle at the {high}", f"at the {high} centre", f"{high} middle", f"{high} centre"),
        *(f"in the {other} middle", f"{other} middle", f"at the {high} of the picture", f"centred at the {high}"),
    )


def _side(side: str) -> tuple[str, ...]:
    return (
        *(f"at the {side}", f"to the {side}", f"in the {side} middle", f"middle {side}", f"at the middle {side}"),
        *(f"on the {side} of the picture", f"halfway up on the {side}", f"in the middle of the {side} side"),
        *(f"centre {side}", f"on the {side} in the centre"),
    )


MORE_CELL_WORDS: Mapping[Language, tuple[tuple[str, ...], ...]] = {
    "en": (
        _corner("top", "left"),
        _middle("top"),
        _corner("top", "right"),
        _side("left"),
        (
            *("at the centre", "right in the middle", "in the middle of the image", "in the centre of the image"),
            *("in the very middle", "at the centre of the picture", "exactly in the middle", "dead centre"),
        ),
        _side("right"),
        _corner("bottom", "left"),
        _middle("bottom"),
        _corner("bottom", "right"),
    ),
    "zh": (
        ("左上部", "左上方位置", "左上那个角", "上方左边", "最左上角", "左上侧"),
        ("上方中间", "顶部", "中间上方", "上部中间", "正上方", "最上面", "上边中间"),
        ("右上部", "右上方位置", "右上那个角", "上方右边", "最右上角", "右上侧"),
        ("左侧中间", "左面", "中间左边", "左部", "左侧中部", "正左边", "左方中间"),
        ("中心", "正中央", "中央位置", "图片中心", "最中间", "中部"),
        ("右侧中间", "右面", "中间右边", "右部", "右侧中部", "正右边", "右方中间"),
        ("左下部", "左下方位置", "左下那个角", "下方左边", "最左下角", "左下侧"),
        ("下方中间", "底部", "中间下方", "下部中间", "正下方", "最下面", "下边中间"),
        ("右下部", "右下方位置", "右下那个角", "下方右边", "最右下角", "右下侧"),
    ),
}
