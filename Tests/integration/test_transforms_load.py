"""`load --set --remove --hash`: what becomes of items, and what is refused with nothing written."""

from __future__ import annotations

import json
import signal
import threading
import time

import pytest

import archives
import servers
import tables
from copies import at_terminal, hinted
from items import keyed
from persons import RULES, check_reference, persons
from program import Side, run_dynarc_until
from transforms import KEY, changed, hashed, key_check, options

ITEMS = persons(400, seed=5)
KEYS = ["pk", "sk"]
BY_ENVIRONMENT = {"DYNARC_HASH_KEY": KEY.decode()}
OTHER_KEY = {"DYNARC_HASH_KEY": "another key of 16 bytes or more"}
HASH = ("--hash", "email")
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def stock(source: Side) -> str:
    check_reference(ITEMS)
    name = "TransformsLoad"
    tables.create(source.client, name)
    tables.put_all(source.client, name, ITEMS)
    return name


@pytest.fixture
def archive(dynarc, source, stock):
    dynarc("dump", stock, "./archive", "--segments", 2, at=source)
    return "./archive"


def exists(side: Side, table: str) -> bool:
    try:
        side.client.describe_table(TableName=table)
    except side.client.exceptions.ResourceNotFoundException:
        return False
    return True


def found(side: Side, table: str, expected: list[dict], keys: list[str] = KEYS) -> list[str]:
    return tables.differences(expected, tables.read_all(side.client, table), keys)


def state_files(tmp_path) -> list[str]:
    return [path.name for path in tmp_path.iterdir() if "load-state" in path.name]


# MARK: What becomes of items


@pytest.mark.parametrize("server", ["ministack", "moto"])
def test_every_type_at_every_depth(dynarc, request, archive, table, server):
    side = Side(request.getfixturevalue(server).endpoint, servers.ACCOUNT_B)
    expected = [changed(item, RULES) for item in ITEMS]
    assert tables.differences(ITEMS, expected, KEYS) != []
    report = dynarc("load", archive, table, *options(RULES), "--json", at=side, env=BY_ENVIRONMENT).json
    assert found(side, table, expected) == []
    assert (report["written"], report["rejected"]) == (len(ITEMS), 0)
    assert report["hashKeyCheck"] == key_check()
    assert [one["operation"] for one in report["transforms"]] == sorted(
        (rule[0] for rule in RULES), key=["set", "remove", "hash"].index
    )
    assert {"operation": "set", "path": "address.zip", "value": {"N": "0"}} in report["transforms"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule[0]} {rule[1]}")
def test_each_rule_alone(dynarc, tmp_path, source, target, table, rule):
    few = ITEMS[:40]
    tables.create(source.client, table)
    tables.put_all(source.client, table, few)
    dynarc("dump", table, "./archive", at=source)
    dynarc("load", "./archive", *options([rule]), at=target, env=BY_ENVIRONMENT)
    assert found(target, table, [changed(item, [rule]) for item in few]) == []


def test_says_what_was_changed(dynarc, archive, target, table):
    done = dynarc("load", archive, table, "--remove", "vip", "--set", "name=null", at=target)
    assert "changed on the way: set name, remove vip" in done.stderr


def test_a_keyed_hash_joins_across_tables_and_commands(dynarc, tmp_path, source, target, table):
    """People have an address, their orders a set of addresses and one in a list."""
    people = [{"pk": {"S": f"p{n}"}, "email": {"S": f"{n}@example.com"}} for n in range(30)]
    orders = [
        {"pk": {"S": f"o{n}"}, "to": {"SS": [f"{n % 30}@example.com", "x"]}, "by": {"L": [{"S": f"{n * 7 % 30}@example.com"}]}}
        for n in range(90)
    ]
    for name, items in (("people", people), ("orders", orders)):
        tables.create(source.client, f"{table}-{name}", sort=None)
        tables.put_all(source.client, f"{table}-{name}", items)
        dynarc("dump", f"{table}-{name}", f"./{name}", at=source)
    (tmp_path / "key").write_bytes(KEY + b"\n")
    dynarc("load", "./people", *HASH, at=target, env=BY_ENVIRONMENT)
    dynarc("load", "./orders", "--hash", "to", "--hash", "by[0]", "--hash-key-file", "key", at=target, env=OTHER_KEY)

    def joins(side: Side) -> set[tuple]:
        emails = {item["email"]["S"]: item["pk"]["S"] for item in tables.read_all(side.client, f"{table}-people")}
        assert len(emails) == 30
        return {
            (item["pk"]["S"], emails[email])
            for item in tables.read_all(side.client, f"{table}-orders")
            for email in [*item["to"]["SS"], item["by"]["L"][0]["S"]]
            if email in emails
        }

    before = joins(source)
    assert len(before) > 90 and joins(target) == before
    shown = str([tables.read_all(target.client, f"{table}-{name}") for name in ("people", "orders")])
    assert "@example.com" not in shown
    # With another key nothing joins.
    target.client.delete_table(TableName=f"{table}-people")
    dynarc("load", "./people", *HASH, at=target, env=OTHER_KEY)
    assert joins(target) == set()


