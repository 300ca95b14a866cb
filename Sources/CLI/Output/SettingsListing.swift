import Archive
import Dynamo
import JSON

/// Shows the settings that an archive holds.
struct SettingsListing {
  let settings: TableSettings
  let table: TableSchema

  /// Rows of a name and a value.
  var rows: [(String, String)] {
    var rows = [("Billing", SettingsListing.billing(table))]
    for setting in TableSetting.allCases {
      guard let reason = settings.unknown(setting) else {
        rows += values(setting).map { (SettingsListing.title(setting), $0) }
        continue
      }
      rows.append((SettingsListing.title(setting), "not known: \(reason)"))
    }
    for what in settings.notRecreated { rows.append(("Not brought back", what)) }
    return rows
  }

  /// In a line, what is not as a new table has it.
  var words: String? {
    var parts: [String] = []
    for setting in TableSetting.allCases where settings.unknown(setting) == nil {
      parts += short(setting).map { [$0] } ?? []
    }
    parts += settings.notRecreated
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }

  /// `provisioned, 5 read and 5 write units per second`
  static func billing(_ table: TableSchema) -> String {
    guard let provisioned = table.provisioned else { return "on demand" }
    return "provisioned, \(provisioned.read) read and \(provisioned.write) write units per second"
  }

  private static func title(_ setting: TableSetting) -> String {
    switch setting {
    case .tableClass: "Table class"
    case .encryption: "Encryption"
    case .limits: "On-demand limits"
    case .warmThroughput: "Warm throughput"
    case .tags: "Tags"
    case .vectorIndexes: "Vector indexes"
    case .stream: "Stream"
    case .ttl: "TTL"
    case .pitr: "Point in time"
    case .kinesis: "Kinesis"
    case .insights: "Insights"
    case .autoScaling: "Auto scaling"
    case .policy: "Policy"
    case .protection: "Protection"
    }
  }

  /// What the archive says of a setting, a line for each part of it.
  private func values(_ setting: TableSetting) -> [String] {
    let lines: [String]
    switch setting {
    case .tableClass: lines = [settings.tableClass]
    case .encryption:
      guard let encryption = settings.encryption else { return ["a key that AWS owns"] }
      lines = ["KMS key \(encryption.keyARN ?? "that AWS manages")"]
    case .limits: lines = units { settings.limits(index: $0) }
    case .warmThroughput: lines = units { settings.warmThroughput(index: $0) }
    case .tags: lines = settings.tags.map { "\($0.key)=\($0.value)" }
    case .vectorIndexes: lines = settings.vectorIndexes.map(SettingsListing.vectorIndex)
    case .stream: lines = [settings.streamView].compactMap(\.self)
    case .ttl: lines = [settings.timeToLive].compactMap { $0.map { "on \($0)" } }
    case .pitr:
      let recovery = settings.recovery
      lines = recovery.isOn ? ["on" + (recovery.days.map { ", \($0) days" } ?? "")] : []
    case .kinesis:
      lines = settings.kinesisDestinations.map { destination in
        destination.streamARN + (destination.precision.map { ", in \($0.lowercased())s" } ?? "")
      }
    case .insights:
      lines = settings.insights.map { insight in
        (insight.index.map { "index \($0)" } ?? "table")
          + (insight.mode.map { ", \($0)" } ?? "")
      }
    case .autoScaling: lines = scaling
    case .policy: lines = [settings.policy].compactMap(\.self)
    case .protection: lines = settings.isProtected ? ["on"] : []
    }
    return lines.isEmpty ? ["none"] : lines
  }

  /// In a word or two, where a setting is not as a new table has it.
  private func short(_ setting: TableSetting) -> String? {
    func count(_ list: [Any], _ noun: String) -> String? {
      list.isEmpty ? nil : "\(list.count) \(noun)"
    }
    return switch setting {
    case .tableClass:
      settings.tableClass == "STANDARD" ? nil : "table class \(settings.tableClass)"
    case .encryption: settings.encryption == nil ? nil : "encryption by KMS"
    case .limits: settings.limits() == nil ? nil : "on-demand limits"
    case .warmThroughput: settings.warmThroughput() == nil ? nil : "warm throughput"
    case .tags: count(settings.tags, "tag(s)")
    case .vectorIndexes: count(settings.vectorIndexes, "vector index(es)")
    case .stream: settings.streamView.map { "stream of \($0)" }
    case .ttl: settings.timeToLive.map { "TTL on \($0)" }
    case .pitr: settings.recovery.isOn ? "point-in-time recovery" : nil
    case .kinesis: count(settings.kinesisDestinations, "Kinesis stream(s)")
    case .insights: settings.insights.isEmpty ? nil : "Contributor Insights"
    case .autoScaling: settings.scalableTargets.isEmpty ? nil : "auto scaling"
    case .policy: settings.policy == nil ? nil : "a resource policy"
    case .protection: settings.isProtected ? "deletion protection" : nil
    }
  }

