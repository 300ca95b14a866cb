"""Servers that check signatures, bodies, clocks, tokens and policies: they take our requests, and refuse
each wrong one for a reason that is told."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import servers
import tables
from program import Side
from tlsproxy import InterceptingProxy

SUPPORT = Path(__file__).resolve().parents[1] / "Support"

ALLOW = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}
DENY = {"Effect": "Deny", "Action": "dynamodb:Scan", "Resource": "*"}


@pytest.fixture(scope="module")
def strict():
    with servers.start("ministack", settings={"AUTH": "true"}) as server:
        yield server


def user(server: servers.Server, name: str, *statements: dict) -> dict[str, str]:
    """Makes a user with a policy; what dynarc's environment must hold to be that user."""
    iam = server.client("iam")
    iam.create_user(UserName=name)
    policy = {"Version": "2012-10-17", "Statement": list(statements)}
    iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_REGION": servers.REGION,
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }


@pytest.fixture
def root(strict) -> Side:
    return Side(strict.endpoint, servers.ACCOUNT_A)


@pytest.fixture
def orders(root, table) -> str:
    tables.create(root.client, table, sort=None)
    for number in range(60):
        root.client.put_item(TableName=table, Item={"pk": {"S": f"a/ü {number}"}})
    return table


@pytest.fixture(scope="module")
def allowed(strict) -> dict[str, str]:
    return user(strict, "allowed", ALLOW)


def test_a_server_that_checks_takes_dump_and_load(dynarc, orders, allowed, root):
    dynarc("dump", orders, "./archive", env=allowed)
    dynarc("load", "./archive", f"{orders}-copy", env=allowed)
    dynarc("diff", "./archive", f"{orders}-copy", env=allowed)
    assert root.client.scan(TableName=f"{orders}-copy", Select="COUNT")["Count"] == 60


def test_moto_takes_a_signed_dump(dynarc, table):
    # Create and describe the table, put item, create user, put policy, create key; then it checks.
    with servers.start("moto", settings={"INITIAL_NO_AUTH_ACTION_COUNT": "6"}) as server:
        client = server.client()
        tables.create(client, table, sort=None)
        client.put_item(TableName=table, Item={"pk": {"S": "a"}})
        environment = user(server, "allowed", ALLOW)
        dynarc("dump", table, "./archive", env=environment)
        wrong = environment | {"AWS_SECRET_ACCESS_KEY": "wrong"}
        assert dynarc("dump", table, "./other", env=wrong, exit=3).stderr.startswith("dynarc: error: ")


def test_a_wrong_secret(dynarc, orders, allowed, tmp_path):
    wrong = allowed | {"AWS_SECRET_ACCESS_KEY": "wrong-secret"}
    told = dynarc("dump", orders, "./archive", env=wrong, exit=3).stderr
    assert "InvalidSignatureException" in told and "dynarc: hint:" in told
    assert "the secret access key belongs" in told and "wrong-secret" not in told
    assert not (tmp_path / "archive").exists()


def test_an_unknown_key(dynarc, orders, allowed):
    wrong = allowed | {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}
    told = dynarc("dump", orders, "./archive", env=wrong, exit=3).stderr
    assert "UnrecognizedClientException" in told and "dynarc: hint:" in told


def test_a_denied_action(dynarc, strict, orders):
    denied = user(strict, "denied", ALLOW, DENY)
    told = dynarc("dump", orders, "./archive", env=denied, exit=3).stderr
    assert "AccessDenied" in told and "dynamodb:Scan" in told and "dynarc: hint:" in told


def test_a_body_changed_on_its_way(dynarc, strict, orders, allowed, tmp_path):
    change = (b'"ReturnConsumedCapacity"', b'"ReturnConsumedCapacitY"')
    with InterceptingProxy(strict.endpoint, tmp_path, change=change) as proxy:
        environment = allowed | {"HTTPS_PROXY": proxy.address, "AWS_CA_BUNDLE": str(proxy.authority)}
        del environment["AWS_ENDPOINT_URL"]
        told = dynarc("dump", orders, "./archive", env=environment, exit=3).stderr
        assert "InvalidSignatureException" in told


@pytest.fixture(scope="module")
def wrong_clock(tmp_path_factory) -> Path:
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    source = SUPPORT / "clock.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source], check=True)
    return library


@pytest.mark.parametrize("minutes", [-20, 20, 60 * 24 * 400])
def test_a_clock_that_is_wrong_is_corrected(dynarc, strict, orders, allowed, wrong_clock, minutes):
    clock = {"LD_PRELOAD": str(wrong_clock), "CLOCK_OFFSET": str(minutes * 60)}
    before = strict.log().count("RequestTimeTooSkewed")
    told = dynarc("dump", orders, "./archive", "--debug", env=allowed | clock).stderr
    assert told.count("the service's clock is") == 1
    told = dynarc("whoami", "--debug", env=allowed | clock).stderr
    assert "the service's clock is" in told
    dynarc("diff", "./archive", orders, env=allowed)
    # A wrong secret is not taken for a wrong clock for ever.
    wrong = allowed | clock | {"AWS_SECRET_ACCESS_KEY": "wrong"}
    told = dynarc("dump", orders, "./other", env=wrong, exit=3).stderr
    assert "InvalidSignatureException" in told
    assert strict.log().count("RequestTimeTooSkewed") >= before
