"""What programs cost: CPU seconds and peak memory of a process and its descendants."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Callable, Iterable, Mapping

from .datasets import ROOT

NATIVE = Path(__file__).resolve().parents[1] / "native"
BUILD = ROOT / ".build" / "bench"
TIMEOUT = 900.0


class BenchmarkError(RuntimeError):
    """A program that was to be measured failed, or its output is not right."""


@dataclass(frozen=True)
class Sample:
    """One run: seconds, and the peak memory of the largest of its processes in bytes."""

    wall: float
    user: float
    system: float
    peak: int

    @property
    def cpu(self) -> float:
        return self.user + self.system

    @property
    def busy(self) -> float:
        """How many processors were at work, on average."""
        return self.cpu / self.wall


@dataclass(frozen=True)
class Figure:
    """The median of some runs, and the lowest and highest beside it: the noise."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Figure":
        listed = list(values)
        return cls(median(listed), min(listed), max(listed))

    def __add__(self, other: "Figure") -> "Figure":
        return Figure(self.median + other.median, self.low + other.low, self.high + other.high)

    def show(self, digits: int = 2) -> str:
        low, high = f"{self.low:.{digits}f}", f"{self.high:.{digits}f}"
        return f"{self.median:.{digits}f}" + (f" ({low}–{high})" if low != high else "")


def per_gb(samples: list[Sample], size: int) -> Figure:
    """CPU seconds per GB, a GB being 10^9 bytes."""
    return Figure.of(sample.cpu / (size / 1e9) for sample in samples)


Contenders = Mapping[str, Callable[[], Sample]]


def interleave(rounds: int, contenders: Contenders) -> dict[str, list[Sample]]:
    """Runs all contenders in turn, and again: what disturbs the machine disturbs all alike."""
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            samples[name].append(run())
    return samples


def as_facts(samples: dict[str, list[Sample]]) -> dict:
    """The samples as the report's JSON has them."""
    return {name: [asdict(sample) for sample in listed] for name, listed in samples.items()}


def run(
    command: list[object] | str, directory: Path, environment: Mapping[str, str] | None = None
) -> Sample:
    """Runs a program, or a script of bash, to its end in a directory.

    Of our environment it gets PATH only. What it prints is kept in `stdout` and `stderr` there.
    """
    if isinstance(command, str):
        command = ["bash", "-c", f"set -eo pipefail\n{command}"]
    result = directory / "measured.json"
    with open(directory / "stdout", "wb") as out, open(directory / "stderr", "wb") as errors:
        subprocess.run(
            [tool("measure"), result, *map(str, command)],
            cwd=directory,
            env={"PATH": os.environ["PATH"], "HOME": str(directory), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=errors,
            check=True,
            timeout=TIMEOUT,
        )
    facts = json.loads(result.read_text())
    code = facts.pop("code")
    if code != 0:
        said = (directory / "stderr").read_text(errors="replace")[-2000:]
        shown = " ".join(map(str, command))[:300]
        raise BenchmarkError(f"`{shown}` ended with {code}\n{said}")
    return Sample(**facts)


def tool(name: str) -> Path:
    """A program of ours in C, compiled if its source is newer."""
    source, program = NATIVE / f"{name}.c", BUILD / name
    if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
        return program
    BUILD.mkdir(parents=True, exist_ok=True)
    libraries: list[str] = []
    if name == "poster":
        found = subprocess.run(
            ["pkg-config", "--cflags", "--libs", "libcurl"],
            capture_output=True,
            text=True,
            check=True,
        )
        libraries = found.stdout.split()
    command = ["cc", "-O2", "-Wall", "-Wextra", "-o", program, source, *libraries]
    subprocess.run(command, check=True)
    return program
