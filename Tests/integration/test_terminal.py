"""What a person sees at a terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import termios

import pytest

import tables
from program import environment_of

pytestmark = pytest.mark.alone

COLUMNS = 30


def test_the_progress_line_fits_the_terminal(binary, tmp_path, source, table, proxy_to):
    """A line that wrapped could not be taken away again."""
    tables.create(source.client, table)
    tables.put_all(source.client, table, ({"pk": {"S": f"{n}"}, "sk": {"S": "-"}} for n in range(100)))
    slow = [{"kind": "stall", "operation": "Scan", "rate": 1, "seconds": 0.3}]
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    process = subprocess.Popen(
        [str(binary), "dump", table, "./archive", "--segments", "8", "--concurrency", "2"],
        cwd=tmp_path, env=environment_of(tmp_path, source.through(proxy_to(source, slow))),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=follower,
    )  # fmt: skip
    os.close(follower)
    shown = b""
    try:
        while part := os.read(leader, 4096):
            shown += part
    except OSError:
        pass  # The last one at the other end has gone.
    os.close(leader)
    assert process.wait() == 0
    # Each starts at the left margin and takes the one before away.
    _, *lines = shown.decode().split("\r\x1b[2K")
    moving = [line for line in lines if " items" in line and "\n" not in line]
    assert len(moving) >= 2
    # And room for the ^C that the terminal puts behind it.
    assert max(map(len, moving)) == COLUMNS - 3
