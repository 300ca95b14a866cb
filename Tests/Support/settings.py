"""The settings of tables through boto3: read them all, and compare two tables'."""

from __future__ import annotations

from typing import Any, Iterable

from botocore.exceptions import ClientError

# What differs between two tables of the same settings.
VOLATILE = {
    "ResponseMetadata", "CreationDateTime", "TableArn", "TableId", "TableSizeBytes", "ItemCount",
    "IndexArn", "IndexSizeBytes", "LatestStreamLabel", "LatestStreamArn", "LastUpdateDateTime",
    "LastUpdateToPayPerRequestDateTime", "EarliestRestorableDateTime", "LatestRestorableDateTime",
    "RevisionId", "CreationTime", "PolicyARN", "ScalableTargetARN", "ScheduledActionARN", "Alarms",
    "RoleARN", "DestinationStatusDescription", "NumberOfDecreasesToday",
}  # fmt: skip


def read(client: Any, scaling: Any, table: str, without: Iterable[str] = ()) -> dict[str, Any]:
    """All settings of a table, by the operation that tells them, without what cannot be the same.

    `without` names operations that the server does not have.
    """
    described = client.describe_table(TableName=table)["Table"]
    arn = described["TableArn"]
    indexes = [index["IndexName"] for index in described.get("GlobalSecondaryIndexes", [])]
    calls = {
        "DescribeTimeToLive": lambda: client.describe_time_to_live(TableName=table),
        "ListTagsOfResource": lambda: sorted(
            (tag["Key"], tag["Value"]) for tag in client.list_tags_of_resource(ResourceArn=arn)["Tags"]
        ),
        "DescribeContinuousBackups": lambda: client.describe_continuous_backups(TableName=table),
        "GetResourcePolicy": lambda: _policy(client, arn),
        "DescribeKinesisStreamingDestination": lambda: client.describe_kinesis_streaming_destination(
            TableName=table
        ),
        "DescribeContributorInsights": lambda: [
            client.describe_contributor_insights(TableName=table, **({"IndexName": one} if one else {}))
            for one in [None, *indexes]
        ],
        "DescribeScalableTargets": lambda: scaling.describe_scalable_targets(
            ServiceNamespace="dynamodb", ResourceIds=_resources(table, indexes)
        )["ScalableTargets"],
        "DescribeScalingPolicies": lambda: [
            policy
            for resource in _resources(table, indexes)
            for policy in scaling.describe_scaling_policies(
                ServiceNamespace="dynamodb", ResourceId=resource
            )["ScalingPolicies"]
        ],
        "DescribeScheduledActions": lambda: [
            action
            for resource in _resources(table, indexes)
            for action in scaling.describe_scheduled_actions(
                ServiceNamespace="dynamodb", ResourceId=resource
            )["ScheduledActions"]
        ],
    }
    found = {"DescribeTable": _steady(described)}
    return found | {name: _steady(call()) for name, call in calls.items() if name not in without}


def _resources(table: str, indexes: list[str]) -> list[str]:
    return [f"table/{table}", *(f"table/{table}/index/{index}" for index in indexes)]


def _policy(client: Any, arn: str) -> Any:
    try:
        return client.get_resource_policy(ResourceArn=arn)["Policy"].replace(" ", "")
    except ClientError as error:
        assert error.response["Error"]["Code"] == "PolicyNotFoundException"
        return None


def _steady(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _steady(one) for name, one in value.items() if name not in VOLATILE}
    if isinstance(value, list):
        # The order of definitions and indexes means nothing.
        return sorted(map(_steady, value), key=repr)
    return value


def renamed(value: Any, old: str, new: str) -> Any:
    """The settings with one account in the place of another."""
    if isinstance(value, dict):
        return {name: renamed(one, old, new) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(renamed(one, old, new) for one in value)
    return value.replace(old, new) if isinstance(value, str) else value
