"""Dumps beside two `curl | zstd` pipes over the same pages."""

from __future__ import annotations

from pathlib import Path
from typing import Sequence

from . import check
from .bench import Bench, label
from .datasets import DataSet
from .floor import Pipes
from .measure import Figure, Sample, as_facts, interleave, per_gb, run
from .pageserver import PageServer
from .report import Row

SECTION = "Dump, CPU beside the floor"
GOAL = 1.05
# The goal for small items is the same ratio within 25%.
SMALL_GOAL = round(GOAL * 1.25, 2)
BUSY_GOAL = 1.7


def measure(
    bench: Bench, data: DataSet, levels: Sequence[int], transports: Sequence[bool], goal: float
) -> dict[int, Path]:
    """Measures each level over each transport (False is plain, True is TLS).

    Returns an archive of each level.
    """
    archives = {level: bench.scratch / f"{data.name}-{level}" for level in levels}
    with PageServer([data]) as server:
        for tls in transports:
            pipes = Pipes(server, data, tls, bench.scratch)
            fetch = interleave(bench.rounds, {"fetch": lambda: run(pipes.fetch(), bench.scratch)})
            for level in levels:
                archive = archives[level]
                served = server.cpu_seconds()
                samples = _compete(bench, server, data, pipes, tls, level, archive)
                served = (server.cpu_seconds() - served) / (2 * bench.rounds)
                zstd = interleave(
                    bench.rounds, {"zstd": lambda: run(pipes.compress(level), bench.scratch)}
                )
                _report(bench, data, tls, level, goal, samples | fetch | zstd, served)
    return archives


def _compete(
    bench: Bench,
    server: PageServer,
    data: DataSet,
    pipes: Pipes,
    tls: bool,
    level: int,
    archive: Path,
) -> dict[str, list[Sample]]:
    def dynarc() -> Sample:
        sample = bench.dump(data, archive, "--level", level, at=server.environment(tls))
        check.archive(archive, data)
        return sample

    def floor() -> Sample:
        sample = run(pipes.dump(level), bench.scratch)
        pipes.check(bench.scratch)
        return sample

    samples = interleave(bench.rounds, {"dynarc": dynarc, "floor": floor})
    bench.dynarc("verify", archive, "--quiet")
    return samples


def _report(
    bench: Bench,
    data: DataSet,
    tls: bool,
    level: int,
    goal: float,
    samples: dict[str, list[Sample]],
    served: float,
) -> None:
    figures = {name: per_gb(listed, data.page_bytes) for name, listed in samples.items()}
    ours, floor = figures["dynarc"], figures["floor"]
    ratio = ours.median / floor.median
    transport = "TLS" if tls else "plain"
    bench.report.add(
        Row(
            SECTION,
            label(data, f"level {level}", transport),
            ours.show(),
            f"two pipes {floor.show()}; fetching alone {figures['fetch'].show()}, zstd alone "
            f"{figures['zstd'].show()}",
            ratio,
            f"{goal:.2f}",
            ratio / goal,
            facts=as_facts(samples),
        )
    )
    busy = Figure.of(sample.busy for sample in samples["dynarc"])
    wall = Figure.of(sample.wall for sample in samples["dynarc"])
    pipes = Figure.of(sample.wall for sample in samples["floor"])
    is_goal = level == 3 and not tls
    bench.report.add(
        Row(
            "Dump, processors at work",
            label(data, f"level {level}", transport),
            f"{busy.show()} of 2 in {wall.show()} s",
            f"the server {served / wall.median:.2f}; pipes {pipes.show()} s",
            goal=f"at least {BUSY_GOAL}" if is_goal else "",
            score=BUSY_GOAL / busy.median if is_goal else None,
            is_time=True,
        )
    )
