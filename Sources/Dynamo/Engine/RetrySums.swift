public import AWS

/// What had to be sent again in the course of a job, by kind: retries inside calls and those of the
/// job itself, each counted once.
public struct RetrySums: Sendable, Equatable {
  /// After a throttle.
  public var throttled = 0
  /// After an answer that the service is in trouble.
  public var serverErrors = 0
  /// After an answer whose checksum was wrong.
  public var checksumMismatches = 0
  /// After no answer: connections refused, reset, cut, stalled.
  public var transportFailures = 0
  /// After an answer that was whole by its checksum and still not what the API promises.
  public var badAnswers = 0
  /// With renewed credentials.
  public var credentialsRenewed = 0
  /// Items that BatchWriteItem or BatchGetItem left over, each time counted. They are no part of the total, for the
  /// requests were answered.
  public var unprocessedItems = 0

  public init() {}

  /// The retries inside a call.
  public init(_ counts: RetryCounts) {
    throttled = counts.throttling
    serverErrors = counts.server
    checksumMismatches = counts.checksum
    transportFailures = counts.transport
    credentialsRenewed = counts.credentials
  }

  /// The retry of a call that failed so; nil where trying again is no use.
  init?(retryAfter error: ServiceError) {
    self.init()
    switch error.kind {
    case .throttling: throttled = 1
    case .transient where error.code == ServiceError.checksumMismatch: checksumMismatches = 1
    case .transient: serverErrors = 1
    case _ where error.isOutOfReach: transportFailures = 1
    default: return nil
    }
  }

  /// Requests that were sent again.
  public var total: Int {
    throttled + serverErrors + checksumMismatches + transportFailures + badAnswers
      + credentialsRenewed
  }

  public static func += (sum: inout RetrySums, more: RetrySums) {
    sum.throttled += more.throttled
    sum.serverErrors += more.serverErrors
    sum.checksumMismatches += more.checksumMismatches
    sum.transportFailures += more.transportFailures
    sum.badAnswers += more.badAnswers
    sum.credentialsRenewed += more.credentialsRenewed
    sum.unprocessedItems += more.unprocessedItems
  }
}
