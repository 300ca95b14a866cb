"""A disk that is really full: nothing is taken for complete that is not, what went wrong is said, and
`--resume` completes it once there is room."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

import archives
import tables
from program import Side, run_dynarc
from smalldisk import PAGE, SmallDisk

COUNT = 300
# What cannot be compressed, so that the archive takes the room it should.
RANDOM = random.Random(17)
ITEMS = [
    {"pk": {"S": f"{n:04}"}, "sk": {"S": "-"}, "v": {"B": RANDOM.randbytes(4_000)}} for n in range(COUNT)
]
PLENTY = 100_000
SAID = "No space left on device"
SEGMENTS = 200


@pytest.fixture(scope="module")
def stock(source: Side) -> str:
    name = "FullDisk"
    tables.create(source.client, name)
    tables.put_all(source.client, name, ITEMS)
    return name


@pytest.fixture
def disk(tmp_path) -> Iterable[SmallDisk]:
    with SmallDisk(tmp_path / "disk", PLENTY) as disk:
        yield disk


@pytest.fixture
def on_disk(binary, tmp_path, disk) -> Callable:
    """Runs dynarc in the disk's root."""
    home = tmp_path / "home-on-disk"
    home.mkdir()

    def run(*arguments: object, **options: object):
        return run_dynarc(binary, disk.path, home, *arguments, **options)

    return run


def is_committed(archive: Path) -> bool:
    return (archive / "SHA256SUMS").exists()


def holds_all(found: list[dict]) -> bool:
    return tables.differences(ITEMS, found, ["pk", "sk"]) == []


def test_dump_at_every_fill_level(on_disk, disk, source, stock):
    """From no room at all to just enough: in the data, and page by page in the commit behind them."""
    arguments = ("dump", stock, "./archive", "--segments", 4, "--chunk-size", "64KiB")
    on_disk(*arguments, at=source)
    needed = disk.used()
    failed = resumed = 0
    for pages in [1, 2, 3, 10, needed // 2, *range(needed - 5, needed + 12)]:
        shutil.rmtree(disk.path / "archive")
        disk.resize(pages)
        result = on_disk(*arguments, at=source, exit=None)
        disk.resize(PLENTY)
        assert (result.code == 0) == is_committed(disk.path / "archive")
        if result.code != 0:
            failed += 1
            assert SAID in result.stderr and "dynarc: hint: " in result.stderr
            if (disk.path / "archive" / "dump.journal").exists():
                assert result.code == 4
                assert "--resume" in result.stderr
                report = on_disk(*arguments[:3], "--resume", "--json", at=source).json
                assert report["items"] == COUNT
                resumed += report["resumedItems"] > 0
            else:
                # Not begun: there is nothing to go on with.
                assert result.code == 3
                shutil.rmtree(disk.path / "archive")
                on_disk(*arguments, at=source)
        on_disk("verify", "./archive")
        assert holds_all(archives.read_archive(disk.path / "archive"))
    # The last of them had room.
    assert result.code == 0
    assert failed >= 10 and resumed >= 5


@pytest.fixture
def archive(dynarc, tmp_path, source, stock) -> Path:
    """In many small chunks, so that a checkpoint takes more than a page."""
    dynarc("dump", stock, "./archive", "--segments", SEGMENTS, at=source)
    return tmp_path / "archive"


@pytest.mark.parametrize("pages", [0, 1])
def test_no_room_for_the_state_of_a_load(dynarc, archive, disk, source, target, stock, table, proxy_to, pages):
    slow = target.through(proxy_to(target, [{"kind": "stall", "operation": "BatchWriteItem", "seconds": 0.2}]))
    # A tmpfs of no size would have no bound.
    disk.resize(2)
    ballast = disk.path / "ballast"
    ballast.write_bytes(bytes((2 - pages) * PAGE))
    state = disk.path / "state"
    arguments = ("load", archive, table, "--state", state)
    result = dynarc(*arguments, "--concurrency", 8, at=slow, exit=4 if pages else 3)
    assert SAID in result.stderr and str(state) in result.stderr
    assert state.exists() == bool(pages)
    ballast.unlink()
    disk.resize(PLENTY)
    report = dynarc(*arguments, *(["--resume"] if pages else []), "--json", at=target).json
    assert (report["items"], report["written"]) == (COUNT, COUNT)
    assert not state.exists()
    assert holds_all(tables.read_all(target.client, table))


def test_no_room_for_rejected_items(on_disk, archive, disk, tmp_path, source, target, table, proxy_to):
    """More of them than fit. Each is set aside whole in the end, be it twice."""
    # Larger than ministack takes, in an archive whose digests hold all the same.
    big = [json.dumps({"Item": {"pk": {"S": f"big {n}"}, "sk": {"S": "-"}, "v": {"S": "x" * 420_000}}},
                      separators=(",", ":")).encode() + b"\n" for n in range(5)]  # fmt: skip
    archives.edit_lines(archive, lambda lines: big[:3] + lines + big[3:])
    disk.resize(pages=250)
    arguments = ("load", archive, table, "--state", tmp_path / "state")
    result = on_disk(*arguments, at=target, exit=4)
    assert SAID in result.stderr and "rejects.ndjson" in result.stderr and "--resume" in result.stderr
    disk.resize(PLENTY)
    done = on_disk(*arguments, "--resume", "--json", at=target, exit=4).json
    assert (done["written"], done["rejected"]) == (COUNT, len(big))
    lines = (disk.path / "rejects.ndjson").read_bytes().splitlines()
    assert {json.loads(line)["Item"]["pk"]["S"] for line in lines} == {f"big {n}" for n in range(5)}
    assert holds_all(tables.read_all(target.client, table))
