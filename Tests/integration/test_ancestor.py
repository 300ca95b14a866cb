"""dynarc beside its ancestor, dynamo-cmdline 0.0.1, on the same servers: what docs/from-dynamo-cmdline.md
says of both."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import servers
import tables
from items import Item, canonical_item, from_wire
from program import Side, environment_of

GSI, LSI = "example-index", "by-size"
PROFILES = {"production": servers.ACCOUNT_A, "development": servers.ACCOUNT_B}


@pytest.fixture
def profiles(aws: Path, ministack) -> None:
    """Two environments, as the ancestor's users have them: profiles with keys, region and endpoint."""
    config, keys = "", ""
    for name, account in PROFILES.items():
        config += f"[profile {name}]\nregion = {servers.REGION}\nendpoint_url = {ministack.endpoint}\n"
        keys += f"[{name}]\naws_access_key_id = {account}\naws_secret_access_key = {servers.SECRET}\n"
    (aws / "config").write_text(config)
    (aws / "credentials").write_text(keys)


@pytest.fixture
def ancestor(tmp_path, profiles):
    """Runs the ancestor: `ancestor("query", …)`; `exit` is None for a failure of any kind."""

    def run(*arguments: str, exit: int | None = 0) -> str:
        done = subprocess.run(
            [str(Path(sys.executable).parent / "dynamo"), *arguments], cwd=tmp_path,
            env=environment_of(tmp_path / "home"), capture_output=True, timeout=120,
        )  # fmt: skip
        output = (done.stdout + done.stderr).decode()
        assert done.returncode == exit if exit is not None else done.returncode != 0, output
        return output

    return run


