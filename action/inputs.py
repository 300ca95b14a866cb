"""The action's inputs: what each may hold, which go together, and the command they make.

An input reaches dynarc as one element of an array, behind its option's `=` or behind `--`, never by way of
a shell. So a key may hold anything, even a dash at its beginning; names and places may not.
"""

from __future__ import annotations

import os
import re
import unicodedata
from typing import Callable, Mapping

import github
from github import ActionError

LONGEST = 2048
MOST_LINES = 100
SHORTEST_HASH_KEY = 16
SIDES = ("source", "target")
MODES = ("merge", "replace", "truncate-first")


def _matches(pattern: str) -> Callable[[str], bool]:
    return lambda text: re.fullmatch(pattern, text, re.ASCII) is not None


def _is_path(text: str) -> bool:
    """Whether it is a path that stays in the workspace."""
    return not text.startswith(("-", "/", "~")) and ".." not in text.split("/") and os.path.normpath(text) != "."


_table = (_matches(r"(?!-)[A-Za-z0-9_.-]{1,255}"), "a table's name: letters, digits, _ - and . only, no dash at the beginning")
_role = (_matches(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,512}"), "the ARN of an IAM role")
_region = (_matches(r"[a-z][a-z0-9-]{0,63}"), "a region, such as eu-central-1")
_url = (_matches(r"https?://[A-Za-z0-9.:\[\]-]+/?"), "the https URL of a host")
_units = (_matches(r"[1-9][0-9]{0,8}%?"), "a number of units a second, or a percentage")
_path = (_is_path, "a path inside the workspace")
_flag = (lambda text: text in ("true", "false"), "true or false")
_any = (lambda text: True, "")

# Each input's rule, and the commands that it is for; none named: all.
RULES = {
    "command": (lambda text: text in ("copy", "dump", "query"), "copy, dump or query"),
    "table": _table,
    "index": _table,
    "pk": _any,
    "sk": _any,
    "sk-begins-with": _any,
    "source-role": _role,
    "source-region": _region,
    "source-endpoint-url": _url,
    "target-role": _role,
    "target-region": _region,
    "target-endpoint-url": _url,
    "target-table": _table,
    "mode": (lambda text: text in MODES, "merge, replace or truncate-first"),
    "backup": (
        lambda text: text in ("aws", "none") or (text.startswith("./") and _is_path(text)),
        "aws, none, or a directory in the workspace as ./before",
    ),
    "dry-run": _flag,
    "set": _any,
    "remove": _any,
    "hash": _any,
    "rekey": _flag,
    "archive": _path,
    "output": _path,
    "read-units": _units,
    "write-units": _units,
    "timeout-minutes": (lambda text: _matches("[1-9][0-9]{0,2}")(text) and int(text) <= 360, "1 to 360"),
    "version": (_matches(r"[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?"), "a version, such as 0.1.0"),
    "sha256": (_matches("[0-9a-f]{64}"), "64 hexadecimal digits, small letters"),
}
# Those that hold a rule a line; dynarc reads the rules before it asks anybody.
LINES = ("set", "remove", "hash")
ONLY_FOR = {
    **{name: ("copy",) for name in RULES if name.startswith("target-")},
    **{name: ("copy",) for name in ("mode", "backup", "dry-run", "write-units")},
    **{name: ("copy", "dump") for name in (*LINES, "rekey", "read-units")},
    "archive": ("dump",), "output": ("query",),
}  # fmt: skip
UNSAID = {"dry-run": "false", "rekey": "false", "timeout-minutes": "60"}


class BadInput(ActionError):
    """An input that is refused."""

    def __init__(self, name: str, reason: str):
        super().__init__(f"input {name}: {reason}; nothing was done", code=2)


def read(environment: Mapping[str, str]) -> dict[str, str]:
    """Reads the inputs out of INPUT_…, all of them, and checks them. What is not said is not in the answer."""
    request: dict[str, str] = {}
    for name, (is_right, what) in RULES.items():
        text = environment.get("INPUT_" + name.upper().replace("-", "_"), "") or UNSAID.get(name, "")
        if not text:
            continue
        if name in LINES:
            text = _lines(name, text)
        else:
            _check_text(name, text)
        if not text:
            continue
        if not is_right(text):
            raise BadInput(name, f"{shown(text)} is not {what}")
        request[name] = text
    _check_together(request)
    _check_hash_key(request, environment.get("INPUT_HASH_KEY", ""))
    return request


def shown(text: str) -> str:
    """A value in a message: ASCII, on one line, not too long."""
    return ascii(text if len(text) <= 80 else text[:80] + "...")


def _check_text(name: str, text: str) -> None:
    if len(text) > LONGEST:
        raise BadInput(name, f"it is longer than {LONGEST} characters")
    # Line breaks above all; a surrogate is a byte that is no UTF-8.
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in text):
        raise BadInput(name, f"{shown(text)} holds a line break or another control character")


