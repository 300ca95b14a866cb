"""`dump --set`, `--remove`, `--hash`: each item is what another program makes of it, and the rest keeps its bytes."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

import archives
import tables
import transforms
from items import Item, canonical_item, from_wire, keyed
from people import ENV, SEGMENTS, people, person, stock  # noqa: F401
from spelling import assert_untouched
from transforms import KEY, changed, key_check, options

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


def test_values_that_are_asked_for_stay_in_the_manifest_and_that_is_told(dynarc, source, people, tmp_path):
    item = tables.read_all(source.client, people)[0]
    done = dynarc("dump", people, "./archive", "--pk", item["pk"]["S"], "--hash", "pk", "--rekey", at=source, env=ENV)
    assert "the manifest keeps what is asked for" in done.stderr
    assert item["pk"]["S"] in (tmp_path / "archive" / "manifest.json").read_text()
    assert "keeps" not in dynarc("dump", people, "./whole", "--hash", "email", "--rekey", at=source, env=ENV).stderr
