"""What the tests of the GitHub Action have in common: two accounts, a job's machine, releases to fetch.

The fixtures are imported by name; pytest finds them in the modules that use them.
"""

from __future__ import annotations

import functools
import hashlib
import html
import http.server
import os
import platform
import re
import shutil
import threading
from pathlib import Path
from typing import Iterable

import pytest

import servers
import tables
from actions import Outcome, Runner
from identity import SECRETS
from items import keyed, random_items
from program import Side

ROOT = Path(__file__).resolve().parents[2]
VERSION = "0.1.0"
ROLES = {
    "source-role": f"arn:aws:iam::{servers.ACCOUNT_A}:role/dynarc-read",
    "target-role": f"arn:aws:iam::{servers.ACCOUNT_B}:role/path/dynarc+write@x",
}
ITEMS = keyed([{"v": {"S": "source"}} | item for item in random_items(120, seed=9)])
SLICE = [item for item in ITEMS if item["pk"] == {"S": "p0"}]
KEYS = ["pk", "sk"]


@pytest.fixture(scope="module")
def far() -> Iterable[Side]:
    """The other account, on a server of its own."""
    with servers.start("ministack", servers.ACCOUNT_B) as server:
        yield Side(server.endpoint, servers.ACCOUNT_B)


@pytest.fixture(scope="module")
def stock(source: Side, request: pytest.FixtureRequest) -> str:
    name = f"Stock-{request.module.__name__}"
    tables.create(source.client, name)
    tables.put_all(source.client, name, ITEMS)
    return name


class Releases(http.server.ThreadingHTTPServer):
    """GitHub's releases of owner/dynarc: the binary under test, or a program of the test's own."""

    daemon_threads = True

    def __init__(self, directory: Path):
        self.requests: list[str] = []
        handler = functools.partial(_Files, directory=str(directory))
        super().__init__(("127.0.0.1", 0), handler)
        self.program = directory / f"owner/dynarc/releases/download/v{VERSION}/dynarc-{VERSION}-linux-{platform.machine()}"
        self.program.parent.mkdir(parents=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def publish(self, program: Path | str) -> dict[str, str]:
        """Makes it the release, and returns the inputs that ask for it."""
        if isinstance(program, Path):
            shutil.copy(program, self.program)
        else:
            self.program.write_text(program)
        return {"version": VERSION, "sha256": hashlib.sha256(self.program.read_bytes()).hexdigest()}


class _Files(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def releases(tmp_path: Path) -> Iterable[Releases]:
    with Releases(tmp_path / "releases") as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def runner(tmp_path: Path, issuer, ministack, releases) -> Runner:
    """A job with `id-token: write`; ministack is its STS."""
    (tmp_path / "runner").mkdir()
    (tmp_path / "runner-home").mkdir()
    return Runner(
        tmp_path / "runner", ROOT,
        {
            "PATH": os.environ["PATH"], "HOME": str(tmp_path / "runner-home"), "AWS_EC2_METADATA_DISABLED": "true",
            "GITHUB_SERVER_URL": releases.url, "AWS_ENDPOINT_URL_STS": ministack.endpoint,
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{issuer.endpoint}/github?api=1",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "session-token",
        },
    )  # fmt: skip


@pytest.fixture
def release(releases: Releases, binary: Path) -> dict[str, str]:
    return releases.publish(binary)


@pytest.fixture
def places(source: Side, far: Side) -> dict[str, str]:
    """The inputs that lead to the two accounts."""
    ends = {"source-endpoint-url": source.endpoint, "target-endpoint-url": far.endpoint}
    regions = {"source-region": servers.REGION, "target-region": servers.REGION}
    return ROLES | ends | regions


@pytest.fixture
def near(places: dict[str, str]) -> dict[str, str]:
    """The inputs that lead to the source."""
    return {name: text for name, text in places.items() if name.startswith("source-")}


def left_behind(runner: Runner) -> list[str]:
    return sorted(path.name for path in runner.temporary.iterdir() if path.name != "dynarc-release")


def clean(outcome: Outcome, runner: Runner) -> None:
    """Nothing secret was shown, and nothing stays."""
    for secret in SECRETS:
        assert secret not in outcome.log + outcome.summary + str(outcome.outputs)
    assert left_behind(runner) == []


def cells(summary: str) -> dict[str, str]:
    """The summary's table as people read it."""
    rows = re.findall(r"^\| (.+?) \| (.*) \|$", summary, re.MULTILINE)
    return {name: html.unescape(re.sub("<[^>]*>", "", text)) for name, text in rows}
