import Archive
import JSON
import Testing

@testable import Dynamo

@Suite struct TableBlueprintTests {
  private func body(_ blueprint: TableBlueprint, _ setting: TableSetting) throws -> JSONValue {
    let steps = blueprint.steps(setting)
    #expect(steps.count == 1)
    return .object(try #require(steps.first).body)
  }

  @Test func aTableIsCreatedWithAllThatCreateTableTakes() throws {
    let request = try RecordedSettings.blueprint().creation
    #expect(
      request.members.map(\.name).sorted() == [
        "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes", "KeySchema",
        "LocalSecondaryIndexes", "OnDemandThroughput", "SSESpecification", "TableClass",
        "TableName", "Tags",
      ])
    #expect(request["TableName"] == "Copy")
    #expect(request["BillingMode"] == "PAY_PER_REQUEST")
    #expect(request["TableClass"] == "STANDARD_INFREQUENT_ACCESS")
    #expect(
      request["SSESpecification"] == [
        "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": .string(RecordedSettings.key),
      ])
    #expect(
      request["OnDemandThroughput"] == ["MaxReadRequestUnits": 100, "MaxWriteRequestUnits": 50])
    #expect(request["Tags"] == [["Key": "team", "Value": "shop"]])
    #expect(
      request["GlobalSecondaryIndexes"] == [
        [
          "IndexName": "by-day", "KeySchema": [["AttributeName": "day", "KeyType": "HASH"]],
          "Projection": ["ProjectionType": "INCLUDE", "NonKeyAttributes": ["a", "b"]],
          "OnDemandThroughput": ["MaxReadRequestUnits": 30],
        ]
      ])
  }

  @Test func theBareTableHasKeyIndexesAndBilling() throws {
    let blueprint = try RecordedSettings.blueprint("PROVISIONED")
    #expect(
      blueprint.bareCreation.members.map(\.name) == [
        "TableName", "AttributeDefinitions", "KeySchema", "BillingMode", "ProvisionedThroughput",
        "LocalSecondaryIndexes", "GlobalSecondaryIndexes",
      ])
    #expect(
      blueprint.bareCreation["ProvisionedThroughput"]
        == ["ReadCapacityUnits": 7, "WriteCapacityUnits": 5])
  }

  /// Each setting after the items, field by field.
  @Test func requestsThatFollow() throws {
    let blueprint = try RecordedSettings.blueprint()
    #expect(
      blueprint.afterwards.map(\.setting) == [
        .stream, .ttl, .pitr, .kinesis, .insights, .policy, .protection,
      ])
    #expect(
      try body(blueprint, .stream) == [
        "TableName": "Copy",
        "StreamSpecification": ["StreamEnabled": true, "StreamViewType": "NEW_IMAGE"],
      ])
    #expect(
      try body(blueprint, .ttl) == [
        "TableName": "Copy",
        "TimeToLiveSpecification": ["Enabled": true, "AttributeName": "expires"],
      ])
    #expect(
      try body(blueprint, .pitr) == [
        "TableName": "Copy",
        "PointInTimeRecoverySpecification": [
          "PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": 14,
        ],
      ])
    #expect(
      try body(blueprint, .kinesis) == [
        "TableName": "Copy", "StreamArn": .string(RecordedSettings.stream),
        "EnableKinesisStreamingConfiguration": [
          "ApproximateCreationDateTimePrecision": "MICROSECOND"
        ],
      ])
    #expect(
      try body(blueprint, .insights) == [
        "TableName": "Copy", "ContributorInsightsAction": "ENABLE",
        "ContributorInsightsMode": "THROTTLED_KEYS",
      ])
    #expect(
      try body(blueprint, .protection) == ["TableName": "Copy", "DeletionProtectionEnabled": true])
    let policy = try body(blueprint, .policy)
    #expect(
      policy["ResourceArn"] == "arn:aws:dynamodb:eu-central-1:111122223333:table/Copy")
    let statement = try JSONValue.parse(try #require(policy["Policy"]?.string))["Statement"]
    #expect(
      statement?.array?.first?["Resource"] == [
        "arn:aws:dynamodb:eu-central-1:111122223333:table/Copy",
        "arn:aws:dynamodb:eu-central-1:111122223333:table/Copy/index/*",
      ])
    // Somebody else's account stays as it is within one account.
    #expect(
      statement?.array?.first?["Principal"] == ["AWS": "arn:aws:iam::999900001111:root"])
    #expect(blueprint.reason(.autoScaling)?.needsDecision == false)
    #expect(blueprint.reason(.tags)?.text.contains("AWS's own") == true)
  }

  @Test func autoScalingOfAProvisionedTable() throws {
    let blueprint = try RecordedSettings.blueprint("PROVISIONED")
    let steps = blueprint.steps(.autoScaling)
    #expect(steps.allSatisfy { $0.service == .applicationAutoScaling })
    #expect(
      steps.map(\.operation) == [
        "RegisterScalableTarget", "PutScalingPolicy", "PutScheduledAction",
      ])
    #expect(
      steps.map { JSONValue.object($0.body) } == [
        [
          "ServiceNamespace": "dynamodb", "ScalableDimension": "dynamodb:index:WriteCapacityUnits",
          "MinCapacity": 5, "MaxCapacity": 100,
          "SuspendedState": [
            "DynamicScalingInSuspended": false, "DynamicScalingOutSuspended": false,
            "ScheduledScalingSuspended": true,
          ], "ResourceId": "table/Copy/index/by-day",
        ],
        [
          "PolicyName": "writes", "ServiceNamespace": "dynamodb",
          "ScalableDimension": "dynamodb:index:WriteCapacityUnits",
          "PolicyType": "TargetTrackingScaling",
          "TargetTrackingScalingPolicyConfiguration": [
            "TargetValue": .number("70.0"),
            "CustomizedMetricSpecification": [
              "MetricName": "Busy", "Namespace": "Shop", "Statistic": "Average",
              "Dimensions": [
                ["Name": "TableName", "Value": "Copy"], ["Name": "Stage", "Value": "Orders"],
              ],
            ], "ScaleOutCooldown": 60,
          ], "ResourceId": "table/Copy/index/by-day",
        ],
        [
          "ScheduledActionName": "evening", "ServiceNamespace": "dynamodb",
          "Schedule": "cron(0 18 * * ? *)", "Timezone": "Europe/Berlin",
          "ScalableDimension": "dynamodb:index:WriteCapacityUnits",
          "ScalableTargetAction": ["MinCapacity": 1, "MaxCapacity": 10],
          "ResourceId": "table/Copy/index/by-day",
        ],
      ])
    #expect(blueprint.reason(.limits)?.text == "the table is provisioned")
  }

  @Test func warmThroughputIsForThoseWhoNameIt() throws {
    #expect(try RecordedSettings.blueprint().steps(.warmThroughput).isEmpty)
    let blueprint = try RecordedSettings.blueprint { choice, _ in
      choice.wanted = .all
      choice.warms = true
    }
    #expect(
      try body(blueprint, .warmThroughput) == [
        "TableName": "Copy",
        "WarmThroughput": ["ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 9000],
        "GlobalSecondaryIndexUpdates": [
          [
            "Update": [
              "IndexName": "by-day",
              "WarmThroughput": ["ReadUnitsPerSecond": 13000, "WriteUnitsPerSecond": 4000],
            ]
          ]
        ],
      ])
    #expect(
      blueprint.creation["GlobalSecondaryIndexes"]?.array?.first?["WarmThroughput"]
        == ["ReadUnitsPerSecond": 13000, "WriteUnitsPerSecond": 4000])
  }

  @Test func vectorIndexesAreMadeWithWhatTheyAreSearchedBy() throws {
    let vector: JSONValue = [
      "IndexName": "like", "VectorAttribute": ["AttributeName": "v"], "Dimensions": 3,
      "DistanceFunction": "COSINE", "Projection": ["ProjectionType": "ALL"],
      "SearchSchema": [["AttributeName": "shop", "SearchSchemaElementType": "HASH"]],
      "IndexStatus": "ACTIVE", "IndexArn": "arn:x", "ItemCount": 1, "IndexSizeBytes": 1,
    ]
    func change(_: inout SettingsChoice, _ settings: inout TableSettings) {
      var table = settings.described?.object ?? JSONObject()
      table["VectorIndexes"] = [vector]
      table["AttributeDefinitions"] = .array(
        (table["AttributeDefinitions"]?.array ?? [])
          + [["AttributeName": "shop", "AttributeType": "S"]])
      settings.answers["describeTable"] = .object(table)
    }
    let blueprint = try RecordedSettings.blueprint { change(&$0, &$1) }
    #expect(
      blueprint.creation["VectorIndexes"] == [
        [
          "IndexName": "like", "VectorAttribute": ["AttributeName": "v"], "Dimensions": 3,
          "DistanceFunction": "COSINE", "Projection": ["ProjectionType": "ALL"],
          "SearchSchema": [["AttributeName": "shop", "SearchSchemaElementType": "HASH"]],
        ]
      ])
    let names = blueprint.creation["AttributeDefinitions"]?.array?
      .compactMap { $0["AttributeName"]?.string }
    #expect(names == ["pk", "sk", "day", "shop"])
    let later = try RecordedSettings.blueprint { choice, settings in
      change(&choice, &settings)
      choice.indexes = .after
    }
    #expect(later.creation["VectorIndexes"] == nil)
    #expect(later.afterwards.first?.setting == .vectorIndexes)
  }

  @Test func indexesAfterTheItems() throws {
    let blueprint = try RecordedSettings.blueprint { choice, _ in choice.indexes = .after }
    #expect(blueprint.creation["GlobalSecondaryIndexes"] == nil)
    #expect(blueprint.creation["LocalSecondaryIndexes"]?.array?.count == 1)
    #expect(blueprint.laterIndexes.map(\.index.name) == ["by-day"])
    #expect(
      blueprint.laterIndexes.first?.action["OnDemandThroughput"] == ["MaxReadRequestUnits": 30])
    #expect(try body(blueprint, .limits)["GlobalSecondaryIndexUpdates"] == nil)
    let none = try RecordedSettings.blueprint { choice, _ in choice.indexes = .none }
    #expect(none.creation["LocalSecondaryIndexes"] == nil)
    #expect(none.laterIndexes.isEmpty)
    #expect(none.creation["AttributeDefinitions"]?.array?.count == 2)
  }

  @Test func anotherBilling() throws {
    let blueprint = try RecordedSettings.blueprint("PROVISIONED") { choice, _ in
      choice.billing = .onDemand
    }
    #expect(blueprint.creation["BillingMode"] == "PAY_PER_REQUEST")
    #expect(blueprint.creation["ProvisionedThroughput"] == nil)
    #expect(
      blueprint.creation["GlobalSecondaryIndexes"]?.array?.first?["ProvisionedThroughput"] == nil)
    #expect(blueprint.reason(.autoScaling)?.text == "the table is on demand")
    let units: JSONValue = ["ReadCapacityUnits": 20, "WriteCapacityUnits": 10]
    let provisioned = try RecordedSettings.blueprint { choice, _ in
      choice.billing = .provisioned
      choice.provisioned = Throughput(read: 20, write: 10)
    }
    #expect(provisioned.creation["ProvisionedThroughput"] == units)
    #expect(
      provisioned.creation["GlobalSecondaryIndexes"]?.array?.first?["ProvisionedThroughput"]
        == units)
    #expect(throws: DynamoError.self) {
      try RecordedSettings.blueprint { choice, _ in choice.billing = .provisioned }
    }
  }

  @Test(arguments: TableSetting.allCases)
  func oneSettingAlone(setting: TableSetting) throws {
    let billing = setting == .autoScaling ? "PROVISIONED" : "PAY_PER_REQUEST"
    let blueprint = try RecordedSettings.blueprint(billing) { choice, _ in
      choice.wanted = .only([setting])
    }
    let found = Set((blueprint.ofCreation + blueprint.afterwards).map(\.setting))
    #expect(found == (setting == .vectorIndexes ? [] : [setting]))
  }

  @Test func noSettingsAndTagsOfOnesOwn() throws {
    let none = try RecordedSettings.blueprint { choice, _ in
      choice.wanted = SettingsChoice.Wanted.none
    }
    #expect(none.creation == none.bareCreation)
    #expect(none.afterwards.isEmpty)
    let tagged = try RecordedSettings.blueprint { choice, _ in
      choice.wanted = SettingsChoice.Wanted.none
      choice.tags = [TableTag(key: "a", value: "b")]
    }
    #expect(tagged.creation["Tags"] == [["Key": "a", "Value": "b"]])
    let overridden = try RecordedSettings.blueprint { choice, _ in
      choice.tags = [TableTag(key: "team", value: "ops")]
    }
    #expect(overridden.creation["Tags"] == [["Key": "team", "Value": "ops"]])
  }

  @Test func whatCouldNotBeReadIsSaid() throws {
    let blueprint = try RecordedSettings.blueprint { _, settings in
      settings.answers["describeTimeToLive"] = nil
      settings.notRead = [.init(setting: "timeToLive", code: "AccessDeniedException")]
      settings.answers["getResourcePolicy"] = nil
    }
    #expect(blueprint.steps(.ttl).isEmpty)
    #expect(blueprint.reason(.ttl)?.text.contains("AccessDeniedException") == true)
    #expect(blueprint.reason(.policy)?.text == "the archive does not tell")
  }

  @Test func whatIsKnownOfAutoScalingComesBack() throws {
    func denied(_ answer: String) -> (inout SettingsChoice, inout TableSettings) -> Void {
      { _, settings in
        settings.answers[answer] = nil
        settings.notRead = [.init(setting: "autoScaling", code: "AccessDeniedException")]
      }
    }
    let change = denied("describeScheduledActions")
    let blueprint = try RecordedSettings.blueprint("PROVISIONED") { change(&$0, &$1) }
    #expect(
      blueprint.steps(.autoScaling).map(\.operation) == [
        "RegisterScalableTarget", "PutScalingPolicy",
      ])
    #expect(blueprint.reason(.autoScaling)?.text.contains("AccessDeniedException") == true)
    // Nobody misses it on demand.
    let all = denied("describeScalableTargets")
    #expect(try RecordedSettings.blueprint { all(&$0, &$1) }.reason(.autoScaling) == nil)
    #expect(
      try RecordedSettings.blueprint("PROVISIONED") { all(&$0, &$1) }.reason(.autoScaling) != nil)
  }

  /// Whatever a manifest says, nothing traps and every request is about the target.
  @Test(arguments: ["PAY_PER_REQUEST", "PROVISIONED"])
  func answersThatAreNone(billing: String) throws {
    let junk: [JSONValue] = [
      .null, 1, "x", true, [], [1], [[:]], [:], ["a": 1], [["ResourceId": "table/a/b/c/d/e"]],
      [["ResourceId": 1, "MinCapacity": "x"]], ["Policy": "[[["], ["Policy": 1],
      ["SSEDescription": ["SSEType": "KMS", "KMSMasterKeyArn": ""]], [["StreamArn": ":::::"]],
      [["Key": 1, "Value": "x"]], ["VectorIndexes": [1, [:]]], ["Replicas": [1]],
      ["GlobalSecondaryIndexes": [1, ["IndexName": "x", "OnDemandThroughput": 1]]],
    ]
    let operations = try RecordedSettings.settings(billing).answers.members.map(\.name)
    for operation in operations {
      for value in junk {
        let blueprint = try RecordedSettings.blueprint(billing) { choice, settings in
          choice.wanted = .only(Set(TableSetting.allCases))
          settings.answers[operation] = value
        }
        for step in blueprint.ofCreation + blueprint.afterwards {
          let subject =
            step.body["TableName"] ?? step.body["ResourceArn"] ?? step.body["ResourceId"]
          #expect(subject?.string?.contains("Copy") == true)
        }
      }
    }
  }

  @Test func aTableThatIsThereGetsChanges() throws {
    let table = try RecordedSettings.table("PAY_PER_REQUEST")
    var choice = SettingsChoice()
    choice.wanted = .all
    let blueprint = TableBlueprint(
      changing: table.schema, settings: try RecordedSettings.settings("PAY_PER_REQUEST"),
      target: TableIdentity(name: "Orders", arn: table.arn), choice: choice)
    #expect(
      blueprint.ofCreation.map(\.operation) == [
        "UpdateTable", "UpdateTable", "UpdateTable", "TagResource",
      ])
    #expect(try body(blueprint, .tags)["ResourceArn"] == .string(RecordedSettings.arn))
    // Without a word from anybody it stays as it is.
    let silent = TableBlueprint(
      changing: table.schema, settings: try RecordedSettings.settings("PAY_PER_REQUEST"),
      target: TableIdentity(name: "Orders", arn: table.arn), choice: SettingsChoice())
    #expect(silent.ofCreation.isEmpty && silent.afterwards.isEmpty)
  }

  @Test func theChoiceGoesThroughTheStateFile() throws {
    var choice = SettingsChoice()
    choice.wanted = .only([.ttl, .tags])
    choice.billing = .provisioned
    choice.provisioned = Throughput(read: 3, write: 2)
    choice.tableClass = "STANDARD"
    choice.indexes = .after
    choice.part = .schema
    choice.warms = true
    choice.tags = [TableTag(key: "a", value: "=")]
    choice.identities.keys = ["k": "l"]
    choice.identities.accounts = ["111122223333": "444455556666"]
    let text = String(decoding: JSONValue.object(choice.json).serialized(), as: UTF8.self)
    #expect(SettingsChoice(try JSONValue.parse(text)) == choice)
    #expect(SettingsChoice(.object(SettingsChoice().json)) == SettingsChoice())
    #expect(SettingsChoice("all") == nil)
  }
}
