"""What items count as for capacity, by the rules of the Developer Guide ("DynamoDB item sizes and formats",
"Capacity unit consumption"): the reference that dynarc's own reckoning is held to."""

from __future__ import annotations

from decimal import Decimal
from math import ceil

from items import Item


def value(typed: Item) -> int:
    """Bytes of a value in boto3's form."""
    ((kind, content),) = typed.items()
    match kind:
        case "S":
            return len(content.encode())
        case "B":
            return len(bytes(content))
        case "N":
            return _number(content)
        case "BOOL" | "NULL":
            return 1
        case "SS":
            return sum(len(one.encode()) for one in content)
        case "NS":
            return sum(map(_number, content))
        case "BS":
            return sum(len(bytes(one)) for one in content)
        case "L":
            return 3 + sum(1 + value(one) for one in content)
        case "M":
            return 3 + sum(1 for _ in content) + item(content)
    raise ValueError(kind)


def item(attributes: Item) -> int:
    """Bytes of an item: its names and values."""
    return sum(len(name.encode()) + value(typed) for name, typed in attributes.items())


def write_units(size: int) -> int:
    return max(1, ceil(size / 1024))


def _number(text: str) -> int:
    digits = "".join(map(str, Decimal(text).as_tuple().digits)).strip("0")
    return ceil(len(digits) / 2) + 1


def projected(attributes: Item, keys: list[str], others: list[str] | None) -> Item | None:
    """An item as an index holds it: `others` are what it has beside its keys, None for all. None where the
    item is not in the index."""
    if not all(name in attributes for name in keys):
        return None
    if others is None:
        return attributes
    return {name: typed for name, typed in attributes.items() if name in keys + others}