def test_rejected_items_are_set_aside_as_they_were_to_be_written(dynarc, tmp_path, source, target, table):
    tables.create(source.client, table)
    tables.put_all(source.client, table, ITEMS[:30])
    source.client.put_item(TableName=table, Item={"pk": {"S": "x"}, "sk": {"S": "x"}, "ix": {"N": "1"}, "email": {"S": "private"}})
    dynarc("dump", table, "./archive", at=source)
    index = {"IndexName": "by-ix", "KeySchema": tables.key_schema(("ix", "HASH")), "Projection": {"ProjectionType": "ALL"}}
    tables.create(target.client, table, attributes=["ix:S"], GlobalSecondaryIndexes=[index])
    dynarc("load", "./archive", *HASH, at=target, env=BY_ENVIRONMENT, exit=4)
    kept = (tmp_path / "rejects.ndjson").read_text()
    assert "private" not in kept and hashed({"S": "private"})["S"] in kept


def test_changes_are_loaded_as_the_rules_make_them(dynarc, source, target, table):
    """Of a chain only what lasts is changed, and only that has to fit the rules."""
    tables.create(source.client, table)
    tables.put_all(source.client, table, ITEMS[:100])
    wrong = dict(ITEMS[0], email={"M": {}})
    source.client.put_item(TableName=table, Item=wrong)
    dynarc("dump", table, "./sunday", at=source)
    refused = dynarc("load", "./sunday", *HASH, at=target, env=BY_ENVIRONMENT, exit=3)
    assert "email is a map" in refused.stderr and not exists(target, table)
    now = [dict(ITEMS[0], email={"S": "mended"}), *[dict(item, extra={"S": "1"}) for item in ITEMS[1:20]], *ITEMS[30:120]]
    tables.put_all(source.client, table, now)
    for item in ITEMS[20:30]:
        source.client.delete_item(TableName=table, Key={name: item[name] for name in KEYS})
    dynarc("dump", table, "./monday", "--base", "./sunday", at=source)
    dynarc(
        "load", "./sunday", "--changes", "./monday", *options(RULES), "--verify", at=target, env=BY_ENVIRONMENT
    )
    assert found(target, table, [changed(item, RULES) for item in now]) == []


# MARK: Keys


def test_rekey_of_a_partition_key(dynarc, archive, stock, target, table, proxy_to):
    proxy = proxy_to(target)
    refused = dynarc("load", archive, table, "--hash", "pk", at=target.through(proxy), env=BY_ENVIRONMENT, exit=2)
    assert "pk is a key attribute" in refused.stderr and "--rekey" in refused.stderr
    assert sum(proxy.record.operations.values()) == 0
    report = dynarc(
        "load", archive, table, "--hash", "pk", "--rekey", "--verify", "--json", at=target, env=BY_ENVIRONMENT
    ).json
    assert report["written"] == len(ITEMS) and report["verified"]["same"]
    assert found(target, table, [dict(item, pk=hashed(item["pk"])) for item in ITEMS]) == []


