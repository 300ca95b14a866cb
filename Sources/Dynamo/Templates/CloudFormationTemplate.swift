import Archive
import JSON

/// A CloudFormation template in JSON (AWS CloudFormation User Guide, "Template anatomy"). What belongs to an account
/// is a parameter, or a pseudo parameter.
struct CloudFormationTemplate {
  private let table: TableTemplate
  private var settings: TableSettings { table.settings }
  private var parameters = JSONObject()
  private var names = UniqueNames()
  private(set) var notes: [String] = []

  init(_ table: TableTemplate) { self.table = table }

  mutating func document() -> JSONObject {
    var resources = JSONObject()
    let id = names.next("Table")
    resources[id] = [
      "Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
      "Properties": .object(properties()),
    ]
    for scaling in table.scaling { add(scaling, of: id, to: &resources) }
    let text = String(decoding: JSONValue.object(resources).serialized(), as: UTF8.self)
    if text.holdsBytes(of: CloudFormationTemplate.reference) {
      notes.append(
        "CloudFormation would take \(CloudFormationTemplate.reference)…}} in a name or in the policy for a reference, "
          + "and look it up; change it before you use the template")
    }
    var document: JSONObject = ["AWSTemplateFormatVersion": "2010-09-09"]
    document["Description"] = .string("DynamoDB table \(table.schema.name)")
    if !parameters.members.isEmpty { document["Parameters"] = .object(parameters) }
    document["Resources"] = .object(resources)
    notes += TableTemplate.note("CloudFormation's AWS::DynamoDB::Table", lacks: table.inNone)
    return document
  }

  /// What begins a dynamic reference, which CloudFormation looks up wherever it stands; there is no way to quote it.
  private static let reference = "{{resolve:"

  // MARK: The table

  private mutating func properties() -> JSONObject {
    var properties = table.schema.createTableRequest(name: table.schema.name)
    for member in properties.members { properties[member.name] = literals(member.value) }
    properties["OnDemandThroughput"] = settings.limits().map(JSONValue.object)
    properties["WarmThroughput"] = settings.warmThroughput().map(JSONValue.object)
    if let indexes = properties["GlobalSecondaryIndexes"]?.array {
      properties["GlobalSecondaryIndexes"] = .array(indexes.map(index))
    }
    properties["ContributorInsightsSpecification"] = insights(nil)
    if settings.tableClass != "STANDARD" { properties["TableClass"] = .string(settings.tableClass) }
    if let view = settings.streamView {
      properties["StreamSpecification"] = ["StreamViewType": .string(view)]
    }
    if let attribute = settings.timeToLive {
      properties["TimeToLiveSpecification"] = [
        "AttributeName": literal(attribute), "Enabled": true,
      ]
    }
    if settings.recovery.isOn {
      var specification: JSONObject = ["PointInTimeRecoveryEnabled": true]
      specification["RecoveryPeriodInDays"] = settings.recovery.days.map { JSONValue($0) }
      properties["PointInTimeRecoverySpecification"] = .object(specification)
    }
    if let encryption = settings.encryption {
      properties["SSESpecification"] = [
        "SSEEnabled": true, "SSEType": "KMS",
        "KMSMasterKeyId": parameter(
          "KmsKey", "Key of AWS KMS, or alias/aws/dynamodb", was: encryption.keyARN),
      ]
    }
    properties["KinesisStreamSpecification"] = kinesis()
    let tags = tags()
    if !tags.isEmpty { properties["Tags"] = .array(tags) }
    if let policy = table.policy {
      properties["ResourcePolicy"] = ["PolicyDocument": substituted(policy)]
    }
    if settings.isProtected { properties["DeletionProtectionEnabled"] = true }
    return properties
  }

  private func index(_ index: JSONValue) -> JSONValue {
    guard var index = index.object, let name = index["IndexName"]?.string else { return index }
    index["OnDemandThroughput"] = settings.limits(index: name).map(JSONValue.object)
    index["WarmThroughput"] = settings.warmThroughput(index: name).map(JSONValue.object)
    index["ContributorInsightsSpecification"] = insights(name)
    return .object(index)
  }

  private func insights(_ index: String?) -> JSONValue? {
    guard let found = settings.insights.first(where: { $0.index == index }) else { return nil }
    var specification: JSONObject = ["Enabled": true]
    specification["Mode"] = found.mode.map(JSONValue.string)
    return .object(specification)
  }

  private mutating func kinesis() -> JSONValue? {
    let destinations = settings.kinesisDestinations
    if destinations.count > 1 {
      notes += TableTemplate.note(
        "CloudFormation's AWS::DynamoDB::Table",
        lacks: destinations.dropFirst().map { "the Kinesis data stream \($0.streamARN)" })
    }
    guard let first = destinations.first else { return nil }
    var specification: JSONObject = [
      "StreamArn": parameter("KinesisStreamArn", "Kinesis data stream", was: first.streamARN)
    ]
    specification["ApproximateCreationDateTimePrecision"] = first.precision.map(JSONValue.string)
    return .object(specification)
  }