def rows() -> list[Item]:
    """Orders of two customers, whose numbers are of no more digits than Python's floats lose."""
    return [
        {
            "pk": {"S": f"customer#{n % 2}"},
            "sk": {"S": f"order#{n:02}"},
            "phase": {"S": ["open", "paid"][n // 2 % 2]},
            "day": {"S": f"2026-11-{n + 1:02}"},
            "size": {"N": str(n)},
            "exact": {"N": "12345678901234567890123456789012345678"},
            "entity-type": {"S": ["order", "return"][n % 3 == 0]},
        }
        for n in range(60)
    ]


@pytest.fixture
def foo(source: Side, table) -> str:
    create(source, table)
    tables.put_all(source.client, table, rows())
    return table


def create(side: Side, table: str) -> None:
    key = tables.key_schema
    tables.create(
        side.client, table, attributes=["phase:S", "day:S", "size:N"],
        GlobalSecondaryIndexes=[
            {"IndexName": GSI, "KeySchema": key(("phase", "HASH"), ("day", "RANGE")),
             "Projection": {"ProjectionType": "ALL"}}],
        LocalSecondaryIndexes=[
            {"IndexName": LSI, "KeySchema": key(("pk", "HASH"), ("size", "RANGE")),
             "Projection": {"ProjectionType": "ALL"}}],
    )  # fmt: skip


def typed(output: bytes) -> list[Item]:
    return [
        {name: from_wire(value) for name, value in json.loads(line).items()}
        for line in output.decode().split("\n")[:-1]
    ]


QUERIES = [
    ["--pk", "customer#1"],
    ["--pk", "customer#1", "--sk", "order#1"],
    ["--pk", "paid", "--index", GSI],
    ["--pk", "paid", "--index", GSI, "--sk", "2026-11-2"],
]


def twin(options: list[str]) -> list[str]:
    """The ancestor's --sk means the beginning of the sort key."""
    return ["--sk-begins-with" if option == "--sk" else option for option in options]


@pytest.mark.parametrize("options", QUERIES, ids=" ".join)
def test_the_number_and_the_first_item(ancestor, dynarc, foo, options):
    told = ancestor("query", "--table", foo, "--env", "production", "--head", *options)
    count = re.match(r"(\d+) items queried", told)
    first = json.loads(told[told.index("{") : told.rindex("}") + 1])
    run = lambda *more: dynarc("query", foo, *twin(options), *more, "--profile", "production").stdout
    assert run("--count") == f"{count[1]}\n".encode()
    assert list(map(canonical_item, typed(run("--head")))) == [canonical_item(first)]


def test_unique_values(ancestor, dynarc, foo):
    told = ancestor("query", "--table", foo, "--pk", "customer#1", "--env", "production", "--unique", "entity-type")
    assert "{'order', 'return'}" in told or "{'return', 'order'}" in told
    options = ("--pk", "customer#1", "--unique", "entity-type", "--profile", "production")
    assert dynarc("query", foo, *options).stdout == b'20  "order"\n10  "return"\n'


def test_what_the_ancestor_cannot_query(ancestor, dynarc, foo, source, table):
    """Each of these is a query that dynarc answers."""
    ask = lambda name, *options: ancestor("query", "--table", name, "--env", "production", *options, exit=None)
    run = lambda name, *options: dynarc("query", name, "--profile", "production", *options)
    # Local indexes are not looked for.
    assert "IndexError" in ask(foo, "--pk", "customer#1", "--index", LSI)
    assert run(foo, "--pk", "customer#1", "--index", LSI, "--count").stdout == b"30\n"
    # --unique is for strings that every item has.
    assert "KeyError: 'S'" in ask(foo, "--pk", "customer#1", "--unique", "size")
    assert "KeyError: 'nothing'" in ask(foo, "--pk", "customer#1", "--unique", "nothing")
    assert run(foo, "--pk", "customer#1", "--unique", "size").stdout.count(b"\n") == 30
    # Its README's own form.
    assert "required: -pk/--pk" in ask(foo, "customer#1", "--head")
    # A sort key cannot be named exactly.
    tables.create(source.client, f"{table}-exact")
    tables.put_all(source.client, f"{table}-exact", [{"pk": {"S": "p"}, "sk": {"S": text}} for text in ("a", "ab")])
    assert "2 items" in ancestor("query", "--table", f"{table}-exact", "--env", "production", "--pk", "p", "--sk", "a")
    assert run(f"{table}-exact", "--pk", "p", "--sk", "a", "--count").stdout == b"1\n"


@pytest.mark.parametrize("partition, value", [("id:N", "7"), ("customer-id:S", "7"), ("state:S", "7")])
def test_keys_that_the_ancestor_cannot_query(ancestor, dynarc, source, table, partition, value):
    """Numbers, names that no expression takes, reserved words: it puts all of them into the expression."""
    tables.create(source.client, table, partition, "sk:S")
    name, kind = partition.split(":")
    tables.put_all(source.client, table, [{name: {kind: value}, "sk": {"S": "x"}}])
    run = lambda *options: dynarc("query", table, "--profile", "production", "--pk", value, *options)
    assert run("--count").stdout == b"1\n"
    ask = ("query", "--table", table, "--env", "production", "--pk", value)
    told = ancestor(*ask, exit=None)
    assert "ValidationException" in told, told


def test_there_is_no_restore(ancestor):
    assert "invalid choice: 'restore'" in ancestor("restore", exit=2)


# Copies. The target is another account on the same server, and holds other things before.

BEFORE: list[Item] = [
    {"pk": {"S": "customer#1"}, "sk": {"S": "order#01"}, "phase": {"S": "old"}, "day": {"S": "2025-01-01"}},
    {"pk": {"S": "customer#1"}, "sk": {"S": "order#1x"}, "phase": {"S": "paid"}, "day": {"S": "2026-11-2x"}},
    {"pk": {"S": "customer#9"}, "sk": {"S": "order#99"}, "phase": {"S": "paid"}, "day": {"S": "2026-11-99"}},
]


def reset(target: Side, table: str) -> None:
    """The target as it was before."""
    if table in target.client.list_tables()["TableNames"]:
        target.client.delete_table(TableName=table)
    create(target, table)
    tables.put_all(target.client, table, BEFORE)


def both(ancestor, dynarc, target: Side, table: str, options: list[str], mode: str) -> list[Item]:
    """What is in the target after the ancestor's copy, which dynarc's must leave there, too."""
    environments = ("--source", "production", "--target", "development")
    reset(target, table)
    ancestor("copy", "--table", table, *environments, *options)
    found = tables.read_all(target.client, table)
    reset(target, table)
    dynarc("copy", table, *environments, *twin(options), mode, "--backup", "none", "--yes")
    assert tables.differences(found, tables.read_all(target.client, table), ["pk", "sk"]) == []
    return found


@pytest.mark.parametrize("mode", ["--replace", "--truncate-first"])
def test_a_table(ancestor, dynarc, target, foo, mode):
    found = both(ancestor, dynarc, target, foo, [], mode)
    assert tables.differences(found, rows(), ["pk", "sk"]) == []


@pytest.mark.parametrize("mode", ["--replace", "--truncate-first"])
@pytest.mark.parametrize("options", QUERIES, ids=" ".join)
def test_items(ancestor, dynarc, target, foo, options, mode):
    found = both(ancestor, dynarc, target, foo, options, mode)
    assert {"S": "customer#9"} in [item["pk"] for item in found] or "paid" in options
    assert len(found) > len(BEFORE)


def test_a_backup_is_made_first(ancestor, dynarc, target, foo):
    def backups() -> list[str]:
        return [one["BackupName"] for one in target.client.list_backups(TableName=foo)["BackupSummaries"]]

    environments = ("--source", "production", "--target", "development")
    reset(target, foo)
    ancestor("copy", "--table", foo, *environments)
    assert backups() == [f"{foo}-backup"]
    dynarc("copy", foo, *environments, "--replace", "--yes")
    assert len(backups()) == 2


def test_the_ancestor_empties_a_table_that_is_copied_onto_itself(ancestor, dynarc, source, foo):
    same = ("--source", "production", "--target", "production")
    assert "one table" in dynarc("copy", foo, *same, "--replace", "--yes", exit=3).stderr
    assert len(tables.read_all(source.client, foo)) == 60
    ancestor("copy", "--table", foo, *same)
    assert tables.read_all(source.client, foo) == []


def test_the_ancestor_leaves_an_empty_table_where_reading_fails(
    ancestor, dynarc, source, target, foo, aws, profiles, proxy_to
):
    proxy = proxy_to(source, [{"kind": "expired_token", "operation": "Scan"}])
    config = (aws / "config").read_text()
    (aws / "config").write_text(config.replace(source.endpoint, proxy.endpoint, 1))
    environments = ("--source", "production", "--target", "development")
    reset(target, foo)
    ancestor("copy", "--table", foo, *environments, exit=None)
    assert tables.read_all(target.client, foo) == []
    reset(target, foo)
    dynarc("copy", foo, *environments, "--replace", "--backup", "none", "--yes", exit=None)
    assert tables.differences(tables.read_all(target.client, foo), BEFORE, ["pk", "sk"]) == []


def test_items_of_a_table_without_sort_key(ancestor, dynarc, source, target, table):
    for side in (source, target):
        tables.create(side.client, table, "pk:S", None)
    tables.put_all(source.client, table, [{"pk": {"S": "a"}, "x": {"N": "1"}}])
    tables.put_all(target.client, table, [{"pk": {"S": "a"}, "x": {"N": "2"}}])
    environments = ("--source", "production", "--target", "development")
    assert "KeyError: None" in ancestor("copy", "--table", table, "--pk", "a", *environments, exit=None)
    dynarc("copy", table, "--pk", "a", *environments, "--replace", "--backup", "none", "--yes")
    assert tables.compare_tables(source.client, table, target.client, table) == []
