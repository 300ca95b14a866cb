"""`info --as`: templates that other tools take, and that make the same table again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pygohcl
import pytest

import archives
import servers
import tables
from program import Side

UNITS = {"ReadCapacityUnits": 7, "WriteCapacityUnits": 5}
ARN = f"arn:aws:dynamodb:{servers.REGION}:{servers.ACCOUNT_A}:table/"
KEY_ARN = f"arn:aws:kms:{servers.REGION}:{servers.ACCOUNT_A}:key/0a1b2c3d-0000-1111-2222-333344445555"
# What tools of templates stumble over: their own marks, quotation, line ends, control characters, an accent that
# joins the mark before it.
HOSTILE = [
    "${AWS::AccountId}",
    "${!literal}",
    "$${twice}",
    "%{ if true }x%{ endif }",
    "${\u0301accent}",
    'say "hi"',
    "it's",
    "back\\slash \\n \\u0041",
    "line\nfeed\r\ttab",
    "# no comment // nor this /* nor that */",
    "key: [value, {a: b}]",
    "!Ref Table",
    "<<EOF",
    "",
    " ",
    "日本語 🦆",
    "\u0001\u001f\u007f\u0085\u2028",
    "true",
    "0123",
    "null",
]


def gsi(name: str, *keys: tuple[str, str], include: list[str] | None = None, **more) -> dict:
    projection = {"ProjectionType": "INCLUDE", "NonKeyAttributes": include} if include else {"ProjectionType": "ALL"}
    return {"IndexName": name, "KeySchema": tables.key_schema(*keys), "Projection": projection} | more


def lsi(name: str, sort: str) -> dict:
    return {
        "IndexName": name,
        "KeySchema": tables.key_schema(("pk", "HASH"), (sort, "RANGE")),
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }


# What CreateTable is given, beside keys pk and sk.
SHAPES: dict[str, dict] = {
    "on demand": {},
    "no sort key": {"sort": None},
    "binary and number": {"partition": "pk:B", "sort": "sk:N"},
    "provisioned": {"BillingMode": "PROVISIONED", "ProvisionedThroughput": UNITS},
    "global indexes": {
        "attributes": ["a:S", "b:B"],
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": UNITS,
        "GlobalSecondaryIndexes": [
            gsi("by-a", ("a", "HASH"), ("b", "RANGE"), ProvisionedThroughput=UNITS),
            gsi("by.b", ("b", "HASH"), include=["x.y", "z"], ProvisionedThroughput=UNITS),
        ],
    },
    "local indexes": {
        "attributes": [f"l{n}:S" for n in range(5)],
        "LocalSecondaryIndexes": [lsi(f"local_{n}", f"l{n}") for n in range(5)],
    },
    "twenty indexes": {
        "attributes": [f"g{n}:N" for n in range(20)],
        "GlobalSecondaryIndexes": [gsi(f"global-{n}", (f"g{n}", "HASH")) for n in range(20)],
    },
    "stream": {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "OLD_IMAGE"}},
    "protected": {"DeletionProtectionEnabled": True},
    "table class": {"TableClass": "STANDARD_INFREQUENT_ACCESS"},
    "limits": {
        "attributes": ["a:S"],
        "OnDemandThroughput": {"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": 50},
        "GlobalSecondaryIndexes": [gsi("by-a", ("a", "HASH"), OnDemandThroughput={"MaxReadRequestUnits": 9})],
    },
    "encrypted": {"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY_ARN}},
    "tags": {"Tags": [{"Key": "team", "Value": "shop"}, {"Key": "empty", "Value": ""}]},
    "hostile tags": {"Tags": [{"Key": f"{n} {text}"[:128], "Value": text} for n, text in enumerate(HOSTILE)]},
    "hostile attributes": {
        "partition": '${pk} "quoted":S',
        "sort": "%{sk}\n\\:S",
        "attributes": ["${a}:S"],
        "GlobalSecondaryIndexes": [gsi("by-a", ("${a}", "HASH"), include=HOSTILE[:13])],
    },
}

SCALING = {
    "describeScalableTargets": [
        {
            "ServiceNamespace": "dynamodb",
            "ResourceId": "table/NAME" + index,
            "ScalableDimension": f"dynamodb:{'index' if index else 'table'}:{kind}CapacityUnits",
            "MinCapacity": 5,
            "MaxCapacity": 500,
            "RoleARN": f"arn:aws:iam::{servers.ACCOUNT_A}:role/scaling",
            "CreationTime": 1700000000.5,
            "SuspendedState": {"DynamicScalingInSuspended": False},
        }
        for index in ("", "/index/by-a")
        for kind in ("Read", "Write")
    ],
    "describeScalingPolicies": [
        {
            "PolicyARN": "arn:…",
            "PolicyName": '$scale"${x}":table/NAME' + index,
            "ServiceNamespace": "dynamodb",
            "ResourceId": "table/NAME" + index,
            "ScalableDimension": f"dynamodb:{'index' if index else 'table'}:{kind}CapacityUnits",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": 70.5,
                "PredefinedMetricSpecification": {"PredefinedMetricType": f"DynamoDB{kind}CapacityUtilization"},
                "ScaleInCooldown": 60,
                "DisableScaleIn": True,
            },
        }
        for index in ("", "/index/by-a")
        for kind in ("Read", "Write")
    ],
    "describeScheduledActions": [
        {
            "ScheduledActionName": "nightly",
            "ServiceNamespace": "dynamodb",
            "Schedule": "cron(0 22 * * ? *)",
            "Timezone": "Europe/Berlin",
            "ResourceId": "table/NAME",
            "ScalableDimension": "dynamodb:table:ReadCapacityUnits",
            "StartTime": 1893456000,
            "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 10},
        }
    ],
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "Own",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{servers.ACCOUNT_A}:role/${{aws:username}}"},
            "Action": "dynamodb:GetItem",
            "Resource": [ARN + "NAME", ARN + "NAME/index/*"],
            "Condition": {"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/team}"}},
        },
        {
            "Sid": "Other",
            "Effect": "Deny",
            "Principal": {"AWS": f"arn:aws:iam::{servers.ACCOUNT_B}:root"},
            "Action": "dynamodb:*",
            "Resource": "*",
        },
    ],
}
# What the servers do not keep, as the services answer.
ANSWERS = {
    "describeTimeToLive": {"TimeToLiveStatus": "ENABLED", "AttributeName": "${expires} at"},
    "describeContinuousBackups": {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 7},
    },
    "describeKinesisStreamingDestination": [
        {
            "StreamArn": f"arn:aws:kinesis:{servers.REGION}:{servers.ACCOUNT_A}:stream/changes",
            "DestinationStatus": "ACTIVE",
            "ApproximateCreationDateTimePrecision": "MICROSECOND",
        }
    ],
    "describeContributorInsights": [
        {"TableName": "NAME", "ContributorInsightsStatus": "ENABLED"},
        {
            "TableName": "NAME",
            "IndexName": "by-a",
            "ContributorInsightsStatus": "ENABLED",
            "ContributorInsightsMode": "THROTTLED_KEYS",
        },
    ],
    "getResourcePolicy": {"Policy": json.dumps(POLICY), "RevisionId": "1"},
    **SCALING,
}
EVERYTHING = SHAPES["global indexes"] | {
    "attributes": ["a:S", "b:B", "l:S"],
    "LocalSecondaryIndexes": [lsi("local", "l")],
    **{name: value for shape in ("stream", "protected", "table class", "encrypted", "hostile tags") for name, value in SHAPES[shape].items()},
}


@pytest.fixture(scope="module")
def stacks(tmp_path_factory) -> dict[str, Side]:
    """Servers with CloudFormation beside DynamoDB."""
    started = [
        servers.start("ministack", settings={"SERVICES": "dynamodb,cloudformation,sts,iam"}),
        servers.start("moto"),
    ]
    yield {server.kind: Side(server.endpoint, servers.ACCOUNT_A) for server in started}
    for server in started:
        server.stop()


@pytest.fixture
def archive(dynarc, tmp_path, source, table) -> Callable[..., Path]:
    """An archive of an empty table of a shape, with answers put into its manifest."""

    def make(shape: dict, answers: dict | None = None) -> Path:
        shape = dict(shape)
        tags = shape.pop("Tags", None)
        tables.create(source.client, table, shape.pop("partition", "pk:S"), shape.pop("sort", "sk:S"), **shape)
        if tags:
            arn = source.client.describe_table(TableName=table)["Table"]["TableArn"]
            source.client.tag_resource(ResourceArn=arn, Tags=tags)
        dynarc("dump", table, "./archive", "--segments", 1, at=source)

        def edit(manifest: dict) -> dict:
            text = json.dumps(answers or {}).replace("NAME", table)
            manifest["settings"] |= json.loads(text)
            return manifest

        archives.edit_manifest(tmp_path / "archive", edit)
        return tmp_path / "archive"

    return make


def lint(template: Path) -> None:
    """cfn-lint's errors and warnings; what it merely advises against is the table's own affair."""
    command = [sys.executable, "-m", "cfnlint", "--format", "json", "--regions", servers.REGION, "--", str(template)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    problems = [one for one in json.loads(done.stdout or "[]") if one["Level"] != "Informational"]
    assert problems == [], done.stdout + done.stderr


@pytest.mark.parametrize("name", [*SHAPES, "everything"])
def test_cloudformation_is_valid(dynarc, archive, tmp_path, name):
    shape, answers = (EVERYTHING, ANSWERS) if name == "everything" else (SHAPES[name], None)
    made = archive(shape, answers)
    template = tmp_path / "template.json"
    template.write_bytes(dynarc("info", made, "--as", "cloudformation").stdout)
    lint(template)


def described(side: Side, table: str) -> dict:
    """What makes a table, without what differs between any two."""
    found = side.client.describe_table(TableName=table)["Table"]

    def units(of: dict | None) -> dict | None:
        return {name: of[name] for name in UNITS} if of and of.get("ReadCapacityUnits") else None

    def index(one: dict) -> tuple:
        return (
            one["IndexName"],
            one["KeySchema"],
            one["Projection"]["ProjectionType"],
            sorted(one["Projection"].get("NonKeyAttributes", [])),
            units(one.get("ProvisionedThroughput")),
        )

    billing = found.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED")
    return {
        "name": found["TableName"],
        "key": found["KeySchema"],
        "attributes": sorted((one["AttributeName"], one["AttributeType"]) for one in found["AttributeDefinitions"]),
        "billing": billing,
        "units": units(found.get("ProvisionedThroughput")) if billing == "PROVISIONED" else None,
        "global": sorted(index(one) for one in found.get("GlobalSecondaryIndexes", [])),
        "local": sorted(index(one) for one in found.get("LocalSecondaryIndexes", [])),
        "stream": found.get("StreamSpecification") or None,
        "protected": found.get("DeletionProtectionEnabled", False),
        "tags": tags(side, found["TableArn"]),
    }


def tags(side: Side, arn: str) -> list:
    pages = side.client.get_paginator("list_tags_of_resource").paginate(ResourceArn=arn)
    found = [tag for page in pages for tag in page.get("Tags", [])]
    return sorted((one["Key"], one["Value"]) for one in found if not one["Key"].startswith("aws:"))


# Servers do not decrypt, so a key is no matter to them; attributes of names in templates' own marks are one.
@pytest.mark.parametrize("kind", ["ministack", "moto"])
@pytest.mark.parametrize("name", [*SHAPES])
def test_cloudformation_makes_the_table_again(dynarc, archive, stacks, source, table, kind, name):
    side = stacks[kind]
    made = archive(SHAPES[name])
    template = json.loads(dynarc("info", made, "--as", "cloudformation").stdout)
    client = servers.client(side.endpoint, "cloudformation")
    parameters = [{"ParameterKey": one, "ParameterValue": KEY_ARN} for one in template.get("Parameters", {})]
    stack = f"stack-{table}"
    client.create_stack(StackName=stack, TemplateBody=json.dumps(template), Parameters=parameters)
    client.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    assert described(side, table) == described(source, table)


@pytest.mark.parametrize("name", [*SHAPES])
def test_create_table_makes_the_table_again(dynarc, archive, target, source, table, name):
    request = json.loads(dynarc("info", archive(SHAPES[name]), "--as", "create-table").stdout)
    target.client.create_table(**request)
    assert described(target, table) == described(source, table)
    mine, other = (side.client.describe_table(TableName=table)["Table"] for side in (source, target))
    for setting in ("TableClassSummary", "OnDemandThroughput"):
        assert mine.get(setting, {}).get("TableClass") == other.get(setting, {}).get("TableClass")
    assert mine.get("OnDemandThroughput") == other.get("OnDemandThroughput")
    assert mine.get("SSEDescription") == other.get("SSEDescription")


def joined(*parts) -> dict:
    return {"Fn::Join": ["", list(parts)]}


def test_create_table_says_what_it_cannot_hold(dynarc, archive):
    result = dynarc("info", archive(EVERYTHING, ANSWERS), "--as", "create-table")
    for setting in ("TTL on ${expires} at", "point-in-time recovery", "auto scaling", "contributor insights"):
        assert setting in result.stderr
    assert json.loads(json.loads(result.stdout)["ResourcePolicy"]) == json.loads(
        json.dumps(POLICY).replace("NAME", json.loads(result.stdout)["TableName"])
    )
    assert KEY_ARN in result.stderr


def test_cloudformation_holds_everything(dynarc, archive, table):
    template = json.loads(dynarc("info", archive(EVERYTHING, ANSWERS), "--as", "cloudformation").stdout)
    table_resource = template["Resources"]["Table"]
    assert table_resource["DeletionPolicy"] == "Retain"
    properties = table_resource["Properties"]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": joined("$", "{expires} at"), "Enabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": True,
        "RecoveryPeriodInDays": 7,
    }
    assert properties["KinesisStreamSpecification"] == {
        "StreamArn": {"Ref": "KinesisStreamArn"},
        "ApproximateCreationDateTimePrecision": "MICROSECOND",
    }
    assert properties["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": {"Ref": "KmsKey"}}
    assert KEY_ARN in template["Parameters"]["KmsKey"]["Description"]
    assert properties["ContributorInsightsSpecification"] == {"Enabled": True}
    insights = {one["IndexName"]: one.get("ContributorInsightsSpecification") for one in properties["GlobalSecondaryIndexes"]}
    assert insights == {"by-a": {"Enabled": True, "Mode": "THROTTLED_KEYS"}, "by.b": None}
    own, other = properties["ResourcePolicy"]["PolicyDocument"]["Statement"]
    account = {"Ref": "AWS::AccountId"}
    assert own["Principal"]["AWS"] == joined("arn:aws:iam::", account, ":role/$", "{aws:username}")
    here = ["arn:", {"Ref": "AWS::Partition"}, ":dynamodb:", {"Ref": "AWS::Region"}, ":", account, f":table/{table}"]
    assert own["Resource"] == [joined(*here), joined(*here, "/index/*")]
    assert own["Condition"]["StringEquals"]["aws:PrincipalTag/team"] == "${aws:PrincipalTag/team}"
    assert other["Principal"]["AWS"] == f"arn:aws:iam::{servers.ACCOUNT_B}:root"
    targets = [one["Properties"] for one in template["Resources"].values() if one["Type"].endswith("ScalableTarget")]
    assert [one["ResourceId"]["Fn::Join"] for one in targets] == [["/", ["table", {"Ref": "Table"}]]] * 2 + [
        ["/", ["table", {"Ref": "Table"}, "index", "by-a"]]
    ] * 2
    assert all((one["MinCapacity"], one["MaxCapacity"]) == (5, 500) for one in targets)
    assert not any("RoleARN" in one for one in targets)
    assert targets[0]["ScheduledActions"] == [
        {
            "ScheduledActionName": "nightly",
            "Schedule": "cron(0 22 * * ? *)",
            "Timezone": "Europe/Berlin",
            "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 10},
            "StartTime": "2030-01-01T00:00:00Z",
        }
    ]
    policies = [one["Properties"] for one in template["Resources"].values() if one["Type"].endswith("ScalingPolicy")]
    assert [template["Resources"][one["ScalingTargetId"]["Ref"]]["Properties"] for one in policies] == targets
    assert policies[0]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 70.5
    assert servers.ACCOUNT_A not in json.dumps(template["Resources"])


def test_a_reference_of_cloudformation_is_left_out_and_named(dynarc, archive):
    shape = {"Tags": [{"Key": "secret", "Value": "{{resolve:secretsmanager:MySecret}}"}, {"Key": "b", "Value": "c"}]}
    result = dynarc("info", archive(shape), "--as", "cloudformation")
    assert b"resolve" not in result.stdout and b'"c"' in result.stdout
    assert "the tag secret is left out" in result.stderr
    assert "change it before" not in result.stderr


def test_a_reference_of_cloudformation_in_a_name_is_told(dynarc, archive):
    result = dynarc("info", archive({"sort": "{{resolve:ssm:x}}:S"}), "--as", "cloudformation")
    assert "change it before" in result.stderr


# MARK: Terraform


def terraform(text: bytes) -> dict:
    """The document as HashiCorp's own parser reads it: texts evaluated, expressions as they are written."""
    return pygohcl.loads(text.decode())


