"""The GitHub Action: its very steps, between two servers; what it fetches, and how it ends."""

from __future__ import annotations

import html
import json
import os
import re
import stat
import subprocess
import sys
import time

import pytest

import archives
import servers
import tables
from actionjobs import (  # noqa: F401
    ITEMS, KEYS, ROLES, ROOT, SLICE, cells, clean, far, near, places, release, releases, runner, stock,
)
from transforms import KEY, changed, hashed, key_check


# MARK: What it does


def test_a_slice_between_two_accounts(runner, release, places, stock, far, table, issuer):
    asked = {"command": "copy", "table": stock, "pk": "p0", "target-table": table} | places | release
    done = runner.run(asked)
    assert done.code == 0, done.log
    assert tables.differences(SLICE, tables.read_all(far.client, table), KEYS) == []
    report = json.loads(done.outputs["result"])
    assert (report["read"], report["written"], report["created"]) == (len(SLICE), len(SLICE), True)
    assert report["source"]["arn"].split(":")[4] == servers.ACCOUNT_A
    assert done.outputs["exit-code"] == "0"
    told = cells(done.summary)
    assert told["Source"] == f"{stock}, {servers.REGION}, {ROLES['source-role']}, {places['source-endpoint-url']}"
    assert told["Target"].startswith(f"{table}, {servers.REGION}, {ROLES['target-role']}")
    assert (told["Items read"], told["Items written"], told["Items deleted"], told["Items rejected"]) == (
        str(len(SLICE)), str(len(SLICE)), "0", "0",
    )  # fmt: skip
    assert told["Slice"] == "pk p0" and told["Target table"] == "created"
    assert told["Cost"].endswith("USD on demand (us-east-1, 2026-09-11)") and told["Duration"].endswith(" s")
    assert float(told["Read units"]) > 0 and float(told["Write units"]) > 0
    (token,) = issuer.asked("/github")
    assert token["query"] == {"api": "1", "audience": "sts.amazonaws.com"}
    assert done.masks == ["github-jwt"]
    clean(done, runner)

    # Into a table that holds items: not without a mode, and by replace as the source has it.
    far.client.put_item(TableName=table, Item={"pk": {"S": "p0"}, "sk": {"S": "only here"}})
    refused = runner.run(asked)
    assert refused.code == 3 and "holds items" in refused.log
    assert refused.outputs == {"result": "", "exit-code": "3"} and "failed" in refused.summary
    clean(refused, runner)
    dry = runner.run(asked | {"mode": "replace", "dry-run": "true"})
    assert dry.code == 0 and "dry run" in dry.summary and json.loads(dry.outputs["result"])["dryRun"] is True
    assert len(tables.read_all(far.client, table)) == len(SLICE) + 1
    done = runner.run(asked | {"mode": "replace", "backup": "./before"})
    assert done.code == 0, done.log
    assert cells(done.summary)["Items deleted"] == "1"
    assert cells(done.summary)["State kept before"] == "archive ./before"
    assert (runner.workspace / "before" / "SHA256SUMS").exists()
    assert tables.differences(SLICE, tables.read_all(far.client, table), KEYS) == []
    done = runner.run(asked | {"mode": "merge"})
    assert done.code == 0 and cells(done.summary)["State kept before"].startswith("backup arn:"), done.log


def test_dump(runner, release, near, stock, dynarc):
    done = runner.run({"command": "dump", "table": stock, "archive": "out/../x"} | near | release)
    assert done.code == 2 and not (runner.workspace / "x").exists()
    done = runner.run({"command": "dump", "table": stock, "archive": "archive"} | near | release)
    assert done.code == 0, done.log
    assert dynarc("verify", runner.workspace / "archive", "--json").code == 0
    told = cells(done.summary)
    assert (told["Items"], told["Slice"], told["Archive"]) == (str(len(ITEMS)), "the whole table", "./archive")
    assert json.loads(done.outputs["result"])["items"] == len(ITEMS)
    clean(done, runner)


