"""`dump --set`, `--remove`, `--hash`: each item is what another program makes of it, and the rest keeps its bytes."""

from __future__ import annotations

import json
import random
import re
import signal
from decimal import Decimal
from pathlib import Path

import pytest

import archives
import tables
import transforms
from copies import interrupted
from items import Item, canonical_item, corner_cases, from_wire, keyed, random_items
from program import Side, run_dynarc_until
from spelling import assert_untouched
from transforms import KEY, changed, key_check, options

ENV = {"DYNARC_HASH_KEY": KEY.decode()}
SEGMENTS = 4


def person(number: int) -> Item:
    """Every type, at the top and inside of maps and lists; now and then a parent is not there or is NULL."""
    source = random.Random(number)
    item: Item = {
        "email": {"S": f"jane.{number // 3}@example.com"},
        "age": {"N": source.choice(["42", "4.20E1", "-0.5", "0", "12345678901234567890123456789012345678"])},
        "photo": {"B": source.randbytes(number % 7)},
        "aliases": {"SS": [f"jane.{number // 3}@example.com", "", f"\"é\n{number}"]},
        "cards": {"NS": ["1", "-2.5", str(number + 10)]},
        "prints": {"BS": [b"\x00", source.randbytes(5)]},
        "member": {"BOOL": True},
        "gone": {"NULL": True},
        "dotted.name": {"S": "a name"},
        "empty": {"S": ""},
        "é\n\"": {"S": "odd name"},
        "address": {
            "M": {
                "street": {"S": f"Ring {number}"},
                "zip code": {"S": "1010"},
                "geo": {"M": {"lat": {"N": "48.2"}, "lon": {"N": "16.37"}, "seen": {"BOOL": False}}},
                "lines": {"L": [{"S": "one"}, {"N": "2"}, {"B": b"three"}, {"NULL": True}]},
                "sets": {"M": {"s": {"SS": ["a", "b"]}, "n": {"NS": ["3"]}, "b": {"BS": [b"x"]}}},
            }
        },
        "orders": {
            "L": [
                {"M": {"id": {"N": str(number)}, "note": {"S": "leave at door"}, "who": {"S": f"jane.{number // 3}@example.com"}}},
                {"M": {"id": {"N": "0"}}},
                {"L": [{"S": "deep"}, {"L": []}]},
            ]
        },
    }
    if number % 5 == 1:
        item["address"] = {"NULL": True}
    if number % 5 == 2:
        del item["address"], item["aliases"]
    if number % 7 == 3:
        item["orders"] = {"L": []}
    if number % 11 == 4:
        item["email"] = {"NULL": True}
    return item


@pytest.fixture(scope="module")
def people(source: Side) -> str:
    name = "TransformPeople"
    tables.create(
        source.client, name, attributes=["email:S"],
        GlobalSecondaryIndexes=[{
            "IndexName": "by-email", "KeySchema": tables.key_schema(("email:S", "HASH")),
            "Projection": {"ProjectionType": "ALL"},
        }],
    )  # fmt: skip
    # The largest ones would take minutes, once for each case.
    more = list(random_items(60, seed=11)) + [item for item in corner_cases() if len(repr(item)) < 20_000]
    # An index does not take an item whose key is NULL.
    persons = [person(number) for number in range(len(more))]
    for item in persons:
        if "NULL" in item["email"]:
            del item["email"]
    tables.put_all(source.client, name, keyed([other | item for other, item in zip(more, persons)]))
    return name


@pytest.fixture(scope="module")
def plain(binary, source, people, tmp_path_factory) -> Path:
    """The table as it is, in an archive."""
    from program import run_dynarc

    place = tmp_path_factory.mktemp("plain")
    run_dynarc(binary, place, place, "dump", people, "./archive", "--segments", SEGMENTS, at=source)
    return place / "archive"


def spelled(archive: Path) -> dict[tuple[str, str], str]:
    """Every item as it is spelled, by what the archive has as its place: segment and line."""
    found = {}
    for chunk in archives.chunk_files(archive):
        for number, line in enumerate(archives.decompress(chunk).decode().split("\n")[:-1]):
            found[chunk.name, str(number)] = line[len('{"Item":') : -1]
    return found