def blocks(body: dict, kind: str) -> list[dict]:
    """A body's blocks of a kind; the parser makes a single one no list."""
    found = body.get(kind, [])
    return found if isinstance(found, list) else [found]


@pytest.mark.parametrize("name", [*SHAPES])
def test_terraform_holds_the_table(dynarc, archive, source, table, name):
    document = terraform(dynarc("info", archive(SHAPES[name]), "--as", "terraform").stdout)
    (body,) = document["resource"]["aws_dynamodb_table"].values()
    wanted = described(source, table)
    keys = [(body[kind], role) for kind, role in (("hash_key", "HASH"), ("range_key", "RANGE")) if kind in body]
    assert body["name"] == wanted["name"]
    assert [{"AttributeName": one, "KeyType": role} for one, role in keys] == wanted["key"]
    assert sorted((one["name"], one["type"]) for one in blocks(body, "attribute")) == wanted["attributes"]
    assert body["billing_mode"] == wanted["billing"]
    assert units(body) == wanted["units"]

    def index(one: dict, partition: str) -> tuple:
        schema = [{"AttributeName": partition, "KeyType": "HASH"}]
        if "range_key" in one:
            schema.append({"AttributeName": one["range_key"], "KeyType": "RANGE"})
        return (one["name"], schema, one["projection_type"], sorted(one.get("non_key_attributes", [])), units(one))

    assert sorted(index(one, one["hash_key"]) for one in blocks(body, "global_secondary_index")) == wanted["global"]
    assert sorted(index(one, body["hash_key"]) for one in blocks(body, "local_secondary_index")) == wanted["local"]
    stream = {"StreamEnabled": body["stream_enabled"], "StreamViewType": body["stream_view_type"]} if "stream_enabled" in body else None
    assert stream == wanted["stream"]
    assert body.get("deletion_protection_enabled", False) == wanted["protected"]
    assert sorted(body.get("tags", {}).items()) == wanted["tags"]


