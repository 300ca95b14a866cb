"""The archive on disk: for standard tools, never overwritten, and no damage goes unseen."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
from decimal import Decimal
from pathlib import Path

import pytest

import archives
import tables
from items import NUMBERS, keyed, random_items
from program import Side

COUNT = 400


@pytest.fixture(scope="module")
def shelf(source: Side) -> str:
    name = "Shelf"
    tables.create(source.client, name)
    numbers = {"n": {"L": [{"N": number} for number in NUMBERS]}}
    items = [{"index": {"N": str(index)}} | item for index, item in enumerate(random_items(COUNT - 1, seed=5))]
    tables.put_all(source.client, name, keyed([numbers, *items]))
    return name


@pytest.fixture
def archive(dynarc, tmp_path: Path, source: Side, shelf: str) -> Path:
    dynarc("dump", shelf, "./archive", "--segments", 4, at=source)
    return tmp_path / "archive"


def test_standard_tools_read_it(archive):
    assert archives.sums_hold(archive)
    for chunk in archives.chunk_files(archive):
        subprocess.run(["zstd", "-tq", chunk], check=True)
        # One frame with a checksum, which --list counts and names.
        listing = subprocess.run(["zstd", "-lv", chunk], check=True, capture_output=True, text=True).stdout
        assert re.search(r"# Zstandard Frames: 1\n", listing), listing
        assert "Check: XXH64" in listing
    assert len(archives.read_archive(archive)) == COUNT


def test_layout_and_modes(archive):
    names = {str(path.relative_to(archive)) for path in archive.rglob("*") if path.is_file()}
    chunks = {f"data/{chunk.name}" for chunk in archives.chunk_files(archive)}
    assert names == chunks | {"manifest.json", "SHA256SUMS"}
    assert all(re.fullmatch(r"data/\d{5}-\d{6}\.ndjson\.zst", name) for name in chunks)
    for path in [archive, *archive.rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    sums = [line.split("  ")[1] for line in (archive / "SHA256SUMS").read_text().splitlines()]
    assert sorted(sums) == sorted(chunks | {"manifest.json"})


def test_manifest(archive, source, shelf):
    document = archives.manifest(archive)
    assert (document["format"], document["version"], document["kind"]) == ("dynarc-archive", 1, "snapshot")
    assert document["requiredFeatures"] == []
    assert document["counts"]["items"] == COUNT == sum(row["items"] for row in document["chunks"])
    assert document["source"]["read"] | {"operation": "Scan", "totalSegments": 4} == document["source"]["read"]
    described = document["settings"]["describeTable"]
    described = described.get("Table", described)
    assert described["TableName"] == document["source"]["tableName"] == shelf
    assert document["source"]["tableArn"] == described["TableArn"]
    for row in document["chunks"]:
        content = archives.decompress(archive / row["name"])
        assert (row["contentBytes"], row["items"]) == (len(content), content.count(b"\n"))
        assert row["storedBytes"] == (archive / row["name"]).stat().st_size
    # Nothing that belongs to the machine or its owner.
    text = (archive / "manifest.json").read_text()
    assert str(archive) not in text and "not-a-secret" not in text and source.endpoint not in text


def test_never_overwritten(dynarc, archive, source, shelf):
    before = {path: path.read_bytes() for path in archive.rglob("*") if path.is_file()}
    result = dynarc("dump", shelf, "./archive", at=source, exit=3)
    assert "archive" in result.stderr
    assert {path: path.read_bytes() for path in archive.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("made", ["directory", "file", "symlink"])
def test_nothing_at_all_is_overwritten(dynarc, tmp_path, source, shelf, made):
    place = tmp_path / "taken"
    match made:
        case "directory":
            place.mkdir()
            (place / "mine").write_text("mine")
        case "file":
            place.write_text("mine")
        case _:
            place.symlink_to(tmp_path / "elsewhere")
    dynarc("dump", shelf, "./taken", at=source, exit=3)
    if made == "directory":
        assert [path.name for path in place.iterdir()] == ["mine"]
    elif made == "file":
        assert place.read_text() == "mine"
    else:
        assert place.is_symlink() and not (tmp_path / "elsewhere").exists()


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def chunk(archive: Path) -> Path:
    return archives.chunk_files(archive)[1]


def append(path: Path, content: bytes) -> None:
    path.write_bytes(path.read_bytes() + content)


def swap_item(archive: Path) -> None:
    """A changed item under an intact seal, against the row's digest of the content."""
    row = archives.manifest(archive)["chunks"][0]
    archives.edit_lines(archive, lambda lines: [lines[0].replace(b'"pk"', b'"pK"'), *lines[1:]])
    assert archives.manifest(archive)["chunks"][0]["contentSha256"] != row["contentSha256"]


def wrong_count(archive: Path) -> None:
    def edit(document: dict) -> dict:
        document["chunks"][0]["items"] += 1
        document["counts"]["items"] += 1
        return document

    archives.edit_manifest(archive, edit)


