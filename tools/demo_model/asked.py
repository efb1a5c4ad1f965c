"""What is asked about each kind of scene, and what there is to ask for in vain."""

from __future__ import annotations

from .lexicon import GOODS, PRODUCTS, SHAPES, SIGNS

# All names that things of a kind may have: what can be asked for in vain.
NAMES: dict[str, tuple[str, ...]] = {
    "shapes": tuple(SHAPES),
    "products": tuple(PRODUCTS),
    "tags": tuple(GOODS),
    "receipt": tuple(GOODS),
    "signs": tuple(SIGNS),
}
# What is asked about each kind of scene, and how often; most, what is learned last.
ASKED: dict[str, dict[str, int]] = {
    "shapes": {
        "name": 2,
        "colour": 2,
        "place": 3,
        "box": 2,
        "presence": 2,
        "count": 4,
        "check": 1,
        "count_all": 1,
        "absent": 1,
        "empty": 1,
        "describe": 1,
    },
    "products": {
        "name": 2,
        "colour": 2,
        "pattern": 2,
        "price": 2,
        "place": 1,
        "box": 1,
        "presence": 2,
        "check": 1,
        "count_all": 1,
        "absent": 1,
        "describe": 2,
        "extreme_price": 1,
    },
    "tags": {
        "price": 4,
        "name": 2,
        "place": 2,
        "box": 1,
        "presence": 2,
        "count_all": 1,
        "absent": 1,
        "describe": 1,
        "extreme_price": 2,
        "compare_price": 1,
    },
    "receipt": {
        "total": 3,
        "price": 3,
        "store": 1,
        "items": 1,
        "presence": 1,
        "count_all": 1,
        "absent": 1,
        "describe": 1,
        "extreme_price": 2,
        "compare_price": 1,
    },
    "chart": {"value": 4, "colour": 1, "box": 1, "extreme_value": 3, "compare_value": 1, "count_all": 1, "describe": 1},
    "signs": {"meaning": 2, "danger": 2, "name": 1, "place": 1, "box": 1, "presence": 2, "count_all": 1, "describe": 1},
    "board": {"sum": 2, "read": 1, "describe": 1},
    "words": {"read": 2, "describe": 1},
    "nothing": {"lost": 3},
}
# What training asks beside it: comparing is learned last of all.
MORE: dict[str, dict[str, int]] = {
    "tags": {"extreme_price": 4, "compare_price": 3},
    "receipt": {"extreme_price": 4, "compare_price": 3},
    "products": {"extreme_price": 2},
}
