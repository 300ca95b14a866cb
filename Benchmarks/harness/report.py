"""What was measured, as a table in Markdown and as JSON."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass
class Row:
    """A line of the table: what was measured, what it is, what stands beside it, and its goal.
    `score` is a ratio to the goal, 1 being just met; without a goal it is None. A time is spoilt
    by whatever else the machine does, a ratio of CPU seconds hardly."""

    section: str
    what: str
    dynarc: str
    beside: str = ""
    ratio: float | None = None
    goal: str = ""
    score: float | None = None
    is_time: bool = False
    facts: dict = field(default_factory=dict)


class Report:
    """Rows as they come; each is printed at once, so that a long run can be watched."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.notes: list[str] = []
        self.costs = ""
        self.started = time.time()

    def add(self, row: Row) -> None:
        self.rows.append(row)
        print(f"{row.section}: {_plain(row)}", flush=True)

    def note(self, text: str) -> None:
        self.notes.append(text)
        print(f"note: {text}", flush=True)

    def markdown(self) -> str:
        lines = [machine_line(), ""]
        for section in dict.fromkeys(row.section for row in self.rows):
            lines += [f"**{section}**", "", "| | dynarc | beside it | ratio | goal | met |"]
            lines.append("|---|---|---|---|---|---|")
            for row in self.rows:
                if row.section != section:
                    continue
                ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
                met = "" if row.score is None else "yes" if row.score <= 1 else "**no**"
                lines.append(
                    f"| {row.what} | {row.dynarc} | {row.beside} | {ratio} | {row.goal} | {met} |"
                )
            lines.append("")
        if self.costs:
            lines += ["**What tables take**", "", self.costs]
        lines += [f"- {note}" for note in self.notes]
        return "\n".join(lines) + "\n"

    def write(self, path: Path) -> None:
        facts = {
            "machine": machine(),
            "seconds": round(time.time() - self.started, 1),
            "rows": [asdict(row) for row in self.rows],
            "notes": self.notes,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(facts, indent=1, ensure_ascii=False))
        path.with_suffix(".md").write_text(self.markdown())


def _plain(row: Row) -> str:
    parts = [f"{row.what}: {row.dynarc}"]
    if row.beside:
        parts.append(f"beside {row.beside}")
    if row.ratio is not None:
        parts.append(f"ratio {row.ratio:.2f}")
    if row.score is not None:
        parts.append(f"goal {row.goal}: {'met' if row.score <= 1 else 'NOT MET'}")
    return ", ".join(parts)


def machine() -> dict:
    def first_line(*command: str) -> str:
        done = subprocess.run(command, capture_output=True, text=True)
        return (done.stdout + done.stderr).strip().partition("\n")[0]

    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "curl": first_line("curl", "--version"),
        "zstd": first_line("zstd", "--version"),
        "openssl": first_line("openssl", "version"),
    }


def machine_line() -> str:
    facts = machine()
    return (
        f"{facts['date']}, {facts['cores']} cores of {facts['processor']}. CPU seconds per GB "
        "(10^9 bytes) of DynamoDB JSON unless another unit stands there; medians, in brackets the "
        "lowest and the highest of interleaved runs."
    )
