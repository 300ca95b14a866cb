import Synchronization

/// How often and after which pause a call is tried again: the AWS SDKs' "standard" retry mode with
/// the numbers of 2026 (AWS SDKs and Tools Reference Guide, "Retry behavior"; botocore's
/// retries/standard.py). Pure: chance comes in as an argument.
public struct RetryPolicy: Equatable, Sendable {
  /// What a failed attempt met.
  public enum Reason: Equatable, Sendable {
    /// The service asked to slow down.
    case throttling
    /// The service or the network was in trouble.
    case transient
  }

  /// Attempts a call may take, the first included.
  public var maximumAttempts: Int
  /// The first pause's upper bound after a transient failure.
  public var transientBase: Duration = .milliseconds(25)
  /// The first pause's upper bound after a throttle.
  public var throttlingBase: Duration = .seconds(1)
  /// No bound grows beyond it.
  public var maximumPause: Duration = .seconds(20)
  /// How much longer than its own pause a call waits, at most, where the service names a time.
  public var maximumRetryAfterExcess: Duration = .seconds(5)

  /// Creates a policy; four attempts and a base of 25 ms are what SDKs use with DynamoDB.
  public init(maximumAttempts: Int = 4) { self.maximumAttempts = maximumAttempts }

  /// The policy with AWS_RETRY_MODE and AWS_MAX_ATTEMPTS, or the profile's `retry_mode` and
  /// `max_attempts`, heeded.
  ///
  /// `legacy` means ten attempts, as that mode has with DynamoDB (botocore's data/_retry.json), and
  /// `adaptive` is `standard`: the jobs limit their rate by what the table gives anyway.
  ///
  /// - Throws: `ConfigurationError` for a mode that there is not, and for a value that is no number from
  ///   1 on.
  public init(
    environment: AWSEnvironment, profile: SharedConfig.Profile?
  ) throws(ConfigurationError) {
    self.init()
    let modeVariable = environment["AWS_RETRY_MODE"]
    if let mode = modeVariable ?? profile?["retry_mode"] {
      switch mode.lowercased() {
      case "standard", "adaptive": break
      case "legacy": maximumAttempts = 10
      default:
        throw ConfigurationError(
          .invalidValue,
          "\(modeVariable == nil ? "retry_mode" : "AWS_RETRY_MODE") is \"\(mode)\", which is no mode",
          hint: "use standard, adaptive or legacy")
      }
    }
    let variable = environment["AWS_MAX_ATTEMPTS"]
    guard let text = variable ?? profile?["max_attempts"] else { return }
    guard let number = Int(text), number >= 1 else {
      throw ConfigurationError(
        .invalidValue,
        "\(variable == nil ? "max_attempts" : "AWS_MAX_ATTEMPTS") is \"\(text)\", which is no "
          + "number of attempts", hint: "use a number from 1 on; 4 is usual")
    }
    maximumAttempts = number
  }

  /// The pause before a retry: chance x min(maximum, base x 2^(attempt - 1)).
  ///
  /// - Parameters:
  ///   - attempt: the attempt that failed, from 1.
  ///   - chance: from 0 to 1, drawn anew for each pause (full jitter).
  ///   - retryAfter: what the service's `x-amz-retry-after` header asks for; it lengthens the pause,
  ///     by five seconds at most, and never shortens it.
  public func pause(
    after reason: Reason, attempt: Int, chance: Double, retryAfter: Duration? = nil
  ) -> Duration {
    let base = reason == .throttling ? throttlingBase : transientBase
    // Beyond 2^30 every bound has long been reached.
    let bound = min(maximumPause, base * (1 << min(max(attempt - 1, 0), 30)))
    let pause = bound * chance
    guard let retryAfter else { return pause }
    return max(pause, min(retryAfter, pause + maximumRetryAfterExcess))
  }

  /// Reads the `x-amz-retry-after` header: whole milliseconds. Anything else is nil.
  public static func retryAfter(_ header: String?) -> Duration? {
    guard let header, let milliseconds = Int(header), milliseconds >= 0 else { return nil }
    return .milliseconds(milliseconds)
  }
}

/// Tokens that retries of one client cost, so that a service in trouble is not buried in them.
///
/// It starts full. A retry that finds too few does not happen; success brings back what the last
/// retry took, or one token where there was none.
public final class RetryQuota: Sendable {
  /// Tokens when full.
  public static let capacity = 500

  private let tokens = Mutex(capacity)

  /// Creates a full quota.
  public init() {}

  /// What a retry takes.
  public static func cost(of reason: RetryPolicy.Reason) -> Int {
    reason == .throttling ? 5 : 14
  }

  /// Tokens left.
  public var available: Int { tokens.withLock { $0 } }

  /// Takes the tokens of a retry.
  ///
  /// - Returns: what was taken, to be given back on success; nil where too few are left.
  public func acquire(_ reason: RetryPolicy.Reason) -> Int? {
    let cost = RetryQuota.cost(of: reason)
    return tokens.withLock { tokens in
      guard tokens >= cost else { return nil }
      tokens -= cost
      return cost
    }
  }

  /// Gives tokens back after a success.
  ///
  /// - Parameter taken: what the call's last retry took; nil where it had none.
  public func release(_ taken: Int?) {
    tokens.withLock { $0 = min($0 + (taken ?? 1), RetryQuota.capacity) }
  }
}

/// Retries by their reason, for a job to add up.
public struct RetryCounts: Equatable, Sendable {
  /// After a throttle.
  public var throttling: Int
  /// After an answer that the service is in trouble.
  public var server: Int
  /// After an answer whose checksum was wrong.
  public var checksum: Int
  /// After no answer: connections refused, broken, stalled.
  public var transport: Int
  /// With renewed credentials.
  public var credentials: Int

  /// Creates counts, all none unless given.
  public init(
    throttling: Int = 0, server: Int = 0, checksum: Int = 0, transport: Int = 0,
    credentials: Int = 0
  ) {
    self.throttling = throttling
    self.server = server
    self.checksum = checksum
    self.transport = transport
    self.credentials = credentials
  }

  /// All of them.
  public var total: Int { throttling + server + checksum + transport + credentials }

  public static func += (sum: inout RetryCounts, more: RetryCounts) {
    sum.throttling += more.throttling
    sum.server += more.server
    sum.checksum += more.checksum
    sum.transport += more.transport
    sum.credentials += more.credentials
  }
}
