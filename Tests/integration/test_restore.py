"""Tables made of backups, with the settings that AWS's own restore leaves out."""

from __future__ import annotations

import pytest

import archives
import servers
import tables
from items import keyed, random_items
from program import Side
from test_backups import interrupted

ITEMS = keyed(random_items(60, seed=22))
STILL_CREATING = {"kind": "rewrite", "operation": "DescribeTable", "old": '"ACTIVE"', "new": '"CREATING"'}


@pytest.fixture(params=["ministack", "moto"])
def side(request) -> Side:
    return Side(request.getfixturevalue(request.param).endpoint, servers.ACCOUNT_A)


@pytest.fixture
def other(moto) -> Side:
    """The server that tells of what backup a table was made, as AWS does."""
    return Side(moto.endpoint, servers.ACCOUNT_A)


@pytest.fixture
def stock(side, table) -> str:
    tables.create(
        side.client,
        table,
        attributes=["a:S"],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-a",
                "KeySchema": tables.key_schema(("a", "HASH")),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    tables.put_all(side.client, table, ITEMS)
    return table


def backup(side: Side, table: str, name: str = "kept") -> str:
    return side.client.create_backup(TableName=table, BackupName=name)["BackupDetails"]["BackupArn"]


def is_there(side: Side, table: str) -> bool:
    try:
        return bool(side.client.describe_table(TableName=table))
    except side.client.exceptions.ResourceNotFoundException:
        return False


@pytest.mark.parametrize("by", ["arn", "name"])
def test_makes_the_table_again(dynarc, side, stock, by):
    arn = backup(side, stock, f"{stock}-{by}")
    tables.put_all(side.client, stock, [{"pk": {"S": "later"}, "sk": {"S": "later"}}])
    report = dynarc("restore", arn if by == "arn" else f"{stock}-{by}", f"{stock}-new", "--json", at=side).json
    assert (report["backup"], report["table"]) == (arn, f"{stock}-new")
    assert tables.differences(ITEMS, tables.read_all(side.client, f"{stock}-new"), ["pk", "sk"]) == []
    (index,) = side.client.describe_table(TableName=f"{stock}-new")["Table"]["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "by-a"


def test_waits_until_the_table_can_be_used(dynarc, side, stock, proxy_to):
    """Two DescribeTable go before the restore; behind it the table is CREATING three times."""
    arn = backup(side, stock)
    proxy = proxy_to(side, [STILL_CREATING | {"skip": 2, "first": 3}])
    dynarc("restore", arn, f"{stock}-new", at=side.through(proxy))
    assert proxy.record.faults["rewrite"] == 3
    assert tables.differences(ITEMS, tables.read_all(side.client, f"{stock}-new"), ["pk", "sk"]) == []


def test_throttling_only_takes_time(dynarc, source, table, proxy_to):
    tables.create(source.client, table)
    arn = backup(source, table)
    rules = [
        {"kind": "throttle", "operation": "RestoreTableFromBackup", "first": 5},
        {"kind": "throttle", "operation": "DescribeTable", "skip": 2, "first": 5},
    ]
    proxy = proxy_to(source, rules)
    dynarc("restore", arn, f"{table}-new", at=source.through(proxy))
    assert proxy.record.faults["throttle"] == 10
    assert is_there(source, f"{table}-new")


def test_a_lost_answer_is_found_again(dynarc, other, table, proxy_to):
    tables.create(other.client, table)
    arn = backup(other, table)
    proxy = proxy_to(other, [{"kind": "reset", "operation": "RestoreTableFromBackup", "first": 1}])
    dynarc("restore", arn, f"{table}-new", at=other.through(proxy))
    assert proxy.record.operations["RestoreTableFromBackup"] == 2
    assert is_there(other, f"{table}-new")


def test_dry_run_changes_nothing(dynarc, side, stock):
    arn = backup(side, stock)
    result = dynarc("restore", arn, f"{stock}-new", "--dry-run", at=side)
    assert f"would make table {stock}-new" in result.stderr
    report = dynarc("restore", arn, f"{stock}-new", "--dry-run", "--json", at=side).json
    assert report["dryRun"] is True and report["table"] == f"{stock}-new"
    assert not is_there(side, f"{stock}-new")


def test_refuses_a_table_that_is_there(dynarc, side, stock):
    arn = backup(side, stock)
    result = dynarc("restore", arn, at=side, exit=3)
    assert f"there is a table {stock} already" in result.stderr
    assert f"--into {stock}" in result.stderr
    result = dynarc("restore", arn, stock, "--resume", at=side, exit=3)
    assert "was not made of backup" in result.stderr


def test_wrong_arn(dynarc, side, stock):
    arn = backup(side, stock)
    result = dynarc("restore", arn[:-1] + "x", f"{stock}-new", at=side, exit=3)
    assert "there is no backup arn:" in result.stderr
    assert not is_there(side, f"{stock}-new")


def test_unknown_name(dynarc, side, stock):
    result = dynarc("restore", "never-made", f"{stock}-new", at=side, exit=3)
    assert 'there is no backup "never-made"' in result.stderr


def test_an_ambiguous_name_is_refused(dynarc, side, stock):
    name = f"{stock}-twice"
    arns = [backup(side, stock, name), backup(side, stock, name)]
    result = dynarc("restore", name, f"{stock}-new", at=side, exit=3)
    assert all(arn in result.stderr for arn in arns)
    assert not is_there(side, f"{stock}-new")


def test_a_name_of_255_characters_is_found(dynarc, source, table):
    tables.create(source.client, table)
    name = "n" * 255
    backup(source, table, name)
    dynarc("restore", name, f"{table}-back", at=source)
    assert source.client.describe_table(TableName=f"{table}-back")["Table"]["TableStatus"] == "ACTIVE"


def test_interrupted_and_resumed(binary, dynarc, tmp_path, other, table, proxy_to):
    tables.create(other.client, table)
    tables.put_all(other.client, table, ITEMS)
    other.client.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "gone"}
    )
    arn = backup(other, table)
    new = f"{table}-new"
    proxy = proxy_to(other, [STILL_CREATING | {"skip": 2}])
    result = interrupted(
        binary, tmp_path, ["restore", arn, new, "--region", servers.REGION], other.through(proxy), lambda: proxy.record.faults["rewrite"] > 1
    )
    assert result.code == 130, result.stderr
    again = f"dynarc restore {arn} {new} --resume --region {servers.REGION}"
    assert again in result.stderr
    assert "already" in dynarc("restore", arn, new, at=other, exit=3).stderr
    dynarc(*again.split()[1:], at=other)
    assert tables.differences(ITEMS, tables.read_all(other.client, new), ["pk", "sk"]) == []
    ttl = other.client.describe_time_to_live(TableName=new)["TimeToLiveDescription"]
    assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "gone")