def test_without_the_personal_fields(runner, release, near, places, source, far, table):
    """By copy and by dump, with one key: what the log, the summary and the disk hold has neither values nor key."""
    items = [dict(item, email={"S": f"{n}@private.example"}, secret={"S": "private"}) for n, item in enumerate(ITEMS[:20])]
    tables.create(source.client, table)
    tables.put_all(source.client, table, items)
    rules = {"set": 'name="Jane"\n\nv={"BOOL":true}\n', "remove": "secret", "hash": "email\n", "hash-key": KEY.decode()}
    expected = [
        changed(item, [("set", ("name",), {"S": "Jane"}), ("set", ("v",), {"BOOL": True}), ("remove", ("secret",)), ("hash", ("email",))])
        for item in items
    ]  # fmt: skip
    done = runner.run({"command": "copy", "table": table} | rules | places | release)
    assert done.code == 0, done.log
    assert tables.differences(expected, tables.read_all(far.client, table), KEYS) == []
    assert cells(done.summary)["Changed"] == "set name, set v, remove secret, hash email"
    assert json.loads(done.outputs["result"])["hashKeyCheck"] == key_check()
    assert done.masks == [KEY.decode(), "github-jwt"]
    clean(done, runner)
    hidden = done.log.replace(f"::add-mask::{KEY.decode()}", "") + done.summary + str(done.outputs)
    assert KEY.decode() not in hidden and "private" not in hidden
    done = runner.run({"command": "dump", "table": table, "archive": "archive"} | rules | near | release)
    assert done.code == 0, done.log
    assert tables.differences(expected, archives.read_archive(runner.workspace / "archive"), KEYS) == []
    for path in runner.workspace.rglob("*"):
        assert path.is_dir() or KEY not in path.read_bytes()
    # A key attribute only by rekey.
    asked = {"command": "copy", "table": table, "target-table": f"{table}-2"} | rules | places | release
    refused = runner.run(asked | {"hash": "pk"})
    assert refused.code == 2 and "--rekey" in refused.log
    done = runner.run(asked | {"hash": "pk", "rekey": "true"})
    assert done.code == 0, done.log
    assert {item["pk"]["S"] for item in tables.read_all(far.client, f"{table}-2")} == {
        hashed(item["pk"])["S"] for item in items
    }


def test_query_keeps_items_out_of_the_log(runner, release, near, stock):
    done = runner.run({"command": "query", "table": stock, "pk": "p0", "output": "items.ndjson"} | near | release)
    assert done.code == 0, done.log
    path = runner.workspace / "items.ndjson"
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert [item["sk"] for item in found] == sorted((item["sk"] for item in SLICE), key=lambda key: key["S"].encode())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert '"sk"' not in done.log and "read units" in done.log
    assert cells(done.summary)["Items"] == str(len(SLICE))
    # Nothing is written over.
    again = runner.run({"command": "query", "table": stock, "pk": "p0", "output": "items.ndjson"} | near | release)
    assert again.code == 3 and len(path.read_text().splitlines()) == len(SLICE)
    assert "items.ndjson: File exists" in again.errors[0]


def test_the_credentials_of_the_environment(runner, release, source, stock, table):
    done = runner.run(
        {"command": "copy", "table": stock, "pk": "p0", "target-table": table} | release, **source.environment()
    )
    assert done.code == 0, done.log
    assert tables.differences(SLICE, tables.read_all(source.client, table), KEYS) == []
    assert done.masks == []


# MARK: The binary


def test_a_release_is_fetched_once_and_held_to_its_digest(runner, releases, release, near, stock):
    asked = {"command": "dump", "table": stock} | near | release
    assert runner.run(asked | {"archive": "one"}).code == 0
    assert len(releases.requests) == 1
    assert runner.run(asked | {"archive": "two"}).code == 0
    assert len(releases.requests) == 1
    # A cache that gives back something else.
    (kept,) = (runner.temporary.parent / "cache").iterdir()
    (kept / "dynarc").write_text("#!/bin/sh\ntouch pwned\n")
    assert runner.run(asked | {"archive": "three"}).code == 0
    assert len(releases.requests) == 2
    assert not (runner.workspace / "pwned").exists()


def test_another_digest_runs_nothing(runner, releases, near, stock, issuer):
    asked = releases.publish("#!/bin/sh\ntouch pwned\n") | {"sha256": "0" * 64}
    done = runner.run({"command": "dump", "table": stock, "archive": "archive"} | near | asked)
    assert done.code == 3 and "was not run" in done.errors[0]
    assert list(runner.workspace.iterdir()) == [] and issuer.requests == []
    assert list((runner.temporary / "dynarc-release").iterdir()) == []
    assert done.outputs == {"result": "", "exit-code": ""} and done.summary == ""
    clean(done, runner)


