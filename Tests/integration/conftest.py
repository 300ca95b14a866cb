"""Fixtures: local servers, and the real binary as a process with AWS settings of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterable

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "Support"))

import servers  # noqa: E402
from faultproxy import FaultProxy  # noqa: E402

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


@pytest.fixture(scope="session")
def binary() -> Path:
    path = ROOT / os.environ.get("DYNARC", ".build/release/dynarc")
    if not os.access(path, os.X_OK):
        pytest.exit(f"{path} is not there: run `make build`, or set DYNARC", returncode=2)
    return path


@pytest.fixture(scope="session")
def ministack() -> Iterable[servers.Server]:
    with servers.start("ministack") as server:
        yield server


@pytest.fixture(scope="session")
def moto() -> Iterable[servers.Server]:
    with servers.start("moto") as server:
        yield server


@pytest.fixture(scope="session")
def source(ministack: servers.Server) -> Side:
    return Side(ministack.endpoint, servers.ACCOUNT_A)


@pytest.fixture(scope="session")
def target(ministack: servers.Server) -> Side:
    """A second account on the same server: tables of one name do not meet."""
    return Side(ministack.endpoint, servers.ACCOUNT_B)


@pytest.fixture
def table() -> str:
    """A table name that no other test has."""
    return f"Test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def proxy_to() -> Iterable[Callable[..., FaultProxy]]:
    """Makes fault proxies: `proxy_to(side, [rule, …])`."""
    started: list[FaultProxy] = []

    def make(side: Side, rules: Iterable[dict] = ()) -> FaultProxy:
        proxy = FaultProxy(side.endpoint, rules).__enter__()
        started.append(proxy)
        return proxy

    yield make
    for proxy in started:
        proxy.__exit__()


@pytest.fixture
def dynarc(binary: Path, tmp_path: Path) -> Callable[..., Result]:
    """Runs dynarc in the test's directory: `dynarc("dump", …, at=side)`.

    `exit` is the exit code expected, None for any. Only `at` and `env` reach the process beside
    PATH and an empty home, so nobody's AWS settings do.
    """
    home = tmp_path / "home"
    home.mkdir()

    def run(
        *arguments: object,
        at: Side | None = None,
        exit: int | None = 0,
        env: dict[str, str] | None = None,
        input: bytes = b"",
    ) -> Result:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AWS_EC2_METADATA_DISABLED": "true",
            **(at.environment() if at else {}),
            **(env or {}),
        }
        command = [str(binary), *map(str, arguments)]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, input=input, capture_output=True, timeout=TIMEOUT
        )
        result = Result(done.returncode, done.stdout, done.stderr.decode())
        shown = " ".join(["dynarc", *map(str, arguments)])
        assert exit is None or result.code == exit, (
            f"`{shown}` ended with {result.code}, expected {exit}\n"
            f"stdout: {result.stdout[:1000]!r}\nstderr: {result.stderr[-3000:]}"
        )
        return result

    return run
