import Testing

@testable import Dynamo

// One after the other and off the cooperative pool: simulations keep a core busy, and other suites
// look at the clock.
@Suite(.serialized) struct AIMDTests {
  @Test(arguments: [(1, 1), (3, 3), (4, 4), (64, 4)])
  func itStartsSmall(maximum: Int, start: Int) {
    #expect(AIMD(maximum: maximum).limit == start)
  }

  @Test func aRoundOfSuccessIsOnePermitMoreWhileOthersWait() {
    var core = AIMD(maximum: 6)
    for _ in 0..<100 { core.succeeded(waiting: false) }
    #expect(core.limit == 4)
    for _ in 0..<3 { core.succeeded(waiting: true) }
    #expect(core.limit == 4)
    core.succeeded(waiting: true)
    #expect(core.limit == 5)
    for _ in 0..<100 { core.succeeded(waiting: true) }
    #expect(core.limit == 6)
  }

  @Test func aRoundOfThrottlesIsOneCut() {
    var core = AIMD(maximum: 8)
    let requests = (0..<4).map { _ in core.send() }
    core.throttled(sentAt: requests[2])
    #expect(core.limit == 2)
    for request in requests { core.throttled(sentAt: request) }
    #expect(core.limit == 2)
    let later = core.send()
    core.throttled(sentAt: later)
    #expect(core.limit == 1)
    // From then on it looks for the limit with more care: five rounds a permit.
    for _ in 0..<4 { core.succeeded(waiting: true) }
    #expect(core.limit == 1)
    core.succeeded(waiting: true)
    #expect(core.limit == 2)
  }

  @Test func belowOnePermitItTakesARest() {
    var core = AIMD(maximum: 1)
    #expect(core.rest == .zero)
    for _ in 0..<4 {
      let request = core.send()
      core.throttled(sentAt: request)
    }
    #expect(core.limit == 1)
    #expect(core.rest == .milliseconds(200))
    for _ in 0..<200 { core.succeeded(waiting: true) }
    #expect(core.rest == .zero)
    for _ in 0..<40 {
      let request = core.send()
      core.throttled(sentAt: request)
    }
    #expect(core.limit == 1)
    #expect(core.rest == AIMD.longestRest)
  }

  /// Against a table that gives `limit` units a second, one job takes at least 80% of it, and after
  /// the first seconds few requests are throttled.
  @Test(arguments: [
    // (units/s of the table, units of a request, seconds of a round trip, throttled at most)
    (5_000.0, 10.0, 0.04, 0.05),
    (12_000, 128, 0.06, 0.05),
    (4_000, 25, 0.02, 0.05),
    (40_000, 128, 0.1, 0.05),
    // One request at a time is too many: 1,280 units a second.
    (300, 128, 0.1, 0.4),
    // A page takes five seconds of what this table gives.
    (25, 128, 0.1, 0.6),
  ])
  func itFindsTheLimit(_ limit: Double, _ units: Double, _ latency: Double, _ bound: Double)
    async throws
  {
    let seconds = max(20, 100 * units / limit)
    let job = try await offPool {
      var table = SimulatedTable(
        limit: limit, units: units, latency: latency, jobs: [AIMD(maximum: 64)])
      table.run(from: 0, to: 20)
      table.forget()
      table.run(from: 20, to: 20 + seconds)
      return table.jobs[0]
    }
    #expect(job.consumed > 0.8 * limit * seconds)
    #expect(Double(job.throttled) < bound * Double(job.requests))
  }

  /// Two jobs take about the same, even if one of them had the table to itself before.
  @Test(arguments: [0.0, 30])
  func twoShareEvenly(lead: Double) async throws {
    let (first, second) = try await offPool {
      var table = SimulatedTable(
        limit: 5_000, units: 10, latency: 0.04, jobs: [AIMD(maximum: 64), AIMD(maximum: 64)])
      table.jobs[1].start = lead
      table.run(from: 0, to: lead + 30)
      table.forget()
      table.run(from: lead + 30, to: lead + 90)
      return (table.jobs[0].consumed, table.jobs[1].consumed)
    }
    #expect(first + second > 0.85 * 5_000 * 60)
    #expect(min(first, second) > 0.7 * max(first, second))
  }
}

