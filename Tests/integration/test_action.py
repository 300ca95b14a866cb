"""The GitHub Action: its very steps, against two servers, with inputs of all kinds."""

from __future__ import annotations

import functools
import hashlib
import html
import http.server
import json
import os
import re
import shutil
import stat
import subprocess
import threading
import time
from pathlib import Path
from typing import Any, Iterable

import pytest
import yaml

import servers
import tables
from actions import Outcome, Runner
from conftest import ROOT
from identity import SECRETS
from items import keyed, random_items
from program import Side

EXAMPLES = sorted((ROOT / "docs" / "example").glob("*.yml"))
VERSION = "0.1.0"
ROLES = {
    "source-role": f"arn:aws:iam::{servers.ACCOUNT_A}:role/dynarc-read",
    "target-role": f"arn:aws:iam::{servers.ACCOUNT_B}:role/path/dynarc+write@x",
}
ITEMS = keyed([{"v": {"S": "source"}} | item for item in random_items(120, seed=9)])
SLICE = [item for item in ITEMS if item["pk"] == {"S": "p0"}]
KEYS = ["pk", "sk"]


@pytest.fixture(scope="module")
def far() -> Iterable[Side]:
    """The other account, on a server of its own."""
    with servers.start("ministack", servers.ACCOUNT_B) as server:
        yield Side(server.endpoint, servers.ACCOUNT_B)


@pytest.fixture(scope="module")
def stock(source: Side) -> str:
    name = "ActionStock"
    tables.create(source.client, name)
    tables.put_all(source.client, name, ITEMS)
    return name


