"""apply --guard: what somebody else has changed meanwhile is left as it is, and told."""

from __future__ import annotations

import json
import random
import signal
import threading
from pathlib import Path
from typing import Callable

import pytest

import tables
from faultproxy import FaultProxy
from items import Item, canonical_item, random_items
from program import Result, Side, run_dynarc, run_dynarc_until
import servers

KEYS = ["pk", "sk"]
Dynarc = Callable[..., Result]
COUNT = 300


class Night:
    """A table on two evenings: a third of the items stays, a third changes, a third goes, and new ones
    come. Archives of the changes, by digests and with whole old items."""

    def __init__(self, side: Side, directory: Path, binary: Path) -> None:
        before = [
            item | {"pk": {"S": f"p{number % 9}"}, "sk": {"S": f"s{number:04d}"}, "size": {"N": "1"},
                    "nested": {"M": {"list": {"L": [{"N": "1.50"}, {"S": ""}]}}}}
            for number, item in enumerate(random_items(COUNT, seed=43))
        ]  # fmt: skip
        after = []
        for number, item in enumerate(before):
            match number % 3:
                case 0:
                    after.append(item)
                case 1:
                    changed = item | {"visits": {"N": str(number)}, "nested": {"M": {"list": {"L": []}}}}
                    after.append({name: value for name, value in changed.items() if name != "size"})
        after += [
            {"pk": {"S": f"p{number % 9}"}, "sk": {"S": f"t{number:04d}"}, "new": {"BOOL": True}}
            for number in range(COUNT // 3)
        ]
        self.directory = directory
        self.items: dict[str, list[Item]] = {}
        home = directory / "home"
        home.mkdir()
        for name, rows in (("before", before), ("after", after)):
            tables.create(side.client, f"Guard-{name}")
            tables.put_all(side.client, f"Guard-{name}", rows)
            run_dynarc(binary, directory, home, "dump", f"Guard-{name}", f"./{name}", "--segments", 4, at=side)
            self.items[name] = tables.read_all(side.client, f"Guard-{name}")
        for name, options in (("digests", []), ("images", ["--with-old"])):
            run_dynarc(
                binary, directory, home, "diff", "./before", "./after", "--output", f"./{name}", *options, exit=1
            )


@pytest.fixture(scope="module")
def night(source: Side, tmp_path_factory: pytest.TempPathFactory, binary: Path) -> Night:
    return Night(source, tmp_path_factory.mktemp("night"), binary)


@pytest.fixture(params=["ministack", "moto"])
def side(request: pytest.FixtureRequest) -> Side:
    return Side(request.getfixturevalue(request.param).endpoint, servers.ACCOUNT_B)


def fill(side: Side, table: str, items: list[Item]) -> None:
    tables.create(side.client, table)
    tables.put_all(side.client, table, items)


def key_of(item: Item) -> tuple[str, str]:
    return item["pk"]["S"], item["sk"]["S"]


def state(side: Side, table: str) -> dict[tuple, object]:
    return {key_of(item): canonical_item(item) for item in tables.read_all(side.client, table)}


def expected(items: list[Item]) -> dict[tuple, object]:
    return {key_of(item): canonical_item(item) for item in items}


def state_file(night: Night, tmp_path: Path) -> list[object]:
    return ["--state", tmp_path / "state"]


@pytest.mark.parametrize("kind", ["digests", "images"])
def test_there_and_back(
    night: Night, dynarc: Dynarc, side: Side, table: str, tmp_path: Path, kind: str
) -> None:
    fill(side, table, night.items["before"])
    arguments = ["apply", night.directory / kind, table, "--guard", "--yes", "--json", *state_file(night, tmp_path)]
    report = dynarc(*arguments, at=side).json
    assert (report["written"], report["unchanged"], report["conflicts"]) == (COUNT, 0, 0)
    assert report["consumedReadUnits"] > 0
    assert state(side, table) == expected(night.items["after"])
    again = dynarc(*arguments, at=side).json
    assert (again["written"], again["unchanged"], again["conflicts"]) == (COUNT, COUNT, 0)
    if kind == "images":
        back = dynarc(*arguments, "--reverse", at=side).json
        assert (back["written"], back["conflicts"]) == (COUNT, 0)
        assert state(side, table) == expected(night.items["before"])
    assert not list(tmp_path.glob("rejects*"))


@pytest.mark.parametrize("kind", ["digests", "images"])
def test_what_was_changed_is_a_conflict(
    night: Night, dynarc: Dynarc, side: Side, table: str, tmp_path: Path, kind: str
) -> None:
    fill(side, table, night.items["before"])
    old, new = expected(night.items["before"]), expected(night.items["after"])
    touched = {}
    for item in night.items["before"]:
        match int(item["sk"]["S"][1:]):
            case 1 | 2 | 4:  # changed, removed
                touched[key_of(item)] = item | {"nested": {"M": {"list": {"L": [{"N": "2.5"}, {"S": ""}]}}}}
            case 5 | 7:  # one attribute more
                touched[key_of(item)] = item | {"mine": {"S": "x"}}
    stolen = {"pk": {"S": "p0"}, "sk": {"S": "t0000"}, "mine": {"S": "first"}}
    touched[key_of(stolen)] = stolen
    tables.put_all(side.client, table, touched.values())
    gone = [key for key in old if key[1] in ("s0010", "s0011")]  # one changed, one removed
    for pk, sk in gone:
        side.client.delete_item(TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}})

    before = state(side, table)
    common = ["apply", night.directory / kind, table, "--guard", *state_file(night, tmp_path)]
    dry = dynarc(*common, "--dry-run", "--json", at=side, exit=4)
    # Of what is gone, the one that was to be deleted is as it should be.
    assert (dry.json["conflicts"], dry.json["unchanged"]) == (len(touched) + 1, 1)
    assert dry.json["open"] == COUNT - len(touched) - 2
    assert state(side, table) == before and not list(tmp_path.glob("rejects*"))

    result = dynarc(*common, "--yes", "--json", at=side, exit=4)
    assert (result.json["conflicts"], result.json["rejected"]) == (len(touched) + 1,) * 2
    assert result.stderr.count("conflict: ") == len(touched) + 1
    assert 'pk "p0", sk "t0000": there is an item already' in result.stderr
    assert "the item is not there" in result.stderr
    if kind == "images":
        assert "it differs in mine" in result.stderr and "it differs in nested.list[0]" in result.stderr
    rejects = [json.loads(line) for line in (tmp_path / "rejects.ndjson").read_bytes().split(b"\n")[:-1]]
    keys = {key_of(line.get("Item") or line["Keys"]) for line in rejects}
    assert keys == set(touched) | {key for key in gone if key[1] == "s0010"}
    assert {line["reason"]["code"] for line in rejects} == {"Conflict"}

    now = state(side, table)
    for key in set(old) | set(new) | set(touched):
        wanted = before.get(key) if key in keys else new.get(key)
        assert now.get(key) == wanted, key