def units(body: dict) -> dict | None:
    if "read_capacity" not in body:
        return None
    return {"ReadCapacityUnits": body["read_capacity"], "WriteCapacityUnits": body["write_capacity"]}


def test_terraform_holds_everything(dynarc, archive, table):
    text = dynarc("info", archive(EVERYTHING, ANSWERS), "--as", "terraform").stdout
    document = terraform(text)
    resources = document["resource"]
    ((label, body),) = resources["aws_dynamodb_table"].items()
    assert body["ttl"] == {"attribute_name": "${expires} at", "enabled": True}
    assert body["point_in_time_recovery"] == {"enabled": True, "recovery_period_in_days": 7}
    assert body["server_side_encryption"] == {"enabled": True, "kms_key_arn": "var.kms_key_arn"}
    assert body["table_class"] == "STANDARD_INFREQUENT_ACCESS"
    assert body["lifecycle"] == {"ignore_changes": ["read_capacity", "write_capacity"]}
    assert set(document["variable"]) == {"kms_key_arn", "kinesis_stream_arn"}
    assert KEY_ARN in document["variable"]["kms_key_arn"]["description"]
    assert list(resources["aws_dynamodb_kinesis_streaming_destination"].values()) == [
        {
            "stream_arn": "var.kinesis_stream_arn",
            "table_name": f"aws_dynamodb_table.{label}.name",
            "approximate_creation_date_time_precision": "MICROSECOND",
        }
    ]
    name = {"table_name": f"aws_dynamodb_table.{label}.name"}
    assert resources["aws_dynamodb_contributor_insights"] == {
        label: name,
        f"{label}_by-a": name | {"index_name": "by-a", "mode": "THROTTLED_KEYS"},
    }
    targets = resources["aws_appautoscaling_target"]
    assert [(one["min_capacity"], one["max_capacity"]) for one in targets.values()] == [(5, 500)] * 4
    policies = resources["aws_appautoscaling_policy"]
    assert {one: policy["resource_id"] for one, policy in policies.items()} == {
        one: f"aws_appautoscaling_target.{one}.resource_id" for one in targets
    }
    assert policies[f"{label}_read"]["name"] == f'$scale"${{x}}":table/{table}'
    assert policies[f"{label}_read"]["target_tracking_scaling_policy_configuration"] == {
        "target_value": 70.5,
        "scale_in_cooldown": 60,
        "disable_scale_in": True,
        "predefined_metric_specification": {"predefined_metric_type": "DynamoDBReadCapacityUtilization"},
    }
    (action,) = resources["aws_appautoscaling_scheduled_action"].values()
    assert action["scalable_target_action"] == {"min_capacity": 1, "max_capacity": 10}
    assert (action["schedule"], action["start_time"]) == ("cron(0 22 * * ? *)", "2030-01-01T00:00:00Z")
    (policy,) = resources["aws_dynamodb_resource_policy"].values()
    assert policy["resource_arn"] == f"aws_dynamodb_table.{label}.arn"
    assert '"arn:aws:iam::${data.aws_caller_identity.current.account_id}:role/$${aws:username}"' in policy["policy"]
    assert f'"${{aws_dynamodb_table.{label}.arn}}/index/*"' in policy["policy"]
    assert servers.ACCOUNT_A not in json.dumps(resources)


