"""What the tests of credentials have in common: keys, homes, and a whoami that must hold no secret."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Callable

import servers
from program import Result

# What the servers give out, and no output may hold.
SECRETS = [servers.SECRET, "session-token", "the-jwt", "github-jwt", "portal-token", "renewed-token", "metadata-token"]
KEYS = f"aws_access_key_id = {servers.ACCOUNT_A}\naws_secret_access_key = {servers.SECRET}\n"
ROLE_ARN = f"arn:aws:iam::{servers.ACCOUNT_A}:role/Reader"


def settings(server: servers.Server, **more: str) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": server.endpoint, "AWS_REGION": servers.REGION} | more


def whoami(dynarc: Callable[..., Result], env: dict[str, str], *arguments: str, exit: int = 0) -> dict:
    return dynarc("whoami", "--json", "--debug", *arguments, env=env, exit=exit).json


def process(aws: Path, code: str) -> None:
    """Makes a Python program the default profile's credential_process."""
    program = aws / "the program"
    program.write_text(f"#!{sys.executable}\nimport json, sys, time\n{code}")
    program.chmod(0o755)
    (aws / "config").write_text(f"[default]\ncredential_process = '{program}' --flag\n")


def discreet(dynarc: Callable[..., Result]) -> Callable[..., Result]:
    """Searches what a program prints for secrets."""

    def run(*arguments: object, **options: object) -> Result:
        result = dynarc(*arguments, **options)
        for secret in SECRETS:
            assert secret not in result.stdout.decode() + result.stderr
        return result

    return run
