"""diff: archives and live tables, held against what boto3 reads and a plain reference."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path
from typing import Callable

import pytest

import archives
import changes
import tables
from items import Item, canonical, canonical_item, from_wire, random_items
from program import Result, Side, run_dynarc

KEYS = ["pk", "sk"]
Dynarc = Callable[..., Result]


@pytest.fixture(scope="module")
def history(source: Side, tmp_path_factory: pytest.TempPathFactory, binary: Path) -> "History":
    return History(source, tmp_path_factory.mktemp("history"), binary)


class History:
    """Two tables, one as the other was: 400 items, of which some were added, removed, changed."""

    def __init__(self, side: Side, directory: Path, binary: Path) -> None:
        self.old, self.new = "Diff-old", "Diff-new"
        source = random.Random(3)
        items = [
            item | {"pk": {"S": f"p{number % 7}"}, "sk": {"S": f"s{number:03d}"}}
            for number, item in enumerate(random_items(400, seed=11))
        ]
        later = []
        for number, item in enumerate(items):
            match number % 20:
                case 3:
                    continue
                case 5:
                    later.append(item | {"visits": {"N": str(source.randrange(1000))}})
                case 7:
                    later.append(item | {"nested.name": {"M": {"deep": {"L": [{"BOOL": True}, {"S": "x"}]}}}})
                case _:
                    later.append(item)
        later += [
            {"pk": {"S": f"p{number % 7}"}, "sk": {"S": f"t{number}"}, "new": {"BOOL": True}}
            for number in range(9)
        ]
        self.archives = {}
        home = directory / "home"
        home.mkdir()
        for name, rows, segments in ((self.old, items, 3), (self.new, later, 5)):
            tables.create(side.client, name)
            tables.put_all(side.client, name, rows)
            run_dynarc(
                binary, directory, home, "dump", name, name, "--segments", segments,
                "--chunk-size", "64KiB", at=side,
            )
            self.archives[name] = directory / name
        self.items = {name: tables.read_all(side.client, name) for name in (self.old, self.new)}

    def changes(self, old: str, new: str) -> dict[tuple, str]:
        return changes.expected_changes(self.items[old], self.items[new], KEYS)


def key_of(typed: Item) -> tuple:
    return tuple(canonical(from_wire(typed[name])) for name in KEYS)


def found(result: Result) -> dict[tuple, str]:
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    by_key = {key_of(line["key"]): line["change"] for line in lines}
    assert len(by_key) == len(lines)
    return by_key


@pytest.mark.parametrize("old_is_live", [False, True])
@pytest.mark.parametrize("new_is_live", [False, True])
def test_archives_and_tables(
    history: History, dynarc: Dynarc, source: Side, old_is_live: bool, new_is_live: bool
) -> None:
    sides = [
        name if is_live else history.archives[name]
        for name, is_live in ((history.old, old_is_live), (history.new, new_is_live))
    ]
    result = dynarc("diff", *sides, "--json", at=source, exit=1)
    assert found(result) == history.changes(history.old, history.new)
    back = dynarc("diff", *reversed(sides), "--json", "--keys", at=source, exit=1)
    assert found(back) == history.changes(history.new, history.old)
    for side in sides:
        assert dynarc("diff", side, side, at=source).stdout == b""


def test_images_and_attributes(history: History, dynarc: Dynarc) -> None:
    result = dynarc("diff", *history.archives.values(), "--json", exit=1)
    sides = [
        {key_of_item(item): canonical_item(item) for item in history.items[name]}
        for name in (history.old, history.new)
    ]
    kinds = set()
    for line in map(json.loads, result.stdout.splitlines()):
        key = key_of(line["key"])
        kinds.add(line["change"])
        for member, side in (("old", sides[0]), ("new", sides[1])):
            if member in line:
                item = {name: from_wire(typed) for name, typed in line[member].items()}
                assert canonical_item(item) == side[key]
        if line["change"] == "changed":
            paths = {one["path"]: one for one in line["attributes"]}
            assert set(paths) <= {"visits", '"nested.name"'} and paths
            assert all(one["change"] in ("added", "changed") for one in paths.values())
    assert kinds == {"added", "removed", "changed"}


def key_of_item(item: Item) -> tuple:
    return tuple(canonical(item[name]) for name in KEYS)


def test_a_slice_of_both(history: History, dynarc: Dynarc, source: Side) -> None:
    everything = history.changes(history.old, history.new)
    of_p2 = {key: kind for key, kind in everything.items() if key[0] == ("S", "p2")}
    later = {key: kind for key, kind in of_p2.items() if key[1][1] >= "s1"}
    before, now = history.archives.values()
    for sides in ((before, now), (before, history.new), (history.old, history.new)):
        assert found(dynarc("diff", *sides, "--json", "--pk", "p2", at=source, exit=1)) == of_p2
        result = dynarc("diff", *sides, "--json", "--pk", "p2", "--sk-ge", "s1", at=source, exit=1)
        assert found(result) == later
    assert dynarc("diff", before, now, "--pk", "nobody").code == 0


def test_numbers_agree_with_the_list(history: History, dynarc: Dynarc) -> None:
    expected = list(history.changes(history.old, history.new).values())
    report = dynarc("diff", *history.archives.values(), "--stat", "--json", exit=1).json
    for kind in ("added", "removed", "changed"):
        assert report[kind]["items"] == expected.count(kind)
    assert report["old"]["items"] == 400
    assert report["unchanged"] == 400 - expected.count("removed") - expected.count("changed")
    text = dynarc("diff", *history.archives.values(), "--stat", exit=1).stdout.decode()
    assert f"Added     {expected.count('added')} items" in text and "visits" in text


def test_what_is_ignored_is_no_difference(history: History, dynarc: Dynarc) -> None:
    sides = history.archives.values()
    everything = history.changes(history.old, history.new)
    ignoring = found(dynarc("diff", *sides, "--json", "--ignore", 'visits,"nested.name"', exit=1))
    assert ignoring == {key: kind for key, kind in everything.items() if kind != "changed"}
    only = found(dynarc("diff", *sides, "--json", "--only", '"nested.name".deep[1]', exit=1))
    assert list(only.values()).count("changed") < list(everything.values()).count("changed")
    assert dynarc("diff", *sides, "--ignore", "a..b", exit=2).stdout == b""


def test_listing_and_limit(history: History, dynarc: Dynarc) -> None:
    sides = history.archives.values()
    result = dynarc("diff", *sides, "--keys", exit=1)
    lines = result.stdout.decode().splitlines()
    assert len(lines) == len(history.changes(history.old, history.new))
    assert [line[2:] for line in lines] == sorted(line[2:] for line in lines)
    limited = dynarc("diff", *sides, "--keys", "--limit", 5, exit=1)
    assert limited.stdout.decode().splitlines() == lines[:5]
    assert f"{len(lines) - 5} more changes" in limited.stderr
    assert "leave --limit out" in dynarc("diff", *sides, "--output", "x", "--limit", 5, exit=2).stderr
    whole = dynarc("diff", *sides, exit=1).stdout.decode()
    assert "  + visits: " in whole and '+ pk "p0", sk "t0": {' in whole


def test_spelling_is_no_difference(history: History, dynarc: Dynarc, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(history.archives[history.old], copy)
    archives.edit_lines(copy, respelled)
    assert archives.chunk_files(copy)[0].read_bytes() != archives.chunk_files(
        history.archives[history.old]
    )[0].read_bytes()
    assert dynarc("diff", history.archives[history.old], copy).stdout == b""


def respelled(lines: list[bytes]) -> list[bytes]:
    """The same items in another order, with other spellings of everything."""
    source = random.Random(5)

    def typed(value: dict) -> dict:
        ((kind, content),) = value.items()
        match kind:
            case "N":
                return {kind: number(content)}
            case "NS":
                return {kind: source.sample([number(one) for one in content], len(content))}
            case "SS" | "BS":
                return {kind: source.sample(content, len(content))}
            case "L":
                return {kind: [typed(one) for one in content]}
            case "M":
                return {kind: members(content)}
            case _:
                return value

    def number(text: str) -> str:
        mantissa, _, exponent = text.partition("E")
        return (mantissa if "." in mantissa else mantissa + ".00") + f"e{int(exponent or 0):+d}"

    def members(item: dict) -> dict:
        names = source.sample(list(item), len(item))
        return {name: typed(item[name]) for name in names}

    return [
        b'{"Item":' + json.dumps(members(json.loads(line)["Item"])).encode() + b"}\n"
        for line in source.sample(lines, len(lines))
    ]


@pytest.mark.parametrize("options", [[], ["--with-old"]])
def test_an_archive_of_changes(history: History, dynarc: Dynarc, tmp_path: Path, options: list[str]) -> None:
    expected = history.changes(history.old, history.new)
    result = dynarc("diff", *history.archives.values(), "--output", "changes", *options, exit=1)
    assert result.stdout == b""
    archive = tmp_path / "changes"
    assert archives.sums_hold(archive)
    assert f"{len(expected)} changes" in dynarc("verify", "changes").stdout.decode()
    manifest = archives.manifest(archive)
    assert manifest["kind"] == "changes"
    assert manifest["requiredFeatures"] == ["old-images" if options else "old-digests"]
    info = dynarc("info", "changes", "--json").json
    before = archives.manifest(history.archives[history.old])
    assert info["changes"]["from"]["items"] == before["counts"]["items"]

    state = {key_of_item(item): canonical_item(item) for item in history.items[history.old]}
    wire = {}
    for chunk in archives.chunk_files(history.archives[history.old]):
        for line in archives.decompress(chunk).splitlines():
            item = json.loads(line)["Item"]
            wire[key_of(item)] = item
    count = 0
    for chunk in archives.chunk_files(archive):
        for line in map(json.loads, archives.decompress(chunk).splitlines()):
            count += 1
            key = key_of(line.get("Item") or line["Keys"])
            if key in state and options:
                assert changes.canonical_form(line["Old"]) == changes.canonical_form(wire[key])
            elif key in state:
                assert line["OldSha256"] == changes.digest(wire[key])
            else:
                assert "Old" not in line and "OldSha256" not in line
            if "Keys" in line:
                del state[key]
            else:
                item = {name: from_wire(typed) for name, typed in line["Item"].items()}
                state[key] = canonical_item(item)
    assert count == len(expected)
    assert state == {key_of_item(item): canonical_item(item) for item in history.items[history.new]}
    assert len(dynarc("cat", "changes").stdout.splitlines()) == count


def test_changes_are_no_snapshot(history: History, dynarc: Dynarc, source: Side) -> None:
    dynarc("diff", *history.archives.values(), "--output", "changes", exit=1)
    assert "dynarc apply" in dynarc("load", "changes", at=source, exit=3).stderr
    assert "changes" in dynarc("diff", "changes", history.archives[history.old], exit=2).stderr
    assert "plain" in dynarc("cat", "changes", "--plain", exit=2).stderr


def test_trouble_is_2(history: History, dynarc: Dynarc, source: Side, table: str, tmp_path: Path) -> None:
    old = history.archives[history.old]
    tables.create(source.client, table, "other:N", None)
    tables.put_all(source.client, table, [{"other": {"N": "1"}}])
    assert "the keys differ" in dynarc("diff", old, table, at=source, exit=2).stderr
    dynarc("dump", history.old, "keyless", "--projection", "sk", "--allow-keyless", at=source)
    assert "without keys" in dynarc("diff", old, "keyless", exit=2).stderr
    assert "no archive" in dynarc("diff", old, "./nothing", exit=2).stderr
    assert "No-such-table" in dynarc("diff", old, "No-such-table", at=source, exit=2).stderr
    assert dynarc("diff", old, exit=2).stdout == b""
    dynarc("dump", history.old, "part", "--projection", "pk, sk", at=source)
    assert "only a part of each item" in dynarc("diff", old, "part", "--stat", exit=1).stderr
    assert "part of each item" in dynarc("diff", old, "part", "--output", "x", exit=2).stderr
    ignoring = dynarc("diff", old, old, "--output", "x", "--ignore", "y", exit=2)
    assert "--ignore" in ignoring.stderr and not (tmp_path / "x").exists()
    damaged = tmp_path / "damaged"
    shutil.copytree(old, damaged)
    chunk = archives.chunk_files(damaged)[0]
    chunk.write_bytes(chunk.read_bytes()[:-1] + b"x")
    new = history.archives[history.new]
    assert chunk.name in dynarc("diff", damaged, new, exit=2).stderr


def test_a_key_that_stands_there_twice(history: History, dynarc: Dynarc, tmp_path: Path) -> None:
    copy = tmp_path / "twice"
    shutil.copytree(history.archives[history.old], copy)

    def add(lines: list[bytes]) -> list[bytes]:
        item = {"pk": {"S": "of nobody else"}, "sk": {"S": "twice"}}
        return lines + [json.dumps({"Item": item | {"n": {"N": str(n)}}}, separators=(",", ":")).encode() + b"\n" for n in (1, 2)]

    archives.edit_lines(copy, add)
    result = dynarc("diff", history.archives[history.new], copy, exit=2)
    assert "two items with the key" in result.stderr


def test_nothing_is_left_in_the_temporary_directory(
    history: History, dynarc: Dynarc, tmp_path: Path, source: Side
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    sides = (history.old, history.archives[history.new])
    report = dynarc(
        "diff", *sides, "--stat", "--json", at=source, env={"TMPDIR": str(scratch)}, exit=1
    ).json
    assert report["bytesSpilled"] > 0 and not any(scratch.iterdir())
