"""Seeded items in boto3's low-level form ({"S": …}, bytes for B), and when two are the same.

`corner_cases` has one item for each thing that is known to go wrong in tools like this one;
`random_items` mixes everything; `orders` looks like a shop's table, for the demo.
"""

from __future__ import annotations

import base64
import random
from decimal import Decimal
from typing import Any, Iterator

Item = dict[str, Any]

# DynamoDB's limits: 38 significant digits, 1E-130 to 9.9…E+125, either sign.
NUMBERS = [
    "0",
    "-1",
    "0.1",
    "-273.15",
    "12345678901234567890123456789012345678",
    "-12345678901234567890123456789012345678",
    "0.12345678901234567890123456789012345678",
    "1234567890123456789.0123456789012345678",
    "9007199254740993",
    "18446744073709551617",
    "1E-130",
    "-1E-130",
    "9.9999999999999999999999999999999999999E+125",
    "-9.9999999999999999999999999999999999999E+125",
    "9.99E+125",
    "1.5E-129",
    "1E100",
    "3.1415926535897932384626433832795028841",
]

# Names that break tools which split paths, quote carelessly or build expressions from text.
NAMES = [
    "dotted.name",
    "two words",
    "it's",
    'say "hi"',
    "back\\slash",
    "slash/es",
    "#hash",
    ":colon",
    "[0]",
    "{brace}",
    "$dollar",
    "new\nline",
    "tab\there",
    "nul\u0000byte",
    "🦆",
    "naïve",
    "nai\u0308ve",
    "日本語",
    "العربية",
    "size",
    "Item",
    "Keys",
    "S",
    "N",
    "NULL",
    "Table",
    "select",
    " ",
    "x" * 255,
]

TEXTS = [
    "",
    " ",
    "plain",
    'quo"ted',
    "back\\slash",
    "\\u0041 is no escape here",
    "line\nfeed, carriage\rreturn, tab\t",
    "".join(map(chr, range(0x20))) + "\x7f",
    "\u2028\u2029\ufeff",
    "zero\u200dwidth",
    "👩‍👩‍👧‍👦 🏴‍☠️ 𝄞",
    "é and e\u0301",
    "\uffff\U0010ffff",
    "</script><!--",
    '{"S":"not a value"}',
    "{\"Item\":{}}\n",
]

BINARIES = [b"", b"\x00", b"\xff\xfe", bytes(range(256)), b'{"B":"AA=="}', b"\xed\xa0\x80"]

MAXIMUM_DEPTH = 32


def nested(depth: int, innermost: Item) -> Item:
    """A value inside `depth` lists and maps, by turns."""
    value = innermost
    for level in range(depth):
        value = {"L": [value]} if level % 2 else {"M": {"level.%d" % level: value}}
    return value


def corner_cases() -> list[Item]:
    """Attributes without keys, one item per case."""
    return [
        {},
        {"numbers": {"L": [{"N": number} for number in NUMBERS]}},
        {"numberSet": {"NS": NUMBERS}},
        {"texts": {"L": [{"S": text} for text in TEXTS]}},
        {"textSet": {"SS": TEXTS}},
        {"binaries": {"L": [{"B": value} for value in BINARIES]}},
        {"binarySet": {"BS": BINARIES}},
        {"nestedBinaries": nested(5, {"M": {"b": {"B": bytes(range(256))}, "bs": {"BS": BINARIES}}})},
        {"emptyText": {"S": ""}, "emptyBinary": {"B": b""}, "emptyList": {"L": []}, "emptyMap": {"M": {}}},
        {"inner": {"L": [{"S": ""}, {"B": b""}, {"L": []}, {"M": {}}, {"L": [{"L": []}]}]}},
        {"setOfEmptyText": {"SS": [""]}, "setOfEmptyBinary": {"BS": [b""]}},
        {name: {"N": str(index)} for index, name in enumerate(NAMES)},
        {"inner": {"M": {name: {"S": name} for name in NAMES}}},
        {"yes": {"BOOL": True}, "no": {"BOOL": False}, "nothing": {"NULL": True}},
        # The value itself counts as a level.
        {"deep": nested(MAXIMUM_DEPTH - 1, {"S": "bottom"})},
        {"wide": {"L": [{"BOOL": bool(index % 2)} for index in range(20_000)]}},
        {"manyNames": {"M": {f"attribute-{index}": {"NULL": True} for index in range(5_000)}}},
        {"large": {"S": "ü" * 190_000}},
        {"largeBinary": {"B": bytes(range(256)) * 1_500}},
        # Six bytes of JSON for each one stored.
        {"largeOnTheWire": {"S": "\x01" * 380_000}},
    ]


def number(source: random.Random) -> str:
    """A number that DynamoDB can hold."""
    if source.random() < 0.3:
        return source.choice(NUMBERS)
    digits = str(source.randrange(1, 10 ** source.randint(1, 38)))
    sign = source.choice(["", "-"])
    if source.random() < 0.2:
        return f"{sign}{digits[0]}.{digits[1:] or '0'}E{source.randint(-130, 125)}"
    point = source.randrange(len(digits) + 1)
    return f"{sign}{digits[:point] or '0'}.{digits[point:]}" if point < len(digits) else sign + digits


def text(source: random.Random, longest: int = 40) -> str:
    """A text, often with characters that need care."""
    if source.random() < 0.2:
        return source.choice(TEXTS)
    alphabet = source.choice(["abcdefghij klmnopqrstuvwxyz", "aä\"\\/\n\t€日🦆\u0000"])
    return "".join(source.choices(alphabet, k=source.randrange(longest)))


