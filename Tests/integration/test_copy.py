"""Copying: what is created, refused, put, counted, and what becomes of faults."""

from __future__ import annotations

from typing import Callable, Iterable

import pytest

import servers
import tables
from capacity import Capacity
from copies import BOTH, at_terminal, copier, hinted, interrupted, write_profiles
from faultproxy import FaultProxy
from items import corner_cases, keyed, orders, random_items
from program import Result, Side

ITEMS = keyed([{"v": {"S": "source"}} | item for item in random_items(150, seed=71)])
KEYS = ["pk", "sk"]
# Nothing of the target is kept, and nobody is asked.
PLAINLY = ("--backup", "none", "--yes")
WRITES = {"BatchWriteItem", "PutItem", "CreateTable", "CreateBackup"}


@pytest.fixture(scope="module")
def elsewhere() -> Iterable[servers.Server]:
    """Another server: what passes between two of them has left the process."""
    with servers.start("ministack") as server:
        yield server


@pytest.fixture(scope="module")
def stock(source: Side) -> str:
    name = "CopyStock"
    tables.create(source.client, name)
    tables.put_all(source.client, name, ITEMS)
    return name


@pytest.fixture
def copy(dynarc, tmp_path, source, target) -> Callable[..., Result]:
    return copier(dynarc, tmp_path / "home", source, target)


def occupy(side: Side, table: str) -> list[dict]:
    """Makes a table with an item that the source has too, and two that it has not."""
    mine = [
        ITEMS[0] | {"v": {"S": "target"}},
        {"pk": {"S": "p0"}, "sk": {"S": "only here"}},
        {"pk": {"S": "other"}, "sk": {"S": "only here"}},
    ]
    tables.create(side.client, table)
    tables.put_all(side.client, table, mine)
    return mine


def found(side: Side, table: str, expected: list[dict]) -> list[str]:
    return tables.differences(expected, tables.read_all(side.client, table), KEYS)


def test_twenty_thousand_items_between_two_servers_through_faults(copy, source, table, proxy_to, elsewhere):
    items = list(orders(20_000))
    tables.create(source.client, table, "customer_id:S", "order_id:S")
    tables.put_all(source.client, table, items)
    other = Side(elsewhere.endpoint, servers.ACCOUNT_B)
    bad = ["bad_crc", "truncate", "reset_in_body", "garbage", "internal_error", "unavailable"]
    slow = ["throttle", "partial_unprocessed", "total_unprocessed"]
    # Each kind once for certain, and a few of those that do not slow a job down by intent.
    reads = proxy_to(source, [{"kind": kind, "operation": "Scan", "first": 1} for kind in bad + slow[:1]])
    writes = proxy_to(
        other,
        [{"kind": kind, "operation": "BatchWriteItem", "first": 2, "skip": 10} for kind in bad + slow]
        + [{"kind": kind, "operation": "BatchWriteItem", "rate": 0.01, "seed": i} for i, kind in enumerate(bad)]
        + [{"kind": "partial_unprocessed", "rate": 0.02}],
    )
    report = copy(
        table, "--segments", 8, "--json", source=source.through(reads), target=other.through(writes)
    ).json
    assert (report["read"], report["written"], report["rejected"], report["deleted"]) == (20_000, 20_000, 0, 0)
    assert report["created"] is True
    assert tables.compare_tables(source.client, table, other.client, table) == []
    assert writes.record.batch_faults() == []
    assert set(writes.record.faults) == {*bad, *slow}
    assert set(reads.record.faults) == {*bad, "throttle"}
    assert report["retries"]["unprocessedItems"] > 0
    source.client.delete_table(TableName=table)


