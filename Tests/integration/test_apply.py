"""apply: the changes between two snapshots bring a table from one to the other, and back."""

from __future__ import annotations

import json
import random
import shutil
import signal
from pathlib import Path
from typing import Callable

import pytest

import archives
import tables
from items import Item, random_items
from program import Result, Side, run_dynarc, run_dynarc_until

KEYS = ["pk", "sk"]
Dynarc = Callable[..., Result]


class Night:
    """A table on two evenings, 1,200 items each, with the archives of both and of the changes."""

    def __init__(self, side: Side, directory: Path, binary: Path) -> None:
        before = [
            item | {"pk": {"S": f"p{number % 9}"}, "sk": {"S": f"s{number:04d}"}}
            for number, item in enumerate(random_items(1200, seed=41))
        ]
        after = []
        for number, item in enumerate(before):
            match number % 3:
                case 0:
                    after.append(item)
                case 1:
                    after.append(item | {"visits": {"N": str(number)}})
        after += [
            {"pk": {"S": f"p{number % 9}"}, "sk": {"S": f"t{number}"}, "new": {"BOOL": True}}
            for number in range(400)
        ]
        self.items: dict[str, list[Item]] = {}
        self.directory = directory
        home = directory / "home"
        home.mkdir()

        def dynarc(*arguments: object, exit: int = 0) -> None:
            run_dynarc(binary, directory, home, *arguments, at=side, exit=exit)

        for name, rows in (("before", before), ("after", after)):
            tables.create(side.client, f"Apply-{name}")
            tables.put_all(side.client, f"Apply-{name}", rows)
            dynarc("dump", f"Apply-{name}", f"./{name}", "--segments", 4)
            self.items[name] = tables.read_all(side.client, f"Apply-{name}")
        dynarc("diff", "./before", "./after", "--output", "./digests", exit=1)
        dynarc("diff", "./before", "./after", "--output", "./images", "--with-old", exit=1)


@pytest.fixture(scope="module")
def night(source: Side, tmp_path_factory: pytest.TempPathFactory, binary: Path) -> Night:
    return Night(source, tmp_path_factory.mktemp("night"), binary)


@pytest.fixture
def changes(night: Night, tmp_path: Path) -> Path:
    """Both archives of changes, where state files may stand beside them."""
    for name in ("digests", "images"):
        shutil.copytree(night.directory / name, tmp_path / name)
    return tmp_path


def fill(side: Side, table: str, items: list[Item]) -> None:
    tables.create(side.client, table)
    tables.put_all(side.client, table, items)


def differences(side: Side, table: str, items: list[Item]) -> list[str]:
    return tables.differences(items, tables.read_all(side.client, table), KEYS)


@pytest.mark.parametrize("archive", ["digests", "images"])
def test_there(night: Night, changes: Path, dynarc: Dynarc, target: Side, table: str, archive: str) -> None:
    fill(target, table, night.items["before"])
    report = dynarc("apply", archive, table, "--yes", "--json", at=target).json
    assert (report["puts"], report["deletes"]) == (800, 400)
    assert (report["written"], report["rejected"]) == (1200, 0)
    assert differences(target, table, night.items["after"]) == []
    # Once more changes nothing.
    dynarc("apply", archive, table, "--yes", at=target)
    assert differences(target, table, night.items["after"]) == []
    assert list(changes.glob("*state*")) == []


def test_and_back(night: Night, changes: Path, dynarc: Dynarc, target: Side, table: str) -> None:
    fill(target, table, night.items["after"])
    report = dynarc("apply", "images", table, "--reverse", "--yes", "--json", at=target).json
    assert (report["puts"], report["deletes"]) == (800, 400)
    assert report["written"] == 1200
    assert differences(target, table, night.items["before"]) == []


