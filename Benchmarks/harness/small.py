"""Bytes stored, and what does not depend on any table: starting, and looking at an archive."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

from .bench import Bench, label
from .datasets import DataSet
from .measure import Figure
from .pageserver import PageServer
from .report import Row

STORED_GOAL = 1.01
STARTS = 21
VERSION_GOAL = 0.015
INFO_GOAL = 0.1
CHUNKS = 10_000


def measure_stored(bench: Bench, data: DataSet, level: int, archive: Path) -> None:
    """The archive's data beside what zstd makes of the same lines in one piece."""
    files = sorted((archive / "data").iterdir())
    ours = sum(file.stat().st_size for file in files)
    command = f"zstd -dcq {shlex.join(map(str, files))} | zstd -q -{level} | wc -c"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=True
    )
    zstd = int(done.stdout)
    ratio = ours / zstd
    bench.report.add(
        Row(
            "Bytes stored",
            label(data, f"level {level}"),
            f"{ours / 1e6:.1f} MB in {len(files)} chunks",
            f"zstd -{level} of the same lines {zstd / 1e6:.1f} MB; the JSON "
            f"{data.item_bytes / 1e6:.0f} MB",
            ratio,
            f"{STORED_GOAL}",
            ratio / STORED_GOAL,
        )
    )


def measure_starts(bench: Bench, data: DataSet) -> None:
    """`--version`, and `info` on an archive of 10,000 chunks, each a segment with a page or more
    of the data set."""
    archive = bench.scratch / "chunks"
    with PageServer([data]) as server:
        bench.dump(data, archive, "--segments", CHUNKS, at=server.environment())
    chunks = sum(1 for _ in (archive / "data").iterdir())
    if chunks != CHUNKS:
        bench.report.note(f"the archive for info has {chunks} chunks, not {CHUNKS}")
    _time(bench, "--version", VERSION_GOAL, "--version")
    _time(bench, f"info, {chunks:,} chunks", INFO_GOAL, "info", archive)


def _time(bench: Bench, what: str, goal: float, *arguments: object) -> None:
    # The first run reads the program from the disk.
    samples = [bench.dynarc(*arguments) for _ in range(STARTS + 1)][1:]
    wall = Figure.of(sample.wall * 1000 for sample in samples)
    cpu = Figure.of(sample.cpu * 1000 for sample in samples)
    bench.report.add(
        Row(
            "Starting",
            what,
            f"{wall.show(1)} ms",
            f"{cpu.show(1)} ms of a processor",
            goal=f"{goal * 1000:.0f} ms",
            score=wall.median / (goal * 1000),
            is_time=True,
        )
    )
