"""`copy --set --remove --hash`: what becomes of items between two tables, and what is refused."""

from __future__ import annotations

import json
import re
from typing import Callable

import pytest

import servers
import tables
from copies import copier
from items import keyed
from persons import RULES, check_reference, persons
from program import Result, Side
from transforms import KEY, changed, hashed, key_check, options

ITEMS = persons(400, seed=8)
KEYS = ["pk", "sk"]
PLAINLY = ("--backup", "none", "--yes")
WRITES = {"BatchWriteItem", "PutItem", "CreateTable", "CreateBackup"}
BY_ENVIRONMENT = {"DYNARC_HASH_KEY": KEY.decode()}
BY_STATUS = {
    "IndexName": "by-status",
    "KeySchema": tables.key_schema(("status", "HASH")),
    "Projection": {"ProjectionType": "KEYS_ONLY"},
}


@pytest.fixture(scope="module")
def stock(source: Side) -> str:
    check_reference(ITEMS)
    name = "TransformsCopy"
    tables.create(source.client, name)
    tables.put_all(source.client, name, ITEMS)
    return name


@pytest.fixture
def copy(dynarc, tmp_path, source, target) -> Callable[..., Result]:
    return copier(dynarc, tmp_path / "home", source, target, env=BY_ENVIRONMENT)


def found(side: Side, table: str, expected: list[dict], keys: list[str] = KEYS) -> list[str]:
    return tables.differences(expected, tables.read_all(side.client, table), keys)


def made(items: list[dict], *rules: tuple) -> list[dict]:
    return [changed(item, list(rules) or RULES) for item in items]


# MARK: What becomes of items


def test_every_type_at_every_depth(copy, stock, target, table):
    report = copy(stock, "--target-table", table, "--segments", 4, *options(RULES), "--json").json
    assert (report["read"], report["written"], report["rejected"]) == (len(ITEMS), len(ITEMS), 0)
    assert found(target, table, made(ITEMS)) == []
    assert report["hashKeyCheck"] == key_check() and len(report["transforms"]) == len(RULES)
    assert tables.differences(ITEMS, made(ITEMS), KEYS) != []


def test_says_what_is_changed(copy, stock, table):
    rules = ("--remove", "vip", "--hash", "email")
    told = copy(stock, "--target-table", table, *rules, "--dry-run").stderr
    assert "would change each: remove vip, hash email" in told
    report = copy(stock, "--target-table", table, *rules, "--dry-run", "--json").json
    assert report["transforms"] == [{"operation": "remove", "path": "vip"}, {"operation": "hash", "path": "email"}]
    assert "changed on the way: remove vip, hash email" in copy(stock, "--target-table", table, *rules).stderr
    # Without rules it says so, too.
    plain = copy(stock, "--target-table", f"{table}-2", "--json").json
    assert (plain["transforms"], plain["hashKeyCheck"]) == ([], None)


def test_two_copies_join(copy, source, target, table):
    people = [{"pk": {"S": f"p{n}"}, "email": {"S": f"{n}@example.com"}} for n in range(25)]
    orders = [{"pk": {"S": f"o{n}"}, "who": {"M": {"mail": {"S": f"{n % 25}@example.com"}}}} for n in range(75)]
    for name, items, rule in (("people", people, "email"), ("orders", orders, "who.mail")):
        tables.create(source.client, f"{table}-{name}", sort=None)
        tables.put_all(source.client, f"{table}-{name}", items)
        copy(f"{table}-{name}", "--hash", rule)
    emails = {item["email"]["S"]: item["pk"]["S"] for item in tables.read_all(target.client, f"{table}-people")}
    joined = [
        (item["pk"]["S"], emails[item["who"]["M"]["mail"]["S"]])
        for item in tables.read_all(target.client, f"{table}-orders")
    ]
    assert sorted(joined) == sorted((f"o{n}", f"p{n % 25}") for n in range(75))
    assert not any("@" in email for email in emails)


def test_items_that_are_read_whole_for_an_index(copy, source, target, table):
    """The index holds keys only: its pages are left as they are, and the items are changed."""
    items = [dict(item, status={"S": "open" if n % 3 else "done"}) for n, item in enumerate(ITEMS)]
    tables.create(source.client, table, attributes=["status:S"], GlobalSecondaryIndexes=[BY_STATUS])
    tables.put_all(source.client, table, items)
    wanted = [item for item in items if item["status"] == {"S": "open"}]
    report = copy(table, "--index", "by-status", "--pk", "open", *options(RULES), "--json").json
    assert (report["read"], report["written"]) == (len(wanted), len(wanted))
    assert found(target, table, made(wanted)) == []
    # Once more, and what only the target has of the slice goes.
    target.client.put_item(TableName=table, Item={"pk": {"S": "x"}, "sk": {"S": "x"}, "status": {"S": "open"}})
    report = copy(table, "--index", "by-status", "--pk", "open", "--replace", *PLAINLY, *options(RULES), "--json").json
    assert report["deleted"] == 1 and found(target, table, made(wanted)) == []


