"""Credentials behind a person's login: IAM Identity Center and `aws login`, from the CLI's caches."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import stat
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

import servers
from identity import discreet, settings, whoami
from issuer import stamp


@pytest.fixture
def dynarc(dynarc):
    return discreet(dynarc)


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


def test_an_sso_portal_that_hangs(dynarc, sso, aws, issuer):
    (aws / "config").write_text(SSO_PROFILE)
    sso_cache(aws, "corp", 7200)
    issuer.goes("/federation/credentials", "hang", "ok")
    assert whoami(dynarc, sso, "--profile", "corp")["provider"] == "SSO"
    assert len(issuer.asked("/federation/credentials")) == 2


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
