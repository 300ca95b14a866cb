"""Every place where credentials come from, over HTTP, with the STS of ministack and moto, and what goes
wrong there."""

from __future__ import annotations

import time

import pytest

import servers
import tables
from identity import KEYS, ROLE_ARN, discreet, process, settings, whoami
from issuer import ROLE, stamp


@pytest.fixture
def dynarc(dynarc):
    return discreet(dynarc)


@pytest.fixture(params=["ministack", "moto"])
def server(request) -> servers.Server:
    return request.getfixturevalue(request.param)


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


def test_an_sts_that_hangs(dynarc, issuer, aws):
    (aws / "config").write_text(f"[profile far]\nrole_arn = {ROLE_ARN}\nsource_profile = far\n{KEYS}")
    env = {"AWS_ENDPOINT_URL": issuer.endpoint, "AWS_REGION": "eu-west-1"}
    issuer.goes("/", "hang", "ok")
    start = time.monotonic()
    assert whoami(dynarc, env, "--profile", "far")["provider"] == "assumed role"
    assert 9 < time.monotonic() - start < 20


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