def test_creates_the_table_with_its_indexes(copy, source, target, table):
    tables.create(
        source.client, table, "pk:S", "sk:S", attributes=["a:S"],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-a",
                "KeySchema": tables.key_schema(("a", "HASH")),
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
    )  # fmt: skip
    source.client.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
    )
    said = copy(table).stderr
    assert "not: TTL on expires" in said
    ours, theirs = (side.client.describe_table(TableName=table)["Table"] for side in (source, target))
    assert theirs["KeySchema"] == ours["KeySchema"]
    assert theirs["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert [(one["IndexName"], one["KeySchema"], one["Projection"]) for one in theirs["GlobalSecondaryIndexes"]] == [
        (one["IndexName"], one["KeySchema"], one["Projection"]) for one in ours["GlobalSecondaryIndexes"]
    ]


@pytest.mark.parametrize("partition, sort", [("pk:B", "sk:N"), ("a.b:S", "#\u00e4\u0308:B"), ("size:N", None)])
def test_odd_keys_and_items(copy, source, target, table, partition, sort):
    values = {"S": lambda n: f'k"{n}\n', "N": lambda n: f"{n}.5", "B": lambda n: bytes([n, 0xFF, 0])}
    items = []
    for number, item in enumerate(corner_cases()):
        for one in filter(None, (partition, sort)):
            name, kind = one.rsplit(":", 1)
            item = item | {name: {kind: values[kind](number)}}
        items.append(item)
    tables.create(source.client, table, partition, sort)
    tables.put_all(source.client, table, items)
    assert copy(table, "--json").json["written"] == len(items)
    assert tables.compare_tables(source.client, table, target.client, table) == []
    # And once more over them, keys compared.
    only = {name: {kind: values[kind](200)} for name, kind in (one.rsplit(":", 1) for one in (partition, sort) if one)}
    target.client.put_item(TableName=table, Item=only)
    report = copy(table, "--replace", *PLAINLY, "--json").json
    assert (report["written"], report["deleted"]) == (len(items), 1)
    assert tables.compare_tables(source.client, table, target.client, table) == []


def test_refuses_a_table_that_holds_items(copy, stock, target, table, proxy_to):
    mine = occupy(target, table)
    proxy = proxy_to(target)
    said = copy(stock, "--target-table", table, target=target.through(proxy), exit=3).stderr
    assert "--replace" in said and "--merge" in said and "--truncate-first" in said
    assert found(target, table, mine) == []
    assert not set(proxy.record.operations) & WRITES


def test_merge_puts_over_what_is_there(copy, stock, target, table):
    mine = occupy(target, table)
    report = copy(stock, "--target-table", table, "--merge", *PLAINLY, "--json").json
    assert (report["written"], report["deleted"], report["mode"]) == (len(ITEMS), 0, "merge")
    assert found(target, table, [*ITEMS, *mine[1:]]) == []


def test_replace_deletes_what_only_the_target_has(copy, stock, target, table):
    occupy(target, table)
    report = copy(stock, "--target-table", table, "--replace", *PLAINLY, "--json").json
    assert (report["written"], report["deleted"], report["caughtUp"]) == (len(ITEMS), 2, 0)
    assert found(target, table, ITEMS) == []


def test_truncate_first_deletes_everything_first(copy, stock, target, table):
    mine = occupy(target, table)
    report = copy(stock, "--target-table", table, "--truncate-first", *PLAINLY, "--json").json
    assert (report["written"], report["deleted"]) == (len(ITEMS), len(mine))
    assert found(target, table, ITEMS) == []


@pytest.mark.parametrize("mode", ["--merge", "--replace", "--truncate-first"])
def test_asks_or_needs_yes(copy, binary, tmp_path, stock, target, table, mode):
    mine = occupy(target, table)
    arguments = (stock, "--target-table", table, mode, "--backup", "none")
    said = copy(*arguments, exit=2).stderr
    assert "--yes" in said
    code, shown = at_terminal(
        binary, tmp_path, tmp_path / "home", "copy", *arguments[:1], *BOTH, *arguments[1:],
        prompt="[y/N]", answer="n",
    )  # fmt: skip
    assert (code, "nothing was changed" in shown) == (3, True)
    assert found(target, table, mine) == []


