"""`dynarc get`: one item of a table or an archive, by its whole key."""

from __future__ import annotations

import json
import shutil

import pytest

import archives
import tables
from items import NAMES, TEXTS, Item, canonical_item, corner_cases, from_wire, keyed
from program import Side, run_dynarc


@pytest.fixture(scope="module")
def numbers(source: Side) -> list[Item]:
    found = [
        {"name": {"S": name}, "n": {"N": n}, "exact": {"N": "1E-130"}, "at": {"S": f"{name}/{n}"}}
        for name in ("a", "b")
        for n in ("-10", "-1.5", "0", "1", "2", "10", "1E+20", "9.9E+125")
    ]
    tables.create(source.client, "Numbers", "name:S", "n:N")
    tables.put_all(source.client, "Numbers", found)
    return found


def held(source: Side) -> list[Item]:
    return tables.read_all(source.client, "Numbers")


@pytest.fixture(scope="module")
def archive(binary, tmp_path_factory, source, numbers):
    place = tmp_path_factory.mktemp("numbers")
    # At least a chunk for each segment with items.
    run_dynarc(binary, place, place, "dump", "Numbers", "./archive", "--segments", 6, at=source)
    assert len(archives.chunk_files(place / "archive")) > 1
    return place / "archive"


def typed(output: bytes) -> Item:
    return {name: from_wire(value) for name, value in json.loads(output).items()}


def places(archive) -> list[str]:
    return ["Numbers", str(archive)]


@pytest.mark.parametrize(
    "spelled, n",
    [("-10", "-10"), ("-1.50", "-1.5"), ("-15e-1", "-1.5"), ("-0", "0"), ("1.0", "1"), ("1", "1"),
     ("0.1e1", "1"), ("10", "10"), ("100000000000000000000", "1E+20"), ("9.9e125", "9.9E+125")],
)  # fmt: skip
def test_numbers_however_they_are_spelled(dynarc, source, archive, spelled, n):
    # In a table that is the server's affair, and ministack's GetItem finds one spelling only.
    found = typed(dynarc("get", archive, "--pk", "b", "--sk", spelled).stdout)
    assert found["at"] == {"S": f"b/{n}"}


def test_every_item(dynarc, source, archive):
    for item in held(source):
        for place in places(archive):
            result = dynarc("get", place, "--pk", item["name"]["S"], f"--sk={item['n']['N']}", at=source)
            assert canonical_item(typed(result.stdout)) == canonical_item(item)


def test_plain(dynarc, source, archive):
    for place in places(archive):
        line = dynarc("get", place, "--pk", "a", "--sk", "2", "--plain", at=source).stdout
        assert line.endswith(b"}\n") and json.loads(line)["at"] == "a/2"
    assert dynarc("get", "Numbers", "--pk", "a", "--sk", "2", "--consistent", at=source).stdout


def test_no_such_item(dynarc, source, archive):
    for place in places(archive):
        result = dynarc("get", place, "--pk", "b", "--sk", "3", at=source, exit=1)
        assert result.stdout == b""
        assert 'no item with name = "b", n = 3' in result.stderr


@pytest.mark.parametrize(
    "options, told",
    [
        (["--pk", "a"], ["--sk", "n"]),
        (["--pk", "a", "--sk", "two"], ["number", "n"]),
        (["--pk", "", "--sk", "1"], ["--pk"]),
        (["--sk", "1"], ["--pk"]),
    ],
    ids=" ".join,
)
def test_wrong_usage(dynarc, source, archive, options, told):
    for place in places(archive):
        result = dynarc("get", place, *options, at=source, exit=2)
        assert result.stdout == b"" and "dynarc: hint: " in result.stderr
        for word in told:
            assert word in result.stderr


def test_a_sort_key_that_is_not_there(dynarc, source, table, tmp_path):
    tables.create(source.client, table, "id:N", None)
    tables.put_all(source.client, table, [{"id": {"N": "7"}, "x": {"BOOL": True}}])
    dynarc("dump", table, "./one", at=source)
    for place in (table, "./one"):
        assert typed(dynarc("get", place, "--pk", "7", at=source).stdout)["x"] == {"BOOL": True}
        assert "no sort key" in dynarc("get", place, "--pk", "7", "--sk", "1", at=source, exit=2).stderr


