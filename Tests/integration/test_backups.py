"""AWS's on-demand backups: made, listed, waited for; boto3 says what there is."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

import servers
import tables
from items import keyed, random_items
from program import TIMEOUT, Result, Side, environment_of

ITEMS = keyed(random_items(40, seed=21))
# The servers make a backup at once; AWS shows CREATING for a while.
STILL_CREATING = {"kind": "rewrite", "operation": "DescribeBackup", "old": '"AVAILABLE"', "new": '"CREATING"'}


@pytest.fixture(params=["ministack", "moto"])
def side(request) -> Side:
    return Side(request.getfixturevalue(request.param).endpoint, servers.ACCOUNT_A)


@pytest.fixture
def stock(side, table) -> str:
    tables.create(side.client, table)
    tables.put_all(side.client, table, ITEMS)
    return table


def described(side: Side, arn: str) -> dict:
    return side.client.describe_backup(BackupArn=arn)["BackupDescription"]


def names(side: Side, table: str) -> list[str]:
    pages = side.client.get_paginator("list_backups").paginate(TableName=table)
    return [backup["BackupName"] for page in pages for backup in page["BackupSummaries"]]


def interrupted(binary: Path, directory: Path, arguments: list, at: Side, until) -> Result:
    """Runs dynarc, sends SIGINT once `until()` is true, and waits for its end."""
    process = subprocess.Popen(
        [str(binary), *map(str, arguments)],
        cwd=directory,
        env=environment_of(directory / "home", at),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + TIMEOUT
    while not until() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=TIMEOUT)
    return Result(process.returncode, stdout, stderr.decode())


def test_makes_a_backup_and_prints_its_arn(dynarc, side, stock):
    result = dynarc("backup", stock, at=side)
    details = described(side, result.stdout.decode().strip())["BackupDetails"]
    assert re.fullmatch(re.escape(stock) + r"-dynarc-\d{8}T\d{6}Z", details["BackupName"])
    assert details["BackupStatus"] == "AVAILABLE"
    assert details["BackupName"] in result.stderr


def test_takes_a_name(dynarc, side, stock):
    report = dynarc("backup", stock, "--name", "before.migration_2", "--json", at=side).json
    details = described(side, report["arn"])["BackupDetails"]
    assert details["BackupName"] == report["name"] == "before.migration_2"
    assert (report["table"], report["status"], report["type"]) == (stock, "AVAILABLE", "USER")


@pytest.mark.parametrize("name", ["ab", "a" * 256, "with space", "é" * 10, ""])
def test_refuses_what_is_no_name(dynarc, source, name):
    result = dynarc("backup", "Orders", "--name", name, at=source, exit=2)
    assert "--name takes" in result.stderr


def test_waits_while_the_backup_is_being_made(dynarc, side, stock, proxy_to):
    proxy = proxy_to(side, [STILL_CREATING | {"first": 3}])
    report = dynarc("backup", stock, "--json", at=side.through(proxy)).json
    assert report["status"] == "AVAILABLE"
    assert proxy.record.faults["rewrite"] == 3
    assert proxy.record.operations["DescribeBackup"] == 4


def test_a_table_of_the_longest_name(dynarc, source):
    table = "T" * 255
    tables.create(source.client, table)
    report = dynarc("backup", table, "--json", at=source).json
    assert len(report["name"]) == 255
    assert names(source, table) == [report["name"]]


def test_refuses_a_table_that_is_not_there(dynarc, side):
    result = dynarc("backup", "Nowhere", at=side, exit=3)
    assert 'there is no table "Nowhere"' in result.stderr
    assert result.stdout == b""


def test_throttling_only_takes_time(dynarc, source, table, proxy_to):
    tables.create(source.client, table)
    rules = [
        {"kind": "throttle", "operation": "CreateBackup", "first": 5},
        {"kind": "throttle", "operation": "DescribeBackup", "first": 5},
    ]
    proxy = proxy_to(source, rules)
    dynarc("backup", table, at=source.through(proxy))
    assert proxy.record.faults["throttle"] == 10
    assert len(names(source, table)) == 1


def test_gives_up_where_nothing_is_answered(dynarc, source, table, proxy_to):
    tables.create(source.client, table)
    proxy = proxy_to(source, [{"kind": "throttle", "operation": "DescribeBackup"}])
    result = dynarc("backup", table, "--give-up-after", "2s", at=source.through(proxy), exit=4)
    assert "nothing has moved" in result.stderr


def test_a_lost_answer_makes_no_second_backup(dynarc, source, table, proxy_to):
    """The first answer is lost, and the service, which is at the backup, refuses the second request."""
    tables.create(source.client, table)
    rules = [
        {"kind": "reset", "operation": "CreateBackup", "first": 1},
        {"kind": "refuse", "operation": "CreateBackup", "code": "BackupInUseException"},
        {"kind": "rewrite", "operation": "ListBackups", "old": '"AVAILABLE"', "new": '"CREATING"'},
    ]
    report = dynarc("backup", table, "--json", at=source.through(proxy_to(source, rules))).json
    assert names(source, table) == [report["name"]]


def test_another_backup_in_the_making_is_not_taken_for_ours(dynarc, source, table, proxy_to):
    tables.create(source.client, table)
    source.client.create_backup(TableName=table, BackupName="other")
    rules = [
        {"kind": "refuse", "operation": "CreateBackup", "code": "BackupInUseException"},
        {"kind": "rewrite", "operation": "ListBackups", "old": '"AVAILABLE"', "new": '"CREATING"'},
    ]
    result = dynarc("backup", table, at=source.through(proxy_to(source, rules)), exit=3)
    assert "BackupInUseException" in result.stderr


def test_a_backup_that_goes_away_meanwhile(dynarc, source, table, proxy_to):
    tables.create(source.client, table)
    rules = [{"kind": "rewrite", "operation": "DescribeBackup", "old": '"AVAILABLE"', "new": '"DELETED"'}]
    result = dynarc("backup", table, at=source.through(proxy_to(source, rules)), exit=3)
    assert "is DELETED" in result.stderr
    assert "goes on" not in result.stderr


def test_a_server_without_backups(dynarc, source, table, proxy_to):
    tables.create(source.client, table)
    rules = [{"kind": "refuse", "operation": "CreateBackup", "code": "UnknownOperationException"}]
    result = dynarc("backup", table, at=source.through(proxy_to(source, rules)), exit=3)
    assert "makes no backups" in result.stderr
    assert f"dynarc dump {table}" in result.stderr


def test_interrupted_while_waiting(binary, dynarc, tmp_path, source, table, proxy_to):
    tables.create(source.client, table)
    proxy = proxy_to(source, [STILL_CREATING])
    result = interrupted(
        binary, tmp_path, ["backup", table], source.through(proxy), lambda: proxy.record.operations["DescribeBackup"] > 1
    )
    assert result.code == 130, result.stderr
    assert result.stdout == b""
    (backup,) = source.client.list_backups(TableName=table)["BackupSummaries"]
    assert backup["BackupArn"] in result.stderr
    assert f"dynarc backups {table}" in result.stderr


def test_lists_what_boto3_lists(dynarc, side, stock):
    for name in ("first", "second"):
        side.client.create_backup(TableName=stock, BackupName=name)
    report = dynarc("backups", stock, "--json", at=side).json
    expected = side.client.list_backups(TableName=stock)["BackupSummaries"]
    assert [
        (one["name"], one["table"], one["arn"], one["status"], one["type"], one["sizeBytes"], one["created"])
        for one in report
    ] == [
        (
            one["BackupName"],
            one["TableName"],
            one["BackupArn"],
            one["BackupStatus"],
            one["BackupType"],
            one["BackupSizeBytes"],
            one["BackupCreationDateTime"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        for one in sorted(expected, key=lambda one: (int(one["BackupCreationDateTime"].timestamp()), one["BackupArn"]))
    ]
    lines = dynarc("backups", stock, at=side).stdout.decode().splitlines()
    assert lines[0].split() == ["NAME", "TABLE", "CREATED", "STATUS", "TYPE", "SIZE", "EXPIRES", "ARN"]
    assert [line.split()[0] for line in lines[1:]] == [one["name"] for one in report]
    assert [line.split()[-1] for line in lines[1:]] == [one["arn"] for one in report]


def test_lists_all_pages_of_all_tables(dynarc, source, table):
    tables.create(source.client, table)
    for number in range(130):
        source.client.create_backup(TableName=table, BackupName=f"backup-{number}")
    assert "LastEvaluatedBackupArn" in source.client.list_backups()
    report = dynarc("backups", "--json", at=source).json
    assert {one["name"] for one in report if one["table"] == table} == {f"backup-{number}" for number in range(130)}
    assert len({one["arn"] for one in report}) == len(report)


def test_expiry_and_names_that_would_move_the_cursor(dynarc, source, table, proxy_to):
    """What a server tells is shown, never obeyed."""
    tables.create(source.client, table)
    source.client.create_backup(TableName=table, BackupName="odd")
    rules = [
        {
            "kind": "rewrite",
            "operation": "ListBackups",
            "old": '"BackupName": ?"odd"',
            "new": r'"BackupName":"\\u001b[31modd","BackupExpiryDateTime":1893456000.5',
        }
    ]
    at = source.through(proxy_to(source, rules))
    (report,) = dynarc("backups", table, "--json", at=at).json
    assert report["expires"] == "2030-01-01T00:00:00Z"
    text = dynarc("backups", table, at=at).stdout
    assert b"2030-01-01T00:00:00Z" in text and b"\x1b" not in text


def test_no_backups_are_an_empty_list(dynarc, side, stock):
    assert dynarc("backups", stock, "--json", at=side).json == []
