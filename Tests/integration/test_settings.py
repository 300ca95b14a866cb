"""Settings: what is read, what is asked for again, what is refused, and what a person chooses. Requests are judged
by AWS's own model."""

from __future__ import annotations

import json
import signal
import time

import pytest

import recordedtable
import servers
import tables
from program import Side, run_dynarc_until
from recordedserver import NewTable, RecordedServer, Refusal
from recordedtable import ARN, ITEMS, KEY, NAME, OTHER_ACCOUNT

ACCOUNT_A, ACCOUNT_B = servers.ACCOUNT_A, servers.ACCOUNT_B
DENIED = "AccessDeniedException"
# Operation by operation, as the manifest names its answer and the setting.
READS = {
    "DescribeTimeToLive": ("describeTimeToLive", "timeToLive"),
    "ListTagsOfResource": ("listTagsOfResource", "tags"),
    "DescribeContinuousBackups": ("describeContinuousBackups", "continuousBackups"),
    "GetResourcePolicy": ("getResourcePolicy", "resourcePolicy"),
    "DescribeKinesisStreamingDestination": ("describeKinesisStreamingDestination", "kinesisDestinations"),
    "DescribeContributorInsights": ("describeContributorInsights", "contributorInsights"),
    "DescribeScalableTargets": ("describeScalableTargets", "autoScaling"),
    "DescribeScalingPolicies": ("describeScalingPolicies", "autoScaling"),
    "DescribeScheduledActions": ("describeScheduledActions", "autoScaling"),
}
WRITES = [
    "UpdateTimeToLive", "UpdateContinuousBackups", "EnableKinesisStreamingDestination",
    "UpdateContributorInsights", "RegisterScalableTarget", "PutScalingPolicy", "PutScheduledAction",
    "PutResourcePolicy", "TagResource",
]  # fmt: skip


@pytest.fixture
def recorded():
    """Makes servers that end with the test."""
    started: list[RecordedServer] = []

    def make(answers: dict, account: str = ACCOUNT_A) -> RecordedServer:
        started.append(RecordedServer(answers, account).__enter__())
        return started[-1]

    yield make
    for server in started:
        server.__exit__()


@pytest.fixture
def archive(dynarc, recorded):
    """Dumps the recorded table: `archive(billing)`."""

    def make(billing: str = "PAY_PER_REQUEST", directory: str = "./archive") -> str:
        server = recorded(recordedtable.answers(billing))
        dynarc("dump", NAME, directory, at=server.side())
        assert server.faults == []
        return directory

    return make


@pytest.fixture
def new_table(recorded):
    """A server with no table yet that takes everything: `new_table(account)`."""

    def make(account: str = ACCOUNT_A, **more) -> RecordedServer:
        return recorded(NewTable(account).answers() | {name: {} for name in WRITES} | more, account)

    return make


def manifest(dynarc, directory: str = "./archive") -> dict:
    return dynarc("info", directory, "--json").json


# Reading


def test_every_answer_is_kept_as_it_came(dynarc, archive):
    archive()
    found = manifest(dynarc)["settings"]
    answers = recordedtable.answers()
    assert found["notRead"] == []
    # Unknown fields, too.
    assert found["describeTable"] == answers["DescribeTable"]["Table"]
    assert found["describeTimeToLive"] == answers["DescribeTimeToLive"]["TimeToLiveDescription"]
    assert [tag["Key"] for tag in found["listTagsOfResource"]] == ["team", "stage"]
    assert (
        found["describeContinuousBackups"]
        == answers["DescribeContinuousBackups"]["ContinuousBackupsDescription"]
    )
    assert found["getResourcePolicy"] == answers["GetResourcePolicy"]
    assert len(found["describeKinesisStreamingDestination"]) == 2
    assert [one.get("IndexName") for one in found["describeContributorInsights"]] == [None, "by-day"]
    assert found["describeScalableTargets"] == answers["DescribeScalableTargets"]["ScalableTargets"]
    assert [one["PolicyName"] for one in found["describeScalingPolicies"]] == ["reads"]
    assert [one["ScheduledActionName"] for one in found["describeScheduledActions"]] == ["evening"]


