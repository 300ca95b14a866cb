"""Fixtures: local servers, and the real binary as a process with AWS settings of its own."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Callable, Iterable

import pytest

import servers
from faultproxy import FaultProxy
from issuer import Issuer
from program import Result, Side, run_dynarc

ROOT = Path(__file__).resolve().parents[2]


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

    The options are those of `run_dynarc`.
    """
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)

    def run(*arguments: object, **options: object) -> Result:
        return run_dynarc(binary, tmp_path, home, *arguments, **options)

    return run


@pytest.fixture
def aws(tmp_path: Path) -> Path:
    """The directory of the AWS files in dynarc's home."""
    path = tmp_path / "home" / ".aws"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def issuer() -> Iterable[Issuer]:
    with Issuer() as issuer:
        yield issuer
