"""Tables of many shapes through an archive into another account: all that describes them is the same."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Callable

import pytest

import servers
import settings
import tables
from program import Side

ACCOUNT_A, ACCOUNT_B = servers.ACCOUNT_A, servers.ACCOUNT_B
KEY_A = f"arn:aws:kms:{servers.REGION}:{ACCOUNT_A}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
KEY_B = f"arn:aws:kms:{servers.REGION}:{ACCOUNT_B}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
STREAM = f"arn:aws:kinesis:{servers.REGION}:{ACCOUNT_A}:stream/changes"
UNITS = {"ReadCapacityUnits": 7, "WriteCapacityUnits": 5}
PROVISIONED = {"BillingMode": "PROVISIONED", "ProvisionedThroughput": UNITS}
# What the servers do not have (see their notes in settings.read).
MISSING = {
    "ministack": ("DescribeScalableTargets", "DescribeScalingPolicies", "DescribeScheduledActions"),
    "moto": ("DescribeKinesisStreamingDestination", "DescribeContributorInsights"),
}
UNREAD = {"ministack": {"autoScaling"}, "moto": {"kinesisDestinations", "contributorInsights"}}
ACCOUNT_MAP = ("--account-map", f"{ACCOUNT_A}={ACCOUNT_B}")


@dataclass
class Shape:
    """A table: how it is created, what is set then, where that is kept, and how it is loaded."""

    create: dict[str, Any] = field(default_factory=dict)
    then: list[Callable[[Side, str], Any]] = field(default_factory=list)
    servers: tuple[str, ...] = ("ministack", "moto")
    options: tuple[str, ...] = ()


def index(name: str, *keys: tuple[str, str], projection: dict | None = None, **more: Any) -> dict:
    return {
        "IndexName": name,
        "KeySchema": tables.key_schema(*keys),
        "Projection": projection or {"ProjectionType": "ALL"},
        **more,
    }


def ttl(side: Side, table: str) -> None:
    side.client.update_time_to_live(
        TableName=table, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires at"}
    )


def pitr(**more: Any) -> Callable[[Side, str], None]:
    def set(side: Side, table: str) -> None:
        side.client.update_continuous_backups(
            TableName=table,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True, **more},
        )

    return set


def policy(side: Side, table: str) -> None:
    arn = side.client.describe_table(TableName=table)["Table"]["TableArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_A}:root"},
        "Action": "dynamodb:GetItem",
        "Resource": [arn, f"{arn}/index/*"],
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    side.client.put_resource_policy(ResourceArn=arn, Policy=json.dumps(document, separators=(",", ":")))


def kinesis(side: Side, table: str) -> None:
    side.client.enable_kinesis_streaming_destination(
        TableName=table,
        StreamArn=STREAM,
        EnableKinesisStreamingConfiguration={"ApproximateCreationDateTimePrecision": "MICROSECOND"},
    )


def insights(*indexes: str) -> Callable[[Side, str], None]:
    def set(side: Side, table: str) -> None:
        for name in (None, *indexes):
            side.client.update_contributor_insights(
                TableName=table, ContributorInsightsAction="ENABLE", **({"IndexName": name} if name else {})
            )

    return set


def scaling(*indexes: str) -> Callable[[Side, str], None]:
    def set(side: Side, table: str) -> None:
        client = servers.client(side.endpoint, "application-autoscaling", side.account)
        for name in (None, *indexes):
            place = {
                "ServiceNamespace": "dynamodb",
                "ResourceId": f"table/{table}" + (f"/index/{name}" if name else ""),
                "ScalableDimension": f"dynamodb:{'index' if name else 'table'}:ReadCapacityUnits",
            }
            client.register_scalable_target(**place, MinCapacity=5, MaxCapacity=100)
            client.put_scaling_policy(
                **place,
                PolicyName="reads",
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration={
                    "TargetValue": 70.0,
                    "PredefinedMetricSpecification": {
                        "PredefinedMetricType": "DynamoDBReadCapacityUtilization"
                    },
                    "ScaleInCooldown": 60,
                },
            )
            client.put_scheduled_action(
                **place,
                ScheduledActionName="evening",
                Schedule="cron(0 18 * * ? *)",
                ScalableTargetAction={"MinCapacity": 1, "MaxCapacity": 10},
            )

    return set


GLOBAL = index("by-day", ("day", "HASH"))
MANY = {
    "attributes": [f"g{number}:S" for number in range(20)],
    "GlobalSecondaryIndexes": [index(f"index-{number}", (f"g{number}", "HASH")) for number in range(20)],
}
LOCALS = {
    "attributes": [f"l{number}:N" for number in range(5)],
    "LocalSecondaryIndexes": [
        index(f"local-{number}", ("pk", "HASH"), (f"l{number}", "RANGE"),
              projection={"ProjectionType": "INCLUDE", "NonKeyAttributes": ["x", "y.z"]})
        for number in range(5)
    ],
}  # fmt: skip
STREAMED = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}}
ENCRYPTED = {"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY_A}}
MAP_KEY = ("--map-kms", f"{KEY_A}={KEY_B}")
TAGS = {"Tags": [{"Key": "team", "Value": "shop"}, {"Key": "a:b/c", "Value": ""}]}
LIMITS = {"OnDemandThroughput": {"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": 50}}
VECTORS = {
    "attributes": ["shop:S"],
    "VectorIndexes": [
        {
            "IndexName": "alike",
            "VectorAttribute": {"AttributeName": "v"},
            "Dimensions": 3,
            "DistanceFunction": "COSINE",
            "Projection": {"ProjectionType": "ALL"},
            "SearchSchema": [{"AttributeName": "shop", "SearchSchemaElementType": "HASH"}],
        }
    ],
}
WARM = {"WarmThroughput": {"ReadUnitsPerSecond": 15000, "WriteUnitsPerSecond": 6000}}

SHAPES = {
    "on-demand": Shape(),
    "provisioned": Shape({
        **PROVISIONED, "attributes": ["day:B"],
        "GlobalSecondaryIndexes": [GLOBAL | {"ProvisionedThroughput": {"ReadCapacityUnits": 3, "WriteCapacityUnits": 2}}],
    }),
    "locals": Shape(LOCALS),
    "globals": Shape(MANY),
    "globals-later": Shape(MANY, options=("--indexes", "after")),
    "several-key-attributes": Shape({
        "attributes": ["a:S", "b:N", "c:S"],
        "GlobalSecondaryIndexes": [index("wide", ("a", "HASH"), ("b", "HASH"), ("c", "RANGE"), ("sk", "RANGE"))],
    }, servers=("ministack",)),
    "vectors": Shape(VECTORS, servers=("ministack",)),
    "class": Shape({"TableClass": "STANDARD_INFREQUENT_ACCESS"}, servers=("ministack",)),
    "encryption": Shape(ENCRYPTED, options=MAP_KEY),
    "limits": Shape(LIMITS, servers=("ministack",)),
    "warm": Shape(WARM, servers=("moto",), options=("--settings", "all,warm-throughput")),
    "tags": Shape(TAGS),
    "stream": Shape(STREAMED),
    "ttl": Shape(then=[ttl]),
    "recovery": Shape(then=[pitr()]),
    "recovery-days": Shape(then=[pitr(RecoveryPeriodInDays=14)], servers=("moto",)),
    "policy": Shape(then=[policy], options=ACCOUNT_MAP),
    "kinesis": Shape(then=[kinesis], servers=("ministack",), options=ACCOUNT_MAP),
    "insights": Shape(
        {"attributes": ["day:S"], "GlobalSecondaryIndexes": [GLOBAL]}, [insights("by-day")],
        servers=("ministack",)),
    "scaling": Shape({
        **PROVISIONED, "attributes": ["day:S"],
        "GlobalSecondaryIndexes": [GLOBAL | {"ProvisionedThroughput": UNITS}],
    }, [scaling("by-day")], servers=("moto",)),
    "protection": Shape({"DeletionProtectionEnabled": True}),
    "all-on-demand": Shape(
        MANY | {"LocalSecondaryIndexes": [index("local", ("pk", "HASH"), ("g0", "RANGE"))]}
        | STREAMED | ENCRYPTED | TAGS | LIMITS
        | {"TableClass": "STANDARD_INFREQUENT_ACCESS", "DeletionProtectionEnabled": True},
        [ttl, pitr(), policy, kinesis, insights("index-3")],
        servers=("ministack",), options=(*MAP_KEY, *ACCOUNT_MAP)),
    "all-provisioned": Shape(
        PROVISIONED | LOCALS | STREAMED | ENCRYPTED | TAGS | WARM | {
            "attributes": [*LOCALS["attributes"], "day:S"],
            "GlobalSecondaryIndexes": [GLOBAL | {"ProvisionedThroughput": UNITS}],
            "DeletionProtectionEnabled": True,
        },
        [ttl, pitr(RecoveryPeriodInDays=7), policy, scaling("by-day")],
        servers=("moto",), options=(*MAP_KEY, *ACCOUNT_MAP, "--settings", "all,warm-throughput")),
}  # fmt: skip


@pytest.fixture(scope="module")
def motos() -> Any:
    """Two moto servers, each of an account of its own."""
    with servers.start("moto", ACCOUNT_A) as one, servers.start("moto", ACCOUNT_B) as other:
        yield Side(one.endpoint, ACCOUNT_A), Side(other.endpoint, ACCOUNT_B)


@pytest.fixture
def sides(request: pytest.FixtureRequest, source: Side, target: Side) -> Callable[[str], tuple[Side, Side]]:
    return lambda kind: (source, target) if kind == "ministack" else request.getfixturevalue("motos")


def read(side: Side, table: str, kind: str) -> dict[str, Any]:
    client = servers.client(side.endpoint, "application-autoscaling", side.account)
    return settings.renamed(
        settings.read(side.client, client, table, MISSING[kind]), ACCOUNT_A, ACCOUNT_B
    )


CASES = [(name, kind) for name, shape in SHAPES.items() for kind in shape.servers]


@pytest.mark.parametrize("name, kind", CASES, ids=[f"{name}-{kind}" for name, kind in CASES])
def test_a_table_comes_back_as_it_was(dynarc, sides, table, name, kind):
    shape = SHAPES[name]
    one, other = sides(kind)
    tables.create(one.client, table, **shape.create)
    for change in shape.then:
        change(one, table)
    tables.put_all(one.client, table, [{"pk": {"S": str(n)}, "sk": {"S": "x"}} for n in range(30)])

    dynarc("dump", table, "./archive", at=one)
    unread = {entry["setting"] for entry in manifest(dynarc)["settings"]["notRead"]}
    assert unread == UNREAD[kind]
    result = dynarc("load", "./archive", *shape.options, "--json", at=other).json

    assert read(one, table, kind) == read(other, table, kind)
    assert {entry["outcome"] for entry in result["settings"]} <= {"restored", "skipped"}
    assert not [entry for entry in result["settings"] if entry.get("needsDecision")]
    assert tables.compare_tables(one.client, table, other.client, table) == []

    # Once more: everything is there.
    again = dynarc("load", "./archive", "--schema-only", "--settings", "all", *maps(shape), "--json", at=other)
    outcomes = {entry["setting"]: entry["outcome"] for entry in again.json["settings"]}
    assert set(outcomes.values()) <= {"same", "skipped"}, outcomes


def maps(shape: Shape) -> list[str]:
    pairs = zip(shape.options[::2], shape.options[1::2])
    return [word for pair in pairs if pair[0].endswith(("-kms", "-map")) for word in pair]


def manifest(dynarc) -> dict:
    return dynarc("info", "./archive", "--json").json
