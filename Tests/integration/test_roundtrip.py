"""What is dumped and loaded again is what was there, as boto3 sees it."""

from __future__ import annotations

import pytest

import archives
import items
import tables
from items import corner_cases, keyed, random_items
from program import Side
from servers import ACCOUNT_A


def round_trip(dynarc, tmp_path, source: Side, table: str, target: Side, copy: str, *options):
    """Dumps, checks the archive with standard tools, loads, compares; the dump's report."""
    report = dynarc("dump", table, "./archive", "--json", *options, at=source).json
    archive = tmp_path / "archive"
    original = tables.read_all(source.client, table)
    keys = tables.key_names(source.client, table)
    assert archives.sums_hold(archive)
    assert tables.differences(original, archives.read_archive(archive), keys) == []
    assert report["items"] == len(original)
    dynarc("verify", "./archive")
    loaded = dynarc("load", "./archive", copy, "--json", at=target).json
    assert loaded["written"] == len(original)
    assert tables.compare_tables(source.client, table, target.client, copy) == []
    return report


def test_all_ten_types(dynarc, tmp_path, source, target, table):
    tables.create(source.client, table)
    tables.put_all(source.client, table, keyed(corner_cases() + list(random_items(600, seed=2))))
    round_trip(dynarc, tmp_path, source, table, target, table)


def test_all_ten_types_on_moto(dynarc, tmp_path, moto, table):
    side = Side(moto.endpoint, ACCOUNT_A)
    tables.create(side.client, table)
    tables.put_all(side.client, table, keyed(corner_cases() + list(random_items(60, seed=3))))
    round_trip(dynarc, tmp_path, side, table, side, table + "-copy", "--segments", 3)


def test_numbers_keep_the_spelling_the_server_sent(dynarc, tmp_path, moto, table):
    # moto hands numbers back as they were written; DynamoDB never sends such, but what a server
    # sends is what an archive must hold.
    side = Side(moto.endpoint, ACCOUNT_A)
    spellings = ["1E3", "1.0", "-0.50", "0.1e-5", "100"]
    tables.create(side.client, table)
    tables.put_all(side.client, table, keyed([{"n": {"L": [{"N": one} for one in spellings]}}]))
    dynarc("dump", table, "./archive", at=side)
    (item,) = archives.read_archive(tmp_path / "archive")
    assert [one["N"] for one in item["n"]["L"]] == spellings


def test_empty_table(dynarc, tmp_path, source, target, table):
    tables.create(source.client, table)
    report = round_trip(dynarc, tmp_path, source, table, target, table)
    assert (report["items"], report["chunks"]) == (0, 0)
    assert dynarc("cat", "./archive").stdout == b""


def test_partition_key_only(dynarc, tmp_path, source, target, table):
    tables.create(source.client, table, sort=None)
    tables.put_all(source.client, table, keyed(list(random_items(300, seed=4)), sort=None))
    round_trip(dynarc, tmp_path, source, table, target, table)


def test_numeric_keys(dynarc, tmp_path, source, target, table):
    tables.create(source.client, table, "pk:N", "sk:N")
    rows = [
        {"pk": {"N": partition}, "sk": {"N": sort}, "v": {"S": f"{partition} {sort}"}}
        for partition in items.NUMBERS
        for sort in items.NUMBERS
    ]
    tables.put_all(source.client, table, rows)
    round_trip(dynarc, tmp_path, source, table, target, table)


def test_binary_keys(dynarc, tmp_path, source, target, table):
    tables.create(source.client, table, "pk:B", "sk:B")
    contents = [bytes([first, second]) for first in (0, 1, 127, 255) for second in range(0, 256, 15)]
    rows = [{"pk": {"B": one}, "sk": {"B": one[::-1]}, "v": {"B": one * 3}} for one in contents]
    tables.put_all(source.client, table, rows)
    round_trip(dynarc, tmp_path, source, table, target, table)


def test_keys_with_odd_names_and_texts(dynarc, tmp_path, source, target, table):
    partition, sort = 'quoted "key".é', "#sort 🦆"
    tables.create(source.client, table, f"{partition}:S", f"{sort}:S")
    texts = [text for text in items.TEXTS if text]
    rows = [{partition: {"S": text}, sort: {"S": text[:100]}} for text in texts]
    tables.put_all(source.client, table, rows)
    round_trip(dynarc, tmp_path, source, table, target, table)


def test_twenty_thousand_items_in_sixteen_segments(dynarc, tmp_path, source, target, table):
    tables.create(source.client, table, sort=None)
    rows = ({"pk": {"S": f"item-{index}"}, "n": {"N": str(index)}} for index in range(20_000))
    tables.put_all(source.client, table, rows)
    options = ("--segments", 16, "--concurrency", 8, "--chunk-size", "64KiB")
    report = round_trip(dynarc, tmp_path, source, table, target, table, *options)
    assert report["segments"] == 16
    segments = {chunk.name.split("-")[0] for chunk in archives.chunk_files(tmp_path / "archive")}
    assert segments == {f"{number:05d}" for number in range(16)}


@pytest.mark.parametrize("level", [1, 19])
def test_levels(dynarc, tmp_path, source, target, table, level):
    tables.create(source.client, table)
    tables.put_all(source.client, table, keyed(list(random_items(200, seed=level))))
    round_trip(dynarc, tmp_path, source, table, target, table, "--level", level, "--consistent")
