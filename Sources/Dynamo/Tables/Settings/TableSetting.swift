public import JSON

/// What load can bring back of a table beside its key, its indexes and its billing, by the names that
/// `--settings` takes; in the order in which it is done.
public enum TableSetting: String, CaseIterable, Sendable {
  case tableClass = "table-class"
  case encryption
  /// The maximum of on-demand throughput.
  case limits
  case warmThroughput = "warm-throughput"
  case tags
  case vectorIndexes = "vector-indexes"
  case stream
  case ttl
  /// Point-in-time recovery.
  case pitr
  /// Kinesis data streams as destinations of changes.
  case kinesis
  /// CloudWatch Contributor Insights.
  case insights
  case autoScaling = "auto-scaling"
  /// The resource-based policy.
  case policy
  case protection

  /// The operations whose answers tell it, as `TableSettings.answers` names them.
  var answers: [String] {
    switch self {
    case .tags: ["listTagsOfResource"]
    case .ttl: ["describeTimeToLive"]
    case .pitr: ["describeContinuousBackups"]
    case .kinesis: ["describeKinesisStreamingDestination"]
    case .insights: ["describeContributorInsights"]
    case .autoScaling:
      ["describeScalableTargets", "describeScalingPolicies", "describeScheduledActions"]
    case .policy: ["getResourcePolicy"]
    default: ["describeTable"]
    }
  }

  /// Its name in `TableSettings.notRead`.
  var unreadName: String {
    switch self {
    case .ttl: "timeToLive"
    case .pitr: "continuousBackups"
    case .kinesis: "kinesisDestinations"
    case .insights: "contributorInsights"
    case .autoScaling: "autoScaling"
    case .policy: "resourcePolicy"
    default: rawValue
    }
  }

  /// Whether CreateTable takes it, so that a new table has it from the start.
  var isOfCreation: Bool {
    switch self {
    case .tableClass, .encryption, .limits, .warmThroughput, .tags, .vectorIndexes: true
    default: false
    }
  }
}

/// A request that gives a table one setting, or one part of it.
public struct SettingStep: Sendable, Equatable {
  /// Who takes the request.
  public enum Service: String, Sendable {
    case dynamoDB = "dynamodb"
    case applicationAutoScaling = "application-autoscaling"
  }

  public var setting: TableSetting
  public var service: Service
  public var operation: String
  public var body: JSONObject
  /// What the table has then: `TTL on expires_at`.
  public var words: String

  init(
    _ setting: TableSetting, _ words: String, _ operation: String, _ body: JSONObject,
    service: Service = .dynamoDB
  ) {
    self.setting = setting
    self.words = words
    self.operation = operation
    self.body = body
    self.service = service
  }

  /// Whether another request brings about the same.
  func isSame(as other: SettingStep) -> Bool {
    operation == other.operation && comparable.means(other.comparable)
  }

  /// The body, with the policy's text as what it says.
  private var comparable: JSONValue {
    var comparable = body
    if let policy = body["Policy"]?.string.flatMap({ try? JSONValue.parse($0) }) {
      comparable["Policy"] = policy
    }
    return .object(comparable)
  }
}

/// What became of a setting.
public enum SettingOutcome: Sendable, Equatable {
  /// The table has it now.
  case restored
  /// The table had it already.
  case same
  /// The service did not take it.
  case refused(code: String, message: String)
  /// It was not asked for. `needsDecision` where a person must say what is to become of it.
  case skipped(reason: String, needsDecision: Bool)
}

/// A setting, or a part of one, and what became of it.
public struct SettingResult: Sendable, Equatable {
  public var setting: TableSetting
  /// What it is: `TTL on expires_at`.
  public var words: String
  public var outcome: SettingOutcome

  public init(_ setting: TableSetting, _ words: String, _ outcome: SettingOutcome) {
    self.setting = setting
    self.words = words
    self.outcome = outcome
  }

  /// Whether the table lacks what the archive has, and somebody must act.
  public var isOpen: Bool {
    switch outcome {
    case .refused, .skipped(_, needsDecision: true): true
    default: false
    }
  }
}

extension JSONValue {
  /// Whether two documents say the same: members in any order, numbers by their value.
  func means(_ other: JSONValue) -> Bool {
    switch (self, other) {
    case (.number, .number): self == other || double == other.double
    case (.array(let mine), .array(let others)):
      mine.count == others.count && zip(mine, others).allSatisfy { $0.means($1) }
    case (.object(let mine), .object(let others)):
      mine.members.count == others.members.count
        && mine.members.allSatisfy { member in
          others[member.name].map { member.value.means($0) } ?? false
        }
    default: self == other
    }
  }
}
