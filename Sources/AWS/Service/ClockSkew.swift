import Synchronization

/// How far this machine's clock is from a service's, learned from the service's own answers.
///
/// A signature holds for some minutes only (AWS General Reference, "Signature Version 4 signing
/// process"). Where a request is refused and the answer's `Date` is far from the time that it was signed
/// with, all later requests are signed by the service's time.
public final class ClockSkew: Sendable {
  /// Seconds by which two clocks may differ before one is called wrong; the AWS SDKs' figure.
  public static let tolerance: Int64 = 240

  /// What services say to a request whose time they do not accept, and to one whose signature they
  /// reject for any other reason: only the clocks tell which.
  static let codes: Set<String> = [
    "AuthFailure", "InvalidSignatureException", "RequestExpired", "RequestInTheFuture",
    "RequestTimeTooSkewed", "SignatureDoesNotMatch",
  ]

  private let offset = Mutex<Int64>(0)
  private let corrected: (@Sendable (Int64) -> Void)?

  /// Creates a clock that is taken for right.
  ///
  /// - Parameter corrected: told the seconds, each time that they are found to be others.
  public init(corrected: (@Sendable (Int64) -> Void)? = nil) { self.corrected = corrected }

  /// Seconds to add to this machine's clock to get the service's; 0 while nothing is known.
  public var seconds: Int64 { offset.withLock { $0 } }

  /// The service's time at a moment of this machine's clock.
  func corrected(_ moment: AWSTimestamp) -> AWSTimestamp {
    AWSTimestamp(epochSeconds: moment.epochSeconds + seconds)
  }

  /// Looks whether a refusal is due to the clocks, and corrects ours if so.
  ///
  /// - Parameters:
  ///   - date: the answer's `Date` header.
  ///   - signed: the time that the request was signed with.
  ///   - now: this machine's time.
  /// - Returns: whether the request is to be signed anew.
  func learn(
    from code: String, date: String?, signed: AWSTimestamp, now: AWSTimestamp
  ) -> Bool {
    guard ClockSkew.codes.contains(code), let service = date.flatMap(AWSTimestamp.init(httpDate:)),
      abs(service.epochSeconds - signed.epochSeconds) > ClockSkew.tolerance
    else { return false }
    let seconds = service.epochSeconds - now.epochSeconds
    let before = offset.withLock { offset in
      defer { offset = seconds }
      return offset
    }
    // Calls that were in flight learn the same again, give or take a second.
    if abs(before - seconds) > ClockSkew.tolerance { corrected?(seconds) }
    return true
  }
}