/// A table with a token bucket of one second's worth, and jobs with 64 workers each, in virtual time.
/// Calls try again by themselves as the SDKs do: four attempts, rand x 1, 2, 4 s between them.
private struct SimulatedTable {
  struct Job {
    var core: AIMD
    var start = 0.0
    var inUse = 0
    var lastRelease = 0.0
    /// Workers that want a permit now.
    var waiting = 64
    var requests = 0
    var throttled = 0
    var consumed = 0.0

    init(_ core: AIMD) { self.core = core }
  }

  private enum Step {
    case send(attempt: Int)
    case decide(attempt: Int)
    case answer(throttled: Bool, gaveUp: Bool)
    case wantAgain
  }

  private struct Event {
    var time: Double
    var job: Int
    var number: Int
    var step: Step
    var wasThrottled = false
  }

  let limit: Double
  let units: Double
  let latency: Double
  var jobs: [Job]
  private var level: Double
  private var refilled = 0.0
  private var events: [Event] = []
  private var random = SeededRandom(seed: 7)

  init(limit: Double, units: Double, latency: Double, jobs: [AIMD]) {
    self.limit = limit
    self.units = units
    self.latency = latency
    self.jobs = jobs.map { Job($0) }
    level = limit
  }

  /// Starts counting anew.
  mutating func forget() {
    for index in jobs.indices {
      (jobs[index].requests, jobs[index].throttled, jobs[index].consumed) = (0, 0, 0)
    }
  }

  mutating func run(from start: Double, to end: Double) {
    for job in jobs.indices { admit(job, at: max(start, jobs[job].start)) }
    while let index = events.indices.min(by: { events[$0].time < events[$1].time }),
      events[index].time < end
    {
      let event = events[index]
      events[index] = events[events.count - 1]
      events.removeLast()
      handle(event)
    }
  }

  private mutating func admit(_ job: Int, at time: Double) {
    while jobs[job].waiting > 0, jobs[job].inUse < jobs[job].core.limit {
      jobs[job].waiting -= 1
      jobs[job].inUse += 1
      let number = jobs[job].core.send()
      let rested = jobs[job].lastRelease + jobs[job].core.rest.inSeconds
      events.append(
        Event(time: max(time, rested), job: job, number: number, step: .send(attempt: 1)))
    }
  }

  private mutating func handle(_ event: Event) {
    var next = event
    switch event.step {
    case .send(let attempt):
      next.step = .decide(attempt: attempt)
      next.time += latency * random.between(0.25, 0.75)
    case .decide(let attempt):
      level = min(level + (event.time - refilled) * limit, limit)
      refilled = event.time
      jobs[event.job].requests += 1
      // As DynamoDB does: what is left decides, and the request may go into debt.
      if level > 0 {
        level -= units
        jobs[event.job].consumed += units
        next.step = .answer(throttled: event.wasThrottled, gaveUp: false)
        next.time += latency / 2
      } else {
        jobs[event.job].throttled += 1
        next.wasThrottled = true
        next.step =
          attempt == 4 ? .answer(throttled: true, gaveUp: true) : .send(attempt: attempt + 1)
        next.time +=
          latency / 2 + (attempt == 4 ? 0 : random.between(0, 1) * Double(1 << (attempt - 1)))
      }
    case .answer(let throttled, let gaveUp):
      if throttled {
        jobs[event.job].core.throttled(sentAt: event.number)
      } else {
        jobs[event.job].core.succeeded(waiting: jobs[event.job].waiting > 0)
      }
      jobs[event.job].inUse -= 1
      jobs[event.job].lastRelease = event.time
      next.step = .wantAgain
      // The job's own backoff; what was read is compressed in no time.
      if gaveUp { next.time += random.between(0, 1) }
    case .wantAgain:
      jobs[event.job].waiting += 1
      admit(event.job, at: event.time)
      return
    }
    events.append(next)
    if case .answer = event.step { admit(event.job, at: event.time) }
  }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func between(_ low: Double, _ high: Double) -> Double {
    Double.random(in: low...high, using: &self)
  }
}
