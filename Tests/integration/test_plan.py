"""`dynarc plan`: what a dump or a load takes, held to the size rules, to the server and to what it did take."""

from __future__ import annotations

import json
import shutil
from math import ceil

import pytest

import archives
import sizes
import tables
from items import Item, corner_cases, keyed, random_items
from program import Side, run_dynarc

PRICES = {
    "date": "2030-01-02", "currency": "EUR", "region": "eu-central-1",
    "standard": {"readMillion": 1000000, "writeMillion": 2000000},
    "infrequentAccess": {"readMillion": 3000000, "writeMillion": 4000000}, "storageGBMonth": 1073741824,
}  # fmt: skip
# Keys, and what is projected beside them: nothing but keys, all, or some.
INDEXES: dict[str, tuple[list[str], list[str] | None]] = {
    "by-size": (["pk", "size"], ["sk"]),
    "by-all": (["group"], None),
    "by-keys": (["group", "size"], ["pk", "sk"]),
    "by-some": (["group"], ["pk", "sk", "numbers", "dotted.name"]),
}


def create(side: Side, table: str, **more) -> None:
    key = tables.key_schema
    throughput = {"ProvisionedThroughput": more["ProvisionedThroughput"]} if "ProvisionedThroughput" in more else {}
    index = lambda name, keys, projection: {
        "IndexName": name, "KeySchema": key(*zip(keys, ("HASH", "RANGE"))), "Projection": projection,
    }  # fmt: skip
    tables.create(
        side.client, table, attributes=["group:S", "size:N"],
        LocalSecondaryIndexes=[index("by-size", ["pk", "size"], {"ProjectionType": "KEYS_ONLY"})],
        GlobalSecondaryIndexes=[
            index("by-all", ["group"], {"ProjectionType": "ALL"}) | throughput,
            index("by-keys", ["group", "size"], {"ProjectionType": "KEYS_ONLY"}) | throughput,
            index("by-some", ["group"], {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["numbers", "dotted.name"]})
            | throughput,
        ],
        **more,
    )  # fmt: skip


def rows() -> list[Item]:
    """Of 320 items some are in no index, some in several; sizes from a few bytes to 400 KB."""
    found = [*corner_cases(), *random_items(300, seed=8)]
    for n, item in enumerate(found):
        for name in ("size", "group", "pk", "sk"):
            item.pop(name, None)
        if n % 2:
            item["group"] = {"S": f"g{n % 5}"}
        if n % 3 == 0:
            item["size"] = {"N": str(n)}
        if n % 7 == 0:
            item["padding"] = {"S": "ü" * (n * 10)}
    return keyed(found)


def wanted(items: list[Item]) -> dict[str | None, dict[str, int]]:
    """Items, bytes and write units of the table and of each index, by the reference."""
    parts = {None: [*items]} | {
        name: [one for item in items if (one := sizes.projected(item, keys, others)) is not None]
        for name, (keys, others) in INDEXES.items()
    }
    return {
        name: {
            "items": len(held),
            "bytes": sum(map(sizes.item, held)),
            "writeUnits": sum(sizes.write_units(sizes.item(one)) for one in held),
        }
        for name, held in parts.items()
    }


@pytest.fixture(scope="module")
def full(source: Side) -> str:
    create(source, "Planned")
    tables.put_all(source.client, "Planned", rows())
    return "Planned"


@pytest.fixture(scope="module")
def archive(binary, tmp_path_factory, source, full):
    place = tmp_path_factory.mktemp("planned")
    run_dynarc(binary, place, place, "dump", full, "./archive", "--segments", 4, at=source)
    return place / "archive"


def parts(report: dict) -> dict[str | None, dict[str, int]]:
    return {part.pop("index"): part for part in report["parts"]}


def test_a_load_item_by_item(dynarc, archive):
    """Without a table nobody is asked: there are no credentials, no region, no network."""
    report = dynarc("plan", "load", archive, "--json").json
    found, reference = parts(report), wanted(archives.read_archive(archive))
    assert found == reference
    units = sum(part["writeUnits"] for part in reference.values())
    assert report["writeUnits"] == units
    assert report["items"] == 320 and report["createsTable"]
    assert report["cost"] == {
        "currency": "USD", "amount": pytest.approx(units * 0.625e-6, abs=1e-9), "prices": "2026-09-11", "region": "us-east-1",
    }  # fmt: skip
    assert (report["unitsPerSecond"], report["rateFrom"]) == (4000, "newTable")
    assert report["storage"]["bytes"] == sum(part["bytes"] + 100 * part["items"] for part in reference.values())


