"""What goes wrong before any work: the right exit code, an error, a hint, nothing on stdout."""

from __future__ import annotations

import shutil
import socket

import pytest

import servers
import tables


def assert_told(result, *words: str) -> None:
    lines = result.stderr.splitlines()
    assert result.stdout == b""
    assert lines and lines[0].startswith("dynarc: error: ")
    assert any(line.startswith("dynarc: hint: ") for line in lines[1:]), result.stderr
    for word in words:
        assert word in result.stderr, result.stderr


def test_no_such_table(dynarc, source, tmp_path):
    assert_told(dynarc("dump", "NoSuchTable", "./archive", at=source, exit=3), "NoSuchTable")
    assert not (tmp_path / "archive").exists()


def test_no_credentials(dynarc, source):
    environment = source.environment()
    del environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"]
    result = dynarc("dump", "Orders", "./archive", env=environment, exit=3)
    assert_told(result, "credentials")


def test_half_of_the_credentials(dynarc, source):
    environment = source.environment()
    del environment["AWS_SECRET_ACCESS_KEY"]
    result = dynarc("dump", "Orders", "./archive", env=environment, exit=3)
    assert_told(result, "AWS_SECRET_ACCESS_KEY")


def test_no_region(dynarc, source):
    # With an endpoint given, the region would only be a part of the signature.
    environment = source.environment()
    del environment["AWS_REGION"], environment["AWS_ENDPOINT_URL"]
    result = dynarc("dump", "Orders", "./archive", env=environment, exit=3)
    assert_told(result, "region", "AWS_REGION")


def test_no_such_profile(dynarc, source, tmp_path):
    config = tmp_path / "config"
    config.write_text("[profile staging]\nregion = eu-central-1\n")
    environment = source.environment() | {"AWS_CONFIG_FILE": str(config)}
    result = dynarc("dump", "Orders", "./archive", "--profile", "prod", env=environment, exit=3)
    assert_told(result, "prod", "staging")


def test_refused_connection(dynarc, source):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{probe.getsockname()[1]}"
    options = ("--endpoint-url", endpoint)
    assert_told(dynarc("dump", "Orders", "./archive", *options, at=source, exit=3), endpoint.rpartition(":")[2])


@pytest.mark.parametrize(
    "arguments",
    [
        ["dumb"],
        ["dump"],
        ["dump", "Orders"],
        ["dump", "Orders", "./archive", "--no-such-option"],
        ["dump", "Orders", "./archive", "--level", "20"],
        ["dump", "Orders", "./archive", "--segments", "0"],
        ["dump", "Orders", "./archive", "--segments", "1000001"],
        ["dump", "Orders", "./archive", "--chunk-size", "many"],
        ["dump", "Orders/../x", "./archive"],
        ["load", "./archive", "Orders", "--merge", "--truncate"],
        ["cat", "./archive", "--limit", "-1"],
    ],
    ids=" ".join,
)
def test_wrong_usage(dynarc, arguments, source, stand_in):
    arguments = [stand_in if word == "Orders" else word for word in arguments]
    assert_told(dynarc(*arguments, at=source, exit=2))


@pytest.fixture(scope="module")
def stand_in(source) -> str:
    """A table that exists, so that only the usage is wrong."""
    tables.create(source.client, "Usage")
    return "Usage"


@pytest.mark.parametrize("command", ["info", "cat", "verify", "load"])
def test_no_such_archive(dynarc, source, command):
    result = dynarc(command, "./nowhere", at=source, exit=3)
    assert "nowhere" in result.stderr + result.stdout.decode()


def test_help_and_version_are_no_errors(dynarc):
    for arguments in (["--help"], ["dump", "--help"], ["--version"]):
        result = dynarc(*arguments)
        assert result.stdout and not result.stderr


def test_credentials_and_region_of_a_profile(dynarc, source, tmp_path):
    tables.create(source.client, "Profiled")
    aws = tmp_path / "home" / ".aws"
    aws.mkdir()
    (aws / "config").write_text(f"[profile staging]\nregion = {servers.REGION}\n")
    (aws / "credentials").write_text(
        f"[staging]\naws_access_key_id = {source.account}\naws_secret_access_key = {servers.SECRET}\n"
    )
    environment = {"AWS_ENDPOINT_URL_DYNAMODB": source.endpoint}
    dynarc("dump", "Profiled", "./archive", "--profile", "staging", env=environment)
    dynarc("dump", "dynamodb://staging@/Profiled", "./again", env=environment)


@pytest.mark.parametrize(
    "arguments, word",
    [
        (("dump", "a b/c", "./archive"), "names no table"),
        (("dump", "dynamodb://Orders", "./archive"), "dynamodb:///NAME"),
        (("dump", "Orders", "./archive", "--filter", ""), "--filter is empty"),
        (("dump", "Orders", "./archive", "--pk", ""), "--pk is empty"),
        (("dump", "dynamodb://us-east-1/Orders", "./archive", "--region", "eu-west-1"), "--region is eu-west-1"),
    ],
)
def test_what_cannot_be_meant_is_refused(dynarc, source, tmp_path, arguments, word):
    result = dynarc(*arguments, at=source, exit=2)
    assert word in result.stderr
    assert not (tmp_path / "archive").exists()


@pytest.mark.parametrize("made", ["nothing", "file", "empty directory"])
def test_what_is_no_archive_is_not_called_damaged(dynarc, tmp_path, made):
    path = tmp_path / "thing"
    if made == "file":
        path.write_text("x")
    if made == "empty directory":
        path.mkdir()
    result = dynarc("verify", "./thing", exit=3)
    assert "damaged" not in result.stderr
    assert result.stdout == b""


@pytest.mark.parametrize("place", ["./archive/inner", "./archive/data/inner"])
def test_no_archive_is_made_within_another(dynarc, source, table, tmp_path, place):
    tables.create(source.client, table)
    dynarc("dump", table, "./archive", at=source)
    assert_told(dynarc("dump", table, place, at=source, exit=3), "inside an archive")
    dynarc("verify", "./archive")
    # A directory of archives is none, even where it is named as their data is.
    (tmp_path / "data").mkdir()
    dynarc("dump", table, "./data/inner", at=source)


def test_a_slice_beside_a_whole_table_is_warned_of(dynarc, source, table):
    tables.create(source.client, table)
    rows = [{"pk": {"S": pk}, "sk": {"S": "1"}} for pk in ("one", "two")]
    tables.put_all(source.client, table, rows)
    dynarc("dump", table, "./whole", at=source)
    for name in ("./slice", "./later"):
        dynarc("dump", table, name, "--pk", "one", at=source)
    assert "./slice holds only some" in dynarc("diff", "./slice", "./whole", exit=1).stderr
    assert "holds only some" not in dynarc("diff", "./slice", "./later").stderr


def test_an_archive_without_its_chunks_equals_nothing(dynarc, source, table, tmp_path):
    tables.create(source.client, table)
    tables.put_all(source.client, table, [{"pk": {"S": "one"}, "sk": {"S": "1"}}])
    dynarc("dump", table, "./whole", at=source)
    shutil.copytree(tmp_path / "whole", tmp_path / "copy")
    dynarc("diff", "./whole", "./copy")
    next((tmp_path / "copy" / "data").iterdir()).unlink()
    assert_told(dynarc("diff", "./whole", "./copy", exit=2), "the file is missing")
