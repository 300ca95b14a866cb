import Archive

/// What the options of jobs say of their pace.
protocol PacedOptions: Sendable {
  /// Requests in flight at most; nil chooses by the machine's cores.
  var concurrency: Int? { get }
  /// How long nothing may move before the job gives up.
  var giveUpAfter: Duration { get }
  /// Ends the job soon and well.
  var stop: StopSignal { get }
  /// Processors to keep busy.
  var cores: Int { get }
}

extension PacedOptions {
  /// Segments of a read that are gone through at a time.
  func readers(of plan: ReadPlan) -> Int {
    min(concurrency ?? min(max(4 * cores, 4), 64), plan.description.totalSegments)
  }

  /// Batches at work at most.
  var writers: Int { concurrency ?? min(max(8 * cores, 8), 64) }

  /// A gate for the requests to one table.
  ///
  /// - Parameters:
  ///   - maximum: requests in flight at most.
  ///   - rate: units a second at most; nil without a bound.
  ///   - note: receives what requests met.
  func gate(
    _ client: DynamoClient, maximum: Int, rate: Double?,
    note: @escaping @Sendable (RequestNotes) -> Void
  ) -> RequestGate {
    let clock = JobClock.system(until: stop)
    return RequestGate(
      client: client, pace: JobPace(giveUpAfter: giveUpAfter, clock: clock),
      limiter: AdaptiveLimiter(AIMD(maximum: maximum), clock: clock),
      budget: rate.map { CapacityBudget(rate: $0, clock: clock) }, note: note)
  }
}
