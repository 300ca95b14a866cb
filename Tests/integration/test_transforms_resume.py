"""Dumps with rules that were stopped or killed, and go on."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

import archives
from copies import interrupted
from people import ENV, SEGMENTS, people, stock  # noqa: F401
from program import Side, run_dynarc_until
from transforms import KEY, options

RULES = [
    ("set", ("note",), {"S": "x"}), ("remove", ("photo",)), ("remove", ("orders", 0, "note")),
    ("hash", ("address", "street")), ("hash", ("cards",)),
]  # fmt: skip


def segments_of(archive: Path) -> dict[str, bytes]:
    content: dict[str, bytes] = {}
    for chunk in archives.chunk_files(archive):
        number = chunk.name.split("-")[0]
        content[number] = content.get(number, b"") + archives.decompress(chunk)
    return content


def slow(side: Side, proxy_to, seconds: float) -> Side:
    return side.through(proxy_to(side, [{"kind": "stall", "operation": "Scan", "rate": 1, "seconds": seconds}]))


@pytest.fixture
def key_file(tmp_path) -> Path:
    path = tmp_path / "key"
    path.write_bytes(KEY + b"\n")
    return path


def test_a_stopped_dump_goes_on_with_its_rules(dynarc, binary, source, stock, proxy_to, tmp_path, key_file):
    at = slow(source, proxy_to, 0.3)
    how = ["--segments", SEGMENTS, "--concurrency", 1, "--chunk-size", "64KiB"]
    with_key = ["--hash-key-file", key_file]
    dynarc("dump", stock, "./whole", *how, *options(RULES), *with_key, at=source)
    archive = tmp_path / "archive"

    def begun() -> bool:
        return archive.exists() and len(archives.chunk_files(archive)) > 1

    code, said = interrupted(
        binary, tmp_path, tmp_path / "home", "dump", stock, archive, *how, *options(RULES), *with_key, at=at, when=begun
    )
    assert code == 130 and "--resume" in said, said
    journal = (archive / "dump.journal").read_bytes()
    told = dynarc("info", "./archive").stdout.decode()
    assert "set note, remove photo" in told and "same hash key" in told

    def refused(*arguments: object, exit: int, env: dict[str, str] = {}) -> str:
        error = dynarc("dump", stock, "./archive", "--resume", *arguments, at=source, env=env, exit=exit).stderr
        assert (archive / "dump.journal").read_bytes() == journal and "dynarc: hint: " in error
        return error

    assert "no key to hash" in refused(exit=2)
    assert "not the one that the dump was begun with" in refused(exit=2, env={"DYNARC_HASH_KEY": "x" * 16})
    assert "transforms" in refused(*options(RULES[:-1]), exit=3, env=ENV)
    assert "transforms" in refused("--remove", "photo", exit=3)
    assert "not the one" in refused(*options(RULES), exit=2, env={"DYNARC_HASH_KEY": "x" * 16})

    done = dynarc("dump", stock, "./archive", "--resume", "--json", *with_key, at=source).json
    assert 0 < done["resumedItems"] < done["items"] == 300
    assert segments_of(archive) == segments_of(tmp_path / "whole")
    assert archives.manifest(archive)["source"] == archives.manifest(tmp_path / "whole")["source"]
    dynarc("verify", "./archive")
    # And once more, for those who try until it succeeds; the rules may be given, too.
    again = dynarc("dump", stock, "./archive", "--resume", "--json", *options(RULES), at=source, env=ENV).json
    assert again["id"] == done["id"]


def test_a_dump_without_rules_is_not_gone_on_with_by_rules(dynarc, binary, source, stock, proxy_to, tmp_path):
    archive = tmp_path / "archive"
    code, _ = interrupted(
        binary, tmp_path, tmp_path / "home", "dump", stock, archive, "--segments", SEGMENTS, "--concurrency", 1,
        at=slow(source, proxy_to, 0.3), when=lambda: (archive / "dump.journal").exists(),
    )  # fmt: skip
    assert code == 130
    assert "transforms" in dynarc("dump", stock, "./archive", "--resume", "--remove", "photo", at=source, exit=3).stderr
    dynarc("dump", stock, "./archive", "--resume", at=source)
    assert "transforms" not in archives.manifest(archive)["source"]


def test_killed_at_random_moments(dynarc, binary, source, stock, proxy_to, tmp_path, key_file):
    at = slow(source, proxy_to, 0.1)
    arguments = ["--segments", SEGMENTS, "--concurrency", 2, "--chunk-size", "64KiB"]
    dynarc("dump", stock, "./whole", *arguments, *options(RULES), "--hash-key-file", key_file, at=source)
    expected = segments_of(tmp_path / "whole")
    rng = random.Random("transforms")
    killed = 0
    for attempt in range(3):
        place = tmp_path / f"kill-{attempt}"
        code = None
        for run in range(100):
            # A dump that was killed before it noted its rules cannot know them.
            journal = place / "dump.journal"
            knows = journal.exists() and b"\n" in journal.read_bytes() or (place / "SHA256SUMS").exists()
            rules = (["--resume"] if place.exists() else []) + ([] if knows else options(RULES))
            code = run_dynarc_until(
                binary, tmp_path, tmp_path / "home", rng.uniform(0.1, 1.2) * 1.1**run, signal.SIGKILL,
                "dump", stock, place, *arguments, *rules, "--hash-key-file", key_file, at=at,
            )  # fmt: skip
            if code == 0:
                break
            assert code == -signal.SIGKILL, code
            killed += 1
        assert code == 0 and segments_of(place) == expected
        dynarc("verify", place)
    assert killed > 2


def test_a_dump_that_noted_nothing_says_so(dynarc, source, people, tmp_path):
    """Its rules are lost with the rest of what was asked for, which must not pass in silence."""
    archive = tmp_path / "archive"
    (archive / "data").mkdir(parents=True)
    (archive / "dump.journal").write_bytes(b'{"format":"dynarc-jour')
    said = dynarc("dump", people, "./archive", "--resume", "--remove", "photo", at=source).stderr
    assert "dynarc: warning: " in said and "as it is asked for now" in said
    assert archives.manifest(archive)["source"]["transforms"] == [{"operation": "remove", "path": "photo"}]


def test_a_collision_across_runs_is_found(dynarc, binary, source, stock, proxy_to, tmp_path):
    archive = tmp_path / "archive"
    code, _ = interrupted(
        binary, tmp_path, tmp_path / "home", "dump", stock, archive, "--segments", SEGMENTS, "--concurrency", 1,
        "--chunk-size", "64KiB", "--set", 'pk="p"', "--rekey", at=slow(source, proxy_to, 0.3),
        when=lambda: archive.exists() and len(archives.chunk_files(archive)) > 1,
    )  # fmt: skip
    assert code == 130
    error = dynarc("dump", stock, "./archive", "--resume", at=source, exit=3).stderr
    # What an earlier run has begun is not this one's to remove.
    assert "would get the key of another one" in error and "unfinished" in error
    assert (archive / "dump.journal").exists() and not (archive / "SHA256SUMS").exists()
