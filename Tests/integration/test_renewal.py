"""Credentials that end while a dump runs: nothing is lost, and nobody becomes somebody else."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

import archives
import servers
import tables
from identity import discreet, process
from issuer import Issuer
from items import keyed, random_items


@pytest.fixture
def dynarc(dynarc):
    return discreet(dynarc)


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