def test_odd_keys_and_items(dynarc, source, table):
    """Keys with every odd character, and an item of nearly 400 KB."""
    tables.create(source.client, table)
    odd = sorted({text for text in TEXTS + NAMES if text and "\0" not in text})
    found = [item | {"pk": {"S": text}, "sk": {"S": text}} for text, item in zip(odd, corner_cases() * 3)]
    tables.put_all(source.client, table, found)
    dynarc("dump", table, "./odd", at=source)
    for place in (table, "./odd"):
        for item in found:
            text = item["pk"]["S"]
            line = dynarc("get", place, f"--pk={text}", f"--sk={text}", at=source).stdout
            assert canonical_item(typed(line)) == canonical_item(item), text


def test_binary_keys(dynarc, source, table):
    tables.create(source.client, table, "pk:B", "sk:B")
    tables.put_all(source.client, table, [{"pk": {"B": b"\xff\x00"}, "sk": {"B": bytes([n])}} for n in range(4)])
    dynarc("dump", table, "./binary", at=source)
    for place in (table, "./binary"):
        found = typed(dynarc("get", place, "--pk", "/wA=", "--sk", "Ag==", at=source).stdout)
        assert found == {"pk": {"B": b"\xff\x00"}, "sk": {"B": b"\x02"}}
        assert "base64" in dynarc("get", place, "--pk", "~", "--sk", "Ag==", at=source, exit=2).stderr


def test_damage_on_the_way_is_not_an_item_that_is_not_there(dynarc, source, archive, tmp_path):
    for spoil in ("bytes", "missing"):
        copy = tmp_path / spoil
        shutil.copytree(archive, copy)
        for chunk in archives.chunk_files(copy):
            chunk.chmod(0o600)
            if spoil == "missing":
                chunk.unlink()
            else:
                content = bytearray(chunk.read_bytes())
                content[len(content) // 2] ^= 1
                chunk.write_bytes(content)
        result = dynarc("get", copy, "--pk", "b", "--sk", "3", exit=3)
        assert result.stdout == b"" and "data/" in result.stderr


def test_archives_without_items_to_find(dynarc, source, archive, tmp_path, table):
    dynarc("dump", "Numbers", "./keyless", "--projection", "exact", "--allow-keyless", at=source)
    assert "without keys" in dynarc("get", "./keyless", "--pk", "a", "--sk", "1", exit=3).stderr
    tables.create(source.client, table, "name:S", "n:N")
    dynarc("diff", archive, table, "--output", "./changes", at=source, exit=1)
    assert "changes" in dynarc("get", "./changes", "--pk", "a", "--sk", "1", exit=3).stderr
    assert "no archive" in dynarc("get", "./nowhere", "--pk", "a", "--sk", "1", exit=3).stderr


@pytest.mark.parametrize("kind", ["throttle", "internal_error", "reset_in_body", "truncate", "bad_crc"])
def test_through_faults(dynarc, source, numbers, proxy_to, kind):
    proxy = proxy_to(source, [{"kind": kind, "operation": "GetItem", "first": 2}])
    found = dynarc("get", "Numbers", "--pk", "a", "--sk", "1", at=source.through(proxy)).stdout
    assert proxy.record.faults[kind] == 2
    assert typed(found)["at"] == {"S": "a/1"}


def test_an_answer_about_another_item_is_not_taken(dynarc, source, numbers, proxy_to):
    proxy = proxy_to(source, [{"kind": "garbage", "operation": "GetItem"}])
    result = dynarc("get", "Numbers", "--pk", "a", "--sk", "1", at=source.through(proxy), exit=3)
    assert result.stdout == b"" and "cannot be used" in result.stderr
    assert "NoSuchTable" in dynarc("get", "NoSuchTable", "--pk", "1", at=source, exit=3).stderr
