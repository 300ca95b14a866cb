"""Every place where credentials come from, over HTTP, with the STS of ministack and moto; what goes
wrong there; and a whoami that tells all but secrets."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pty
import re
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Iterable

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

import archives
import servers
import tables
from issuer import ROLE, Issuer, stamp
from items import keyed, random_items
from program import environment_of

SECRETS = [servers.SECRET, "session-token", "the-jwt", "github-jwt", "portal-token", "renewed-token", "metadata-token"]
KEYS = f"aws_access_key_id = {servers.ACCOUNT_A}\naws_secret_access_key = {servers.SECRET}\n"
ROLE_ARN = f"arn:aws:iam::{servers.ACCOUNT_A}:role/Reader"


@pytest.fixture
def issuer() -> Iterable[Issuer]:
    with Issuer() as issuer:
        yield issuer


@pytest.fixture
def aws(tmp_path: Path) -> Path:
    """The directory of the AWS files in dynarc's home."""
    (tmp_path / "home" / ".aws").mkdir(parents=True)
    return tmp_path / "home" / ".aws"


@pytest.fixture
def dynarc(binary, tmp_path):
    """As everywhere, and what is printed is searched for secrets."""
    from program import run_dynarc

    def run(*arguments, **options):
        result = run_dynarc(binary, tmp_path, tmp_path / "home", *arguments, **options)
        for secret in SECRETS:
            assert secret not in result.stdout.decode() + result.stderr
        return result

    (tmp_path / "home").mkdir(exist_ok=True)
    return run


def settings(server: servers.Server, **more: str) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": server.endpoint, "AWS_REGION": servers.REGION} | more


def whoami(dynarc, env: dict[str, str], *arguments: str, exit: int = 0) -> dict:
    return dynarc("whoami", "--json", "--debug", *arguments, env=env, exit=exit).json


@pytest.fixture(params=["ministack", "moto"])
def server(request) -> servers.Server:
    return request.getfixturevalue(request.param)


# MARK: who answers


def test_the_environment(dynarc, server):
    env = settings(server, AWS_ACCESS_KEY_ID=servers.ACCOUNT_A, AWS_SECRET_ACCESS_KEY=servers.SECRET)
    found = whoami(dynarc, env)
    assert (found["provider"], found["account"]) == ("environment", server.client("sts").get_caller_identity()["Account"])
    assert found["arn"].startswith("arn:aws:")
    assert found["region"] == {"value": servers.REGION, "source": "AWS_REGION"}
    assert found["endpoint"]["source"] == "AWS_ENDPOINT_URL"
    assert found["passedOver"] == [] and found["expiresAt"] is None


def test_a_chain_of_roles(dynarc, server, aws):
    (aws / "config").write_text(
        f"[profile far]\nrole_arn = {ROLE_ARN}\nsource_profile = near\nexternal_id = x\n"
        f"[profile near]\nrole_arn = {ROLE_ARN}-near\nsource_profile = base\nduration_seconds = 900\n"
    )
    (aws / "credentials").write_text(f"[base]\n{KEYS}")
    found = whoami(dynarc, settings(server), "--profile", "far")
    assert found["provider"] == "assumed role" and found["renewable"]
    assert "assumed-role/Reader/" in found["arn"]
    assert found["explanation"].count("the role ") == 2 and 'profile "base"' in found["explanation"]
    assert found["profile"] == {"value": "far", "source": "--profile"}
    assert found["expiresAt"] > stamp(0)


def test_a_web_identity(dynarc, server, aws, tmp_path):
    (tmp_path / "token").write_text("the-jwt\n")
    env = settings(server, AWS_WEB_IDENTITY_TOKEN_FILE=str(tmp_path / "token"), AWS_ROLE_ARN=ROLE_ARN)
    found = whoami(dynarc, env)
    assert found["provider"] == "web identity" and "assumed-role/Reader/" in found["arn"]
    assert [one["provider"] for one in found["passedOver"]] == ["environment", "assumed role"]
    (aws / "config").write_text(f"[profile web]\nrole_arn = {ROLE_ARN}\nweb_identity_token_file = {tmp_path / 'token'}\n")
    assert whoami(dynarc, settings(server), "--profile", "web")["provider"] == "web identity"


