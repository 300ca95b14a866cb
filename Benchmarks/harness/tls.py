"""A certificate authority of our own, so that clients check the server's certificate as always."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from .datasets import CACHE

DAYS = "3650"


def authority() -> Path:
    """The authority's certificate; beside it stand `server.pem` and `server.key`. Made once."""
    directory = CACHE / "tls"
    if not directory.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix="tls.", dir=CACHE))
        try:
            _make(work)
            work.rename(directory)
        except OSError:
            # Another process has made it meanwhile.
            if not directory.exists():
                raise
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return directory / "ca.pem"


def _make(directory: Path) -> None:
    def request(name: str, *arguments: str) -> None:
        command = ["openssl", "req", "-x509", "-nodes", "-days", DAYS, "-newkey", "rsa:2048"]
        command += ["-keyout", f"{name}.key", "-out", f"{name}.pem", *arguments]
        subprocess.run(command, cwd=directory, check=True, capture_output=True)

    request("ca", "-subj", "/CN=dynarc benchmarks")
    server = ["-subj", "/CN=localhost", "-CA", "ca.pem", "-CAkey", "ca.key"]
    for extension in (
        "subjectAltName=IP:127.0.0.1,DNS:localhost",
        "basicConstraints=critical,CA:FALSE",
        "extendedKeyUsage=serverAuth",
    ):
        server += ["-addext", extension]
    request("server", *server)
