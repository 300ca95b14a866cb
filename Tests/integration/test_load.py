"""Loading: what is created, what is refused, what is rejected, what is counted."""

from __future__ import annotations

import json
import subprocess

import pytest

import archives
import tables
from items import keyed, random_items
from program import Side, environment_of
from record import MAXIMUM_ENTRIES

ITEMS = keyed([{"v": {"S": "dumped"}} | item for item in random_items(120, seed=6)])


@pytest.fixture(scope="module")
def stock(source: Side) -> str:
    name = "Stock"
    tables.create(source.client, name)
    tables.put_all(source.client, name, ITEMS)
    return name


@pytest.fixture
def archive(dynarc, tmp_path, source, stock):
    dynarc("dump", stock, "./archive", "--segments", 1, at=source)
    return tmp_path / "archive"


def exists(side: Side, table: str) -> bool:
    names = [name for page in side.client.get_paginator("list_tables").paginate() for name in page["TableNames"]]
    return table in names


def test_creates_the_table_with_its_indexes_and_billing(dynarc, source, target, table):
    key = tables.key_schema
    units = {"ReadCapacityUnits": 7, "WriteCapacityUnits": 5}
    tables.create(
        source.client,
        table,
        "pk:S",
        "sk:N",
        attributes=["a:S", "b:B"],
        BillingMode="PROVISIONED",
        ProvisionedThroughput=units,
        GlobalSecondaryIndexes=[
            {
                "IndexName": "global",
                "KeySchema": key(("a", "HASH"), ("b", "RANGE")),
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x.y", "z"]},
                "ProvisionedThroughput": {"ReadCapacityUnits": 3, "WriteCapacityUnits": 2},
            }
        ],
        LocalSecondaryIndexes=[
            {
                "IndexName": "local",
                "KeySchema": key(("pk", "HASH"), ("a", "RANGE")),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )
    dynarc("dump", table, "./archive", at=source)
    dynarc("load", "./archive", at=target)
    shapes = [shape(side.client.describe_table(TableName=table)["Table"]) for side in (source, target)]
    assert shapes[0] == shapes[1]
    assert shapes[1]["throughput"] == units


def shape(table: dict) -> dict:
    def throughput(settings: dict) -> dict:
        return {name: settings[name] for name in ("ReadCapacityUnits", "WriteCapacityUnits")}

    def projection(settings: dict) -> dict:
        return settings | {"NonKeyAttributes": sorted(settings.get("NonKeyAttributes", []))}

    def index(settings: dict) -> dict:
        return {
            "name": settings["IndexName"],
            "key": settings["KeySchema"],
            "projection": projection(settings["Projection"]),
            "throughput": throughput(settings["ProvisionedThroughput"]) if "ProvisionedThroughput" in settings else None,
        }

    return {
        "key": table["KeySchema"],
        "attributes": sorted((one["AttributeName"], one["AttributeType"]) for one in table["AttributeDefinitions"]),
        "throughput": throughput(table["ProvisionedThroughput"]),
        "global": [index(one) for one in table.get("GlobalSecondaryIndexes", [])],
        "local": [index(one) for one in table.get("LocalSecondaryIndexes", [])],
    }


def test_on_demand_stays_on_demand(dynarc, archive, target, table):
    dynarc("load", "./archive", table, at=target)
    described = target.client.describe_table(TableName=table)["Table"]
    assert described["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"


def test_counts_agree(dynarc, archive, target, table):
    report = dynarc("load", "./archive", table, "--json", at=target).json
    assert (report["items"], report["written"], report["rejected"]) == (len(ITEMS), len(ITEMS), 0)
    assert len(tables.read_all(target.client, table)) == len(ITEMS)


@pytest.fixture
def occupied(target, table):
    """The target holds one item that the archive has too, and one that it has not."""
    tables.create(target.client, table)
    mine = [ITEMS[0] | {"v": {"S": "mine"}}, {"pk": {"S": "other"}, "sk": {"S": "other"}}]
    tables.put_all(target.client, table, mine)
    return mine


def test_refuses_a_table_that_holds_items(dynarc, archive, target, table, occupied):
    result = dynarc("load", "./archive", table, at=target, exit=3)
    assert "--merge" in result.stderr and "--truncate" in result.stderr
    assert tables.differences(occupied, tables.read_all(target.client, table), ["pk", "sk"]) == []


def test_merge_puts_over_what_is_there(dynarc, archive, target, table, occupied):
    dynarc("load", "./archive", table, "--merge", at=target)
    found = tables.read_all(target.client, table)
    assert tables.differences([*ITEMS, occupied[1]], found, ["pk", "sk"]) == []


def test_truncate_empties_first(dynarc, archive, target, table, occupied):
    dynarc("load", "./archive", table, "--truncate", "--yes", at=target)
    assert tables.differences(ITEMS, tables.read_all(target.client, table), ["pk", "sk"]) == []


def test_truncate_asks(dynarc, archive, target, table, occupied):
    result = dynarc("load", "./archive", table, "--truncate", at=target, exit=2)
    assert "--yes" in result.stderr
    assert tables.differences(occupied, tables.read_all(target.client, table), ["pk", "sk"]) == []


@pytest.mark.parametrize(
    "partition, sort",
    [("pk:N", "sk:S"), ("pk:S", "sk:N"), ("pk:S", None), ("sk:S", "pk:S"), ("other:S", "sk:S")],
)
def test_another_key_is_refused_before_the_first_write(
    dynarc, archive, target, table, proxy_to, partition, sort
):
    tables.create(target.client, table, partition, sort)
    proxy = proxy_to(target)
    result = dynarc("load", "./archive", table, at=target.through(proxy), exit=3)
    assert "key" in result.stderr
    assert not set(proxy.record.operations) & {"BatchWriteItem", "PutItem", "CreateTable"}


def test_dry_run_writes_nothing(dynarc, archive, target, table, proxy_to):
    proxy = proxy_to(target)
    result = dynarc("load", "./archive", table, "--dry-run", at=target.through(proxy))
    assert table in result.stderr and str(len(ITEMS)) in result.stderr
    assert not exists(target, table)
    report = dynarc("load", "./archive", table, "--dry-run", "--json", at=target.through(proxy)).json
    assert (report["createsTable"], report["items"]) == (True, len(ITEMS))
    assert not set(proxy.record.operations) & {"BatchWriteItem", "PutItem", "CreateTable"}


@pytest.mark.parametrize("existing", ["--merge", "--truncate"])
def test_dry_run_leaves_items_alone(dynarc, archive, target, table, occupied, existing):
    dynarc("load", "./archive", table, "--dry-run", existing, at=target)
    assert tables.differences(occupied, tables.read_all(target.client, table), ["pk", "sk"]) == []


def test_rejected_items_are_set_aside(dynarc, archive, tmp_path, target, table, proxy_to):
    # A digest-perfect archive with items that no table takes: too many digits, an empty set.
    bad = [
        b'{"Item":{"pk":{"S":"bad"},"sk":{"S":"1"},"n":{"N":"' + b"9" * 39 + b'"}}}\n',
        b'{"Item":{"pk":{"S":"bad"},"sk":{"S":"2"},"set":{"SS":[]}}}\n',
    ]
    archives.edit_lines(archive, lambda lines: [*lines[:10], bad[0], *lines[10:70], bad[1], *lines[70:]])
    dynarc("verify", "./archive")
    proxy = proxy_to(target)
    result = dynarc("load", "./archive", table, "--json", at=target.through(proxy), exit=4)
    assert (result.json["written"], result.json["rejected"]) == (len(ITEMS), 2)
    assert "rejects.ndjson" in result.stderr
    rejects = (tmp_path / "rejects.ndjson").read_bytes().splitlines(keepends=True)
    for line in rejects:
        assert json.loads(line)["reason"]["message"]
    # The item stands in the file byte for byte.
    stored = sorted(line[line.index(b'"Item":') :] for line in rejects)
    assert stored == sorted(line[1:] for line in bad)
    assert tables.differences(ITEMS, tables.read_all(target.client, table), ["pk", "sk"]) == []
    assert proxy.record.batch_faults() == []


def test_batches_are_in_order(dynarc, archive, target, table, proxy_to):
    # The same key many times over, in one archive: never twice in a batch.
    def repeat(lines: list[bytes]) -> list[bytes]:
        return [line for line in lines[:30] for _ in range(4)]

    archives.edit_lines(archive, repeat)
    proxy = proxy_to(target)
    dynarc("load", "./archive", table, at=target.through(proxy))
    assert proxy.record.batch_faults() == []
    assert sum(batch.entries for batch in proxy.record.batches) == 120
    assert max(batch.entries for batch in proxy.record.batches) <= MAXIMUM_ENTRIES
    assert len(tables.read_all(target.client, table)) == 30


def test_big_items_stay_under_the_limit_of_a_batch(dynarc, tmp_path, source, target, table, proxy_to):
    # Six bytes of JSON for each one stored: 25 of these are 45 MB on the wire.
    rows = keyed([{"v": {"S": "\x01" * 300_000}} for _ in range(30)])
    tables.create(source.client, table)
    tables.put_all(source.client, table, rows)
    dynarc("dump", table, "./big", at=source)
    proxy = proxy_to(target)
    dynarc("load", "./big", table, at=target.through(proxy))
    assert proxy.record.batch_faults() == []
    assert tables.compare_tables(source.client, table, target.client, table) == []


def test_a_dry_run_refuses_what_the_load_would_refuse(dynarc, archive, target, table):
    chunk = next((archive / "data").iterdir())
    chunk.write_bytes(chunk.read_bytes()[:-1])
    assert chunk.name in dynarc("load", "./archive", table, "--dry-run", at=target, exit=3).stderr


def test_a_slice_over_other_items_is_warned_of(dynarc, source, stock, target, table):
    dynarc("dump", stock, "./whole", at=source)
    dynarc("load", "./whole", table, at=target)
    dynarc("dump", stock, "./slice", "--filter", "attribute_exists(pk)", at=source)
    told = dynarc("load", "./slice", table, "--merge", "--dry-run", at=target).stderr
    assert "only some of the source's items" in told


def test_load_does_not_write_into_the_archive(dynarc, archive, binary, tmp_path, target, table):
    done = subprocess.run(
        [binary, "load", ".", table],
        cwd=archive, env=environment_of(tmp_path / "home", target), capture_output=True,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    dynarc("verify", "./archive")


def test_a_create_table_whose_answer_is_lost(dynarc, archive, proxy_to, source, stock, target, table):
    proxy = proxy_to(target, [{"kind": "truncate", "operation": "CreateTable", "first": 1}])
    dynarc("load", "./archive", table, at=target.through(proxy))
    assert tables.compare_tables(source.client, stock, target.client, table) == []
