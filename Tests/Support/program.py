"""dynarc as a process: where it is to work, and how it ended."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import servers
from faultproxy import FaultProxy

TIMEOUT = 120.0


@dataclass
class Result:
    """How a run of dynarc ended."""

    code: int
    stdout: bytes
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


@dataclass
class Side:
    """An account on a server: how boto3 gets there, and how dynarc does."""

    endpoint: str
    account: str
    client: Any = field(init=False)

    def __post_init__(self) -> None:
        self.client = servers.client(self.endpoint, account=self.account)

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": servers.REGION,
            "AWS_ACCESS_KEY_ID": self.account,
            "AWS_SECRET_ACCESS_KEY": servers.SECRET,
        }

    def through(self, proxy: FaultProxy) -> "Side":
        """The same account, reached through a proxy."""
        return Side(proxy.endpoint, self.account)


def environment_of(
    home: Path, at: Side | None = None, env: dict[str, str] | None = None
) -> dict[str, str]:
    """Only `at` and `env` reach the process beside PATH and `home`: nobody's AWS settings do."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_EC2_METADATA_DISABLED": "true",
        **(at.environment() if at else {}),
        **(env or {}),
    }


def run_dynarc(
    binary: Path,
    directory: Path,
    home: Path,
    *arguments: object,
    at: Side | None = None,
    exit: int | None = 0,
    env: dict[str, str] | None = None,
    input: bytes = b"",
) -> Result:
    """Runs dynarc in a directory.

    `exit` is the exit code expected, None for any.
    """
    command = [str(binary), *map(str, arguments)]
    done = subprocess.run(
        command,
        cwd=directory,
        env=environment_of(home, at, env),
        input=input,
        capture_output=True,
        timeout=TIMEOUT,
    )
    result = Result(done.returncode, done.stdout, done.stderr.decode())
    shown = " ".join(["dynarc", *map(str, arguments)])
    assert exit is None or result.code == exit, (
        f"`{shown}` ended with {result.code}, expected {exit}\n"
        f"stdout: {result.stdout[:1000]!r}\nstderr: {result.stderr[-3000:]}"
    )
    return result


def run_dynarc_until(
    binary: Path, directory: Path, home: Path, seconds: float, signal: int, *arguments: object, at: Side
) -> int:
    """Runs dynarc, sends it a signal after so many seconds, and waits for its end.

    Returns the exit code; minus the signal's number where that ended it.
    """
    process = subprocess.Popen(
        [str(binary), *map(str, arguments)],
        cwd=directory,
        env=environment_of(home, at),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal)
        return process.wait(timeout=TIMEOUT)
