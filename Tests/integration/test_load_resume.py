"""A load that is stopped at any moment goes on where it was, and ends with the same table."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time

import pytest

import tables
from items import keyed, random_items
from program import Side, environment_of, run_dynarc_until

# 100 random moments show it; CI makes do with a few at each run.
KILLS = int(os.environ.get("DYNARC_KILLS", "6"))
ITEMS = keyed(random_items(1500, seed=31))


@pytest.fixture(scope="module")
def stock(source: Side) -> str:
    name = "LoadResume"
    tables.create(source.client, name)
    tables.put_all(source.client, name, ITEMS)
    return name


@pytest.fixture
def archive(dynarc, tmp_path, source, stock):
    dynarc("dump", stock, "./archive", "--segments", 4, at=source)
    return tmp_path / "archive"


def state_of(archive, table):
    return archive.parent / f"archive.{table}.load-state"


def complete(source, stock, target, table) -> bool:
    try:
        return tables.compare_tables(source.client, stock, target.client, table) == []
    except target.client.exceptions.ResourceNotFoundException:
        return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_stopped_at_random_moments(dynarc, binary, tmp_path, archive, source, target, stock, number):
    rng = random.Random(f"load {number}")
    start = time.monotonic()
    dynarc("load", "./archive", f"Whole-{int(number)}", at=target)
    whole = time.monotonic() - start
    stopped = 0
    for attempt in range(KILLS if number == signal.SIGKILL else max(KILLS // 3, 2)):
        table = f"Kill-{int(number)}-{attempt}"
        runs = 0
        while True:
            resume = ["--resume"] if state_of(archive, table).exists() else []
            code = run_dynarc_until(
                binary, tmp_path, tmp_path / "home", rng.uniform(0, whole), number,
                "load", "./archive", table, "--concurrency", 2, *resume, at=target,
            )  # fmt: skip
            if code == 0:
                break
            # Before the handlers stand, the signal ends the process itself.
            assert code in (-number, 130), code
            stopped += 1
            runs += 1
            # Stopped behind its end: the state is gone because the load was done.
            if not state_of(archive, table).exists() and complete(source, stock, target, table):
                break
            # A run that is stopped too early each time would never end.
            whole *= 1.1 if runs > 10 else 1
        assert not state_of(archive, table).exists()
        assert tables.compare_tables(source.client, stock, target.client, table) == []
        target.client.delete_table(TableName=table)
    target.client.delete_table(TableName=f"Whole-{int(number)}")
    assert stopped > 0


def test_an_interrupted_load_says_how_to_go_on(dynarc, binary, tmp_path, archive, proxy_to, target, table):
    # Each batch takes a while, so that the load lasts.
    proxy = proxy_to(target, [{"kind": "stall", "operation": "BatchWriteItem", "rate": 1, "seconds": 0.3}])
    slow = Side(proxy.endpoint, target.account)
    code = run_dynarc_until(
        binary, tmp_path, tmp_path / "home", 2.0, signal.SIGINT, "load", "./archive", table,
        "--concurrency", 1, at=slow,
    )  # fmt: skip
    assert code == 130
    assert state_of(archive, table).exists()
    again = dynarc("load", "./archive", table, at=target, exit=3)
    assert "--resume" in again.stderr
    plan = dynarc("load", "./archive", table, "--resume", "--dry-run", at=target)
    assert "go on behind" in plan.stderr
    done = json.loads(dynarc("load", "./archive", table, "--resume", "--json", at=target).stdout)
    assert done["written"] == len(ITEMS)


def test_a_second_load_with_one_state_file_is_refused(dynarc, binary, tmp_path, archive, proxy_to, target, table):
    proxy = proxy_to(target, [{"kind": "stall", "operation": "BatchWriteItem", "rate": 1, "seconds": 0.5}])
    slow = Side(proxy.endpoint, target.account)
    first = subprocess.Popen(
        [str(binary), "load", "./archive", table, "--concurrency", "1"],
        cwd=tmp_path, env=environment_of(tmp_path / "home", slow), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        while not state_of(archive, table).exists():
            time.sleep(0.05)
        time.sleep(0.3)
        second = dynarc("load", "./archive", table, "--resume", at=target, exit=3)
        assert "another load is at work" in second.stderr
    finally:
        first.kill()
        first.wait()
    dynarc("load", "./archive", table, "--resume", at=target)


def test_a_state_file_that_does_not_fit_is_refused_by_name(dynarc, tmp_path, archive, source, target, stock, table):
    nothing = dynarc("load", "./archive", table, "--resume", at=target, exit=3)
    assert f"archive.{table}.load-state" in nothing.stderr
    state = tmp_path / "state"
    line = {"format": "dynarc-load", "version": 1, "archive": "0" * 64, "target": table, "existing": "refuse"}
    state.write_text(json.dumps(line) + "\n")
    other = dynarc("load", "./archive", table, "--resume", "--state", "state", at=target, exit=3)
    assert "another archive" in other.stderr
    state.write_text("nonsense\n")
    damaged = dynarc("load", "./archive", table, "--resume", "--state", "state", at=target, exit=3)
    assert "line 1" in damaged.stderr
    # A table that was deleted and made anew is another table.
    dynarc("load", "./archive", table, at=target)
    identity = json.loads(dynarc("info", "./archive", "--json").stdout)["id"]
    line |= {"archive": identity}
    state.write_text(json.dumps(line) + '\n{"table":"arn:other id"}\n{"phase":"writing"}\n')
    recreated = dynarc("load", "./archive", table, "--resume", "--state", "state", at=target, exit=3)
    assert "not the one" in recreated.stderr


def test_the_state_can_stand_elsewhere_and_does_not_outlive_the_load(dynarc, tmp_path, archive, target, table):
    done = dynarc("load", "./archive", table, "--state", "elsewhere", "--json", at=target)
    assert json.loads(done.stdout)["written"] == len(ITEMS)
    assert not (tmp_path / "elsewhere").exists()
