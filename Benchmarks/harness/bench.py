"""What the measurements share: the binary, a place to write, the number of rounds, the report."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Mapping

from .datasets import CACHE, DataSet
from .measure import Sample, run
from .report import Report


@dataclass
class Bench:
    binary: Path
    rounds: int
    report: Report = field(default_factory=Report)
    scratch: Path = field(init=False)

    def __post_init__(self) -> None:
        # Beside the data, since /tmp is memory on some machines.
        CACHE.mkdir(parents=True, exist_ok=True)
        self.scratch = Path(tempfile.mkdtemp(prefix="run.", dir=CACHE))

    def __enter__(self) -> "Bench":
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.scratch, ignore_errors=True)

    def dynarc(self, *arguments: object, at: Mapping[str, str] | None = None) -> Sample:
        return run([self.binary, *arguments], self.scratch, at)

    def dump(self, data: DataSet, archive: Path, *options: object, at: Mapping[str, str]) -> Sample:
        """A dump into a directory, which is emptied first."""
        shutil.rmtree(archive, ignore_errors=True)
        return self.dynarc("dump", data.table, archive, "--quiet", *options, at=at)

    def load(self, data: DataSet, archive: Path, *options: object, at: Mapping[str, str]) -> Sample:
        return self.dynarc("load", archive, f"{data.table}Target", "--quiet", *options, at=at)


def label(data: DataSet, *more: str) -> str:
    """How a row names what it measured."""
    return ", ".join([f"{data.name} {data.mebibytes} MiB", *more])