def value(source: random.Random, depth: int = 0) -> Item:
    """A value of any of the ten types."""
    kinds = ["S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS"] + (["M", "L"] * 2 if depth < 4 else [])
    kind = source.choice(kinds)
    count = source.randint(0 if kind in ("M", "L") else 1, 5)
    match kind:
        case "S":
            content: Any = text(source)
        case "N":
            content = number(source)
        case "B":
            content = source.randbytes(source.randrange(40))
        case "BOOL":
            content = source.random() < 0.5
        case "NULL":
            content = True
        case "SS":
            content = list({text(source) for _ in range(count)})
        case "NS":
            # Equal numbers of different spelling are one member.
            content = list({Decimal(one): one for one in (number(source) for _ in range(count))}.values())
        case "BS":
            content = list({source.randbytes(source.randrange(20)) for _ in range(count)})
        case "L":
            content = [value(source, depth + 1) for _ in range(count)]
        case _:
            content = {attribute_name(source): value(source, depth + 1) for _ in range(count)}
    return {kind: content}


def attribute_name(source: random.Random) -> str:
    return source.choice(NAMES) if source.random() < 0.4 else f"a{source.randrange(1000)}"


def random_items(count: int, seed: int) -> Iterator[Item]:
    """Attributes without keys, names starting in `~` left to the caller for keys."""
    source = random.Random(seed)
    for _ in range(count):
        yield {attribute_name(source): value(source) for _ in range(source.randrange(8))}


def keyed(items: list[Item], partition: str = "pk", sort: str | None = "sk") -> list[Item]:
    """The items with text keys added, five to a partition."""
    result = []
    for index, item in enumerate(items):
        keys = {partition: {"S": f"p{index // 5 if sort else index}"}}
        if sort:
            keys[sort] = {"S": f"s{index % 5}"}
        result.append(item | keys)
    return result


def orders(count: int, seed: int = 1) -> Iterator[Item]:
    """A shop's orders; all ten types occur in them."""
    source = random.Random(seed)
    goods = ["Tea, 100 g", "Kettle", "Cup “Wien”", "Honig", "お茶", "Scone 🫖", "Lemon", "Sugar \"fine\""]
    cities = ["Wien", "Zürich", "Kraków", "Lisboa", "東京", "São Paulo", "Oslo", "İzmir"]
    for index in range(count):
        day = f"2026-{source.randint(1, 11):02d}-{source.randint(1, 28):02d}"
        lines = [
            {
                "M": {
                    "sku": {"S": f"SKU-{source.randrange(10_000):05d}"},
                    "title": {"S": source.choice(goods)},
                    "quantity": {"N": str(source.randint(1, 12))},
                    "price.eur": {"N": f"{source.randrange(100, 20_000) / 100:.2f}"},
                }
            }
            for _ in range(source.randint(1, 4))
        ]
        order: Item = {
            "customer_id": {"S": f"customer-{source.randrange(count // 6 + 1):05d}"},
            "order_id": {"S": f"{day}#{index:06d}"},
            "order_date": {"S": day},
            "status": {"S": source.choice(["new", "paid", "packed", "shipped", "returned"])},
            "total": {"N": f"{source.randrange(100, 200_000) / 100:.2f}"},
            "lines": {"L": lines},
            "gift": {"BOOL": source.random() < 0.1},
            "address": {"M": {"city": {"S": source.choice(cities)}, "zip code": {"S": f"{source.randrange(10**5):05d}"}}},
            "tags": {"SS": sorted(source.sample(["b2b", "web", "app", "repeat", "fragile"], source.randint(1, 3)))},
            "parcel_sizes": {"NS": [str(size) for size in source.sample(range(1, 90), source.randint(1, 3))]},
            "signature": {"B": source.randbytes(24)},
            "fingerprints": {"BS": sorted({source.randbytes(8) for _ in range(source.randint(1, 2))})},
            "expires_at": {"N": str(1_900_000_000 + index)},
        }
        if source.random() < 0.3:
            order["note"] = {"S": text(source, 80)}
        if source.random() < 0.2:
            order["coupon"] = {"NULL": True}
        if source.random() < 0.05:
            order["exchange_rate"] = {"N": number(source)}
        yield order


def canonical(typed: Item) -> tuple:
    """A hashable form in which two values are equal when DynamoDB would call them equal:
    no order in maps and sets, no spelling of numbers."""
    ((kind, content),) = typed.items()
    match kind:
        case "N":
            return kind, Decimal(content)
        case "B":
            return kind, bytes(content)
        case "SS":
            return kind, frozenset(content)
        case "NS":
            return kind, frozenset(map(Decimal, content))
        case "BS":
            return kind, frozenset(map(bytes, content))
        case "L":
            return kind, tuple(map(canonical, content))
        case "M":
            return kind, canonical_item(content)
        case _:
            return kind, content


def canonical_item(item: Item) -> frozenset:
    """`canonical` for a whole item."""
    return frozenset((name, canonical(typed)) for name, typed in item.items())


def from_wire(typed: Item) -> Item:
    """A value of DynamoDB JSON, with base64 in it, in boto3's form."""
    ((kind, content),) = typed.items()
    match kind:
        case "B":
            return {kind: base64.b64decode(content, validate=True)}
        case "BS":
            return {kind: [base64.b64decode(one, validate=True) for one in content]}
        case "L":
            return {kind: [from_wire(one) for one in content]}
        case "M":
            return {kind: {name: from_wire(one) for name, one in content.items()}}
        case _:
            return typed
