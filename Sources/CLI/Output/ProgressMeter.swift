import Dynamo
import Synchronization

/// Turns a job's progress events into a moving line on a TTY, a quiet line now and then elsewhere,
/// or nothing.
final class ProgressMeter: Sendable {
  /// What a line is made of.
  struct Reading: Sendable {
    /// `items`, `chunks`: what `done` counts.
    var noun = "items"
    var done: Int
    /// How many there will be, where that is known.
    var expected: Int?
    var bytes: Int
    /// `RU`, `WU`: what `units` counts; nil shows none.
    var unitName: String?
    var units = 0.0
    /// A word before the numbers.
    var prefix = ""
    /// Words behind the numbers.
    var suffix = ""
    var retries = RetrySums()
    var throttledBy = ThrottleSums()
    /// Why a request was last taken up again.
    var fault: String?
  }

  private enum Style: Sendable { case moving, lines, none }

  private struct State {
    var lastShown: ContinuousClock.Instant
    var lastDone = 0
    var rate = 0.0
    var talk = ThrottleTalk()
    var stillness = StillnessTalk()
  }

  private let style: Style
  private let isQuiet: Bool
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private let state: Mutex<State>

  init(_ output: OutputOptions) {
    isQuiet = output.quiet
    style =
      output.quiet || output.noProgress ? .none : Terminal.standardErrorIsTTY ? .moving : .lines
    start = clock.now
    state = Mutex(State(lastShown: clock.now))
  }

  /// Seconds since the meter was made.
  var elapsed: Double { (clock.now - start).seconds }

  /// Takes a reading, and shows it if it is time to.
  func show(_ reading: @autoclosure () -> Reading) {
    let now = clock.now
    if !isQuiet { talk(reading(), at: (now - start).seconds) }
    guard style != .none else { return }
    let line: String? = state.withLock { state in
      let passed = now - state.lastShown
      guard passed >= interval else { return nil }
      let reading = reading()
      let current = Double(max(reading.done - state.lastDone, 0)) / passed.seconds
      // Smoothed over about ten readings, so that the estimate does not jump.
      state.rate = state.rate == 0 ? current : 0.9 * state.rate + 0.1 * current
      state.lastShown = now
      state.lastDone = reading.done
      let still = (now - start).seconds - state.stillness.movedAt > StillnessTalk.patience
      return ProgressMeter.line(reading, rate: still ? 0 : state.rate)
    }
    if let line { put(line) }
  }

  /// Tells what is waited for, if it is time to.
  func show(_ progress: WaitProgress) {
    guard style != .none else { return }
    let now = clock.now
    let isDue = state.withLock { state in
      guard now - state.lastShown >= interval else { return false }
      state.lastShown = now
      return true
    }
    if isDue { put("\(progress.status), for \(Format.duration(progress.waited.seconds))") }
  }

  private func put(_ line: String) {
    if style == .moving { ProgressLine.shared.update(line) } else { Terminal.say(line) }
  }

  /// How long a line stays at least.
  private var interval: Duration { style == .moving ? .milliseconds(200) : .seconds(30) }

  private func talk(_ reading: Reading, at time: Double) {
    let lines = state.withLock { state in
      [
        state.talk.line(reading.throttledBy.latest, at: time),
        state.stillness.line(reading.fault, done: reading.done, at: time),
      ]
    }
    for case let line? in lines { Terminal.say(line) }
  }

  /// Takes the moving line away.
  func finish() { if style == .moving { ProgressLine.shared.clear() } }

  /// `12,345 items  34.5 MB  2,345 items/s  12.3%  456.5 RU  3 retries  ETA 3m20s`
  static func line(_ reading: Reading, rate: Double) -> String {
    var parts: [String] = []
    if !reading.prefix.isEmpty { parts.append(reading.prefix) }
    parts.append("\(Format.count(reading.done)) \(reading.noun)")
    if reading.bytes > 0 { parts.append(Format.bytes(reading.bytes)) }
    parts.append("\(Format.decimal(rate, rate < 10 ? 1 : 0)) \(reading.noun)/s")
    if let expected = reading.expected, expected > 0 {
      parts.append("\(Format.decimal(100 * Double(reading.done) / Double(expected), 1))%")
    }
    if let name = reading.unitName { parts.append("\(Format.decimal(reading.units, 1)) \(name)") }
    if reading.retries.total > 0 {
      parts.append("\(Format.count(reading.retries.total)) retries")
    }
    if reading.throttledBy.latest != nil { parts.append("throttled") }
    if let expected = reading.expected, rate > 0, expected > reading.done {
      parts.append("ETA \(Format.duration(Double(expected - reading.done) / rate))")
    }
    if !reading.suffix.isEmpty { parts.append(reading.suffix) }
    return parts.joined(separator: "  ")
  }
}