def boto_item(text: str) -> Item:
    return {name: from_wire(typed) for name, typed in json.loads(text).items()}


def assert_changed(before: Path, after: Path, rules: list[tuple]) -> None:
    """Each item of `after` is the one of the same place in `before` as the reference changes it."""
    old, new = spelled(before), spelled(after)
    assert old.keys() == new.keys() and len(old) > 50
    touched = kept = 0
    for place, text in old.items():
        item, found = boto_item(text), boto_item(new[place])
        expected = changed(item, rules)
        assert canonical_item(found) == canonical_item(expected), (place, rules)
        kept += assert_untouched(text, new[place], rules)
        touched += canonical_item(item) != canonical_item(expected)
    assert kept > len(old) and touched > 0, (kept, touched)


VALUES = [
    {"S": 'é "quoted"\n'}, {"S": ""}, {"N": "-1.50E3"}, {"B": b"\x00\xff"}, {"B": b""}, {"BOOL": False}, {"NULL": True},
    {"SS": ["", "x"]}, {"NS": ["1", "2.5"]}, {"BS": [b"x", b""]}, {"L": [{"S": "x"}, {"L": []}]},
    {"M": {"a.b": {"N": "1"}, "M": {"M": {}}}},
]  # fmt: skip

TOP = ["age", "photo", "aliases", "cards", "prints", "member", "gone", "dotted.name", "empty", "é\n\"", "orders", "address"]
NESTED = [
    ("address", "street"), ("address", "zip code"), ("address", "geo", "lat"), ("address", "lines", 0),
    ("address", "lines", 3), ("address", "sets", "b"), ("orders", 0, "who"), ("orders", 1), ("orders", 2, 0),
]  # fmt: skip
HASHED = [
    ("age",), ("photo",), ("aliases",), ("cards",), ("prints",), ("gone",), ("empty",), ("dotted.name",), ("é\n\"",),
    ("address", "street"), ("address", "geo", "lon"), ("address", "lines", 0), ("address", "lines", 1),
    ("address", "lines", 2), ("address", "lines", 3), ("address", "lines", 9), ("address", "sets", "s"),
    ("address", "sets", "n"), ("address", "sets", "b"), ("orders", 0, "who"), ("orders", 0, "id"), ("orders", 2, 0),
    ("nowhere",), ("nowhere", "x"),
]  # fmt: skip
CASES = {
    **{f"set-{'-'.join(value)}-{number}": [("set", ("age",), value)] for number, value in enumerate(VALUES)},
    **{f"set-top-{number}": [("set", (name,), {"S": "x"})] for number, name in enumerate(TOP)},
    "set-new": [("set", ("new",), {"N": "1"}), ("set", ("new too",), {"S": ""})],
    **{f"set-nested-{number}": [("set", path, {"S": "x"})] for number, path in enumerate(NESTED)},
    "set-nested-new": [("set", ("address", "new"), {"N": "1"}), ("set", ("address", "geo", "a.b"), {"N": "1"})],
    "set-nowhere": [("set", ("address", "lines", 9), {"N": "1"}), ("set", ("x", "y"), {"N": "1"}), ("set", ("age",), {"N": "1"})],
    **{f"remove-top-{number}": [("remove", (name,))] for number, name in enumerate(TOP)},
    **{f"remove-nested-{number}": [("remove", path)] for number, path in enumerate(NESTED)},
    "remove-many": [("remove", (name,)) for name in TOP] + [("remove", ("nowhere",)), ("remove", ("email", ))],
    "remove-elements": [("remove", ("address", "lines", index)) for index in (0, 2, 3, 7)] + [("hash", ("address", "lines", 1))],
    **{f"hash-{number}": [("hash", path), ("set", ("new",), {"N": "1"})] for number, path in enumerate(HASHED)},
    "all": [("hash", path) for path in HASHED if path[0] not in ("nowhere", "aliases", "age")]
    + [("remove", ("aliases",)), ("remove", ("address", "zip code")), ("remove", ("address", "geo", "lat"))]
    + [("set", ("age",), {"N": "1"}), ("set", ("address", "new"), {"S": "x"}), ("set", ("nowhere",), {"S": "y"})],
}  # fmt: skip


