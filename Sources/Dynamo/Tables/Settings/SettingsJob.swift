import AWS
public import Archive
import JSON

/// Gives tables their settings, one after the other, and tells what became of each.
public struct SettingsJob: Sendable {
  let client: DynamoClient
  /// Ends waiting.
  let stop: StopSignal

  /// How long a table may be busy with something else before a setting counts as refused.
  private static let patience = Duration.seconds(60)
  /// How long a table may take to become ready for the next setting.
  static let changeLimit = Duration.seconds(1800)
  /// Errors of a table, or of its auto scaling, that is busy with another change.
  private static let busy: Set<String> = [
    "ResourceInUseException", "TableInUseException", "LimitExceededException",
    "ContinuousBackupsUnavailableException", "ConcurrentUpdateException",
  ]

  public init(client: DynamoClient, stop: StopSignal = StopSignal()) {
    self.client = client
    self.stop = stop
  }

  /// Gives a table that is there settings of another one. What it has already is not asked for again; what
  /// it has beyond them stays.
  ///
  /// - Parameters:
  ///   - settings: as `TableSettings.capture` or a manifest has them.
  ///   - choice: which of them, where `wanted` says so.
  ///   - report: told of each setting when its end is known.
  /// - Returns: what became of each.
  /// - Throws: `DynamoError` of code `noSuchTable` or `notActive`, `ServiceError` where the service is out of
  ///   reach, `CancellationError`.
  public func apply(
    _ settings: TableSettings, to name: String, choice: SettingsChoice,
    report: @Sendable (SettingResult) -> Void = { _ in }
  ) async throws -> [SettingResult] {
    let table = try await client.waitUntilActive(name, limit: SettingsJob.changeLimit, stop: stop)
    let blueprint = TableBlueprint(
      changing: table.schema, settings: settings,
      target: TableIdentity(name: name, arn: table.arn), choice: choice)
    return try await run(
      blueprint.ofCreation + blueprint.afterwards, leaving: blueprint.left, comparing: true,
      table: table, report)
  }

  /// Sends requests in their order.
  ///
  /// - Parameters:
  ///   - left: what is not asked for.
  ///   - comparing: whether to look first what the table has. It must be so where anybody can have changed it.
  func run(
    _ steps: [SettingStep], leaving left: [SettingResult], comparing: Bool,
    table: TableDescription, _ report: @Sendable (SettingResult) -> Void
  ) async throws -> [SettingResult] {
    var results: [SettingResult] = []
    func end(_ result: SettingResult) {
      results.append(result)
      report(result)
    }
    let present: PresentSettings? =
      comparing && !steps.isEmpty
      ? PresentSettings(table, await TableSettings.capture(table, client: client)) : nil
    for step in steps {
      if stop.isRequested { throw CancellationError() }
      let outcome: SettingOutcome
      if let missing = present?.missing(of: step) ?? (present == nil ? step : nil) {
        outcome = try await perform(missing, on: table.schema.name)
      } else {
        outcome = .same
      }
      end(SettingResult(step.setting, step.words, outcome))
    }
    left.forEach(end)
    return results
  }

  /// Which of the settings that were asked for a table does not have: a service may take a request and not do
  /// what it says. A key that was named by an alias cannot be told from another, and counts as there.
  func lacking(_ steps: [SettingStep], _ table: TableDescription) async -> [SettingStep] {
    guard !steps.isEmpty else { return [] }
    let present = PresentSettings(table, await TableSettings.capture(table, client: client))
    return steps.filter { step in
      let key = step.body["SSESpecification"]?["KMSMasterKeyId"]?.string
      return key?.hasPrefix("alias/") != true && present.missing(of: step) != nil
    }
  }

  /// Sends one request, again while the table is busy, and waits until it is ready for the next.
  private func perform(_ step: SettingStep, on table: String) async throws -> SettingOutcome {
    do {
      try await whileBusy { try await send(step) }
    } catch let error as ServiceError {
      // Without DynamoDB nothing goes on; without Application Auto Scaling all else does.
      if step.service == .dynamoDB, error.kind != .final, error.kind != .credentials { throw error }
      // A key that is named by an alias is not seen to be the one that the table has.
      if error.message.contains("already encrypted by given KMSMasterKey") { return .same }
      return .refused(code: error.code, message: error.message)
    }
    if step.operation == "UpdateTable" {
      _ = try await client.waitUntilActive(table, limit: SettingsJob.changeLimit, stop: stop)
    }
    return .restored
  }

  private func send(_ step: SettingStep) async throws {
    switch step.service {
    case .dynamoDB: _ = try await client.call(step.operation, .object(step.body))
    case .applicationAutoScaling:
      guard let autoScaling = client.autoScaling else {
        throw ServiceError(
          .final, code: "no-client", message: "nobody to ask for it", operation: step.operation)
      }
      _ = try await autoScaling.call(step.operation, .object(step.body))
    }
  }

  /// Tries again while the service says that the table is busy.
  func whileBusy(_ body: () async throws -> Void) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + SettingsJob.patience
    var pause = Duration.milliseconds(500)
    while true {
      do { return try await body() } catch let error as ServiceError {
        guard SettingsJob.busy.contains(error.code), clock.now + pause < deadline else {
          throw error
        }
      }
      try await stop.sleep(for: pause)
      pause = min(pause * 2, .seconds(8))
    }
  }
}

/// What a table has of settings, as the requests that would bring them about.
private struct PresentSettings {
  private let steps: [SettingStep]
  private let tags: [TableTag]

  init(_ table: TableDescription, _ settings: TableSettings) {
    var everything = SettingsChoice()
    everything.wanted = .all
    everything.warms = true
    let blueprint = TableBlueprint(
      changing: table.schema, settings: settings,
      target: TableIdentity(name: table.schema.name, arn: table.arn), choice: everything)
    steps = blueprint.ofCreation + blueprint.afterwards
    tags = settings.tags
  }

  /// What of a request is still to be done; nil where nothing is.
  func missing(of step: SettingStep) -> SettingStep? {
    guard let wanted = step.body["Tags"]?.array else {
      return steps.contains { $0.isSame(as: step) } ? nil : step
    }
    let missing = wanted.filter { tag in
      !tags.contains { tag["Key"] == .string($0.key) && tag["Value"] == .string($0.value) }
    }
    guard !missing.isEmpty else { return nil }
    var rest = step
    rest.body["Tags"] = .array(missing)
    return rest
  }
}
