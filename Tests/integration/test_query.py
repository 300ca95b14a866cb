"""`dynarc query`: the items of a partition as boto3 finds them, in every form, whatever is in them."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
import unicodedata

import pytest

import tables
from items import NAMES, TEXTS, Item, canonical_item, from_wire
from program import Side, environment_of

GSI, LSI, BOTH = "by-status", "by-size", "by-two"
STATUSES = ["new", "paid", "shipped"]
KEYS = ["customer", "number"]


@pytest.fixture(scope="module")
def shop(source: Side) -> str:
    """60 items: customers c0…c2, order numbers -3…16, a global index and a local one."""
    name = "Looks"
    key = tables.key_schema
    tables.create(
        source.client, name, "customer:S", "number:N",
        attributes=["status:S", "day:S", "size:N"],
        GlobalSecondaryIndexes=[
            {"IndexName": GSI, "KeySchema": key(("status", "HASH"), ("day", "RANGE")),
             "Projection": {"ProjectionType": "ALL"}}],
        LocalSecondaryIndexes=[
            {"IndexName": LSI, "KeySchema": key(("customer", "HASH"), ("size", "RANGE")),
             "Projection": {"ProjectionType": "KEYS_ONLY"}}],
    )  # fmt: skip
    tables.put_all(source.client, name, rows())
    return name


def rows() -> list[Item]:
    return [
        {
            "customer": {"S": f"c{customer}"},
            "number": {"N": str(number)},
            "status": {"S": STATUSES[number % 3]},
            "day": {"S": f"2026-{number + 4:02d}#{customer}"},
            "size": {"N": str(number * number)},
            "exact": {"N": "12345678901234567890123456789012345678"},
            "address": {"M": {"city": {"S": ["Wien", "Zürich"][number % 2]}, "tags": {"SS": ["b", "a"]}}},
        }
        | ({"note": {"S": "x"}} if number == 5 else {})
        for customer in range(3)
        for number in range(-3, 17)
    ]


def mine(customer: str = "c1") -> list[Item]:
    return [item for item in rows() if item["customer"]["S"] == customer]


def typed(output: bytes) -> list[Item]:
    """The lines of typed JSON as boto3 has them."""
    return [
        {name: from_wire(value) for name, value in json.loads(line).items()}
        for line in output.decode().split("\n")[:-1]
    ]


def same(found: list[Item], wanted: list[Item]) -> bool:
    """In the same order, too."""
    return list(map(canonical_item, found)) == list(map(canonical_item, wanted))


@pytest.mark.parametrize(
    "options, query",
    [
        ([], {}),
        (["--reverse"], {"ScanIndexForward": False}),
        (["--sk", "-2"], {"sk": "number = :sk", ":sk": "-2"}),
        (["--sk", "2.0"], {"sk": "number = :sk", ":sk": "2"}),
        (["--sk-ge", "4", "--reverse"], {"sk": "number >= :sk", ":sk": "4", "ScanIndexForward": False}),
        (["--sk-between", "-1", "3"], {"sk": "number BETWEEN :sk AND :to", ":sk": "-1", ":to": "3"}),
        (["--sk-gt", "1000"], {"sk": "number > :sk", ":sk": "1000"}),
        (["--consistent"], {"ConsistentRead": True}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_as_boto3_finds_them(dynarc, source, shop, options, query):
    condition, values = "customer = :pk", {":pk": {"S": "c1"}}
    if term := query.pop("sk", None):
        condition += f" AND {term}".replace("number", "#n")
        values |= {name: {"N": query.pop(name)} for name in list(query) if name.startswith(":")}
        query["ExpressionAttributeNames"] = {"#n": "number"}
    wanted = source.client.query(
        TableName=shop, KeyConditionExpression=condition, ExpressionAttributeValues=values, **query
    )["Items"]
    result = dynarc("query", shop, "--pk", "c1", *options, at=source)
    assert same(typed(result.stdout), wanted)
    assert f"{len(wanted)} item" in result.stderr and "read units" in result.stderr


def test_an_index_filtered_and_projected(dynarc, source, shop):
    result = dynarc(
        "query", shop, "--index", GSI, "--pk", "paid", "--sk-begins-with", "2026-0", "--reverse",
        "--filter", "#n > :n", "--projection", "#n, customer",
        "--names", '{"#n":"number"}', "--values", '{":n":{"N":"0"}}', at=source,
    )  # fmt: skip
    found = [row for row in rows() if row["status"]["S"] == "paid" and row["day"]["S"].startswith("2026-0")]
    kept = [row for row in found if int(row["number"]["N"]) > 0]
    kept.sort(key=lambda row: row["day"]["S"], reverse=True)
    assert same(typed(result.stdout), [{name: row[name] for name in KEYS} for row in kept])
    assert f"{len(kept)} items of {len(found)} read" in result.stderr


def test_a_part_of_each_item_is_said(dynarc, source, shop):
    result = dynarc("query", shop, "--index", LSI, "--pk", "c1", "--head", at=source)
    assert "only in part" in result.stderr and LSI in result.stderr
    assert typed(result.stdout)[0].keys() == {"customer", "number", "size"}


def test_an_index_with_two_partition_attributes(dynarc, source, table):
    """Where the server knows them."""
    key = tables.key_schema
    index = {
        "IndexName": BOTH, "KeySchema": key(("a", "HASH"), ("b", "HASH"), ("c", "RANGE")),
        "Projection": {"ProjectionType": "ALL"},
    }  # fmt: skip
    try:
        tables.create(source.client, table, attributes=["a:S", "b:N", "c:S"], GlobalSecondaryIndexes=[index])
        known = source.client.describe_table(TableName=table)["Table"]["GlobalSecondaryIndexes"][0]
    except source.client.exceptions.ClientError as refusal:
        pytest.skip(f"this server knows one partition attribute: {refusal}")
    if len(known["KeySchema"]) != 3:
        pytest.skip("this server knows one partition attribute")
    found = [
        {"pk": {"S": str(n)}, "sk": {"S": "-"}, "a": {"S": "x"}, "b": {"N": str(n % 2)}, "c": {"S": f"{n:02}"}}
        for n in range(10)
    ]
    tables.put_all(source.client, table, found)
    result = dynarc("query", table, "--index", BOTH, "--pk", "x", "--pk", "1", "--sk-ge", "04", at=source)
    assert same(typed(result.stdout), [found[5], found[7], found[9]])
    assert "2 attribute" in dynarc("query", table, "--index", BOTH, "--pk", "x", at=source, exit=2).stderr


def test_plain_numbers_are_exact(dynarc, source, shop):
    result = dynarc("query", shop, "--pk", "c1", "--plain", "--head", at=source)
    assert b'"exact":12345678901234567890123456789012345678' in result.stdout
    assert json.loads(result.stdout)["address"]["city"] == "Zürich"


@pytest.mark.parametrize(
    "options, count", [(["--head"], 1), (["--head", "3"], 3), (["--limit=7"], 7), (["--limit", "99"], 20)]
)
def test_no_more_than_wanted_is_read(dynarc, source, shop, options, count):
    result = dynarc("query", shop, "--pk", "c1", *options, at=source)
    assert same(typed(result.stdout), mine()[:count])
    # All that was read was given: the service was asked for no more.
    assert f"{count} item" in result.stderr and " read, in" not in result.stderr


def test_a_limit_counts_behind_the_filter(dynarc, source, shop):
    result = dynarc(
        "query", shop, "--pk", "c1", "--filter", "#s > :s", "--names", '{"#s":"size"}',
        "--values", '{":s":{"N":"99"}}', "--limit", 2, at=source,
    )  # fmt: skip
    assert [item["number"]["N"] for item in typed(result.stdout)] == ["10", "11"]


@pytest.mark.parametrize(
    "options, count",
    [([], 20), (["--sk-lt", "0"], 3), (["--sk", "77"], 0), (["--limit", "4"], 4),
     (["--filter", "attribute_exists(note)"], 1), (["--filter", "attribute_exists(note)", "--limit", "1"], 1)],
)  # fmt: skip
def test_count(dynarc, source, shop, options, count):
    assert dynarc("query", shop, "--pk", "c1", "--count", *options, at=source).stdout == f"{count}\n".encode()
    report = dynarc("query", shop, "--pk", "c1", "--count", "--json", *options, at=source)
    assert report.json["items"] == count
    assert report.json["consumedReadUnits"] > 0 and report.json["retries"]["total"] == 0
    assert report.stderr == ""


def test_unique(dynarc, source, shop):
    run = lambda *options: dynarc("query", shop, "--pk", "c1", *options, at=source)
    assert run("--unique", "address.city").stdout.decode() == '10  "Wien"\n10  "Zürich"\n'
    assert run("--unique", "status", "--limit", 4).stdout.decode() == '2  "new"\n1  "paid"\n1  "shipped"\n'
    assert run("--unique", "address.tags").stdout.decode().startswith('20  {"SS":[')
    assert run("--unique", "note").stdout.decode() == ' 1  "x"\n19  (without)\n'
    report = run("--unique", "note", "--json").json
    assert (report["attribute"], report["without"]) == ("note", 19)
    assert report["values"] == [{"value": {"S": "x"}, "items": 1}]
    assert report["items"] == 20


def test_several_pages(dynarc, source, table):
    tables.create(source.client, table)
    large = [{"pk": {"S": "p"}, "sk": {"S": f"{n:03}"}, "text": {"S": "é" * 30_000}} for n in range(45)]
    large[7]["text"] = {"S": "\x01" * 390_000}
    tables.put_all(source.client, table, large)
    result = dynarc("query", table, "--pk", "p", at=source)
    assert same(typed(result.stdout), large)
    assert "in 3 pages" in result.stderr or "in 4 pages" in result.stderr
    assert dynarc("query", table, "--pk", "p", "--count", at=source).stdout == b"45\n"
    # Off a terminal nothing is cut.
    text = dynarc("query", table, "--pk", "p", "--table", at=source).stdout.decode()
    assert text.count("é") == 44 * 30_000 and text.count("\\u{1}") == 390_000
    assert len(text.splitlines()) == 46
    # Nobody waits for the rest.
    assert same(typed(dynarc("query", table, "--pk", "p", "--limit", 30, at=source).stdout), large[:30])


def test_a_reader_that_goes_away_ends_it_quietly(binary, tmp_path, source, shop):
    command = f"'{binary}' query {shop} --pk c1 | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"], cwd=tmp_path, capture_output=True,
        env=environment_of(tmp_path, source), timeout=60,
    )  # fmt: skip
    assert done.stdout.count(b"\n") == 1
    assert b"error" not in done.stderr
    assert done.returncode in (0, 128 + 13)


def test_nothing_found(dynarc, source, shop):
    result = dynarc("query", shop, "--pk", "nobody", "--table", at=source)
    assert result.stdout == b"" and "0 items" in result.stderr


FAULTS = ["throttle", "internal_error", "unavailable", "reset_in_body", "truncate", "bad_crc", "garbage"]


@pytest.mark.parametrize("kind", FAULTS)
def test_through_faults(dynarc, source, shop, proxy_to, kind):
    proxy = proxy_to(source, [{"kind": kind, "operation": "Query", "first": 3}])
    result = dynarc("query", shop, "--pk", "c1", at=source.through(proxy))
    assert proxy.record.faults[kind] == 3
    assert same(typed(result.stdout), mine())
    assert "retried 3 times" in result.stderr


def test_throttled_without_end(dynarc, source, shop, proxy_to):
    proxy = proxy_to(source, [{"kind": "throttle", "operation": "Query"}])
    options = ("--count", "--give-up-after", "3s")
    result = dynarc("query", shop, "--pk", "c1", *options, at=source.through(proxy), exit=4)
    assert result.stdout == b"" and " holds the job back (TableRead" in result.stderr


@pytest.mark.parametrize(
    "options, told",
    [
        ([], ["--pk", "dynarc dump"]),
        (["--index", GSI], ["--pk", "dynarc dump"]),
        (["--pk", ""], ["--pk"]),
        (["--pk", "c1", "--index", "by-nothing"], [GSI, LSI]),
        (["--pk", "c1", "--pk", "c2"], ["customer"]),
        (["--pk", "c1", "--sk", "four"], ["number"]),
        (["--pk", "c1", "--limit", "0"], ["--limit"]),
        (["--pk", "c1", "--head", "0"], ["--head"]),
        (["--pk", "c1", "--head", "--limit", "2"], ["--head", "--limit"]),
        (["--pk", "c1", "--plain", "--table"], ["--plain", "--table"]),
        (["--pk", "c1", "--json"], ["--count", "--unique"]),
        (["--pk", "c1", "--count", "--projection", "customer"], ["--projection"]),
        (["--pk", "c1", "--unique", "a", "--projection", "b"], ["--unique", "--projection"]),
        (["--pk", "c1", "--unique", "a..b"], ["--unique"]),
        (["--pk", "paid", "--index", GSI, "--consistent"], ["consistent"]),
    ],
    ids=lambda value: " ".join(value),
)
def test_wrong_usage(dynarc, source, shop, options, told):
    result = dynarc("query", shop, *options, at=source, exit=2)
    assert result.stdout == b"" and "dynarc: hint: " in result.stderr
    for word in told:
        assert word in result.stderr


def test_no_such_table(dynarc, source):
    assert "NoSuchTable" in dynarc("query", "NoSuchTable", "--pk", "1", at=source, exit=3).stderr


def test_keys_with_odd_characters(dynarc, source, table):
    tables.create(source.client, table)
    odd = sorted({text for text in TEXTS + NAMES if text and "\0" not in text})
    tables.put_all(source.client, table, [{"pk": {"S": text}, "sk": {"S": text}} for text in odd])
    for text in odd:
        found = dynarc("query", table, f"--pk={text}", f"--sk={text}", at=source).stdout
        assert same(typed(found), [{"pk": {"S": text}, "sk": {"S": text}}]), text


def test_binary_keys(dynarc, source, table):
    tables.create(source.client, table, "pk:B", "sk:B")
    found = [{"pk": {"B": b"\xff\x00"}, "sk": {"B": bytes([n, 255])}} for n in range(4)]
    tables.put_all(source.client, table, found)
    prefix = base64.b64encode(b"\x02").decode()
    result = dynarc("query", table, "--pk", "/wA=", "--sk-begins-with", prefix, at=source)
    assert same(typed(result.stdout), found[2:3])
    assert "base64" in dynarc("query", table, "--pk", "~", at=source, exit=2).stderr


# The table for people.

HOSTILE = "\x1b[2J\x07bell \x7f\x9b31m\u202e\nline"
PEOPLE: list[Item] = [
    {"pk": {"S": "p"}, "sk": {"S": "1"}, "name": {"S": "東京 café"}, "n": {"N": "1.50"}},
    {"pk": {"S": "p"}, "sk": {"S": "2"}, "name": {"S": "cafe\u0301"}, "empty": {"S": ""}},
    {"pk": {"S": "p"}, "sk": {"S": "3"}, "name": {"S": "👩‍👩‍👧‍👦🏴‍☠️"}, "list": {"L": [{"N": "1"}, {"NULL": True}]}},
    {"pk": {"S": "p"}, "sk": {"S": "4"}, "name": {"S": HOSTILE}, "on": {"BOOL": False}},
]


@pytest.fixture(scope="module")
def people(source: Side) -> str:
    name = "People"
    tables.create(source.client, name)
    later = [{"pk": {"S": "later"}, "sk": {"S": f"{n:03}"}, "a": {"N": str(n)}} for n in range(60)]
    later[58] |= {"more": {"S": "x"}, "and more": {"S": "y"}}
    tables.put_all(source.client, name, PEOPLE + later)
    return name


def columns(text: str) -> int:
    """Columns of a terminal, by Python's own tables; enough for what is tested here."""
    text = text.replace("👩‍👩‍👧‍👦", "##").replace("🏴‍☠️", "##")
    width = {"W": 2, "F": 2}
    shown = [one for one in text if not unicodedata.combining(one) and unicodedata.category(one) != "Cf"]
    return sum(width.get(unicodedata.east_asian_width(one), 1) for one in shown)