def unescaped(path: str) -> str:
    """A path as dynarc writes it, with letters of all scripts as they are."""
    return re.sub(r"\\u(00[a-f]\w)", lambda escape: chr(int(escape[1], 16)), path)


@pytest.mark.parametrize("name", CASES)
def test_each_item_is_what_the_reference_makes_of_it(dynarc, source, people, plain, tmp_path, name):
    rules = CASES[name]
    rekey = ["--rekey"] if any(path[0] == "email" for _, path, *_ in rules) else []
    dynarc("dump", people, "./archive", "--segments", SEGMENTS, *options(rules), *rekey, at=source, env=ENV)
    archive = tmp_path / "archive"
    assert_changed(plain, archive, rules)
    dynarc("verify", "./archive")
    assert archives.sums_hold(archive)
    told = archives.manifest(archive)["source"]
    assert told.get("hashKeyCheck") == (key_check() if any(rule[0] == "hash" for rule in rules) else None)
    # dynarc has the rules by kind.
    ordered = [rule for kind in ("set", "remove", "hash") for rule in rules if rule[0] == kind]
    assert told["transforms"] == [
        {"operation": operation, "path": unescaped(transforms.written(path))} | ({"value": transforms.wire(value[0])} if value else {})
        for operation, path, *value in ordered
    ]


def test_what_the_archive_tells(dynarc, source, people, plain, tmp_path):
    rules = ["--hash", "email", "--remove", "photo", "--rekey"]
    done = dynarc("dump", people, "./archive", *rules, "--json", at=source, env=ENV)
    assert done.json["transforms"] == [{"operation": "remove", "path": "photo"}, {"operation": "hash", "path": "email"}]
    assert done.json["hashKeyCheck"] == key_check()
    assert "remove photo, hash email" in dynarc("info", "./archive").stdout.decode()
    assert dynarc("info", "./archive", "--json").json["source"]["hashKeyCheck"] == key_check()
    for member in ("transforms", "hashKeyCheck"):
        assert member not in archives.manifest(plain)["source"]
    assert "Changed" not in dynarc("info", plain).stdout.decode()
    # Nor does the key stand anywhere.
    for file in archives.chunk_files(tmp_path / "archive") + [tmp_path / "archive" / "manifest.json"]:
        assert KEY not in (archives.decompress(file) if file.suffix == ".zst" else file.read_bytes())

    warned = dynarc("diff", plain, "./archive", "--stat", exit=1).stderr
    assert "./archive are not as they were in its table" in warned and "hash email" in warned
    dynarc("dump", people, "./again", *rules, at=source, env=ENV)
    assert "are not as they were" not in dynarc("diff", "./archive", "./again").stderr


def test_no_base_for_changes(dynarc, source, people, plain, tmp_path):
    dynarc("dump", people, "./changed", "--remove", "photo", at=source)
    refused = dynarc("dump", people, "./changes", "--base", "./changed", at=source, exit=2).stderr
    assert "remove photo" in refused and "hint" in refused
    assert "--base" in dynarc("dump", people, "./changes", "--base", plain, "--remove", "photo", at=source, exit=2).stderr
    assert not (tmp_path / "changes").exists()


def test_chains_of_changed_items(dynarc, source, table, tmp_path):
    """Changes between two dumps with the same rules lead from one to the other, and say so."""
    tables.create(source.client, table)
    tables.put_all(source.client, table, keyed([person(number) for number in range(20)]))
    rules = ["--remove", "photo", "--hash", "address.street"]
    dynarc("dump", table, "./sunday", *rules, at=source, env=ENV)
    tables.put_all(source.client, table, keyed([person(number + 3) for number in range(10)]))
    dynarc("dump", table, "./monday", *rules, at=source, env=ENV)
    dynarc("diff", "./sunday", "./monday", "--output", "./changes", exit=1)
    dynarc("merge", "./sunday", "./changes", "./merged")
    dynarc("diff", "./merged", "./monday")
    want = archives.manifest(tmp_path / "monday")["source"]
    for made in ("changes", "merged"):
        found = archives.manifest(tmp_path / made)["source"]
        assert found["transforms"] == want["transforms"] and found["hashKeyCheck"] == want["hashKeyCheck"]
        dynarc("verify", f"./{made}")