  /// Pairs of read and write units, of the table and of each index that has some.
  private func units(_ find: (String?) -> JSONObject?) -> [String] {
    ([nil] + settings.globalIndexes.map(Optional.some)).compactMap { index in
      guard let units = find(index) else { return nil }
      let numbers = units.members.map { member in
        "\(member.value.int ?? 0) \(member.name.contains("Read") ? "read" : "write")"
      }
      return (index.map { "index \($0): " } ?? "")
        + "\(numbers.joined(separator: " and ")) units per second"
    }
  }

  private var scaling: [String] {
    func place(_ entry: JSONValue) -> String {
      let parts = (entry["ResourceId"]?.string ?? "").split(separator: "/")
      let kind =
        entry["ScalableDimension"]?.string?.hasSuffix("ReadCapacityUnits") == true
        ? "read" : "write"
      return kind + (parts.count == 4 ? " of index \(parts[3])" : "")
    }
    let targets = settings.scalableTargets.map { target in
      "\(place(target)): \(target["MinCapacity"]?.int ?? 0) to \(target["MaxCapacity"]?.int ?? 0)"
    }
    let policies = settings.scalingPolicies.map { policy in
      let value = policy["TargetTrackingScalingPolicyConfiguration"]?["TargetValue"]?.double
      return "\(place(policy)): policy \(policy["PolicyName"]?.string ?? "")"
        + (value.map { ", \(Format.plain($0))% used" } ?? "")
    }
    let actions = settings.scheduledActions.map { action in
      "\(place(action)): \(action["ScheduledActionName"]?.string ?? "") at "
        + (action["Schedule"]?.string ?? "")
    }
    return targets + policies + actions
  }

  private static func vectorIndex(_ index: JSONValue) -> String {
    "\(index["IndexName"]?.string ?? ""): \(index["Dimensions"]?.int ?? 0) dimensions of "
      + "\(index["VectorAttribute"]?["AttributeName"]?.string ?? ""), "
      + "\(index["DistanceFunction"]?.string ?? "")"
  }
}

extension SettingsListing {
  /// The settings by the names that `--settings` takes; null where they are not known.
  var json: JSONObject {
    var billing: JSONObject = ["mode": .string(table.billingMode.rawValue)]
    billing["readUnits"] = table.provisioned.map { JSONValue($0.read) }
    billing["writeUnits"] = table.provisioned.map { JSONValue($0.write) }
    var object: JSONObject = ["billing": .object(billing)]
    for setting in TableSetting.allCases {
      object[setting.rawValue] = settings.unknown(setting) == nil ? value(setting) : .null
    }
    object["notBroughtBack"] = .array(settings.notRecreated.map(JSONValue.string))
    object["notRead"] = .array(
      settings.notRead.map { ["setting": .string($0.setting), "code": .string($0.code)] })
    return object
  }

  private func value(_ setting: TableSetting) -> JSONValue {
    switch setting {
    case .tableClass: return .string(settings.tableClass)
    case .encryption:
      guard let encryption = settings.encryption else { return ["type": "aws-owned"] }
      var object: JSONObject = ["type": "kms"]
      object["keyArn"] = encryption.keyARN.map(JSONValue.string)
      return .object(object)
    case .limits: return unitsJSON { settings.limits(index: $0) }
    case .warmThroughput: return unitsJSON { settings.warmThroughput(index: $0) }
    case .tags:
      return .object(
        JSONObject(settings.tags.map { .init(name: $0.key, value: .string($0.value)) }))
    case .vectorIndexes: return .array(settings.vectorIndexes)
    case .stream: return settings.streamView.map(JSONValue.string) ?? .bool(false)
    case .ttl: return settings.timeToLive.map(JSONValue.string) ?? .bool(false)
    case .pitr:
      var object: JSONObject = ["enabled": .bool(settings.recovery.isOn)]
      object["days"] = settings.recovery.days.map { JSONValue($0) }
      return .object(object)
    case .kinesis:
      return .array(
        settings.kinesisDestinations.map { destination in
          var object: JSONObject = ["streamArn": .string(destination.streamARN)]
          object["precision"] = destination.precision.map(JSONValue.string)
          return .object(object)
        })
    case .insights:
      return .array(
        settings.insights.map { insight in
          var object: JSONObject = ["index": insight.index.map(JSONValue.string) ?? .null]
          object["mode"] = insight.mode.map(JSONValue.string)
          return .object(object)
        })
    case .autoScaling:
      return [
        "targets": .array(settings.scalableTargets), "policies": .array(settings.scalingPolicies),
        "scheduledActions": .array(settings.scheduledActions),
      ]
    case .policy:
      guard let policy = settings.policy else { return .bool(false) }
      return (try? JSONValue.parse(policy)) ?? .string(policy)
    case .protection: return .bool(settings.isProtected)
    }
  }

  /// Units by index; those of the table stand under the empty name.
  private func unitsJSON(_ find: (String?) -> JSONObject?) -> JSONValue {
    var object = JSONObject()
    for index in [nil] + settings.globalIndexes.map(Optional.some) {
      object[index ?? ""] = find(index).map(JSONValue.object)
    }
    return .object(object)
  }
}
