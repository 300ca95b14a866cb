"""A dump that is stopped at any moment goes on where it was, and ends with the same content."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections import defaultdict
from pathlib import Path

import pytest

import archives
import tables
from items import keyed, random_items
from program import Side, environment_of, run_dynarc_until

# 100 random moments show it; CI makes do with a few at each run.
KILLS = int(os.environ.get("DYNARC_KILLS", "6"))
SEGMENTS = 4
COUNT = 400


@pytest.fixture(scope="module")
def stock(source: Side) -> str:
    name = "DumpResume"
    tables.create(source.client, name)
    # Items large enough for a dozen pages.
    items = [item | {"filler": {"S": "x" * 40_000}} for item in random_items(COUNT, seed=37)]
    tables.put_all(source.client, name, keyed(items))
    return name


def segments_of(archive: Path) -> dict[str, bytes]:
    """The content of each segment, however it is cut into chunks."""
    content: dict[str, bytes] = defaultdict(bytes)
    for chunk in archives.chunk_files(archive):
        content[chunk.name.split("-")[0]] += archives.decompress(chunk)
    return content


def slow(side: Side, proxy_to, seconds: float) -> Side:
    proxy = proxy_to(side, [{"kind": "stall", "operation": "Scan|Query", "rate": 1, "seconds": seconds}])
    return side.through(proxy)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_stopped_at_random_moments(dynarc, binary, tmp_path, proxy_to, source, stock, number):
    rng = random.Random(f"dump {number}")
    at = slow(source, proxy_to, 0.1)
    arguments = ["--segments", SEGMENTS, "--concurrency", 2, "--chunk-size", "64KiB"]
    start = time.monotonic()
    dynarc("dump", stock, "./whole", *arguments, at=at)
    whole = time.monotonic() - start
    expected = segments_of(tmp_path / "whole")
    stopped = resumed = 0
    for attempt in range(KILLS if number == signal.SIGKILL else max(KILLS // 3, 4)):
        place = tmp_path / f"kill-{attempt}"
        longest = whole
        for run in range(1000):
            resume = ["--resume"] if place.exists() else []
            code = run_dynarc_until(
                binary, tmp_path, tmp_path / "home", rng.uniform(0, 0.8 * longest), number,
                "dump", stock, place, *arguments, *resume, at=at,
            )  # fmt: skip
            if code == 0:
                resumed += bool(resume)
                break
            # Before the handlers stand, the signal ends the process itself.
            assert code in (-number, 130), code
            stopped += 1
            # A run that is stopped too early each time would never end.
            longest *= 1.1 if run > 10 else 1
        dynarc("verify", place)
        assert segments_of(place) == expected
        counts = archives.manifest(place)["counts"]
        assert (counts["items"], counts["scannedItems"]) == (COUNT, COUNT)
        shutil.rmtree(place)
    assert stopped > 0 and resumed > 0


def interrupt(binary, tmp_path, at: Side, stock: str, *options: object) -> Path:
    code = run_dynarc_until(
        binary, tmp_path, tmp_path / "home", 1.5, signal.SIGINT,
        "dump", stock, "./archive", "--segments", SEGMENTS, "--concurrency", 1, *options, at=at,
    )  # fmt: skip
    assert code == 130
    return tmp_path / "archive"


def test_an_interrupted_dump_says_how_to_go_on(dynarc, binary, tmp_path, proxy_to, source, stock):
    at = slow(source, proxy_to, 0.5)
    archive = interrupt(binary, tmp_path, at, stock)
    assert (archive / "dump.journal").exists() and not (archive / "SHA256SUMS").exists()
    told = dynarc("info", "./archive").stdout.decode()
    assert f"dynarc dump {stock} ./archive --resume" in told and "unfinished" in told
    report = dynarc("info", "./archive", "--json").json
    assert report["finished"] is False and report["source"]["tableName"] == stock
    assert 0 < report["counts"]["items"] < COUNT
    assert report["segmentsDone"] < SEGMENTS
    for command in (["cat", "./archive"], ["load", "./archive"]):
        assert "--resume" in dynarc(*command, at=source, exit=3).stderr
    assert "--resume" in dynarc("verify", "./archive", exit=1).stderr
    assert "--resume" in dynarc("dump", stock, "./archive", at=source, exit=3).stderr

    done = dynarc("dump", stock, "./archive", "--resume", "--json", at=source).json
    assert (done["items"], done["scannedItems"]) == (COUNT, COUNT)
    assert done["resumedItems"] == report["counts"]["items"]
    manifest = archives.manifest(archive)
    assert manifest["startTime"] == report["startTime"]
    dynarc("verify", "./archive")
    # And once more, for those who try until it succeeds.
    again = dynarc("dump", stock, "./archive", "--resume", "--json", at=source).json
    assert again["id"] == done["id"]
    assert dynarc("info", "./archive", "--json").json["finished"] is True


def test_what_does_not_fit_is_refused_by_name(dynarc, binary, tmp_path, proxy_to, source, stock):
    at = slow(source, proxy_to, 0.5)
    archive = interrupt(binary, tmp_path, at, stock)
    journal = (archive / "dump.journal").read_bytes()

    def refused(*arguments: object) -> str:
        error = dynarc("dump", *arguments, "--resume", at=source, exit=3).stderr
        assert (archive / "dump.journal").read_bytes() == journal
        assert "hint" in error
        return error

    assert "totalSegments 4, and now it is 7" in refused(stock, "./archive", "--segments", 7)
    assert "filterExpression" in refused(stock, "./archive", "--filter", "attribute_exists(pk)")
    assert "no dump to go on with" in refused(stock, "./elsewhere")
    (archive / "mine.txt").write_text("mine")
    assert "mine.txt" in refused(stock, "./archive")
    (archive / "mine.txt").unlink()
    # A table that was deleted and made anew is another one.
    (archive / "dump.journal").write_bytes(journal.replace(b'"tableId":"', b'"tableId":"0', 1))
    journal = (archive / "dump.journal").read_bytes()
    assert "tableId" in refused(stock, "./archive")
    lines = journal.splitlines(keepends=True)
    journal = b"".join([*lines[:1], b"nonsense\n", *lines[1:]])
    (archive / "dump.journal").write_bytes(journal)
    assert "dump.journal" in refused(stock, "./archive")


def test_a_second_dump_into_one_archive_is_refused(dynarc, binary, tmp_path, proxy_to, source, stock):
    at = slow(source, proxy_to, 0.5)
    first = subprocess.Popen(
        [str(binary), "dump", stock, "./archive", "--segments", "4", "--concurrency", "1"],
        cwd=tmp_path, env=environment_of(tmp_path / "home", at), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not (tmp_path / "archive" / "dump.journal").exists():
            time.sleep(0.05)
        second = dynarc("dump", stock, "./archive", "--resume", at=source, exit=3)
        assert "another process is writing this archive" in second.stderr
    finally:
        first.kill()
        first.wait()
    dynarc("dump", stock, "./archive", "--resume", at=source)


def test_a_damaged_chunk_is_read_again(dynarc, binary, tmp_path, proxy_to, source, stock):
    archive = interrupt(binary, tmp_path, slow(source, proxy_to, 0.5), stock, "--chunk-size", "64KiB")
    victim = archives.chunk_files(archive)[0]
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    result = dynarc("dump", stock, "./archive", "--resume", at=source)
    assert "dynarc: warning:" in result.stderr and victim.name in result.stderr
    dynarc("verify", "./archive")
    assert archives.manifest(archive)["counts"]["items"] == COUNT


def test_a_slice_goes_on_as_it_was_begun(dynarc, binary, tmp_path, proxy_to, source, stock):
    at = slow(source, proxy_to, 0.5)
    options = ["--filter", "begins_with(#p, :p)", "--names", '{"#p":"pk"}', "--values", '{":p":{"S":"p"}}']
    dynarc("dump", stock, "./whole", "--segments", SEGMENTS, *options, at=source)
    archive = interrupt(binary, tmp_path, at, stock, *options)
    dynarc("dump", stock, "./archive", "--resume", at=source)
    assert segments_of(archive) == segments_of(tmp_path / "whole")
    assert archives.manifest(archive)["source"] == archives.manifest(tmp_path / "whole")["source"]


def test_a_lost_network_leaves_a_dump_to_go_on_with(dynarc, tmp_path, proxy_to, source, stock):
    proxy = proxy_to(source, [{"kind": "expired_token", "operation": "Scan", "skip": 2}])
    failed = dynarc("dump", stock, "./archive", "--segments", 2, "--concurrency", 1, at=source.through(proxy), exit=4)
    assert "go on with: dynarc dump" in failed.stderr and "--resume" in failed.stderr
    before = dynarc("info", "./archive", "--json").json["counts"]["items"]
    done = dynarc("dump", stock, "./archive", "--resume", "--json", at=source).json
    assert before > 0 and done["resumedItems"] == before and done["items"] == COUNT