def test_replace_ends_equal_to_what_the_rules_make(copy, stock, target, table):
    tables.create(target.client, table)
    mine = [dict(ITEMS[0], mine={"BOOL": True}), {"pk": {"S": "mine"}, "sk": {"S": "mine"}}]
    tables.put_all(target.client, table, mine)
    report = copy(stock, "--target-table", table, "--replace", *PLAINLY, *options(RULES), "--json").json
    assert (report["deleted"], report["caughtUp"]) == (1, 0)
    assert found(target, table, made(ITEMS)) == []


def test_what_is_found_late_is_changed_too(copy, source, target, table):
    """An item outside of the slice that the target has within it is put anew, by the rules."""
    rule = ("remove", ("vip",))
    items = [dict(item, keep={"BOOL": n > 0}) for n, item in enumerate(ITEMS[:50])]
    tables.create(source.client, table)
    tables.put_all(source.client, table, items)
    copy(table, *options([rule]))
    target.client.put_item(TableName=table, Item=dict(items[0], keep={"BOOL": True}, vip={"BOOL": True}))
    filtered = ("--filter", "keep = :t", "--values", '{":t":{"BOOL":true}}')
    report = copy(table, *filtered, "--replace", *PLAINLY, *options([rule]), "--json").json
    assert report["caughtUp"] == 1 and found(target, table, made(items, rule)) == []


def test_rejected_items_are_set_aside_as_they_were_to_be_written(copy, tmp_path, moto, target, table):
    """moto takes numbers of 39 digits, and ministack does not."""
    lax = Side(moto.endpoint, servers.ACCOUNT_A)
    tables.create(lax.client, table)
    bad = {"pk": {"S": "bad"}, "sk": {"S": "-"}, "v": {"N": "9" * 39}, "email": {"S": "private"}}
    tables.put_all(lax.client, table, [*ITEMS[:30], bad])
    copy(table, "--hash", "email", source=lax, exit=4)
    kept = (tmp_path / "rejects.ndjson").read_text()
    assert "private" not in kept and hashed({"S": "private"})["S"] in kept


# MARK: Keys


def test_rekey_of_a_partition_key(copy, stock, target, table, proxy_to):
    rules = ("--hash", "pk")
    proxy = proxy_to(target)
    said = copy(stock, "--target-table", table, *rules, target=target.through(proxy), exit=2).stderr
    assert "pk is a key attribute" in said and "--rekey" in said
    assert not set(proxy.record.operations) & WRITES
    report = copy(stock, "--target-table", table, *rules, "--rekey", "--json").json
    assert report["written"] == len(ITEMS)
    assert found(target, table, [dict(item, pk=hashed(item["pk"])) for item in ITEMS]) == []
    # The whole of the target can be deleted first, whatever its keys are.
    copy(stock, "--target-table", table, "--hash", "sk", "--rekey", "--truncate-first", *PLAINLY)
    assert found(target, table, [dict(item, sk=hashed(item["sk"])) for item in ITEMS]) == []


