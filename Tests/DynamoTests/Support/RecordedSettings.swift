import Archive
import JSON
import Testing

@testable import Dynamo

/// A table with each setting, as the answers of the service have it (examples of the API references of DynamoDB
/// and Application Auto Scaling).
enum RecordedSettings {
  static let arn = "arn:aws:dynamodb:eu-central-1:111122223333:table/Orders"
  static let key = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  static let stream = "arn:aws:kinesis:eu-central-1:111122223333:stream/changes"

  /// - Parameter billing: `PAY_PER_REQUEST` or `PROVISIONED`.
  static func table(_ billing: String) throws -> TableDescription {
    let units =
      billing == "PROVISIONED"
      ? #"{"ReadCapacityUnits":7,"WriteCapacityUnits":5,"NumberOfDecreasesToday":0}"#
      : #"{"ReadCapacityUnits":0,"WriteCapacityUnits":0,"NumberOfDecreasesToday":0}"#
    let json = try JSONValue.parse(
      #"""
      {"TableName":"Orders","TableStatus":"ACTIVE","TableArn":"\#(arn)","TableId":"id-1",
       "AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},
         {"AttributeName":"sk","AttributeType":"N"},{"AttributeName":"day","AttributeType":"S"}],
       "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],
       "BillingModeSummary":{"BillingMode":"\#(billing)"},"ProvisionedThroughput":\#(units),
       "LocalSecondaryIndexes":[{"IndexName":"by-day-local","Projection":{"ProjectionType":"ALL"},
         "KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"day","KeyType":"RANGE"}]}],
       "GlobalSecondaryIndexes":[{"IndexName":"by-day","IndexStatus":"ACTIVE",
         "Projection":{"ProjectionType":"INCLUDE","NonKeyAttributes":["a","b"]},
         "KeySchema":[{"AttributeName":"day","KeyType":"HASH"}],"ProvisionedThroughput":\#(units),
         "OnDemandThroughput":{"MaxReadRequestUnits":30,"MaxWriteRequestUnits":-1},
         "WarmThroughput":{"ReadUnitsPerSecond":13000,"WriteUnitsPerSecond":4000,"Status":"ACTIVE"}}],
       "OnDemandThroughput":{"MaxReadRequestUnits":100,"MaxWriteRequestUnits":50},
       "WarmThroughput":{"ReadUnitsPerSecond":12000,"WriteUnitsPerSecond":9000,"Status":"ACTIVE"},
       "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"},
       "LatestStreamArn":"\#(arn)/stream/2026-11-01T00:00:00.000",
       "SSEDescription":{"Status":"ENABLED","SSEType":"KMS","KMSMasterKeyArn":"\#(key)"},
       "TableClassSummary":{"TableClass":"STANDARD_INFREQUENT_ACCESS"},
       "Replicas":[{"RegionName":"eu-west-1","ReplicaStatus":"ACTIVE"}],
       "DeletionProtectionEnabled":true}
      """#)
    return try TableDescription(table: try #require(json.object))
  }

  static func settings(_ billing: String) throws -> TableSettings {
    var settings = TableSettings(answers: ["describeTable": .object(try table(billing).raw)])
    for (operation, answer) in answers { settings.answers[operation] = try JSONValue.parse(answer) }
    return settings
  }

  private static let answers = [
    "describeTimeToLive": #"{"TimeToLiveStatus":"ENABLED","AttributeName":"expires"}"#,
    "listTagsOfResource":
      #"[{"Key":"team","Value":"shop"},{"Key":"aws:cloudformation:stack-name","Value":"s"}]"#,
    "describeContinuousBackups": #"""
    {"ContinuousBackupsStatus":"ENABLED","PointInTimeRecoveryDescription":
      {"PointInTimeRecoveryStatus":"ENABLED","RecoveryPeriodInDays":14,"EarliestRestorableDateTime":1.7e9}}
    """#,
    "getResourcePolicy": #"""
    {"RevisionId":"1","Policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::999900001111:root\"},\"Action\":\"dynamodb:GetItem\",\"Resource\":[\"arn:aws:dynamodb:eu-central-1:111122223333:table/Orders\",\"arn:aws:dynamodb:eu-central-1:111122223333:table/Orders/index/*\"]}]}"}
    """#,
    "describeKinesisStreamingDestination": #"""
    [{"StreamArn":"arn:aws:kinesis:eu-central-1:111122223333:stream/changes","DestinationStatus":"ACTIVE",
      "ApproximateCreationDateTimePrecision":"MICROSECOND"},
     {"StreamArn":"arn:aws:kinesis:eu-central-1:111122223333:stream/old","DestinationStatus":"DISABLED"}]
    """#,
    "describeContributorInsights": #"""
    [{"TableName":"Orders","ContributorInsightsStatus":"ENABLED","ContributorInsightsMode":"THROTTLED_KEYS"},
     {"TableName":"Orders","IndexName":"by-day","ContributorInsightsStatus":"DISABLED"}]
    """#,
    "describeScalableTargets": #"""
    [{"ServiceNamespace":"dynamodb","ResourceId":"table/Orders/index/by-day",
      "ScalableDimension":"dynamodb:index:WriteCapacityUnits","MinCapacity":5,"MaxCapacity":100,
      "RoleARN":"arn:aws:iam::111122223333:role/aws-service-role/x/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
      "CreationTime":1.7e9,"ScalableTargetARN":"arn:aws:application-autoscaling:eu-central-1:111122223333:scalable-target/1",
      "SuspendedState":{"DynamicScalingInSuspended":false,"DynamicScalingOutSuspended":false,"ScheduledScalingSuspended":true}}]
    """#,
    "describeScalingPolicies": #"""
    [{"PolicyARN":"arn:aws:autoscaling:x","PolicyName":"writes","ServiceNamespace":"dynamodb",
      "ResourceId":"table/Orders/index/by-day","ScalableDimension":"dynamodb:index:WriteCapacityUnits",
      "PolicyType":"TargetTrackingScaling","TargetTrackingScalingPolicyConfiguration":{"TargetValue":70.0,
        "CustomizedMetricSpecification":{"MetricName":"Busy","Namespace":"Shop","Statistic":"Average",
          "Dimensions":[{"Name":"TableName","Value":"Orders"},{"Name":"Stage","Value":"Orders"}]},
        "ScaleOutCooldown":60},"Alarms":[{"AlarmName":"a","AlarmARN":"b"}],"CreationTime":1.7e9}]
    """#,
    "describeScheduledActions": #"""
    [{"ScheduledActionName":"evening","ScheduledActionARN":"arn:x","ServiceNamespace":"dynamodb",
      "Schedule":"cron(0 18 * * ? *)","Timezone":"Europe/Berlin","ResourceId":"table/Orders/index/by-day",
      "ScalableDimension":"dynamodb:index:WriteCapacityUnits","CreationTime":1.7e9,
      "ScalableTargetAction":{"MinCapacity":1,"MaxCapacity":10}}]
    """#,
  ]

  /// The plan of a table that is to be created of these.
  static func blueprint(
    _ billing: String = "PAY_PER_REQUEST", account: String? = "111122223333",
    region: String = "eu-central-1", name: String = "Copy",
    _ change: (inout SettingsChoice, inout TableSettings) -> Void = { _, _ in }
  ) throws -> TableBlueprint {
    var (choice, settings) = (SettingsChoice(), try settings(billing))
    change(&choice, &settings)
    return try TableBlueprint(
      creating: try table(billing).schema, settings: settings,
      target: TableIdentity(name: name, account: account, region: region), choice: choice)
  }
}

extension TableBlueprint {
  /// The requests of a setting, wherever they stand.
  func steps(_ setting: TableSetting) -> [SettingStep] {
    (ofCreation + afterwards).filter { $0.setting == setting }
  }

  /// Why a setting is left; nil where it is not.
  func reason(_ setting: TableSetting) -> (text: String, needsDecision: Bool)? {
    for result in left where result.setting == setting {
      if case .skipped(let reason, let needsDecision) = result.outcome {
        return (reason, needsDecision)
      }
    }
    return nil
  }
}
