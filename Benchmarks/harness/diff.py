"""diff beside what people use instead: DuckDB with an anti-join, and sort with comm."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Iterator

from .bench import Bench, label
from .datasets import ROOT, DataSet
from .measure import Figure, Sample, as_facts, interleave, per_gb, run
from .pageserver import PageServer
from .report import Row

SECTION = "Diff, 1% changed, other segments and chunks"
# CPU seconds for a GB of both sides' JSON, MB of memory, and how many times more others are to take.
GOAL, MEMORY_GOAL, PEER_GOAL = 2.0, 64, 5
MEMORY = "--memory", "32MB"
CHANGE_EVERY = 100
CHUNK_BYTES = 20 << 20
SEGMENTS = 4

SHOWN = {
    "comm": "zstdcat, sort, comm",
    "anti-join of lines": "DuckDB, anti-join of lines",
    # Quicker, and wrong where two lines have one hash of 64 bits.
    "anti-join of hashes": "DuckDB, anti-join of hashes of lines",
}
LINES = (
    "read_csv('{}/data/*.zst', columns={{'line':'VARCHAR'}}, delim='\\x01', quote='', escape='', "
    "header=false, compression='zstd', max_line_size=4000000)"
)
QUERIES = {
    "anti-join of lines": "SELECT count(*) FROM {one} x ANTI JOIN {other} y ON x.line = y.line",
    "anti-join of hashes": "SELECT count(*) FROM {one} x ANTI JOIN (SELECT hash(line) AS h FROM {other}) y "
    "ON hash(x.line) = y.h",
}


def measure(bench: Bench, data: DataSet, rounds: int) -> None:
    """Two archives that differ in every hundredth item, and one beside itself."""
    old, new = bench.scratch / "diff-old", bench.scratch / "diff-new"
    with PageServer([data]) as server:
        bench.dump(data, old, "--segments", SEGMENTS, at=server.environment(False))
    changed, size = change(old, new)
    bench.dynarc("verify", new, "--quiet")
    size += sum(row["contentBytes"] for row in json.loads((old / "manifest.json").read_text())["chunks"])
    contenders = {"dynarc": lambda: ours(bench, old, new, changed)}
    contenders |= {"comm": lambda: run(comm(old, new, changed), bench.scratch)}
    python = duckdb_python()
    if python:
        for name, query in QUERIES.items():
            contenders[name] = lambda query=query: run(duckdb(python, query, old, new, changed), bench.scratch)
    else:
        bench.report.note("DuckDB was not measured: it is not installed")
    samples = interleave(rounds, contenders)
    report(bench, data, samples, size)

    same = interleave(rounds, {"dynarc": lambda: bench.dynarc("diff", old, old, "--stat", *MEMORY)})
    wall = Figure.of(sample.wall for sample in same["dynarc"])
    bench.report.add(
        Row("Diff of an archive with itself", label(data), f"{wall.show(3)} s", goal="below 1 s",
            score=wall.median, is_time=True, facts=as_facts(same))
    )  # fmt: skip
    for archive in (old, new):
        shutil.rmtree(archive)


def report(bench: Bench, data: DataSet, samples: dict[str, list[Sample]], size: int) -> None:
    figures = {name: per_gb(listed, size) for name, listed in samples.items()}
    peaks = {name: Figure.of(one.peak / 1e6 for one in listed) for name, listed in samples.items()}
    mine = figures.pop("dynarc")
    bench.report.add(
        Row(SECTION, label(data, "CPU s/GB of both"), mine.show(), goal=f"{GOAL}", score=mine.median / GOAL,
            facts=as_facts(samples))
    )  # fmt: skip
    bench.report.add(
        Row("Diff, peak memory", label(data, " ".join(MEMORY)), f"{peaks['dynarc'].show(0)} MB",
            "; ".join(f"{name} {peaks[name].show(0)} MB" for name in figures), goal=f"{MEMORY_GOAL} MB",
            score=peaks["dynarc"].median / MEMORY_GOAL)
    )  # fmt: skip
    for name, figure in figures.items():
        ratio = figure.median / mine.median
        bench.report.add(
            Row(SECTION, f"{label(data)}, {SHOWN[name]}", mine.show(), figure.show(), ratio,
                f"at least {PEER_GOAL}", PEER_GOAL / ratio)
        )  # fmt: skip


def ours(bench: Bench, old: Path, new: Path, changed: int) -> Sample:
    check = f"grep -q '\"items\": {changed}' stat.json"
    return run(
        f"code=0; {bench.binary} diff {old} {new} --stat --json --no-progress {' '.join(MEMORY)} >stat.json "
        f"|| code=$?; [ $code = 1 ]; {check}",
        bench.scratch,
    )


def comm(old: Path, new: Path, changed: int) -> str:
    """Lines that one side has. The sorts run at the same time, and are waited for, so that what they cost
    is counted."""
    sort = "zstdcat -q {}/data/*.zst | LC_ALL=C sort -T . -o {}"
    return (
        f"({sort.format(old, 'old.sorted')}) & first=$!\n{sort.format(new, 'new.sorted')}\nwait $first\n"
        f"[ $(LC_ALL=C comm -3 old.sorted new.sorted | wc -l) = {2 * changed} ]"
    )


def duckdb(python: Path, query: str, old: Path, new: Path, changed: int) -> list[object]:
    sides = [LINES.format(old), LINES.format(new)]
    queries = [query.format(one=sides[0], other=sides[1]), query.format(one=sides[1], other=sides[0])]
    program = (
        "import duckdb, sys\n"
        "found = [duckdb.sql(query).fetchall()[0][0] for query in sys.argv[2:]]\n"
        "sys.exit(found != [int(sys.argv[1])] * 2)\n"
    )
    return [python, "-c", program, changed, *queries]


def duckdb_python() -> Path | None:
    python = ROOT / ".cache" / "bench-venv" / "bin" / "python"
    done = subprocess.run([python, "-c", "import duckdb"], capture_output=True) if python.exists() else None
    return python if done and done.returncode == 0 else None


def change(old: Path, new: Path) -> tuple[int, int]:
    """Writes an archive of the same items, but every hundredth changed, in other chunks.

    Returns how many were changed, and the bytes of its content.
    """
    (new / "data").mkdir(parents=True)
    document = json.loads((old / "manifest.json").read_text())
    rows: list[dict] = []
    changed = 0
    block: list[bytes] = []
    filled = 0

    def close() -> None:
        nonlocal filled
        if block:
            rows.append(write_chunk(new, len(rows), block))
        block.clear()
        filled = 0

    for number, line in enumerate(lines(old)):
        if number % CHANGE_EVERY == 0:
            line = line.replace(b'{"Item":{', b'{"Item":{"changed":{"BOOL":true},', 1)
            changed += 1
        block.append(line)
        filled += len(line)
        if filled >= CHUNK_BYTES:
            close()
    close()
    document["chunks"] = rows
    for name in ("items", "contentBytes", "storedBytes"):
        document["counts"][name] = sum(row[name] for row in rows)
    document["counts"]["largestItemBytes"] += 64
    (new / "manifest.json").write_text(json.dumps(document))
    names = [row["name"] for row in rows] + ["manifest.json"]
    sums = [f"{hashlib.sha256((new / name).read_bytes()).hexdigest()}  {name}\n" for name in sorted(names)]
    (new / "SHA256SUMS").write_text("".join(sums))
    return changed, document["counts"]["contentBytes"]


def lines(archive: Path) -> Iterator[bytes]:
    for chunk in sorted((archive / "data").iterdir()):
        with subprocess.Popen(["zstd", "-dcq", chunk], stdout=subprocess.PIPE) as process:
            yield from process.stdout


def write_chunk(archive: Path, number: int, block: list[bytes]) -> dict:
    name = f"data/00000-{number:06d}.ndjson.zst"
    content = b"".join(block)
    command = ["zstd", "-q", "-3", "--check", "-o", archive / name]
    subprocess.run(command, input=content, check=True)
    stored = (archive / name).read_bytes()
    return {
        "name": name,
        "segment": 0,
        "items": len(block),
        "contentBytes": len(content),
        "storedBytes": len(stored),
        "sha256": hashlib.sha256(stored).hexdigest(),
        "contentSha256": hashlib.sha256(content).hexdigest(),
    }