@pytest.mark.parametrize("partition, sort", [("pk:N", "sk:B"), ("pk:B", "sk:N"), ("p.k:S", "s k:S")])
def test_rekey_of_each_type(dynarc, source, target, table, partition, sort):
    values = {"S": lambda n: f"é{n}", "N": lambda n: f"{n - 5}.5", "B": lambda n: bytes([n, 0xFF])}
    names = {one[:-2]: one[-1] for one in (partition, sort)}
    items = [{name: {kind: values[kind](n)} for name, kind in names.items()} for n in range(20)]
    tables.create(source.client, table, partition, sort)
    tables.put_all(source.client, table, items)
    dynarc("dump", table, "./archive", at=source)
    rules = [("hash", (name,)) for name in names]
    dynarc("load", "./archive", *options(rules), "--rekey", "--verify", at=target, env=BY_ENVIRONMENT)
    assert found(target, table, [changed(item, rules) for item in items], [*names]) == []


def test_keys_that_fall_together_are_found_before_anything_is_done(dynarc, tmp_path, archive, target, table):
    """Five sort keys are in each partition, so that one partition for all has them many times."""
    rules = ("--set", 'pk="one"', "--rekey")
    for more in ((), ("--dry-run",)):
        done = dynarc("load", archive, table, *rules, *more, at=target, exit=3)
        assert "would get the key" in done.stderr and '{"pk":{"S":"one"},"sk":{"S":"s' in done.stderr
        assert not exists(target, table)
    # Nor is what is there deleted first.
    tables.create(target.client, table)
    mine = keyed([{"mine": {"BOOL": True}}])
    tables.put_all(target.client, table, mine)
    for mode in ("--truncate", "--merge"):
        assert "would get the key" in dynarc("load", archive, table, mode, "--yes", *rules, at=target, exit=3).stderr
        assert found(target, table, mine) == []
    assert state_files(tmp_path) == []


def test_a_key_that_is_set_where_the_rest_keeps_items_apart(dynarc, source, target, table):
    items = [{"pk": {"S": f"p{n % 3}"}, "sk": {"S": f"s{n}"}, "n": {"N": str(n)}} for n in range(60)]
    tables.create(source.client, table)
    tables.put_all(source.client, table, items)
    dynarc("dump", table, "./archive", at=source)
    dynarc("load", "./archive", "--set", 'pk="one"', "--rekey", "--verify", at=target)
    assert found(target, table, [dict(item, pk={"S": "one"}) for item in items]) == []


def test_keys_of_indexes(dynarc, source, target, table):
    index = {"IndexName": "by-ix", "KeySchema": tables.key_schema(("ix", "HASH")), "Projection": {"ProjectionType": "ALL"}}
    tables.create(source.client, table, attributes=["ix:N"], GlobalSecondaryIndexes=[index])
    tables.put_all(source.client, table, [dict(item, ix={"N": "7"}) for item in ITEMS[:30]])
    dynarc("dump", table, "./archive", at=source)
    for rules, words in (
        (("--set", "ix=1"), "key attribute of index by-ix"),
        (("--set", 'ix="1"', "--rekey"), "of type N"),
        (("--set", "pk=1", "--rekey"), "of type S"),
        (("--remove", "pk", "--rekey"), "cannot be removed"),
        (("--set", 'pk=""', "--rekey"), "0 bytes"),
        (("--set", 'pk="a"', "--set", 'sk="a"', "--rekey"), "the same key"),
    ):
        said = dynarc("load", "./archive", *rules, at=target, exit=2).stderr
        assert words in said and "dynarc: hint: " in said
        assert not exists(target, table)
    # A target that is there has indexes of its own.
    tables.create(target.client, table, attributes=["email:S"], GlobalSecondaryIndexes=[
        index | {"IndexName": "by-email", "KeySchema": tables.key_schema(("email", "HASH"))}
    ])
    said = dynarc("load", "./archive", "--set", "email=1", at=target, exit=2).stderr
    assert "index by-email" in said
    assert found(target, table, []) == []
    dynarc("load", "./archive", "--set", 'email="x"', "--set", "ix=3", "--rekey", "--verify", at=target)
    assert found(target, table, [dict(item, email={"S": "x"}, ix={"N": "3"}) for item in ITEMS[:30]]) == []


# MARK: What does not fit


