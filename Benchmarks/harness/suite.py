"""Which measurements make a benchmark: all of them, and a short form for continuous integration."""

from __future__ import annotations

from pathlib import Path

from . import costs, datasets, diff as diff_bench, dump, limits, load, peers, small
from .bench import Bench
from .measure import BUILD, BenchmarkError

ROUNDS = 3
SHORT_ROUNDS = 3
# The short form runs on busy machines and small data: it fails where a ratio is so many times its
# goal.
SHORT_TOLERANCE = 3.0


def full(binary: Path) -> None:
    """Everything, on 512 MiB of each kind of item."""
    orders = datasets.ensure("orders", 512)
    with Bench(binary, ROUNDS) as bench:
        for data, dump_goal, load_goal in (
            (orders, dump.GOAL, load.GOAL),
            (datasets.ensure("events", 512), dump.SMALL_GOAL, load.SMALL_GOAL),
        ):
            archives = dump.measure(bench, data, (3, 1), (False, True), dump_goal)
            for level, archive in archives.items():
                small.measure_stored(bench, data, level, archive)
            load.measure(bench, data, archives[3], (False, True), load_goal)
        few = datasets.ensure("orders", 64)
        rates = limits.measure_sizes(bench, [(few, 1), (orders, 1), (orders, 8)])
        bench.report.costs = costs.markdown(orders, rates)
        tiny_pages = datasets.ensure("orders", 256, 64)
        limits.measure_latency(bench, tiny_pages)
        small.measure_starts(bench, tiny_pages)
        # Their costs grow in proportion, and would take an hour on more.
        peers.measure(bench, few)
        finish(bench, "bench")


def diff(binary: Path, mebibytes: int = 512) -> None:
    """diff alone, beside DuckDB and sort with comm."""
    with Bench(binary, ROUNDS) as bench:
        measure_diff(bench, datasets.ensure("orders", mebibytes))
        finish(bench, "bench-diff")


def measure_diff(bench: Bench, data: datasets.DataSet) -> None:
    """Fewer rounds, since sorting takes so long."""
    diff_bench.measure(bench, data, SHORT_ROUNDS)


def short(binary: Path) -> None:
    """Ratios only, on 64 MiB; fails where one is far from its goal."""
    orders = datasets.ensure("orders", 64)
    with Bench(binary, SHORT_ROUNDS) as bench:
        archives = dump.measure(bench, orders, (3, 1), (False,), dump.GOAL)
        for level, archive in archives.items():
            small.measure_stored(bench, orders, level, archive)
        load.measure(bench, orders, archives[3], (False,), load.GOAL)
        limits.measure_sizes(bench, [(orders, 1)])
        finish(bench, "bench-short")
        ratios = [row for row in bench.report.rows if row.score and not row.is_time]
        far = [row for row in ratios if row.score > SHORT_TOLERANCE]
        if far:
            names = "; ".join(f"{row.section}: {row.what}" for row in far)
            raise BenchmarkError(f"more than {SHORT_TOLERANCE:g} times its goal: {names}")


def finish(bench: Bench, name: str) -> None:
    path = BUILD / f"{name}.json"
    bench.report.write(path)
    print(f"\n{bench.report.markdown()}\nThe same in {path.with_suffix('.md')} and {path}.")