@pytest.mark.parametrize("operation", READS)
def test_a_missing_permission_costs_that_setting_only(dynarc, recorded, operation):
    server = recorded(recordedtable.answers() | {operation: Refusal(DENIED)})
    result = dynarc("dump", NAME, "./archive", at=server.side())
    answer, setting = READS[operation]
    found = manifest(dynarc)["settings"]
    assert found["notRead"] == [{"setting": setting, "code": DENIED}]
    others = {name for name, _ in READS.values()} - {answer}
    assert others <= set(found) and answer not in found
    assert result.stderr.count(setting) == 1 and result.stderr.count(DENIED) == 1


def test_no_policy_is_an_answer(dynarc, recorded):
    server = recorded(recordedtable.answers() | {"GetResourcePolicy": Refusal("PolicyNotFoundException")})
    dynarc("dump", NAME, "./archive", at=server.side())
    assert manifest(dynarc)["settings"]["getResourcePolicy"] == {}
    assert dynarc("info", "./archive", "--settings", "--json").json["policy"] is False


def test_auto_scaling_out_of_reach(dynarc, recorded):
    server = recorded(recordedtable.answers())
    elsewhere = {"AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING": f"http://127.0.0.1:{servers.free_port()}"}
    begun = time.monotonic()
    dynarc("dump", NAME, "./archive", at=server.side(), env=elsewhere)
    assert time.monotonic() - begun < 15
    (unread,) = manifest(dynarc)["settings"]["notRead"]
    assert unread["setting"] == "autoScaling"
    assert not [one for one in server.requests if one.service != "dynamodb"]


def test_an_endpoint_given_for_the_table_serves_auto_scaling_too(dynarc, recorded):
    server = recorded(recordedtable.answers())
    env = {name: value for name, value in server.side().environment().items() if "ENDPOINT" not in name}
    dynarc("dump", NAME, "./archive", "--endpoint-url", server.endpoint, env=env)
    assert server.sent("DescribeScalableTargets")
    assert manifest(dynarc)["settings"]["notRead"] == []


def test_slices_and_changes_have_settings_too(dynarc, source, target, table):
    tables.create(source.client, table)
    tables.put_all(source.client, table, [{"pk": {"S": "a"}, "sk": {"S": "b"}}])
    dynarc("dump", table, "./slice", "--pk", "a", at=source)
    dynarc("dump", table, "./base", at=source)
    source.client.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"}
    )
    tables.put_all(source.client, table, [{"pk": {"S": "c"}, "sk": {"S": "d"}}])
    dynarc("dump", table, "./changes", "--base", "./base", at=source)
    dynarc("merge", "./base", "./changes", "./merged")
    told = {
        name: dynarc("info", f"./{name}", "--settings", "--json").json["ttl"]
        for name in ("slice", "base", "changes", "merged")
    }
    assert told == {"slice": False, "base": False, "changes": "expires", "merged": "expires"}
    # A chain is loaded with the settings of its last state.
    dynarc("load", "./base", "--changes", "./changes", at=target)
    found = target.client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert found["AttributeName"] == "expires"


# Bringing back


def test_the_order_and_every_field(dynarc, archive, new_table):
    archive()
    target = new_table()
    dynarc("load", "./archive", "Copy", at=target.side(), env={"AWS_ACCOUNT_ID": ACCOUNT_A})
    assert target.faults == []
    written = [
        one for one in target.operations() if not one.startswith(("Describe", "List", "Get", "Scan"))
    ]
    assert written == [
        "CreateTable", "BatchWriteItem", "UpdateTable", "UpdateTimeToLive", "UpdateContinuousBackups",
        "EnableKinesisStreamingDestination", "UpdateContributorInsights", "PutResourcePolicy", "UpdateTable",
    ]  # fmt: skip
    (created,) = target.sent("CreateTable")
    definitions = created.pop("AttributeDefinitions")
    assert {one["AttributeName"]: one["AttributeType"] for one in definitions} == {"pk": "S", "sk": "N", "day": "S"}
    assert created == {
        "TableName": "Copy",
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "LocalSecondaryIndexes": [
            {
                "IndexName": "by-day-local",
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "day", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
        ],
        "GlobalSecondaryIndexes": [
            {
                "IndexName": "by-day",
                "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a", "b"]},
                "OnDemandThroughput": {"MaxReadRequestUnits": 30},
            }
        ],
        "TableClass": "STANDARD_INFREQUENT_ACCESS",
        "OnDemandThroughput": {"MaxReadRequestUnits": 100},
        "SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY},
        "Tags": [{"Key": "team", "Value": "shop"}, {"Key": "stage", "Value": "live"}],
    }
    assert target.sent("UpdateTable")[-1] == {"TableName": "Copy", "DeletionProtectionEnabled": True}
    (policy,) = target.sent("PutResourcePolicy")
    assert policy["ResourceArn"] == ARN.replace(NAME, "Copy")
    assert json.loads(policy["Policy"]) == {
        **recordedtable.POLICY,
        "Statement": [recordedtable.POLICY["Statement"][0] | {"Resource": ARN.replace(NAME, "Copy")}],
    }


