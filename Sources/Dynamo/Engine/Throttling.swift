import JSON

/// What of a table was at its limit when a request was throttled, and which limit it was.
public struct ThrottleCause: Sendable, Hashable {
  /// The ARN of the table or index, or whatever the service named it by; empty where it did not.
  public var resource: String
  /// Such as `IndexWriteProvisionedThroughputExceeded`; the exception's name where the service gave
  /// no reason.
  public var reason: String

  public init(resource: String, reason: String) {
    self.resource = resource
    self.reason = reason
  }

  /// The causes in a list `[{"reason":…,"resource":…}]` (API reference, ThrottlingReason, of August
  /// 2025); anything else in it is passed over.
  static func list(_ reasons: JSONValue?) -> [ThrottleCause] {
    (reasons?.array ?? []).compactMap { entry in
      guard let reason = entry["reason"]?.string else { return nil }
      return ThrottleCause(resource: entry["resource"]?.string ?? "", reason: reason)
    }
  }

  /// What holds back, for people: `index by-customer holds the table back (…)`.
  public var sentence: String {
    // arn:aws:dynamodb:REGION:ACCOUNT:table/NAME[/index/NAME]
    let path = (resource.split(separator: ":", maxSplits: 5).last ?? "").split(separator: "/")
    let table = path.count > 1 && path[0] == "table" ? "table \(path[1])" : ""
    let index = path.count > 3 && path[2] == "index" ? "index \(path[3])" : ""
    let place =
      index.isEmpty ? (table.isEmpty ? (resource.isEmpty ? "the table" : resource) : table) : index
    if reason.contains("KeyRange") {
      return "a hot partition (key range) of \(place) holds the job back (\(reason))"
    }
    if reason.contains("AccountLimit") {
      return "the account's limit for \(place) holds the job back (\(reason))"
    }
    if !index.isEmpty {
      // Writes to a table wait for its indexes; reads of one concern nobody else.
      let held = reason.hasPrefix("IndexWrite") ? "the table" : "the job"
      return "\(place) holds \(held) back (\(reason))"
    }
    return "\(place) holds the job back (\(reason))"
  }
}

/// Who throttled a job, and how often.
public struct ThrottleSums: Sendable, Equatable {
  /// Throttled requests by what was at its limit, in the order in which it first showed.
  public private(set) var causes: [(cause: ThrottleCause, times: Int)] = []
  /// What the last throttled request met.
  public private(set) var latest: ThrottleCause?

  public init() {}

  /// Counts throttled requests that met the causes.
  mutating func add(_ found: [ThrottleCause], times: Int) {
    guard times > 0 else { return }
    for cause in found {
      if let index = causes.firstIndex(where: { $0.cause == cause }) {
        causes[index].times += times
      } else {
        causes.append((cause, times))
      }
    }
    latest = found.last ?? latest
  }

  /// Adds what another job met.
  static func += (sum: inout ThrottleSums, more: ThrottleSums) {
    for entry in more.causes { sum.add([entry.cause], times: entry.times) }
    sum.latest = more.latest ?? sum.latest
  }

  public static func == (left: ThrottleSums, right: ThrottleSums) -> Bool {
    left.latest == right.latest && left.causes.elementsEqual(right.causes, by: ==)
  }
}
