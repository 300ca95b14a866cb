"""Archives made to do harm: each is refused by name, nothing outside is touched, and memory stays
within bounds. The peaks are printed (`pytest -s`)."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

import archives
import tables
from items import keyed, random_items
from program import Side, environment_of

MIB = 1 << 20
# What verify and load may take for any of these.
PEAK = 100 * MIB
FIRST = "data/00000-000000.ndjson.zst"
KEYS = b'"pk":{"S":"a"},"sk":{"S":"b"}'


@pytest.fixture(scope="module")
def stock(source: Side) -> str:
    name = "Hostile"
    tables.create(source.client, name)
    tables.put_all(source.client, name, keyed(random_items(20, seed=41)))
    return name


@pytest.fixture
def archive(dynarc, tmp_path: Path, source: Side, stock: str) -> Path:
    dynarc("dump", stock, "./archive", "--segments", 1, at=source)
    return tmp_path / "archive"


def row_for(archive: Path, edit) -> None:
    """Changes the first chunk's row and makes counts and seal right again."""

    def change(document: dict) -> dict:
        edit(document["chunks"][0])
        for name in ("items", "contentBytes", "storedBytes"):
            document["counts"][name] = sum(row[name] for row in document["chunks"])
        return document

    archives.edit_manifest(archive, change)


def put_file(archive: Path, stored: bytes, **declared: int) -> None:
    """Puts another file in the first chunk's place, with a row that says what is true of the file."""
    (archive / FIRST).write_bytes(stored)
    digest = hashlib.sha256(stored).hexdigest()
    row_for(archive, lambda row: row.update(storedBytes=len(stored), sha256=digest, **declared))


def put_content(archive: Path, command: str, **declared: int) -> None:
    """Compresses what a shell command prints, without declaring its size in the frame."""
    zstd = f"{command} | zstd -q -19 --check -c"
    stored = subprocess.run(["bash", "-c", zstd], check=True, stdout=subprocess.PIPE).stdout
    put_file(archive, stored, **declared)


def bomb(archive: Path) -> None:
    put_content(archive, "head -c 2000000000 /dev/zero", contentBytes=1000)


def bomb_as_declared(archive: Path) -> None:
    put_content(archive, "head -c 2000000000 /dev/zero", contentBytes=2_000_000_000)


def long_line(archive: Path) -> None:
    line = "printf '{\"Item\":{" + KEYS.decode() + ',"x":{"S":"\'; head -c 100000000 /dev/zero | tr "\\0" x; printf \'"}}}\\n\''
    put_content(archive, f"({line})", contentBytes=100_000_000 + 58, items=1)


def deep_line(archive: Path) -> None:
    line = b'{"Item":{' + KEYS + b',"x":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}}\n"
    archives.edit_lines(archive, lambda lines: [line])


def deep_manifest(archive: Path) -> None:
    text = (archive / "manifest.json").read_text()
    deep = "[" * 1_000_000 + "]" * 1_000_000
    (archive / "manifest.json").write_text(text.replace("{", '{"x":' + deep + ",", 1))
    archives.seal(archive)


def window(archive: Path) -> None:
    # RFC 8878, 3.1.1.1: a frame with a checksum and a window of 2 GiB, and zeros.
    put_file(archive, bytes([0x28, 0xB5, 0x2F, 0xFD, 0x04, 21 << 3]) + bytes(100))


def huge_numbers(archive: Path) -> None:
    row_for(archive, lambda row: row.update(items=10**18, contentBytes=10**18))


def chunk_twice(archive: Path) -> None:
    def change(document: dict) -> dict:
        document["chunks"] *= 2
        for name in ("items", "contentBytes", "storedBytes"):
            document["counts"][name] *= 2
        return document

    archives.edit_manifest(archive, change)


def duplicate_in_manifest(archive: Path) -> None:
    text = (archive / "manifest.json").read_text()
    (archive / "manifest.json").write_text(text.replace('"version": 1', '"version": 1, "version": 1', 1))
    archives.seal(archive)


def duplicate_in_item(archive: Path) -> None:
    archives.edit_lines(archive, lambda lines: [b'{"Item":{' + KEYS + b',"a":{"S":""},"\\u0061":{"S":"x"}}}\n'])


