import AWS
import Archive
import JSON

extension TableSettings {
  /// How long Application Auto Scaling may take to answer: its endpoint is another one, which a network
  /// may not lead to.
  private static let patience = Duration.seconds(10)

  /// Reads the settings of a table, all at the same time. What is refused or out of reach costs that
  /// setting only, and is recorded.
  static func capture(_ table: TableDescription, client: DynamoClient) async -> TableSettings {
    let name = JSONValue.string(table.schema.name)
    var settings = TableSettings(answers: ["describeTable": .object(table.raw)])
    async let timeToLive = reading(.ttl) {
      try await client.call("DescribeTimeToLive", ["TableName": name])["TimeToLiveDescription"]
    }
    async let tags = reading(.tags) {
      guard let arn = table.arn else { return [] }
      return .array(
        try await pages("Tags", ["ResourceArn": .string(arn)]) {
          try await client.call("ListTagsOfResource", $0)
        })
    }
    async let backups = reading(.pitr) {
      try await client.call("DescribeContinuousBackups", ["TableName": name])[
        "ContinuousBackupsDescription"]
    }
    async let policy = reading(.policy) { try await askPolicy(of: table, client: client) }
    async let kinesis = reading(.kinesis) {
      try await client.call("DescribeKinesisStreamingDestination", ["TableName": name])[
        "KinesisDataStreamDestinations"]
    }
    async let insights = reading(.insights) { try await askInsights(of: table, client: client) }
    async let scaling = askScaling(of: table, client: client)
    for (setting, answer) in await [
      (TableSetting.ttl, timeToLive), (.tags, tags), (.pitr, backups), (.policy, policy),
      (.kinesis, kinesis), (.insights, insights),
    ] {
      settings.take(answer, of: setting.answer)
    }
    for (operation, answer) in await scaling {
      settings.take(answer, of: operation)
    }
    return settings
  }

  /// What came of asking for a setting.
  private enum Answer: Sendable {
    case value(JSONValue?)
    case unread(Unread)
  }

  private mutating func take(_ answer: Answer, of operation: String) {
    switch answer {
    case .value(let value): answers[operation] = value
    case .unread(let unread):
      if !notRead.contains(where: { $0.setting == unread.setting }) { notRead.append(unread) }
    }
  }

  private static func reading(
    _ setting: TableSetting, _ ask: @Sendable () async throws -> JSONValue?
  ) async -> Answer {
    do { return .value(try await ask()) } catch {
      let code =
        (error as? ServiceError)?.code ?? (error as? DynamoError)?.code.rawValue ?? "cancelled"
      return .unread(Unread(setting: setting.unreadName, code: code))
    }
  }

  /// All elements of an answer that comes in pages.
  static func pages(
    _ list: String, _ request: JSONObject, _ call: (JSONValue) async throws -> JSONObject
  ) async throws -> [JSONValue] {
    var elements: [JSONValue] = []
    var request = request
    repeat {
      let answer = try await call(.object(request))
      elements.append(contentsOf: answer[list]?.array ?? [])
      request["NextToken"] = answer["NextToken"]
    } while request["NextToken"]?.string != nil
    return elements
  }

  /// The policy; an object without members where there is none.
  private static func askPolicy(
    of table: TableDescription, client: DynamoClient
  ) async throws -> JSONValue? {
    guard let arn = table.arn else { return nil }
    do {
      return .object(try await client.call("GetResourcePolicy", ["ResourceArn": .string(arn)]))
    } catch let error as ServiceError {
      guard error.code == "PolicyNotFoundException" || error.code == "ResourceNotFoundException"
      else { throw error }
      return [:]
    }
  }

  /// The answer for the table, then one for each global index. One after the other: twenty at once would be
  /// throttled.
  private static func askInsights(
    of table: TableDescription, client: DynamoClient
  ) async throws -> JSONValue? {
    let indexes = table.schema.indexes.filter { $0.kind == .global }.map(\.name)
    var answers: [JSONValue] = []
    for index in [nil] + indexes.map(Optional.some) {
      var request: JSONObject = ["TableName": .string(table.schema.name)]
      request["IndexName"] = index.map(JSONValue.string)
      answers.append(
        .object(try await client.call("DescribeContributorInsights", .object(request))))
    }
    return .array(answers)
  }

  /// Scalable targets, policies and scheduled actions of a table and its indexes.
  private static func askScaling(
    of table: TableDescription, client: DynamoClient
  ) async -> [(operation: String, answer: Answer)] {
    guard let autoScaling = client.autoScaling else { return [] }
    let ids =
      ["table/\(table.schema.name)"]
      + table.schema.indexes.filter { $0.kind == .global }
      .map { "table/\(table.schema.name)/index/\($0.name)" }
    async let targets = reading(.autoScaling) {
      try await within(patience) {
        let request: JSONObject = [
          "ServiceNamespace": "dynamodb", "ResourceIds": .array(ids.map(JSONValue.string)),
        ]
        return .array(
          try await pages("ScalableTargets", request) {
            try await autoScaling.call("DescribeScalableTargets", $0)
          })
      }
    }
    async let policies = reading(.autoScaling) {
      try await within(patience) {
        .array(try await each(ids, "DescribeScalingPolicies", "ScalingPolicies", autoScaling))
      }
    }
    async let actions = reading(.autoScaling) {
      try await within(patience) {
        .array(try await each(ids, "DescribeScheduledActions", "ScheduledActions", autoScaling))
      }
    }
    return await [
      ("describeScalableTargets", targets), ("describeScalingPolicies", policies),
      ("describeScheduledActions", actions),
    ]
  }

  /// What an operation that takes one resource at a time lists of several.
  private static func each(
    _ ids: [String], _ operation: String, _ list: String, _ client: AutoScalingClient
  ) async throws -> [JSONValue] {
    var elements: [JSONValue] = []
    for id in ids {
      elements += try await pages(
        list, ["ServiceNamespace": "dynamodb", "ResourceId": .string(id)]
      ) { try await client.call(operation, $0) }
    }
    return elements
  }

  /// Waits so long and no longer.
  ///
  /// - Throws: `DynamoError` of code `stuck` where the time is over, or what the body throws.
  private static func within(
    _ limit: Duration, _ body: @escaping @Sendable () async throws -> JSONValue
  ) async throws -> JSONValue {
    try await withThrowingTaskGroup(of: JSONValue.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await Task.sleep(for: limit)
        throw DynamoError(.stuck, "no answer within \(limit.components.seconds) s")
      }
      defer { group.cancelAll() }
      guard let first = try await group.next() else { throw CancellationError() }
      return first
    }
  }
}
