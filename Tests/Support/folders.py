"""Folders of archives as their index tells them, and twelve tables of different shapes to fill one with."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, Callable

import tables
from items import Item, corner_cases, keyed, random_items

Spec = tuple[dict[str, Any], list[Item]]


def index(folder: Path) -> dict:
    return json.loads((folder / "index.json").read_text())


def states(folder: Path) -> dict[str, str]:
    """The state of each table."""
    return {row["tableName"]: row["state"] for row in index(folder)["tables"]}


def edit(folder: Path, change: Callable[[dict], Any]) -> None:
    """Puts another index into a folder."""
    document = index(folder)
    change(document)
    (folder / "index.json").write_text(json.dumps(document))


def row(document: dict, table: str) -> dict:
    return next(row for row in document["tables"] if row["tableName"] == table)


def modes(folder: Path) -> set[tuple[str, int]]:
    """Kind and permissions of all that stands in a folder."""
    found = set()
    for place, directories, files in os.walk(folder):
        for name in directories + files:
            mode = os.lstat(Path(place) / name).st_mode
            found.add(("directory" if stat.S_ISDIR(mode) else "file", stat.S_IMODE(mode)))
    return found


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, to see whether any has changed."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _numbers(count: int) -> list[Item]:
    return [{"n": {"N": f"{one}.5"}, "more": {"S": "x" * one}} for one in range(count)]


def _binaries(count: int) -> list[Item]:
    return [{"b": {"B": bytes([one, 0, 255])}, "s": {"N": str(-one)}, "v": {"BS": [b"", bytes([one])]}} for one in range(count)]


def shapes() -> dict[str, Spec]:
    """What makes each of twelve tables (for `tables.create`), and its items."""
    gsi = {
        "IndexName": "by-kind",
        "KeySchema": tables.key_schema(("kind:S", "HASH"), ("sk:S", "RANGE")),
        "Projection": {"ProjectionType": "ALL"},
    }
    lsi = {
        "IndexName": "by-size",
        "KeySchema": tables.key_schema(("pk:S", "HASH"), ("size:N", "RANGE")),
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    units = {"ReadCapacityUnits": 7, "WriteCapacityUnits": 9}
    indexed = [item | {"kind": {"S": "ab"[place % 2]}} for place, item in enumerate(keyed(random_items(60, seed=51)))]
    sized = [item | {"size": {"N": str(place)}} for place, item in enumerate(keyed(random_items(40, seed=52)))]
    large = [item | {"filler": {"S": "y" * 30_000}} for item in keyed(random_items(120, seed=53))]
    return {
        "text": ({"sort": None}, keyed(random_items(50, seed=54), sort=None)),
        "text-and-text": ({}, keyed(random_items(70, seed=55))),
        "number": ({"partition": "n:N", "sort": None}, _numbers(40)),
        "binary-and-number": ({"partition": "b:B", "sort": "s:N"}, _binaries(50)),
        "global-index": ({"attributes": ["kind:S"], "GlobalSecondaryIndexes": [gsi]}, indexed),
        "local-index": ({"attributes": ["size:N"], "LocalSecondaryIndexes": [lsi]}, sized),
        "tagged": ({"Tags": [{"Key": "team", "Value": "pay"}]}, keyed(random_items(20, seed=56))),
        "empty": ({}, []),
        "provisioned": ({"BillingMode": "PROVISIONED", "ProvisionedThroughput": units}, keyed(random_items(30, seed=57))),
        "corners": ({}, keyed(corner_cases()[:16])),
        "large": ({}, large),
        "index.json": ({}, keyed(random_items(25, seed=58))),
    }


def make(client: Any, prefix: str, chosen: dict[str, Spec]) -> list[str]:
    """Creates tables; their names, in order."""
    for name, (how, items) in chosen.items():
        tables.create(client, prefix + name, **dict(how))
        tables.put_all(client, prefix + name, items)
    return sorted(prefix + name for name in chosen)


def remove(client: Any, names: list[str]) -> None:
    """Deletes tables, so that the next test finds none of them."""
    there = {name for page in client.get_paginator("list_tables").paginate() for name in page["TableNames"]}
    for name in there & set(names):
        client.delete_table(TableName=name)


def key_and_indexes(client: Any, name: str) -> dict:
    """What makes a table's shape."""
    table = client.describe_table(TableName=name)["Table"]
    return {
        "key": table["KeySchema"],
        "types": sorted((one["AttributeName"], one["AttributeType"]) for one in table["AttributeDefinitions"]),
        "indexes": sorted(
            (one["IndexName"], json.dumps(one["KeySchema"]), json.dumps(one["Projection"], sort_keys=True))
            for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
            for one in table.get(kind, [])
        ),
        "billing": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
    }
