"""A table with each setting, as the answers of DynamoDB and Application Auto Scaling have it (after the examples
of their API references)."""

from __future__ import annotations

import copy
import json

import servers
from recordedserver import Answer

NAME = "Orders"
ARN = f"arn:aws:dynamodb:{servers.REGION}:{servers.ACCOUNT_A}:table/{NAME}"
KEY = f"arn:aws:kms:{servers.REGION}:{servers.ACCOUNT_A}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
STREAM = f"arn:aws:kinesis:{servers.REGION}:{servers.ACCOUNT_A}:stream/changes"
OTHER_ACCOUNT = "999900001111"
ITEMS = [{"pk": {"S": str(n)}, "sk": {"N": str(n)}, "day": {"S": "d"}} for n in range(5)]

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:role/reader"},
            "Action": "dynamodb:GetItem",
            "Resource": ARN,
        }
    ],
}
_PLACE = {"ServiceNamespace": "dynamodb", "ResourceId": f"table/{NAME}",
          "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}  # fmt: skip


def answers(billing: str = "PAY_PER_REQUEST") -> dict[str, Answer]:
    """What a server says that holds the table, for reading it."""
    table = _table(billing)
    return {
        "DescribeTable": {"Table": table},
        "DescribeTimeToLive": {
            "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires"}
        },
        # In two pages.
        "ListTagsOfResource": lambda body: {"Tags": [{"Key": "stage", "Value": "live"}]}
        if body.get("NextToken")
        else {"Tags": [{"Key": "team", "Value": "shop"}], "NextToken": "more"},
        "DescribeContinuousBackups": {
            "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": {
                    "PointInTimeRecoveryStatus": "ENABLED",
                    "RecoveryPeriodInDays": 14,
                    "EarliestRestorableDateTime": 1.7e9,
                    "LatestRestorableDateTime": 1.7e9,
                },
            }
        },
        "GetResourcePolicy": {"Policy": json.dumps(POLICY), "RevisionId": "1"},
        "DescribeKinesisStreamingDestination": {
            "TableName": NAME,
            "KinesisDataStreamDestinations": [
                {
                    "StreamArn": STREAM,
                    "DestinationStatus": "ACTIVE",
                    "ApproximateCreationDateTimePrecision": "MICROSECOND",
                },
                {"StreamArn": STREAM + "-old", "DestinationStatus": "DISABLED"},
            ],
        },
        "DescribeContributorInsights": lambda body: {
            "TableName": NAME,
            "ContributorInsightsStatus": "DISABLED" if "IndexName" in body else "ENABLED",
            "ContributorInsightsMode": "THROTTLED_KEYS",
        }
        | {name: body[name] for name in ("IndexName",) if name in body},
        "DescribeScalableTargets": {
            "ScalableTargets": [
                _PLACE
                | {
                    "MinCapacity": 5,
                    "MaxCapacity": 100,
                    "RoleARN": f"arn:aws:iam::{servers.ACCOUNT_A}:role/aws-service-role/x/y",
                    "CreationTime": 1.7e9,
                    "SuspendedState": {
                        "DynamicScalingInSuspended": False,
                        "DynamicScalingOutSuspended": False,
                        "ScheduledScalingSuspended": True,
                    },
                    "ScalableTargetARN": "arn:x",
                }
            ]
        },
        "DescribeScalingPolicies": lambda body: {
            "ScalingPolicies": [
                _PLACE
                | {
                    "PolicyARN": "arn:p",
                    "PolicyName": "reads",
                    "PolicyType": "TargetTrackingScaling",
                    "TargetTrackingScalingPolicyConfiguration": {
                        "TargetValue": 70.0,
                        "PredefinedMetricSpecification": {
                            "PredefinedMetricType": "DynamoDBReadCapacityUtilization"
                        },
                        "ScaleOutCooldown": 60,
                        "DisableScaleIn": True,
                    },
                    "Alarms": [{"AlarmName": "a", "AlarmARN": "b"}],
                    "CreationTime": 1.7e9,
                }
            ]
            if body["ResourceId"] == f"table/{NAME}"
            else []
        },
        "DescribeScheduledActions": lambda body: {
            "ScheduledActions": [
                _PLACE
                | {
                    "ScheduledActionName": "evening",
                    "ScheduledActionARN": "arn:s",
                    "Schedule": "cron(0 18 * * ? *)",
                    "Timezone": "Europe/Berlin",
                    "StartTime": 1.7e9,
                    "ScalableTargetAction": {"MinCapacity": 1, "MaxCapacity": 10},
                    "CreationTime": 1.7e9,
                }
            ]
            if body["ResourceId"] == f"table/{NAME}"
            else []
        },
        # All in the first segment.
        "Scan": lambda body: {"Items": ITEMS, "Count": len(ITEMS), "ScannedCount": len(ITEMS)}
        if body.get("Segment", 0) == 0
        else {"Items": [], "Count": 0, "ScannedCount": 0},
    }


def _table(billing: str) -> dict:
    is_provisioned = billing == "PROVISIONED"
    units = {"NumberOfDecreasesToday": 0, "ReadCapacityUnits": 7 * is_provisioned,
             "WriteCapacityUnits": 5 * is_provisioned}  # fmt: skip
    index = {
        "IndexName": "by-day",
        "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a", "b"]},
        "IndexStatus": "ACTIVE",
        "ProvisionedThroughput": units,
        "WarmThroughput": {"ReadUnitsPerSecond": 13000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE"},
        "IndexArn": f"{ARN}/index/by-day",
        "NewFieldOfTheIndex": [1],
    }
    table = {
        "TableName": NAME,
        "TableArn": ARN,
        "TableId": "id-0",
        "TableStatus": "ACTIVE",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "N"},
            {"AttributeName": "day", "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "ItemCount": 5,
        "TableSizeBytes": 100,
        "BillingModeSummary": {"BillingMode": billing},
        "ProvisionedThroughput": units,
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
        "GlobalSecondaryIndexes": [copy.deepcopy(index)],
        "WarmThroughput": {"ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 9000, "Status": "ACTIVE"},
        "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        "LatestStreamArn": f"{ARN}/stream/2026-11-01T00:00:00.000",
        "SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": KEY},
        "TableClassSummary": {"TableClass": "STANDARD_INFREQUENT_ACCESS"},
        "Replicas": [{"RegionName": "eu-west-1", "ReplicaStatus": "ACTIVE"}],
        "DeletionProtectionEnabled": True,
        "NewFieldOfTheTable": {"kept": "as it is"},
    }
    if not is_provisioned:
        table["OnDemandThroughput"] = {"MaxReadRequestUnits": 100, "MaxWriteRequestUnits": -1}
        table["GlobalSecondaryIndexes"][0]["OnDemandThroughput"] = {"MaxReadRequestUnits": 30}
    return table
