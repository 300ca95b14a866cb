"""The tools that people use instead, on the same data from the same server."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable
from urllib.parse import urlsplit

from servers import REGION

from .bench import Bench, label
from .datasets import CACHE, ROOT, DataSet
from .measure import BUILD, BenchmarkError, Figure, Sample, as_facts, per_gb, run
from .pageserver import ACCOUNT, PageServer
from .report import Row

SOURCES = Path(__file__).resolve().parents[1] / "peers"
SCRIPTS = ROOT / ".cache" / "bench-venv" / "bin"
ROUNDS = 3
GO_IN_FLIGHT = 16


class NotThere(Exception):
    """A peer cannot be measured here, and why."""


@dataclass
class Peer:
    """How a peer dumps a table into `peer` in the scratch directory, or loads an archive's data,
    and how often more than dynarc it is to cost. `rounds` is 1 for what takes a minute a run."""

    name: str
    command: Callable[["Context"], list[object] | str]
    goal: float | None
    rounds: int = ROUNDS
    level: int = 3


@dataclass
class Context:
    """What a command is made of."""

    server: PageServer
    data: DataSet
    output: Path
    archive: Path
    level: int = 3

    @property
    def target(self) -> str:
        return f"{self.data.table}Target"


def go(context: Context, verb: str) -> list[object]:
    """Go's SDKs come as sources from Debian."""
    if not shutil.which("go"):
        raise NotThere("Go is not installed")
    program = BUILD / "gopeer"
    done = subprocess.run(
        ["go", "build", "-o", program, "."],
        cwd=SOURCES / "go",
        env={
            "PATH": os.environ["PATH"],
            "GO111MODULE": "off",
            "GOPATH": "/usr/share/gocode",
            "GOCACHE": str(CACHE / "go"),
        },
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise NotThere(f"it does not compile: {done.stderr.strip().splitlines()[-1]}")
    if verb.startswith("dump"):
        return [program, verb, context.data.table, context.output, 8, context.level]
    return [program, verb, context.target, context.archive / "data", GO_IN_FLIGHT]


def boto3(context: Context, verb: str) -> list[object]:
    program = [sys.executable, SOURCES / "boto3_peer.py", verb]
    if verb == "dump":
        return [*program, context.data.table, context.output, context.level]
    return [*program, context.target, context.archive / "data"]


def script(name: str) -> Path:
    if not (SCRIPTS / name).exists():
        raise NotThere("it could not be installed")
    return SCRIPTS / name


def aws_scan(context: Context) -> str:
    scan = f"{script('aws')} dynamodb scan --table-name {context.data.table} --output json"
    return f"mkdir {context.output}; {scan} | zstd -q -{context.level} >{context.output}/items.zst"


def dynamodump(context: Context, mode: str) -> list[object]:
    address = urlsplit(context.server.endpoint)
    command = [script("dynamodump"), "-m", mode, "-r", REGION, "--host", address.hostname]
    command += ["--port", address.port, "--accessKey", ACCOUNT, "--secretKey", "not-a-secret"]
    command += ["-s", context.data.table]
    if mode == "backup":
        return [*command, "--dumpPath", context.output]
    options = ["--dataOnly", "--skipThroughputUpdate", "--noConfirm"]
    # It reads its own dumps only; the last one is still there.
    return [*command, "--dumpPath", context.output, "-d", context.target, *options]


DUMPS = (
    Peer("Go, SDK v2", lambda context: go(context, "dump-v2"), 4),
    Peer("Go, SDK v2, level 1", lambda context: go(context, "dump-v2"), 4, level=1),
    Peer("boto3, 8 processes", lambda context: boto3(context, "dump"), 15),
    Peer("aws dynamodb scan, zstd", aws_scan, None, rounds=1),
    Peer(
        "dynamodump (no compression)", lambda context: dynamodump(context, "backup"), 25, rounds=1
    ),
)
LOADS = (
    Peer("Go, SDK v1", lambda context: go(context, "load-v1"), 15),
    Peer("Go, SDK v2", lambda context: go(context, "load-v2"), None),
    Peer("boto3, 8 processes", lambda context: boto3(context, "load"), 50, rounds=1),
    Peer("dynamodump", lambda context: dynamodump(context, "restore"), None, rounds=1),
)


def measure(bench: Bench, data: DataSet) -> None:
    """Measures dynarc and each peer in turn."""
    output = bench.scratch / "peer"
    archive = bench.scratch / "beside"
    with PageServer([data]) as server:
        at = server.environment()
        for peer in DUMPS:
            context = Context(server, data, output, archive, peer.level)
            _measure(
                bench,
                "Dump beside other tools",
                peer,
                context,
                lambda: bench.dump(data, archive, "--level", peer.level, at=at),
            )
        for peer in LOADS:
            context = Context(server, data, output, archive)
            _measure(
                bench,
                "Load beside other tools",
                peer,
                context,
                lambda: bench.load(data, archive, at=at),
            )


def _measure(
    bench: Bench, section: str, peer: Peer, context: Context, dynarc: Callable[[], Sample]
) -> None:
    is_dump = peer in DUMPS
    ours: list[Sample] = []
    theirs: list[Sample] = []
    try:
        for _ in range(peer.rounds):
            ours.append(dynarc())
            if is_dump:
                shutil.rmtree(context.output, ignore_errors=True)
            command = peer.command(context)
            theirs.append(run(command, bench.scratch, context.server.environment()))
            if is_dump:
                _check(context)
    except (NotThere, BenchmarkError) as error:
        bench.report.note(f"{section}: {peer.name} was not measured: {error}")
        return
    figures = [per_gb(samples, context.data.page_bytes) for samples in (ours, theirs)]
    peaks = [max(sample.peak for sample in samples) / 1e6 for samples in (ours, theirs)]
    ratio = figures[1].median / figures[0].median
    wall = Figure.of(sample.wall for sample in theirs)
    bench.report.add(
        Row(
            section,
            f"{peer.name}, {label(context.data)}",
            f"{figures[0].show()}, {peaks[0]:.0f} MB",
            f"{figures[1].show()}, {peaks[1]:.0f} MB, {wall.show(1)} s",
            ratio,
            f"{peer.goal:g} x less" if peer.goal else "",
            peer.goal / ratio if peer.goal else None,
            facts=as_facts({"dynarc": ours, "peer": theirs}),
        )
    )


def _check(context: Context) -> None:
    """Whether a peer has written as many items as there are; zstd passes on what it did not make."""
    command = (
        f"find '{context.output}' -type f -print0 | xargs -0 zstd -dcfq -- "
        "| grep -o '\"customerId\":' | wc -l"
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    if int(done.stdout) != context.data.items:
        raise BenchmarkError(f"it wrote {done.stdout.strip()} of {context.data.items} items")