def test_items_one_by_one(dynarc, archive, tmp_path):
    """So that no error makes up for another: each item by itself, its units too."""
    lines = [line for chunk in archives.chunk_files(archive) for line in archives.decompress(chunk).splitlines(keepends=True)]
    copy = tmp_path / "one"
    shutil.copytree(archive, copy)
    for chunk in archives.chunk_files(copy)[1:]:
        archives.edit_manifest(copy, lambda document, name=f"data/{chunk.name}": without(document, name))
        chunk.unlink()
    archives.seal(copy)
    assert len(lines) == 320
    for line in lines[::4]:
        archives.edit_lines(copy, lambda _: [line])
        assert parts(dynarc("plan", "load", copy, "--json").json) == wanted(archives.read_archive(copy)), line[:200]


def without(document: dict, name: str) -> dict:
    rows = [row for row in document["chunks"] if row["name"] != name]
    counts = document["counts"] | {
        member: sum(row[member] for row in rows) for member in ("items", "contentBytes", "storedBytes")
    }
    return document | {"chunks": rows, "counts": counts}


def test_the_units_are_those_that_the_server_tells(source, target, table):
    """Item by item into an empty table, where ministack reckons with the items' sizes."""
    create(target, table)
    for item in rows():
        told = target.client.put_item(TableName=table, Item=item, ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
        expected = {name: part["writeUnits"] for name, part in wanted([item]).items() if part["writeUnits"]}
        found = {None: told["Table"]["CapacityUnits"]} | {
            name: one["CapacityUnits"]
            for kind in ("LocalSecondaryIndexes", "GlobalSecondaryIndexes")
            for name, one in told.get(kind, {}).items()
        }
        assert found == expected, str(item)[:300]


def test_a_load_does_take_that(dynarc, archive, target, table):
    report = dynarc("plan", "load", archive, "--json").json
    loaded = dynarc("load", archive, table, "--json", at=target).json
    assert loaded["consumedWriteUnits"] == report["writeUnits"]


def test_a_load_into_a_table_that_is_there(dynarc, archive, target, table):
    """Its indexes count, and its capacity: 10 units a second, of which each index has its own."""
    create(
        target, table, BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 20, "WriteCapacityUnits": 10},
    )  # fmt: skip
    run = lambda *more: dynarc("plan", "load", archive, table, "--json", *more, at=target).json
    report = run()
    found = parts(report)
    assert report["billing"] == "provisioned" and report["cost"] is None and not report["createsTable"]
    own = found[None]["writeUnits"] + found["by-size"]["writeUnits"]
    slowest = max(own, *(found[name]["writeUnits"] for name in ("by-all", "by-keys", "by-some")))
    assert report["seconds"] == pytest.approx(slowest / 10, abs=0.001)
    assert run("--write-units", "7")["seconds"] == pytest.approx(report["writeUnits"] / 7, abs=0.001)
    assert run("--write-units", "50%")["unitsPerSecond"] == 5
    assert "paid by the hour" in dynarc("plan", "load", archive, table, at=target).stdout.decode()


def test_a_table_that_cannot_be_asked_about(dynarc, archive):
    result = dynarc("plan", "load", archive, "Nowhere", "--json")
    assert result.json["createsTable"] and "could not be asked" in result.stderr


def test_other_prices(dynarc, archive, tmp_path):
    (tmp_path / "prices.json").write_text(json.dumps(PRICES))
    report = dynarc("plan", "load", archive, "--json", "--prices", "prices.json").json
    assert report["cost"] == {"currency": "EUR", "amount": 2 * report["writeUnits"], "prices": "2030-01-02", "region": "eu-central-1"}
    assert report["storage"]["amountPerMonth"] == report["storage"]["bytes"]
    text = dynarc("plan", "load", archive, "--prices", "prices.json").stdout.decode()
    assert "EUR (prices of 2030-01-02, eu-central-1)" in text


@pytest.mark.parametrize(
    "edit, told",
    [({"discount": 1}, "discount"), ({"storageGBMonth": -1}, "storageGBMonth"), ({"standard": {}}, "standard.readMillion"),
     ({"date": "soon"}, "date")],
)  # fmt: skip
def test_a_price_file_that_is_none(dynarc, archive, tmp_path, edit, told):
    (tmp_path / "prices.json").write_text(json.dumps(PRICES | edit))
    result = dynarc("plan", "load", archive, "--prices", "prices.json", exit=2)
    assert told in result.stderr and result.stdout == b""
    assert "nothing.json" in dynarc("plan", "load", archive, "--prices", "nothing.json", exit=2).stderr