# MARK: Settings


def settings(side: Side, table: str) -> dict:
    """What AWS's restore leaves out, where the servers have it."""
    described = side.client.describe_table(TableName=table)["Table"]
    ttl = side.client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    backups = side.client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    tags = side.client.list_tags_of_resource(ResourceArn=described["TableArn"]).get("Tags", [])
    return {
        "ttl": (ttl["TimeToLiveStatus"], ttl.get("AttributeName")),
        "pitr": backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
        "stream": described.get("StreamSpecification"),
        "protected": described.get("DeletionProtectionEnabled", False),
        "tags": sorted((tag["Key"], tag["Value"]) for tag in tags),
    }


def give_settings(side: Side, table: str) -> None:
    arn = side.client.describe_table(TableName=table)["Table"]["TableArn"]
    side.client.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "gone"}
    )
    side.client.update_table(
        TableName=table, StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}
    )
    side.client.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    side.client.tag_resource(ResourceArn=arn, Tags=[{"Key": "team", "Value": "shop"}, {"Key": "b", "Value": ""}])
    side.client.update_table(TableName=table, DeletionProtectionEnabled=True)


def test_brings_back_what_aws_forgets(dynarc, side, stock):
    give_settings(side, stock)
    wanted = settings(side, stock)
    arn = backup(side, stock)
    report = dynarc("restore", arn, f"{stock}-new", "--json", at=side).json
    assert settings(side, f"{stock}-new") == wanted
    assert wanted["ttl"] == ("ENABLED", "gone") and wanted["protected"] and wanted["tags"] == [("b", ""), ("team", "shop")]
    assert report["settingsFrom"] == "table" and report["unknown"] == []
    assert {one["setting"] for one in report["settings"]} >= {"ttl", "stream", "pitr", "tags", "protection"}


