"""Copying a slice, and `--replace` beside people who read and write."""

from __future__ import annotations

import random
import subprocess
import threading
import time

import pytest

import servers
import tables
from copies import BOTH, wait_for, write_profiles
from program import Side, environment_of

KEYS = ["pk", "sk"]
PLAINLY = ("--backup", "none", "--yes")
STATUSES = ("open", "paid")


def item(number: int, side: str, status: str | None = None) -> dict:
    return {
        "pk": {"S": f"p{number % 10}"},
        "sk": {"S": f"s{number:03}"},
        "status": {"S": status or STATUSES[number % 2]},
        "side": {"S": side},
        "more": {"M": {"number": {"N": f"{number}"}}},
    }


SOURCE = [item(number, "source") for number in range(300)]
# Every third of the source's, some with another status, and 30 of its own.
TARGET = [item(number, "target", "paid" if number % 4 == 0 else None) for number in range(0, 300, 3)]
TARGET += [item(number, "target") for number in range(300, 330)]


def create(side: Side, table: str, projection: dict, sort: str = "sk") -> None:
    tables.create(
        side.client, table, attributes=["status:S"],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-status",
                "KeySchema": tables.key_schema(("status", "HASH"), (sort, "RANGE")),
                "Projection": projection,
            }
        ],
    )  # fmt: skip


KEYS_ONLY = {"ProjectionType": "KEYS_ONLY"}
PROJECTIONS = [
    {"ProjectionType": "ALL"},
    KEYS_ONLY,
    {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["side"]},
]


@pytest.fixture
def copy(dynarc, tmp_path, source, target, table):
    def run(*arguments, source=source, target=target, **options):
        write_profiles(tmp_path / "home", production=source, development=target)
        return dynarc("copy", table, *BOTH, *arguments, **options)

    return run


@pytest.fixture
def both(source, target, table):
    """The table on both sides, with an index of keys."""
    for side, items in ((source, SOURCE), (target, TARGET)):
        create(side, table, KEYS_ONLY)
        tables.put_all(side.client, table, items)


def by_key(items):
    return {(one["pk"]["S"], one["sk"]["S"]): one for one in items}


def expected(in_slice, mode: str = "--replace") -> list[dict]:
    """What the target holds after a slice was copied into it."""
    source, result = by_key(SOURCE), by_key(TARGET)
    for key, one in list(result.items()):
        if not in_slice(one) or mode == "--merge":
            continue
        if mode == "--truncate-first":
            del result[key]
        elif key not in source:
            del result[key]
        else:
            # The source has it, be it outside its own slice.
            result[key] = source[key]
    result |= {key: one for key, one in source.items() if in_slice(one)}
    return list(result.values())


def found(side: Side, table: str, items: list[dict]) -> list[str]:
    return tables.differences(items, tables.read_all(side.client, table), KEYS)


SLICES = [
    (("--pk", "p4"), lambda one: one["pk"]["S"] == "p4"),
    (
        ("--pk", "p4", "--sk-between", "s100", "s310"),
        lambda one: one["pk"]["S"] == "p4" and "s100" <= one["sk"]["S"] <= "s310",
    ),
    (
        ("--filter", "#s = :s", "--names", '{"#s":"status"}', "--values", '{":s":{"S":"open"}}'),
        lambda one: one["status"]["S"] == "open",
    ),
    (("--index", "by-status", "--pk", "open"), lambda one: one["status"]["S"] == "open"),
    (
        ("--index", "by-status", "--pk", "open", "--sk-ge", "s150"),
        lambda one: one["status"]["S"] == "open" and one["sk"]["S"] >= "s150",
    ),
    (("--index", "by-status"), lambda one: True),
]


@pytest.mark.parametrize("mode", ["--merge", "--replace", "--truncate-first"])
@pytest.mark.parametrize("slice, holds", SLICES, ids=[" ".join(options[:4]) for options, _ in SLICES])
def test_a_slice_into_a_table_that_holds_items(copy, both, target, table, slice, holds, mode):
    report = copy(*slice, mode, *PLAINLY, "--json").json
    assert found(target, table, expected(holds, mode)) == []
    assert report["read"] == report["written"] and report["rejected"] == 0


@pytest.mark.parametrize("projection", PROJECTIONS, ids=lambda one: one["ProjectionType"])
def test_items_of_an_index_come_whole(copy, source, target, table, proxy_to, projection):
    create(source, table, projection)
    tables.put_all(source.client, table, SOURCE)
    proxy = proxy_to(source)
    report = copy("--index", "by-status", "--pk", "open", "--json", source=source.through(proxy)).json
    wanted = [one for one in SOURCE if one["status"]["S"] == "open"]
    assert (report["read"], report["gone"]) == (len(wanted), 0)
    assert found(target, table, wanted) == []
    assert ("BatchGetItem" in proxy.record.operations) == (projection["ProjectionType"] != "ALL")


@pytest.mark.parametrize("kind", ["unprocessed_keys", "garbage", "bad_crc", "reset_in_body", "internal_error", "throttle"])
def test_faults_of_reads_by_key(copy, both, source, target, table, proxy_to, kind):
    """Nothing that an answer fails to tell is taken for missing."""
    proxy = proxy_to(source, [{"kind": kind, "operation": "BatchGetItem", "first": 2}])
    report = copy(
        "--index", "by-status", "--pk", "open", "--replace", *PLAINLY, "--json", source=source.through(proxy)
    ).json
    assert proxy.record.faults[kind] == 2
    assert report["retries"]["unprocessedItems" if kind == "unprocessed_keys" else "total"] > 0
    assert found(target, table, expected(lambda one: one["status"]["S"] == "open")) == []