def test_an_item_of_another_type_in_the_last_chunk(dynarc, tmp_path, source, target, table):
    # A chunk ends with a page, and a page has 1 MB.
    tables.create(source.client, table)
    tables.put_all(source.client, table, [dict(item, filler={"S": "x" * 80_000}) for item in ITEMS[:60]])
    dump = ("--segments", 1, "--chunk-size", "64KiB")
    dynarc("dump", table, "./first", *dump, at=source)
    last = archives.read_archive(tmp_path / "first")[-1]
    source.client.put_item(TableName=table, Item=dict(last, email={"L": [{"S": "private"}]}))
    dynarc("dump", table, "./archive", *dump, at=source)
    chunks = archives.chunk_files(tmp_path / "archive")
    assert len(chunks) >= 3 and b'"private"' in archives.decompress(chunks[-1])

    def refused(*more: str) -> None:
        said = dynarc("load", "./archive", *HASH, *more, at=target, env=BY_ENVIRONMENT, exit=3).stderr
        assert "cannot hash email" in said and "email is a list (L)" in said
        key = json.dumps({name: last[name] for name in KEYS}, separators=(",", ":"))
        assert key in said and "dynarc: hint: " in said and "private" not in said
        assert state_files(tmp_path) == []

    refused()
    refused("--dry-run")
    assert not exists(target, table)
    tables.create(target.client, table)
    mine = keyed([{"mine": {"BOOL": True}}])
    tables.put_all(target.client, table, mine)
    refused("--truncate", "--yes")
    refused("--merge", "--yes")
    assert found(target, table, mine) == []
    # A parent of another type may hold what was to be changed.
    said = dynarc("load", "./archive", f"{table}-2", "--remove", "email[0].x", at=target, exit=3).stderr
    assert "cannot remove email[0].x" in said and not exists(target, f"{table}-2")


@pytest.mark.parametrize(
    "rules, words",
    [
        (("--set", "name"), "no = behind the attribute"),
        (("--set", "name=Jane"), "not JSON"),
        (("--set", "name="), "is empty"),
        (("--set", "=1"), "no path"),
        (("--set", "a..b=1"), "no path"),
        (("--remove", "a[x]"), "no path"),
        (("--remove", ""), "no path"),
        (("--hash", "a,b"), "no path"),
        (("--set", 'a={"SS":[]}'), "cannot be stored"),
        (("--set", "n=1e200"), "cannot be stored"),
        (("--remove", "a", "--set", "a.b=1"), "two rules"),
        (("--hash", "a", "--hash", "a"), "two rules"),
        (("--rekey",), "--rekey"),
        (("--hash-key-file", "key", "--remove", "a"), "--hash-key-file"),
        (("--hash", "a", "--hash-key-file", "no such file"), "no such file"),
        (("--hash", "a", "--hash-key-file", "."), "cannot be read"),
        (("--hash", "a", "--hash-key-file", "short"), "15 bytes"),
        (("--remove", "a", "--schema-only"), "--schema-only"),
    ],
)
def test_what_cannot_be_read_is_refused_before_any_request(dynarc, tmp_path, archive, rules, words):
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "short").write_bytes(b"15 bytes of key\n")
    # Nobody listens there: whoever asks gets another error.
    done = dynarc("load", archive, "T", *rules, at=Side(NOWHERE, servers.ACCOUNT_B), exit=2)
    assert words in done.stderr and done.stderr.startswith("dynarc: error: ") and "dynarc: hint: " in done.stderr
    assert state_files(tmp_path) == []


@pytest.mark.parametrize("env", [{}, {"DYNARC_HASH_KEY": ""}, {"DYNARC_HASH_KEY": "fifteen letters"}])
def test_a_hash_needs_a_key(dynarc, archive, env):
    done = dynarc("load", archive, "T", *HASH, at=Side(NOWHERE, servers.ACCOUNT_B), exit=2, env=env)
    assert "DYNARC_HASH_KEY" in done.stderr or "15 bytes" in done.stderr
    assert "fifteen" not in done.stderr