def test_the_table(dynarc, source, people):
    text = dynarc("query", people, "--pk", "p", "--table", at=source).stdout.decode()
    head, *lines = text.splitlines()
    assert head.split()[:3] == ["pk", "sk", "name"]
    assert sorted(head.split()) == sorted(["pk", "sk", "name", "n", "empty", "list", "on"])
    # Cells begin where their title does.
    cells = [("name", 0, "東京 café"), ("n", 0, "1.5"), ("empty", 1, '""'), ("list", 2, "[1,null]"), ("on", 3, "false")]
    for title, row, cell in cells:
        before = lines[row][: lines[row].index(cell)]
        assert columns(before) == f" {head} ".index(f" {title} "), (title, lines[row])
    assert "\\u{1b}[2J\\u{7}bell \\u{7f}\\u{9b}31m\\u{202e}" in text and "\\nline" in text
    assert not any(unicodedata.category(one) == "Cc" for one in text.replace("\n", ""))


def test_items_with_more_attributes_than_columns(dynarc, source, people):
    result = dynarc("query", people, "--pk", "later", "--table", at=source)
    lines = result.stdout.decode().splitlines()
    assert lines[0].split() == ["pk", "sk", "a"]
    assert lines[59].split() == ["later", "058", "58", "+2"]
    assert "1 item has more attributes" in result.stderr


