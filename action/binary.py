"""Where the program comes from: a release, held to its SHA-256 before it is run, or the action's own source."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import urllib.error
import urllib.request
from typing import Mapping

import workplace
from github import ActionError

MOST_BYTES = 200_000_000
ANSWER_SECONDS = 30
BUILD_SECONDS = 45 * 60
# pkg-config's name and Debian's of what the build needs.
LIBRARIES = {
    "libzstd": "libzstd-dev", "libcurl": "libcurl4-openssl-dev", "libcrypto": "libssl-dev", "zlib": "zlib1g-dev",
}  # fmt: skip


def get(request: Mapping[str, str]) -> str:
    """The path of the program."""
    if platform.system() != "Linux":
        raise ActionError("dynarc runs on Linux: choose a runner such as ubuntu-24.04")
    return _fetched(request["version"], request["sha256"]) if "version" in request else _built()


# MARK: A release


def _fetched(version: str, sha256: str) -> str:
    # The directory that action.yml has cached.
    directory = os.path.join(workplace.temporary(), "dynarc-release")
    program = os.path.join(directory, "dynarc")
    if os.path.isfile(program):
        if _digest(program) == sha256:
            print(f"dynarc {version} was in the cache, and its SHA-256 is right")
            return program
        os.unlink(program)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    url = _address(version)
    print(f"fetching {url}")
    partial = program + ".part"
    try:
        found = _download(url, partial)
        if found != sha256:
            raise ActionError(f"{url} has the SHA-256 {found}, and not {sha256}; it was not run")
        os.chmod(partial, 0o700)
        os.replace(partial, program)
    finally:
        if os.path.exists(partial):
            os.unlink(partial)
    return program


def _address(version: str) -> str:
    machine = platform.machine()
    if machine not in ("x86_64", "aarch64"):
        raise ActionError(f"there is no release for {machine}; leave version out to build from source")
    # An action that is used as ./ is in the workflow's own repository.
    repository = os.environ.get("DYNARC_REPOSITORY") or os.environ.get("GITHUB_REPOSITORY", "")
    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    return f"{server}/{repository}/releases/download/v{version}/dynarc-{version}-linux-{machine}"


def _download(url: str, path: str) -> str:
    """Stores what is there, and returns its SHA-256."""
    digest = hashlib.sha256()
    size = 0
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer, workplace.create(path) as file:
            while part := answer.read(1 << 20):
                size += len(part)
                if size > MOST_BYTES:
                    raise ActionError(f"{url} is larger than {MOST_BYTES} bytes")
                digest.update(part)
                file.write(part)
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise ActionError(f"{url} could not be fetched: {error}") from error
    return digest.hexdigest()


def _digest(path: str) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while part := file.read(1 << 20):
            digest.update(part)
    return digest.hexdigest()


# MARK: From source


def _built() -> str:
    if not shutil.which("swift"):
        raise ActionError("there is no swift: run the job in a container such as swift:6.3, or name a version and its sha256")
    _install_libraries()
    source = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    scratch = os.path.join(workplace.temporary(), "dynarc-build")
    command = ["swift", "build", "-c", "release", "--static-swift-stdlib", "--product", "dynarc"]
    _run([*command, "--package-path", source, "--scratch-path", scratch])
    program = os.path.join(scratch, "release", "dynarc")
    if not os.access(program, os.X_OK):
        raise ActionError("the build left no program")
    return program


def _install_libraries() -> None:
    has_tool = shutil.which("pkg-config") is not None
    missing = [
        package for name, package in LIBRARIES.items()
        if not has_tool or subprocess.run(["pkg-config", "--exists", name]).returncode != 0
    ] + ([] if has_tool else ["pkg-config"])  # fmt: skip
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise ActionError(f"missing: {' '.join(missing)} (Debian's names)")
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    _run([*prefix, "apt-get", "update", "-q"])
    _run([*prefix, "apt-get", "install", "-q", "-y", "--no-install-recommends", *missing])


def _run(command: list[str]) -> None:
    print(" ".join(command), flush=True)
    try:
        code = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=BUILD_SECONDS).returncode
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ActionError(f"{command[0]} could not be run: {error}") from error
    if code != 0:
        raise ActionError(f"{' '.join(command[:3])} ended with exit code {code}")