# MARK: Joins


def place(item: Item) -> str:
    return item["pk"]["S"] + item["sk"]["S"]


def joined(customers: list[Item], orders: list[Item]) -> set[tuple[str, str]]:
    """Which customer belongs to which order: by text, by number and by bytes."""
    pairs = set()
    for customer in customers:
        for order in orders:
            inner = order["to"]["M"]
            if (
                customer["email"]["S"] in inner["emails"]["SS"]
                and Decimal(customer["card"]["N"]) in map(Decimal, inner["cards"]["NS"])
                and customer["print"]["B"] == order["prints"]["L"][0]["B"]
            ):
                pairs.add((place(customer), place(order)))
    return pairs


def test_equal_values_stay_equal_across_tables(dynarc, source, table, tmp_path):
    emails = ["jane@example.com", "J\u00e9@example.com", "Je\u0301@example.com", ""]
    # One value, two spellings; a server may make one of them.
    numbers = [("1.50", "15E-1"), ("100", "1E+2"), ("-0.0", "0"), ("7", "7")]
    prints = [b"\x00", b"\xff\xfe", b"", b"x"]
    customers, orders = [], []
    for number in range(24):
        a, b, c = number % 4, number // 4 % 3, number % 3
        customers.append({"email": {"S": emails[a]}, "card": {"N": numbers[b][0]}, "print": {"B": prints[c]}})
        orders.append({
            "to": {"M": {"emails": {"SS": [emails[a], f"other-{number}"]}, "cards": {"NS": [numbers[b][1], str(99 + number)]}}},
            "prints": {"L": [{"B": prints[c]}]},
        })  # fmt: skip
    rules = {
        "a": [("hash", ("email",)), ("hash", ("card",)), ("hash", ("print",))],
        "b": [("hash", ("to", "emails")), ("hash", ("to", "cards")), ("hash", ("prints", 0))],
    }
    for side, stock in (("a", customers), ("b", orders)):
        tables.create(source.client, f"{table}-{side}")
        tables.put_all(source.client, f"{table}-{side}", keyed(stock))
        dynarc("dump", f"{table}-{side}", f"./{side}-plain", at=source)
        dynarc("dump", f"{table}-{side}", f"./{side}", *options(rules[side]), at=source, env=ENV)
        other = ENV | {"DYNARC_HASH_KEY": "another key, as long"}
        dynarc("dump", f"{table}-{side}", f"./{side}-other", *options(rules[side]), at=source, env=other)
    before, after, other = (
        [archives.read_archive(tmp_path / f"{side}{suffix}") for side in "ab"] for suffix in ("-plain", "", "-other")
    )
    pairs = joined(*before)
    assert 24 <= len(pairs) < 24 * 24
    assert joined(*after) == pairs and joined(*other) == pairs
    # With two keys nothing is equal, and nothing of what was there is left.
    assert joined(after[0], other[1]) == set()
    left = {item["email"]["S"] for item in after[0]} & set(emails)
    assert left == set()


# MARK: What is refused

BEFORE_ANY_REQUEST = [
    (["--set", "name=Jane"], "name=\"Jane\""),
    (["--set", "name"], "no ="),
    (["--set", "name="], "empty"),
    (["--set", 'a={"N":"x"}'], "x is not a number"),
    (["--set", "a=1e126"], "outside"),
    (["--set", 'a={"SS":[]}'], "SS takes"),
    (["--remove", "a..b"], "no path"),
    (["--hash", "a b"], "no path"),
    (["--remove", "a", "--hash", "a.b"], "two rules"),
    (["--set", "a=1", "--set", "a=2"], "two rules"),
    (["--rekey"], "--rekey"),
]


@pytest.mark.parametrize("rules, words", BEFORE_ANY_REQUEST)
def test_expressions_are_refused_before_any_request(dynarc, tmp_path, rules, words):
    # There is no server, no region and no credential.
    result = dynarc("dump", "Orders", "./archive", *rules, env=ENV, exit=2)
    assert words in result.stderr and "dynarc: hint: " in result.stderr, result.stderr
    assert result.stdout == b"" and not (tmp_path / "archive").exists()


