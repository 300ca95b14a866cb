import Synchronization

/// The credentials in use: found once, renewed before they expire, one search at a time.
///
/// A call whose credentials have plenty of life left takes them without waiting. With 15 minutes
/// left the first call starts a search in the background; with 10 left calls wait for it (botocore's
/// advisory and mandatory time-outs). Of credentials that were given less than 30 minutes, half and a
/// third of that count instead, or each call would search.
///
/// Whoever has answered once is the only one asked later: an identity never changes on the way.
public final class CachedCredentials: Sendable {
  /// Seconds before the end from which a renewal is begun, without anyone waiting.
  static let advisoryLead: Int64 = 15 * 60
  /// Seconds before the end from which calls wait for the renewal.
  static let mandatoryLead: Int64 = 10 * 60
  /// Seconds after a search that failed before the next, while there still are credentials to use.
  static let restAfterFailure: Int64 = 30
  /// Pauses between looks for a replacement: whoever renews a file may be a little late, or writing
  /// it at this moment.
  static let patience: [Duration] = [
    .milliseconds(100), .milliseconds(400), .seconds(1), .seconds(2),
  ]

  typealias Search = Task<Result<ResolvedCredentials, CredentialError>, Never>

  private struct State {
    var current: ResolvedCredentials?
    /// When `current` was found.
    var foundAt = AWSTimestamp(epochSeconds: 0)
    var failedAt: AWSTimestamp?
    var search: Search?
  }

  private let state = Mutex(State())
  private let now: @Sendable () -> AWSTimestamp
  private let sleep: @Sendable (Duration) async throws -> Void
  private let find: @Sendable () async throws(CredentialError) -> ResolvedCredentials

  /// Creates a cache in front of a chain.
  public convenience init(
    _ chain: CredentialChain, now: @escaping @Sendable () -> AWSTimestamp = { .now }
  ) {
    let chosen = Mutex<String?>(nil)
    self.init(now: now) { () async throws(CredentialError) in
      let found = try await chain.resolve(only: chosen.withLock { $0 })
      chosen.withLock { $0 = found.provider }
      return found
    }
  }

  init(
    now: @escaping @Sendable () -> AWSTimestamp,
    sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
    find: @escaping @Sendable () async throws(CredentialError) -> ResolvedCredentials
  ) {
    self.now = now
    self.sleep = sleep
    self.find = find
  }

  /// What to do with credentials at a moment.
  enum Decision: Equatable {
    case use, useAndRenew, waitForRenewal
  }

  /// Decides by the time that is left, and the time there was when they were found.
  static func decide(
    _ credentials: Credentials, foundAt: AWSTimestamp, at now: AWSTimestamp
  ) -> Decision {
    guard let expiration = credentials.expiration else { return .use }
    let life = expiration.epochSeconds - foundAt.epochSeconds
    let left = expiration.epochSeconds - now.epochSeconds
    if left <= min(mandatoryLead, life / 3) { return .waitForRenewal }
    return left <= min(advisoryLead, life / 2) ? .useAndRenew : .use
  }

  /// Credentials to sign with now.
  ///
  /// - Throws: `CredentialError` where there are none, or they have expired and cannot be renewed.
  public func current() async throws(CredentialError) -> ResolvedCredentials {
    let now = now()
    let (usable, search) = state.withLock { state -> (ResolvedCredentials?, Search?) in
      guard let current = state.current else { return (nil, joinSearch(&state)) }
      let alive = current.credentials.expiration.map { $0 > now } ?? true
      // Nobody has newer ones, or had some a moment ago; these are good until they expire.
      let resting =
        state.failedAt.map { now < $0.advanced(by: CachedCredentials.restAfterFailure) } ?? false
      if alive, !current.canChange || resting { return (current, nil) }
      switch CachedCredentials.decide(current.credentials, foundAt: state.foundAt, at: now) {
      case .use: return (current, nil)
      case .useAndRenew:
        _ = joinSearch(&state)
        return (current, nil)
      case .waitForRenewal:
        return (alive ? current : nil, current.canChange ? joinSearch(&state) : nil)
      }
    }
    guard let search else {
      guard let usable else {
        throw CredentialError(
          .expired, "the credentials have expired, and cannot be renewed while dynarc runs",
          hint: "get new ones and go on")
      }
      return usable
    }
    switch await search.value {
    case .success(let found):
      guard let expiration = found.credentials.expiration, expiration <= now else { return found }
      throw CredentialError(
        .expired, "the credentials expired at \(expiration)", provider: found.provider,
        hint: "renew them and run the command again")
    case .failure(let error):
      guard let usable else { throw error }
      return usable
    }
  }

  /// Other credentials than those the service has rejected.
  ///
  /// - Parameter rejected: what the service did not take. Where it has been replaced already, the
  ///   replacement is returned without another search.
  /// - Returns: nil where searches bring the same ones again and again.
  /// - Throws: `CredentialError`.
  public func replacement(
    for rejected: Credentials
  ) async throws(CredentialError) -> ResolvedCredentials? {
    for pause in CachedCredentials.patience {
      do throws(CredentialError) {
        if let found = try await searched(for: rejected) { return found }
        guard state.withLock({ $0.current?.canChange ?? true }) else { return nil }
      } catch {
        // A file that is being written may look like anything; the last look's error counts.
      }
      // Who is cancelled has no use for credentials.
      do { try await sleep(pause) } catch { return nil }
    }
    return try await searched(for: rejected)
  }

  /// `replacement`, by one search.
  private func searched(
    for rejected: Credentials
  ) async throws(CredentialError) -> ResolvedCredentials? {
    let (newer, search) = state.withLock { state -> (ResolvedCredentials?, Search?) in
      if let current = state.current, current.credentials != rejected { return (current, nil) }
      return (nil, joinSearch(&state))
    }
    if let newer { return newer }
    guard let found = try await search?.value.get() else { return nil }
    return found.credentials == rejected ? nil : found
  }

  /// The search under way, or a new one. It belongs to no caller: cancelling one of them does not
  /// take it from the others.
  private func joinSearch(_ state: inout State) -> Search {
    if let search = state.search { return search }
    let search = Search { [self] in
      let result: Result<ResolvedCredentials, CredentialError>
      do throws(CredentialError) { result = .success(try await find()) } catch {
        result = .failure(error)
      }
      self.state.withLock { state in
        switch result {
        case .success(let found):
          (state.current, state.foundAt, state.failedAt) = (found, now(), nil)
        case .failure: state.failedAt = now()
        }
        state.search = nil
      }
      return result
    }
    state.search = search
    return search
  }
}
