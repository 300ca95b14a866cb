"""Archives by standard tools alone (zstd, sha256sum, JSON): what dynarc wrote, read without it,
and archives altered in ways that only a careful reader notices."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Callable

from items import Item, from_wire

PREFIX, SUFFIX = b'{"Item":', b"}\n"


def manifest(archive: Path) -> dict:
    return json.loads((archive / "manifest.json").read_text())


def chunk_files(archive: Path) -> list[Path]:
    return sorted((archive / "data").iterdir())


def decompress(chunk: Path) -> bytes:
    """A chunk's content, by the zstd program."""
    return subprocess.run(["zstd", "-dcq", chunk], check=True, stdout=subprocess.PIPE).stdout


def read_archive(archive: Path) -> list[Item]:
    """Every item, in boto3's form. Fails on a line that is not exactly `{"Item":{…}}`."""
    items = []
    for chunk in chunk_files(archive):
        for line in decompress(chunk).splitlines(keepends=True):
            assert line.startswith(PREFIX + b"{") and line.endswith(b"}" + SUFFIX), (chunk, line[:80])
            members = json.loads(line, object_pairs_hook=_without_duplicates)
            assert list(members) == ["Item"], (chunk, line[:80])
            items.append({name: from_wire(typed) for name, typed in members["Item"].items()})
    return items


def sums_hold(archive: Path) -> bool:
    """Whether `sha256sum -c` is content."""
    command = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    return subprocess.run(command, cwd=archive, capture_output=True).returncode == 0


def edit_lines(archive: Path, edit: Callable[[list[bytes]], list[bytes]]) -> None:
    """Puts other lines into the first chunk and makes every digest, size and count right again:
    an archive whose seal holds although its content is not what was dumped."""
    chunk = chunk_files(archive)[0]
    lines = edit(decompress(chunk).splitlines(keepends=True))
    content = b"".join(lines)
    chunk.unlink()
    command = ["zstd", "-q", "-3", "--check", "-o", str(chunk)]
    subprocess.run(command, input=content, check=True)
    stored = chunk.read_bytes()
    document = manifest(archive)
    row = next(row for row in document["chunks"] if row["name"] == f"data/{chunk.name}")
    row |= {
        "items": len(lines),
        "contentBytes": len(content),
        "storedBytes": len(stored),
        "sha256": hashlib.sha256(stored).hexdigest(),
        "contentSha256": hashlib.sha256(content).hexdigest(),
    }
    counts = document["counts"]
    for name in ("items", "contentBytes", "storedBytes"):
        counts[name] = sum(row[name] for row in document["chunks"])
    largest = max((len(line) - len(PREFIX) - len(SUFFIX) for line in lines), default=0)
    counts["largestItemBytes"] = max(counts["largestItemBytes"], largest)
    edit_manifest(archive, lambda _: document)


def edit_manifest(archive: Path, edit: Callable[[dict], dict]) -> None:
    """Puts another manifest into an archive and seals it again."""
    document = edit(manifest(archive))
    (archive / "manifest.json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    seal(archive)


def seal(archive: Path) -> None:
    """Writes SHA256SUMS anew."""
    names = [f"data/{chunk.name}" for chunk in chunk_files(archive)] + ["manifest.json"]
    rows = [f"{hashlib.sha256((archive / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (archive / "SHA256SUMS").write_text("".join(rows))


def _without_duplicates(pairs: list[tuple]) -> dict:
    members = dict(pairs)
    assert len(members) == len(pairs), f"duplicate member among {[name for name, _ in pairs]}"
    return members