def test_auto_scaling_comes_back(dynarc, archive, new_table):
    archive("PROVISIONED")
    target = new_table()
    dynarc("load", "./archive", "Copy", "--settings", "all,warm-throughput", at=target.side())
    assert target.faults == []
    place = {"ServiceNamespace": "dynamodb", "ResourceId": "table/Copy", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}  # fmt: skip
    (registered,) = target.sent("RegisterScalableTarget")
    assert registered == place | {
        "MinCapacity": 5,
        "MaxCapacity": 100,
        "SuspendedState": {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": False,
            "ScheduledScalingSuspended": True,
        },
    }
    (policy,) = target.sent("PutScalingPolicy")
    assert policy == place | {
        "PolicyName": "reads",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": 70.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "DynamoDBReadCapacityUtilization"},
            "ScaleOutCooldown": 60,
            "DisableScaleIn": True,
        },
    }
    (action,) = target.sent("PutScheduledAction")
    assert action == place | {
        "ScheduledActionName": "evening",
        "Schedule": "cron(0 18 * * ? *)",
        "Timezone": "Europe/Berlin",
        "StartTime": 1.7e9,
        "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 10},
    }
    (created,) = target.sent("CreateTable")
    assert created["WarmThroughput"] == {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 9000}
    assert created["ProvisionedThroughput"] == {"ReadCapacityUnits": 7, "WriteCapacityUnits": 5}


def test_encryption_of_the_same_account(dynarc, archive, new_table):
    """Whose account it is turns out with the table, where the credentials do not say it."""
    archive()
    target = new_table()
    dynarc("load", "./archive", "Copy", "--settings", "encryption", at=target.side())
    wanted = {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY}
    operations = target.operations()
    (changed,) = target.sent("UpdateTable")
    assert changed == {"TableName": "Copy", "SSESpecification": wanted}
    # Before there is anything to encrypt.
    assert operations.index("UpdateTable") < operations.index("BatchWriteItem")
    known = new_table()
    dynarc(
        "load", "./archive", "Copy", "--settings", "encryption",
        at=known.side(), env={"AWS_ACCOUNT_ID": ACCOUNT_A},
    )  # fmt: skip
    assert known.sent("CreateTable")[0]["SSESpecification"] == wanted
    assert known.sent("UpdateTable") == []


@pytest.mark.parametrize("operation", [one for one in WRITES if one != "TagResource"])
def test_a_refusal_is_named_and_ends_with_4(dynarc, archive, new_table, operation):
    archive("PROVISIONED")
    target = new_table(**{operation: Refusal(DENIED, "not you")})
    result = dynarc("load", "./archive", "Copy", "--json", at=target.side(), exit=4)
    refused = [entry for entry in result.json["settings"] if entry["outcome"] == "refused"]
    assert [(one["code"], one["message"]) for one in refused] == [(DENIED, "not you")]
    assert f"did not get {refused[0]['what']}: {DENIED}: not you" in result.stderr
    assert f"--schema-only --settings {refused[0]['setting']}" in result.stderr
    # Everything else is in place, and the load is over.
    assert result.json["written"] == len(ITEMS)
    others = set(WRITES) - {operation, "TagResource"}
    assert others <= set(target.operations())


