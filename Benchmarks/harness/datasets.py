"""Data sets: tables made beforehand as Scan pages, with what is needed to check copies of them.

A data set is made of shards of 8 MiB of DynamoDB JSON, each with a seed of its own, so that several
processes can make one and a small set is the beginning of a large one. In its directory:

    pages/00000.json  what Scan answers, about 1 MiB (or 16 KiB), LastEvaluatedKey included
    lengths.bin       the bytes of each item in the pages' order, as 32-bit integers
    dataset.json      the table, counts, a row for each page, and the digest of all items
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import zlib
from array import array
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Callable, Iterable, Iterator

from . import makers

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "bench"
SHARD_MEBIBYTES = 8
DIGEST_MODULUS = 1 << 128


@dataclass(frozen=True)
class Kind:
    """A table: its name, its key, and its items; so many of them are a shard."""

    table: str
    key: tuple[tuple[str, str], ...]
    make: Callable[[random.Random, int], Iterator[str]]
    shard_items: int


KINDS = {
    "orders": Kind("Orders", (("orderId", "S"),), makers.orders, 6344),
    "events": Kind("Events", (("deviceId", "S"), ("at", "N")), makers.events, 26563),
}


class Digest:
    """A digest of a set of items that does not depend on their order, and shows what is missing,
    altered or there twice: their number, and the sum of their hashes."""

    def __init__(self) -> None:
        self.count = 0
        self.sum = 0

    def add(self, items: Iterable[bytes]) -> None:
        hashes = [hashlib.blake2b(item, digest_size=16).digest() for item in items]
        self.count += len(hashes)
        self.merge_sum(sum(map(partial(int.from_bytes, byteorder="big"), hashes)))

    def merge_sum(self, value: int) -> None:
        self.sum = (self.sum + value) % DIGEST_MODULUS

    def __str__(self) -> str:
        return f"{self.count}-{self.sum:032x}"


class DataSet:
    """One that has been made."""

    def __init__(self, path: Path):
        self.path = path
        facts = json.loads((path / "dataset.json").read_text())
        self.name: str = facts["name"]
        # About; `page_bytes` and `item_bytes` are exact.
        self.mebibytes: int = facts["mebibytes"]
        self.table: str = facts["table"]
        self.key: list[list[str]] = facts["key"]
        self.items: int = facts["items"]
        self.pages: list[dict] = facts["pages"]
        self.item_bytes: int = facts["itemBytes"]
        self.digest: str = facts["digest"]

    @property
    def page_bytes(self) -> int:
        """What a whole scan answers, in bytes: what rates are per GB of."""
        return sum(page["bytes"] for page in self.pages)

    def page(self, number: int) -> Path:
        return self.path / "pages" / f"{number:05d}.json"

    def digest_times(self, times: int) -> str:
        """The digest of the items, each taken so many times."""
        digest = Digest()
        digest.count = self.items * times
        digest.merge_sum(int(self.digest.partition("-")[2], 16) * times)
        return str(digest)

    def page_items(self) -> Iterator[list[bytes]]:
        """The items of page after page."""
        lengths = array("I", (self.path / "lengths.bin").read_bytes())
        at = 0
        for number, row in enumerate(self.pages):
            page = self.page(number).read_bytes()
            offset = page.index(b'"Items":[') + 9
            items = []
            for length in lengths[at : at + row["items"]]:
                items.append(page[offset : offset + length])
                offset += length + 1
            at += row["items"]
            yield items


def ensure(name: str, mebibytes: int, pages_per_mebibyte: int = 1) -> DataSet:
    """The data set of a kind and size; made now if it is not in the cache."""
    sources = b"".join(
        Path(__file__).with_name(file).read_bytes()
        for file in ("makers.py", "words.txt", "datasets.py")
    )
    version = hashlib.sha256(sources).hexdigest()[:8]
    prefix = f"{name}-{mebibytes}m-{pages_per_mebibyte}-"
    path = CACHE / (prefix + version)
    if not path.exists():
        for outdated in CACHE.glob(prefix + "*"):
            shutil.rmtree(outdated, ignore_errors=True)
        _make(path, name, mebibytes // SHARD_MEBIBYTES, pages_per_mebibyte * SHARD_MEBIBYTES)
    return DataSet(path)


def _make(path: Path, name: str, shards: int, shard_pages: int) -> None:
    kind = KINDS[name]
    work = path.with_name(f"{path.name}.{os.getpid()}")
    (work / "pages").mkdir(parents=True)
    try:
        with ProcessPoolExecutor(os.cpu_count()) as pool:
            made = list(
                pool.map(partial(_make_shard, work / "pages", name, shard_pages), range(shards))
            )
        digest = Digest()
        with open(work / "lengths.bin", "wb") as file:
            for lengths, _, part in made:
                lengths.tofile(file)
                digest.count += len(lengths)
                digest.merge_sum(part)
        facts = {
            "name": name,
            "mebibytes": shards * SHARD_MEBIBYTES,
            "table": kind.table,
            "key": kind.key,
            "items": digest.count,
            "itemBytes": sum(sum(lengths) for lengths, _, _ in made),
            "digest": str(digest),
            "pages": [row for _, rows, _ in made for row in rows],
        }
        (work / "dataset.json").write_text(json.dumps(facts))
        try:
            work.rename(path)
        except OSError:
            # Another process has made it meanwhile.
            if not path.exists():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _make_shard(pages: Path, name: str, shard_pages: int, shard: int):
    kind = KINDS[name]
    items = [
        item.encode() for item in kind.make(random.Random(f"{name}-{shard}"), kind.shard_items)
    ]
    digest = Digest()
    digest.add(items)
    rows = []
    for part in range(shard_pages):
        chosen = items[len(items) * part // shard_pages : len(items) * (part + 1) // shard_pages]
        page, last = _page(kind, chosen)
        (pages / f"{shard * shard_pages + part:05d}.json").write_bytes(page)
        row = {"items": len(chosen), "bytes": len(page), "crc": zlib.crc32(page), "last": last}
        rows.append(row)
    return array("I", map(len, items)), rows, digest.sum


def _page(kind: Kind, items: list[bytes]) -> tuple[bytes, dict]:
    """A page as DynamoDB sends it, and the key of its last item. A read unit is 4 KB, and half of
    one is enough for a read that need not be consistent."""
    content = b",".join(items)
    final = json.loads(items[-1])
    last = {name: final[name] for name, _ in kind.key}
    units = max(0.5, len(content) // 4096 / 2)
    head = (
        f'{{"ConsumedCapacity":{{"CapacityUnits":{units},"TableName":"{kind.table}"}},'
        f'"Count":{len(items)},"Items":['
    )
    key = json.dumps(last, separators=(",", ":"))
    tail = f'],"LastEvaluatedKey":{key},"ScannedCount":{len(items)}}}'
    return head.encode() + content + tail.encode(), last