def test_a_release_that_is_not_there(runner, near, stock):
    asked = {"version": "9.9.9", "sha256": "0" * 64}
    done = runner.run({"command": "dump", "table": stock, "archive": "archive"} | near | asked)
    assert done.code == 3 and "404" in done.errors[0]


def test_from_source(runner, near, stock, binary, tmp_path):
    """With a swift that tells how it was called, and leaves the binary under test where a build does."""
    (tmp_path / "bin").mkdir()
    swift = tmp_path / "bin" / "swift"
    swift.write_text(
        '#!/bin/sh\necho "swift $*"\nfor last; do :; done\nmkdir -p "$last/release"\n'
        f'cp "{binary}" "$last/release/dynarc"\n'
    )
    swift.chmod(0o755)
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    done = runner.run({"command": "dump", "table": stock, "archive": "archive"} | near, PATH=path)
    assert done.code == 0, done.log
    built = "swift build -c release --static-swift-stdlib --product dynarc"
    assert f"{built} --package-path {ROOT} --scratch-path" in done.log
    assert not any("cache" in step for step in done.steps)


# MARK: How it ends

SAYS = """#!/bin/sh
printf '%s\\n' '{report}'
printf '%s\\n' '::set-output name=x::y' '::add-mask::p0' '::error::not ours' >&2
exit {code}
"""


@pytest.mark.parametrize("code, words", [(4, "part-way"), (1, "differences"), (3, "failed")])
def test_exit_codes_pass_through(runner, releases, near, stock, code, words):
    asked = releases.publish(SAYS.format(report='{"items": 3}', code=code))
    done = runner.run({"command": "dump", "table": stock, "archive": "archive"} | near | asked)
    assert (done.code, done.outputs["exit-code"], done.outputs["result"]) == (code, str(code), '{"items": 3}')
    assert words in done.summary and cells(done.summary)["Exit code"] == str(code)
    # What a program prints is no command to the runner.
    assert "::add-mask::p0" in done.log and done.errors == []


def test_hostile_values_in_the_report(runner, releases, near, stock):
    """Even what dynarc reports is no more than text in the summary."""
    nasty = "a|b`c`<img src=x>[d](http://e)\\n| row | *f* @g \\u202eh & </code>"
    asked = releases.publish(SAYS.format(report=f'{{"archive": "{nasty}", "items": "1|2"}}', code=0))
    done = runner.run({"command": "dump", "table": stock, "archive": "archive"} | near | asked)
    assert done.code == 0, done.log
    told = cells(done.summary)
    assert told["Archive"] == "a|b`c`<img src=x>[d](http://e)\\u{a}| row | *f* @g \\u{202e}h & </code>"
    assert told["Items"] == "1|2"
    (row,) = (line for line in done.summary.splitlines() if "Archive" in line)
    inside = re.search("<code>(.*)</code>", row)[1]
    assert not re.search(r"[|`<>\[\]()*@\\:_]", inside)


# It ends itself when it is interrupted.
WAITS = "#!/bin/sh\ntrap 'kill $!; echo interrupted >&2; exit 130' INT\nsleep 100 &\n{then}\nwait\n"


def test_a_job_that_takes_too_long(runner, releases, near, stock):
    """It takes a minute, which is the least that can be said."""
    asked = releases.publish(WAITS.format(then="")) | {"timeout-minutes": "1"}
    begun = time.monotonic()
    done = runner.run({"command": "dump", "table": stock, "archive": "archive"} | near | asked)
    assert 59 < time.monotonic() - begun < 90
    assert done.code == 130 and "interrupted" in done.log
    assert "time was over (timeout-minutes: 1)" in html.unescape(done.summary) and "timeout-minutes" in done.errors[0]
    clean(done, runner)


@pytest.mark.parametrize("number", ["INT", "TERM"])
def test_a_job_that_is_cancelled(runner, releases, near, stock, number):
    """The runner tells the step, and the step tells dynarc."""
    asked = releases.publish(WAITS.format(then=f"kill -{number} $PPID"))
    done = runner.run({"command": "dump", "table": stock, "archive": "archive"} | near | asked)
    assert (done.code, done.outputs["exit-code"]) == (130, "130") and "interrupted" in done.log
    assert "was interrupted" in done.summary
    clean(done, runner)