def test_a_line_break_behind_the_key_is_none_of_it(dynarc, tmp_path, archive, target, table):
    for number, end in enumerate((b"", b"\n", b"\r\n")):
        (tmp_path / "key").write_bytes(KEY + end)
        name = f"{table}-{number}"
        report = dynarc("load", archive, name, *HASH, "--hash-key-file", "key", "--json", at=target).json
        assert report["hashKeyCheck"] == key_check()
    (tmp_path / "key").write_bytes(KEY + b"\n\n")
    report = dynarc("load", archive, f"{table}-3", *HASH, "--hash-key-file", "key", "--json", at=target).json
    assert report["hashKeyCheck"] == key_check(KEY + b"\n") != key_check()


# MARK: Before, after and in between


def test_a_dry_run_tells_the_rules(dynarc, archive, target, table):
    rules = ("--remove", "vip", *HASH)
    told = dynarc("load", archive, table, *rules, "--dry-run", at=target, env=BY_ENVIRONMENT).stderr
    assert "would change each: remove vip, hash email" in told
    report = dynarc("load", archive, table, *rules, "--dry-run", "--json", at=target, env=BY_ENVIRONMENT).json
    assert report["transforms"] == [{"operation": "remove", "path": "vip"}, {"operation": "hash", "path": "email"}]
    assert report["hashKeyCheck"] == key_check() and not exists(target, table)


def test_whole_items_are_not_replaced_by_changed_ones_unasked(dynarc, binary, tmp_path, archive, target, table):
    tables.create(target.client, table)
    mine = [dict(ITEMS[0], mine={"BOOL": True}), {"pk": {"S": "mine"}, "sk": {"S": "mine"}}]
    tables.put_all(target.client, table, mine)
    rules = ("--remove", "vip")
    refused = dynarc("load", archive, table, "--merge", *rules, at=target, exit=2)
    assert "replace items" in refused.stderr and "--yes" in refused.stderr
    code, shown = at_terminal(
        binary, tmp_path, tmp_path / "home", "load", archive, table, "--merge", *rules,
        prompt="by items that were changed: remove vip?", answer="n", at=target,
    )  # fmt: skip
    assert (code, "nothing was changed" in shown) == (3, True)
    assert found(target, table, mine) == []
    dynarc("load", archive, table, "--merge", *rules, "--yes", at=target)
    assert found(target, table, [*(changed(item, [("remove", ("vip",))]) for item in ITEMS), mine[1]]) == []
    # Without rules nobody is asked, as ever.
    dynarc("load", archive, table, "--merge", at=target)


def test_nor_by_those_that_a_dump_has_changed(dynarc, source, stock, target, table):
    dynarc("dump", stock, "./changed", "--remove", "vip", at=source)
    dynarc("load", "./changed", table, at=target)
    mine = tables.read_all(target.client, table)
    refused = dynarc("load", "./changed", table, "--merge", "--set", 'name="x"', at=target, exit=2)
    assert "replace items" in refused.stderr
    refused = dynarc("load", "./changed", table, "--merge", at=target, exit=2)
    assert "replace items" in refused.stderr and found(target, table, mine) == []
    dynarc("load", "./changed", table, "--merge", "--yes", at=target)
    # Both kinds of rules add up.
    dynarc("load", "./changed", table, "--merge", "--yes", "--set", 'name="x"', "--verify", at=target)
    expected = [changed(item, [("remove", ("vip",)), ("set", ("name",), {"S": "x"})]) for item in ITEMS]
    assert found(target, table, expected) == []


def test_a_killed_load_goes_on_with_the_same_rules_only(dynarc, binary, tmp_path, archive, target, table, proxy_to):
    proxy = proxy_to(target, [{"kind": "stall", "operation": "BatchWriteItem", "rate": 1, "seconds": 0.3}])
    slow = target.through(proxy)
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "other").write_bytes(b"another hash key of the tests")
    rules = [*options(RULES), "--hash-key-file", "key"]
    code = run_dynarc_until(
        binary, tmp_path, tmp_path / "home", 2.5, signal.SIGKILL, "load", archive, table, *rules,
        "--concurrency", 1, at=slow,
    )  # fmt: skip
    assert code == -signal.SIGKILL and state_files(tmp_path) != []
    written = len(tables.read_all(target.client, table))
    assert 0 < written < len(ITEMS)

    def refused(*more: str) -> str:
        said = dynarc("load", archive, table, "--resume", *more, at=target, exit=3).stderr
        assert len(tables.read_all(target.client, table)) == written
        return said

    assert "other rules: set name, " in refused() and "not none" in refused()
    assert "other rules" in refused(*options(RULES[:-1]), "--hash-key-file", "key")
    changed_value = [*RULES[:-1], ("set", ("nowhere", "x"), {"S": "another value"})]
    assert "other rules" in refused(*options(changed_value), "--hash-key-file", "key")
    assert "another hash key" in refused(*options(RULES), "--hash-key-file", "other")
    report = dynarc("load", archive, table, "--resume", *rules, "--verify", "--json", at=target).json
    assert report["written"] == len(ITEMS) and report["verified"]["same"]
    assert found(target, table, [changed(item, RULES) for item in ITEMS]) == []
    assert state_files(tmp_path) == []


