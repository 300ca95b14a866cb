"""What the tests of copy and truncate have in common: two profiles, and processes that are watched."""

from __future__ import annotations

import os
import pty
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Callable

import servers
from program import TIMEOUT, Result, Side, environment_of

BOTH = ("--source", "production", "--target", "development")


def write_profiles(home: Path, **sides: Side) -> None:
    """Makes a profile of each side."""
    directory = home / ".aws"
    directory.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, side in sides.items():
        lines += [
            f"[profile {name}]",
            f"aws_access_key_id = {side.account}",
            f"aws_secret_access_key = {servers.SECRET}",
            f"region = {servers.REGION}",
            f"endpoint_url = {side.endpoint}",
        ]
    (directory / "config").write_text("\n".join(lines) + "\n")


def interrupted(
    binary: Path, directory: Path, home: Path, *arguments: object, when: Callable[[], Any], at: Side | None = None
) -> tuple[int, str]:
    """Runs dynarc until `when` holds, sends SIGINT, and waits. Returns the exit code and what it said."""
    process = subprocess.Popen(
        [str(binary), *map(str, arguments)], cwd=directory, env=environment_of(home, at),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        wait_for(lambda: when() or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=TIMEOUT)
    finally:
        process.kill()
    return process.returncode, said.decode()


def wait_for(condition: Callable[[], Any], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


def hinted(said: str) -> list[str]:
    """The arguments of the command that a hint ends with."""
    hint = next(line for line in said.splitlines() if line.startswith("dynarc: hint: "))
    words = shlex.split(hint.rpartition(": dynarc ")[2])
    assert words, hint
    return words


def at_terminal(
    binary: Path, directory: Path, home: Path, *arguments: object, prompt: str, answer: str | None, at: Side | None = None
) -> tuple[int, str]:
    """Runs dynarc at a terminal and answers its question, by SIGINT where there is no answer. Returns the exit code
    and what was shown."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [str(binary), *map(str, arguments)], cwd=directory, env=environment_of(home, at),
        stdin=follower, stdout=subprocess.DEVNULL, stderr=follower, start_new_session=True,
    )  # fmt: skip
    os.close(follower)
    shown = b""
    try:
        while part := os.read(leader, 4096):
            shown += part
            if prompt and prompt.encode() in shown:
                if answer is None:
                    process.send_signal(signal.SIGINT)
                else:
                    os.write(leader, f"{answer}\n".encode())
                prompt = ""
    except OSError:
        pass  # The last one at the other end has gone.
    os.close(leader)
    assert not prompt, f"it did not ask: {shown!r}"
    return process.wait(timeout=TIMEOUT), shown.decode()


def copier(dynarc: Any, home: Path, source: Side, target: Side, **defaults: Any) -> Callable[..., Result]:
    """A function that copies from the profile `production` to `development`; its `source` and `target` may be others."""

    def run(*arguments: object, source: Side = source, target: Side = target, **options: object) -> Result:
        write_profiles(home, production=source, development=target)
        return dynarc("copy", arguments[0], *BOTH, *arguments[1:], **(defaults | options))

    return run
