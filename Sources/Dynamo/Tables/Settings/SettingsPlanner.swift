import Archive
import JSON

/// Makes the requests of `TableBlueprint`, setting by setting.
struct SettingsPlanner {
  let settings: TableSettings
  let target: TableIdentity
  let choice: SettingsChoice
  /// Whether the table is a new one.
  let created: Bool
  /// The table, and the global indexes that it will get.
  let schema: TableSchema
  let later: [IndexSchema]
  let translation: IdentityTranslation

  private(set) var steps: [SettingStep] = []
  private(set) var left: [SettingResult] = []

  init(
    settings: TableSettings, target: TableIdentity, choice: SettingsChoice, created: Bool,
    schema: TableSchema, later: [IndexSchema]
  ) {
    self.settings = settings
    self.target = target
    self.choice = choice
    self.created = created
    self.schema = schema
    self.later = later
    let table = settings.described
    translation = IdentityTranslation(
      source: TableIdentity(
        name: table?["TableName"]?.string ?? target.name, arn: table?["TableArn"]?.string),
      target: target, map: choice.identities)
  }

  private var table: JSONObject { ["TableName": .string(target.name)] }

  private var arn: JSONValue { .string(target.arn) }

  private var globalIndexes: [IndexSchema] { schema.indexes.filter { $0.kind == .global } }

  /// Whether a setting that CreateTable takes comes after the items all the same.
  func isLater(_ step: SettingStep) -> Bool {
    step.setting == .vectorIndexes && choice.indexes == .after
  }

  /// Makes all requests.
  mutating func plan() {
    for setting in TableSetting.allCases {
      guard choice.wants(setting, created: created) else {
        planUnasked(setting)
        continue
      }
      guard let reason = settings.unknown(setting) else {
        plan(setting)
        continue
      }
      // Auto scaling of a table on demand is none, whatever there may be.
      if setting == .autoScaling, schema.billingMode == .onDemand { continue }
      left.append(
        SettingResult(
          setting, setting.rawValue, .skipped(reason: reason, needsDecision: choice.isNamed)))
      planUnasked(setting)
    }
  }

  /// What a person asks for is done whatever the archive has.
  private mutating func planUnasked(_ setting: TableSetting) {
    switch setting {
    case .tags: planTags([])
    case .tableClass: if let tableClass = choice.tableClass { planTableClass(tableClass) }
    default: break
    }
  }

  private mutating func plan(_ setting: TableSetting) {
    switch setting {
    case .tableClass:
      let tableClass = choice.tableClass ?? settings.tableClass
      // A new table has the standard class by itself.
      if !created || tableClass != "STANDARD" { planTableClass(tableClass) }
    case .encryption: planEncryption()
    case .limits: planLimits()
    case .warmThroughput: planWarmThroughput()
    case .tags: planTags(settings.tags)
    case .vectorIndexes: planVectorIndexes()
    case .stream: planStream()
    case .ttl:
      guard let attribute = settings.timeToLive else { return }
      add(
        .ttl, "TTL on \(attribute)", "UpdateTimeToLive",
        ["TimeToLiveSpecification": ["Enabled": true, "AttributeName": .string(attribute)]])
    case .pitr: planRecovery()
    case .kinesis: planKinesis()
    case .insights: planInsights()
    case .autoScaling: planAutoScaling()
    case .policy: planPolicy()
    case .protection:
      guard settings.isProtected else { return }
      add(
        .protection, "deletion protection", "UpdateTable", ["DeletionProtectionEnabled": true])
    }
  }

  /// Adds a request about the table.
  mutating func add(
    _ setting: TableSetting, _ words: String, _ operation: String, _ members: JSONObject,
    on subject: JSONObject? = nil, service: SettingStep.Service = .dynamoDB
  ) {
    var body = subject ?? table
    for member in members.members { body[member.name] = member.value }
    steps.append(SettingStep(setting, words, operation, body, service: service))
  }

  mutating func skip(
    _ setting: TableSetting, _ words: String, _ reason: String, needsDecision: Bool = false
  ) {
    left.append(
      SettingResult(setting, words, .skipped(reason: reason, needsDecision: needsDecision)))
  }