def test_github_actions(dynarc, server, issuer):
    env = settings(
        server, AWS_ROLE_ARN=ROLE_ARN, ACTIONS_ID_TOKEN_REQUEST_URL=f"{issuer.endpoint}/github?api=1",
        ACTIONS_ID_TOKEN_REQUEST_TOKEN="session-token",
    )  # fmt: skip
    assert whoami(dynarc, env)["provider"] == "web identity"
    (asked,) = issuer.asked("/github")
    assert asked["query"] == {"api": "1", "audience": "sts.amazonaws.com"}
    assert asked["headers"]["authorization"] == "bearer session-token"
    issuer.goes("/github", "403")
    assert whoami(dynarc, env, exit=3)["errors"][0]["hint"].endswith("id-token: write")


def sso_cache(aws: Path, key: str, life: float, **more: str) -> Path:
    path = aws / "sso" / "cache" / f"{hashlib.sha1(key.encode()).hexdigest()}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"accessToken": "portal-token", "expiresAt": stamp(life), "extra": "kept"} | more))
    return path


SSO_PROFILE = (
    "[profile corp]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = Reader\n"
    "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example\n"
)


@pytest.fixture
def sso(ministack, issuer) -> dict[str, str]:
    return settings(ministack, AWS_ENDPOINT_URL_SSO=issuer.endpoint, AWS_ENDPOINT_URL_SSO_OIDC=issuer.endpoint)


def test_sso_with_a_session(dynarc, sso, aws, issuer):
    (aws / "config").write_text(SSO_PROFILE)
    sso_cache(aws, "corp", 7200)
    found = whoami(dynarc, sso, "--profile", "corp")
    assert found["provider"] == "SSO" and 'session "corp"' in found["explanation"]
    (asked,) = issuer.asked("/federation/credentials")
    assert asked["query"] == {"role_name": "Reader", "account_id": "111122223333"}
    assert asked["headers"]["x-amz-sso_bearer_token"] == "portal-token"
    assert issuer.asked("/token") == []


REGISTERED = {"refreshToken": "refresh", "clientId": "id", "clientSecret": "secret", "registrationExpiresAt": stamp(9999)}


@pytest.mark.parametrize("life", [600, -600])
def test_an_sso_token_is_renewed_in_its_file(dynarc, sso, aws, issuer, life):
    (aws / "config").write_text(SSO_PROFILE)
    path = sso_cache(aws, "corp", life, **REGISTERED)
    assert whoami(dynarc, sso, "--profile", "corp")["provider"] == "SSO"
    (asked,) = issuer.asked("/token")
    assert json.loads(asked["body"]) == {
        "clientId": "id", "clientSecret": "secret", "grantType": "refresh_token", "refreshToken": "refresh",
    }  # fmt: skip
    kept = json.loads(path.read_text())
    assert (kept["accessToken"], kept["refreshToken"], kept["extra"]) == ("renewed-token", "next-refresh", "kept")
    assert kept["expiresAt"] > stamp(20000)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == [path.name]
    assert issuer.asked("/federation/credentials")[0]["headers"]["x-amz-sso_bearer_token"] == "renewed-token"


@pytest.mark.parametrize("step", ["400", "garbage", "cut"])
def test_an_sso_token_that_cannot_be_renewed_is_used_to_its_end(dynarc, sso, aws, issuer, step):
    (aws / "config").write_text(SSO_PROFILE)
    issuer.goes("/token", step)
    before = sso_cache(aws, "corp", 600, **REGISTERED).read_text()
    assert whoami(dynarc, sso, "--profile", "corp")["provider"] == "SSO"
    path = sso_cache(aws, "corp", -5, **REGISTERED)
    failed = whoami(dynarc, sso, "--profile", "corp", exit=3)
    assert failed["errors"][0]["hint"] == "run: aws sso login --profile corp"
    assert json.loads(path.read_text())["accessToken"] == json.loads(before)["accessToken"]


