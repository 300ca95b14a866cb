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

    `exit` is the exit code expected, None for any. Only `at` and `env` reach the process beside
    PATH and `home`, so nobody's AWS settings do.
    """
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_EC2_METADATA_DISABLED": "true",
        **(at.environment() if at else {}),
        **(env or {}),
    }
    command = [str(binary), *map(str, arguments)]
    done = subprocess.run(
        command, cwd=directory, env=environment, input=input, capture_output=True, timeout=TIMEOUT
    )
    result = Result(done.returncode, done.stdout, done.stderr.decode())
    shown = " ".join(["dynarc", *map(str, arguments)])
    assert exit is None or result.code == exit, (
        f"`{shown}` ended with {result.code}, expected {exit}\n"
        f"stdout: {result.stdout[:1000]!r}\nstderr: {result.stderr[-3000:]}"
    )
    return result