  // MARK: What CreateTable takes

  private mutating func planTableClass(_ tableClass: String) {
    add(
      .tableClass, "table class \(tableClass)", "UpdateTable", ["TableClass": .string(tableClass)])
  }

  private mutating func planEncryption() {
    guard let encryption = settings.encryption else { return }
    var specification: JSONObject = ["Enabled": true, "SSEType": "KMS"]
    var words = "encryption with the KMS key that AWS manages"
    if let arn = encryption.keyARN {
      do throws(IdentityTranslation.Foreign) {
        let key = try translation.key(arn)
        if key != IdentityTranslation.managedKey {
          specification["KMSMasterKeyId"] = .string(key)
          words = "encryption with the KMS key \(key)"
        }
      } catch {
        return skip(
          .encryption, "encryption with the KMS key \(arn)", error.reason, needsDecision: true)
      }
    }
    add(.encryption, words, "UpdateTable", ["SSESpecification": .object(specification)])
  }

  private mutating func planLimits() {
    var members = JSONObject()
    members["OnDemandThroughput"] = settings.limits().map(JSONValue.object)
    let indexes = globalIndexes.compactMap { index in
      settings.limits(index: index.name).map { (index.name, $0) }
    }
    addUpdates(indexes, "OnDemandThroughput", to: &members)
    let any = settings.globalIndexes.contains { settings.limits(index: $0) != nil }
    guard !members.members.isEmpty || any else { return }
    guard schema.billingMode == .onDemand else {
      return skip(.limits, "limits of on-demand throughput", "the table is provisioned")
    }
    guard !members.members.isEmpty else { return }
    add(.limits, "limits of on-demand throughput", "UpdateTable", members)
  }

  private mutating func planWarmThroughput() {
    var members = JSONObject()
    members["WarmThroughput"] = settings.warmThroughput().map(JSONValue.object)
    let indexes = globalIndexes.compactMap { index in
      settings.warmThroughput(index: index.name).map { (index.name, $0) }
    }
    addUpdates(indexes, "WarmThroughput", to: &members)
    guard !members.members.isEmpty else { return }
    add(.warmThroughput, "warm throughput", "UpdateTable", members)
  }

  private func addUpdates(
    _ indexes: [(name: String, units: JSONObject)], _ member: String, to members: inout JSONObject
  ) {
    guard !indexes.isEmpty else { return }
    members["GlobalSecondaryIndexUpdates"] = .array(
      indexes.map { name, units in
        var update: JSONObject = ["IndexName": .string(name)]
        update[member] = .object(units)
        return ["Update": .object(update)]
      })
  }

  /// What a global index is created of, with what is wanted of its throughput.
  func request(_ index: IndexSchema) -> JSONObject {
    var request = index.request
    if choice.wants(.limits, created: true), schema.billingMode == .onDemand {
      request["OnDemandThroughput"] = settings.limits(index: index.name).map(JSONValue.object)
    }
    if choice.wants(.warmThroughput, created: true) {
      request["WarmThroughput"] = settings.warmThroughput(index: index.name)
        .map(JSONValue.object)
    }
    return request
  }

  private mutating func planTags(_ captured: [TableTag]) {
    var tags = captured.filter { tag in !choice.tags.contains { $0.key == tag.key } } + choice.tags
    // "aws:" is for AWS alone, which refuses a request with such a tag as a whole.
    let reserved = tags.filter { $0.key.lowercased().hasPrefix("aws:") }.map(\.key)
    tags.removeAll { reserved.contains($0.key) }
    if !reserved.isEmpty {
      skip(.tags, "tags \(reserved.joined(separator: ", "))", "tags of that kind are AWS's own")
    }
    guard !tags.isEmpty else { return }
    add(
      .tags, "\(tags.count) tag(s)", "TagResource",
      ["Tags": .array(tags.map { ["Key": .string($0.key), "Value": .string($0.value)] })],
      on: ["ResourceArn": arn])
  }

