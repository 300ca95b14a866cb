import Dynamo
import JSON
import Synchronization

/// What retries and throttling look like in summaries and in `--json`.
enum TrafficReport {
  /// `retried 12 times: 8 throttled, 3 reset, cut or stalled connections, 1 bad checksum; 40 items
  /// came back unprocessed`; nil when nothing happened.
  static func words(_ retries: RetrySums) -> String? {
    let kinds: [(Int, String, String)] = [
      (retries.throttled, "throttled", "throttled"),
      (retries.serverErrors, "server error", "server errors"),
      (
        retries.transportFailures, "reset, cut or stalled connection",
        "reset, cut or stalled connections"
      ),
      (retries.checksumMismatches, "bad checksum", "bad checksums"),
      (retries.badAnswers, "answer that made no sense", "answers that made no sense"),
      (retries.credentialsRenewed, "renewal of credentials", "renewals of credentials"),
    ]
    let named = kinds.filter { $0.0 > 0 }.map { count, one, many in
      "\(Format.count(count)) \(count == 1 ? one : many)"
    }
    var parts: [String] = []
    if retries.total > 0 {
      parts.append(
        "retried \(retries.total == 1 ? "once" : "\(Format.count(retries.total)) times"): "
          + named.joined(separator: ", "))
    }
    if retries.unprocessedItems > 0 {
      let count = retries.unprocessedItems
      parts.append("\(Format.count(count)) item\(count == 1 ? "" : "s") came back unprocessed")
    }
    return parts.isEmpty ? nil : parts.joined(separator: "; ")
  }

  /// The lines under a summary.
  static func lines(_ retries: RetrySums, _ throttledBy: ThrottleSums) -> [String] {
    let held = throttledBy.causes.map { entry in
      "\(entry.cause.sentence), \(entry.times == 1 ? "once" : "\(Format.count(entry.times)) times")"
    }
    return [words(retries)].compactMap { $0 } + held
  }

  /// The members `retries` and `throttledBy`.
  static func add(_ retries: RetrySums, _ throttledBy: ThrottleSums, to json: inout JSONObject) {
    json["retries"] = [
      "total": JSONValue(retries.total), "throttled": JSONValue(retries.throttled),
      "serverErrors": JSONValue(retries.serverErrors),
      "transportFailures": JSONValue(retries.transportFailures),
      "checksumMismatches": JSONValue(retries.checksumMismatches),
      "badAnswers": JSONValue(retries.badAnswers),
      "credentialsRenewed": JSONValue(retries.credentialsRenewed),
      "unprocessedItems": JSONValue(retries.unprocessedItems),
    ]
    json["throttledBy"] = .array(
      throttledBy.causes.map {
        [
          "resource": .string($0.cause.resource), "reason": .string($0.cause.reason),
          "times": JSONValue($0.times),
        ]
      })
  }
}

/// When to say what holds a job back: when it first shows and when it changes, once a minute at
/// most. Pure: time, in seconds, comes in as an argument.
struct ThrottleTalk: Sendable {
  private var said: ThrottleCause?
  private var saidAt = 0.0

  init() {}

  /// The line to say now.
  mutating func line(_ latest: ThrottleCause?, at now: Double) -> String? {
    guard let latest, latest != said, said == nil || now - saidAt >= 60 else { return nil }
    said = latest
    saidAt = now
    return latest.sentence
  }
}

/// When to say why nothing moves: after ten seconds of it, then once a minute. Pure, as above.
struct StillnessTalk: Sendable {
  /// Seconds without progress that need no word.
  static let patience = 10.0

  /// When `done` last changed.
  private(set) var movedAt = 0.0
  private var done = 0
  private var saidAt = -60.0

  init() {}

  /// The line to say now.
  mutating func line(_ fault: String?, done: Int, at now: Double) -> String? {
    if done != self.done { (self.done, movedAt) = (done, now) }
    guard let fault, now - movedAt >= StillnessTalk.patience, now - saidAt >= 60 else { return nil }
    saidAt = now
    return "nothing has moved for \(Format.duration(now - movedAt)); still trying: \(fault)"
  }
}
