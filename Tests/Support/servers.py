"""Local DynamoDB servers for tests and the demo: ministack and moto as child processes.

A `Server` listens on a free loopback port, keeps no state on disk, and dies with us: it is its own
process group that is killed on exit and on signals, and the kernel kills it should we be killed.

    with start("ministack") as server:
        client = server.client()

As a program, `servers.py ministack [--count 2]` starts servers, prints one endpoint a line and
runs until it is interrupted.
"""

from __future__ import annotations

import argparse
import atexit
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

REGION = "eu-central-1"
# ministack takes a key id of 12 digits for the account's number.
ACCOUNT_A = "111122223333"
ACCOUNT_B = "444455556666"
SECRET = "not-a-secret"

START_TIMEOUT = 30.0
PORT_ATTEMPTS = 5
PR_SET_PDEATHSIG = 1

_running: list["Server"] = []
_libc = ctypes.CDLL(None)


class ServerError(RuntimeError):
    """A server did not come up; the message holds the end of what it printed."""


class Server:
    """One server process and the address it listens on."""

    def __init__(self, kind: str, endpoint: str, process: subprocess.Popen, directory: Path):
        self.kind = kind
        self.endpoint = endpoint
        self.process = process
        self._directory = directory

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def client(self, service: str = "dynamodb", account: str = ACCOUNT_A, **config: object):
        """A boto3 client for one of the server's accounts, deaf to the user's AWS settings."""
        return client(self.endpoint, service, account, **config)

    def log(self) -> str:
        """What the server has printed so far."""
        return (self._directory / "log").read_text(errors="replace")

    def stop(self) -> None:
        """Ends the process group and removes its directory; may be called again."""
        end_group(self.process)
        shutil.rmtree(self._directory, ignore_errors=True)
        if self in _running:
            _running.remove(self)


def client(endpoint: str, service: str = "dynamodb", account: str = ACCOUNT_A, **config: object):
    """A boto3 client for an endpoint with explicit credentials and region."""
    import boto3
    from botocore.config import Config

    settings = {"retries": {"mode": "standard", "max_attempts": 3}, "max_pool_connections": 20}
    return boto3.session.Session().client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=account,
        aws_secret_access_key=SECRET,
        config=Config(**(settings | config)),
    )


def start(
    kind: str, account: str = ACCOUNT_A, settings: dict[str, str] | None = None
) -> Server:
    """Starts a server and waits until it answers.

    `account` is what the server calls a caller whose key id is no account number; `settings` are
    variables of the server's own, such as `AUTH`.
    """
    for attempt in range(PORT_ATTEMPTS):
        try:
            return _start(kind, account, settings or {})
        except ServerError:
            # Somebody may have taken the port between our look and the server's bind.
            if attempt == PORT_ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def stop_all() -> None:
    """Ends every server started by this process."""
    for server in list(_running):
        server.stop()


def end_with_signals() -> None:
    """Makes SIGTERM and SIGHUP end the program the ordinary way, so that clean-up runs."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))


def _start(kind: str, account: str, more: dict[str, str]) -> Server:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    directory = Path(tempfile.mkdtemp(prefix=f"dynarc-{kind}-"))
    command, settings, probe = _recipe(kind, port, account, directory)
    with open(directory / "log", "wb") as log:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=_environment(directory) | settings | more,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(os.getpid()),
        )
    server = Server(kind, endpoint, process, directory)
    _running.append(server)
    try:
        _wait_until_ready(server, endpoint + probe)
    except BaseException:
        server.stop()
        raise
    return server


def _recipe(kind: str, port: int, account: str, directory: Path):
    """The command, its environment and the path that answers 200 once the server is ready."""
    scripts = Path(sys.executable).parent
    if kind == "ministack":
        settings = {
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_ACCOUNT_ID": account,
            "MINISTACK_REGION": REGION,
            "SERVICES": "dynamodb,sts,iam,s3",
            "PERSIST_STATE": "0",
            "S3_PERSIST": "0",
            "STATE_DIR": str(directory / "state"),
            "S3_DATA_DIR": str(directory / "s3"),
            # These would listen on fixed ports of all addresses.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "DOCKER_HOST": "unix:///nonexistent",
            "LOG_LEVEL": "WARNING",
        }
        return [str(scripts / "ministack")], settings, "/_ministack/ready"
    if kind == "moto":
        settings = {"MOTO_ACCOUNT_ID": account}
        command = [str(scripts / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
        return command, settings, "/moto-api/data.json"
    raise ValueError(f"unknown server {kind!r}: ministack or moto")


def _environment(directory: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    return kept | {"HOME": str(directory), "TMPDIR": str(directory), "PYTHONUNBUFFERED": "1"}


def die_with_parent(parent: int):
    """A preexec_fn that has the kernel kill the child when the parent dies."""

    def prepare() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def free_port() -> int:
    """A port of the loopback interface that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_ready(server: Server, address: str) -> None:
    # A proxy set for the user's other work must not see loopback calls.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + START_TIMEOUT
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        try:
            with opener.open(address, timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.05)
    raise ServerError(f"{server.kind} did not start: {server.log()[-2000:]}")


def end_group(process: subprocess.Popen) -> None:
    """Ends a process that leads a group, and the whole group."""
    for number, patience in ((signal.SIGTERM, 2), (signal.SIGKILL, 10)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            pass
        try:
            process.wait(timeout=patience)
            break
        except subprocess.TimeoutExpired:
            continue
    # Children that outlived the leader are in its group still.
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


atexit.register(stop_all)


def main() -> None:
    parser = argparse.ArgumentParser(description="Start local DynamoDB servers until interrupted.")
    parser.add_argument("kind", choices=["ministack", "moto"])
    parser.add_argument("--count", type=int, default=1, help="how many servers (default 1)")
    arguments = parser.parse_args()
    end_with_signals()
    try:
        for account in ([ACCOUNT_A, ACCOUNT_B] * arguments.count)[: arguments.count]:
            print(start(arguments.kind, account).endpoint, flush=True)
        while True:
            signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        stop_all()


if __name__ == "__main__":
    main()