  private mutating func planVectorIndexes() {
    guard choice.indexes != .none else { return }
    let types = (settings.described?["AttributeDefinitions"]?.array ?? [])
      .compactMap { definition -> KeyAttribute? in
        guard let name = definition["AttributeName"]?.string,
          let type = definition["AttributeType"]?.string.flatMap(KeyType.init(rawValue:))
        else { return nil }
        return KeyAttribute(name: name, type: type, role: .hash)
      }
    for index in settings.vectorIndexes {
      let name = index["IndexName"]?.string ?? ""
      guard schema.billingMode == .onDemand else {
        skip(
          .vectorIndexes, "vector index \(name)", "the table is provisioned", needsDecision: true)
        continue
      }
      let wanted = [
        "IndexName", "VectorAttribute", "SearchSchema", "Projection", "Dimensions",
        "DistanceFunction",
      ]
      let create = JSONObject(
        (index.object?.members ?? []).filter { wanted.contains($0.name) })
      let searched = (index["SearchSchema"]?.array ?? []).compactMap { $0["AttributeName"]?.string }
      add(
        .vectorIndexes, "vector index \(name)", "UpdateTable",
        [
          "AttributeDefinitions": TableSchema(
            name: schema.name, key: schema.key, indexes: schema.indexes + later
          ).definitions(types.filter { searched.contains($0.name) }),
          "VectorIndexUpdates": [["Create": .object(create)]],
        ])
    }
  }

  // MARK: What comes afterwards

  private mutating func planStream() {
    guard let view = settings.streamView else { return }
    add(
      .stream, "stream of \(view)", "UpdateTable",
      ["StreamSpecification": ["StreamEnabled": true, "StreamViewType": .string(view)]])
  }

  private mutating func planRecovery() {
    let recovery = settings.recovery
    guard recovery.isOn else { return }
    var specification: JSONObject = ["PointInTimeRecoveryEnabled": true]
    specification["RecoveryPeriodInDays"] = recovery.days.map { JSONValue($0) }
    add(
      .pitr,
      "point-in-time recovery" + (recovery.days.map { " over \($0) days" } ?? ""),
      "UpdateContinuousBackups", ["PointInTimeRecoverySpecification": .object(specification)])
  }

  private mutating func planKinesis() {
    for destination in settings.kinesisDestinations {
      do throws(IdentityTranslation.Foreign) {
        let arn = try translation.stream(destination.streamARN)
        var members: JSONObject = ["StreamArn": .string(arn)]
        if let precision = destination.precision {
          members["EnableKinesisStreamingConfiguration"] = [
            "ApproximateCreationDateTimePrecision": .string(precision)
          ]
        }
        add(.kinesis, "changes to \(arn)", "EnableKinesisStreamingDestination", members)
      } catch {
        skip(.kinesis, "changes to \(destination.streamARN)", error.reason, needsDecision: true)
      }
    }
  }

  private mutating func planInsights() {
    for (index, mode) in settings.insights {
      let words = "Contributor Insights" + (index.map { " of index \($0)" } ?? "")
      guard has(index) else {
        skip(.insights, words, "the table has no such index")
        continue
      }
      var members = JSONObject()
      members["IndexName"] = index.map(JSONValue.string)
      members["ContributorInsightsAction"] = "ENABLE"
      members["ContributorInsightsMode"] = mode.map(JSONValue.string)
      add(.insights, words, "UpdateContributorInsights", members)
    }
  }

  /// Whether the table has a global index, or will have it; nil stands for the table.
  func has(_ index: String?) -> Bool {
    index.map { name in (globalIndexes + later).contains { $0.name == name } } ?? true
  }

  private mutating func planPolicy() {
    guard let policy = settings.policy else { return }
    do throws(IdentityTranslation.Foreign) {
      add(
        .policy, "resource policy", "PutResourcePolicy",
        ["Policy": .string(try translation.policy(policy))], on: ["ResourceArn": arn])
    } catch {
      skip(.policy, "resource policy", error.reason, needsDecision: true)
    }
  }
}