def test_what_create_table_refuses_is_asked_for_one_by_one(dynarc, archive, recorded):
    archive()
    table = NewTable(ACCOUNT_A)
    answers = table.answers() | {name: {} for name in WRITES}

    def create(body):
        return Refusal("ValidationException", "no such class") if "TableClass" in body else table._create(body)

    def update(body):
        return Refusal("ValidationException", "no such class") if "TableClass" in body else table._update(body)

    target = recorded(answers | {"CreateTable": create, "UpdateTable": update})
    result = dynarc("load", "./archive", "Copy", "--json", at=target.side(), exit=4)
    outcomes = {entry["setting"]: entry["outcome"] for entry in result.json["settings"]}
    assert outcomes["table-class"] == "refused"
    assert (outcomes["tags"], outcomes["limits"], outcomes["encryption"]) == ("restored",) * 3
    assert len(target.sent("TagResource")[0]["Tags"]) == 2
    assert target.faults == []


def test_a_busy_table_is_waited_for(dynarc, archive, new_table):
    archive()
    left = {"count": 2}

    def later(body):
        left["count"] -= 1
        return Refusal("ContinuousBackupsUnavailableException") if left["count"] >= 0 else {}

    target = new_table(UpdateContinuousBackups=later)
    dynarc("load", "./archive", "Copy", "--settings", "pitr", at=target.side())
    assert len(target.sent("UpdateContinuousBackups")) == 3


# Another account


def test_foreign_ids_are_left_and_named(dynarc, archive, new_table):
    archive()
    target = new_table(ACCOUNT_B)
    result = dynarc("load", "./archive", "Copy", "--json", at=target.side(), exit=4)
    open = {entry["setting"] for entry in result.json["settings"] if entry.get("needsDecision")}
    assert open == {"encryption", "kinesis", "policy"}
    for operation in ("EnableKinesisStreamingDestination", "PutResourcePolicy"):
        assert target.sent(operation) == []
    assert "SSESpecification" not in target.sent("CreateTable")[0]
    for word in ("--map-kms", f"--account-map {ACCOUNT_A}=ACCOUNT", f"--account-map {OTHER_ACCOUNT}=ACCOUNT"):
        assert word in result.stderr
    assert "UpdateTimeToLive" in target.operations()


def test_foreign_ids_are_mapped(dynarc, archive, new_table):
    archive()
    target = new_table(ACCOUNT_B)
    dynarc(
        "load", "./archive", "Copy", "--map-kms", f"{KEY}=alias/orders",
        "--account-map", f"{ACCOUNT_A}={ACCOUNT_B}", "--account-map", f"{OTHER_ACCOUNT}=777788889999",
        at=target.side(),
    )  # fmt: skip
    assert target.faults == []
    assert target.sent("CreateTable")[0]["SSESpecification"]["KMSMasterKeyId"] == "alias/orders"
    (stream,) = target.sent("EnableKinesisStreamingDestination")
    assert stream["StreamArn"] == recordedtable.STREAM.replace(ACCOUNT_A, ACCOUNT_B)
    (policy,) = target.sent("PutResourcePolicy")
    statement = json.loads(policy["Policy"])["Statement"][0]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::777788889999:role/reader"}
    assert statement["Resource"] == ARN.replace(ACCOUNT_A, ACCOUNT_B).replace(NAME, "Copy")


# Choice


def test_no_settings(dynarc, archive, new_table):
    archive()
    for option in (["--settings", "none"], ["--data-only"]):
        target = new_table()
        dynarc("load", "./archive", "Copy", *option, at=target.side())
        assert not set(target.operations()) & {*WRITES, "UpdateTable"}
        (created,) = target.sent("CreateTable")
        assert not {"Tags", "TableClass", "SSESpecification", "OnDemandThroughput"} & set(created)
        assert len(created["GlobalSecondaryIndexes"]) == 1


def test_some_settings(dynarc, archive, new_table):
    archive()
    target = new_table()
    dynarc("load", "./archive", "Copy", "--settings", "ttl,tags", at=target.side())
    assert set(target.operations()) & {*WRITES, "UpdateTable"} == {"UpdateTimeToLive"}
    assert "Tags" in target.sent("CreateTable")[0]