def test_the_source_is_deleted(dynarc, source, table):
    """TTL and stream stand in the backup, and what nobody knows any more is named."""
    tables.create(source.client, table)
    tables.put_all(source.client, table, ITEMS)
    give_settings(source, table)
    wanted = settings(source, table)
    arn = backup(source, table)
    source.client.update_table(TableName=table, DeletionProtectionEnabled=False)
    source.client.delete_table(TableName=table)
    result = dynarc("restore", arn, "--json", at=source)
    assert tables.differences(ITEMS, tables.read_all(source.client, table), ["pk", "sk"]) == []
    found = settings(source, table)
    assert (found["ttl"], found["stream"]) == (wanted["ttl"], wanted["stream"])
    assert result.json["settingsFrom"] == "backup"
    for name in ("tags", "pitr", "auto-scaling", "policy", "protection"):
        assert name in result.json["unknown"] and name in result.stderr


def test_a_table_of_the_same_name_is_not_the_source(dynarc, source, table):
    """The backup's table was deleted; what has its name now has other settings, which are not applied."""
    tables.create(source.client, table)
    arn = backup(source, table)
    source.client.delete_table(TableName=table)
    tables.create(source.client, table)
    give_settings(source, table)
    result = dynarc("restore", arn, f"{table}-new", "--json", at=source)
    assert result.json["settingsFrom"] == "backup"
    found = settings(source, f"{table}-new")
    assert (found["ttl"][0], found["protected"], found["tags"]) == ("DISABLED", False, [])


def test_a_setting_that_is_refused_is_named(dynarc, other, table, proxy_to):
    tables.create(other.client, table)
    give_settings(other, table)
    arn = backup(other, table)
    proxy = proxy_to(other, [{"kind": "refuse", "operation": "UpdateTimeToLive", "code": "AccessDeniedException"}])
    result = dynarc("restore", arn, f"{table}-new", at=other.through(proxy), exit=4)
    assert "TTL on gone" in result.stderr and "AccessDeniedException" in result.stderr
    again = f"dynarc restore {arn} {table}-new --resume"
    assert again in result.stderr
    dynarc(*again.split()[1:], at=other)
    assert settings(other, f"{table}-new") == settings(other, table)


# MARK: --into


def helpers(side: Side) -> list[str]:
    names = [name for page in side.client.get_paginator("list_tables").paginate() for name in page["TableNames"]]
    return [name for name in names if "-dynarc-restore-" in name]


@pytest.fixture
def changed(side, stock) -> tuple[str, str, list]:
    """A table, a backup of it, and what the table holds now: an item less, one more, one changed."""
    arn = backup(side, stock)
    key = {name: ITEMS[0][name] for name in ("pk", "sk")}
    side.client.delete_item(TableName=stock, Key=key)
    other = ITEMS[1] | {"changed": {"BOOL": True}}
    more = {"pk": {"S": "only"}, "sk": {"S": "here"}}
    tables.put_all(side.client, stock, [other, more])
    return stock, arn, [other, *ITEMS[2:], more]


