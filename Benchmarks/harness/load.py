"""Loads beside the sum of their parts: decompressing, hashing, posting."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Sequence

from . import check
from .bench import Bench, label
from .datasets import DataSet
from .dump import BUSY_GOAL
from .floor import Posts
from .measure import Figure, Sample, as_facts, interleave, per_gb, run, tool
from .pageserver import PageServer
from .report import Row

SECTION = "Load, CPU beside the floor"
GOAL = 1.3
SMALL_GOAL = round(GOAL * 1.25, 2)
# What load takes by itself on two cores, and so what the poster gets.
CONCURRENCY = 16


def measure(
    bench: Bench, data: DataSet, archive: Path, transports: Sequence[bool], goal: float
) -> None:
    check_arrival(bench, data, archive)
    posts = Posts(data, bench.scratch)
    files = shlex.join(str(file) for file in sorted((archive / "data").iterdir()))
    with PageServer([data]) as server:
        for tls in transports:
            at = server.environment(tls)
            endpoint, ca = at["AWS_ENDPOINT_URL"], server.ca if tls else "-"
            post = [tool("poster"), endpoint, ca, posts.path, CONCURRENCY]
            served = []

            def dynarc() -> Sample:
                before = server.cpu_seconds()
                sample = bench.load(data, archive, "--concurrency", CONCURRENCY, at=at)
                served.append((server.cpu_seconds() - before) / sample.wall)
                return sample

            samples = interleave(
                bench.rounds,
                {
                    "dynarc": dynarc,
                    "post": lambda: run(post, bench.scratch),
                    "zstd": lambda: run(f"zstd -dcq {files} >/dev/null", bench.scratch),
                    "sha256": lambda: run(
                        f"openssl dgst -sha256 -binary {posts.bodies} >/dev/null", bench.scratch
                    ),
                },
            )
            _report(bench, data, "TLS" if tls else "plain", goal, samples, served)
    posts.path.unlink()
    posts.bodies.unlink()


def check_arrival(bench: Bench, data: DataSet, archive: Path) -> None:
    """Loads twice beside the measured runs, the second time with 2% of the puts given back, and
    compares what the server got with the data set."""
    log = bench.scratch / "batches"
    for unprocessed_every in (None, 50):
        log.unlink(missing_ok=True)
        with PageServer([data], unprocessed_every=unprocessed_every, log=log) as server:
            bench.load(data, archive, at=server.environment())
        check.batches(log, data)
    log.unlink()


def _report(
    bench: Bench,
    data: DataSet,
    transport: str,
    goal: float,
    samples: dict[str, list[Sample]],
    served: Sequence[float],
) -> None:
    figures = {name: per_gb(listed, data.page_bytes) for name, listed in samples.items()}
    ours = figures["dynarc"]
    floor = figures["zstd"] + figures["sha256"] + figures["post"]
    ratio = ours.median / floor.median
    bench.report.add(
        Row(
            SECTION,
            label(data, transport),
            ours.show(),
            f"sum {floor.show()}: zstd -d {figures['zstd'].show()}, SHA-256 "
            f"{figures['sha256'].show()}, posting {figures['post'].show()}",
            ratio,
            f"{goal:.2f}",
            ratio / goal,
            facts=as_facts(samples),
        )
    )
    busy = Figure.of(sample.busy for sample in samples["dynarc"])
    wall = Figure.of(sample.wall for sample in samples["dynarc"])
    is_goal = transport == "plain"
    bench.report.add(
        Row(
            "Load, processors at work",
            label(data, transport),
            f"{busy.show()} of 2 in {wall.show()} s",
            f"the server {Figure.of(served).show()}; posting alone "
            f"{Figure.of(s.wall for s in samples['post']).show()} s",
            goal=f"at least {BUSY_GOAL}" if is_goal else "",
            score=BUSY_GOAL / busy.median if is_goal else None,
            is_time=True,
        )
    )