def test_sso_of_the_older_form(dynarc, sso, aws, issuer):
    (aws / "config").write_text(
        "[default]\nsso_start_url = https://old.example\nsso_region = eu-west-1\n"
        "sso_account_id = 111122223333\nsso_role_name = Reader\n"
    )
    sso_cache(aws, "https://old.example", 600, **REGISTERED)
    assert whoami(dynarc, sso)["provider"] == "SSO"
    assert issuer.asked("/token") == []
    issuer.goes("/federation/credentials", "401")
    assert "aws sso login" in whoami(dynarc, sso, exit=3)["errors"][0]["hint"]


LOGIN = f"{hashlib.sha256(b'arn:me').hexdigest()}.json"


def login_cache(aws: Path, life: float, **more: str) -> Path:
    path = aws / "login" / "cache" / LOGIN
    path.parent.mkdir(parents=True, exist_ok=True)
    keys = {"accessKeyId": "OLD", "secretAccessKey": servers.SECRET, "sessionToken": "session-token"}
    access = keys | {"accountId": servers.ACCOUNT_A, "expiresAt": stamp(life)}
    path.write_text(json.dumps({"accessToken": access, "extra": "kept"} | more))
    return path


def test_a_login_session(dynarc, ministack, aws):
    (aws / "config").write_text("[default]\nlogin_session = arn:me\n")
    assert "aws login" in whoami(dynarc, settings(ministack), exit=3)["errors"][0]["hint"]
    login_cache(aws, 600)
    found = whoami(dynarc, settings(ministack))
    assert (found["provider"], found["accessKeyId"]) == ("login session", "…OLD")
    # What it takes to renew it is not there.
    login_cache(aws, -1)
    assert "cannot be renewed" in whoami(dynarc, settings(ministack), exit=3)["errors"][0]["message"]


@pytest.mark.parametrize("form", ["PKCS8", "TraditionalOpenSSL"])
def test_a_login_is_renewed_in_its_file(dynarc, ministack, aws, issuer, form):
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, getattr(serialization.PrivateFormat, form), serialization.NoEncryption()
    ).decode()
    (aws / "config").write_text("[default]\nlogin_session = arn:me\n")
    path = login_cache(aws, 200, dpopKey=pem, clientId="client", refreshToken="refresh")
    env = settings(ministack, AWS_ENDPOINT_URL_SIGNIN=issuer.endpoint)
    assert whoami(dynarc, env)["accessKeyId"] == "…" + servers.ACCOUNT_A[-4:]
    (asked,) = issuer.asked("/v1/token")
    assert json.loads(asked["body"]) == {"clientId": "client", "refreshToken": "refresh", "grantType": "refresh_token"}
    signed, _, signature = asked["headers"]["dpop"].rpartition(".")
    header, payload = (json.loads(unpadded(part)) for part in signed.split("."))
    numbers = key.public_key().public_numbers()
    coordinates = [int.from_bytes(unpadded(header["jwk"][name]), "big") for name in "xy"]
    assert coordinates == [numbers.x, numbers.y]
    assert (payload["htm"], payload["htu"]) == ("POST", f"{issuer.endpoint}/v1/token")
    assert abs(payload["iat"] - time.time()) < 60
    pair = unpadded(signature)
    whole = utils.encode_dss_signature(int.from_bytes(pair[:32], "big"), int.from_bytes(pair[32:], "big"))
    key.public_key().verify(whole, signed.encode(), ec.ECDSA(hashes.SHA256()))
    kept = json.loads(path.read_text())
    assert (kept["refreshToken"], kept["extra"], kept["dpopKey"]) == ("next-refresh", "kept", pem)
    assert kept["accessToken"]["accountId"] == servers.ACCOUNT_A and kept["accessToken"]["expiresAt"] > stamp(600)
    # Trouble: what is alive goes on, what is over is said.
    issuer.goes("/v1/token", "401")
    login_cache(aws, 200, dpopKey=pem, clientId="client", refreshToken="refresh")
    assert whoami(dynarc, env)["accessKeyId"] == "…OLD"
    login_cache(aws, -5, dpopKey=pem, clientId="client", refreshToken="refresh")
    assert whoami(dynarc, env, exit=3)["errors"][0]["hint"] == "run: aws login --profile default"


def unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def process(aws: Path, code: str) -> None:
    program = aws / "the program"
    program.write_text(f"#!{sys.executable}\nimport json, sys, time\n{code}")
    program.chmod(0o755)
    (aws / "config").write_text(f"[default]\ncredential_process = '{program}' --flag\n")


def test_a_process(dynarc, ministack, aws):
    keys = {"Version": 1, "AccessKeyId": servers.ACCOUNT_A, "SecretAccessKey": servers.SECRET}
    process(aws, f"assert sys.argv[1] == '--flag'\nprint(json.dumps({keys}))")
    found = whoami(dynarc, settings(ministack))
    assert (found["provider"], found["expiresAt"]) == ("credential process", None)


@pytest.mark.parametrize(
    "code, words",
    [
        ("sys.exit('the vault is locked')", "the vault is locked"),
        ("print('nonsense')", "no JSON"),
        ("print('{}')", "Version 1"),
        ("print(json.dumps({'Version': 1, 'AccessKeyId': 'A'}))", "SecretAccessKey"),
        ("print(json.dumps({'Version': 1, 'AccessKeyId': 'A', 'SecretAccessKey': 'b', 'Expiration': 'x'}))", "Expiration"),
        ("print(json.dumps({'Version': 1, 'AccessKeyId': 'A', 'SecretAccessKey': 'b', 'Expiration': '2020-01-01T00:00:00Z'}))", "expired"),
    ],
)  # fmt: skip
def test_a_process_that_fails(dynarc, ministack, aws, code, words):
    process(aws, code)
    failed = whoami(dynarc, settings(ministack), exit=3)
    assert words in failed["errors"][0]["message"]
    assert failed["provider"] is None


def test_a_container(dynarc, ministack, issuer, tmp_path):
    (tmp_path / "token").write_text("metadata-token")
    env = settings(
        ministack, AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{issuer.endpoint}/container",
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(tmp_path / "token"),
        # Never for those who give out credentials.
        http_proxy="http://127.0.0.1:9", HTTP_PROXY="http://127.0.0.1:9",
    )  # fmt: skip
    issuer.goes("/container", "500", "cut", "ok")
    found = whoami(dynarc, env)
    assert (found["provider"], found["explanation"]) == ("container", "AWS_CONTAINER_CREDENTIALS_FULL_URI")
    assert {one["headers"]["authorization"] for one in issuer.asked("/container")} == {"metadata-token"}


@pytest.mark.parametrize("step", ["403", "500", "garbage", "empty", "cut", "hang"])
def test_a_container_that_fails(dynarc, ministack, issuer, step):
    issuer.goes("/container", step)
    env = settings(ministack, AWS_CONTAINER_CREDENTIALS_FULL_URI=f"{issuer.endpoint}/container")
    start = time.monotonic()
    failed = whoami(dynarc, env, exit=3)
    assert failed["errors"][0]["message"].startswith("container: ")
    assert time.monotonic() - start < 15


def test_an_instance(dynarc, ministack, issuer):
    env = {
        "AWS_ENDPOINT_URL": ministack.endpoint, "AWS_EC2_METADATA_DISABLED": "false",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": issuer.endpoint + "/",
    }  # fmt: skip
    found = whoami(dynarc, env)
    assert (found["provider"], found["explanation"]) == ("instance metadata", f"the instance's role {ROLE}")
    # A local server does with any region: the instance is not asked.
    assert found["region"]["source"] == "a local endpoint"
    assert len(found["passedOver"]) == 9