class Releases(http.server.ThreadingHTTPServer):
    """GitHub's releases of owner/dynarc: the binary under test, or a program of the test's own."""

    daemon_threads = True

    def __init__(self, directory: Path):
        self.requests: list[str] = []
        handler = functools.partial(_Files, directory=str(directory))
        super().__init__(("127.0.0.1", 0), handler)
        self.program = directory / f"owner/dynarc/releases/download/v{VERSION}/dynarc-{VERSION}-linux-x86_64"
        self.program.parent.mkdir(parents=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def publish(self, program: Path | str) -> dict[str, str]:
        """Makes it the release, and returns the inputs that ask for it."""
        if isinstance(program, Path):
            shutil.copy(program, self.program)
        else:
            self.program.write_text(program)
        return {"version": VERSION, "sha256": hashlib.sha256(self.program.read_bytes()).hexdigest()}


class _Files(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def releases(tmp_path: Path) -> Iterable[Releases]:
    with Releases(tmp_path / "releases") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def runner(tmp_path: Path, issuer, ministack, releases) -> Runner:
    """A job with `id-token: write`; ministack is its STS."""
    (tmp_path / "runner").mkdir()
    (tmp_path / "runner-home").mkdir()
    return Runner(
        tmp_path / "runner", ROOT,
        {
            "PATH": os.environ["PATH"], "HOME": str(tmp_path / "runner-home"), "AWS_EC2_METADATA_DISABLED": "true",
            "GITHUB_SERVER_URL": releases.url, "AWS_ENDPOINT_URL_STS": ministack.endpoint,
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{issuer.endpoint}/github?api=1",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "session-token",
        },
    )  # fmt: skip


@pytest.fixture
def release(releases: Releases, binary: Path) -> dict[str, str]:
    return releases.publish(binary)


@pytest.fixture
def places(source: Side, far: Side) -> dict[str, str]:
    """The inputs that lead to the two accounts."""
    ends = {"source-endpoint-url": source.endpoint, "target-endpoint-url": far.endpoint}
    regions = {"source-region": servers.REGION, "target-region": servers.REGION}
    return ROLES | ends | regions


@pytest.fixture
def near(places: dict[str, str]) -> dict[str, str]:
    """The inputs that lead to the source."""
    return {name: text for name, text in places.items() if name.startswith("source-")}


def left_behind(runner: Runner) -> list[str]:
    return sorted(path.name for path in runner.temporary.iterdir() if path.name != "dynarc-release")


def clean(outcome: Outcome, runner: Runner) -> None:
    """Nothing secret was shown, and nothing stays."""
    for secret in SECRETS:
        assert secret not in outcome.log + outcome.summary + str(outcome.outputs)
    assert left_behind(runner) == []


def cells(summary: str) -> dict[str, str]:
    """The summary's table as people read it."""
    rows = re.findall(r"^\| (.+?) \| (.*) \|$", summary, re.MULTILINE)
    return {name: html.unescape(re.sub("<[^>]*>", "", text)) for name, text in rows}


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
    assert f"swift build -c release --product dynarc --package-path {ROOT} --scratch-path" in done.log
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


# MARK: Hostile inputs

HOSTILE = [
    "$(touch pwned)", "`touch pwned`", "x; touch pwned", "x' && touch pwned '", 'x" && touch pwned "',
    "--yes", "-", "x\ntouch pwned", "x\r\n::error::y", "${{ github.token }}", "x|y", "../x", "dynamodb://other@/x",
    "\u0422able", "Orders\u202e", "\u00a0", "x y", "a\x1b[2Jb", "\udcff", "%0A::error::y", "A" * 256, "A" * 3000,
]  # fmt: skip
STRICT = [
    "command", "table", "index", "source-role", "source-region", "source-endpoint-url", "target-role", "target-region",
    "target-endpoint-url", "target-table", "mode", "backup", "dry-run", "read-units", "write-units", "timeout-minutes",
    "version", "sha256",
]  # fmt: skip


def refused(runner: Runner, asked: dict[str, str], name: str) -> Outcome:
    """The action with an input that it must refuse before it does anything."""
    done = runner.run(asked)
    assert done.code == 2, (name, asked.get(name), done.log)
    assert done.steps == ["Check the inputs", "Clean up"]
    assert len(done.errors) == 1 and done.errors[0].startswith(f"input {name}: ")
    assert done.errors[0].endswith("nothing was done") and done.log.count("\n") == 1 and done.log.isascii()
    assert list(runner.workspace.iterdir()) == [] and left_behind(runner) == []
    assert done.summary == "" and set(done.outputs.values()) == {""}
    return done


@pytest.mark.parametrize("name", STRICT)
def test_hostile_names(runner, release, releases, places, stock, issuer, name):
    asked = {"command": "copy", "table": stock, "mode": "merge", "target-table": "Other"} | places | release
    # All of them for the first, some for each other, since each takes two processes.
    turn = STRICT.index(name)
    for text in HOSTILE if name == "table" else [HOSTILE[(turn + 5 * step) % len(HOSTILE)] for step in range(5)]:
        if name == "backup" and text == "$(touch pwned)":
            text = "./../$(touch pwned)"
        refused(runner, asked | {name: text}, name)
    assert releases.requests == [] and issuer.requests == []


@pytest.mark.parametrize("text", ["", "x\ny", "x\ry", "a\x01b", "\u2028", "\udcff", "k" * 2049])
def test_keys_of_one_line(runner, release, places, stock, text):
    asked = {"command": "query", "table": stock, "output": "x", "pk": text} | release
    refused(runner, asked, "pk")


KEYS_TO_LOOK_FOR = [
    "$(touch pwned)", "`touch pwned`", "x; touch pwned", "' || touch pwned #", '"; touch pwned; "', "--yes", "-5", "--",
    "${{ github.token }}", "caf\u00e9 \u65e5\u672c \U0001f600", "a|b<c>&d*_e_\\", "%0A", "~", "*", "@x", "=",
]  # fmt: skip


def test_keys_hold_anything(runner, release, near, source, table):
    """A key is found by its very signs, and nothing else becomes of it."""
    tables.create(source.client, table, "pk:S", None)
    tables.put_all(source.client, table, [{"pk": {"S": key}} for key in KEYS_TO_LOOK_FOR])
    for number, key in enumerate(KEYS_TO_LOOK_FOR):
        output = f"{number}.ndjson"
        done = runner.run({"command": "query", "table": table, "pk": key, "output": output} | near | release)
        assert done.code == 0, done.log
        assert json.loads((runner.workspace / output).read_text()) == {"pk": {"S": key}}
        assert cells(done.summary)["Slice"] == f"pk {key}"
    assert len(list(runner.workspace.iterdir())) == len(KEYS_TO_LOOK_FOR)


@pytest.mark.parametrize(
    "change, name",
    [
        ({"source-role": ""}, "target-role"),
        ({"target-role": ""}, "source-role"),
        ({"version": ""}, "sha256"),
        ({"sha256": ""}, "version"),
        ({"sk": "a"}, "sk"),
        ({"sk-begins-with": "a"}, "sk-begins-with"),
        ({"pk": "p", "sk": "a", "sk-begins-with": "a"}, "sk"),
        ({"backup": "none", "mode": ""}, "backup"),
        ({"archive": "x"}, "archive"),
        ({"output": "x"}, "output"),
        ({"command": "dump"}, "target-role"),
        ({"command": ""}, "command"),
        ({"table": ""}, "table"),
    ],
)
def test_inputs_that_do_not_go_together(runner, release, places, stock, change, name):
    asked = {"command": "copy", "table": stock, "mode": "merge"} | places | release | change
    refused(runner, asked, name)


@pytest.mark.parametrize("path", ["/tmp/x", "../x", "a/../../x", "-x", "~/x", ".", "a\nb"])
def test_paths_stay_in_the_workspace(runner, release, near, stock, path):
    refused(runner, {"command": "dump", "table": stock, "archive": path} | near | release, "archive")
    refused(runner, {"command": "query", "table": stock, "pk": "a", "output": path} | near | release, "output")


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


# MARK: What stands in the files


def documents() -> list[tuple[str, Any]]:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    found = [("action.yml", action["runs"]["steps"])]
    for path in EXAMPLES:
        for job in yaml.safe_load(path.read_text())["jobs"].values():
            found.append((path.name, job["steps"]))
    return found


def test_no_expression_in_a_program():
    for name, steps in documents():
        assert steps
        for step in steps:
            assert "${{" not in step.get("run", ""), name
            uses = step.get("uses", "")
            assert not uses or re.search(r"@([0-9a-f]{40}|COMMIT)$", uses), f"{uses} is not pinned"


def test_the_examples_say_what_the_action_takes():
    inputs = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    assert EXAMPLES
    for name, steps in documents()[1:]:
        (ours,) = (step for step in steps if step.get("uses", "").startswith("OWNER/dynarc@"))
        assert set(ours["with"]) <= set(inputs), name
        assert {key for key, one in inputs.items() if one.get("required")} <= set(ours["with"])


def test_every_input_is_documented():
    guide = (ROOT / "docs" / "github-action.md").read_text()
    definition = yaml.safe_load((ROOT / "action.yml").read_text())
    for name in [*definition["inputs"], *definition["outputs"]]:
        assert f"`{name}`" in guide, name
    for step in definition["runs"]["steps"]:
        assert set(step) <= {"name", "id", "if", "uses", "with", "shell", "env", "run"}, "a composite step takes no more"
    passed = {text for step in definition["runs"]["steps"] for text in step.get("env", {}).values()}
    assert {f"${{{{ inputs.{name} }}}}" for name in definition["inputs"]} <= passed


def test_actionlint(tmp_path):
    """The examples as workflows of a repository that holds the action, so that their inputs are held to it."""
    tools = ROOT / ".cache" / "actionlint-venv" / "bin"
    actionlint = shutil.which("actionlint", path=f"{tools}:{os.environ['PATH']}")
    if not actionlint:
        pytest.skip("there is no actionlint: scripts/setup-actionlint gets it")
    (tmp_path / ".git").mkdir()
    workflows = tmp_path / ".github" / "workflows"
    workflows.mkdir(parents=True)
    shutil.copy(ROOT / "action.yml", tmp_path)
    for path in EXAMPLES:
        (workflows / path.name).write_text(path.read_text().replace("OWNER/dynarc@COMMIT", "./"))
    path = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(tmp_path)}

    def lint() -> subprocess.CompletedProcess:
        return subprocess.run([actionlint], cwd=tmp_path, env=path, capture_output=True, text=True, timeout=60)

    done = lint()
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    # And it does look.
    (workflows / "bad.yml").write_text((workflows / EXAMPLES[0].name).read_text().replace(" mode:", " modus:"))
    assert lint().returncode == 1