def test_an_item_with_very_many_attributes(dynarc, source, table):
    tables.create(source.client, table)
    many = {f"a{n}": {"NULL": True} for n in range(40_000)}
    tables.put_all(source.client, table, [{"pk": {"S": "p"}, "sk": {"S": "s"}} | many])
    line = dynarc("query", table, "--pk", "p", "--table", at=source).stdout.decode().splitlines()[1]
    assert line.split()[:2] == ["p", "s"] and line.endswith("+39902")


def on_a_terminal(binary, tmp_path, at: Side, width: int, *arguments: str) -> str:
    """What dynarc writes to a terminal of a width, without the carriage returns."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    process = subprocess.Popen(
        [str(binary), *arguments], cwd=tmp_path, env=environment_of(tmp_path, at),
        stdin=subprocess.DEVNULL, stdout=follower, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(follower)
    shown = b""
    try:
        while part := os.read(leader, 65536):
            shown += part
    except OSError:
        pass  # The last one at the other end has gone.
    os.close(leader)
    assert process.wait() == 0
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_table_on_a_terminal_fits(binary, tmp_path, source, people, width):
    text = on_a_terminal(binary, tmp_path, source, width, "query", people, "--pk", "p", "--table")
    lines = text.splitlines()
    assert len(lines) == 5
    assert max(map(columns, lines)) <= width
    assert ("…" in text or "+" in text) == (width < 200)


@pytest.mark.parametrize("form", [[], ["--plain"], ["--table"], ["--unique", "name"]])
def test_a_terminal_obeys_no_value(binary, tmp_path, source, people, form):
    text = on_a_terminal(binary, tmp_path, source, 300, "query", people, "--pk", "p", *form)
    assert not any(unicodedata.category(one) == "Cc" for one in text.replace("\n", ""))
    # Nor is it made to write from right to left.
    assert "\u202e" not in text and "202e" in text
    if form == []:
        # Escaped or not, it is the same JSON.
        found = typed(text.encode())
        assert same(found, PEOPLE)


def test_off_a_terminal_bytes_are_as_they_came(dynarc, source, people):
    result = dynarc("query", people, "--pk", "p", "--sk", "4", at=source)
    assert "\x7f\x9b31m".encode() in result.stdout