@pytest.mark.parametrize("kind", ["throttle", "reset_in_body", "garbage", "lost_answer"])
def test_through_faults(
    night: Night, dynarc: Dynarc, target: Side, table: str, tmp_path: Path, proxy_to, kind: str
) -> None:
    fill(target, table, night.items["before"])
    fault = "reset_in_body" if kind == "lost_answer" else kind
    operations = ["UpdateItem", "DeleteItem", "PutItem"] + ([] if kind == "lost_answer" else ["GetItem"])
    rules = [
        {"kind": fault, "operation": operation, "rate": 0.1, "seed": 5} for operation in operations
    ] + [{"kind": fault, "operation": "UpdateItem", "first": 1}]
    proxy = proxy_to(target, rules)
    arguments = ["apply", night.directory / "images", table, "--guard", "--yes", "--json"]
    report = dynarc(*arguments, *state_file(night, tmp_path), at=target.through(proxy)).json
    assert proxy.record.faults[fault] > 0
    assert (report["written"], report["conflicts"]) == (COUNT, 0)
    assert state(target, table) == expected(night.items["after"])


def test_stopped_and_resumed(
    night: Night, dynarc: Dynarc, binary: Path, target: Side, table: str, tmp_path: Path, proxy_to
) -> None:
    fill(target, table, night.items["before"])
    proxy = proxy_to(target, [{"kind": "stall", "operation": "GetItem", "rate": 1, "seconds": 0.05}])
    common = ["apply", night.directory / "images", table, "--guard", *state_file(night, tmp_path)]
    for number in (signal.SIGKILL, signal.SIGINT):
        resume = ["--resume"] if (tmp_path / "state").exists() else []
        run_dynarc_until(
            binary, tmp_path, tmp_path / "home", 0.8, number, *common, "--yes", "--concurrency", 2, *resume,
            at=target.through(proxy),
        )  # fmt: skip
    assert (tmp_path / "state").exists()
    unguarded = [one for one in common if one != "--guard"]
    assert "--guard" in dynarc(*unguarded, "--resume", "--yes", at=target, exit=3).stderr
    report = dynarc(*common, "--resume", "--json", at=target).json
    assert (report["written"], report["conflicts"]) == (COUNT, 0)
    assert state(target, table) == expected(night.items["after"])


