"""Proxies, certificates, plain http: dynarc on networks that are not its own."""

from __future__ import annotations

import ssl

import pytest

import servers
import tables
from tlsproxy import InterceptingProxy


@pytest.fixture
def away(source):
    """An environment without any endpoint: requests go to AWS's own address."""
    environment = source.environment()
    del environment["AWS_ENDPOINT_URL"]
    return environment


@pytest.fixture
def orders(source, table):
    tables.create(source.client, table, sort=None)
    source.client.put_item(TableName=table, Item={"pk": {"S": "a"}, "text": {"S": "äöü"}})
    return table


def test_interception_by_a_proxy_with_an_authority_of_its_own(dynarc, source, away, orders, tmp_path):
    with InterceptingProxy(source.endpoint, tmp_path, login="me:secret") as proxy:
        environment = away | {
            "HTTPS_PROXY": proxy.address.replace("//", "//me:secret@"),
            "AWS_CA_BUNDLE": str(proxy.authority),
        }
        dynarc("dump", orders, "./archive", env=environment)
        dynarc("diff", "./archive", orders, at=source)
        hosts = ("dynamodb", "application-autoscaling")
        assert set(proxy.connects) == {f"{host}.eu-central-1.amazonaws.com:443" for host in hosts}


def test_ca_bundle_of_the_profile(dynarc, source, away, orders, tmp_path):
    with InterceptingProxy(source.endpoint, tmp_path) as proxy:
        config = tmp_path / "config"
        config.write_text(f"[default]\nca_bundle = {proxy.authority}\n")
        environment = away | {"https_proxy": proxy.address, "AWS_CONFIG_FILE": str(config)}
        dynarc("dump", orders, "./archive", env=environment)


def test_an_unknown_authority_is_refused(dynarc, source, away, orders, tmp_path):
    with InterceptingProxy(source.endpoint, tmp_path) as proxy:
        environment = away | {"HTTPS_PROXY": proxy.address}
        told = dynarc("dump", orders, "./archive", env=environment, exit=3).stderr
        assert "certificate" in told and "AWS_CA_BUNDLE" in told
        assert not (tmp_path / "archive").exists()
        told = dynarc("dump", orders, "./archive", "--no-verify-ssl", env=environment).stderr
        assert "dynarc: warning: certificates are not checked" in told


def test_a_ca_bundle_that_is_not_there(dynarc, source, away, orders, tmp_path):
    with InterceptingProxy(source.endpoint, tmp_path) as proxy:
        environment = away | {"HTTPS_PROXY": proxy.address, "AWS_CA_BUNDLE": "./nowhere.pem"}
        told = dynarc("dump", orders, "./archive", env=environment, exit=3).stderr
        assert "nowhere.pem" in told and "dynarc: hint:" in told


def test_a_proxy_that_wants_a_login(dynarc, source, away, orders, tmp_path):
    with InterceptingProxy(source.endpoint, tmp_path, login="me:secret") as proxy:
        environment = away | {
            "HTTPS_PROXY": proxy.address.replace("//", "//me:guess-work@"),
            "AWS_CA_BUNDLE": str(proxy.authority),
        }
        told = dynarc("dump", orders, "./archive", env=environment, exit=3).stderr
        assert "407" in told and "password" in told and "guess-work" not in told


def test_old_tls_is_refused(dynarc, source, away, orders, tmp_path):
    old = ssl.TLSVersion.TLSv1_1
    with InterceptingProxy(source.endpoint, tmp_path, maximum_version=old) as proxy:
        environment = away | {"HTTPS_PROXY": proxy.address, "AWS_CA_BUNDLE": str(proxy.authority)}
        told = dynarc("dump", orders, "./archive", env=environment, exit=3).stderr
        assert "TLS" in told


def test_no_proxy_is_honoured(dynarc, source, away, orders, tmp_path):
    with InterceptingProxy(source.endpoint, tmp_path) as proxy:
        environment = away | {
            "HTTPS_PROXY": proxy.address,
            "NO_PROXY": ".invalid",
            "AWS_ENDPOINT_URL": "https://dynamodb.invalid",
            "AWS_MAX_ATTEMPTS": "1",
        }
        told = dynarc("dump", orders, "./archive", env=environment, exit=3).stderr
        assert "dynamodb.invalid" in told and proxy.connects == []


def test_loopback_is_never_proxied(dynarc, source, orders, tmp_path):
    with InterceptingProxy(source.endpoint, tmp_path) as proxy:
        proxies = {name: proxy.address for name in ("http_proxy", "HTTPS_PROXY", "ALL_PROXY")}
        dynarc("dump", orders, "./archive", at=source, env=proxies)
        assert proxy.connects == []


def test_plain_http_to_another_machine_must_be_allowed(dynarc, source, orders):
    environment = source.environment() | {
        "AWS_ENDPOINT_URL": "http://dynamodb.invalid",
        "AWS_MAX_ATTEMPTS": "1",
    }
    told = dynarc("dump", orders, "./archive", env=environment, exit=3).stderr
    assert "in the clear" in told and "--allow-http" in told
    told = dynarc("dump", orders, "./archive", "--allow-http", env=environment, exit=3).stderr
    assert "in the clear" not in told and "dynamodb.invalid" in told


def test_retry_modes(dynarc, source, orders):
    for mode in ("standard", "adaptive", "legacy"):
        dynarc("dump", orders, f"./{mode}", at=source, env={"AWS_RETRY_MODE": mode})
    told = dynarc(
        "dump", orders, "./other", at=source, env={"AWS_RETRY_MODE": "eager"}, exit=3
    ).stderr
    assert "AWS_RETRY_MODE" in told and "standard" in told
