"""A full dump and what changed night by night: dump --base, merge, load --changes, held against what
boto3 reads."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable

import pytest

import archives
import changes
import tables
from items import Item, random_items
from program import Result, Side, environment_of, run_dynarc, run_dynarc_until

KEYS = ["pk", "sk"]
KILLS = int(os.environ.get("DYNARC_KILLS", "4"))
Dynarc = Callable[..., Result]


def item(number: int, body: Item) -> Item:
    return body | {"pk": {"S": f"p{number % 9}"}, "sk": {"S": f"s{number:04d}"}}


def delete_all(side: Side, table: str, items: list[Item]) -> None:
    for one in items:
        side.client.delete_item(TableName=table, Key={name: one[name] for name in KEYS})


def identity(archive: Path) -> str:
    return hashlib.sha256((archive / "SHA256SUMS").read_bytes()).hexdigest()


class Week:
    """A table on Sunday, dumped in full, and on Monday and Tuesday, when only its changes were."""

    def __init__(self, side: Side, directory: Path, binary: Path) -> None:
        self.table, self.directory = "Chain", directory
        home = directory / "home"
        home.mkdir()
        bodies = list(random_items(1400, seed=71))
        self.items: dict[str, list[Item]] = {}
        self.reports: dict[str, dict] = {}

        def evening(name: str, *options: object) -> None:
            result = run_dynarc(
                binary, directory, home, "dump", self.table, f"./{name}", "--json", *options, at=side
            )
            self.reports[name] = result.json
            self.items[name] = tables.read_all(side.client, self.table)

        tables.create(side.client, self.table)
        rows = [item(number, body) for number, body in enumerate(bodies[:1200])]
        tables.put_all(side.client, self.table, rows)
        evening("sunday", "--segments", 4, "--chunk-size", "64KiB")

        # Monday: removed, changed, added.
        delete_all(side, self.table, rows[:40])
        tables.put_all(side.client, self.table, [one | {"day": {"S": "monday"}} for one in rows[40:120]])
        new = [item(number, body) for number, body in enumerate(bodies[1200:], start=1200)]
        tables.put_all(side.client, self.table, new)
        evening("monday", "--base", "sunday", "--with-old")

        # Tuesday: some of what was removed is back as it was, or as another; of what was changed some is
        # as it was, some changed again, some gone; of what was added some is gone.
        tables.put_all(side.client, self.table, rows[:10])
        tables.put_all(side.client, self.table, [one | {"back": {"BOOL": True}} for one in rows[10:20]])
        tables.put_all(side.client, self.table, rows[40:60])
        tables.put_all(side.client, self.table, [one | {"day": {"S": "tuesday"}} for one in rows[60:80]])
        delete_all(side, self.table, rows[80:100] + new[:50])
        evening("tuesday", "--base", "sunday", "--base", "monday", "--read-units", 5000)

    def path(self, name: str) -> Path:
        return self.directory / name


@pytest.fixture(scope="module")
def week(source: Side, tmp_path_factory: pytest.TempPathFactory, binary: Path) -> Week:
    return Week(source, tmp_path_factory.mktemp("week"), binary)


@pytest.fixture
def copies(week: Week, tmp_path: Path) -> Path:
    """The archives, where state files may stand beside them."""
    for name in ("sunday", "monday", "tuesday"):
        shutil.copytree(week.path(name), tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("before, now", [("sunday", "monday"), ("monday", "tuesday")])
def test_what_changed_is_written_and_no_more(week: Week, dynarc: Dynarc, before: str, now: str) -> None:
    archive = week.path(now)
    expected = list(changes.expected_changes(week.items[before], week.items[now], KEYS).values())
    report, manifest = week.reports[now], archives.manifest(archive)
    for kind in ("added", "removed", "changed"):
        assert report[kind] == manifest["changes"][kind] == expected.count(kind) > 0
    assert (report["baseItems"], report["items"]) == (len(week.items[before]), len(week.items[now]))
    assert report["id"] == identity(archive) and report["base"] == identity(week.path(before))
    assert manifest["changes"]["from"]["archiveId"] == identity(week.path(before))
    assert manifest["changes"]["to"]["items"] == len(week.items[now])
    assert "archiveId" not in manifest["changes"]["to"]
    assert report["consumedReadUnits"] > 0
    assert archives.sums_hold(archive)
    dynarc("verify", archive)


def test_what_changed_can_be_applied_and_taken_back(
    week: Week, copies: Path, dynarc: Dynarc, target: Side, table: str
) -> None:
    tables.create(target.client, table)
    tables.put_all(target.client, table, week.items["sunday"])
    dynarc("apply", "monday", table, "--yes", at=target)
    assert tables.differences(week.items["monday"], tables.read_all(target.client, table), KEYS) == []
    dynarc("apply", "monday", table, "--reverse", "--yes", at=target)
    assert tables.differences(week.items["sunday"], tables.read_all(target.client, table), KEYS) == []


def test_merge_is_the_full_dump_of_that_evening(week: Week, dynarc: Dynarc, tmp_path: Path, source: Side) -> None:
    sides = [week.path(name) for name in ("sunday", "monday", "tuesday")]
    report = dynarc("merge", *sides, "full", "--json").json
    full = tmp_path / "full"
    assert tables.differences(week.items["tuesday"], archives.read_archive(full), KEYS) == []
    assert archives.sums_hold(full) and report["id"] == identity(full)
    assert report["items"] == len(week.items["tuesday"])
    dynarc("verify", "full")
    assert dynarc("diff", "full", week.table, at=source).stdout == b""
    manifest, last = archives.manifest(full), archives.manifest(sides[2])
    assert manifest["kind"] == "snapshot" and manifest["requiredFeatures"] == []
    for member in ("startTime", "endTime", "table", "settings"):
        assert manifest[member] == last[member]
    assert manifest["sameItemsAs"] == [identity(sides[2])]
    assert (full / "manifest.json").stat().st_mode & 0o777 == 0o600
    assert manifest["sameItemsAs"][0][:16] in dynarc("info", "full").stdout.decode()


def test_chunks_without_a_change_are_taken_over(
    week: Week, dynarc: Dynarc, tmp_path: Path, source: Side, table: str
) -> None:
    tables.create(source.client, table)
    rows = week.items["sunday"]
    tables.put_all(source.client, table, rows)
    dynarc("dump", table, "base", "--segments", 6, at=source)
    tables.put_all(source.client, table, [rows[7] | {"new": {"N": "1.50"}}])
    dynarc("dump", table, "changes", "--base", "base", at=source)
    report = dynarc("merge", "base", "changes", "full", "--json").json
    before = {row["sha256"] for row in archives.manifest(tmp_path / "base")["chunks"]}
    after = {row["sha256"] for row in archives.manifest(tmp_path / "full")["chunks"]}
    assert len(before) > 3 and len(before - after) == 1
    assert report["chunksCopied"] == len(before) - 1 and report["itemsChanged"] == 1
    stat = dynarc("diff", "base", "full", "--stat", "--json", exit=1).json
    assert stat["old"]["partsSkipped"] == len(before) - 1
    assert [stat[kind]["items"] for kind in ("added", "removed", "changed")] == [0, 0, 1]


def test_later_changes_follow_on_what_was_merged(
    week: Week, dynarc: Dynarc, tmp_path: Path, source: Side
) -> None:
    sunday, monday, tuesday = (week.path(name) for name in ("sunday", "monday", "tuesday"))
    dynarc("merge", sunday, monday, "monday-full")
    dynarc("merge", "monday-full", tuesday, "tuesday-full")
    found = archives.read_archive(tmp_path / "tuesday-full")
    assert tables.differences(week.items["tuesday"], found, KEYS) == []
    # And what was dumped on the merged one follows on the chain.
    report = dynarc("dump", week.table, "again", "--base", "monday-full", "--json", at=source).json
    assert report["baseItems"] == len(week.items["monday"])
    dynarc("merge", sunday, monday, "again", "again-full")
    found = archives.read_archive(tmp_path / "again-full")
    assert tables.differences(week.items["tuesday"], found, KEYS) == []
    # A night on which nothing happened.
    nothing = dynarc("dump", week.table, "nothing", "--base", "again-full", "--json", at=source).json
    assert [nothing[kind] for kind in ("added", "removed", "changed", "chunks")] == [0, 0, 0, 0]
    dynarc("merge", "again-full", "nothing", "still-full")
    assert dynarc("diff", "again-full", "still-full").stdout == b""


def test_load_writes_each_item_of_the_last_state_once(
    week: Week, copies: Path, dynarc: Dynarc, target: Side, table: str, proxy_to
) -> None:
    options = ("--changes", "monday", "--changes", "tuesday")
    dry = dynarc("load", "sunday", table, *options, "--dry-run", "--json", at=target).json
    assert dry["items"] == len(week.items["tuesday"]) and dry["createsTable"]
    proxy = proxy_to(target)
    report = dynarc("load", "sunday", table, *options, "--json", at=target.through(proxy)).json
    assert report["written"] == report["items"] == len(week.items["tuesday"])
    assert sum(batch.entries for batch in proxy.record.batches) == report["written"]
    assert proxy.record.batch_faults() == []
    found = tables.read_all(target.client, table)
    assert tables.differences(week.items["tuesday"], found, KEYS) == []
    assert list(copies.glob("*state*")) == []


def test_load_of_a_chain_stopped_at_random_moments(
    week: Week, copies: Path, dynarc: Dynarc, binary: Path, target: Side, proxy_to
) -> None:
    options = ("--changes", "monday", "--changes", "tuesday")
    proxy = proxy_to(target, [{"kind": "stall", "operation": "BatchWriteItem", "rate": 1, "seconds": 0.3}])
    slow = target.through(proxy)
    rng = random.Random("chain")
    for attempt in range(max(KILLS // 4, 1)):
        table = f"Chain-kill-{attempt}"
        state = copies / f"sunday.{table}.load-state"
        stopped = 0
        for number in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            resume = ["--resume"] if state.exists() else []
            code = run_dynarc_until(
                binary, copies, copies / "home", rng.uniform(0.7, 1.4), number,
                "load", "sunday", table, *options, "--concurrency", 3, *resume, at=slow,
            )  # fmt: skip
            stopped += code != 0
        assert stopped == 4 and state.exists()
        again = dynarc("load", "sunday", table, *options, at=target, exit=3)
        assert "--resume" in again.stderr
        # Another chain is another archive.
        other = dynarc("load", "sunday", table, "--changes", "monday", "--resume", at=target, exit=3)
        assert "another archive" in other.stderr
        plan = dynarc("load", "sunday", table, *options, "--resume", "--dry-run", at=target)
        assert "go on behind" in plan.stderr
        report = dynarc("load", "sunday", table, *options, "--resume", "--json", at=target).json
        assert report["written"] == len(week.items["tuesday"]) and not state.exists()
        found = tables.read_all(target.client, table)
        assert tables.differences(week.items["tuesday"], found, KEYS) == []


def test_an_interrupted_load_of_a_chain_says_how_to_go_on(
    copies: Path, binary: Path, target: Side, table: str, proxy_to
) -> None:
    proxy = proxy_to(target, [{"kind": "stall", "operation": "BatchWriteItem", "rate": 1, "seconds": 0.3}])
    process = subprocess.Popen(
        [str(binary), "load", "sunday", table, "--changes", "monday", "--concurrency", "1"],
        cwd=copies, env=environment_of(copies / "home", target.through(proxy)), stderr=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert f"dynarc load sunday {table} --changes monday --resume" in stderr.decode()


def test_rejects_of_a_chain_are_set_aside(
    week: Week, copies: Path, dynarc: Dynarc, target: Side, table: str
) -> None:
    # An empty set, which the service does not take, in the last changes.
    def spoiled(line: bytes) -> bytes:
        entry = json.loads(line)
        if "Item" not in entry or entry["Item"]["sk"] != {"S": "s0010"}:
            return line
        entry["Item"]["bad"] = {"SS": []}
        return json.dumps(entry, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"

    archives.edit_lines(copies / "tuesday", lambda lines: [spoiled(line) for line in lines])
    result = dynarc(
        "load", "sunday", table, "--changes", "monday", "--changes", "tuesday", "--json", at=target, exit=4
    )
    assert (result.json["written"], result.json["rejected"]) == (len(week.items["tuesday"]) - 1, 1)
    assert json.loads((copies / "rejects.ndjson").read_text())["Item"]["sk"] == {"S": "s0010"}
    expected = [one for one in week.items["tuesday"] if one["sk"]["S"] != "s0010"]
    assert tables.differences(expected, tables.read_all(target.client, table), KEYS) == []


@pytest.mark.parametrize("kind", ["throttle", "reset_in_body", "garbage", "bad_crc"])
def test_dump_of_changes_through_faults(
    week: Week, dynarc: Dynarc, tmp_path: Path, source: Side, proxy_to, kind: str
) -> None:
    rules = [
        {"kind": kind, "operation": "Scan", "first": 1},
        {"kind": kind, "operation": "Scan", "rate": 0.2, "seed": 3},
    ]
    proxy = proxy_to(source, rules)
    report = dynarc(
        "dump", week.table, "changes", "--base", week.path("sunday"), "--segments", 6, "--json",
        at=source.through(proxy),
    ).json  # fmt: skip
    assert proxy.record.faults[kind] > 0 and report["retries"]["total"] > 0
    dynarc("merge", week.path("sunday"), "changes", "full")
    found = archives.read_archive(tmp_path / "full")
    assert tables.differences(week.items["tuesday"], found, KEYS) == []


def test_slices(week: Week, dynarc: Dynarc, tmp_path: Path, source: Side, table: str) -> None:
    tables.create(source.client, table)
    rows = week.items["sunday"]
    tables.put_all(source.client, table, rows)
    dynarc("dump", table, "one", "--pk", "p2", at=source)
    dynarc("dump", table, "whole", at=source)
    delete_all(source, table, [one for one in rows if one["pk"]["S"] == "p2"][:3])
    tables.put_all(source.client, table, [{"pk": {"S": "p2"}, "sk": {"S": "new"}}])
    tables.put_all(source.client, table, [{"pk": {"S": "p3"}, "sk": {"S": "new"}}])
    report = dynarc("dump", table, "changes", "--base", "one", "--pk", "p2", "--json", at=source).json
    assert (report["added"], report["removed"], report["changed"]) == (1, 3, 0)
    dynarc("merge", "one", "changes", "one-now")
    expected = [one for one in tables.read_all(source.client, table) if one["pk"]["S"] == "p2"]
    assert tables.differences(expected, archives.read_archive(tmp_path / "one-now"), KEYS) == []
    # A slice and something else are not compared: all the rest would count as added or removed.
    for base, options in (
        ("one", ()), ("whole", ("--pk", "p2")), ("one", ("--pk", "p3")), ("one", ("--pk", "p2", "--sk-ge", "s")),
    ):  # fmt: skip
        result = dynarc("dump", table, "x", "--base", base, *options, at=source, exit=2)
        assert "--pk" in result.stderr and not (tmp_path / "x").exists()
    # Changes of a slice say nothing of the rest.
    dynarc("diff", "whole", table, "--pk", "p2", "--output", "part", at=source, exit=1)
    assert "only what changed where" in dynarc("merge", "whole", "part", "x", exit=3).stderr
    assert not (tmp_path / "x").exists()


def test_wrong_usage(week: Week, dynarc: Dynarc, tmp_path: Path, source: Side) -> None:
    sunday, monday = week.path("sunday"), week.path("monday")
    base = ("dump", week.table, "x", "--base", sunday)
    resume = dynarc(*base, "--resume", at=source, exit=2)
    assert "--base and --resume" in resume.stderr and "begins anew" in resume.stderr
    for options in (
        ("--filter", "attribute_exists(day)"), ("--projection", "pk, sk"), ("--index", "by-day"),
    ):  # fmt: skip
        assert options[0] in dynarc(*base, *options, at=source, exit=2).stderr
    assert "--base" in dynarc("dump", week.table, "x", "--with-old", at=source, exit=2).stderr
    assert "merge takes" in dynarc("merge", sunday, "x", exit=2).stderr
    assert "--level" in dynarc("merge", sunday, monday, "x", "--level", 20, exit=2).stderr
    assert not (tmp_path / "x").exists()


def test_what_is_no_chain_is_refused(
    week: Week, copies: Path, dynarc: Dynarc, source: Side, target: Side, table: str
) -> None:
    for order in (("tuesday", "monday"), ("tuesday",), ("monday", "monday")):
        merge = dynarc("merge", "sunday", *order, "x", exit=3).stderr
        assert "starts from archive" in merge and "in the order in which they were made" in merge
        options = [word for name in order for word in ("--changes", name)]
        assert "starts from archive" in dynarc("load", "sunday", table, *options, at=target, exit=3).stderr
        options = [word for name in order for word in ("--base", name)]
        assert "starts from archive" in dynarc(
            "dump", week.table, "x", "--base", "sunday", *options, at=source, exit=3
        ).stderr
    missing = dynarc("merge", "sunday", "tuesday", "x", exit=3).stderr
    assert identity(copies / "monday")[:16] in missing and identity(copies / "sunday")[:16] in missing
    alone = dynarc("load", "monday", table, at=target, exit=3).stderr
    assert "--changes" in alone and "dynarc apply" in alone
    assert "is a snapshot" in dynarc("merge", "sunday", "sunday", "x", exit=3).stderr
    assert "no archive" in dynarc("merge", "sunday", "nothing", "x", exit=3).stderr
    assert not (copies / "x").exists()
    assert "exists already" in dynarc("merge", "sunday", "monday", "tuesday", exit=3).stderr
    assert "inside an archive" in dynarc("merge", "sunday", "monday", "sunday/x", exit=3).stderr
    assert "inside an archive" in dynarc("merge", "sunday", "monday", "monday/data/x", exit=3).stderr
    for name in ("sunday", "monday"):
        dynarc("verify", name)
    with pytest.raises(target.client.exceptions.ResourceNotFoundException):
        target.client.describe_table(TableName=table)


def test_another_table(week: Week, dynarc: Dynarc, tmp_path: Path, source: Side, table: str) -> None:
    tables.create(source.client, table, "pk:S", "sk:N")
    other = dynarc("dump", table, "x", "--base", week.path("sunday"), at=source, exit=3).stderr
    assert "the keys differ" in other and not (tmp_path / "x").exists()
    again = f"{table}-2"
    tables.create(source.client, again)
    tables.put_all(source.client, again, week.items["sunday"][5:])
    result = dynarc("dump", again, "changes", "--base", week.path("sunday"), "--json", at=source)
    assert "another table id" in result.stderr and result.json["removed"] == 5


def test_damage(week: Week, copies: Path, dynarc: Dynarc, source: Side, target: Side, table: str) -> None:
    chunk = archives.chunk_files(copies / "monday")[0]
    content = bytearray(chunk.read_bytes())
    content[len(content) // 2] ^= 1
    chunk.write_bytes(content)
    for command in (
        ("merge", "sunday", "monday", "tuesday", "x"),
        ("load", "sunday", table, "--changes", "monday", "--changes", "tuesday"),
        ("dump", week.table, "y", "--base", "sunday", "--base", "monday"),
    ):
        at = source if command[0] == "dump" else target
        assert f"monday/data/{chunk.name}" in dynarc(*command, at=at, exit=3).stderr
    assert not (copies / "y").exists() and not (copies / "x" / "SHA256SUMS").exists()
    assert list(copies.glob("*state*")) == []
    with pytest.raises(target.client.exceptions.ResourceNotFoundException):
        target.client.describe_table(TableName=table)
    chunk.unlink()
    assert "missing" in dynarc("merge", "sunday", "monday", "tuesday", "z", exit=3).stderr
    assert not (copies / "z").exists()


def test_a_contradiction_is_no_archive(week: Week, copies: Path, dynarc: Dynarc, target: Side, table: str) -> None:
    """A delete of an item that the base does not have: the numbers do not come out."""

    def renamed(lines: list[bytes]) -> list[bytes]:
        index = next(index for index, line in enumerate(lines) if line.startswith(b'{"Keys"'))
        key = json.loads(lines[index])["Keys"]["sk"]["S"].encode()
        return [*lines[:index], lines[index].replace(key, b"q" + key), *lines[index + 1 :]]

    archives.edit_lines(copies / "monday", renamed)
    merge = dynarc("merge", "sunday", "monday", "x", exit=3).stderr
    assert "the chain comes to" in merge and "x is unfinished" in merge and "begin anew" in merge
    assert "unfinished" in dynarc("verify", "x", exit=1).stderr + dynarc("info", "x", exit=3).stderr
    load = dynarc("load", "sunday", table, "--changes", "monday", at=target, exit=4)
    assert "lines" in load.stderr


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_what_is_stopped_leaves_no_archive(
    week: Week, dynarc: Dynarc, binary: Path, tmp_path: Path, source: Side, proxy_to, number: int
) -> None:
    proxy = proxy_to(source, [{"kind": "stall", "operation": "Scan", "rate": 1, "seconds": 3}])
    base = ("dump", week.table, "changes", "--base", week.path("sunday"))
    code = run_dynarc_until(
        binary, tmp_path, tmp_path / "home", 1.5, number, *base, at=source.through(proxy)
    )
    assert code == (130 if number == signal.SIGINT else -number)
    assert not (tmp_path / "changes" / "SHA256SUMS").exists()
    for command in (("info", "changes"), ("merge", week.path("sunday"), "changes", "x")):
        assert "begin anew" in dynarc(*command, exit=3).stderr
    assert "exists already" in dynarc(*base, at=source, exit=3).stderr
    shutil.rmtree(tmp_path / "changes")
    dynarc(*base, at=source)
    dynarc("merge", week.path("sunday"), "changes", "full")
    found = archives.read_archive(tmp_path / "full")
    assert tables.differences(week.items["tuesday"], found, KEYS) == []