@pytest.mark.parametrize("wrong", [
    ["--settings", "ttl,stuff"], ["--settings", ""], ["--settings", "none,ttl"], ["--billing", "cheap"],
    ["--billing", "provisioned=0,1"], ["--billing", "provisioned=1"], ["--table-class", "best"],
    ["--indexes", "before"], ["--schema-only", "--data-only"], ["--data-only", "--settings", "ttl"],
    ["--schema-only", "--merge"], ["--tag", "alone"], ["--map-kms", "=x"], ["--account-map", "1=2"],
    ["--resume", "--settings", "all"],
])  # fmt: skip
def test_wrong_usage(dynarc, archive, new_table, wrong):
    archive()
    target = new_table()
    assert dynarc("load", "./archive", "Copy", *wrong, at=target.side(), exit=2).stderr
    assert target.operations() == []


def test_billing_and_class(dynarc, archive, new_table):
    archive()
    target = new_table()
    dynarc(
        "load", "./archive", "Copy", "--billing", "provisioned=20,10", "--table-class", "standard",
        "--tag", "team=ops", "--tag", "new=", at=target.side(),
    )  # fmt: skip
    assert target.faults == []
    (created,) = target.sent("CreateTable")
    units = {"ReadCapacityUnits": 20, "WriteCapacityUnits": 10}
    assert created["ProvisionedThroughput"] == units
    assert created["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"] == units
    # Which a table has by itself.
    assert "TableClass" not in created
    assert {tag["Key"]: tag["Value"] for tag in created["Tags"]} == {"team": "ops", "stage": "live", "new": ""}
    assert target.sent("RegisterScalableTarget")
    result = dynarc(
        "load", "./archive", "Other", "--billing", "provisioned", at=new_table().side(), exit=2
    )
    assert "provisioned=READ,WRITE" in result.stderr


def test_on_demand_in_place_of_provisioned(dynarc, archive, new_table):
    archive("PROVISIONED")
    target = new_table()
    dynarc("load", "./archive", "Copy", "--billing", "on-demand", at=target.side())
    (created,) = target.sent("CreateTable")
    assert created["BillingMode"] == "PAY_PER_REQUEST" and "ProvisionedThroughput" not in created
    assert target.sent("RegisterScalableTarget") == []


def test_schema_only(dynarc, archive, new_table, tmp_path):
    archive()
    target = new_table()
    dynarc("load", "./archive", "Copy", "--schema-only", at=target.side())
    assert target.sent("BatchWriteItem") == []
    assert target.sent("UpdateTimeToLive")
    assert not list(tmp_path.glob("*.load-state"))
    # It is there now, and nothing says what to do with it.
    result = dynarc("load", "./archive", "Copy", "--schema-only", at=target.side(), exit=2)
    assert "there already" in result.stderr


def test_a_table_that_is_there_keeps_its_settings(dynarc, archive, source, table):
    archive()
    tables.create(source.client, table, "pk:S", "sk:N")
    dynarc("load", "./archive", table, at=source)
    found = source.client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert found["TimeToLiveStatus"] == "DISABLED"
    dynarc("load", "./archive", table, "--merge", "--settings", "ttl,stream", "--tag", "a=b", at=source)
    found = source.client.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert found == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
    described = source.client.describe_table(TableName=table)["Table"]
    assert described["StreamSpecification"]["StreamViewType"] == "NEW_IMAGE"
    assert "TableClassSummary" not in described
    tags = source.client.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"]
    assert tags == [{"Key": "a", "Value": "b"}]
    result = dynarc("load", "./archive", table, "--merge", "--settings", "ttl", "--json", at=source).json
    assert [entry["outcome"] for entry in result["settings"]] == ["same"]


@pytest.mark.parametrize("option", [["--billing", "on-demand"], ["--table-class", "standard"], ["--indexes", "after"]])
def test_a_table_that_is_there_is_not_made_anew(dynarc, archive, source, table, option):
    archive()
    tables.create(source.client, table, "pk:S", "sk:N")
    assert option[0] in dynarc("load", "./archive", table, *option, at=source, exit=2).stderr


