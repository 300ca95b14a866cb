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