DAMAGE = {
    "flipped byte": lambda archive: flip(chunk(archive)),
    "truncated chunk": lambda archive: chunk(archive).write_bytes(chunk(archive).read_bytes()[:-7]),
    "missing chunk": lambda archive: chunk(archive).unlink(),
    "empty chunk": lambda archive: chunk(archive).write_bytes(b""),
    "surplus bytes": lambda archive: append(chunk(archive), b"more"),
    "surplus file": lambda archive: (archive / "data" / "99999-000000.ndjson.zst").write_bytes(b""),
    "changed manifest": lambda archive: append(archive / "manifest.json", b"\n"),
    "key of another name": swap_item,
    "wrong count": wrong_count,
    "malformed line": lambda archive: archives.edit_lines(archive, lambda lines: [lines[0][:-2] + b"\n", *lines[1:]]),
    "line without a wrapper": lambda archive: archives.edit_lines(archive, lambda lines: [b'{"pk":{"S":"a"}}\n', *lines]),
    "second frame": lambda archive: (
        append(chunk(archive), chunk(archive).read_bytes()),
        archives.edit_manifest(archive, lambda document: document),
    ),
}  # fmt: skip
# What sizes and presence alone cannot show.
NOT_QUICK = {"flipped byte", "key of another name", "wrong count", "malformed line", "line without a wrapper"}


@pytest.mark.parametrize("damage", DAMAGE)
def test_verify_finds_damage_and_load_refuses_it(dynarc, archive, target, table, damage):
    DAMAGE[damage](archive)
    result = dynarc("verify", "./archive", exit=1)
    assert result.stderr.startswith("dynarc: error:")
    assert re.search(rb"data/\d{5}-\d{6}\.ndjson\.zst|manifest\.json", result.stdout), result.stdout
    report = dynarc("verify", "./archive", "--json", exit=1).json
    assert report["ok"] is False
    assert all(problem["file"] for problem in report["problems"])
    if damage not in NOT_QUICK:
        dynarc("verify", "./archive", "--quick", exit=1)
    dynarc("load", "./archive", table, at=target, exit=3)


def test_verify_names_the_offset_of_a_bad_line(dynarc, archive):
    lines = archives.decompress(archives.chunk_files(archive)[0]).splitlines(keepends=True)
    archives.edit_lines(archive, lambda lines: [*lines[:-1], b'{"Item":{"pk":{"S":"\x01"}}}\n'])
    (problem,) = dynarc("verify", "./archive", "--json", exit=1).json["problems"]
    start = sum(map(len, lines[:-1]))
    assert problem["file"] == "data/" + archives.chunk_files(archive)[0].name
    assert start <= problem["offset"] <= start + 30


def test_verify_is_content_with_a_good_archive(dynarc, archive):
    for options in ((), ("--quick",)):
        assert dynarc("verify", "./archive", *options, "--json").json["ok"] is True


def test_a_copy_is_as_good(dynarc, archive, tmp_path):
    shutil.copytree(archive, tmp_path / "copy")
    dynarc("verify", "./copy")


def test_an_unfinished_dump_is_refused_by_name(dynarc, archive, target, table):
    (archive / "SHA256SUMS").unlink()
    for command in (["info"], ["cat"], ["load"]):
        result = dynarc(*command, "./archive", at=target, exit=3)
        assert "dynarc: hint:" in result.stderr
    verify = dynarc("verify", "./archive", exit=1)
    assert verify.stdout.startswith(b"unfinished: ") and "is unfinished" in verify.stderr
    assert "damaged" not in verify.stdout.decode() + verify.stderr


def test_info(dynarc, archive, shelf):
    text = dynarc("info", "./archive").stdout.decode()
    assert shelf in text and str(COUNT) in text
    report = dynarc("info", "./archive", "--json").json
    assert report["counts"]["items"] == COUNT
    assert report["source"]["tableName"] == shelf
    assert "chunks" not in report


def test_cat_prints_the_stored_items(dynarc, archive):
    lines = dynarc("cat", "./archive").stdout.splitlines(keepends=True)
    stored = b"".join(map(archives.decompress, archives.chunk_files(archive))).splitlines(keepends=True)
    assert [b'{"Item":' + line[:-1] + b"}\n" for line in lines] == stored


@pytest.mark.parametrize("limit, count", [(0, 0), (1, 1), (7, 7), (10_000, COUNT)])
def test_cat_limit(dynarc, archive, limit, count):
    assert dynarc("cat", "./archive", "--limit", limit).stdout.count(b"\n") == count


def test_cat_plain_keeps_numbers_exact(dynarc, archive):
    lines = dynarc("cat", "./archive", "--plain").stdout.splitlines()
    plain = [json.loads(line, parse_float=Decimal, parse_int=Decimal) for line in lines]
    assert len(plain) == COUNT
    (numbers,) = [item["n"] for item in plain if item["pk"] == "p0" and item["sk"] == "s0"]
    assert numbers == [Decimal(number) for number in NUMBERS]


def test_cat_into_a_closed_pipe_ends_quietly(binary, archive):
    command = f"set -o pipefail; '{binary}' cat '{archive}' | head -n 1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, timeout=60)
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b""