def renamed(name: str):
    def damage(archive: Path) -> None:
        row_for(archive, lambda row: row.update(name=name))

    return damage


def linked(name: str, to: str):
    def damage(archive: Path) -> None:
        path = archive / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        path.symlink_to(to)

    return damage


def moved_and_linked(name: str):
    def damage(archive: Path) -> None:
        away = archive.parent / "away"
        shutil.move(archive / name, away)
        (archive / name).symlink_to(away)

    return damage


def pipe(name: str):
    def damage(archive: Path) -> None:
        (archive / name).unlink()
        os.mkfifo(archive / name)

    return damage


def large(name: str):
    def damage(archive: Path) -> None:
        # A sparse file: 300 MB that take no room.
        with open(archive / name, "wb") as file:
            file.truncate(300_000_000)

    return damage


HOSTILE = {
    "a name that leaves the archive": renamed("data/../../../etc/passwd"),
    "an absolute name": renamed("/etc/passwd"),
    "a name with a zero byte": renamed(FIRST + "\0"),
    "a chunk that links away": moved_and_linked(FIRST),
    "a chunk that links to a secret": linked(FIRST, "/etc/shadow"),
    "data that links away": moved_and_linked("data"),
    "a manifest that links away": moved_and_linked("manifest.json"),
    "sums that link away": moved_and_linked("SHA256SUMS"),
    "a pipe for a chunk": pipe(FIRST),
    "a pipe for the manifest": pipe("manifest.json"),
    "a pipe for the sums": pipe("SHA256SUMS"),
    "a duplicate name in the manifest": duplicate_in_manifest,
    "a duplicate name in an item": duplicate_in_item,
    "counts of 10^18": huge_numbers,
    "a bomb": bomb,
    "a bomb that says so": bomb_as_declared,
    "10^6 levels in a line": deep_line,
    "10^6 levels in the manifest": deep_manifest,
    "a line of 100 MB": long_line,
    "a window of 2 GiB": window,
    "a chunk listed twice": chunk_twice,
    "sums of 300 MB": large("SHA256SUMS"),
    "a manifest of 300 MB": large("manifest.json"),
}


def run(binary, tmp_path: Path, *arguments: str, at: Side) -> tuple[int, str, int, float]:
    """The exit code, what was said, the peak of resident memory in bytes, and seconds."""
    start = time.monotonic()
    with open(tmp_path / "said", "wb") as said:
        process = subprocess.Popen(
            [str(binary), *arguments], cwd=tmp_path, env=environment_of(tmp_path / "home", at),
            stdin=subprocess.DEVNULL, stdout=said, stderr=said,
        )  # fmt: skip
        # wait4's ru_maxrss would count what this interpreter has, too.
        peak = 0
        while process.poll() is None:
            peak = max(peak, high_water(process.pid))
            time.sleep(0.001)
    said = (tmp_path / "said").read_text(errors="replace")
    return process.returncode, said, peak, time.monotonic() - start


def high_water(pid: int) -> int:
    """The most resident memory that a process has had, in bytes; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 if found and "dynarc" in status else 0


@pytest.mark.parametrize("kind", HOSTILE)
def test_is_refused_in_bounded_memory(binary, tmp_path, archive, target, table, kind):
    HOSTILE[kind](archive)
    before = {path.name for path in tmp_path.iterdir()} | {"said"}
    peaks = []
    for command, code in ((["verify", "./archive"], 1), (["load", "./archive", table], 3)):
        exit, said, peak, seconds = run(binary, tmp_path, *command, at=target)
        assert exit == code, (exit, said)
        assert "dynarc: error:" in said and "dynarc: hint:" in said
        assert "passwd" not in said or "no chunk's name" in said
        assert peak < PEAK, f"{peak / MIB:.0f} MiB"
        assert seconds < 30
        peaks.append(f"{command[0]} {peak / MIB:.0f} MiB in {seconds:.1f} s")
    # Nothing was written but a load's state, which goes with its archive.
    after = {path.name for path in tmp_path.iterdir()}
    assert {name for name in after - before if not name.endswith(".load-state")} == set()
    assert table not in target.client.list_tables()["TableNames"] or not tables.read_all(target.client, table)
    print(f"\n{kind}: {', '.join(peaks)}")
