"""Several tables whose items are changed on their way into a folder, and out of one into tables."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

import archives
import folders
import tables
import transforms
from ownserver import server, source, target  # noqa: F401
from persons import persons
from program import Side

RULES = [("hash", ("email",)), ("remove", ("address",)), ("set", ("age",), {"N": "1"})]
OPTIONS = transforms.options(RULES)
KEY = {"DYNARC_HASH_KEY": transforms.KEY.decode()}
OTHER_KEY = {"DYNARC_HASH_KEY": "another key, and long enough"}


@pytest.fixture
def prefix(source, target):
    prefix = f"p{uuid.uuid4().hex[:8]}-"
    yield prefix
    for side in (source, target):
        folders.remove(side.client, [name for name in side.client.list_tables()["TableNames"] if name.startswith(prefix)])


@pytest.fixture
def crowd(source, prefix) -> list[str]:
    """Three tables of persons."""
    names = [prefix + name for name in ("a", "b", "c")]
    for seed, name in enumerate(names):
        tables.create(source.client, name)
        tables.put_all(source.client, name, persons(60, seed + 1))
    return names


def changed(side: Side, table: str) -> list[dict]:
    return [transforms.changed(item, RULES) for item in tables.read_all(side.client, table)]


def assert_changed(folder: Path, side: Side, names: list[str]) -> None:
    for name in names:
        found = archives.read_archive(folder / "archives" / name)
        assert tables.differences(found, changed(side, name), ["pk", "sk"]) == []


def spoil(side: Side, table: str) -> None:
    """An item whose email cannot be hashed."""
    side.client.put_item(TableName=table, Item={"pk": {"S": "secret person"}, "sk": {"S": "x"}, "email": {"M": {}}})


def test_every_table_is_changed(dynarc, tmp_path, source, crowd, prefix):
    dynarc("dump", prefix + "*", "./folder", *OPTIONS, at=source, env=KEY)
    assert_changed(tmp_path / "folder", source, crowd)
    index = folders.index(tmp_path / "folder")
    assert index["hashKeyCheck"] == transforms.key_check()
    assert sorted(rule["operation"] for rule in index["transforms"]) == ["hash", "remove", "set"]
    assert KEY["DYNARC_HASH_KEY"] not in (tmp_path / "folder" / "index.json").read_text()
    dynarc("verify", "./folder")


def test_a_table_that_cannot_be_changed_stops_no_other(dynarc, tmp_path, source, crowd, prefix):
    spoil(source, crowd[1])
    result = dynarc("dump", prefix + "*", "./folder", *OPTIONS, at=source, env=KEY, exit=4)
    assert f"error: {crowd[1]}: " in result.stderr and "email is a map" in result.stderr
    folder = tmp_path / "folder"
    assert_changed(folder, source, [crowd[0], crowd[2]])
    assert not (folder / "archives" / crowd[1]).exists()
    row = folders.row(folders.index(folder), crowd[1])
    assert (row["state"], row["code"]) == ("failed", "mismatch")
    assert "secret person" not in (folder / "index.json").read_text()
    # Mended, it is dumped as the others were.
    source.client.delete_item(TableName=crowd[1], Key={"pk": {"S": "secret person"}, "sk": {"S": "x"}})
    dynarc("dump", prefix + "*", "./folder", *OPTIONS, "--resume", at=source, env=KEY)
    assert_changed(folder, source, crowd)


def test_where_no_table_can_be_changed_nothing_stays(dynarc, tmp_path, source, crowd, prefix):
    for name in crowd:
        spoil(source, name)
    dynarc("dump", prefix + "*", "./folder", *OPTIONS, at=source, env=KEY, exit=3)
    dynarc("dump", prefix + "*", "./folder", "--hash", "pk", at=source, env=KEY, exit=3)
    assert not (tmp_path / "folder").exists()


@pytest.mark.parametrize("options, env", [([], KEY), (OPTIONS[:2], KEY), (OPTIONS, OTHER_KEY)], ids=["none", "fewer", "key"])
def test_a_dump_goes_on_with_the_same_rules_only(dynarc, tmp_path, source, crowd, prefix, proxy_to, options, env):
    """Tables that were not begun must not come as they are."""
    rules = [{"kind": "throttle", "operation": "Scan", "table": name} for name in crowd[1:]]
    dump = ["dump", prefix + "*", "./folder", "--give-up-after", "2s"]
    dynarc(*dump, *OPTIONS, at=source.through(proxy_to(source, rules)), env=KEY, exit=4)
    told = dynarc(*dump, *options, "--resume", at=source, env=env, exit=3).stderr
    assert "was begun with" in told and "dynarc: hint: " in told
    dynarc(*dump, *OPTIONS, "--resume", at=source, env=KEY)
    assert_changed(tmp_path / "folder", source, crowd)


def test_a_folder_is_loaded_with_rules(dynarc, tmp_path, source, target, crowd, prefix):
    dynarc("dump", prefix + "*", "./folder", at=source)
    done = dynarc("load", "./folder", *OPTIONS, "--verify", "--json", at=target, env=KEY).json
    assert done["loaded"] == 3 and all(row["verified"]["same"] for row in done["tables"])
    for name in crowd:
        assert tables.differences(tables.read_all(target.client, name), changed(source, name), ["pk", "sk"]) == []
    # Over whole items only after a question.
    told = dynarc("load", "./folder", *OPTIONS, "--merge", at=target, env=KEY, exit=2).stderr
    assert "replace items of " in told and "--yes" in told


def test_a_load_goes_on_with_the_same_rules_only(dynarc, tmp_path, source, target, crowd, prefix, proxy_to):
    dynarc("dump", prefix + "*", "./folder", at=source)
    rules = [{"kind": "throttle", "operation": "BatchWriteItem", "table": name} for name in crowd[1:]]
    load = ["load", "./folder", "--give-up-after", "2s"]
    dynarc(*load, *OPTIONS, at=target.through(proxy_to(target, rules)), env=KEY, exit=4)
    for options, env in (([], KEY), (OPTIONS[2:], KEY), (OPTIONS, OTHER_KEY)):
        told = dynarc(*load, "--resume", *options, at=target, env=env, exit=3).stderr
        assert "other rules for items, or another hash key" in told and "hash email" in told
    assert tables.read_all(target.client, crowd[2]) == []
    dynarc(*load, "--resume", *OPTIONS, at=target, env=KEY)
    for name in crowd:
        assert tables.differences(tables.read_all(target.client, name), changed(source, name), ["pk", "sk"]) == []


def test_an_archive_with_an_item_that_cannot_be_changed_makes_no_table(dynarc, tmp_path, source, target, crowd, prefix):
    spoil(source, crowd[1])
    dynarc("dump", prefix + "*", "./folder", at=source)
    told = dynarc("load", "./folder", *OPTIONS, "--dry-run", at=target, env=KEY, exit=3).stderr
    assert f"error: {crowd[1]}: " in told and "email is a map" in told
    result = dynarc("load", "./folder", *OPTIONS, at=target, env=KEY, exit=4)
    assert f"error: {crowd[1]}: " in result.stderr and "email is a map" in result.stderr
    assert crowd[1] not in target.client.list_tables()["TableNames"]
    for name in (crowd[0], crowd[2]):
        assert tables.differences(tables.read_all(target.client, name), changed(source, name), ["pk", "sk"]) == []