@pytest.mark.parametrize("mode", ["--merge", "--replace", "--truncate-first"])
def test_a_dry_run_writes_nothing(copy, stock, target, table, proxy_to, mode):
    mine = occupy(target, table)
    proxy = proxy_to(target)
    arguments = (stock, "--target-table", table, mode, "--dry-run")
    told = copy(*arguments, target=target.through(proxy)).stderr
    assert "would put" in told and "would make an on-demand backup" in told
    report = copy(*arguments, "--json", target=target.through(proxy)).json
    assert (report["dryRun"], report["holdsItems"], report["mode"]) == (True, True, mode[2:])
    assert not set(proxy.record.operations) & WRITES
    assert found(target, table, mine) == []


def test_the_state_before_is_kept_as_an_archive(copy, dynarc, stock, target, table):
    mine = occupy(target, table)
    report = copy(stock, "--target-table", table, "--replace", "--backup", "./before", "--yes", "--json").json
    assert report["kept"]["archive"] == "./before"
    dynarc("verify", "./before")
    dynarc("load", "./before", f"{table}-before", at=target)
    assert found(target, f"{table}-before", mine) == []
    assert found(target, table, ITEMS) == []


def test_the_state_before_is_kept_as_a_backup(copy, stock, target, table):
    occupy(target, table)
    report = copy(stock, "--target-table", table, "--replace", "--yes", "--json").json
    (backup,) = target.client.list_backups(TableName=table)["BackupSummaries"]
    assert report["kept"]["backup"]["arn"] == backup["BackupArn"]
    assert found(target, table, ITEMS) == []


def test_what_cannot_be_kept_is_not_changed(copy, tmp_path, stock, target, table):
    mine = occupy(target, table)
    (tmp_path / "there").mkdir()
    copy(stock, "--target-table", table, "--replace", "--backup", "./there", "--yes", exit=3)
    assert found(target, table, mine) == []


def test_nothing_is_kept_of_an_empty_table(copy, stock, target, table):
    tables.create(target.client, table)
    assert copy(stock, "--target-table", table, "--replace", "--json").json["kept"] is None
    assert target.client.list_backups(TableName=table)["BackupSummaries"] == []
    assert found(target, table, ITEMS) == []


def test_one_table_on_both_sides_is_refused(copy, dynarc, tmp_path, stock, source, target, proxy_to):
    proxy = proxy_to(source)
    for arguments, sides in (
        ((stock,), dict(target=source)),
        ((stock, "--replace", *PLAINLY), dict(target=source.through(proxy))),
        ((stock, "--target-table", stock, "--truncate-first", *PLAINLY), dict(target=source)),
    ):
        assert "one table" in copy(*arguments, **sides, exit=3).stderr
    # One side named is both sides, and no side is the environment's on both.
    write_profiles(tmp_path / "home", production=source, development=target)
    assert "one table" in dynarc("copy", stock, "--source", "production", exit=3).stderr
    assert "one table" in dynarc("copy", stock, at=source, exit=3).stderr
    assert not set(proxy.record.operations) & WRITES
    assert found(source, stock, ITEMS) == []