def test_the_region_of_an_instance(dynarc, issuer):
    env = {
        "AWS_ENDPOINT_URL_STS": issuer.endpoint, "AWS_EC2_METADATA_DISABLED": "false",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": issuer.endpoint,
    }  # fmt: skip
    found = whoami(dynarc, env)
    assert found["region"] == {"value": servers.REGION, "source": "instance metadata"}
    assert found["endpoint"]["value"] == f"https://dynamodb.{servers.REGION}.amazonaws.com/"


@pytest.mark.parametrize("path", ["/latest/api/token", f"/latest/meta-data/iam/security-credentials/{ROLE}"])
@pytest.mark.parametrize("step", ["403", "500", "garbage", "cut", "hang"])
def test_an_instance_that_fails(dynarc, ministack, issuer, path, step):
    issuer.goes(path, step)
    env = settings(
        ministack, AWS_EC2_METADATA_DISABLED="false", AWS_EC2_METADATA_SERVICE_ENDPOINT=issuer.endpoint
    )
    start = time.monotonic()
    failed = whoami(dynarc, env, exit=3)
    assert failed["provider"] is None
    told = [one["provider"] for one in failed["passedOver"]] + [failed["errors"][0]["message"].partition(":")[0]]
    assert "instance metadata" in told
    assert time.monotonic() - start < 6


@pytest.mark.parametrize("step", ["403", "500", "garbage", "empty", "cut"])
def test_an_sts_that_fails(dynarc, issuer, aws, step):
    (aws / "config").write_text(f"[profile far]\nrole_arn = {ROLE_ARN}\nsource_profile = far\n{KEYS}")
    env = {"AWS_ENDPOINT_URL": issuer.endpoint, "AWS_REGION": "eu-west-1"}
    issuer.goes("/", step)
    failed = whoami(dynarc, env, "--profile", "far", exit=3)
    assert failed["errors"][0]["message"].startswith("assumed role: ")
    # What may pass is tried three times, what will not once.
    assert len(issuer.asked("/")) == (3 if step in ("500", "cut") else 1)
    issuer.goes("/", "500", "cut", "ok")
    assert whoami(dynarc, env, "--profile", "far")["provider"] == "assumed role"


def test_two_identities_in_one_process(dynarc, source, target, table, aws):
    """Each side of a comparison has a profile, and so an account, of its own."""
    for side, value in ((source, "here"), (target, "there")):
        tables.create(side.client, table)
        tables.put_all(side.client, table, [{"pk": {"S": "p"}, "sk": {"S": "s"}, "side": {"S": value}}])
    keys = {"Version": 1, "AccessKeyId": source.account, "SecretAccessKey": servers.SECRET, "Expiration": stamp(3600)}
    process(aws, f"print(json.dumps({keys}))")
    with (aws / "config").open("a") as config:
        config.write(f"[profile there]\naws_access_key_id = {target.account}\naws_secret_access_key = x\n")
    env = {"AWS_ENDPOINT_URL": source.endpoint, "AWS_REGION": servers.REGION}
    sides = (f"dynamodb://default@/{table}", f"dynamodb://there@/{table}")
    shown = dynarc("diff", *sides, env=env, exit=1).stdout.decode()
    assert "here" in shown and "there" in shown
    assert dynarc("diff", sides[0], sides[0], env=env).stdout == b""


# MARK: what is told


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


# MARK: renewal


