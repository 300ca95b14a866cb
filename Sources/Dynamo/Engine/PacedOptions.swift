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

  /// A pace for all of a job's requests, whichever table they go to: as long as anything moves the job goes on.
  var pace: JobPace {
    JobPace(giveUpAfter: giveUpAfter, clock: JobClock.system(until: stop))
  }

  /// A gate for the requests to one table.
  ///
  /// - Parameters:
  ///   - pace: the job's.
  ///   - maximum: requests in flight at most.
  ///   - rate: units a second at most; nil without a bound.
  ///   - note: receives what requests met.
  func gate(
    _ client: DynamoClient, pace: JobPace, maximum: Int, rate: Double?,
    note: @escaping @Sendable (RequestNotes) -> Void
  ) -> RequestGate {
    RequestGate(
      client: client, pace: pace,
      limiter: AdaptiveLimiter(AIMD(maximum: maximum), clock: pace.clock),
      budget: rate.map { CapacityBudget(rate: $0, clock: pace.clock) }, note: note)
  }
}
