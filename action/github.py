"""How a step talks to GitHub: errors, masks, outputs, the summary."""

from __future__ import annotations

import os
import secrets


class ActionError(Exception):
    """Something that ends the action; the message is one line, in words."""

    def __init__(self, message: str, code: int = 3):
        super().__init__(message)
        self.code = code


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def error(message: str) -> None:
    print(f"::error title=dynarc::{_escaped(message)}", flush=True)


def mask(secret: str) -> None:
    """Has the log show *** for it from now on."""
    print(f"::add-mask::{_escaped(secret)}", flush=True)


class CommandsStopped:
    """While this lasts, no line of the log is a command to the runner, whatever a program prints."""

    def __enter__(self) -> None:
        self._token = secrets.token_hex(16)
        print(f"::stop-commands::{self._token}", flush=True)

    def __exit__(self, *_: object) -> None:
        print(f"::{self._token}::", flush=True)


def set_output(name: str, value: str) -> None:
    # Nobody can foresee the end mark, and so none can stand in the value.
    mark = f"end-{secrets.token_hex(16)}"
    _append("GITHUB_OUTPUT", f"{name}<<{mark}\n{value}\n{mark}\n")


def summarize(markdown: str) -> None:
    _append("GITHUB_STEP_SUMMARY", markdown)


def _append(variable: str, text: str) -> None:
    path = os.environ.get(variable)
    if not path:
        raise ActionError(f"{variable} is not set: this runs in GitHub Actions only")
    with open(path, "a", encoding="utf-8") as file:
        file.write(text)