# MARK: Roles


@pytest.mark.parametrize("step", ["403", "garbage", "empty", "cut"])
def test_no_token(runner, release, near, stock, issuer, step):
    issuer.goes("/github", step)
    done = runner.run({"command": "dump", "table": stock, "archive": "archive"} | near | release)
    assert done.code == 3 and "id-token: write" in done.errors[0] and done.masks == []
    assert len(issuer.asked("/github")) == 3 and list(runner.workspace.iterdir()) == []
    clean(done, runner)


def test_a_token_after_a_fault(runner, release, near, stock, issuer):
    issuer.goes("/github", "500", "ok")
    done = runner.run({"command": "dump", "table": stock, "archive": "archive"} | near | release)
    assert done.code == 0, done.log


@pytest.mark.parametrize(
    "variables, words",
    [
        ({"ACTIONS_ID_TOKEN_REQUEST_URL": ""}, "id-token: write"),
        ({"ACTIONS_ID_TOKEN_REQUEST_URL": "http://example.com/x"}, "not https"),
        ({"ACTIONS_ID_TOKEN_REQUEST_URL": "file:///etc/passwd"}, "not https"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS_ENDPOINT_URL is set"),
    ],
)
def test_an_environment_that_does_not_do(runner, release, near, stock, variables, words):
    done = runner.run({"command": "dump", "table": stock, "archive": "archive"} | near | release, **variables)
    assert done.code == 3 and words in done.errors[0]
    clean(done, runner)


def test_the_roles_are_all_that_dynarc_has(runner, releases, near, stock):
    """Keys of another step are nobody's, and the files are for their owner only."""
    program = (
        "#!/bin/sh\nenv >env.txt\ncp \"$AWS_CONFIG_FILE\" config.txt\n"
        "stat -c '%a %n' \"$(dirname \"$AWS_CONFIG_FILE\")\" \"$(dirname \"$AWS_CONFIG_FILE\")\"/* >modes.txt\n"
        "echo '{}'\n"
    )
    keys = {"AWS_ACCESS_KEY_ID": "AKIAOTHER", "AWS_SECRET_ACCESS_KEY": "other", "AWS_PROFILE": "other"}
    done = runner.run(
        {"command": "dump", "table": stock, "archive": "archive"} | near | releases.publish(program), **keys
    )
    assert done.code == 0, done.log
    environment = (runner.workspace / "env.txt").read_text()
    assert "OTHER" not in environment and "ACTIONS_ID_TOKEN" not in environment
    assert "AWS_SHARED_CREDENTIALS_FILE=/dev/null" in environment
    config = (runner.workspace / "config.txt").read_text()
    assert config.splitlines()[:2] == ["[profile source]", f"role_arn = {ROLES['source-role']}"]
    assert "target" not in config and "github-jwt" not in config
    modes = [line.split()[0] for line in (runner.workspace / "modes.txt").read_text().splitlines()]
    assert modes[0] == "700" and set(modes[1:]) == {"600"} and len(modes) == 5
    clean(done, runner)


RENEWS = """
import json, os, sys, time
sys.path.insert(0, sys.argv[1])
import identity
identity.RENEWAL_SECONDS = 0.1
with identity.Roles(json.loads(sys.argv[2]), sys.argv[3]) as roles:
    path = os.path.join(sys.argv[3], "token")
    begun = os.stat(path)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and os.stat(path).st_ino == begun.st_ino:
        time.sleep(0.02)
    print("renewed" if os.stat(path).st_ino != begun.st_ino else "not renewed", oct(os.stat(path).st_mode & 0o777))
    time.sleep(1)
    print("has", open(path).read())
"""


def test_the_token_is_renewed(runner, near, issuer, tmp_path):
    """For as long as dynarc runs, also when it fails in between: the old one stays where it is."""
    issuer.goes("/github", "ok", "ok", "500", "500", "500", "ok")
    done = subprocess.run(
        [sys.executable, "-IBc", RENEWS, str(ROOT / "action"), json.dumps(near), str(tmp_path)],
        env={
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{issuer.endpoint}/github", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x",
            "PATH": os.environ["PATH"],
        },
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["::add-mask::github-jwt", "renewed 0o600", "has github-jwt"], done.stderr
    assert len(issuer.asked("/github")) > 5