def test_a_dump_by_the_counts_of_the_service(dynarc, source, full):
    described = source.client.describe_table(TableName=full)["Table"]
    run = lambda *more: dynarc("plan", "dump", full, "--json", *more, at=source).json
    report = run()
    assert (report["items"], report["bytes"]) == (described["ItemCount"], described["TableSizeBytes"])
    assert report["readUnits"] == 0.5 * ceil(described["TableSizeBytes"] / 4096)
    assert report["cost"]["amount"] == pytest.approx(report["readUnits"] * 0.125e-6, abs=1e-9)
    assert (report["rateFrom"], report["unitsPerSecond"]) == ("newTable", 12000)
    assert run("--consistent")["readUnits"] == 2 * report["readUnits"]
    assert run("--read-units", "2")["seconds"] == report["readUnits"] / 2
    assert [part["index"] for part in report["parts"]][0] is None
    assert {part["index"] for part in report["parts"]} == {None, *INDEXES}
    index = next(one for one in described["GlobalSecondaryIndexes"] if one["IndexName"] == "by-all")
    assert run("--index", "by-all")["bytes"] == index["IndexSizeBytes"]
    text = dynarc("plan", "dump", full, at=source).stdout.decode()
    assert "Read units" in text and "Index by-all" in text and "$0.0000" in text


def test_plans_that_cannot_be(dynarc, source, full, archive, tmp_path):
    assert "by-nothing" in dynarc("plan", "dump", full, "--index", "by-nothing", at=source, exit=2).stderr
    assert "NoSuchTable" in dynarc("plan", "dump", "NoSuchTable", at=source, exit=3).stderr
    assert "maximum" in dynarc("plan", "dump", full, "--read-units", "5%", at=source, exit=2).stderr
    dynarc("dump", full, "./keyless", "--projection", "padding", "--allow-keyless", at=source)
    assert "keys" in dynarc("plan", "load", "./keyless", exit=3).stderr
    copy = tmp_path / "damaged"
    shutil.copytree(archive, copy)
    archives.chunk_files(copy)[0].write_bytes(b"")
    assert "data/" in dynarc("plan", "load", copy, exit=3).stderr


def test_changes_count_by_their_last_state(dynarc, source, target, archive, table):
    """A chain: what is written of it once, and no more."""
    create(target, table)
    tables.put_all(target.client, table, rows()[:100])
    dynarc("dump", table, "./changes", "--base", archive, at=target, exit=None)
    options = ("load", archive, "--changes", "./changes")
    report = dynarc("plan", *options, "--json").json
    assert parts(report) == wanted(tables.read_all(target.client, table))


def priced(report: dict, amount: float) -> None:
    assert report["cost"] == {
        "currency": "USD", "amount": pytest.approx(amount, abs=1e-9), "prices": "2026-09-11", "region": "us-east-1",
    }  # fmt: skip


def test_what_it_did_cost(dynarc, source, target, full, table):
    """At the end of each job: in --json, and in a line."""
    read = lambda report, name="consumedReadUnits": report[name] * 0.125e-6
    written = lambda report: report["consumedWriteUnits"] * 0.625e-6
    report = dynarc("dump", full, "./archive", "--json", at=source).json
    priced(report, read(report))
    assert "cost: $0.0000" in dynarc("dump", full, "./again", at=source).stderr

    report = dynarc("load", "./archive", table, "--json", at=target).json
    priced(report, written(report))
    assert "cost: $0.00" in dynarc("load", "./archive", table, "--merge", at=target).stderr

    target.client.delete_item(TableName=table, Key={"pk": {"S": "p0"}, "sk": {"S": "s0"}})
    report = dynarc("dump", table, "./changes", "--base", "./archive", "--with-old", "--json", at=target).json
    priced(report, read(report))
    report = dynarc("apply", "./changes", table, "--reverse", "--guard", "--yes", "--json", at=target).json
    assert report["consumedReadUnits"] > 0 and report["consumedWriteUnits"] > 0
    priced(report, read(report) + written(report))

    report = dynarc("copy", full, "--target-table", f"{full}-{table}", "--json", at=source).json
    priced(report, read(report) + read(report, "consumedTargetReadUnits") + written(report))


def test_provisioned_capacity_has_no_price(dynarc, source, target, archive, table):
    create(
        target, table, BillingMode="PROVISIONED",
        ProvisionedThroughput={"ReadCapacityUnits": 20, "WriteCapacityUnits": 10},
    )  # fmt: skip
    result = dynarc("load", archive, table, at=target)
    assert "write units" in result.stderr and "cost" not in result.stderr
    assert dynarc("dump", table, "./back", "--json", at=target).json["cost"] is None


def test_other_classes_have_other_prices(dynarc, target, table):
    tables.create(target.client, table, TableClass="STANDARD_INFREQUENT_ACCESS")
    tables.put_all(target.client, table, [{"pk": {"S": "p"}, "sk": {"S": "s"}}])
    report = dynarc("dump", table, "./rare", "--json", at=target).json
    priced(report, report["consumedReadUnits"] * 0.155e-6)
    report = dynarc("load", "./rare", f"{table}-2", "--json", at=target).json
    priced(report, report["consumedWriteUnits"] * 0.78e-6)
    assert "not known" in dynarc("plan", "dump", table, at=target).stdout.decode()


def test_prices_are_read_before_anything_is_done(dynarc, source, full, tmp_path):
    dynarc("dump", full, "./archive", "--prices", "nothing.json", at=source, exit=2)
    assert not (tmp_path / "archive").exists()