def test_the_hash_key_is_long_and_known(dynarc, source, people, tmp_path):
    def refused(*arguments: object, env: dict[str, str] = {}) -> str:
        result = dynarc("dump", people, "./archive", *arguments, at=source, env=env, exit=2)
        assert not (tmp_path / "archive").exists() and "dynarc: hint: " in result.stderr
        return result.stderr

    assert "no key" in refused("--hash", "empty")
    assert "no key" in refused("--hash", "empty", env={"DYNARC_HASH_KEY": ""})
    assert "15 bytes" in refused("--hash", "empty", env={"DYNARC_HASH_KEY": "x" * 15})
    short = tmp_path / "key"
    short.write_bytes(b"x" * 15 + b"\n")
    assert "15 bytes" in refused("--hash", "empty", "--hash-key-file", "./key", env=ENV)
    assert "nowhere" in refused("--hash", "empty", "--hash-key-file", "./nowhere", env=ENV)
    short.write_bytes(KEY + b"\n")
    dynarc("dump", people, "./archive", "--hash", "empty", "--hash-key-file", "./key", at=source)
    assert archives.manifest(tmp_path / "archive")["source"]["hashKeyCheck"] == key_check()


@pytest.mark.parametrize(
    "rules, words",
    [
        (["--hash", "pk"], "pk is a key attribute of table"),
        (["--set", 'sk="x"'], "--rekey"),
        (["--hash", "email"], "index by-email"),
        (["--remove", "email"], "--rekey"),
        (["--remove", "sk", "--rekey"], "cannot be removed"),
        (["--set", "pk=1", "--rekey"], "of type S"),
        (["--set", 'pk=""', "--rekey"], "0 bytes"),
        (["--set", "email=null", "--rekey"], "of type S"),
        (["--set", 'pk="a"', "--set", 'sk="b"', "--rekey"], "same key"),
        (["--hash", "pk.x", "--rekey"], "there is no pk.x"),
    ],
)
def test_keys_are_looked_at_before_anything_is_created(dynarc, source, people, tmp_path, rules, words):
    result = dynarc("dump", people, "./archive", *rules, at=source, env=ENV, exit=2)
    assert words in result.stderr and "dynarc: hint: " in result.stderr, result.stderr
    assert result.stdout == b"" and not (tmp_path / "archive").exists()


@pytest.mark.parametrize(
    "rules, words",
    [
        (["--hash", "member"], "member is true or false (BOOL)"),
        (["--hash", "orders"], "orders is a list (L)"),
        (["--hash", "address"], "address is a map (M)"),
        (["--hash", "address.geo.seen"], "address.geo.seen is true or false (BOOL)"),
        (["--set", "empty.x=1"], "empty is a string (S), and no map"),
        (["--remove", "orders.x"], "orders is a list (L), and no map"),
        (["--remove", "address[0]"], "address is a map (M), and no list"),
        (["--remove", "orders[0].note.x"], "orders[0].note is a string (S), and no map"),
    ],
)
def test_another_type_ends_the_dump_and_leaves_nothing(dynarc, source, people, tmp_path, rules, words):
    result = dynarc("dump", people, "./archive", *rules, at=source, env=ENV, exit=3)
    assert words in result.stderr and "dynarc: hint: " in result.stderr, result.stderr
    assert '{"pk":{"S":"p' in result.stderr
    assert result.stdout == b"" and not (tmp_path / "archive").exists()


@pytest.fixture(scope="module")
def stock(source: Side) -> str:
    """Large enough for a dozen pages."""
    name = "TransformStock"
    tables.create(source.client, name)
    items = [person(number) | {"filler": {"S": "x" * 40_000}} for number in range(300)]
    tables.put_all(source.client, name, keyed(items))
    return name


def test_a_mismatch_at_the_end_removes_what_was_written(dynarc, source, stock, tmp_path):
    scan = {"Segment": 0, "TotalSegments": 1, "ProjectionExpression": "pk, sk"}
    last = tables.read_all(source.client, stock, **scan)[-1]
    source.client.put_item(TableName=stock, Item=last | {"late": {"M": {}}, "filler": {"S": "x"}})
    slice_of_work = ["--segments", 1, "--chunk-size", "64KiB"]
    error = dynarc("dump", stock, "./archive", *slice_of_work, "--hash", "late", at=source, env=ENV, exit=3).stderr
    assert f'"sk":{{"S":"{last["sk"]["S"]}"}}' in error and "late is a map (M)" in error
    assert not (tmp_path / "archive").exists()
    dynarc("dump", stock, "./archive", *slice_of_work, "--remove", "late", at=source)
    # There was a dozen chunks to remove: the item is the last one of the last.
    chunks = archives.chunk_files(tmp_path / "archive")
    assert len(chunks) > 5
    assert place(boto_item(list(spelled(tmp_path / "archive").values())[-1])) == place(last)


