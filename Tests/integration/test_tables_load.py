"""A folder of archives loaded into tables: mapped names, plans before writes, failures, stops, going on."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
import uuid
from pathlib import Path

import pytest

import archives
import folders
import servers
import tables
from items import keyed, random_items
from ownserver import server, source, target  # noqa: F401
from program import Side, environment_of, run_dynarc_until

KILLS = int(os.environ.get("DYNARC_KILLS", "6"))
SHORT = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def stock(source) -> list[str]:
    """Four tables, read only."""
    names = [f"prod-{name}" for name in SHORT]
    for place, name in enumerate(names):
        tables.create(source.client, name)
        tables.put_all(source.client, name, keyed(random_items(200, seed=70 + place)))
    return names


@pytest.fixture
def folder(dynarc, tmp_path, source, stock) -> Path:
    dynarc("dump", "prod-*", "./folder", at=source)
    return tmp_path / "folder"


@pytest.fixture
def prefix(target) -> str:
    """A prefix that no other test has; its tables are gone afterwards."""
    prefix = f"t{uuid.uuid4().hex[:8]}-"
    yield prefix
    folders.remove(target.client, [name for name in list_of(target) if name.startswith(prefix)])


def list_of(side: Side) -> list[str]:
    return [name for page in side.client.get_paginator("list_tables").paginate() for name in page["TableNames"]]


def states_left(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if "load" in path.name and "state" in path.name)


def assert_loaded(source: Side, stock: list[str], target: Side, prefix: str) -> None:
    for name in stock:
        assert tables.compare_tables(source.client, name, target.client, prefix + name.removeprefix("prod-")) == []


def test_every_table_arrives_under_its_new_name(dynarc, tmp_path, folder, source, target, stock, prefix):
    done = dynarc("load", "./folder/", "--prefix-map", f"prod-={prefix}", "--verify", "--json", at=target).json
    assert (done["loaded"], done["failed"], done["written"]) == (4, 0, 800)
    assert [row["target"] for row in done["tables"]] == [prefix + name for name in SHORT]
    assert all(row["created"] and row["verified"]["same"] and row["verified"]["items"] == 200 for row in done["tables"])
    assert_loaded(source, stock, target, prefix)
    assert states_left(tmp_path) == []


def test_names_stay_without_a_map(dynarc, folder, source, stock):
    with servers.start("ministack") as server:
        side = Side(server.endpoint, servers.ACCOUNT_B)
        told = dynarc("load", "./folder", at=side).stderr
        assert "4 of 4 tables of ./folder are loaded: 800 items" in told
        assert sorted(list_of(side)) == stock
        for name in stock:
            assert tables.compare_tables(source.client, name, side.client, name) == []


@pytest.mark.parametrize(
    "maps, word",
    [
        (["prod-a=other"], "prod-b"),
        (["prod-a=xxx", "prod-b=xxx", "=y-"], "both be loaded into xxx"),
        (["prod-="], "no table can be called so"),
        ([f"prod-={'x' * 255}"], "no table can be called so"),
    ],
)
def test_names_that_cannot_be_are_refused_before_anything(dynarc, tmp_path, folder, target, maps, word):
    before = list_of(target)
    arguments = [part for one in maps for part in ("--prefix-map", one)]
    told = dynarc("load", "./folder", *arguments, at=target, exit=2).stderr
    assert word in told
    assert list_of(target) == before and states_left(tmp_path) == []


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["Orders"], "a table"),
        (["--state", "./state"], "--state"),
        (["--changes", "./changes"], "--changes"),
        (["--prefix-map", "x"], "--prefix-map"),
        (["--resume", "--prefix-map", "a=b"], "--prefix-map"),
        (["--merge", "--truncate"], "--merge"),
    ],
)
def test_what_makes_no_sense_is_refused(dynarc, tmp_path, folder, target, arguments, word):
    before = list_of(target)
    assert word in dynarc("load", "./folder", *arguments, at=target, exit=2).stderr
    assert list_of(target) == before and states_left(tmp_path) == []


def test_a_map_goes_with_a_folder(dynarc, folder, target, stock):
    told = dynarc("load", f"./folder/archives/{stock[0]}", "--prefix-map", "a=b", at=target, exit=2).stderr
    assert "--prefix-map" in told


def test_what_one_table_refuses_is_told_of_all_before_the_first_write(
    dynarc, tmp_path, folder, target, prefix, proxy_to
):
    tables.create(target.client, prefix + "b")
    target.client.put_item(TableName=prefix + "b", Item={"pk": {"S": "mine"}, "sk": {"S": "mine"}})
    tables.create(target.client, prefix + "c", partition="other:N")
    proxy = proxy_to(target)
    told = dynarc("load", "./folder", "--prefix-map", f"prod-={prefix}", at=target.through(proxy), exit=3).stderr
    assert "error: prod-b: " in told and "holds items already" in told
    assert "error: prod-c: " in told and "other (N, partition key)" in told
    assert "nothing was written: 2 tables: prod-b, prod-c" in told
    assert proxy.record.operations["CreateTable"] == proxy.record.operations["BatchWriteItem"] == 0
    assert states_left(tmp_path) == []
    assert tables.read_all(target.client, prefix + "b") == [{"pk": {"S": "mine"}, "sk": {"S": "mine"}}]


def test_truncate_asks_once_for_all(dynarc, tmp_path, folder, source, target, stock, prefix, proxy_to):
    for name in ("a", "c"):
        tables.create(target.client, prefix + name)
        target.client.put_item(TableName=prefix + name, Item={"pk": {"S": "mine"}, "sk": {"S": "mine"}})
    arguments = ["load", "./folder", "--prefix-map", f"prod-={prefix}", "--truncate"]
    # Nobody can be asked: without --yes nothing happens.
    proxy = proxy_to(target)
    told = dynarc(*arguments, at=target.through(proxy), exit=2).stderr
    assert f"this would delete items of {prefix}a and {prefix}c" in told and "--yes" in told
    assert proxy.record.operations["CreateTable"] == proxy.record.operations["BatchWriteItem"] == 0
    assert states_left(tmp_path) == []
    # A dry run says it all and does nothing.
    told = dynarc(*arguments, "--dry-run", at=target.through(proxy)).stderr
    assert f"would delete every item of {prefix}a" in told and f"would create table {prefix}b" in told
    assert proxy.record.operations["CreateTable"] == proxy.record.operations["BatchWriteItem"] == 0
    assert states_left(tmp_path) == []
    done = dynarc(*arguments, "--yes", "--json", at=target).json
    assert [row["deleted"] for row in done["tables"]] == [1, 0, 1, 0]
    assert_loaded(source, stock, target, prefix)


def test_merge_puts_over_what_is_there(dynarc, folder, source, target, prefix):
    tables.create(target.client, prefix + "a")
    mine = {"pk": {"S": "mine"}, "sk": {"S": "mine"}}
    target.client.put_item(TableName=prefix + "a", Item=mine)
    dynarc("load", "./folder", "--prefix-map", f"prod-={prefix}", "--merge", at=target)
    expected = tables.read_all(source.client, "prod-a") + [mine]
    assert tables.differences(expected, tables.read_all(target.client, prefix + "a"), ["pk", "sk"]) == []


def test_a_dry_run_in_json(dynarc, tmp_path, folder, target, prefix):
    before = list_of(target)
    report = dynarc("load", "./folder", "--prefix-map", f"prod-={prefix}", "--dry-run", "--json", at=target).json
    assert report["dryRun"] and [row["table"] for row in report["tables"]] == [prefix + name for name in SHORT]
    assert all(row["createsTable"] and row["items"] == 200 for row in report["tables"])
    assert all(row["requests"][0]["operation"] == "CreateTable" for row in report["tables"])
    assert list_of(target) == before and states_left(tmp_path) == []


def test_options_hold_for_each_table(dynarc, folder, target, prefix):
    arguments = ["--prefix-map", f"prod-={prefix}", "--billing", "provisioned=3,4", "--tag", "from=folder"]
    dynarc("load", "./folder", *arguments, at=target)
    for name in SHORT:
        table = target.client.describe_table(TableName=prefix + name)["Table"]
        assert table["ProvisionedThroughput"]["WriteCapacityUnits"] == 4
        tags = target.client.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"]
        assert {"Key": "from", "Value": "folder"} in tags


def test_an_archive_that_was_swapped_is_not_loaded(dynarc, tmp_path, folder, target, stock, prefix):
    shutil.rmtree(folder / "archives" / stock[1])
    shutil.copytree(folder / "archives" / stock[2], folder / "archives" / stock[1])
    before = list_of(target)
    told = dynarc("load", "./folder", "--prefix-map", f"prod-={prefix}", at=target, exit=3).stderr
    assert f"error: {stock[1]}: " in told and "the index says" in told
    assert list_of(target) == before and states_left(tmp_path) == []


def test_an_archive_that_is_not_complete_is_named(dynarc, tmp_path, folder, source, target, stock, prefix):
    folders.edit(
        folder,
        lambda index: folders.row(index, stock[3]).update(state="failed", code="stuck", message="nothing moved"),
    )
    result = dynarc("load", "./folder", "--prefix-map", f"prod-={prefix}", "--json", at=target, exit=4)
    assert (result.json["loaded"], result.json["incomplete"]) == (3, 1)
    assert f"no complete archive of table {stock[3]}" in result.stderr
    assert prefix + "d" not in list_of(target)
    assert_loaded(source, stock[:3], target, prefix)
    # The load is done with what there is.
    assert states_left(tmp_path) == []


def test_a_folder_without_a_complete_archive(dynarc, folder, target, stock):
    def none(index: dict) -> None:
        index["tables"] = [{"tableName": name, "state": "pending"} for name in stock]

    folders.edit(folder, none)
    assert "no archive in ./folder is complete" in dynarc("load", "./folder", at=target, exit=3).stderr


def test_one_failing_table_stops_no_other_and_resume_finishes_it(
    dynarc, tmp_path, folder, source, target, stock, prefix, proxy_to
):
    """One is throttled to death after a while, one's archive is damaged."""
    victim = archives.chunk_files(folder / "archives" / stock[2])[0]
    sound = victim.read_bytes()
    victim.write_bytes(sound[:-1] + bytes([sound[-1] ^ 1]))
    rule = {"kind": "throttle", "operation": "BatchWriteItem", "table": prefix + "b", "skip": 3}
    arguments = ["load", "./folder", "--prefix-map", f"prod-={prefix}", "--give-up-after", "3s", "--concurrency", 4]
    result = dynarc(*arguments, "--json", at=target.through(proxy_to(target, [rule])), exit=4)
    rows = {row["table"]: row for row in result.json["tables"]}
    assert [rows[name]["state"] for name in stock] == ["loaded", "failed", "failed", "loaded"]
    assert rows[stock[1]]["code"] == "stuck" and rows[stock[2]]["code"] == "damaged"
    assert f"not loaded: 2 tables: {stock[1]}, {stock[2]}" in result.stderr
    assert "dynarc load ./folder --resume" in result.stderr
    assert states_left(tmp_path) == sorted([f"folder.{prefix}b.load-state", "folder.load-tables-state"])
    assert 0 < len(tables.read_all(target.client, prefix + "b")) < 200
    assert_loaded(source, [stock[0], stock[3]], target, prefix)

    # A new load does not begin over it.
    told = dynarc(*arguments, at=target, exit=3).stderr
    assert "--resume" in told and "folder.load-tables-state" in told
    # What is done is not written again.
    proxy = proxy_to(target)
    again = dynarc("load", "./folder", "--resume", "--json", at=target.through(proxy), exit=4)
    rows = {row["table"]: row for row in again.json["tables"]}
    assert [rows[name]["state"] for name in stock] == ["loaded", "loaded", "failed", "loaded"]
    assert rows[stock[0]]["written"] == rows[stock[1]]["written"] == 200
    assert sum(batch.entries for batch in proxy.record.batches) < 200
    victim.write_bytes(sound)
    dynarc("load", "./folder", "--resume", at=target)
    assert_loaded(source, stock, target, prefix)
    assert states_left(tmp_path) == []
    assert "nothing to go on with" in dynarc("load", "./folder", "--resume", at=target, exit=3).stderr


