"""What dynarc tells about who it is: whoami, --debug, and the terminal where a code is asked for."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import time

import pytest

import servers
import tables
from identity import KEYS, ROLE_ARN, discreet, settings
from program import environment_of


@pytest.fixture
def dynarc(dynarc):
    return discreet(dynarc)


def test_nobody_has_any(dynarc, aws):
    (aws / "config").write_text("[default]\nregion = eu-west-1\n")
    result = dynarc("whoami", exit=3)
    text = result.stdout.decode()
    assert text.splitlines()[0].split() == ["provider", "none"]
    assert text.count("passed over") == 10
    assert "profile \"default\" has no role_arn" in text
    assert result.stderr.startswith("dynarc: error: no AWS credentials found")


def test_the_key_is_masked(dynarc, issuer):
    env = {
        "AWS_ENDPOINT_URL": issuer.endpoint, "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIAABCDEFGHIJKLMNOP", "AWS_SECRET_ACCESS_KEY": servers.SECRET,
    }  # fmt: skip
    text = dynarc("whoami", env=env).stdout.decode()
    assert "AKIA…MNOP" in text.split() and "AKIAABCD" not in text.partition("ARN")[0]


def test_debug_tells_each_request_and_no_item(dynarc, source, table):
    tables.create(source.client, table)
    tables.put_all(source.client, table, [{"pk": {"S": "the-only-key"}, "sk": {"S": "s"}}])
    lines = dynarc("dump", table, "./archive", "--debug", at=source).stderr.splitlines()
    told = [line for line in lines if line.startswith("dynarc: debug: ")]
    operations = [line.split()[2] for line in told]
    assert {"DescribeTable", "Scan"} <= set(operations)
    for line in told:
        fields = dict(field.split("=") for field in line.split()[4:])
        assert set(fields) == {"host", "attempt", "request", "sent", "received", "ms"}
        assert line.split()[3] in ("200", "400")
    assert "the-only-key" not in "\n".join(lines)


def at_a_terminal(binary, tmp_path, env, answer: bytes, *arguments: str) -> tuple[int, str]:
    """Runs dynarc at a terminal of its own and types an answer to what it asks."""
    child, leader = pty.fork()
    if child == 0:
        os.chdir(tmp_path)
        os.execve(str(binary), [str(binary), *arguments], environment_of(tmp_path / "home", env=env))
    shown = b""
    try:
        while part := os.read(leader, 4096):
            shown += part
            if b"Code of the MFA device" in shown and answer:
                time.sleep(0.1)
                os.write(leader, answer)
                answer = b""
    except OSError:
        pass  # The last one at the other end has gone.
    os.close(leader)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()


MFA = f"[profile far]\nrole_arn = {ROLE_ARN}\nsource_profile = far\nmfa_serial = arn:aws:iam::1:mfa/me\n{KEYS}"


def test_an_mfa_code_is_asked_for_without_an_echo(binary, dynarc, tmp_path, source, table, ministack, aws):
    tables.create(source.client, table)
    (aws / "config").write_text(MFA)
    command = ("dump", table, "./archive", "--profile", "far")
    code, shown = at_a_terminal(binary, tmp_path, settings(ministack), b"123456\n", *command)
    assert code == 0, shown
    assert "arn:aws:iam::1:mfa/me" in shown and "123456" not in shown
    # It ends by itself, and that is said before the work begins.
    assert re.search(r"the credentials end at \S+, in (59m|60m|1h).*cannot be renewed.*dumped", shown, re.S), shown
    # Without a terminal it is an error at once.
    process = subprocess.run(
        [str(binary), "whoami", "--profile", "far"], cwd=tmp_path, capture_output=True, start_new_session=True,
        env=environment_of(tmp_path / "home", env=settings(ministack)), stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert process.returncode == 3 and b"no terminal" in process.stderr


def test_a_prompt_that_is_interrupted_ends_the_program(binary, dynarc, tmp_path, ministack, aws):
    (aws / "config").write_text(MFA)
    code, shown = at_a_terminal(binary, tmp_path, settings(ministack), b"\x03", "whoami", "--profile", "far")
    assert code == 3 and "interrupted" in shown
