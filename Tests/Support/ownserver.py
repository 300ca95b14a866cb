"""Fixtures of a test file that has a server of its own, where nobody else makes tables."""

from __future__ import annotations

import pytest

import servers
from program import Side


@pytest.fixture(scope="module")
def server():
    with servers.start("ministack") as server:
        yield server


@pytest.fixture(scope="module")
def source(server) -> Side:
    return Side(server.endpoint, servers.ACCOUNT_A)


@pytest.fixture(scope="module")
def target(server) -> Side:
    return Side(server.endpoint, servers.ACCOUNT_B)