def test_rejected_items_are_told_by_their_file(dynarc, tmp_path, folder, target, stock, prefix, proxy_to):
    # A refused batch is halved down to single items: 31 refusals lead there, whatever the order.
    rule = {
        "kind": "refuse", "code": "ValidationException", "operation": "BatchWriteItem",
        "table": prefix + "b", "first": 40,
    }  # fmt: skip
    arguments = ["load", "./folder", "--prefix-map", f"prod-={prefix}", "--concurrency", 4]
    result = dynarc(*arguments, "--json", at=target.through(proxy_to(target, [rule])), exit=4)
    rows = {row["table"]: row for row in result.json["tables"]}
    rejected = rows[stock[1]]["rejected"]
    assert 0 < rejected < 200 and rows[stock[1]]["written"] == 200 - rejected
    assert all(rows[name]["written"] == 200 for name in stock if name != stock[1])
    assert len((tmp_path / rows[stock[1]]["rejects"]).read_bytes().splitlines()) == rejected
    assert len(tables.read_all(target.client, prefix + "b")) == 200 - rejected


def slow(side: Side, proxy_to, seconds: float = 0.1) -> Side:
    return side.through(proxy_to(side, [{"kind": "stall", "operation": "BatchWriteItem", "seconds": seconds}]))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_stopped_at_random_moments(
    dynarc, binary, tmp_path, folder, source, target, stock, prefix, proxy_to, number
):
    rng = random.Random(f"load tables {number}")
    at = slow(target, proxy_to)
    arguments = ["load", "./folder", "--concurrency", 8]
    start = time.monotonic()
    dynarc(*arguments, "--prefix-map", f"prod-={prefix}", at=at)
    whole = time.monotonic() - start
    state = tmp_path / "folder.load-tables-state"
    stopped = resumed = 0
    for attempt in range(KILLS if number == signal.SIGKILL else max(KILLS // 3, 3)):
        into = f"{prefix}{attempt}-"
        longest = whole
        for run in range(1000):
            how = ["--resume"] if state.exists() else ["--prefix-map", f"prod-={into}"]
            code = run_dynarc_until(
                binary, tmp_path, tmp_path / "home", rng.uniform(0, 0.9 * longest), number, *arguments, *how, at=at
            )
            if code == 0:
                resumed += how == ["--resume"]
                break
            # Before the handlers stand, the signal ends the process itself.
            assert code in (-number, 130), code
            stopped += 1
            # Stopped behind its end: the state is gone because the load was done.
            if not state.exists() and {into + name for name in SHORT} <= set(list_of(target)):
                break
            longest *= 1.1 if run > 10 else 1
        assert_loaded(source, stock, target, into)
        assert states_left(tmp_path) == []
        folders.remove(target.client, [into + name for name in SHORT])
    assert stopped > 0 and resumed > 0


def test_truncate_is_gone_on_with(dynarc, binary, tmp_path, folder, source, target, stock, prefix, proxy_to):
    """What was empty is not emptied again, and what had no turn yet is."""
    for name in SHORT:
        tables.create(target.client, prefix + name)
        target.client.put_item(TableName=prefix + name, Item={"pk": {"S": "mine"}, "sk": {"S": "mine"}})
    code = run_dynarc_until(
        binary, tmp_path, tmp_path / "home", 1.5, signal.SIGKILL,
        "load", "./folder", "--prefix-map", f"prod-={prefix}", "--truncate", "--yes", "--concurrency", 4,
        at=slow(target, proxy_to, 0.3),
    )  # fmt: skip
    assert code == -signal.SIGKILL and "folder.load-tables-state" in states_left(tmp_path)
    dynarc("load", "./folder", "--resume", "--yes", at=target)
    assert_loaded(source, stock, target, prefix)
    assert states_left(tmp_path) == []


def test_ctrl_c_says_how_to_go_on(dynarc, binary, tmp_path, folder, source, target, stock, prefix, proxy_to):
    process = subprocess.Popen(
        [str(binary), "load", "./folder", "--prefix-map", f"prod-={prefix}", "--concurrency", "4"],
        cwd=tmp_path, env=environment_of(tmp_path / "home", slow(target, proxy_to, 0.5)), stderr=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert "interrupted" in told and "dynarc load ./folder --resume" in told
    dynarc("load", "./folder", "--resume", at=target)
    assert_loaded(source, stock, target, prefix)


def test_a_second_load_of_one_folder_is_refused(dynarc, binary, tmp_path, folder, target, prefix, proxy_to):
    first = subprocess.Popen(
        [str(binary), "load", "./folder", "--prefix-map", f"prod-={prefix}", "--concurrency", "4"],
        cwd=tmp_path, env=environment_of(tmp_path / "home", slow(target, proxy_to, 0.5)), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not (tmp_path / "folder.load-tables-state").exists():
            time.sleep(0.02)
        assert "another load is at work" in dynarc("load", "./folder", "--resume", at=target, exit=3).stderr
    finally:
        first.kill()
        first.wait()


def test_the_writes_are_such_as_the_service_takes(dynarc, folder, target, prefix, proxy_to):
    proxy = proxy_to(target, [{"kind": "partial_unprocessed", "operation": "BatchWriteItem", "rate": 0.3, "seed": 5}])
    dynarc("load", "./folder", "--prefix-map", f"prod-={prefix}", at=target.through(proxy))
    assert proxy.record.faults["partial_unprocessed"] > 0 and proxy.record.batch_faults() == []