@pytest.mark.parametrize("server", ["ministack", "moto"])
def test_nothing_of_a_concurrent_writer_is_lost(
    night: Night, dynarc: Dynarc, request: pytest.FixtureRequest, table: str, tmp_path: Path, server: str
) -> None:
    """Somebody goes through the table, and marks items that are there, while the changes are applied."""
    side = Side(request.getfixturevalue(server).endpoint, servers.ACCOUNT_B)
    fill(side, table, night.items["before"])
    keys = [key_of(item) for item in night.items["before"]]
    random.Random(7).shuffle(keys)
    marked: set[tuple[str, str]] = set()
    other = servers.client(side.endpoint, account=servers.ACCOUNT_B)

    def write() -> None:
        for number, (pk, sk) in enumerate(keys):
            try:
                other.update_item(
                    TableName=table, Key={"pk": {"S": pk}, "sk": {"S": sk}},
                    UpdateExpression="SET mark = :one",
                    # Any attribute, one that is there, one that the changes add, by turns.
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeValues={":one": {"N": str(number)}},
                )  # fmt: skip
                marked.add((pk, sk))
            except other.exceptions.ConditionalCheckFailedException:
                pass

    writer = threading.Thread(target=write)
    # Reading takes long, so that much happens between it and the writing.
    with FaultProxy(side.endpoint, [{"kind": "stall", "operation": "GetItem", "rate": 0.5, "seconds": 0.1}]) as proxy:
        writer.start()
        result = dynarc(
            "apply", night.directory / "images", table, "--guard", "--yes", "--json", "--concurrency", 4,
            *state_file(night, tmp_path), at=side.through(proxy), exit=None,
        )  # fmt: skip
        writer.join()
    assert result.code in (0, 4), result.stderr
    now = {key_of(item): item for item in tables.read_all(side.client, table)}
    old = {key_of(item): item for item in night.items["before"]}
    new = {key_of(item): item for item in night.items["after"]}
    assert marked and all("mark" in now[key] for key in marked), "a mark was overwritten or deleted"
    conflicts = {
        key_of(line.get("Item") or line["Keys"])
        for path in tmp_path.glob("rejects*")
        for line in map(json.loads, path.read_bytes().split(b"\n")[:-1])
    }
    assert conflicts <= marked and len(conflicts) == result.json["conflicts"]
    for key in set(old) | set(new):
        item = dict(now.get(key, {}))
        item.pop("mark", None)
        wanted = old.get(key, {}) if key in conflicts else new.get(key, {})
        assert canonical_item(item) == canonical_item(wanted), key


def test_what_cannot_be_guarded(night: Night, dynarc: Dynarc, target: Side, table: str, tmp_path: Path) -> None:
    """Items with more attributes than an expression holds."""
    def item(number: int, attributes: int, value: str) -> Item:
        names = {f"a{index:03d}": {"S": value} for index in range(attributes)}
        return {"pk": {"S": "many"}, "sk": {"S": str(number)}} | names

    before = [item(0, 200, "old"), item(1, 200, "old"), item(2, 200, "old")]
    after = [item(0, 200, "old") | {"a007": {"S": "new"}}, item(1, 200, "new")]
    for name, rows in (("one", before), ("two", after)):
        tables.create(target.client, f"{table}-{name}")
        tables.put_all(target.client, f"{table}-{name}", rows)
        dynarc("dump", f"{table}-{name}", f"./{name}", at=target)
    dynarc("diff", "./one", "./two", "--output", "./c", exit=1)
    result = dynarc("apply", "./c", f"{table}-one", "--guard", "--yes", "--json", at=target, exit=4)
    assert (result.json["written"], result.json["conflicts"]) == (2, 1)
    assert "more of it changes" in result.stderr
    assert state(target, f"{table}-one") == expected([after[0], before[1]])


def test_what_fits_not(night: Night, dynarc: Dynarc, target: Side, table: str) -> None:
    assert "--guard" in dynarc("apply", "x", table, "--read-units", 5, at=target, exit=2).stderr