def _lines(name: str, text: str) -> str:
    """The lines that are not empty."""
    lines = [line for line in text.split("\n") if line]
    if len(lines) > MOST_LINES:
        raise BadInput(name, f"it has more than {MOST_LINES} lines")
    for line in lines:
        _check_text(name, line)
    return "\n".join(lines)


def _check_hash_key(request: Mapping[str, str], key: str) -> None:
    """The key is no part of the request, which is kept in a file, nor of any message."""
    if not key:
        if "hash" in request:
            raise BadInput("hash", "it goes with hash-key, which is empty")
        return
    # Nobody sees the key where it is no secret of GitHub's, either.
    if len(key) < SHORTEST_HASH_KEY or len(key) > LONGEST or not key.isprintable():
        raise BadInput("hash-key", f"it has to be {SHORTEST_HASH_KEY} to {LONGEST} printable characters on one line")
    github.mask(key)
    if "hash" not in request:
        raise BadInput("hash-key", "it goes with hash, which is empty")


def _check_together(request: Mapping[str, str]) -> None:
    for name in ("command", "table"):
        if name not in request:
            raise BadInput(name, "it is empty")
    command = request["command"]
    for name, text in request.items():
        if command not in ONLY_FOR.get(name, (command,)) and text != UNSAID.get(name):
            raise BadInput(name, f"{command} does not take it")

    def need(name: str, *others: str) -> None:
        for other in others:
            if name in request and other not in request:
                raise BadInput(name, f"it goes with {other}, which is empty")

    if request["rekey"] == "true" and not any(name in request for name in ("set", "hash")):
        raise BadInput("rekey", "it goes with set or hash, which are empty")
    need("sk", "pk")
    need("sk-begins-with", "pk")
    if "sk" in request and "sk-begins-with" in request:
        raise BadInput("sk", "it and sk-begins-with exclude each other")
    for name, needed in (("query", "pk"), ("query", "output"), ("dump", "archive")):
        if command == name and needed not in request:
            raise BadInput(needed, f"it is empty, and {name} needs it")
    # A side without a role would be reached as the other one, which nobody means.
    if command == "copy":
        need("source-role", "target-role")
        need("target-role", "source-role")
    for side in SIDES:
        need(f"{side}-endpoint-url", f"{side}-role")
    need("backup", "mode")
    need("version", "sha256")
    need("sha256", "version")


def place(request: Mapping[str, str], side: str) -> str:
    """`dynamodb://[profile@][region]/`; the profiles are those of identity.py."""
    profile = f"{side}@" if f"{side}-role" in request else ""
    return f"dynamodb://{profile}{request.get(f'{side}-region', '')}/"


def arguments(request: Mapping[str, str]) -> list[str]:
    """The command line behind the program's name."""
    command = request["command"]
    made = [command, "--no-progress"] + (["--json"] if command != "query" else [])
    options = ["index", "pk", "sk", "sk-begins-with", "read-units"]
    if command == "copy":
        made += [f"--{side}={place(request, side)}" for side in SIDES]
        options += ["target-table", "backup", "write-units"]
        if "mode" in request:
            # The form was the question.
            made += [f"--{request['mode']}", "--yes"]
        if request["dry-run"] == "true":
            made.append("--dry-run")
    made += [f"--{name}={request[name]}" for name in options if name in request]
    made += [f"--{name}={line}" for name in LINES if name in request for line in request[name].split("\n")]
    if request["rekey"] == "true":
        made.append("--rekey")
    table = request["table"] if command == "copy" else place(request, "source") + request["table"]
    made += ["--", table]
    if command == "dump":
        made.append("./" + os.path.normpath(request["archive"]))
    return made
