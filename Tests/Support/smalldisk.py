"""A disk that is as full as a test wants it: a tmpfs, where we may mount one.

    with SmallDisk(path, pages=2) as disk:
        …
        disk.resize(pages=10_000)
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

PAGE = 4096


class SmallDisk:
    """A tmpfs of so many pages at a path. Each file takes whole pages; names take none."""

    def __init__(self, path: Path, pages: int):
        self.path = path
        self._pages = pages

    def __enter__(self) -> "SmallDisk":
        self.path.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", self._size(self._pages), "dynarc-test", self.path]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            pytest.skip(f"a small disk needs the right to mount a tmpfs: {done.stderr.strip()}")
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(["umount", "--lazy", self.path], check=True)

    def resize(self, pages: int) -> None:
        """Makes room, or takes it."""
        subprocess.run(["mount", "-o", f"remount,{self._size(pages)}", self.path], check=True)

    def used(self) -> int:
        """Pages in use."""
        return sum(-(-file.stat().st_size // PAGE) for file in self.path.rglob("*") if file.is_file())

    @staticmethod
    def _size(pages: int) -> str:
        return f"size={pages * PAGE}"
