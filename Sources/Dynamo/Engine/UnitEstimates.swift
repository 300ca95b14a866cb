import Synchronization

/// How large pages are to be, and what the next one will probably cost, learned from those that
/// came: one page takes about a thirtieth of a second's budget, so that a run of items larger than
/// those before does little to any ten seconds.
///
/// Pure. Costs are rounded up to half a unit a page (4 KB, eventually consistent), so units per item
/// learned from small pages would mislead: the item count is steered towards the cost wanted, page
/// by page, instead of being computed.
struct PageSizer: Sendable {
  /// Seconds' worth of the budget that a page takes.
  static let share = 1 / 32.0
  /// Units of a page of 1 MB, at half a unit or one unit for each 4 KB.
  static func fullPage(consistent: Bool) -> Double { consistent ? 256 : 128 }

  /// The cost wanted.
  private let goal: Double
  /// Items a page; nil where a full page fits the budget.
  private var items: Double?
  private var cost: Double

  /// - Parameters:
  ///   - rate: units per second.
  ///   - unitsPerItem: a first guess; nil without one.
  init(rate: Double, consistent: Bool, unitsPerItem: Double?) {
    let full = PageSizer.fullPage(consistent: consistent)
    // Above the smallest cost there is, or pages of that cost would say nothing about growing.
    let least = consistent ? 1.5 : 0.75
    let goal = max(rate * PageSizer.share, least)
    self.goal = goal
    if goal >= full {
      cost = full
    } else {
      // Half of what the guess allows: it may be six hours old.
      let guess = unitsPerItem.map { goal / (2 * max($0, 1e-6)) } ?? 1
      items = min(max(guess, 1), 100_000)
      cost = goal
    }
  }

  /// `Limit` of the next page.
  var limit: Int? { items.map { Int($0) } }
  /// Units that the next page will probably cost.
  var estimate: Double { cost }

  /// Learns from a page.
  ///
  /// - Parameters:
  ///   - limit: the `Limit` it was asked with.
  ///   - scanned: items it read, those included that a filter held back.
  mutating func learn(limit: Int?, scanned: Int, units: Double) {
    guard units > 0 else { return }
    // A segment's last page says little of the others.
    let endedEarly = scanned < limit ?? 0
    if !endedEarly || units > cost { cost += 0.2 * (units - cost) }
    guard let items, let limit else { return }
    let wanted = Double(limit) * min(max(goal / units, 0.25), 4)
    if wanted < items || !endedEarly {
      self.items = min(max(items + 0.25 * (wanted - items), 1), 100_000)
    }
  }
}

/// What a batch will probably cost: the wire's size says more than what is stored (JSON, and base64
/// in binaries), an old item that is replaced or deleted may be larger, and an index may hold less;
/// the answers tell how much. Pure.
struct WriteEstimate: Sendable {
  /// Seconds' worth of the budget that a batch takes at most.
  static let share = 1 / 16.0

  /// Consumed units per estimated unit.
  private var ratio = 1.0

  /// - Parameter units: the batch's cost by its bytes.
  func estimate(_ units: Double) -> Double { max(units * ratio, 1) }

  mutating func learn(units: Double, consumed: Double) {
    guard units > 0, consumed > 0 else { return }
    ratio += 0.1 * (min(max(consumed / units, 0.05), 20) - ratio)
  }
}

/// A `PageSizer` that tasks share, or none without a budget.
final class PageMeter: Sendable {
  private let sizer: Mutex<PageSizer?>

  init(_ sizer: PageSizer?) { self.sizer = Mutex(sizer) }

  /// `Limit` of the next page.
  var limit: Int? { sizer.withLock { $0?.limit } }
  /// What the next page will probably cost.
  var estimate: Double { sizer.withLock { $0?.estimate ?? 0 } }

  func learn(limit: Int?, scanned: Int, units: Double?) {
    if let units { sizer.withLock { $0?.learn(limit: limit, scanned: scanned, units: units) } }
  }
}

/// A `WriteEstimate` that tasks share.
final class WriteMeter: Sendable {
  /// Budgets up to which an item is a part of ten seconds that counts. Of more, so many items go by
  /// that what the answers teach is as good, and costs nothing.
  static let exactRates = 0.0...1_000

  /// Units by the bytes alone: one for each KB, and as much again for each global index.
  private let unitsPerKilobyte: Double
  private let rate: Double?
  private let core = Mutex(WriteEstimate())

  /// - Parameter rate: units per second; nil without a budget.
  init(globalIndexes: Int, rate: Double?) {
    unitsPerKilobyte = Double(1 + globalIndexes)
    self.rate = rate
  }

  /// KB that a batch may hold so that it takes a small share of the budget; nil without one.
  var maximumKilobytes: Int? {
    rate.map { max(Int($0 * WriteEstimate.share / unitsPerKilobyte), 1) }
  }

  func estimate(_ batch: WriteBatch) -> Double {
    let units = units(batch)
    return core.withLock { $0.estimate(units) }
  }

  func learn(_ batch: WriteBatch, consumed: Double?) {
    guard let consumed else { return }
    let units = units(batch)
    core.withLock { $0.learn(units: units, consumed: consumed) }
  }

  private func units(_ batch: WriteBatch) -> Double {
    guard let rate, WriteMeter.exactRates.contains(rate) else {
      return Double(batch.kilobytes) * unitsPerKilobyte
    }
    let kilobytes = batch.entries.reduce(0) {
      $0 + max((StoredSize.bytes(batch.body.span.extracting($1.object)) + 1023) / 1024, 1)
    }
    return Double(kilobytes) * unitsPerKilobyte
  }
}

/// How many items to read by their keys in one call, and what that will probably cost, learned from the
/// answers: about 1 MB, and no more of a budget than a page takes.
final class KeyReadMeter: Sendable {
  /// Bytes that an answer is to have: an item may have 400 KB, and a call a hundred of them.
  private static let answerBytes = 1 << 20

  private let rate: Double?
  private let keysByBytes: Int
  /// Units of an item: whole 4 KB, read consistently; one where there is none.
  private let unitsPerKey: Mutex<Double>

  /// - Parameters:
  ///   - rate: units per second; nil without a budget.
  ///   - bytesPerItem: a first guess.
  init(rate: Double?, bytesPerItem: Int) {
    self.rate = rate
    keysByBytes = KeyReadMeter.answerBytes / max(bytesPerItem, 1)
    unitsPerKey = Mutex(Double(max((bytesPerItem + 4095) / 4096, 1)))
  }

  /// Keys of a call at most.
  var maximumKeys: Int {
    let keys = rate.map { $0 * PageSizer.share / unitsPerKey.withLock { max($0, 0.5) } }
    return min(max(keys.map { Int($0) } ?? KeyBatch.maximumKeys, 1), max(keysByBytes, 1))
  }

  func estimate(_ keys: Int) -> Double { unitsPerKey.withLock { max($0 * Double(keys), 1) } }

  func learn(keys: Int, consumed: Double) {
    guard keys > 0, consumed > 0 else { return }
    unitsPerKey.withLock { $0 += 0.2 * (consumed / Double(keys) - $0) }
  }
}
