"""A composite action's steps, run as GitHub's runner runs them.

Expressions are evaluated where the runner evaluates them: in `env`, `with` and `if`. One in `run` would be
put into a shell's program, and is an error here. Only the expressions are known that dynarc's action has.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TIMEOUT = 180.0
_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
# Where the runner writes a step's program, and how it starts it.
_SHELLS = {"bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}


@dataclass
class Outcome:
    """How a run of an action ended."""

    code: int
    outputs: dict[str, str]
    summary: str
    # All that the steps printed, but for the lines that tell what to mask.
    log: str
    errors: list[str]
    masks: list[str]
    steps: list[str] = field(default_factory=list)


class Runner:
    """A machine of GitHub's: its directories, and what its jobs have in their environment."""

    def __init__(self, directory: Path, action: Path, environment: dict[str, str]):
        self.action = action
        self.workspace = directory / "workspace"
        self.temporary = directory / "temp"
        self._cache = directory / "cache"
        self._files = directory / "files"
        for path in (self.workspace, self.temporary, self._cache, self._files):
            path.mkdir()
        self._environment = environment

    def run(self, inputs: dict[str, str], **environment: str) -> Outcome:
        """Runs the action with these inputs, and these variables of the job."""
        definition = yaml.safe_load((self.action / "action.yml").read_text())
        declared = definition["inputs"]
        assert set(inputs) <= set(declared), "an input that the action has not"
        given = {name: inputs.get(name, one.get("default", "")) for name, one in declared.items()}
        context: dict[str, Any] = {
            "inputs": given, "steps": {},
            "runner": {"temp": str(self.temporary), "os": "Linux", "arch": "X64"},
            "github": {"action_repository": environment.pop("ACTION_REPOSITORY", "owner/dynarc")},
        }  # fmt: skip
        # Each job begins with it empty.
        shutil.rmtree(self.temporary)
        self.temporary.mkdir()
        outcome = Outcome(0, {}, "", "", [], [])
        saves = []
        for number, step in enumerate(definition["runs"]["steps"]):
            if not _holds(step.get("if", "success()"), context, failed=outcome.code != 0):
                continue
            outcome.steps.append(step["name"])
            if "uses" in step:
                saves.append(self._restore(step, context))
            else:
                code, outputs = self._step(number, step, context, environment, outcome)
                context["steps"][step.get("id", number)] = {"outputs": outputs}
                outcome.code = outcome.code or code
        if outcome.code == 0:
            for kept, path in saves:
                if path.exists() and not kept.exists():
                    shutil.copytree(path, kept)
        outcome.outputs = {
            name: _evaluated(one["value"], context) for name, one in definition["outputs"].items()
        }
        return outcome

    def _step(
        self, number: int, step: dict, context: dict, environment: dict[str, str], outcome: Outcome
    ) -> tuple[int, dict[str, str]]:
        assert "${{" not in step["run"], "an expression would become a part of a shell's program"
        program = self._files / f"{number}.sh"
        program.write_text(step["run"])
        output, summary = (self._files / f"{number}.{what}" for what in ("output", "summary"))
        for path in (output, summary):
            path.write_text("")
        done = subprocess.run(
            [*_SHELLS[step["shell"]], str(program)],
            cwd=self.workspace,
            env={
                **self._environment, **environment,
                "GITHUB_ACTIONS": "true", "GITHUB_ACTION_PATH": str(self.action), "GITHUB_RUN_ID": "4711",
                "GITHUB_WORKSPACE": str(self.workspace), "RUNNER_TEMP": str(self.temporary),
                "GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary),
                **{name: _evaluated(text, context) for name, text in step.get("env", {}).items()},
            },
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT,
        )  # fmt: skip
        outcome.summary += summary.read_text()
        _read_log(done.stdout.decode(), outcome)
        return done.returncode, _outputs(output.read_text())

    def _restore(self, step: dict, context: dict) -> tuple[Path, Path]:
        """What actions/cache does before the steps behind it; the answer is what it saves at the end."""
        assert re.fullmatch(r"actions/cache@[0-9a-f]{40}", step["uses"]), "pinned by its commit"
        given = {name: _evaluated(text, context) for name, text in step["with"].items()}
        kept, path = self._cache / given["key"], Path(given["path"])
        if kept.exists():
            shutil.copytree(kept, path)
        return kept, path


def _evaluated(text: str, context: dict) -> str:
    def value(match: re.Match) -> str:
        found: Any = context
        for name in match[1].split("."):
            found = found.get(name, {}) if isinstance(found, dict) else {}
        return found if isinstance(found, str) else ""

    return _EXPRESSION.sub(value, text)


def _holds(condition: str, context: dict, failed: bool) -> bool:
    if condition == "always()":
        return True
    if (match := re.fullmatch(r"(inputs\.\S+) != ''", condition)) is not None:
        return not failed and _evaluated("${{ " + match[1] + " }}", context) != ""
    assert condition == "success()", condition
    return not failed


def _outputs(text: str) -> dict[str, str]:
    """A file of outputs, as the runner reads it."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, is_long, mark = line.partition("<<")
        assert is_long, line
        value = []
        for line in lines:
            if line == mark:
                break
            value.append(line)
        else:
            raise AssertionError("a value without its end")
        found[name] = "\n".join(value)
    return found


def _read_log(text: str, outcome: Outcome) -> None:
    """Takes the commands out of a step's log, as the runner does; they end where a program says so."""
    stopped = None
    for line in text.splitlines():
        command = re.fullmatch(r"\s*::([a-z-]+|[0-9a-f]{32})(?: [^:]*)?::(.*)", line)
        if stopped is not None:
            if command and command[1] == stopped:
                stopped = None
                continue
        elif command:
            match command[1]:
                case "stop-commands":
                    stopped = command[2]
                    continue
                case "add-mask":
                    outcome.masks.append(command[2])
                    continue
                case "error":
                    outcome.errors.append(command[2])
                case other:
                    raise AssertionError(f"a command that nobody meant: {other}")
        outcome.log += line + "\n"
    assert stopped is None, "the commands were never allowed again"
