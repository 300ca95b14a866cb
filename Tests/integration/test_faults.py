"""With everything going wrong on the way, dump and load end complete: none lost, none changed."""

from __future__ import annotations

import pytest

import archives
import tables
from items import keyed, random_items
from program import Side, run_dynarc

COUNT = 1500
KEYS = ["pk", "sk"]


@pytest.fixture(scope="module")
def weather(source: Side) -> str:
    name = "Weather"
    tables.create(source.client, name)
    padding = {"padding": {"S": "x" * 2_000}}
    tables.put_all(source.client, name, keyed([padding | item for item in random_items(COUNT, seed=7)]))
    return name


# At least one refusal for certain, and then at random.
def rules(kind: str, operation: str, **more: object) -> list[dict]:
    once = {"kind": kind, "operation": operation, "first": 1}
    often = {"kind": kind, "operation": operation, "rate": 0.15, "seed": 11}
    return [once | more, often | more]


ANSWER_FAULTS = [
    "throttle",
    "internal_error",
    "unavailable",
    "reset",
    "reset_in_body",
    "truncate",
    "bad_crc",
    "garbage",
]
SLOW_FAULTS = ["stall", "slow_drip"]


@pytest.mark.parametrize("kind", ANSWER_FAULTS + SLOW_FAULTS)
def test_dump_through(dynarc, tmp_path, source, weather, proxy_to, kind):
    proxy = proxy_to(source, rules(kind, "Scan", seconds=0.5))
    options = ("--segments", 8, "--json")
    report = dynarc("dump", weather, "./archive", *options, at=source.through(proxy)).json
    assert proxy.record.faults[kind] > 0
    assert report["items"] == COUNT
    # curl itself sends again what a kept-alive connection lost before its answer, and tells nobody.
    if kind in ANSWER_FAULTS and kind != "reset":
        assert report["retries"]["total"] > 0
    dynarc("verify", "./archive")
    found = archives.read_archive(tmp_path / "archive")
    assert tables.differences(tables.read_all(source.client, weather), found, KEYS) == []


@pytest.fixture(scope="module")
def dumped(binary, tmp_path_factory, source, weather):
    """One dump for all loads."""
    place = tmp_path_factory.mktemp("dumped")
    run_dynarc(binary, place, place, "dump", weather, "./archive", "--segments", 4, at=source)
    return place / "archive"


@pytest.mark.parametrize(
    "kind", ANSWER_FAULTS + SLOW_FAULTS + ["partial_unprocessed", "total_unprocessed"]
)
def test_load_through(dynarc, dumped, source, target, weather, table, proxy_to, kind):
    proxy = proxy_to(target, rules(kind, "BatchWriteItem", seconds=0.5))
    report = dynarc("load", dumped, table, "--json", at=target.through(proxy)).json
    assert proxy.record.faults[kind] > 0
    assert (report["written"], report["rejected"]) == (COUNT, 0)
    assert proxy.record.batch_faults() == []
    assert tables.compare_tables(source.client, weather, target.client, table) == []


def test_faults_before_the_first_item(dynarc, tmp_path, source, weather, proxy_to):
    proxy = proxy_to(source, [{"kind": "internal_error", "operation": "Describe.*", "first": 2}])
    dynarc("dump", weather, "./archive", at=source.through(proxy))
    assert proxy.record.faults["internal_error"] == 2
    assert len(archives.read_archive(tmp_path / "archive")) == COUNT


def test_an_expired_token_ends_the_dump(dynarc, tmp_path, source, weather, proxy_to):
    proxy = proxy_to(source, [{"kind": "expired_token", "operation": "Scan"}])
    result = dynarc("dump", weather, "./archive", at=source.through(proxy), exit=3)
    assert "expired" in result.stderr.lower()
    # Nothing was got, so there is nothing to go on with.
    assert not (tmp_path / "archive").exists()
    # Not tried again and again: static credentials do not get younger.
    assert proxy.record.faults["expired_token"] <= 64
