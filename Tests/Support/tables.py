"""Tables through boto3: make one, fill it, read it, compare two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterable

from items import Item, canonical, canonical_item

BATCH_ENTRIES = 25
# Well under the 16 MB a call may have, at six bytes of JSON for one of text.
BATCH_BYTES = 2_000_000


def create(client: Any, table: str, partition: str = "pk:S", sort: str | None = "sk:S", **more: Any) -> None:
    """Creates a table from `name:type` keys and waits for it. `attributes` in `more` defines
    further key attributes, for indexes."""
    definitions = [one for one in (partition, sort, *more.pop("attributes", ())) if one]
    keys = [(partition, "HASH")] + ([(sort, "RANGE")] if sort else [])
    client.create_table(
        TableName=table,
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": kind}
            for name, kind in (one.rsplit(":", 1) for one in definitions)
        ],
        KeySchema=key_schema(*keys),
        **({"BillingMode": "PAY_PER_REQUEST"} | more),
    )
    client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def key_schema(*keys: tuple[str, str]) -> list[dict[str, str]]:
    """`("pk:S", "HASH")`, … as a KeySchema."""
    return [{"AttributeName": name.rsplit(":", 1)[0], "KeyType": kind} for name, kind in keys]


def put_all(client: Any, table: str, items: Iterable[Item], workers: int = 4) -> None:
    """Writes items by BatchWriteItem."""
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(lambda batch: _put_batch(client, table, batch), _batches(items)):
            pass


def _put_batch(client: Any, table: str, batch: list[Item]) -> None:
    requests = {table: [{"PutRequest": {"Item": item}} for item in batch]}
    while requests:
        requests = client.batch_write_item(RequestItems=requests)["UnprocessedItems"]


def _batches(items: Iterable[Item]) -> Iterable[list[Item]]:
    batch: list[Item] = []
    size = 0
    for item in items:
        length = _rough_size({"M": item})
        if batch and (len(batch) == BATCH_ENTRIES or size + length > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += length
    if batch:
        yield batch


def _rough_size(typed: Item) -> int:
    ((kind, content),) = typed.items()
    match kind:
        case "M":
            return sum(len(name) + _rough_size(one) for name, one in content.items())
        case "L":
            return sum(map(_rough_size, content))
        case "SS" | "NS" | "BS":
            return sum(map(len, content))
        case "BOOL" | "NULL":
            return 1
        case _:
            return len(content)


def read_all(client: Any, table: str, **scan: Any) -> list[Item]:
    """Every item, by one sequential scan."""
    pages = client.get_paginator("scan").paginate(TableName=table, **scan)
    return [item for page in pages for item in page["Items"]]


def key_names(client: Any, table: str) -> list[str]:
    """The names of a table's key attributes."""
    return [key["AttributeName"] for key in client.describe_table(TableName=table)["Table"]["KeySchema"]]


def differences(left: Iterable[Item], right: Iterable[Item], keys: list[str]) -> list[str]:
    """What differs between two sets of items, by key: one line each, none when they are the same.
    Attribute order, set order and the spelling of numbers do not count."""
    sides = _by_key(left, keys), _by_key(right, keys)
    found = []
    for (mine, duplicates), name in zip(sides, ("left", "right")):
        found += [f"{_shown(key)}: twice on the {name}" for key in duplicates]
    (first, _), (second, _) = sides
    for key, item in first.items():
        other = second.get(key)
        if other is None:
            found.append(f"{_shown(key)}: only on the left")
        elif canonical_item(item) != canonical_item(other):
            found.append(f"{_shown(key)}: differs in {_changed(item, other)}")
    found += [f"{_shown(key)}: only on the right" for key in second if key not in first]
    return found


def compare_tables(client_a: Any, table_a: str, client_b: Any, table_b: str) -> list[str]:
    """`differences` between two tables, which must have the same key attributes."""
    keys, other_keys = key_names(client_a, table_a), key_names(client_b, table_b)
    if keys != other_keys:
        return [f"key attributes {keys} and {other_keys}"]
    return differences(read_all(client_a, table_a), read_all(client_b, table_b), keys)


def _by_key(items: Iterable[Item], keys: list[str]) -> tuple[dict[tuple, Item], list[tuple]]:
    found: dict[tuple, Item] = {}
    duplicates = []
    for item in items:
        key = tuple(canonical(item[name]) for name in keys)
        if key in found:
            duplicates.append(key)
        found[key] = item
    return found, duplicates


def _shown(key: tuple) -> str:
    return "/".join(str(content) for _, content in key)


def _changed(item: Item, other: Item) -> list[str]:
    names = item.keys() | other.keys()
    return sorted(
        name
        for name in names
        if name not in item or name not in other or canonical(item[name]) != canonical(other[name])
    )