def test_a_dry_run_says_what_will_be_asked_for(dynarc, archive, new_table):
    archive()
    target = new_table()
    told = dynarc("load", "./archive", "Copy", "--dry-run", at=target.side()).stderr
    for words in ("table class", "2 tag(s)", "TTL on expires", "stream of NEW_IMAGE", "deletion protection"):
        assert words in told
    assert set(target.operations()) == {"DescribeTable"}
    requests = dynarc(
        "load", "./archive", "Copy", "--dry-run", "--json", at=target.side(), env={"AWS_ACCOUNT_ID": ACCOUNT_A}
    ).json["requests"]
    actual = new_table()
    dynarc("load", "./archive", "Copy", at=actual.side(), env={"AWS_ACCOUNT_ID": ACCOUNT_A})
    sent = [
        one for one in actual.requests
        if one.operation in {*WRITES, "CreateTable", "UpdateTable"}
    ]  # fmt: skip
    assert [(one["operation"], one["request"]) for one in requests] == [(one.operation, one.body) for one in sent]


# Indexes after the items


def indexed(side: Side, table: str, count: int) -> None:
    tables.create(
        side.client,
        table,
        attributes=[f"g{n}:S" for n in range(count)],
        GlobalSecondaryIndexes=[
            {
                "IndexName": f"index-{n}",
                "KeySchema": tables.key_schema((f"g{n}", "HASH")),
                "Projection": {"ProjectionType": "ALL"},
            }
            for n in range(count)
        ],
    )
    rows = [{"pk": {"S": str(n)}, "sk": {"S": "x"}, "g0": {"S": "a"}} for n in range(60)]
    tables.put_all(side.client, table, rows)


def test_indexes_after_the_items(dynarc, source, target, table, proxy_to):
    indexed(source, table, 3)
    dynarc("dump", table, "./archive", at=source)
    proxy = proxy_to(target)
    dynarc("load", "./archive", "--indexes", "after", at=target.through(proxy))
    operations = proxy.record.operations
    names = [one["IndexName"] for one in target.client.describe_table(TableName=table)["Table"]["GlobalSecondaryIndexes"]]
    assert names == ["index-0", "index-1", "index-2"]
    assert operations["CreateTable"] == 1 and operations["UpdateTable"] == 3
    found = target.client.query(
        TableName=table, IndexName="index-0", KeyConditionExpression="g0 = :a",
        ExpressionAttributeValues={":a": {"S": "a"}},
    )  # fmt: skip
    assert found["Count"] == 60


def test_indexes_are_gone_on_with(dynarc, source, target, table, proxy_to, tmp_path):
    indexed(source, table, 3)
    dynarc("dump", table, "./archive", at=source)
    # The second index fails for as long as the load tries.
    proxy = proxy_to(target, [{"kind": "internal_error", "operation": "UpdateTable", "skip": 1}])
    result = dynarc("load", "./archive", "--indexes", "after", at=target.through(proxy), exit=4)
    assert "--resume" in result.stderr
    assert len(target.client.describe_table(TableName=table)["Table"]["GlobalSecondaryIndexes"]) == 1
    dynarc("load", "./archive", table, "--resume", at=target)
    assert len(target.client.describe_table(TableName=table)["Table"]["GlobalSecondaryIndexes"]) == 3
    assert not list(tmp_path.glob("*.load-state"))
    assert tables.compare_tables(source.client, table, target.client, table) == []


def test_an_index_is_waited_for_before_the_next(dynarc, source, recorded, table):
    indexed(source, table, 3)
    dynarc("dump", table, "./archive", at=source)
    new = NewTable(ACCOUNT_A)
    new.patience = 3
    target = recorded(new.answers())
    dynarc("load", "./archive", "--indexes", "after", "--settings", "stream", at=target.side())
    updates = target.sent("UpdateTable")
    created = [one["GlobalSecondaryIndexUpdates"][0]["Create"]["IndexName"] for one in updates]
    assert created == ["index-0", "index-1", "index-2"]
    assert target.faults == []


