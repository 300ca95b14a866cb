"""20,000 items through all kinds of fault together, with keys that expire on the way: what arrives is
complete and unchanged, and every fault is counted."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

import archives
import servers
import tables
from faultproxy import FaultProxy
from faults import BATCH_ONLY, KINDS
from items import keyed, random_items
from program import Side

COUNT = 20_000
KEYS = ["pk", "sk"]
THROTTLES = ["ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException"]
# How long a key lives.
ROTATION = 1.0


def weather(operation: str, rates: dict[str, float]) -> list[dict]:
    """Each kind once for certain, and then by its rate; each throttle exception is a kind."""
    kinds = [{"kind": kind} for kind in KINDS if kind not in ("throttle", "expired_token", *BATCH_ONLY)]
    kinds += [{"kind": "throttle", "code": code} for code in THROTTLES]
    kinds += [{"kind": kind} for kind, only in BATCH_ONLY.items() if only == operation]
    common = {"operation": operation, "seconds": 0.2}
    once = [kind | common | {"first": 1} for kind in kinds]
    often = [
        kind | common | {"rate": rates.get(kind["kind"], 0.02), "seed": seed}
        for seed, kind in enumerate(kinds)
    ]
    return once + often


@dataclass
class Renewed:
    """Reaches the server through a proxy, with keys from a file that somebody renews."""

    proxy: FaultProxy
    file: Path

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.proxy.endpoint,
            "AWS_REGION": servers.REGION,
            "AWS_SHARED_CREDENTIALS_FILE": str(self.file),
        }


@contextmanager
def renewing(proxy: FaultProxy, file: Path) -> Iterator[Renewed]:
    """As the tools of companies do it: a new key into the file in its place, and soon after the old
    one is worth nothing."""
    numbers = itertools.count()
    ended = threading.Event()

    def write() -> str:
        key = f"ASIA{next(numbers):016}"
        file.write_text(
            f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {servers.SECRET}\n"
            f"aws_session_token = token-{key}\n"
        )
        return key

    def renew() -> None:
        key = write()
        begun.set()
        while not ended.wait(ROTATION):
            old, key = key, write()
            proxy.expire(old)

    begun = threading.Event()
    thread = threading.Thread(target=renew)
    thread.start()
    begun.wait()
    try:
        yield Renewed(proxy, file)
    finally:
        ended.set()
        thread.join()


@pytest.fixture(scope="module")
def stock(source: Side) -> str:
    name = "Everything"
    tables.create(source.client, name)
    tables.put_all(source.client, name, keyed(list(random_items(COUNT, seed=20))))
    return name


def counted(report: dict, proxy: FaultProxy) -> None:
    """The report tells what the proxy did. What a connection's loss cost is not all seen: libcurl
    sends again by itself what a kept-alive one lost before its answer."""
    faults, retries = proxy.record.faults, report["retries"]
    assert retries["throttled"] == faults["throttle"]
    assert retries["serverErrors"] == faults["internal_error"] + faults["unavailable"]
    assert retries["checksumMismatches"] == faults["bad_crc"]
    assert retries["badAnswers"] == faults["garbage"]
    broken = faults["truncate"] + faults["reset_in_body"]
    assert broken <= retries["transportFailures"] <= broken + faults["reset"]
    assert 0 < retries["credentialsRenewed"] <= faults["expired_token"]
    # One reason for each exception.
    assert len({cause["reason"] for cause in report["throttledBy"]}) == len(THROTTLES)
    assert sum(cause["times"] for cause in report["throttledBy"]) == faults["throttle"]


def test_dump(dynarc, tmp_path, source, stock, proxy_to):
    proxy = proxy_to(source, weather("Scan", {"unavailable": 0.3}))
    with renewing(proxy, tmp_path / "credentials") as way:
        report = dynarc("dump", stock, "./archive", "--segments", 64, "--json", at=way).json
    assert set(proxy.record.faults) == KINDS.keys() - set(BATCH_ONLY)
    counted(report, proxy)
    assert report["items"] == COUNT
    dynarc("verify", "./archive")
    found = archives.read_archive(tmp_path / "archive")
    assert tables.differences(tables.read_all(source.client, stock), found, KEYS) == []


def test_load(dynarc, tmp_path, source, stock, proxy_to):
    dynarc("dump", stock, "./archive", at=source)
    # Few of what makes a job slow down on purpose, or it would take minutes.
    rates = {"unavailable": 0.3, "throttle": 0.005, "total_unprocessed": 0.01}
    proxy = proxy_to(source, weather("BatchWriteItem", rates))
    table = f"{stock}-loaded"
    with renewing(proxy, tmp_path / "credentials") as way:
        report = dynarc("load", "./archive", table, "--json", at=way).json
    assert set(proxy.record.faults) == KINDS.keys() - {"unprocessed_keys"}
    counted(report, proxy)
    assert report["retries"]["unprocessedItems"] > 0
    assert (report["written"], report["rejected"]) == (COUNT, 0)
    assert proxy.record.batch_faults() == []
    assert tables.compare_tables(source.client, stock, source.client, table) == []
    source.client.delete_table(TableName=table)