  private mutating func tags() -> [JSONValue] {
    table.tags.compactMap { tag in
      let mark = CloudFormationTemplate.reference
      guard !tag.key.holdsBytes(of: mark), !tag.value.holdsBytes(of: mark) else {
        notes.append("the tag \(tag.key) is left out: CloudFormation would take it for a reference")
        return nil
      }
      return ["Key": literal(tag.key), "Value": literal(tag.value)]
    }
  }

  // MARK: Auto scaling

  private mutating func add(
    _ scaling: TableTemplate.Scaling, of table: String, to resources: inout JSONObject
  ) {
    let base =
      (scaling.index.map { "Index\(CloudFormationTemplate.alphanumeric($0))" } ?? "")
      + (scaling.isRead ? "Read" : "Write") + "Scaling"
    let target = names.next(base)
    let path: [JSONValue] =
      ["table", ["Ref": .string(table)]]
      + (scaling.index.map { ["index", JSONValue.string($0)] } ?? [])
    var properties: JSONObject = [
      "ServiceNamespace": "dynamodb", "ResourceId": ["Fn::Join": ["/", .array(path)]],
      "ScalableDimension": .string(scaling.dimension), "MinCapacity": JSONValue(scaling.minimum),
      "MaxCapacity": JSONValue(scaling.maximum),
    ]
    if let suspended = scaling.suspended, suspended.members.contains(where: { $0.value == true }) {
      properties["SuspendedState"] = .object(suspended)
    }
    if !scaling.actions.isEmpty {
      properties["ScheduledActions"] = .array(scaling.actions.map(action))
    }
    resources[target] = [
      "Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": .object(properties),
    ]
    for policy in scaling.policies {
      var properties: JSONObject = ["ScalingTargetId": ["Ref": .string(target)]]
      for name in ["PolicyName", "PolicyType"] {
        properties[name] = policy[name].map(literals)
      }
      for kind in ["TargetTrackingScaling", "StepScaling", "PredictiveScaling"] {
        properties["\(kind)PolicyConfiguration"] = policy["\(kind)PolicyConfiguration"].map(
          literals)
      }
      resources[names.next("\(base)Policy")] = [
        "Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": .object(properties),
      ]
    }
  }

  private func action(_ action: JSONValue) -> JSONValue {
    var properties = JSONObject()
    for name in ["ScheduledActionName", "Schedule", "Timezone", "ScalableTargetAction"] {
      properties[name] = action[name].map(literals)
    }
    for name in ["StartTime", "EndTime"] {
      properties[name] = Timestamp(epoch: action[name]).map { .string("\($0)") }
    }
    return .object(properties)
  }

  // MARK: Values

  /// A parameter for what belongs to an account.
  private mutating func parameter(_ name: String, _ what: String, was old: String?) -> JSONValue {
    parameters[name] = [
      "Type": "String", "Description": .string(what + (old.map { "; it was \($0)" } ?? "")),
    ]
    return ["Ref": .string(name)]
  }

  /// A text as itself. Outside of Fn::Sub nothing is substituted, but tools warn of what looks like a variable, and
  /// inside of it they do not agree how a mark is quoted: so marks are taken apart.
  private func literal(_ text: String) -> JSONValue {
    text.holdsBytes(of: "${") ? CloudFormationTemplate.joined(pieces(text)) : .string(text)
  }

  /// The text cut between each `$` and `{`.
  private func pieces(_ text: String) -> [JSONValue] {
    let cut = text.splitBytes(by: "${")
    return cut.enumerated().map { position, piece in
      .string((position > 0 ? "{" : "") + piece + (position < cut.count - 1 ? "$" : ""))
    }
  }

  private static func joined(_ pieces: [JSONValue]) -> JSONValue {
    ["Fn::Join": ["", .array(pieces)]]
  }

  /// A document whose texts are taken as themselves.
  private func literals(_ value: JSONValue) -> JSONValue {
    map(value) { literal($0) }
  }

  /// A policy in which the account's own number, and the table's own ARN, are those of the stack. CloudFormation does
  /// not look into policies for `${…}`, which are IAM's variables there.
  private func substituted(_ policy: JSONValue) -> JSONValue {
    guard let account = table.source.account else { return policy }
    return map(policy) { text in
      let parts = AccountText(text, account: account, arn: table.source.arn).parts
      guard parts.contains(where: \.isBound) else { return .string(text) }
      return CloudFormationTemplate.joined(
        parts.flatMap { part -> [JSONValue] in
          switch part {
          case .text(let text): pieces(text)
          case .account: [["Ref": "AWS::AccountId"]]
          case .table:
            [
              "arn:", ["Ref": "AWS::Partition"], ":dynamodb:", ["Ref": "AWS::Region"], ":",
              ["Ref": "AWS::AccountId"], .string(":table/\(table.schema.name)"),
            ]
          }
        })
    }
  }

  private func map(_ value: JSONValue, _ text: (String) -> JSONValue) -> JSONValue {
    switch value {
    case .string(let content): text(content)
    case .array(let elements): .array(elements.map { map($0, text) })
    case .object(let object):
      .object(
        JSONObject(object.members.map { .init(name: $0.name, value: map($0.value, text)) }))
    default: value
    }
  }

  /// The letters and digits of a name, which are all that a logical id may have.
  private static func alphanumeric(_ name: String) -> String {
    String(name.filter { $0.isASCII && ($0.isLetter || $0.isNumber) })
  }
}