def test_sides_named_in_other_ways(dynarc, tmp_path, stock, source, target, table):
    write_profiles(tmp_path / "home", production=source, development=target)
    ours, theirs = source.account, target.account

    def sides(*arguments: object, **options: object) -> tuple[str, str, str]:
        report = dynarc("copy", *arguments, "--dry-run", "--json", **options).json
        other = report["target"]["arn"] or "::::created"
        return report["source"]["arn"].split(":")[4], other.split(":")[4], report["target"]["table"]

    tables.create(target.client, stock)
    try:
        assert sides(f"dynamodb://production@/{stock}", "--target", "development") == (ours, theirs, stock)
        region = servers.REGION
        assert sides(stock, "--source", f"dynamodb://production@{region}/", "--target", "development")[1] == theirs
        assert sides(stock, "--profile", "production", "--target", "development") == (ours, theirs, stock)
        assert sides(stock, "--target", "development", "--source", "production") == (ours, theirs, stock)
        # A name alone is a table beside the source.
        assert sides(stock, "--source", "production", "--target", f"dynamodb:///{table}") == (ours, "created", table)
        assert sides(stock, "--source", "production", "--target-table", table) == (ours, "created", table)
        for wrong in (
            (f"dynamodb://production@/{stock}", "--source", "development"),
            (stock, "--source", "production", "--target", "dynamodb:///One", "--target-table", "Other"),
            (stock, "--source", "dynamodb://production@/Other"),
            (stock, "--source", "dynamodb://production@"),
            (stock, "--target-table", "dynamodb:///Other"),
            (stock, "--target", ""),
            (stock, "--target", "development", "--projection", "pk, sk"),
            (stock, "--target", "development", "--merge", "--replace"),
        ):
            dynarc("copy", *wrong, "--dry-run", exit=2)
    finally:
        target.client.delete_table(TableName=stock)


@pytest.mark.parametrize("partition, sort", [("pk:N", "sk:S"), ("pk:S", None), ("sk:S", "pk:S")])
def test_another_key_is_refused(copy, stock, target, table, proxy_to, partition, sort):
    tables.create(target.client, table, partition, sort)
    proxy = proxy_to(target)
    arguments = (stock, "--target-table", table, "--merge", *PLAINLY)
    assert "key" in copy(*arguments, target=target.through(proxy), exit=3).stderr
    assert not set(proxy.record.operations) & WRITES


def test_rejected_items_are_set_aside(copy, tmp_path, moto, target, table):
    """moto takes numbers of 39 digits, and ministack does not."""
    lax = Side(moto.endpoint, servers.ACCOUNT_A)
    good = [{"pk": {"S": f"{n}"}, "sk": {"S": "-"}, "v": {"N": "1"}} for n in range(60)]
    bad = {"pk": {"S": "bad"}, "sk": {"S": "-"}, "v": {"N": "9" * 39}}
    tables.create(lax.client, table)
    tables.put_all(lax.client, table, [*good, bad])
    # What the target holds of it stays: a rejected item is no missing one.
    old = bad | {"v": {"N": "1"}}
    tables.create(target.client, table)
    tables.put_all(target.client, table, [old])
    result = copy(table, "--replace", *PLAINLY, "--json", source=lax, exit=4)
    assert (result.json["read"], result.json["written"], result.json["rejected"]) == (61, 60, 1)
    assert result.json["rejects"] == "./rejects.ndjson"
    (line,) = (tmp_path / "rejects.ndjson").read_text().splitlines()
    assert '"Item":{' in line and "9" * 39 in line
    assert found(target, table, [*good, old]) == []


@pytest.mark.parametrize("mode", [(), ("--replace",), ("--truncate-first",)])
def test_an_interrupted_copy_says_where_it_is_and_can_be_run_again(
    copy, dynarc, binary, tmp_path, stock, source, target, table, proxy_to, mode
):
    if mode:
        occupy(target, table)
    proxy = proxy_to(target, [{"kind": "stall", "operation": "BatchWriteItem", "seconds": 0.3}])
    write_profiles(tmp_path / "home", production=source, development=target.through(proxy))
    code, said = interrupted(
        binary, tmp_path, tmp_path / "home", "copy", stock, *BOTH, "--target-table", table, *mode,
        "--concurrency", 1, *(("--backup", "./before", "--yes") if mode else ()),
        when=lambda: proxy.record.operations["BatchWriteItem"] >= 5,
    )  # fmt: skip
    assert code == 130, said
    assert "interrupted; " in said and table in said
    # What was in flight has ended: nothing is written any more.
    counted = len(tables.read_all(target.client, table))
    assert 0 < counted < len(ITEMS)
    proxy.set_rules([])
    again = hinted(said)
    assert again[-3:] == ["--backup", "none", "--yes"]
    dynarc(*again)
    assert found(target, table, ITEMS) == []


