"""Emptying a table."""

from __future__ import annotations

import pytest

import tables
from copies import at_terminal, hinted, interrupted
from items import keyed, random_items

ITEMS = keyed(random_items(400, seed=77))
KEYS = ["pk", "sk"]
PLAINLY = ("--backup", "none", "--yes")


@pytest.fixture
def full(source, table):
    tables.create(source.client, table)
    tables.put_all(source.client, table, ITEMS)
    return table


def left(side, table):
    return tables.read_all(side.client, table)


def test_deletes_every_item_and_leaves_the_table(dynarc, source, full):
    report = dynarc("truncate", full, *PLAINLY, "--json", at=source).json
    assert (report["deleted"], report["kept"]) == (len(ITEMS), None)
    assert report["consumedReadUnits"] > 0 and report["consumedWriteUnits"] > 0
    assert left(source, full) == []
    assert source.client.describe_table(TableName=full)["Table"]["TableStatus"] == "ACTIVE"
    # And once more.
    again = dynarc("truncate", full, at=source)
    assert "holds no items" in again.stderr


def test_says_what_it_costs(dynarc, source, full):
    said = dynarc("truncate", full, *PLAINLY, at=source).stderr
    assert "read units" in said and "write units" in said and "create it again" in said


def test_a_dry_run_deletes_nothing(dynarc, source, full, proxy_to):
    proxy = proxy_to(source)
    told = dynarc("truncate", full, "--dry-run", at=source.through(proxy)).stderr
    assert f"would delete every item of {full}" in told
    report = dynarc("truncate", full, "--dry-run", "--json", at=source.through(proxy)).json
    assert report["holdsItems"] is True
    assert not set(proxy.record.operations) & {"BatchWriteItem", "CreateBackup"}
    assert len(left(source, full)) == len(ITEMS)


def test_needs_yes_where_nobody_can_be_asked(dynarc, source, full):
    assert "--yes" in dynarc("truncate", full, at=source, exit=2).stderr
    assert len(left(source, full)) == len(ITEMS)


@pytest.mark.parametrize("typed", ["", "y", "yes", "Orders"])
def test_only_the_name_will_do(binary, tmp_path, source, full, typed):
    code, shown = at_terminal(
        binary, tmp_path, tmp_path, "truncate", full, "--backup", "./before",
        prompt="Type the table's name", answer=typed, at=source,
    )  # fmt: skip
    assert (code, "nothing was changed" in shown) == (3, True)
    assert len(left(source, full)) == len(ITEMS)
    assert not (tmp_path / "before").exists()


def test_a_question_ends_by_an_interrupt(binary, tmp_path, source, full):
    code, shown = at_terminal(
        binary, tmp_path, tmp_path, "truncate", full, "--backup", "none",
        prompt="Type the table's name", answer=None, at=source,
    )  # fmt: skip
    assert code == 130 and "interrupted" in shown
    assert len(left(source, full)) == len(ITEMS)


def test_the_name_is_typed(binary, dynarc, tmp_path, source, full):
    code, shown = at_terminal(
        binary, tmp_path, tmp_path, "truncate", full, "--backup", "./before",
        prompt="Type the table's name", answer=full, at=source,
    )  # fmt: skip
    assert code == 0, shown
    assert left(source, full) == []
    dynarc("load", "./before", full, at=source)
    assert tables.differences(ITEMS, left(source, full), KEYS) == []


def test_a_backup_is_made_first(dynarc, source, full):
    report = dynarc("truncate", full, "--yes", "--json", at=source).json
    (backup,) = source.client.list_backups(TableName=full)["BackupSummaries"]
    assert report["kept"]["backup"]["arn"] == backup["BackupArn"]
    assert left(source, full) == []


def test_deletion_protection_is_obeyed(dynarc, source, full):
    source.client.update_table(TableName=full, DeletionProtectionEnabled=True)
    said = dynarc("truncate", full, *PLAINLY, at=source, exit=3).stderr
    assert "deletion protection" in said
    assert len(left(source, full)) == len(ITEMS)
    source.client.update_table(TableName=full, DeletionProtectionEnabled=False)
    dynarc("truncate", full, *PLAINLY, at=source)
    assert left(source, full) == []


def test_an_interrupted_one_is_gone_on_with(dynarc, binary, tmp_path, source, full, proxy_to):
    proxy = proxy_to(source, [{"kind": "stall", "operation": "BatchWriteItem", "seconds": 0.3}])
    code, said = interrupted(
        binary, tmp_path, tmp_path / "home", "truncate", full, "--backup", "./before", "--yes",
        "--concurrency", 1, at=source.through(proxy),
        when=lambda: proxy.record.operations["BatchWriteItem"] >= 3,
    )  # fmt: skip
    assert code == 130, said
    assert 0 < len(left(source, full)) < len(ITEMS)
    again = hinted(said)
    assert again == ["truncate", full, "--concurrency", "1", "--backup", "none", "--yes"]
    dynarc(*again, at=source)
    assert left(source, full) == []


@pytest.mark.parametrize("kind", ["partial_unprocessed", "total_unprocessed", "throttle", "bad_crc", "garbage"])
def test_faults_leave_no_item(dynarc, source, full, proxy_to, kind):
    proxy = proxy_to(source, [{"kind": kind, "operation": "Scan|BatchWriteItem", "rate": 0.3, "first": 10}])
    report = dynarc("truncate", full, *PLAINLY, "--json", at=source.through(proxy)).json
    assert proxy.record.faults[kind] > 0
    # A delete whose answer was lost is made again.
    assert report["deleted"] == len(ITEMS)
    assert left(source, full) == []
    assert proxy.record.batch_faults() == []


def test_reads_have_a_budget(dynarc, source, full, proxy_to):
    pages = []
    for budget in ((), ("--read-units", 40)):
        tables.put_all(source.client, full, ITEMS)
        proxy = proxy_to(source)
        report = dynarc("truncate", full, *PLAINLY, *budget, "--json", at=source.through(proxy)).json
        assert report["deleted"] == len(ITEMS)
        pages.append(proxy.record.operations["Scan"])
    # Small pages: the budget reaches the reads of keys.
    assert pages[1] > 1.5 * pages[0]


def test_odd_keys(dynarc, source, table):
    tables.create(source.client, table, "a.b:B", "#ä:N")
    items = [{"a.b": {"B": bytes([n])}, "#ä": {"N": f"{n}.25"}, "v": {"S": "x"}} for n in range(60)]
    tables.put_all(source.client, table, items)
    assert dynarc("truncate", table, *PLAINLY, "--json", at=source).json["deleted"] == 60
    assert left(source, table) == []
