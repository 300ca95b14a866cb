"""The GitHub Action: inputs of all kinds, and what stands in its files."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

import tables
from actionjobs import (  # noqa: F401
    ROOT, cells, far, left_behind, near, places, release, releases, runner, stock,
)
from actions import Outcome, Runner

EXAMPLES = sorted((ROOT / "docs" / "workflows").glob("*.yml"))


# MARK: Hostile inputs

HOSTILE = [
    "$(touch pwned)", "`touch pwned`", "x; touch pwned", "x' && touch pwned '", 'x" && touch pwned "',
    "--yes", "-", "x\ntouch pwned", "x\r\n::error::y", "${{ github.token }}", "x|y", "../x", "dynamodb://other@/x",
    "\u0422able", "Orders\u202e", "\u00a0", "x y", "a\x1b[2Jb", "\udcff", "%0A::error::y", "A" * 256, "A" * 3000,
]  # fmt: skip
STRICT = [
    "command", "table", "index", "source-role", "source-region", "source-endpoint-url", "target-role", "target-region",
    "target-endpoint-url", "target-table", "mode", "backup", "dry-run", "rekey", "read-units", "write-units",
    "timeout-minutes", "version", "sha256",
]  # fmt: skip

TARGET = ("target-role", "target-region", "target-endpoint-url")


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
        ({"hash": "email"}, "hash"),
        ({"hash-key": "0123456789abcdef"}, "hash-key"),
        ({"rekey": "true"}, "rekey"),
        ({"rekey": "true", "remove": "a"}, "rekey"),
        ({"command": "query", "remove": "a", "mode": ""} | dict.fromkeys(TARGET, ""), "remove"),
    ],
)
def test_inputs_that_do_not_go_together(runner, release, places, stock, change, name):
    asked = {"command": "copy", "table": stock, "mode": "merge"} | places | release | change
    refused(runner, asked, name)


@pytest.mark.parametrize("path", ["/tmp/x", "../x", "a/../../x", "-x", "~/x", ".", "a\nb"])
def test_paths_stay_in_the_workspace(runner, release, near, stock, path):
    refused(runner, {"command": "dump", "table": stock, "archive": path} | near | release, "archive")
    refused(runner, {"command": "query", "table": stock, "pk": "a", "output": path} | near | release, "output")


@pytest.mark.parametrize("name", ["set", "remove", "hash"])
def test_rules_of_whole_lines(runner, release, releases, places, stock, issuer, name):
    asked = {"command": "copy", "table": stock, "hash": "v", "hash-key": "0123456789abcdef"} | places | release
    for text in ("a\rb", "a\r\n::error::b", "a\x01", "good\na\x1b[2Jb", "\u2028", "\udcff", "k" * 2049, "a\n" * 101):
        refused(runner, asked | {name: text}, name)
    assert releases.requests == [] and issuer.requests == []


@pytest.mark.parametrize("key", ["fifteen letters", "0123456789abcdef\n", "0123456789\x01abcdef", "k" * 2049])
def test_a_hash_key_is_not_shown(runner, release, places, stock, key):
    done = refused(runner, {"command": "copy", "table": stock, "hash": "v", "hash-key": key} | places | release, "hash-key")
    assert key[:10] not in done.log


@pytest.mark.parametrize("name", ["set", "remove", "hash"])
def test_hostile_rules_are_rules_and_nothing_else(runner, release, places, far, stock, table, name):
    """dynarc refuses what is no rule before it asks anybody; what is one is about an attribute of that name."""
    key = {"hash": "v", "hash-key": "0123456789abcdef"} if name == "hash" else {}
    asked = {"command": "copy", "table": stock, "target-table": table} | key | places | release
    for text in ("$(touch pwned)", "`touch pwned`", "x; touch pwned", "' || touch pwned #", '"; touch pwned; ', "a b", "[", "."):
        done = runner.run(asked | {name: f"v{'=1' * (name == 'set')}\n{text}"})
        assert done.code == 2 and done.outputs == {"result": "", "exit-code": "2"}, (text, done.log)
        assert list(runner.workspace.iterdir()) == [] and left_behind(runner) == []
    with pytest.raises(far.client.exceptions.ResourceNotFoundException):
        far.client.describe_table(TableName=table)
    # What stands behind an option's `=` is no option, and no name is a program.
    for text in ("--yes", '"; touch pwned; "', '"$(touch pwned)"."`touch pwned`"'):
        done = runner.run(asked | {name: text + "=1" * (name == "set"), "dry-run": "true"})
        assert done.code == 0, done.log
        # As it is written where nothing needs quotation marks.
        path = json.loads(done.outputs["result"])["transforms"][0]["path"]
        assert path.replace('"', "") == text.replace('"', "") and list(runner.workspace.iterdir()) == []


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