def test_two_items_of_one_key_leave_nothing(dynarc, source, people, table, tmp_path):
    error = dynarc("dump", people, "./archive", "--set", 'pk="p"', "--rekey", at=source, exit=3).stderr
    assert "would get the key of another one" in error and '{"pk":{"S":"p"},"sk":{"S":"s' in error
    assert not (tmp_path / "archive").exists()
    # Where keys stay apart, they may be set, and nothing is lost.
    tables.create(source.client, table)
    tables.put_all(source.client, table, [person(n) | {"pk": {"S": f"p{n}"}, "sk": {"S": f"s{n}"}} for n in range(30)])
    dynarc("dump", table, "./archive", "--set", 'pk="p"', "--hash", "sk", "--rekey", at=source, env=ENV)
    found = archives.read_archive(tmp_path / "archive")
    assert {item["pk"]["S"] for item in found} == {"p"}
    assert {item["sk"]["S"] for item in found} == {transforms.hashed({"S": f"s{n}"})["S"] for n in range(30)}


# MARK: Going on

RULES = [
    ("set", ("note",), {"S": "x"}), ("remove", ("photo",)), ("remove", ("orders", 0, "note")),
    ("hash", ("address", "street")), ("hash", ("cards",)),
]  # fmt: skip


def segments_of(archive: Path) -> dict[str, bytes]:
    content: dict[str, bytes] = {}
    for chunk in archives.chunk_files(archive):
        number = chunk.name.split("-")[0]
        content[number] = content.get(number, b"") + archives.decompress(chunk)
    return content


def slow(side: Side, proxy_to, seconds: float) -> Side:
    return side.through(proxy_to(side, [{"kind": "stall", "operation": "Scan", "rate": 1, "seconds": seconds}]))


@pytest.fixture
def key_file(tmp_path) -> Path:
    path = tmp_path / "key"
    path.write_bytes(KEY + b"\n")
    return path


def test_a_stopped_dump_goes_on_with_its_rules(dynarc, binary, source, stock, proxy_to, tmp_path, key_file):
    at = slow(source, proxy_to, 0.3)
    how = ["--segments", SEGMENTS, "--concurrency", 1, "--chunk-size", "64KiB"]
    with_key = ["--hash-key-file", key_file]
    dynarc("dump", stock, "./whole", *how, *options(RULES), *with_key, at=source)
    archive = tmp_path / "archive"

    def begun() -> bool:
        return archive.exists() and len(archives.chunk_files(archive)) > 1

    code, said = interrupted(
        binary, tmp_path, tmp_path / "home", "dump", stock, archive, *how, *options(RULES), *with_key, at=at, when=begun
    )
    assert code == 130 and "--resume" in said, said
    journal = (archive / "dump.journal").read_bytes()
    told = dynarc("info", "./archive").stdout.decode()
    assert "set note, remove photo" in told and "same hash key" in told

    def refused(*arguments: object, exit: int, env: dict[str, str] = {}) -> str:
        error = dynarc("dump", stock, "./archive", "--resume", *arguments, at=source, env=env, exit=exit).stderr
        assert (archive / "dump.journal").read_bytes() == journal and "dynarc: hint: " in error
        return error

    assert "no key to hash" in refused(exit=2)
    assert "not the one that the dump was begun with" in refused(exit=2, env={"DYNARC_HASH_KEY": "x" * 16})
    assert "transforms" in refused(*options(RULES[:-1]), exit=3, env=ENV)
    assert "transforms" in refused("--remove", "photo", exit=3)
    assert "not the one" in refused(*options(RULES), exit=2, env={"DYNARC_HASH_KEY": "x" * 16})

    done = dynarc("dump", stock, "./archive", "--resume", "--json", *with_key, at=source).json
    assert 0 < done["resumedItems"] < done["items"] == 300
    assert segments_of(archive) == segments_of(tmp_path / "whole")
    assert archives.manifest(archive)["source"] == archives.manifest(tmp_path / "whole")["source"]
    dynarc("verify", "./archive")
    # And once more, for those who try until it succeeds; the rules may be given, too.
    again = dynarc("dump", stock, "./archive", "--resume", "--json", *options(RULES), at=source, env=ENV).json
    assert again["id"] == done["id"]


