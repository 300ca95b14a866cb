"""Items with personal fields of every type, nested ones too, and rules that change each of them."""

from __future__ import annotations

import random

from items import Item, keyed, random_items
from transforms import Path, changed

SET_OF_ALL = {
    "M": {
        "s": {"S": 'é "quoted" \\ 🦆\n'}, "n": {"N": "-1.50"}, "b": {"B": b"\x00\xff"}, "yes": {"BOOL": True},
        "nothing": {"NULL": True}, "ss": {"SS": ["a", ""]}, "ns": {"NS": ["1", "2.5"]}, "bs": {"BS": [b"x"]},
        "l": {"L": [{"S": ""}, {"L": []}]}, "m": {"M": {}},
    }
}  # fmt: skip
RULES: list[tuple] = [
    ("hash", ("email",)),
    ("hash", ("age",)),
    ("hash", ("photo",)),
    ("hash", ("tags",)),
    ("hash", ("scores",)),
    ("hash", ("prints",)),
    ("hash", ("coupon",)),
    ("remove", ("vip",)),
    ("remove", ("notes",)),
    ("remove", ("no such attribute",)),
    ("set", ("name",), {"S": "Jane"}),
    ("set", ("everything",), SET_OF_ALL),
    ("set", ("first.name=",), {"S": ""}),
    ("hash", ("address", "street")),
    ("set", ("address", "zip"), {"N": "0"}),
    ("set", ("address", "new"), {"BS": [b"\x00"]}),
    ("remove", ("address", "lines", 0)),
    ("hash", ("address", "lines", 1)),
    ("remove", ("address", "lines", 2)),
    ("hash", ("address", "a.b", "c d")),
    ("hash", ("history", 0, "by")),
    ("remove", ("history", 1, "at")),
    ("set", ("history", 1, "by"), {"NULL": True}),
    ("set", ("history", 40), {"S": "far beyond the end"}),
    ("set", ("nowhere", "x"), {"S": "has no place"}),
]


def person(source: random.Random) -> Item:
    """A person, of whom anything but the address's street may be unknown."""
    item: Item = {
        "email": {"S": f"person{source.randrange(30)}@example.com"},
        "name": {"S": source.choice(["Ann", "Bob", "Ça va", "李"])},
        "age": {"N": source.choice(["7", "7.0", "70E-1", "-12.5", "0", "12345678901234567890123456789012345678"])},
        "photo": {"B": source.randbytes(source.randrange(40))},
        "tags": {"SS": sorted({f"tag{source.randrange(9)}" for _ in range(3)})},
        "scores": {"NS": sorted({str(source.randrange(50)) for _ in range(3)})},
        "prints": {"BS": sorted({source.randbytes(3) for _ in range(2)})},
        "vip": {"BOOL": source.random() < 0.5},
        "coupon": source.choice([{"NULL": True}, {"S": ""}]),
        "first.name=": {"S": "odd"},
        "notes": {"L": [{"S": "private"}, {"M": {"also": {"B": b"private"}}}]},
        "address": {
            "M": {
                "street": {"S": f"Road {source.randrange(5)}"},
                "zip": {"N": "12345"},
                "lines": {"L": [{"S": f"line {n}"} for n in range(source.randrange(5))]},
                "a.b": {"M": {"c d": {"N": "1"}, "stays": {"N": "1.0"}}},
            }
        },
        "history": {
            "L": [{"M": {"by": {"S": f"person{n}"}, "at": {"N": str(n)}, "what": {"S": "call"}}} for n in range(source.randrange(4))]
        },
    }
    for name in [*item]:
        chance = source.random()
        if chance < 0.1:
            del item[name]
        elif chance < 0.15:
            item[name] = {"NULL": True}
    return item


def persons(count: int, seed: int = 1) -> list[Item]:
    """Persons with text keys, `pk` and `sk`, and whatever else may stand in a table; that has other names."""
    source = random.Random(seed)
    return keyed([other | person(source) for other in random_items(count, seed)])


def at(item: Item, path: Path) -> Item | None:
    """The value at a path."""
    value: Item | None = {"M": item}
    for step in path:
        (content,) = value.values()
        try:
            value = content[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def check_reference(items: list[Item]) -> None:
    """Fails where a rule changes none of the items, so that it would show nothing."""
    for rule in RULES:
        if rule[1] not in (("no such attribute",), ("history", 40), ("nowhere", "x")):
            assert any(changed(item, [rule]) != item for item in items), rule
