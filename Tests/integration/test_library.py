"""The program of docs/library.md: what stands there is what is built, and it runs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

import servers
import tables
from conftest import ROOT
from items import keyed, random_items
from program import TIMEOUT, Side, environment_of

ITEMS = keyed(random_items(50, seed=31)) + [{"pk": {"S": "customer-1"}, "sk": {"S": one}} for one in "abc"]


@pytest.fixture
def example(binary: Path) -> Path:
    path = binary.parent / "library-example"
    assert path.exists(), "build it with: swift build -c release --product library-example"
    return path


def test_the_document_shows_the_program():
    (block,) = re.findall(r"```swift\n(.*?)```", (ROOT / "docs/library.md").read_text(), re.DOTALL)
    assert block == (ROOT / "docs/example/main.swift").read_text()


def test_every_job_runs(example, tmp_path):
    with servers.start("ministack") as server:
        side = Side(server.endpoint, servers.ACCOUNT_A)
        tables.create(side.client, "Orders")
        tables.put_all(side.client, "Orders", ITEMS)
        done = subprocess.run(
            [str(example)], cwd=tmp_path, env=environment_of(tmp_path, side), capture_output=True, timeout=TIMEOUT
        )
        assert done.returncode == 0, done.stderr.decode()
        count = len(ITEMS)
        assert done.stdout.decode().splitlines() == [
            f"dumped {count} items",
            f"loaded {count} items",
            "the same: true",
            f"copied {count} items",
            "customer-1 has 3 items",
            "restored Orders-restored",
        ]
        for table in ("Orders-copy", "Orders-restored"):
            assert tables.differences(ITEMS, tables.read_all(side.client, table), ["pk", "sk"]) == []