def test_a_dump_without_rules_is_not_gone_on_with_by_rules(dynarc, binary, source, stock, proxy_to, tmp_path):
    archive = tmp_path / "archive"
    code, _ = interrupted(
        binary, tmp_path, tmp_path / "home", "dump", stock, archive, "--segments", SEGMENTS, "--concurrency", 1,
        at=slow(source, proxy_to, 0.3), when=lambda: (archive / "dump.journal").exists(),
    )  # fmt: skip
    assert code == 130
    assert "transforms" in dynarc("dump", stock, "./archive", "--resume", "--remove", "photo", at=source, exit=3).stderr
    dynarc("dump", stock, "./archive", "--resume", at=source)
    assert "transforms" not in archives.manifest(archive)["source"]


def test_killed_at_random_moments(dynarc, binary, source, stock, proxy_to, tmp_path, key_file):
    at = slow(source, proxy_to, 0.1)
    arguments = ["--segments", SEGMENTS, "--concurrency", 2, "--chunk-size", "64KiB"]
    dynarc("dump", stock, "./whole", *arguments, *options(RULES), "--hash-key-file", key_file, at=source)
    expected = segments_of(tmp_path / "whole")
    rng = random.Random("transforms")
    killed = 0
    for attempt in range(3):
        place = tmp_path / f"kill-{attempt}"
        code = None
        for run in range(100):
            # A dump that was killed before it noted its rules cannot know them.
            journal = place / "dump.journal"
            knows = journal.exists() and b"\n" in journal.read_bytes() or (place / "SHA256SUMS").exists()
            rules = (["--resume"] if place.exists() else []) + ([] if knows else options(RULES))
            code = run_dynarc_until(
                binary, tmp_path, tmp_path / "home", rng.uniform(0.1, 1.2) * 1.1**run, signal.SIGKILL,
                "dump", stock, place, *arguments, *rules, "--hash-key-file", key_file, at=at,
            )  # fmt: skip
            if code == 0:
                break
            assert code == -signal.SIGKILL, code
            killed += 1
        assert code == 0 and segments_of(place) == expected
        dynarc("verify", place)
    assert killed > 2


def test_a_dump_that_noted_nothing_says_so(dynarc, source, people, tmp_path):
    """Its rules are lost with the rest of what was asked for, which must not pass in silence."""
    archive = tmp_path / "archive"
    (archive / "data").mkdir(parents=True)
    (archive / "dump.journal").write_bytes(b'{"format":"dynarc-jour')
    said = dynarc("dump", people, "./archive", "--resume", "--remove", "photo", at=source).stderr
    assert "dynarc: warning: " in said and "as it is asked for now" in said
    assert archives.manifest(archive)["source"]["transforms"] == [{"operation": "remove", "path": "photo"}]


def test_a_collision_across_runs_is_found(dynarc, binary, source, stock, proxy_to, tmp_path):
    archive = tmp_path / "archive"
    code, _ = interrupted(
        binary, tmp_path, tmp_path / "home", "dump", stock, archive, "--segments", SEGMENTS, "--concurrency", 1,
        "--chunk-size", "64KiB", "--set", 'pk="p"', "--rekey", at=slow(source, proxy_to, 0.3),
        when=lambda: archive.exists() and len(archives.chunk_files(archive)) > 1,
    )  # fmt: skip
    assert code == 130
    error = dynarc("dump", stock, "./archive", "--resume", at=source, exit=3).stderr
    # What an earlier run has begun is not this one's to remove.
    assert "would get the key of another one" in error and "unfinished" in error
    assert (archive / "dump.journal").exists() and not (archive / "SHA256SUMS").exists()