def test_nothing_is_written_without_consent(
    night: Night, changes: Path, dynarc: Dynarc, target: Side, table: str
) -> None:
    fill(target, table, night.items["before"])
    assert "--yes" in dynarc("apply", "digests", table, at=target, exit=2).stderr
    dry = dynarc("apply", "digests", table, "--dry-run", at=target)
    assert "put 800 items" in dry.stderr and "delete 400" in dry.stderr and dry.stdout == b""
    report = dynarc("apply", "images", table, "--dry-run", "--reverse", "--json", at=target).json
    assert report["dryRun"] and (report["puts"], report["deletes"]) == (800, 400)
    assert differences(target, table, night.items["before"]) == []
    assert list(changes.glob("*state*")) == []


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_stopped_at_random_moments(
    night: Night, changes: Path, dynarc: Dynarc, binary: Path, target: Side, table: str, proxy_to, direction: str
) -> None:
    begin, end = ("before", "after") if direction == "forward" else ("after", "before")
    options = [] if direction == "forward" else ["--reverse"]
    fill(target, table, night.items[begin])
    proxy = proxy_to(target, [{"kind": "stall", "operation": "BatchWriteItem", "rate": 1, "seconds": 0.4}])
    slow = target.through(proxy)
    state = changes / f"images.{table}.apply-state"
    source = random.Random(direction)
    stopped = 0
    for number in (signal.SIGINT, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
        resume = ["--resume"] if state.exists() else []
        code = run_dynarc_until(
            binary, changes, changes / "home", source.uniform(0.6, 1.2), number,
            "apply", "images", table, "--yes", "--concurrency", 2, *options, *resume, at=slow,
        )  # fmt: skip
        stopped += code != 0
    assert stopped == 4 and state.exists()
    again = dynarc("apply", "images", table, "--yes", *options, at=target, exit=3)
    assert "--resume" in again.stderr
    other = [] if options else ["--reverse"]
    assert "reverse" in dynarc("apply", "images", table, "--resume", *other, at=target, exit=3).stderr
    dry = dynarc("apply", "images", table, "--resume", "--dry-run", *options, at=target)
    assert "go on behind" in dry.stderr
    # What has begun was consented to.
    report = dynarc("apply", "images", table, "--resume", "--json", *options, at=target).json
    assert report["written"] == 1200 and not state.exists()
    assert differences(target, table, night.items[end]) == []


@pytest.mark.parametrize("kind", ["throttle", "reset_in_body", "garbage", "partial_unprocessed", "total_unprocessed"])
def test_through_faults(
    night: Night, changes: Path, dynarc: Dynarc, target: Side, table: str, proxy_to, kind: str
) -> None:
    fill(target, table, night.items["before"])
    rules = [
        {"kind": kind, "operation": "BatchWriteItem", "first": 1},
        {"kind": kind, "operation": "BatchWriteItem", "rate": 0.15, "seed": 5},
    ]
    proxy = proxy_to(target, rules)
    through = target.through(proxy)
    report = dynarc("apply", "images", table, "--yes", "--json", at=through).json
    assert proxy.record.faults[kind] > 0
    assert (report["written"], report["rejected"]) == (1200, 0)
    assert differences(target, table, night.items["after"]) == []
    report = dynarc("apply", "images", table, "--yes", "--reverse", "--json", at=through).json
    assert (report["written"], report["rejected"]) == (1200, 0)
    assert differences(target, table, night.items["before"]) == []


def test_rejects_are_set_aside(
    night: Night, changes: Path, dynarc: Dynarc, target: Side, table: str
) -> None:
    fill(target, table, night.items["before"])
    # An empty set, which the service does not take.
    bad = b'{"Item":{"pk":{"S":"p7"},"sk":{"S":"t7"},"new":{"SS":[]}}}\n'

    def spoiled(line: bytes) -> bytes:
        return bad if json.loads(line).get("Item", {}).get("sk") == {"S": "t7"} else line

    archives.edit_lines(changes / "digests", lambda lines: [spoiled(line) for line in lines])
    result = dynarc("apply", "digests", table, "--yes", "--json", at=target, exit=4)
    assert (result.json["written"], result.json["rejected"]) == (1199, 1)
    line = json.loads((changes / "rejects.ndjson").read_text())
    assert line["Item"]["sk"] == {"S": "t7"} and line["reason"]["code"]
    expected = [item for item in night.items["after"] if item["sk"]["S"] != "t7"]
    assert differences(target, table, expected) == []


def test_what_does_not_fit_is_refused(
    night: Night, changes: Path, dynarc: Dynarc, target: Side, table: str
) -> None:
    tables.create(target.client, table, "pk:S", "sk:N")
    assert "the key of table" in dynarc("apply", "digests", table, "--yes", at=target, exit=3).stderr
    assert "No-such" in dynarc("apply", "digests", "No-such", "--yes", at=target, exit=3).stderr
    snapshot = dynarc("apply", night.directory / "before", table, "--yes", at=target, exit=3)
    assert "snapshot" in snapshot.stderr and "dynarc load" in snapshot.stderr
    back = dynarc("apply", "digests", table, "--reverse", "--yes", at=target, exit=3)
    assert "--with-old" in back.stderr
    assert "no archive" in dynarc("apply", "nothing", table, at=target, exit=3).stderr
    assert tables.read_all(target.client, table) == []


def test_damage_is_found_before_the_first_write(
    night: Night, changes: Path, dynarc: Dynarc, target: Side, table: str
) -> None:
    fill(target, table, night.items["before"])
    chunk = archives.chunk_files(changes / "digests")[-1]
    content = bytearray(chunk.read_bytes())
    content[-5] ^= 1
    chunk.write_bytes(content)
    assert chunk.name in dynarc("apply", "digests", table, "--yes", at=target, exit=3).stderr
    assert differences(target, table, night.items["before"]) == []
    assert list(changes.glob("*state*")) == []
