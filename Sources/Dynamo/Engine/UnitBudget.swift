/// Capacity units that may be consumed, paced so that any ten seconds stay within 5% of the budget,
/// or within the cost of one request where that is more: it is consumed whole or not.
///
/// Two guards: a token bucket, filled at the budget's rate and holding half a second's worth
/// at most, or one request's, sets the pace; and what was consumed within the last ten seconds or may
/// be in flight must stay below 104% of ten seconds' worth, or one request above 100%, so that answers
/// that were held up and come in a heap are made up for. A request reserves an estimate and settles
/// with what the service says it consumed; refunds and debts are carried.
///
/// Pure: time comes in as an argument.
struct UnitBudget: Sendable {
  /// Seconds over which consumption is held to the budget.
  static let window = 10.0
  /// Share of the budget that a window may reach; the rest up to 105% is for wrong estimates.
  static let windowShare = 1.04
  /// Seconds' worth that may be saved up.
  static let burst = 0.5
  private static let slotsPerSecond = 10.0

  /// Whether a request may go now.
  enum Answer: Sendable, Equatable {
    case granted
    /// Ask again after so many seconds.
    case wait(Double)
  }

  /// Units per second.
  let rate: Double
  private var level = 0.0
  private var updated: Double?
  /// Estimates in flight.
  private var reserved = 0.0
  /// Units settled, by the tenth of a second in which they were, oldest first.
  private var slots: [(number: Int, units: Double)] = []
  private var settled = 0.0

  init(rate: Double) { self.rate = rate }

  /// Reserves units for a request at a time, in seconds.
  mutating func reserve(_ estimate: Double, at now: Double) -> Answer {
    advance(to: now)
    level = min(level, max(rate * UnitBudget.burst, estimate))
    // It goes when half of it has come together and leaves the rest as a debt: so the middle of what
    // it costs is at its time, and no ten seconds lack or exceed more than half of the request at
    // either end of them.
    let needed = estimate / 2
    guard level >= needed - 1e-9 else { return .wait((needed - level) / rate) }
    let whole = rate * UnitBudget.window
    let ceiling = max(whole * UnitBudget.windowShare, whole + estimate)
    guard settled + reserved + estimate <= ceiling + 1e-9 else {
      return .wait(1 / UnitBudget.slotsPerSecond)
    }
    level -= estimate
    reserved += estimate
    return .granted
  }

  /// Settles a reservation with the units that were consumed.
  mutating func settle(_ estimate: Double, consumed: Double, at now: Double) {
    advance(to: now)
    reserved = max(reserved - estimate, 0)
    level += estimate - consumed
    guard consumed > 0 else { return }
    // Tasks look at the clock before they come here, and may overtake each other in between.
    let number = max(UnitBudget.slot(now), slots.last?.number ?? .min)
    if slots.last?.number == number {
      slots[slots.count - 1].units += consumed
    } else {
      slots.append((number, consumed))
    }
    settled += consumed
  }

  private mutating func advance(to now: Double) {
    if let updated, now > updated {
      level += (now - updated) * rate
    }
    updated = max(updated ?? now, now)
    // A slot counts until the whole of it has left the window.
    let oldest = UnitBudget.slot(now - UnitBudget.window)
    let gone = slots.prefix { $0.number < oldest }.count
    guard gone > 0 else { return }
    for slot in slots.prefix(gone) { settled -= slot.units }
    slots.removeFirst(gone)
    if slots.isEmpty { settled = 0 }
  }

  private static func slot(_ time: Double) -> Int { Int((time * slotsPerSecond).rounded(.down)) }
}