@pytest.mark.parametrize(
    "arguments, words",
    [
        (("--replace", "--rekey", "--hash", "pk"), "--replace could not look up"),
        (("--truncate-first", "--pk", "p1", "--rekey", "--hash", "pk"), "--truncate-first could not tell"),
        (("--set", 'pk="x"', "--rekey"), "two items could get one key"),
        (("--set", 'pk="x"'), "key attribute"),
        (("--remove", "sk", "--rekey"), "cannot be removed"),
        (("--set", "email=Jane"), "not JSON"),
        (("--replace", "--filter", "email = :x", "--values", '{":x":{"S":"x"}}', "--hash", "email"), "the filter"),
        (
            ("--truncate-first", "--filter", "attribute_exists(#a.zip)", "--names", '{"#a":"address"}', "--remove", "address.zip"),
            "the filter",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(copy, stock, target, table, proxy_to, arguments, words):
    tables.create(target.client, table)
    mine = keyed([{"mine": {"BOOL": True}}])
    tables.put_all(target.client, table, mine)
    proxy = proxy_to(target)
    mode = () if {"--replace", "--truncate-first"} & set(arguments) else ("--merge",)
    said = copy(
        stock, "--target-table", table, *arguments, *mode, *PLAINLY, target=target.through(proxy), exit=2
    ).stderr
    assert words in said and "dynarc: hint: " in said
    assert not set(proxy.record.operations) & WRITES
    assert found(target, table, mine) == []


def test_a_filter_by_what_stays_is_fine(copy, stock, target, table):
    tables.create(target.client, table)
    tables.put_all(target.client, table, [{"pk": {"S": "mine"}, "sk": {"S": "mine"}, "name": {"S": "Ann"}}])
    filtered = ("--filter", "#n = :x", "--names", '{"#n":"name"}', "--values", '{":x":{"S":"Ann"}}')
    report = copy(stock, "--target-table", table, *filtered, "--replace", *PLAINLY, "--remove", "vip", "--json").json
    wanted = [item for item in ITEMS if item.get("name") == {"S": "Ann"}]
    assert report["deleted"] == 1 and len(wanted) > 20
    assert found(target, table, made(wanted, ("remove", ("vip",)))) == []


# MARK: What does not fit


def test_an_item_of_another_type_stops_the_copy(copy, source, target, table, proxy_to):
    tables.create(source.client, table)
    tables.put_all(source.client, table, ITEMS)
    # The last page of a scan has what was there before, and one that does not fit.
    order = tables.read_all(source.client, table)
    source.client.put_item(TableName=table, Item=dict(order[-1], email={"BOOL": True}, name={"S": "private"}))
    proxy = proxy_to(target)
    # At fifty read units a second pages are small, and most of them are written before the last is read.
    done = copy(
        table, "--hash", "email", "--segments", 1, "--read-units", 50, target=target.through(proxy), exit=4
    )
    key = json.dumps({name: order[-1][name] for name in KEYS}, separators=(",", ":"))
    assert key in done.stderr and "email is true or false (BOOL)" in done.stderr and "private" not in done.stderr
    there = tables.read_all(target.client, table)
    told = int(re.search(r"stopped; ([0-9,]+) items are in table", done.stderr)[1].replace(",", ""))
    assert 0 < told <= len(there) < len(ITEMS)
    # What is there is as the rules make it.
    expected = {(item["pk"]["S"], item["sk"]["S"]): changed(item, [("hash", ("email",))]) for item in ITEMS}
    assert tables.differences([expected[one["pk"]["S"], one["sk"]["S"]] for one in there], there, KEYS) == []


def test_an_item_of_another_type_on_the_first_page_leaves_the_target_alone(copy, source, target, table, proxy_to):
    tables.create(source.client, table)
    tables.put_all(source.client, table, [dict(ITEMS[0], email={"M": {}}), *ITEMS[1:20]])
    tables.create(target.client, table)
    proxy = proxy_to(target)
    done = copy(table, "--hash", "email", "--segments", 1, target=target.through(proxy), exit=3)
    assert "email is a map (M)" in done.stderr
    assert proxy.record.operations["BatchWriteItem"] == 0 and found(target, table, []) == []


@pytest.mark.parametrize("mode", ["--merge", "--replace"])
def test_what_a_stopped_copy_has_written_is_told(copy, source, target, table, mode):
    """Whether or not the service had answered before the copy was stopped."""
    tables.create(source.client, table)
    tables.put_all(source.client, table, ITEMS)
    middle = tables.read_all(source.client, table)[len(ITEMS) // 2]
    source.client.put_item(TableName=table, Item=dict(middle, email={"BOOL": True}))
    tables.create(target.client, table)
    before = [{"pk": {"S": "there before"}, "sk": {"S": "x"}}]
    for _ in range(6):
        tables.put_all(target.client, table, before)
        options = ["--hash", "email", mode, "--yes", "--backup", "none"]
        done = copy(table, *options, target=target, exit=None)
        assert "email is true or false" in done.stderr
        there = tables.read_all(target.client, table)
        stopped = re.search(r"stopped; ([0-9,]+) items are in table [^,]*(?:, up to ([0-9,]+) more may be)?", done.stderr)
        assert done.code == (4 if stopped else 3)
        told, more = (int((part or "0").replace(",", "")) for part in stopped.groups()) if stopped else (0, 0)
        assert told <= len(there) - len(before) <= told + more
        if stopped:
            assert "mend the item" in done.stderr
        for item in there:
            target.client.delete_item(TableName=table, Key={name: item[name] for name in KEYS})