def test_into_brings_the_items_back(dynarc, side, changed):
    table, arn, _ = changed
    side.client.tag_resource(
        ResourceArn=side.client.describe_table(TableName=table)["Table"]["TableArn"],
        Tags=[{"Key": "now", "Value": "here"}],
    )
    report = dynarc("restore", arn, "--into", table, "--yes", "--json", at=side).json
    assert tables.differences(ITEMS, tables.read_all(side.client, table), ["pk", "sk"]) == []
    assert (report["deleted"], report["rejected"], report["helperRemoved"]) == (1, 0, True)
    assert report["helper"].startswith(f"{table}-dynarc-restore-")
    assert helpers(side) == []
    assert settings(side, table)["tags"] == [("now", "here")]
    # The state before is kept as another backup.
    kept = side.client.describe_backup(BackupArn=report["kept"]["backup"]["arn"])["BackupDescription"]
    assert kept["SourceTableDetails"]["TableName"] == table
    dynarc("restore", report["kept"]["backup"]["arn"], f"{table}-before", at=side)
    assert tables.differences(changed[2], tables.read_all(side.client, f"{table}-before"), ["pk", "sk"]) == []


def test_into_with_an_archive_as_safeguard(dynarc, tmp_path, side, changed):
    table, arn, before = changed
    report = dynarc("restore", arn, "--into", table, "--yes", "--backup", "./before", "--json", at=side).json
    assert report["kept"]["archive"] == "./before"
    assert tables.differences(before, archives.read_archive(tmp_path / "before"), ["pk", "sk"]) == []
    assert tables.differences(ITEMS, tables.read_all(side.client, table), ["pk", "sk"]) == []


def test_into_without_a_safeguard(dynarc, source, table):
    tables.create(source.client, table)
    arn = backup(source, table)
    result = dynarc("restore", arn, "--into", table, "--backup", "none", at=source, exit=2)
    assert "--yes" in result.stderr
    dynarc("restore", arn, "--into", table, "--backup", "none", "--yes", at=source)
    assert len(source.client.list_backups(TableName=table)["BackupSummaries"]) == 1


@pytest.mark.parametrize("safeguard", ["orders-before", "AWS", ""])
def test_into_refuses_what_is_no_safeguard(dynarc, source, safeguard):
    result = dynarc("restore", "name", "--into", "Orders", "--backup", safeguard, at=source, exit=2)
    assert "--backup" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [("new", "--into", "Orders"), ("--into", "Orders", "--resume"), ("new", "--yes"), ("new", "--backup", "none")],
)
def test_options_that_exclude_each_other(dynarc, source, arguments):
    dynarc("restore", "name", *arguments, at=source, exit=2)


def test_into_asks_and_tells_beforehand(dynarc, side, changed):
    table, arn, before = changed
    result = dynarc("restore", arn, "--into", table, at=side, exit=2)
    assert "would replace and delete" in result.stderr
    result = dynarc("restore", arn, "--into", table, "--dry-run", at=side)
    assert f"would make an on-demand backup of {table}" in result.stderr
    assert f"would make table {table}-dynarc-restore-" in result.stderr
    assert helpers(side) == []
    assert tables.differences(before, tables.read_all(side.client, table), ["pk", "sk"]) == []


def test_into_a_table_that_is_not_there(dynarc, side, stock):
    arn = backup(side, stock)
    result = dynarc("restore", arn, "--into", f"{stock}-not", "--yes", at=side, exit=3)
    assert "there is no table" in result.stderr
    assert helpers(side) == []


def test_into_a_table_with_another_key(dynarc, side, stock):
    arn = backup(side, stock)
    tables.create(side.client, f"{stock}-other", "id:S", None)
    result = dynarc("restore", arn, "--into", f"{stock}-other", "--yes", at=side, exit=3)
    assert "the key of table" in result.stderr
    assert helpers(side) == []