def test_a_load_without_rules_does_not_go_on_with_some(dynarc, binary, tmp_path, archive, target, table, proxy_to):
    proxy = proxy_to(target, [{"kind": "stall", "operation": "BatchWriteItem", "rate": 1, "seconds": 0.3}])
    run_dynarc_until(
        binary, tmp_path, tmp_path / "home", 2.5, signal.SIGINT, "load", archive, table, "--concurrency", 1,
        at=target.through(proxy),
    )  # fmt: skip
    assert state_files(tmp_path) != []
    said = dynarc("load", archive, table, "--resume", "--remove", "vip", at=target, exit=3).stderr
    assert "other rules: none, not remove vip" in said and "leave --set" in said
    dynarc("load", archive, table, "--resume", at=target)
    assert found(target, table, ITEMS) == []


def test_the_way_on_names_the_rules(dynarc, archive, target, table, proxy_to):
    """The hint of a load that was stopped is a command that works."""
    proxy = proxy_to(target, [{"kind": "refuse", "operation": "BatchWriteItem", "code": "ResourceNotFound", "skip": 3}])
    rules = ("--set", "name=\"it's\"", *HASH)
    done = dynarc(
        "load", archive, table, *rules, "--concurrency", 1, at=target.through(proxy), env=BY_ENVIRONMENT, exit=None
    )
    assert done.code in (3, 4) and "go on with: " in done.stderr
    said = done.stderr[done.stderr.index("dynarc: hint: go on with") :]
    dynarc(*hinted(said), at=target, env=BY_ENVIRONMENT)
    expected = [changed(item, [("set", ("name",), {"S": "it's"}), ("hash", ("email",))]) for item in ITEMS]
    assert found(target, table, expected) == []


def test_verify_finds_what_the_server_only_claims(dynarc, archive, target, table, proxy_to):
    rule = {"kind": "lost_writes", "rate": 0.5, "seed": 3}
    rules = [*options(RULES), "--verify", "--json"]
    done = dynarc("load", archive, table, *rules, at=target.through(proxy_to(target, [rule])), env=BY_ENVIRONMENT, exit=1)
    verified = done.json["verified"]
    lost = len(ITEMS) - len(tables.read_all(target.client, table))
    assert lost > 20 and (verified["missing"], verified["different"]) == (lost, 0)


def test_verify_finds_an_item_that_is_not_as_the_rules_make_it(dynarc, archive, target, table, proxy_to):
    """Each batch is written at once, and load is told so two seconds later: time enough to undo a rule."""
    proxy = proxy_to(target, [{"kind": "stall", "operation": "BatchWriteItem", "seconds": 2}])
    tables.create(target.client, table)

    def meddle() -> None:
        while len(tables.read_all(target.client, table)) < len(ITEMS):
            time.sleep(0.05)
        target.client.put_item(TableName=table, Item=ITEMS[3])

    thread = threading.Thread(target=meddle)
    thread.start()
    done = dynarc(
        "load", archive, table, *options(RULES), "--verify", "--json", "--concurrency", 32, at=target.through(proxy),
        env=BY_ENVIRONMENT, exit=1,
    )  # fmt: skip
    thread.join()
    assert changed(ITEMS[3], RULES) != ITEMS[3]
    verified = done.json["verified"]
    assert (verified["missing"], verified["different"], verified["others"]) == (0, 1, 0)
