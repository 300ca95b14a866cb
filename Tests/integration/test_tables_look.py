"""A folder of archives looked at: info, verify, other commands, and an index that is not what it should be."""

from __future__ import annotations

import shutil

import pytest

import archives
import folders
from fewtables import few, prefix  # noqa: F401
from ownserver import server, source, target  # noqa: F401


def test_other_commands_name_the_way_to_an_archive(dynarc, tmp_path, source, few, prefix):
    dynarc("dump", prefix + "*", "./folder", at=source)
    place = f"./folder/archives/{few[0]}"
    for command in (
        ["cat", "./folder"],
        ["get", "./folder", "--pk", "p0", "--sk", "s0"],
        ["diff", "./folder", place],
        ["apply", "./folder", few[0]],
        ["merge", "./folder", place, "./merged"],
        ["plan", "load", "./folder"],
        ["dump", few[0], "./folder", "--resume"],
        ["info", "./folder", "--settings"],
        ["info", "./folder", "--as", "terraform"],
    ):
        told = dynarc(*command, at=source, exit=None)
        assert told.code in (2, 3) and "folder of archives" in told.stderr and "/archives/" in told.stderr, command
    assert dynarc("cat", place, "--limit", 1).stdout
    assert dynarc("verify", place).stdout


def test_info_and_verify(dynarc, tmp_path, source, few, prefix):
    folder = tmp_path / "folder"
    dynarc("dump", prefix + "*", "./folder", at=source)
    told = dynarc("info", "./folder").stdout.decode()
    assert all(name in told for name in few) and "4, 0 failed, 0 pending" in told
    report = dynarc("info", "./folder", "--json").json
    assert report["finished"] and report["complete"] == 4 and report["items"] == 120
    assert dynarc("verify", "./folder").stdout.decode().startswith("ok: 4 tables, 120 items")
    assert dynarc("verify", "./folder", "--quick", "--json").json["ok"]

    # Content, identity, strangers, and what is not there.
    victim = archives.chunk_files(folder / "archives" / few[0])[0]
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    shutil.rmtree(folder / "archives" / few[1])
    shutil.copytree(folder / "archives" / few[2], folder / "archives" / few[1])
    shutil.rmtree(folder / "archives" / few[3])
    (folder / "archives" / "stranger").mkdir()
    failed = dynarc("verify", "./folder", "--json", exit=1)
    rows = {row["table"]: row for row in failed.json["tables"]}
    assert [rows[name]["ok"] for name in few] == [False, False, True, False]
    assert rows[few[0]]["problems"][0]["file"].startswith("data/")
    assert "the index says" in rows[few[1]]["problems"][0]["message"]
    assert failed.json["problems"][0]["file"] == "archives/stranger"
    assert f"3 tables: {few[0]}, {few[1]}, {few[3]}" in failed.stderr


def test_a_table_that_is_not_complete_is_no_sound_folder(dynarc, tmp_path, source, few, prefix, proxy_to):
    rule = {"kind": "refuse", "code": "AccessDeniedException", "operation": "Scan", "table": few[0]}
    dynarc("dump", prefix + "*", "./folder", at=source.through(proxy_to(source, [rule])), exit=4)
    told = dynarc("verify", "./folder", exit=1).stdout.decode()
    assert f"damaged: {few[0]}: " in told and "AccessDeniedException" in told


@pytest.mark.parametrize(
    "change, verified",
    [
        (lambda index: index.update(version=2), 3),
        (lambda index: index.update(format="other"), 3),
        (lambda index: index["tables"][0].update(tableName="../../outside"), 1),
        (lambda index: index["tables"][0].update(state="fine"), 1),
        (lambda index: index["tables"].append(index["tables"][0]), 1),
        (lambda index: index["tables"][0].update(items=2**63 - 1) or index["tables"][1].update(items=2**63 - 1), 1),
    ],
)
def test_a_corrupted_index_is_refused(dynarc, tmp_path, source, few, prefix, change, verified):
    dynarc("dump", prefix + "*", "./folder", at=source)
    folders.edit(tmp_path / "folder", change)
    before = folders.snapshot(tmp_path / "folder")
    for command in (
        ["info", "./folder"],
        ["load", "./folder", "--prefix-map", "=x-"],
        ["dump", prefix + "*", "./folder", "--resume"],
    ):
        assert "index.json" in dynarc(*command, at=source, exit=3).stderr, command
    told = dynarc("verify", "./folder", exit=verified)
    assert "index.json" in told.stderr and (verified == 3 or told.stdout.startswith(b"damaged: "))
    assert folders.snapshot(tmp_path / "folder") == before
    assert not (tmp_path / "outside").exists()


def test_archives_that_the_index_does_not_name(dynarc, tmp_path, source, target, few, prefix):
    """Neither is another one begun beside them, nor are they left out in silence."""
    dynarc("dump", prefix + "*", "./folder", at=source)
    folder = tmp_path / "folder"
    whole = (folder / "index.json").read_bytes()
    folders.edit(folder, lambda index: index["tables"].pop(1))
    stranger = f"archives/{few[1]}"
    told = dynarc("dump", prefix + "*", "./folder", "--resume", at=source, exit=3).stderr
    assert f"./folder/{stranger} is not in the folder's index" in told
    assert stranger in dynarc("verify", "./folder", exit=1).stdout.decode()
    loaded = dynarc("load", "./folder", "--json", at=target, exit=4)
    assert loaded.json["loaded"] == 3 and f"dynarc load ./folder/{stranger}" in loaded.stderr
    folders.remove(target.client, [few[0], *few[2:]])
    # Without an index nothing is begun anew.
    (folder / "index.json").unlink()
    before = folders.snapshot(folder)
    assert "is not in the folder's index" in dynarc("dump", prefix + "?", "./folder", "--resume", at=source, exit=3).stderr
    assert {name: found for name, found in folders.snapshot(folder).items() if "index.json" not in name} == before
    (folder / "index.json").write_bytes(whole)
    dynarc("dump", prefix + "*", "./folder", "--resume", at=source)
    told = dynarc("dump", prefix + "*", "./folder", at=source, exit=3).stderr
    assert "is a folder of archives already" in told and "--resume" in told


def test_an_index_too_large_or_torn_is_refused(dynarc, tmp_path, source, few, prefix):
    dynarc("dump", prefix + "*", "./folder", at=source)
    path = tmp_path / "folder" / "index.json"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "index.json" in dynarc("info", "./folder", exit=3).stderr
    path.write_bytes(whole + b" " * (17 << 20))
    assert "index.json" in dynarc("info", "./folder", exit=3).stderr
