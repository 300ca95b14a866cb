"""Budgets hold, concurrency finds the table's limit, what throttles is named, and a job that no
longer moves ends."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import archives
import tables
from capacity import Capacity
from program import Side, run_dynarc

pytestmark = pytest.mark.alone

# 5.5 read units each, eventually consistent.
WIDE = 190
# 2 write units each.
HEAVY = 4000
KEYS = ["pk", "sk"]


def items(count: int, size: int) -> list[dict]:
    return [{"pk": {"S": f"{n:05}"}, "sk": {"S": "-"}, "v": {"S": "x" * size}} for n in range(count)]


def filled(source: Side, name: str, content: list[dict]) -> str:
    tables.create(source.client, name)
    tables.put_all(source.client, name, content)
    return name


@pytest.fixture(scope="module")
def wide(source: Side) -> str:
    return filled(source, "Wide", items(WIDE, 42_000))


@pytest.fixture(scope="module")
def heavy(source: Side, binary, tmp_path_factory):
    """An archive of many small items."""
    filled(source, "Heavy", items(HEAVY, 1_900))
    place = tmp_path_factory.mktemp("heavy")
    run_dynarc(binary, place, place, "dump", "Heavy", "./archive", at=source)
    return place / "archive"


@pytest.fixture(scope="module")
def few(source: Side, binary, tmp_path_factory):
    filled(source, "Few", items(300, 100))
    place = tmp_path_factory.mktemp("few")
    run_dynarc(binary, place, place, "dump", "Few", "./archive", at=source)
    return place / "archive"


def test_budgets_hold_over_any_ten_seconds(dynarc, tmp_path, source, target, wide, heavy, table, proxy_to):
    """A dump and a load side by side, each against a budget that makes it last 17 s or more."""
    read_units, write_units = 60, 450
    read_proxy, write_proxy = proxy_to(source), proxy_to(target)
    reads = read_proxy.set_capacity(Capacity())
    writes = write_proxy.set_capacity(Capacity())
    with ThreadPoolExecutor(2) as pool:
        # Many short segments, so that the last of them are not a queue of single pages.
        options = ("--read-units", read_units, "--segments", 48, "--json")
        dump = pool.submit(dynarc, "dump", wide, "./wide", *options, at=source.through(read_proxy))
        options = ("--write-units", write_units, "--json")
        load = pool.submit(dynarc, "load", heavy, table, *options, at=target.through(write_proxy))
        dumped, loaded = dump.result().json, load.result().json
    assert (dumped["items"], loaded["written"]) == (WIDE, HEAVY)
    assert dumped["consumedReadUnits"] == sum(use.units for use in reads.uses)
    # The answer to the question whether the table is empty costs a little that is nobody's item.
    writes.uses = [use for use in writes.uses if use.operation == "BatchWriteItem"]
    assert loaded["consumedWriteUnits"] == sum(use.units for use in writes.uses) == 2 * HEAVY
    for capacity, budget in ((reads, read_units), (writes, write_units)):
        assert capacity.uses[-1].time - capacity.uses[0].time >= 15
        least, most = capacity.windows()
        assert 0.95 <= least / (10 * budget) and most / (10 * budget) <= 1.05


def test_concurrency_finds_the_limit(dynarc, target, heavy, table, proxy_to):
    """8,000 units against 2,000 a second, where 16 requests at once would be 13,000."""
    proxy = proxy_to(target)
    capacity = proxy.set_capacity(Capacity(limit=2_000, latency=0.05))
    start = time.monotonic()
    report = dynarc("load", heavy, table, "--json", at=target.through(proxy)).json
    assert report["written"] == HEAVY
    assert proxy.record.batch_faults() == []
    assert 0 < capacity.throttles < 0.15 * capacity.requests
    assert report["retries"]["throttled"] == capacity.throttles
    # A second of burst, then the limit: 3.5 s would be perfect.
    assert time.monotonic() - start < 10


def test_an_index_that_holds_the_table_back_is_named(dynarc, target, few, table, proxy_to):
    proxy = proxy_to(target)
    capacity = proxy.set_capacity(Capacity(limit=80, index="by-customer"))
    result = dynarc("load", few, table, "--json", at=target.through(proxy))
    told = "index by-customer holds the table back (IndexWriteProvisionedThroughputExceeded)"
    assert result.stderr.count(told) == 1
    (cause,) = result.json["throttledBy"]
    assert cause["resource"].endswith(f"table/{table}/index/by-customer")
    assert cause["reason"] == "IndexWriteProvisionedThroughputExceeded"
    assert cause["times"] == result.json["retries"]["throttled"] == capacity.throttles


def test_a_job_that_is_throttled_to_death_gives_up(dynarc, tmp_path, source, target, wide, few, table, proxy_to):
    options = ("--give-up-after", "3s")
    start = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        way = source.through(proxy_to(source, [{"kind": "throttle", "operation": "Scan", "skip": 2}]))
        dump = pool.submit(dynarc, "dump", wide, "./wide", *options, at=way, exit=4)
        way = target.through(proxy_to(target, [{"kind": "throttle", "operation": "BatchWriteItem"}]))
        load = pool.submit(dynarc, "load", few, table, *options, at=way, exit=4)
        results = [dump.result(), load.result()]
    for result in results:
        assert "nothing has moved for 3 s" in result.stderr
        assert "dynarc: hint: " in result.stderr
    # Four attempts of a call under way take 7 s of pauses at most.
    assert 3 <= time.monotonic() - start < 15
    assert not (tmp_path / "wide" / "SHA256SUMS").exists()


def test_retries_are_told_by_kind(dynarc, tmp_path, source, wide, proxy_to):
    kinds = {
        "throttle": "throttled",
        "unavailable": "serverErrors",
        "bad_crc": "checksumMismatches",
        # Not a reset: curl itself sends again what a kept-alive connection lost before its answer.
        "truncate": "transportFailures",
        "garbage": "badAnswers",
    }
    # One at a time, so that each request meets one fault at most, and the counts are exact.
    rules = [{"kind": kind, "operation": "Scan", "first": 3} for kind in kinds]
    proxy = proxy_to(source, rules)
    options = ("--concurrency", 1, "--segments", 6)
    result = dynarc("dump", wide, "./wide", *options, at=source.through(proxy))
    summary = result.stderr.splitlines()
    assert any(
        line == "retried 15 times: 3 throttled, 3 server errors, 3 reset, cut or stalled connections, "
        "3 bad checksums, 3 answers that made no sense"
        for line in summary
    ), result.stderr
    proxy.set_rules(rules)
    report = dynarc("dump", wide, "./again", *options, "--json", at=source.through(proxy)).json
    assert {name: report["retries"][name] for name in kinds.values()} == dict.fromkeys(kinds.values(), 3)
    assert (report["retries"]["total"], report["retries"]["unprocessedItems"]) == (15, 0)
    found = archives.read_archive(tmp_path / "again")
    assert tables.differences(tables.read_all(source.client, wide), found, KEYS) == []


def test_a_percentage_is_of_the_provisioned_throughput(dynarc, source, table, proxy_to):
    units = {"ReadCapacityUnits": 200, "WriteCapacityUnits": 10}
    tables.create(source.client, table, BillingMode="PROVISIONED", ProvisionedThroughput=units)
    tables.put_all(source.client, table, items(12, 42_000))
    proxy = proxy_to(source)
    capacity = proxy.set_capacity(Capacity())
    start = time.monotonic()
    dynarc("dump", table, "./archive", "--read-units", "10%", at=source.through(proxy))
    # 66 units at 20 a second.
    assert sum(use.units for use in capacity.uses) >= 60
    assert time.monotonic() - start >= 2.5


def test_a_percentage_of_nothing_is_wrong_usage(dynarc, tmp_path, source, wide):
    result = dynarc("dump", wide, "./wide", "--read-units", "50%", at=source, exit=2)
    assert "nothing to take 50% of" in result.stderr and "--read-units" in result.stderr
    assert not (tmp_path / "wide").exists()


@pytest.mark.parametrize(
    "option",
    [("--read-units", "0"), ("--read-units", "0.5"), ("--read-units", "101%"), ("--give-up-after", "15")],
    ids=" ".join,
)
def test_wrong_values(dynarc, source, wide, option):
    result = dynarc("dump", wide, "./wide", *option, at=source, exit=2)
    assert result.stderr.startswith("dynarc: error: ") and option[1] in result.stderr
