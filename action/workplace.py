"""The directory that the steps share: what is to be done, and what nobody else may read."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from typing import Any

import github

PREFIX = "dynarc-job-"
_REQUEST = "request.json"


def temporary() -> str:
    """The runner's directory for temporary files, which it empties after each job."""
    path = os.environ.get("RUNNER_TEMP")
    if not path:
        raise github.ActionError("RUNNER_TEMP is not set: this runs in GitHub Actions only")
    return path


def make() -> str:
    return tempfile.mkdtemp(prefix=PREFIX, dir=temporary())


def find() -> str:
    """The directory that `check` made."""
    path = os.environ.get("DYNARC_DIRECTORY", "")
    is_ours = os.path.basename(path).startswith(PREFIX) and os.path.dirname(path) == temporary()
    if not is_ours or not os.path.isdir(path):
        raise github.ActionError("the inputs have not been checked")
    return path


def remove() -> None:
    if os.environ.get("DYNARC_DIRECTORY"):
        shutil.rmtree(find())


def write(path: str, text: str) -> None:
    """Puts a file in place whole, for its owner only."""
    with create(path + ".new") as file:
        file.write(text.encode())
    os.replace(path + ".new", path)


def create(path: str) -> Any:
    """A new file, for its owner only; an error where there is one already."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")


def save(directory: str, request: dict[str, str]) -> None:
    write(os.path.join(directory, _REQUEST), json.dumps(request))


def load(directory: str) -> dict[str, str]:
    with open(os.path.join(directory, _REQUEST), encoding="utf-8") as file:
        return json.load(file)
