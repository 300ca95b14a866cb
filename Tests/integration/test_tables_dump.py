"""Several tables dumped into a folder of archives: chosen, throttled, deleted, stopped, killed, gone on with."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

import archives
import folders
import servers
import tables
from capacity import Capacity
from fewtables import few, prefix  # noqa: F401
from items import keyed, random_items
from ownserver import server, source, target  # noqa: F401
from program import Side, environment_of, run_dynarc_until

KILLS = int(os.environ.get("DYNARC_KILLS", "6"))


def assert_whole(folder: Path, side: Side, names: list[str]) -> None:
    """Each archive holds what its table does, and is the one that the index names."""
    for name in names:
        archive = folder / "archives" / name
        keys = tables.key_names(side.client, name)
        assert tables.differences(archives.read_archive(archive), tables.read_all(side.client, name), keys) == []
        assert archives.sums_hold(archive)
        row = folders.row(folders.index(folder), name)
        document = archives.manifest(archive)
        assert row["state"] == "complete" and row["items"] == document["counts"]["items"]
        assert row["archiveId"] == sum_of(archive / "SHA256SUMS")
        assert (row["contentBytes"], row["storedBytes"]) == (
            document["counts"]["contentBytes"],
            document["counts"]["storedBytes"],
        )


def sum_of(path: Path) -> str:
    return subprocess.run(["sha256sum", path], check=True, capture_output=True).stdout.decode().split()[0]


def test_twelve_tables_one_throttled_to_death_one_deleted(dynarc, tmp_path, source, target, prefix, proxy_to):
    """The test of the issue."""
    names = folders.make(source.client, prefix, folders.shapes())
    throttled, deleted = prefix + "large", prefix + "text-and-text"
    proxy = proxy_to(
        source,
        [
            {"kind": "throttle", "operation": "Scan", "table": throttled, "skip": 1},
            {"kind": "stall", "operation": "Scan", "table": deleted, "first": 1, "seconds": 2},
        ],
    )

    def delete():
        while not proxy.record.faults["stall"]:
            time.sleep(0.01)
        source.client.delete_table(TableName=deleted)

    deleter = threading.Thread(target=delete)
    deleter.start()
    # One request of a table at a time, so that there are scans after the one that is held up.
    dump = ["dump", prefix + "*", "./folder", "--concurrency", 4, "--give-up-after", "3s"]
    result = dynarc(*dump, "--json", at=source.through(proxy), exit=4)
    deleter.join()
    folder = tmp_path / "folder"
    there = [name for name in names if name not in (throttled, deleted)]
    assert len(there) == 10

    # 10 arrive whole, two are named.
    report = result.json
    assert (report["complete"], report["failed"], report["pending"]) == (10, 2, 0)
    rows = {row["table"]: row for row in report["tables"]}
    assert sorted(rows) == names
    assert rows[throttled]["code"] == "stuck" and rows[deleted]["code"] == "ResourceNotFoundException"
    assert {name for name, row in rows.items() if row["state"] == "complete"} == set(there)
    assert f"error: {throttled}: " in result.stderr and f"error: {deleted}: " in result.stderr
    assert f"./folder does not hold 2 tables: {throttled}, {deleted}" in result.stderr
    assert "--resume" in result.stderr
    assert_whole(folder, source, there)
    index = folders.index(folder)
    assert folders.row(index, throttled)["code"] == "stuck"
    assert folders.row(index, deleted)["code"] == "ResourceNotFoundException"
    assert index["selection"] == {"pattern": prefix + "*", "tags": []}
    assert (index["accountId"], index["region"]) == (source.account, servers.REGION)
    text = (folder / "index.json").read_text()
    assert servers.SECRET not in text and "127.0.0.1" not in text and str(tmp_path) not in text
    assert sorted(os.listdir(folder)) == ["archives", "index.json"]
    assert folders.modes(folder) == {("directory", 0o700), ("file", 0o600)}

    # The ten in another account, where nothing is yet.
    loaded = dynarc("load", "./folder", "--json", at=target, exit=4)
    assert (loaded.json["loaded"], loaded.json["incomplete"]) == (10, 2)
    assert throttled in loaded.stderr and deleted in loaded.stderr
    for name in there:
        assert tables.compare_tables(source.client, name, target.client, name) == []
        assert folders.key_and_indexes(source.client, name) == folders.key_and_indexes(target.client, name)
    assert prefix + "large" not in target.client.list_tables()["TableNames"]
    tags = target.client.list_tags_of_resource(
        ResourceArn=target.client.describe_table(TableName=prefix + "tagged")["Table"]["TableArn"]
    )["Tags"]
    assert tags == [{"Key": "team", "Value": "pay"}]

    # The throttled one is finished, the deleted one named again, the ten are left as they are.
    before = {name: folders.snapshot(folder / "archives" / name) for name in there}
    again = dynarc(*dump, "--resume", "--json", at=source, exit=4)
    rows = {row["table"]: row for row in again.json["tables"]}
    assert (again.json["complete"], again.json["failed"]) == (11, 1)
    assert rows[throttled]["isNew"] and rows[throttled]["resumedItems"] > 0
    assert rows[deleted]["code"] == "no-such-table"
    assert not any(rows[name]["isNew"] for name in there)
    assert {name: folders.snapshot(folder / "archives" / name) for name in there} == before
    assert_whole(folder, source, [*there, throttled])
    folders.remove(source.client, names)
    folders.remove(target.client, names)


def test_a_throttled_table_holds_no_other_up(dynarc, tmp_path, source, few, prefix, proxy_to):
    """The first in order never gets anything, and the others are complete long before it gives up."""
    rule = {"kind": "throttle", "operation": "Scan", "table": few[0]}
    process = threading.Thread(
        target=lambda: dynarc(
            "dump", prefix + "*", "./folder", "--give-up-after", "20s", at=source.through(proxy_to(source, [rule])), exit=4
        )
    )
    start = time.monotonic()
    process.start()
    while True:
        assert time.monotonic() - start < 15, "the others wait for the throttled one"
        if (tmp_path / "folder" / "index.json").exists():
            states = folders.states(tmp_path / "folder")
            if [states[name] for name in few] == ["pending", "complete", "complete", "complete"]:
                break
        time.sleep(0.1)
    process.join()


def test_all_tables(dynarc, tmp_path, few):
    """An account that has these and no others."""
    with servers.start("ministack") as server:
        side = Side(server.endpoint, servers.ACCOUNT_A)
        for name in ("One", "Two", "archives"):
            tables.create(side.client, name)
            tables.put_all(side.client, name, keyed(random_items(10, seed=3)))
        done = dynarc("dump", "--all", "./folder", "--json", at=side).json
        assert [row["table"] for row in done["tables"]] == ["One", "Two", "archives"]
        assert folders.index(tmp_path / "folder")["selection"] == {"tags": []}
        assert_whole(tmp_path / "folder", side, ["One", "Two", "archives"])


def test_by_tag(dynarc, tmp_path, source, few, prefix):
    def dumped(folder: str, *arguments: str) -> list[str]:
        return [row["table"] for row in dynarc("dump", *arguments, folder, "--json", at=source).json["tables"]]

    assert dumped("./value", "--tag", "team=ship", prefix + "*") == few[2:]
    assert dumped("./key", "--tag", "team", prefix + "*") == few[1:]
    assert dumped("./both", "--tag", "team", "--tag", "team=pay", prefix + "*") == [few[1]]
    # Gone on with, in another order, it is the same.
    assert dumped("./both", "--tag", "team=pay", "--tag", "team", prefix + "*", "--resume") == [few[1]]
    source.client.tag_resource(
        ResourceArn=source.client.describe_table(TableName=few[3])["Table"]["TableArn"],
        Tags=[{"Key": prefix, "Value": "x=y"}],
    )
    assert dumped("./alone", "--tag", f"{prefix}=x=y") == [few[3]]
    assert folders.index(tmp_path / "alone")["selection"] == {"tags": [{"key": prefix, "value": "x=y"}]}


def test_patterns_and_addresses(dynarc, tmp_path, source, few, prefix, aws):
    def dumped(folder: str, pattern: str, at: Side | None = source, **more) -> list[str]:
        return [row["table"] for row in dynarc("dump", pattern, folder, "--json", at=at, **more).json["tables"]]

    assert dumped("./one", f"{prefix}?") == few
    assert dumped("./two", f"{prefix[:-1]}*[-]a".replace("[-]", "-")) == [few[0]]
    (aws / "config").write_text(f"[profile other]\nregion = {servers.REGION}\nendpoint_url = {source.endpoint}\n")
    (aws / "credentials").write_text(
        f"[other]\naws_access_key_id = {source.account}\naws_secret_access_key = {servers.SECRET}\n"
    )
    assert dumped("./three", f"dynamodb://other@/{prefix}b*", at=None) == [few[1]]


def test_more_tables_than_a_page_of_the_list(dynarc, tmp_path, proxy_to):
    """ListTables gives a hundred at a time."""
    with servers.start("ministack") as server:
        side = Side(server.endpoint, servers.ACCOUNT_A)
        names = [f"Many-{number:03}" for number in range(130)]
        for name in names:
            side.client.create_table(
                TableName=name,
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                BillingMode="PAY_PER_REQUEST",
            )
        side.client.put_item(TableName="Many-129", Item={"pk": {"S": "last"}})
        proxy = proxy_to(side)
        done = dynarc("dump", "Many-*", "./folder", "--json", at=side.through(proxy)).json
        assert [row["table"] for row in done["tables"]] == names
        assert proxy.record.operations["ListTables"] >= 2
        assert done["items"] == 1
        assert archives.read_archive(tmp_path / "folder/archives/Many-129") == [{"pk": {"S": "last"}}]


def test_no_match_is_an_error_that_names_what_was_looked_for(dynarc, tmp_path, source, few, prefix):
    told = dynarc("dump", prefix + "nothing-*", "./folder", at=source, exit=3).stderr
    assert f"no tables {prefix}nothing-*" in told and "hint" in told
    told = dynarc("dump", prefix + "*", "--tag", "team=none", "./folder", at=source, exit=3).stderr
    assert f"tables {prefix}* with tag team=none" in told
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["Orders"], "directory"),
        (["--all", "Orders", "./folder"], "--all"),
        (["--all", "prod-*", "./folder"], "--all"),
        (["--all", "--tag", "a=b", "./folder"], "--all"),
        (["--tag", "a=b", "Orders", "./folder"], "no pattern"),
        (["--tag", "=b", "./folder"], "--tag"),
        (["--tag", "a", "prod-*"], "pattern"),
        (["prod-*"], "table"),
        (["prod-*", "./folder", "--pk", "1"], "--pk"),
        (["prod-*", "./folder", "--index", "i"], "--index"),
        (["prod-*", "./folder", "--filter", "a = b"], "--filter"),
        (["--all", "./folder", "--projection", "a"], "--projection"),
        (["--all", "./folder", "--base", "./other"], "--base"),
        (["prod/*", "./folder"], "names no table"),
        (["dynamodb://x/y/prod-*", "./folder"], "names no table"),
    ],
)
def test_what_makes_no_sense_is_refused(dynarc, tmp_path, source, arguments, word):
    told = dynarc("dump", *arguments, at=source, exit=2).stderr
    assert "error:" in told and word in told
    assert not (tmp_path / "folder").exists()


def test_nothing_got_leaves_nothing(dynarc, tmp_path, source, few, prefix, proxy_to):
    rule = {"kind": "refuse", "code": "AccessDeniedException", "operation": "Scan"}
    told = dynarc("dump", prefix + "*", "./folder", at=source.through(proxy_to(source, [rule])), exit=3).stderr
    assert all(name in told for name in few) and "AccessDeniedException" in told
    assert not (tmp_path / "folder").exists()


def test_one_refused_table_stops_no_other(dynarc, tmp_path, source, few, prefix, proxy_to):
    rule = {"kind": "refuse", "code": "AccessDeniedException", "operation": "Scan", "table": few[2]}
    told = dynarc("dump", prefix + "*", "./folder", at=source.through(proxy_to(source, [rule])), exit=4).stderr
    assert f"error: {few[2]}: " in told
    assert_whole(tmp_path / "folder", source, [few[0], few[1], few[3]])
    dynarc("dump", prefix + "*", "./folder", "--resume", at=source)
    assert_whole(tmp_path / "folder", source, few)
    # And once more, for those who try until it succeeds.
    before = folders.snapshot(tmp_path / "folder" / "archives")
    done = dynarc("dump", prefix + "*", "./folder", "--resume", "--json", at=source).json
    assert done["complete"] == 4 and not any(row["isNew"] for row in done["tables"])
    assert folders.snapshot(tmp_path / "folder" / "archives") == before


def test_another_selection_or_account_is_not_gone_on_with(dynarc, tmp_path, source, target, few, prefix):
    dynarc("dump", prefix + "*", "./folder", at=source)
    before = folders.snapshot(tmp_path / "folder")
    told = dynarc("dump", prefix + "?", "./folder", "--resume", at=source, exit=3).stderr
    assert prefix + "*" in told and prefix + "?" in told
    tables.create(target.client, few[0])
    told = dynarc("dump", prefix + "*", "./folder", "--resume", at=target, exit=3).stderr
    assert source.account in told and target.account in told
    target.client.delete_table(TableName=few[0])
    told = dynarc("dump", prefix + "*", "./folder", at=source, exit=3).stderr
    assert "is a folder of archives already" in told
    assert folders.snapshot(tmp_path / "folder") == before


def test_tables_that_came_later_are_told_and_not_taken_in(dynarc, tmp_path, source, few, prefix, proxy_to):
    rule = {"kind": "refuse", "code": "AccessDeniedException", "operation": "Scan", "table": few[0]}
    dynarc("dump", prefix + "*", "./folder", at=source.through(proxy_to(source, [rule])), exit=4)
    later = prefix + "later"
    tables.create(source.client, later)
    result = dynarc("dump", prefix + "*", "./folder", "--resume", "--json", at=source)
    source.client.delete_table(TableName=later)
    assert result.json["appeared"] == [later] and f"table {later}" in result.stderr
    assert sorted(folders.states(tmp_path / "folder")) == few
    assert sorted(os.listdir(tmp_path / "folder" / "archives")) == few


def test_a_complete_archive_that_is_gone_or_another(dynarc, tmp_path, source, few, prefix):
    folder = tmp_path / "folder"
    dynarc("dump", prefix + "*", "./folder", at=source)
    shutil.rmtree(folder / "archives" / few[0])
    shutil.rmtree(folder / "archives" / few[1])
    shutil.copytree(folder / "archives" / few[2], folder / "archives" / few[1])
    swapped = folders.snapshot(folder / "archives" / few[1])
    result = dynarc("dump", prefix + "*", "./folder", "--resume", "--json", at=source, exit=4)
    rows = {row["table"]: row for row in result.json["tables"]}
    assert rows[few[0]]["isNew"] and f"the archive of {few[0]} is gone" in result.stderr
    assert rows[few[1]]["state"] == "failed" and few[1] in result.stderr
    # It is left to people.
    assert folders.snapshot(folder / "archives" / few[1]) == swapped
    shutil.rmtree(folder / "archives" / few[1])
    dynarc("dump", prefix + "*", "./folder", "--resume", at=source)
    assert_whole(folder, source, few)


def slow(side: Side, proxy_to, seconds: float = 0.15) -> Side:
    return side.through(proxy_to(side, [{"kind": "stall", "operation": "Scan", "seconds": seconds}]))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_stopped_at_random_moments(dynarc, binary, tmp_path, source, few, prefix, proxy_to, number):
    rng = random.Random(f"tables {number}")
    at = slow(source, proxy_to)
    arguments = ["dump", prefix + "*", "./folder", "--concurrency", 4]
    start = time.monotonic()
    dynarc(*arguments, at=at)
    whole = time.monotonic() - start
    folder = tmp_path / "folder"
    stopped = resumed = 0
    for _ in range(KILLS if number == signal.SIGKILL else max(KILLS // 3, 3)):
        shutil.rmtree(folder)
        longest = whole
        for run in range(1000):
            resume = ["--resume"] if folder.exists() else []
            code = run_dynarc_until(
                binary, tmp_path, tmp_path / "home", rng.uniform(0, 0.9 * longest), number, *arguments, *resume, at=at
            )
            if code == 0:
                resumed += bool(resume)
                break
            # Before the handlers stand, the signal ends the process itself.
            assert code in (-number, 130), code
            stopped += 1
            longest *= 1.1 if run > 10 else 1
        assert_whole(folder, source, few)
        assert sorted(os.listdir(folder)) == ["archives", "index.json"]
        dynarc("verify", "./folder")
    assert stopped > 0 and resumed > 0


def test_ctrl_c_says_how_to_go_on(dynarc, binary, tmp_path, source, few, prefix, proxy_to):
    at = slow(source, proxy_to, 0.5)
    process = subprocess.Popen(
        [str(binary), "dump", prefix + "*", "./folder", "--concurrency", "4"],
        cwd=tmp_path, env=environment_of(tmp_path / "home", at), stderr=subprocess.PIPE,
    )  # fmt: skip
    time.sleep(1.2)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 130
    assert "interrupted" in told and "--resume" in told
    assert set(folders.states(tmp_path / "folder").values()) == {"pending"}
    info = dynarc("info", "./folder").stdout.decode()
    assert "4 pending" in info and "--resume" in info
    dynarc("dump", prefix + "*", "./folder", "--resume", at=source)
    assert_whole(tmp_path / "folder", source, few)


def test_a_second_dump_into_one_folder_is_refused(dynarc, binary, tmp_path, source, few, prefix, proxy_to):
    first = subprocess.Popen(
        [str(binary), "dump", prefix + "*", "./folder", "--concurrency", "4"],
        cwd=tmp_path, env=environment_of(tmp_path / "home", slow(source, proxy_to, 0.5)), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not (tmp_path / "folder" / "index.json").exists():
            time.sleep(0.02)
        second = dynarc("dump", prefix + "*", "./folder", "--resume", at=source, exit=3)
        assert "another process is dumping into ./folder" in second.stderr
        # Reading disturbs nobody.
        dynarc("info", "./folder")
    finally:
        first.kill()
        first.wait()
    dynarc("dump", prefix + "*", "./folder", "--resume", at=source)
    assert_whole(tmp_path / "folder", source, few)


@pytest.mark.alone
def test_units_hold_for_each_table(dynarc, tmp_path, source, prefix, proxy_to):
    """Two tables at once, each with its own budget."""
    names = [prefix + "x", prefix + "y"]
    for name in names:
        tables.create(source.client, name)
        tables.put_all(
            source.client, name, [one | {"f": {"S": "z" * 6000}} for one in keyed(random_items(150, seed=9))]
        )
    proxy = proxy_to(source)
    capacity = proxy.set_capacity(Capacity())
    start = time.monotonic()
    done = dynarc("dump", prefix + "*", "./folder", "--read-units", 20, "--json", at=source.through(proxy)).json
    took = time.monotonic() - start
    units = sum(use.units for use in capacity.uses)
    folders.remove(source.client, names)
    assert done["complete"] == 2 and done["items"] == 300
    # One budget for both would take twice as long.
    assert units / 2 / 20 * 0.7 < took < units / 20 * 0.8, (units, took)


def test_index_json_is_a_table_like_any_other(dynarc, tmp_path, source, prefix):
    with servers.start("ministack") as server:
        side = Side(server.endpoint, servers.ACCOUNT_A)
        tables.create(side.client, "index.json")
        tables.put_all(side.client, "index.json", keyed(random_items(5, seed=1)))
        dynarc("dump", "--all", "./folder", at=side)
        assert json.loads((tmp_path / "folder" / "index.json").read_text())["format"] == "dynarc-folder"
        assert_whole(tmp_path / "folder", side, ["index.json"])