def test_into_a_table_whose_key_has_another_type(dynarc, source, table):
    """Only the restored table tells the types; nothing is changed all the same."""
    tables.create(source.client, table)
    tables.put_all(source.client, table, ITEMS)
    arn = backup(source, table)
    other = f"{table}-other"
    tables.create(source.client, other, "pk:N", "sk:S")
    mine = [{"pk": {"N": "1"}, "sk": {"S": "a"}}]
    tables.put_all(source.client, other, mine)
    result = dynarc("restore", arn, "--into", other, "--yes", at=source, exit=4)
    assert "the key of table" in result.stderr and f"table {other} is as it was" in result.stderr
    assert tables.read_all(source.client, other) == mine
    clean_up(source, result.stderr)


def clean_up(side: Side, stderr: str) -> None:
    """Removes the helper table, which the message must name."""
    (helper,) = helpers(side)
    assert f"aws dynamodb delete-table --table-name {helper}" in stderr
    side.client.delete_table(TableName=helper)


def test_into_when_the_copy_fails(dynarc, source, table, proxy_to):
    tables.create(source.client, table)
    tables.put_all(source.client, table, ITEMS)
    arn = backup(source, table)
    source.client.delete_item(TableName=table, Key={name: ITEMS[0][name] for name in ("pk", "sk")})
    proxy = proxy_to(source, [{"kind": "throttle", "operation": "BatchWriteItem"}])
    command = ["restore", arn, "--into", table, "--yes", "--give-up-after", "3s"]
    result = dynarc(*command, at=source.through(proxy), exit=4)
    (helper,) = helpers(source)
    go_on = f"dynarc copy {helper} --target-table {table} --replace"
    assert go_on in result.stderr and f"table {table} is as it was" in result.stderr
    dynarc(*go_on.split()[1:], "--backup", "none", "--yes", at=source)
    assert tables.differences(ITEMS, tables.read_all(source.client, table), ["pk", "sk"]) == []
    clean_up(source, result.stderr)


def test_into_when_items_are_rejected(dynarc, source, table, proxy_to):
    """The table that has them is left."""
    tables.create(source.client, table)
    tables.put_all(source.client, table, ITEMS[:5])
    arn = backup(source, table)
    proxy = proxy_to(source, [{"kind": "refuse", "operation": "BatchWriteItem", "code": "ValidationException"}])
    result = dynarc("restore", arn, "--into", table, "--yes", at=source.through(proxy), exit=4)
    (helper,) = helpers(source)
    assert f"{helper}, made of the backup, is left" in result.stderr and "rejects" in result.stderr
    source.client.delete_table(TableName=helper)


def test_into_when_the_state_cannot_be_kept(dynarc, source, table, proxy_to):
    tables.create(source.client, table)
    tables.put_all(source.client, table, ITEMS)
    arn = backup(source, table)
    tables.put_all(source.client, table, [{"pk": {"S": "later"}, "sk": {"S": "later"}}])
    before = tables.read_all(source.client, table)
    proxy = proxy_to(source, [{"kind": "refuse", "operation": "CreateBackup", "code": "UnknownOperationException"}])
    result = dynarc("restore", arn, "--into", table, "--yes", at=source.through(proxy), exit=4)
    assert "--backup ./directory" in result.stderr and "--backup none" in result.stderr
    assert tables.differences(before, tables.read_all(source.client, table), ["pk", "sk"]) == []
    clean_up(source, result.stderr)


def test_into_when_the_archive_cannot_be_made(dynarc, tmp_path, source, table, proxy_to):
    tables.create(source.client, table)
    tables.put_all(source.client, table, ITEMS)
    arn = backup(source, table)
    tables.put_all(source.client, table, [{"pk": {"S": "later"}, "sk": {"S": "later"}}])
    before = tables.read_all(source.client, table)
    # The copy looks by one Scan each whether the target and the helper hold items.
    proxy = proxy_to(source, [{"kind": "refuse", "operation": "Scan", "skip": 2, "code": "AccessDeniedException"}])
    command = ["restore", arn, "--into", table, "--yes", "--backup", "./before"]
    result = dynarc(*command, at=source.through(proxy), exit=4)
    assert f"table {table} was not changed" in result.stderr and "--backup ./directory" in result.stderr
    # Nothing was got, and so nothing is left behind.
    assert not (tmp_path / "before").exists()
    assert tables.differences(before, tables.read_all(source.client, table), ["pk", "sk"]) == []
    clean_up(source, result.stderr)


