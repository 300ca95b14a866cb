"""`load --verify`: the table is read back and compared with the archive."""

from __future__ import annotations

import threading

import pytest

import servers
import tables
from items import keyed, random_items
from program import Side

ITEMS = keyed(random_items(200, seed=31))


@pytest.fixture
def archive(dynarc, tmp_path, source, table):
    tables.create(source.client, table)
    tables.put_all(source.client, table, ITEMS)
    dynarc("dump", table, "./archive", at=source)
    return tmp_path / "archive"


@pytest.mark.parametrize("server", ["ministack", "moto"])
def test_a_true_copy_is_said_to_be_one(dynarc, request, archive, target, table, server):
    side = Side(request.getfixturevalue(server).endpoint, servers.ACCOUNT_B)
    done = dynarc("load", archive, "--verify", "--json", at=side)
    found = done.json["verified"]
    assert found["same"] and found["items"] == found["found"] == len(ITEMS)
    assert found["missing"] == found["different"] == found["others"] == 0


def test_it_says_so_in_words_and_reads_consistently(dynarc, archive, target, table, proxy_to):
    proxy = proxy_to(target)
    done = dynarc("load", archive, "--verify", at=target.through(proxy))
    assert f"verified: {table} holds all 200 items" in done.stderr
    assert done.stdout == b""


def test_writes_that_the_server_only_claims_are_found(dynarc, archive, target, table, proxy_to):
    """What load itself cannot know: the server answered that all was written."""
    rule = {"kind": "lost_writes", "rate": 0.5, "seed": 3}
    done = dynarc("load", archive, "--verify", "--json", at=target.through(proxy_to(target, [rule])), exit=1)
    lost = len(ITEMS) - len(tables.read_all(target.client, table))
    found = done.json["verified"]
    assert lost > 20 and not found["same"] and found["missing"] == lost
    assert done.stderr.count("missing: ") == 20
    assert f"{lost - 20} more differences are not shown" in done.stderr
    assert f"{lost} items are missing" in done.stderr and "dynarc diff" in done.stderr
    # Without --verify nobody would know.
    dynarc("load", archive, f"{table}-2", at=target.through(proxy_to(target, [rule])))


def test_items_of_others_count_where_the_table_was_empty_before(dynarc, archive, target, table, proxy_to):
    """Somebody writes into the table between the load and the reading back."""
    # Each batch is written at once, and load is told so two seconds later: time enough for others.
    proxy = proxy_to(target, [{"kind": "stall", "operation": "BatchWriteItem", "seconds": 2}])
    changed = dict(ITEMS[0], v={"S": "changed since"})

    def meddle() -> None:
        while len(tables.read_all(target.client, table)) < len(ITEMS):
            pass
        target.client.put_item(TableName=table, Item=changed)
        target.client.put_item(TableName=table, Item=dict(ITEMS[1], sk={"S": "of somebody else"}))

    target.client.create_table(
        TableName=table,
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
        KeySchema=tables.key_schema(("pk", "HASH"), ("sk", "RANGE")),
        BillingMode="PAY_PER_REQUEST",
    )
    thread = threading.Thread(target=meddle)
    thread.start()
    done = dynarc("load", archive, "--verify", "--json", at=target.through(proxy), exit=1)
    thread.join()
    found = done.json["verified"]
    assert (found["missing"], found["different"], found["others"]) == (0, 1, 1)
    assert "differs: " in done.stderr and "not in the archive: " in done.stderr


def test_with_merge_what_was_there_is_no_difference(dynarc, archive, target, table):
    tables.create(target.client, table)
    tables.put_all(target.client, table, [dict(ITEMS[0], sk={"S": "of the target"})])
    done = dynarc("load", archive, "--merge", "--verify", at=target)
    assert "and 1 that the archive lacks" in done.stderr


def test_rejected_items_are_found_missing_and_the_exit_code_is_four(dynarc, tmp_path, source, target, table):
    """The target's index refuses an item that the source took."""
    tables.create(source.client, table)
    tables.put_all(source.client, table, [dict(item, ix={"S": "x"}) for item in ITEMS[:30]])
    source.client.put_item(TableName=table, Item=dict(ITEMS[40], ix={"N": "1"}))
    dynarc("dump", table, "./archive", at=source)
    tables.create(
        target.client, table, attributes=["ix:S"],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "by-ix",
                "KeySchema": tables.key_schema(("ix", "HASH")),
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
    done = dynarc("load", "./archive", "--verify", "--json", at=target, exit=4)
    assert done.json["rejected"] == 1 and done.json["verified"]["missing"] == 1


def test_parts_of_items_and_a_budget_without_verify_are_refused(dynarc, source, table, archive, target):
    dynarc("dump", table, "./parts", "--projection", "pk, sk", at=source)
    done = dynarc("load", "./parts", "--verify", at=target, exit=2)
    assert "only a part of each" in done.stderr
    assert "--verify" in dynarc("load", archive, "--read-units", 5, at=target, exit=2).stderr


def test_settings_that_the_server_takes_and_drops_are_found(dynarc, source, moto, table):
    """moto takes a table's class, and has no place for it."""
    tables.create(source.client, table, TableClass="STANDARD_INFREQUENT_ACCESS", Tags=[{"Key": "a", "Value": "b"}])
    tables.put_all(source.client, table, ITEMS[:10])
    dynarc("dump", table, "./classy", at=source)
    other = Side(moto.endpoint, servers.ACCOUNT_B)
    done = dynarc("load", "./classy", "--verify", "--json", at=other, exit=1)
    (missing,) = done.json["verified"]["settingsMissing"]
    assert "class" in missing and f"{table} does not have what it was given" in done.stderr
    assert not done.json["verified"]["same"] and done.json["verified"]["missing"] == 0
    # A server that keeps it is content.
    kept = dynarc("load", "./classy", f"{table}-2", "--verify", "--json", at=source).json["verified"]
    assert kept["same"] and kept["settingsMissing"] == []