def test_an_index_of_several_attributes(dynarc, archive):
    """The local servers take no such index; the archive tells of one."""
    made = archive(SHAPES["limits"])
    keys = [("a", "HASH"), ("b", "HASH"), ("c", "RANGE"), ("d", "RANGE")]

    def edit(manifest: dict) -> dict:
        (index,) = manifest["table"]["indexes"]
        index["keySchema"] = [
            {"attributeName": name, "keyType": kind, "attributeType": "S"} for name, kind in keys
        ]
        return manifest

    archives.edit_manifest(made, edit)
    wanted = tables.key_schema(*keys)
    template = json.loads(dynarc("info", made, "--as", "cloudformation").stdout)
    (index,) = template["Resources"]["Table"]["Properties"]["GlobalSecondaryIndexes"]
    assert index["KeySchema"] == wanted
    (made.parent / "template.json").write_text(json.dumps(template))
    lint(made.parent / "template.json")
    request = json.loads(dynarc("info", made, "--as", "create-table").stdout)
    assert request["GlobalSecondaryIndexes"][0]["KeySchema"] == wanted
    (body,) = terraform(dynarc("info", made, "--as", "terraform").stdout)["resource"]["aws_dynamodb_table"].values()
    index = body["global_secondary_index"]
    assert "hash_key" not in index
    assert [(one["attribute_name"], one["key_type"]) for one in index["key_schema"]] == keys


@pytest.mark.parametrize("arguments", [("--as", "yaml"), ("--as", "terraform", "--json"), ("--as", "terraform", "--settings")])
def test_refuses_what_is_no_template(dynarc, source, arguments):
    dynarc("info", "./archive", *arguments, exit=2)


def test_says_what_the_archive_does_not_tell(dynarc, archive):
    made = archive(SHAPES["on demand"])

    def edit(manifest: dict) -> dict:
        for name in ("describeTimeToLive", "listTagsOfResource"):
            manifest["settings"].pop(name)
        return manifest

    archives.edit_manifest(made, edit)
    result = dynarc("info", made, "--as", "terraform")
    assert "ttl is not in it" in result.stderr and "tags is not in it" in result.stderr
