/// How many requests may be in flight, by additive increase and multiplicative decrease: it finds
/// what a table gives, and jobs that share a table come to share it about evenly.
///
/// Pure: no clock, no waiting. Requests are numbered in the order in which they are sent, so that a
/// throttle of one that was sent before the last cut is known for old news.
struct AIMD: Sendable {
  /// Permits at the start, or the maximum if that is less.
  static let start = 4
  /// Rounds of success that one more permit takes once a throttle has shown where the table's limit
  /// is; before that it takes one.
  static let cautiousRounds = 5
  /// The first pause between requests where even one at a time is too many.
  static let firstRest = Duration.milliseconds(50)
  static let longestRest = Duration.seconds(5)

  let maximum: Int
  /// Requests that may be in flight; from 1 to the maximum.
  private(set) var limit: Int
  /// How long a request stays away from the one before it; other than zero at one permit only.
  private(set) var rest = Duration.zero
  private var successes = 0
  private var lastWasThrottled = false
  private var sent = 0
  /// The first request behind the last cut.
  private var firstAfterCut: Int?

  init(maximum: Int) {
    self.maximum = max(maximum, 1)
    limit = min(AIMD.start, self.maximum)
  }

  /// The same number of permits throughout.
  init(fixed: Int) {
    maximum = max(fixed, 1)
    limit = maximum
  }

  /// Numbers a request that is sent now.
  mutating func send() -> Int {
    sent += 1
    return sent
  }

  /// A request went through unthrottled.
  ///
  /// - Parameter waiting: whether another one waits for a permit; if none does, more are of no use.
  mutating func succeeded(waiting: Bool) {
    lastWasThrottled = false
    guard rest == .zero else {
      rest = rest * 0.9
      if rest < AIMD.firstRest / 10 { rest = .zero }
      return
    }
    guard waiting, limit < maximum else { return }
    successes += 1
    guard successes >= limit * (firstAfterCut == nil ? 1 : AIMD.cautiousRounds) else { return }
    successes = 0
    limit += 1
  }

  /// Request number `number` was throttled: halves the permits, once a round.
  mutating func throttled(sentAt number: Int) {
    guard number >= firstAfterCut ?? 0 else { return }
    firstAfterCut = sent + 1
    successes = 0
    if limit > 1 {
      limit /= 2
    } else if lastWasThrottled {
      // A single throttle may be anybody's; two in a row at one request at a time are too fast.
      rest = min(max(rest * 2, AIMD.firstRest), AIMD.longestRest)
    }
    lastWasThrottled = true
  }
}
