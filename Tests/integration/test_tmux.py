"""Sessions at a real terminal, under tmux: progress, questions, Ctrl-C, a narrow window, colours.

`DYNARC_PICTURES=DIR` keeps what the screens showed, as text.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
import uuid
from pathlib import Path
from typing import Callable, Iterable

import pytest

import tables
from program import Side, environment_of

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(
        shutil.which("tmux") is None and not os.environ.get("CI"),
        reason="no tmux here: sessions at a terminal are not tried (scripts/setup-browser)",
    ),
]
PATIENCE = 30.0


class Session:
    """A shell in a window of tmux, in which dynarc is called by its name."""

    def __init__(self, directory: Path, binary: Path, at: Side, columns: int):
        self._tmux = ["tmux", "-L", f"dynarc-{uuid.uuid4().hex[:8]}", "-f", "/dev/null"]
        tools = directory / "tools"
        tools.mkdir(exist_ok=True)
        if not (tools / "dynarc").exists():
            (tools / "dynarc").symlink_to(binary.resolve())
        environment = environment_of(directory, at) | {"PS1": "$ ", "LC_ALL": "C.UTF-8"}
        environment["PATH"] = f"{tools}:{environment['PATH']}"
        shell = ["env", *(f"{name}={value}" for name, value in environment.items()), "bash", "--norc", "-i"]
        size = ("-x", str(columns), "-y", "24")
        subprocess.run(
            [*self._tmux, "new-session", "-d", *size, shlex.join(shell)],
            cwd=directory, check=True, timeout=PATIENCE, env=environment | {"TERM": "xterm-256color"},
        )  # fmt: skip
        self.wait("$")

    def type(self, *keys: str) -> None:
        """Presses keys: text as it is, or tmux's names, such as Enter and C-c."""
        self._run("send-keys", *keys)

    def screen(self, colours: bool = False) -> str:
        return self._run("capture-pane", "-p", *(["-e"] if colours else []))

    def wait(self, text: str, gone: bool = False) -> str:
        """The screen once a text shows on it, or no longer does."""
        end = time.monotonic() + PATIENCE
        while (text in (shown := self.screen())) == gone:
            assert time.monotonic() < end, f"no {text!r} in:\n{shown}"
            time.sleep(0.05)
        return shown

    def close(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], timeout=PATIENCE, capture_output=True)

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([*self._tmux, *arguments], check=True, timeout=PATIENCE, stdout=subprocess.PIPE)
        return done.stdout.decode()


@pytest.fixture
def session(binary, tmp_path) -> Iterable[Callable[..., Session]]:
    started: list[Session] = []

    def start(at: Side, columns: int = 80) -> Session:
        started.append(Session(tmp_path, binary, at, columns))
        return started[-1]

    yield start
    for one in started:
        one.close()


def keep(name: str, screen: str) -> None:
    if pictures := os.environ.get("DYNARC_PICTURES"):
        (Path(pictures) / f"{name}.txt").write_text(screen)


@pytest.fixture(scope="module")
def orders(source: Side) -> str:
    tables.create(source.client, "Sessions")
    rows = ({"pk": {"S": f"p{n}"}, "sk": {"S": "-"}, "text": {"S": "x" * n}} for n in range(200))
    tables.put_all(source.client, "Sessions", rows)
    return "Sessions"


SLOW = [{"kind": "stall", "operation": "Scan", "rate": 1, "seconds": 0.5}]


@pytest.mark.parametrize("columns", [40, 100])
def test_progress_and_ctrl_c(session, source, orders, proxy_to, tmp_path, columns):
    shell = session(source.through(proxy_to(source, SLOW)), columns)
    shell.type(f"dynarc dump {orders} ./archive --segments 64 --concurrency 2", "Enter")
    shell.wait("items/s" if columns > 40 else "items")
    shown = shell.screen().rstrip("\n").splitlines()
    keep(f"progress-{columns}", "\n".join(shown))
    # One line below the command, that moves.
    moving = [line for line in shown if "segments" in line and "dynarc" not in line]
    assert len(moving) == 1 and len(moving[0]) < columns
    shell.type("C-c")
    shell.wait("unfinished dump")
    shown = shell.wait("--resume")
    keep(f"interrupted-{columns}", shown)
    assert "interrupted" in shown and "segments" not in shown.replace("--segments", "")
    # The line says how to go on, and so it goes.
    shell.type("clear", "Enter")
    shell.type(f"dynarc dump {orders} ./archive --resume --concurrency 16 && echo don''e", "Enter")
    shown = shell.wait("done")
    keep(f"resumed-{columns}", shown)
    assert "200 items" in shown.replace("\n", "")


@pytest.mark.parametrize("answer, emptied", [("n", False), ("y", True)])
def test_a_question(session, dynarc, source, target, orders, table, answer, emptied):
    dynarc("dump", orders, "./archive", at=source)
    tables.create(target.client, table)
    tables.put_all(target.client, table, [{"pk": {"S": "mine"}, "sk": {"S": "-"}}])
    shell = session(target, 90)
    shell.type(f"dynarc load ./archive {table} --truncate; echo code''=$?", "Enter")
    keep("question", shell.wait("[y/N]"))
    assert len(tables.read_all(target.client, table)) == 1
    shell.type(answer, "Enter")
    shown = shell.wait("code=")
    keep(f"answered-{answer}", shown)
    assert ("code=0" in shown) == emptied and ("nothing was changed" in shown) != emptied
    assert ("mine" in str(tables.read_all(target.client, table))) != emptied


def test_colours_are_for_terminals(session, dynarc, source, orders, table):
    dynarc("dump", orders, "./archive", at=source)
    tables.create(source.client, table)
    dynarc("dump", table, "./none", at=source)
    shell = session(source)
    shell.type("clear; dynarc diff ./none ./archive --limit 3 2>/dev/null; echo code=$?", "Enter")
    shell.wait("code=1")
    assert "\x1b[32m" in shell.screen(colours=True)
    shell.type("clear; dynarc diff ./none ./archive --limit 3 2>/dev/null | cat; echo end=$?", "Enter")
    shell.wait("end=0")
    assert "\x1b[32m" not in shell.screen(colours=True)
    shell.type(f"clear; dynarc query {orders} --pk p7 --table; dynarc get {orders} --pk p7 --sk -", "Enter")
    keep("looks", shell.wait('"text"'))