def test_keys_that_live_two_seconds_lose_nothing(dynarc, tmp_path, source, table, proxy_to, aws):
    """20,000 items; each key is refused once its two seconds are over, whatever dynarc thinks of it."""
    count, life = 20_000, 2.0
    tables.create(source.client, table)
    tables.put_all(source.client, table, keyed(list(random_items(count, seed=20))))
    issued = tmp_path / "issued"
    issued.touch()
    # Every third one says that it lives for an hour, and does not: the service has to say so.
    process(
        aws,
        f"n = sum(1 for _ in open({str(issued)!r}))\n"
        "key = f'ASIA{n:016}'\n"
        f"open({str(issued)!r}, 'a').write(f'{{key}} {{time.time()}}\\n')\n"
        f"life = 3600 if n % 3 == 2 else {life}\n"
        "end = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + life))\n"
        f"print(json.dumps({{'Version': 1, 'AccessKeyId': key, 'SecretAccessKey': {servers.SECRET!r}, "
        "'SessionToken': 'session-token', 'Expiration': end}))\n",
    )
    slow = [{"kind": "stall", "operation": "Scan", "rate": 1, "seconds": 0.4}]
    proxy = proxy_to(source, slow)
    stop = expire_when_over(proxy, issued, life)
    env = {"AWS_ENDPOINT_URL": proxy.endpoint, "AWS_REGION": servers.REGION}
    try:
        options = ("--segments", 64, "--concurrency", 2, "--json")
        report = dynarc("dump", table, "./archive", *options, env=env).json
    finally:
        stop()
    assert report["items"] == count
    assert len(issued.read_text().splitlines()) >= 5
    assert report["retries"]["credentialsRenewed"] > 0
    dynarc("verify", "./archive")
    found = archives.read_archive(tmp_path / "archive")
    assert tables.differences(tables.read_all(source.client, table), found, ["pk", "sk"]) == []


def expire_when_over(proxy, issued: Path, life: float):
    """Has the proxy refuse each key that was issued more than so many seconds ago."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            lines = issued.read_text().splitlines()
            for key, moment in (line.split() for line in lines):
                if time.time() - float(moment) > life:
                    proxy.expire(key)

    thread = threading.Thread(target=watch)
    thread.start()

    def stop() -> None:
        ended.set()
        thread.join()

    return stop


def test_a_provider_that_is_gone_for_a_while_does_not_end_a_dump(dynarc, tmp_path, source, table, proxy_to, issuer):
    """Its credentials are over, and for two seconds it has no others."""
    tables.create(source.client, table)
    tables.put_all(source.client, table, keyed(list(random_items(500, seed=3))))
    slow = [{"kind": "stall", "operation": "Scan", "rate": 1, "seconds": 0.4}]
    env = {
        "AWS_ENDPOINT_URL": proxy_to(source, slow).endpoint, "AWS_REGION": servers.REGION,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{issuer.endpoint}/container",
    }  # fmt: skip
    issuer.lifetime = 2
    issuer.goes("/container", "ok", *["500"] * 6, "ok")
    options = ("--segments", 16, "--concurrency", 1, "--json")
    report = dynarc("dump", table, "./archive", *options, env=env).json
    assert report["items"] == 500
    assert issuer.next("/container") == "ok"
    assert len(issuer.asked("/container")) > 7
    dynarc("verify", "./archive")


def test_a_lost_identity_is_not_replaced_by_another(dynarc, tmp_path, source, target, table, proxy_to, aws):
    """A profile whose keys go away in the middle of a dump must not make it go on as the container's role."""
    tables.create(source.client, table)
    tables.put_all(source.client, table, keyed(list(random_items(200, seed=3))))
    with Issuer() as issuer:
        issuer.account = target.account
        gone = aws / "gone"
        keys = {"Version": 1, "AccessKeyId": source.account, "SecretAccessKey": servers.SECRET}
        process(
            aws,
            f"import os, pathlib\nif os.path.exists({str(gone)!r}): pathlib.Path({str(aws / 'config')!r}).write_text('[default]')\n"
            f"open({str(gone)!r}, 'w')\n"
            "end = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(time.time() + 2))\n"
            f"print(json.dumps({keys} | {{'Expiration': end}}))",
        )
        slow = [{"kind": "stall", "operation": "Scan", "rate": 1, "seconds": 0.5}]
        env = {
            "AWS_ENDPOINT_URL": proxy_to(source, slow).endpoint, "AWS_REGION": servers.REGION,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{issuer.endpoint}/container",
        }  # fmt: skip
        options = ("--segments", 32, "--concurrency", 1, "--give-up-after", "2s")
        result = dynarc("dump", table, "./archive", *options, env=env, exit=4)
        assert "credential process" in result.stderr
        assert issuer.asked("/container") == []
