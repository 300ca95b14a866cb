"""A dump that is stopped at any moment goes on where it was, and ends with the same content."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import time

import pytest

import archives
import tables
from items import keyed, random_items
from program import Side, environment_of, run_dynarc_until

# 100 random moments show it; CI makes do with a few at each run.
KILLS = int(os.environ.get("DYNARC_KILLS", "6"))
ITEMS = keyed(random_items(1500, seed=41))
OPTIONS = ["--segments", 4, "--concurrency", 2, "--chunk-size", "64KiB"]


@pytest.fixture(scope="module")
def stock(source: Side) -> str:
    name = "DumpResume"
    tables.create(source.client, name)
    tables.put_all(source.client, name, ITEMS)
    return name


def content(archive) -> dict[str, str]:
    """The SHA-256 of each segment's lines, by standard tools."""
    segments: dict[str, hashlib._Hash] = {}
    for chunk in sorted((archive / "data").iterdir()):
        lines = subprocess.run(["zstd", "-dcq", chunk], check=True, capture_output=True).stdout
        segments.setdefault(chunk.name.split("-")[0], hashlib.sha256()).update(lines)
    return {segment: digest.hexdigest() for segment, digest in segments.items()}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_stopped_at_random_moments(dynarc, binary, tmp_path, source, stock, number):
    rng = random.Random(f"dump {number}")
    start = time.monotonic()
    dynarc("dump", stock, "./whole", *OPTIONS, at=source)
    whole = time.monotonic() - start
    expected = content(tmp_path / "whole")
    stopped = 0
    for attempt in range(KILLS):
        archive = tmp_path / f"stopped-{attempt}"
        runs = 0
        while True:
            resume = ["--resume"] if archive.exists() else []
            code = run_dynarc_until(
                binary, tmp_path, tmp_path / "home", rng.uniform(0, 0.8 * whole), number,
                "dump", stock, archive, *OPTIONS, *resume, at=source,
            )  # fmt: skip
            if code == 0:
                break
            # Before the handlers stand, the signal ends the process itself.
            assert code in (-number, 130), code
            stopped += 1
            runs += 1
            # A run that is stopped too early each time would never end.
            whole *= 1.1 if runs > 10 else 1
        assert content(archive) == expected
        assert archives.sums_hold(archive)
        dynarc("verify", archive)
    assert stopped > 0


def test_an_unfinished_dump_says_how_far_it_is_and_how_to_go_on(dynarc, binary, tmp_path, proxy_to, source, stock):
    proxy = proxy_to(source, [{"kind": "stall", "operation": "Scan", "rate": 1, "seconds": 0.4}])
    slow = Side(proxy.endpoint, source.account)
    arguments = ["dump", stock, "./slow", "--segments", 8, "--concurrency", 1]
    code = run_dynarc_until(binary, tmp_path, tmp_path / "home", 2.0, signal.SIGINT, *arguments, at=slow)
    assert code == 130
    report = json.loads(dynarc("info", "./slow", "--json").stdout)
    assert report["finished"] is False
    assert "--resume" in dynarc("info", "./slow").stdout.decode()
    assert "--resume" in dynarc("load", "./slow", at=source, exit=3).stderr
    assert "--resume" in dynarc(*arguments, at=source, exit=3).stderr
    # Another read than the one that was begun is refused by name.
    other = dynarc("dump", stock, "./slow", "--resume", "--filter", "attribute_exists(pk)", at=source, exit=3)
    assert "filterExpression" in other.stderr
    dynarc(*arguments, "--resume", at=source)
    dynarc("verify", "./slow")
    found = archives.read_archive(tmp_path / "slow")
    assert tables.differences(ITEMS, found, ["pk", "sk"]) == []


def test_a_second_dump_into_one_archive_is_refused(dynarc, binary, tmp_path, proxy_to, source, stock):
    proxy = proxy_to(source, [{"kind": "stall", "operation": "Scan", "rate": 1, "seconds": 1}])
    first = subprocess.Popen(
        [str(binary), "dump", stock, "./both", "--segments", "8", "--concurrency", "1"],
        cwd=tmp_path, env=environment_of(tmp_path / "home", Side(proxy.endpoint, source.account)),
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not (tmp_path / "both" / "dump.journal").exists():
            time.sleep(0.05)
        time.sleep(0.2)
        dynarc("dump", stock, "./both", at=source, exit=3)
        second = dynarc("dump", stock, "./both", "--resume", "--segments", 8, at=source, exit=3)
        assert "another" in second.stderr
    finally:
        first.kill()
        first.wait()
    dynarc("dump", stock, "./both", "--resume", at=source)
    dynarc("verify", "./both")
