"""What does not grow with the table, what grows with it in proportion, and what latency costs."""

from __future__ import annotations

from typing import Sequence

from . import check
from .bench import Bench, label
from .costs import Rates
from .datasets import DataSet
from .measure import Figure, Sample, as_facts, interleave
from .pageserver import PageServer
from .report import Row

IN_FLIGHT = 64
LATENCY = 0.008
MEMORY_GOAL = 100e6
LATENCY_GOAL = 0.9
WIDE = ("--segments", IN_FLIGHT, "--concurrency", IN_FLIGHT)


def measure_sizes(bench: Bench, sizes: Sequence[tuple[DataSet, int]]) -> Rates:
    """Dumps and loads tables of several sizes, each a data set so many times over, with 64 segments
    in flight. The answers take 8 ms, so that there are as many in flight as may be.

    Returns the rates of the last.
    """
    for data, times in sizes:
        archive = bench.scratch / "sized"
        with PageServer([data], times=times, latency=LATENCY) as server:
            at = server.environment()
            dump = bench.dump(data, archive, *WIDE, at=at)
            check.archive(archive, data, times)
            load = bench.load(data, archive, "--concurrency", IN_FLIGHT, at=at)
        size = data.page_bytes * times
        stored = sum(file.stat().st_size for file in (archive / "data").iterdir())
        for name, sample in (("dump", dump), ("load", load)):
            what = f"{name}, {data.name} {data.mebibytes * times} MiB"
            _report_memory(bench, what, sample)
            _report_size(bench, what, sample, size, stored if name == "dump" else None)
        rates = Rates(dump.cpu / size * 1e9, load.cpu / size * 1e9, stored / size)
    return rates


def _report_memory(bench: Bench, what: str, sample: Sample) -> None:
    bench.report.add(
        Row(
            f"Peak memory, {IN_FLIGHT} in flight",
            what,
            f"{sample.peak / 1e6:.0f} MB",
            goal=f"{MEMORY_GOAL / 1e6:.0f} MB",
            score=sample.peak / MEMORY_GOAL,
            facts=as_facts({"dynarc": [sample]}),
        )
    )


def _report_size(bench: Bench, what: str, sample: Sample, size: int, stored: int | None) -> None:
    gb = size / 1e9
    disk = f", {stored / gb / 1e6:.0f} MB stored" if stored else ""
    bench.report.add(
        Row(
            "Growth: each per GB, one run",
            what,
            f"{sample.cpu / gb:.2f} CPU s, {sample.wall / gb:.2f} s{disk}",
        )
    )


def measure_latency(bench: Bench, data: DataSet) -> None:
    """A dump with 64 in flight whose answers take 8 ms, beside the same without: while 64 pages
    travel and are written, the latency may pass once. Small pages, so that there is little else."""
    archive = bench.scratch / "latency"

    def contender(server: PageServer):
        def run() -> Sample:
            sample = bench.dump(data, archive, *WIDE, at=server.environment())
            check.archive(archive, data)
            return sample

        return run

    with PageServer([data]) as near, PageServer([data], latency=LATENCY) as far:
        samples = interleave(bench.rounds, {"near": contender(near), "far": contender(far)})
    near, far = (Figure.of(s.wall for s in samples[name]) for name in ("near", "far"))
    waiting = len(data.pages) / IN_FLIGHT * LATENCY
    share = (near.median + waiting) / far.median
    page = data.page_bytes / len(data.pages) / 1024
    bench.report.add(
        Row(
            f"Answers take {LATENCY * 1000:.0f} ms, {IN_FLIGHT} in flight",
            label(data, f"pages of {page:.0f} KiB"),
            f"{far.show()} s",
            f"{near.show()} s without, and {waiting:.2f} s of waiting",
            share,
            f"at least {LATENCY_GOAL}",
            LATENCY_GOAL / share,
            True,
            as_facts(samples),
        )
    )