def test_into_when_the_helper_cannot_be_removed(dynarc, source, table, proxy_to):
    tables.create(source.client, table)
    tables.put_all(source.client, table, ITEMS)
    arn = backup(source, table)
    tables.put_all(source.client, table, [{"pk": {"S": "later"}, "sk": {"S": "later"}}])
    proxy = proxy_to(source, [{"kind": "refuse", "operation": "DeleteTable", "code": "AccessDeniedException"}])
    result = dynarc("restore", arn, "--into", table, "--yes", at=source.through(proxy), exit=4)
    assert tables.differences(ITEMS, tables.read_all(source.client, table), ["pk", "sk"]) == []
    assert f"table {table} is as the backup has it" in result.stderr and "dynarc copy" not in result.stderr
    clean_up(source, result.stderr)


def test_into_interrupted_while_copying(binary, dynarc, tmp_path, source, table, proxy_to):
    many = keyed(random_items(1500, seed=23))
    tables.create(source.client, table)
    tables.put_all(source.client, table, many)
    arn = backup(source, table)
    more = [{"pk": {"S": f"later {number}"}, "sk": {"S": "later"}} for number in range(50)]
    tables.put_all(source.client, table, more)
    proxy = proxy_to(source, [{"kind": "stall", "operation": "BatchWriteItem", "seconds": 0.5}])
    command = ["restore", arn, "--into", table, "--yes", "--concurrency", "2"]
    at = source.through(proxy)
    result = interrupted(binary, tmp_path, command, at, lambda: proxy.record.operations["BatchWriteItem"] > 6)
    assert result.code == 130, result.stderr
    assert f"items of the backup are in table {table}" in result.stderr
    (helper,) = helpers(source)
    go_on = f"dynarc copy {helper} --target-table {table} --replace"
    assert go_on in result.stderr
    dynarc(*go_on.split()[1:], "--backup", "none", "--yes", at=source)
    assert tables.differences(many, tables.read_all(source.client, table), ["pk", "sk"]) == []
    clean_up(source, result.stderr)


def test_into_with_a_directory_that_exists(dynarc, tmp_path, source, table):
    tables.create(source.client, table)
    arn = backup(source, table)
    (tmp_path / "before").mkdir()
    result = dynarc("restore", arn, "--into", table, "--yes", "--backup", "./before", at=source, exit=3)
    assert "exists already" in result.stderr
    assert helpers(source) == []


def test_into_interrupted_while_waiting(binary, dynarc, tmp_path, source, table, proxy_to):
    tables.create(source.client, table)
    tables.put_all(source.client, table, ITEMS)
    arn = backup(source, table)
    before = tables.read_all(source.client, table)
    proxy = proxy_to(source, [STILL_CREATING | {"skip": 1}])
    command = ["restore", arn, "--into", table, "--yes"]
    at = source.through(proxy)
    result = interrupted(binary, tmp_path, command, at, lambda: proxy.record.faults["rewrite"] > 1)
    assert result.code == 130, result.stderr
    assert f"table {table} is as it was" in result.stderr
    assert tables.differences(before, tables.read_all(source.client, table), ["pk", "sk"]) == []
    clean_up(source, result.stderr)


def test_into_a_table_of_the_longest_name(dynarc, source):
    table = "L" * 255
    tables.create(source.client, table)
    tables.put_all(source.client, table, ITEMS)
    arn = backup(source, table)
    tables.put_all(source.client, table, [{"pk": {"S": "later"}, "sk": {"S": "later"}}])
    report = dynarc("restore", arn, "--into", table, "--yes", "--json", at=source).json
    assert len(report["helper"]) == 255
    assert tables.differences(ITEMS, tables.read_all(source.client, table), ["pk", "sk"]) == []
    assert helpers(source) == []
