"""Checks of what was written, item by item, against the data set, without dynarc's help."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .datasets import DataSet, Digest
from .floor import BATCH, batch_body
from .measure import BenchmarkError

READ_AT_ONCE = 8 << 20
PUT = b'{"PutRequest":{"Item":'


def archive(path: Path, data: DataSet, times: int = 1) -> None:
    """Whether an archive holds every item as the server sent it, exactly so many times."""
    digest = Digest()
    files = sorted((path / "data").iterdir())
    # By standard input, since 10,000 names are no command line.
    with subprocess.Popen(
        ["xargs", "-0", "zstd", "-dcq", "--"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdin.write(b"\0".join(str(file).encode() for file in files))
        process.stdin.close()
        while lines := process.stdout.readlines(READ_AT_ONCE):
            if any(line[:8] != b'{"Item":' or line[-2:] != b"}\n" for line in lines):
                raise BenchmarkError(f"{path} has a line that is no item")
            digest.add(line[8:-2] for line in lines)
    if process.returncode != 0:
        raise BenchmarkError(f"zstd cannot read {path}")
    compare(path, digest, data, times)


def batches(log: Path, data: DataSet) -> None:
    """Whether the server got every item byte by byte, and once, but for what it gave back."""
    digest = Digest()
    with open(log, "rb") as file:
        while head := file.readline():
            size, _, unprocessed = head.decode().strip().partition(" ")
            body = file.read(int(size))
            file.read(1)
            items = _items(body, data.table + "Target")
            skipped = {int(index) for index in unprocessed.split(",") if index}
            digest.add(item for index, item in enumerate(items) if index not in skipped)
    compare(log, digest, data)


def _items(body: bytes, table: str) -> list[bytes]:
    # A batch that is not of this very form cannot be made again from what was cut out of it.
    puts = body.split(PUT)[1:]
    if not 0 < len(puts) <= BATCH:
        raise BenchmarkError(f"a batch of {len(puts)} puts")
    items = [put[:-3] for put in puts[:-1]] + [puts[-1][: puts[-1].rindex(b"}}]}")]]
    if batch_body(table, items) != body:
        raise BenchmarkError(f"a batch of another form: {body[:200]!r}")
    return items


def compare(where: Path, digest: Digest, data: DataSet, times: int = 1) -> None:
    expected = data.digest_times(times)
    if str(digest) != expected:
        raise BenchmarkError(
            f"{where} holds {digest}, and {data.name} is {expected} (number and digest of items)"
        )