def test_a_copy_that_fails_half_way_says_so(copy, stock, target, table, proxy_to):
    refuse = [{"kind": "expired_token", "operation": "BatchWriteItem", "skip": 2}]
    proxy = proxy_to(target, refuse)
    said = copy(stock, "--target-table", table, "--concurrency", 1, target=target.through(proxy), exit=4).stderr
    assert "ExpiredToken" in said and "stopped; " in said and "--merge" in said


def test_both_sides_have_a_budget(copy, source, target, table, proxy_to):
    tables.create(source.client, table)
    tables.put_all(source.client, table, keyed([{"v": {"S": "x" * 1_900}} for _ in range(300)]))
    reads, writes = proxy_to(source), proxy_to(target)
    read, written = reads.set_capacity(Capacity()), writes.set_capacity(Capacity())
    report = copy(
        table, "--read-units", 20, "--write-units", 200, "--json",
        source=source.through(reads), target=target.through(writes),
    ).json  # fmt: skip
    assert report["consumedWriteUnits"] == sum(use.units for use in written.uses if use.operation == "BatchWriteItem") == 600
    assert report["consumedReadUnits"] == sum(use.units for use in read.uses) > 60
    for uses, units, budget in ((read.uses, report["consumedReadUnits"], 20), (written.uses, 600, 200)):
        assert uses[-1].time - uses[0].time >= 0.7 * units / budget
    assert tables.compare_tables(source.client, table, target.client, table) == []


def test_nothing_there_is_nothing_copied(copy, dynarc, target, table):
    said = copy(table, exit=3).stderr
    assert f'no table "{table}"' in said


def status(target: Side, proxy_to: Callable[..., FaultProxy], told: str) -> Side:
    """The target, whose tables are always in another state than ACTIVE."""
    rule = {
        "kind": "rewrite", "operation": "DescribeTable", "old": r'"TableStatus":\s*"ACTIVE"',
        "new": f'"TableStatus":"{told}"',
    }  # fmt: skip
    return target.through(proxy_to(target, [rule]))


def test_a_table_that_gets_an_index_is_written_to(copy, stock, target, table, proxy_to):
    occupy(target, table)
    copy(stock, "--target-table", table, "--replace", *PLAINLY, target=status(target, proxy_to, "UPDATING"))
    assert found(target, table, ITEMS) == []


def test_a_table_that_is_never_there_is_not_waited_for_without_end(copy, stock, target, table, proxy_to):
    mine = occupy(target, table)
    done = copy(
        stock, "--target-table", table, "--replace", *PLAINLY, "--give-up-after", "2s",
        target=status(target, proxy_to, "CREATING"), exit=3,
    )  # fmt: skip
    assert "is still CREATING after 2 s" in done.stderr
    assert found(target, table, mine) == []


def test_a_table_that_may_not_be_created_is_not_said_to_be_there(copy, stock, target, table, proxy_to):
    rule = {"kind": "refuse", "operation": "CreateTable", "code": "AccessDeniedException"}
    done = copy(stock, "--target-table", table, target=target.through(proxy_to(target, [rule])), exit=3)
    assert "AccessDenied" in done.stderr and "may have been created" not in done.stderr


@pytest.mark.parametrize("mode", ["--replace", "--truncate-first"])
def test_an_empty_source_is_told_before_it_empties_the_target(copy, source, target, table, mode):
    tables.create(source.client, table)
    mine = occupy(target, table)
    said = copy(table, mode, "--backup", "none", exit=2).stderr
    assert "holds no item, and this would delete" in said
    assert found(target, table, mine) == []
    said = copy(table, mode, *PLAINLY).stderr
    assert "holds no item" in said
    assert tables.read_all(target.client, table) == []