def test_the_target_needs_the_index_to_delete_by_it(copy, source, target, table):
    create(source, table, KEYS_ONLY)
    tables.put_all(source.client, table, SOURCE)
    tables.create(target.client, table)
    tables.put_all(target.client, table, TARGET)
    slice = ("--index", "by-status", "--pk", "open")
    for mode in ("--replace", "--truncate-first"):
        said = copy(*slice, mode, *PLAINLY, exit=2).stderr
        assert "no index" in said and "--merge" in said
    assert found(target, table, TARGET) == []
    copy(*slice, "--merge", *PLAINLY)
    assert found(target, table, expected(lambda one: one["status"]["S"] == "open", "--merge")) == []


def test_an_index_of_another_key_is_no_slice(copy, source, target, table):
    create(source, table, KEYS_ONLY)
    tables.put_all(source.client, table, SOURCE)
    create(target, table, KEYS_ONLY, sort="pk")
    tables.put_all(target.client, table, TARGET)
    said = copy("--index", "by-status", "--pk", "open", "--replace", *PLAINLY, exit=2).stderr
    assert "not like the source's" in said
    assert found(target, table, TARGET) == []


def test_an_item_that_is_added_meanwhile_is_kept(binary, tmp_path, source, target, table, proxy_to):
    """The target has it, and the source gets it after it was scanned."""
    for side, items in ((source, SOURCE), (target, TARGET)):
        tables.create(side.client, table)
        tables.put_all(side.client, table, items)
    reads = proxy_to(source)
    writes = proxy_to(target, [{"kind": "stall", "operation": "BatchWriteItem", "seconds": 0.5}])
    write_profiles(tmp_path / "home", production=source.through(reads), development=target.through(writes))
    process = subprocess.Popen(
        [str(binary), "copy", table, *BOTH, "--replace", *PLAINLY, "--segments", "1", "--json"],
        cwd=tmp_path, env=environment_of(tmp_path / "home"), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        # The whole table is one page.
        wait_for(lambda: writes.record.operations["BatchWriteItem"] >= 2)
        added = item(310, "added meanwhile")
        source.client.put_item(TableName=table, Item=added)
        out, said = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, said
    assert b'"caughtUp": 1' in out
    assert found(target, table, [*SOURCE, added]) == []


def test_one_side_may_rest_while_the_other_is_busy(copy, source, target, table, proxy_to):
    """The first read by key comes long after the last page of the source, and is left unprocessed."""
    for side in (source, target):
        tables.create(side.client, table)
        tables.put_all(side.client, table, SOURCE[:20])
    tables.put_all(target.client, table, TARGET[-30:])
    # Only one of the target's own, in the segment that is read last.
    last = target.client.scan(TableName=table, Segment=7, TotalSegments=8)["Items"]
    own = next(one for one in last if one in TARGET[-30:])
    for one in TARGET[-30:]:
        if one != own:
            target.client.delete_item(TableName=table, Key={name: one[name] for name in KEYS})
    reads = proxy_to(source, [{"kind": "unprocessed_keys", "share": 1.0, "first": 1}])
    writes = proxy_to(target, [{"kind": "stall", "operation": "Scan", "seconds": 0.6}])
    report = copy(
        "--replace", *PLAINLY, "--segments", 8, "--concurrency", 1, "--give-up-after", "2s", "--json",
        source=source.through(reads), target=target.through(writes),
    ).json  # fmt: skip
    assert (report["deleted"], report["retries"]["unprocessedItems"]) == (1, 1)
    assert tables.compare_tables(source.client, table, target.client, table) == []


def test_readers_never_miss_an_item_that_both_hold(copy, source, target, table):
    """While a table is replaced, and others change the source."""
    count, own = 3000, 1000
    tables.create(source.client, table)
    tables.create(target.client, table)
    for side, name, numbers in ((source, "source", range(count)), (target, "target", range(count + own))):
        tables.put_all(side.client, table, [item(number, name) for number in numbers])
    looked, missed, stop = [0], [], threading.Event()

    def look(seed: int) -> None:
        client, dice = servers.client(target.endpoint, account=target.account), random.Random(seed)
        while not stop.is_set():
            wanted = [item(number, "") for number in dice.sample(range(count), 50)]
            keys = [{name: one[name] for name in KEYS} for one in wanted]
            answer = client.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
            got = by_key(answer["Responses"][table])
            assert not answer["UnprocessedKeys"]
            missed.extend(key for key in by_key(wanted) if key not in got)
            looked[0] += len(keys)

    readers = [threading.Thread(target=look, args=(seed,)) for seed in range(3)]
    for reader in readers:
        reader.start()
    try:
        time.sleep(0.3)
        report = copy("--replace", *PLAINLY, "--json").json
    finally:
        stop.set()
        for reader in readers:
            reader.join()
    assert looked[0] > 1000 and missed == []
    assert (report["written"], report["deleted"]) == (count, own)
    assert tables.compare_tables(source.client, table, target.client, table) == []
