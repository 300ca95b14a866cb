"""Queries, indexes, filters and projections: the part asked for, no more and no less."""

from __future__ import annotations

import base64
import json

import pytest

import archives
import tables
from items import Item, canonical_item
from program import Side

GSI, LSI = "by-status", "by-size"
STATUSES = ["new", "paid", "shipped"]


@pytest.fixture(scope="module")
def shop(source: Side) -> str:
    """30 items: customer c0…c2, order numbers -3…6, with a GSI and an LSI."""
    name = "Slices"
    key = tables.key_schema
    tables.create(
        source.client,
        name,
        "customer:S",
        "number:N",
        attributes=["status:S", "day:S", "size:N"],
        GlobalSecondaryIndexes=[
            {
                "IndexName": GSI,
                "KeySchema": key(("status", "HASH"), ("day", "RANGE")),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": LSI,
                "KeySchema": key(("customer", "HASH"), ("size", "RANGE")),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    tables.put_all(source.client, name, rows())
    return name


def rows() -> list[Item]:
    return [
        {
            "customer": {"S": f"c{customer}"},
            "number": {"N": str(number)},
            "status": {"S": STATUSES[number % 3]},
            "day": {"S": f"2026-{(number + 3) % 5 + 1:02d}"},
            "size": {"N": str(number * number)},
            "tag.with dots": {"S": "x" * (number + 4)},
        }
        for customer in range(3)
        for number in range(-3, 7)
    ]


def number(item: Item) -> int:
    return int(item["number"]["N"])


def text(item: Item, name: str) -> str:
    return item[name]["S"]


def dumped(dynarc, tmp_path, side: Side, table: str, *options: object) -> list[Item]:
    dynarc("dump", table, "./slice", *options, at=side)
    dynarc("verify", "./slice")
    return archives.read_archive(tmp_path / "slice")


def same(left: list[Item], right: list[Item]) -> bool:
    return sorted(map(repr, map(sortable, left))) == sorted(map(repr, map(sortable, right)))


def sortable(item: Item) -> list:
    return sorted(canonical_item(item))


@pytest.mark.parametrize(
    "options, wanted",
    [
        ([], lambda n: True),
        (["--sk", "4"], lambda n: n == 4),
        (["--sk=-2"], lambda n: n == -2),
        (["--sk", "-2"], lambda n: n == -2),
        (["--sk-between", "1", "3"], lambda n: 1 <= n <= 3),
        (["--sk-between", "-2", "3"], lambda n: -2 <= n <= 3),
        (["--sk-lt", "2"], lambda n: n < 2),
        (["--sk-le", "2"], lambda n: n <= 2),
        (["--sk-gt", "2"], lambda n: n > 2),
        (["--sk-ge", "2.0"], lambda n: n >= 2),
        (["--sk-gt", "100"], lambda n: False),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_query_of_the_table(dynarc, tmp_path, source, shop, options, wanted):
    found = dumped(dynarc, tmp_path, source, shop, "--pk", "c1", *options)
    assert same(found, [item for item in rows() if text(item, "customer") == "c1" and wanted(number(item))])
    read = archives.manifest(tmp_path / "slice")["source"]["read"]
    assert read["operation"] == "Query"
    assert read["keyConditionExpression"]


@pytest.mark.parametrize(
    "options, wanted",
    [
        (["--sk", "2026-02"], lambda day: day == "2026-02"),
        (["--sk-begins-with", "2026-0"], lambda day: True),
        (["--sk-begins-with", "2027"], lambda day: False),
        (["--sk-between", "2026-02", "2026-03"], lambda day: "2026-02" <= day <= "2026-03"),
        (["--sk-ge", "2026-04"], lambda day: day >= "2026-04"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_query_of_a_global_index(dynarc, tmp_path, source, shop, options, wanted):
    found = dumped(dynarc, tmp_path, source, shop, "--index", GSI, "--pk", "paid", *options)
    assert same(found, [item for item in rows() if text(item, "status") == "paid" and wanted(text(item, "day"))])
    assert archives.manifest(tmp_path / "slice")["source"]["read"]["indexName"] == GSI


def test_scan_of_an_index(dynarc, tmp_path, source, shop):
    assert same(dumped(dynarc, tmp_path, source, shop, "--index", GSI, "--segments", 3), rows())


def test_local_index_of_keys_only(dynarc, tmp_path, source, shop):
    found = dumped(dynarc, tmp_path, source, shop, "--index", LSI, "--pk", "c2", "--sk-le", "4")
    expected = [
        {name: item[name] for name in ("customer", "number", "size")}
        for item in rows()
        if text(item, "customer") == "c2" and abs(number(item)) <= 2
    ]
    assert same(found, expected)


def test_binary_key_values_are_base64(dynarc, tmp_path, source, table):
    tables.create(source.client, table, "pk:B", "sk:B")
    rows = [{"pk": {"B": b"\xff\x00"}, "sk": {"B": bytes([one, 254])}} for one in (1, 2, 3)]
    tables.put_all(source.client, table, rows)
    encode = lambda content: base64.b64encode(content).decode()
    options = ("--pk", encode(b"\xff\x00"), "--sk-begins-with", encode(b"\x02"))
    assert same(dumped(dynarc, tmp_path, source, table, *options), rows[1:2])


def test_filter_names_and_values(dynarc, tmp_path, source, shop):
    found = dumped(
        dynarc, tmp_path, source, shop,
        "--filter", "#t = :t AND #n > :n",
        "--names", json.dumps({"#t": "tag.with dots", "#n": "number"}),
        "--values", json.dumps({":t": {"S": "xxxxxx"}, ":n": {"N": "1"}}),
    )  # fmt: skip
    assert same(found, [item for item in rows() if number(item) == 2])
    document = archives.manifest(tmp_path / "slice")
    assert document["source"]["read"]["filterExpression"] == "#t = :t AND #n > :n"
    assert document["source"]["read"]["expressionAttributeNames"]["#t"] == "tag.with dots"
    assert document["source"]["read"]["expressionAttributeValues"][":n"] == {"N": "1"}
    assert (document["counts"]["items"], document["counts"]["scannedItems"]) == (3, 30)


def test_a_projection_with_the_keys_loads(dynarc, tmp_path, source, target, shop, table):
    options = ("--projection", "customer, #n, #t", "--names", '{"#n":"number","#t":"tag.with dots"}')
    found = dumped(dynarc, tmp_path, source, shop, *options)
    expected = [{name: item[name] for name in ("customer", "number", "tag.with dots")} for item in rows()]
    assert same(found, expected)
    dynarc("load", "./slice", table, at=target)
    assert same(tables.read_all(target.client, table), expected)


def test_a_projection_without_keys_is_refused(dynarc, tmp_path, source, target, shop, table):
    options = ("--projection", "#s", "--names", '{"#s":"size"}')
    result = dynarc("dump", shop, "./keyless", *options, at=source, exit=2)
    assert "customer" in result.stderr and "--allow-keyless" in result.stderr
    assert not (tmp_path / "keyless").exists()
    dynarc("dump", shop, "./keyless", *options, "--allow-keyless", at=source)
    dynarc("verify", "./keyless")
    assert same(archives.read_archive(tmp_path / "keyless"), [{"size": item["size"]} for item in rows()])
    result = dynarc("load", "./keyless", table, at=target, exit=3)
    assert "keys" in result.stderr
    assert table not in target.client.list_tables()["TableNames"]


@pytest.mark.parametrize(
    "options, told",
    [
        (["--index", "by-nothing"], [GSI, LSI]),
        (["--pk", "c1", "--index", "by-nothing"], [GSI, LSI]),
        (["--pk", "c1", "--sk", "four"], ["number", "N"]),
        (["--sk", "4"], ["--pk"]),
        (["--pk", "c1", "--sk", "4", "--sk-gt", "5"], ["sort key"]),
        (["--pk", "c1", "--sk-begins-with", "4"], ["number"]),
        (["--index", GSI, "--consistent"], ["consistent"]),
        (["--names", "{"], ["--names"]),
        (["--values", '{"a":1,"a":2}'], ["--values"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_refused_before_anything_is_made(dynarc, tmp_path, source, shop, options, told):
    result = dynarc("dump", shop, "./slice", *options, at=source, exit=2)
    for word in told:
        assert word in result.stderr
    assert not (tmp_path / "slice").exists()
