"""Tables of people, on which the rules of dumps are tried."""

from __future__ import annotations

import random
import uuid

import pytest

import tables
from items import Item, corner_cases, keyed, random_items
from program import Side
from transforms import KEY

ENV = {"DYNARC_HASH_KEY": KEY.decode()}
SEGMENTS = 4


def person(number: int) -> Item:
    """Every type, at the top and inside of maps and lists; now and then a parent is not there or is NULL."""
    source = random.Random(number)
    item: Item = {
        "email": {"S": f"jane.{number // 3}@example.com"},
        "age": {"N": source.choice(["42", "4.20E1", "-0.5", "0", "12345678901234567890123456789012345678"])},
        "photo": {"B": source.randbytes(number % 7)},
        "aliases": {"SS": [f"jane.{number // 3}@example.com", "", f"\"é\n{number}"]},
        "cards": {"NS": ["1", "-2.5", str(number + 10)]},
        "prints": {"BS": [b"\x00", source.randbytes(5)]},
        "member": {"BOOL": True},
        "gone": {"NULL": True},
        "dotted.name": {"S": "a name"},
        "empty": {"S": ""},
        "é\n\"": {"S": "odd name"},
        "address": {
            "M": {
                "street": {"S": f"Ring {number}"},
                "zip code": {"S": "1010"},
                "geo": {"M": {"lat": {"N": "48.2"}, "lon": {"N": "16.37"}, "seen": {"BOOL": False}}},
                "lines": {"L": [{"S": "one"}, {"N": "2"}, {"B": b"three"}, {"NULL": True}]},
                "sets": {"M": {"s": {"SS": ["a", "b"]}, "n": {"NS": ["3"]}, "b": {"BS": [b"x"]}}},
            }
        },
        "orders": {
            "L": [
                {"M": {"id": {"N": str(number)}, "note": {"S": "leave at door"}, "who": {"S": f"jane.{number // 3}@example.com"}}},
                {"M": {"id": {"N": "0"}}},
                {"L": [{"S": "deep"}, {"L": []}]},
            ]
        },
    }
    if number % 5 == 1:
        item["address"] = {"NULL": True}
    if number % 5 == 2:
        del item["address"], item["aliases"]
    if number % 7 == 3:
        item["orders"] = {"L": []}
    if number % 11 == 4:
        item["email"] = {"NULL": True}
    return item


@pytest.fixture(scope="module")
def people(source: Side) -> str:
    name = f"TransformPeople-{uuid.uuid4().hex[:8]}"
    tables.create(
        source.client, name, attributes=["email:S"],
        GlobalSecondaryIndexes=[{
            "IndexName": "by-email", "KeySchema": tables.key_schema(("email:S", "HASH")),
            "Projection": {"ProjectionType": "ALL"},
        }],
    )  # fmt: skip
    # The largest ones would take minutes, once for each case.
    more = list(random_items(60, seed=11)) + [item for item in corner_cases() if len(repr(item)) < 20_000]
    # An index does not take an item whose key is NULL.
    persons = [person(number) for number in range(len(more))]
    for item in persons:
        if "NULL" in item["email"]:
            del item["email"]
    tables.put_all(source.client, name, keyed([other | item for other, item in zip(more, persons)]))
    return name


@pytest.fixture(scope="module")
def stock(source: Side) -> str:
    """Large enough for a dozen pages."""
    name = f"TransformStock-{uuid.uuid4().hex[:8]}"
    tables.create(source.client, name)
    items = [person(number) | {"filler": {"S": "x" * 40_000}} for number in range(300)]
    tables.put_all(source.client, name, keyed(items))
    return name