def test_waiting_for_an_index_ends_with_ctrl_c(dynarc, binary, source, recorded, table, tmp_path):
    indexed(source, table, 2)
    dynarc("dump", table, "./archive", at=source)
    new = NewTable(ACCOUNT_A)
    new.patience = None
    target = recorded(new.answers())
    load = ("load", "./archive", table, "--indexes", "after", "--settings", "none")
    ended = run_dynarc_until(binary, tmp_path, tmp_path / "home", 5, signal.SIGINT, *load, at=target.side())
    assert ended == 130 and new.waiting > 0
    written = len(target.sent("BatchWriteItem"))
    new.patience = 0
    dynarc("load", "./archive", table, "--resume", at=target.side())
    assert [index["IndexName"] for index in new.table["GlobalSecondaryIndexes"]] == ["index-0", "index-1"]
    assert len(target.sent("BatchWriteItem")) == written
    assert target.faults == []


def test_no_indexes(dynarc, source, target, table):
    indexed(source, table, 2)
    dynarc("dump", table, "./archive", at=source)
    dynarc("load", "./archive", "--indexes", "none", at=target)
    assert "GlobalSecondaryIndexes" not in target.client.describe_table(TableName=table)["Table"]


def test_settings_are_gone_on_with(dynarc, archive, new_table, tmp_path):
    archive()
    target = new_table(UpdateTimeToLive=Refusal("InternalServerError", status=500))
    result = dynarc("load", "./archive", "Copy", "--tag", "a=b", at=target.side(), exit=4)
    assert "--resume" in result.stderr
    assert target.sent("PutResourcePolicy") == []
    items = len(target.sent("BatchWriteItem"))
    target.answers["UpdateTimeToLive"] = {}
    dynarc("load", "./archive", "Copy", "--resume", at=target.side())
    assert target.sent("PutResourcePolicy")
    assert len(target.sent("BatchWriteItem")) == items
    assert not list(tmp_path.glob("*.load-state"))
    # The tag was in CreateTable; this server does not tell of it, so it is asked for again.
    assert {"Key": "a", "Value": "b"} in target.sent("TagResource")[0]["Tags"]
    assert target.faults == []


# Showing


def test_info_shows_the_settings(dynarc, archive):
    archive("PROVISIONED")
    text = dynarc("info", "./archive", "--settings").stdout.decode()
    for words in (
        "provisioned, 7 read and 5 write", "STANDARD_INFREQUENT_ACCESS", KEY, "team=shop", "NEW_IMAGE",
        "on expires", "14 days", recordedtable.STREAM, "THROTTLED_KEYS", "5 to 100", "70", "evening",
        OTHER_ACCOUNT, "replicas in eu-west-1",
    ):  # fmt: skip
        assert words in text, words
    shown = dynarc("info", "./archive", "--settings", "--json").json
    assert shown["billing"] == {"mode": "PROVISIONED", "readUnits": 7, "writeUnits": 5}
    assert shown["encryption"] == {"type": "kms", "keyArn": KEY}
    assert shown["tags"] == {"team": "shop", "stage": "live"}
    assert shown["pitr"] == {"enabled": True, "days": 14}
    assert shown["policy"] == recordedtable.POLICY
    assert (shown["ttl"], shown["stream"], shown["protection"]) == ("expires", "NEW_IMAGE", True)
    assert shown["notBroughtBack"] == ["replicas in eu-west-1"]


def test_info_shows_what_could_not_be_read(dynarc, recorded):
    server = recorded(recordedtable.answers() | {"DescribeTimeToLive": Refusal(DENIED)})
    dynarc("dump", NAME, "./archive", at=server.side())
    assert f"it could not be read when the dump was made ({DENIED})" in dynarc("info", "./archive", "--settings").stdout.decode()
    shown = dynarc("info", "./archive", "--settings", "--json").json
    assert shown["ttl"] is None
    assert shown["notRead"] == [{"setting": "timeToLive", "code": DENIED}]


@pytest.mark.parametrize(
    "option, what",
    [
        (("--settings", "TTL"), "takes all, none, or some of"),
        (("--billing", "provisioned=0,0"), "provisioned=READ,WRITE"),
        (("--tag", "aws:x=1"), "given by AWS alone"),
    ],
)
def test_what_is_no_choice_is_refused_with_the_choices(dynarc, target, option, what):
    done = dynarc("load", "./not-even-there", "Nothing", *option, at=target, exit=2)
    assert what in done.stderr
