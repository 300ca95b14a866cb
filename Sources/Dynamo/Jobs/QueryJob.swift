public import Archive
import Synchronization

/// How to look at the items of a partition.
public struct QueryOptions: Sendable {
  /// Which items; a partition is needed.
  public var read = ReadOptions()
  /// From the highest sort key down.
  public var isReversed = false
  /// Items to read at most, those that pass the filter; nil for all.
  public var limit: Int?
  /// How long nothing may move before the job gives up.
  public var giveUpAfter = Duration.seconds(900)
  /// Ends waiting.
  public var stop = StopSignal()

  public init() {}

  /// Refuses what would be no Query.
  ///
  /// - Throws: `DynamoError` of code `usage`.
  public func check() throws(DynamoError) {
    guard read.partition.isEmpty else { return }
    throw DynamoError(
      .usage, "a query needs the partition key: --pk VALUE",
      hint: "without it the whole table would be read and paid for; that is what dynarc dump is for"
    )
  }
}

/// How far a query is.
public struct QueryProgress: Sendable, Equatable {
  /// Items found.
  public var items = 0
  /// Items read before a filter.
  public var scannedItems = 0
  /// Requests that were answered.
  public var pages = 0
  /// Bytes of the items' JSON.
  public var bytes = 0
  /// What it has taken.
  public var traffic = ReadTraffic()
}

/// Looks at the items of one partition key, of a table or an index.
///
///     let job = try await QueryJob(client: client, tableName: "Orders", options: options)
///     let end = try await job.run { block in
///       for line in block.lines { show(block.bytes[line.item]) }
///       return true
///     }
public struct QueryJob: Sendable {
  /// The table as it was when the job was planned.
  public let table: TableDescription
  /// What is asked for.
  public let plan: ReadPlan

  private let client: DynamoClient
  private let options: QueryOptions

  /// Checks the request against the table; no item is read yet.
  ///
  /// - Throws: `DynamoError`, or what DescribeTable threw.
  public init(
    client: DynamoClient, tableName: String, options: QueryOptions
  ) async throws {
    try options.check()
    self.client = client
    self.options = options
    table = try await client.describeTable(tableName)
    // Nothing is loaded from what is only looked at.
    var read = options.read
    read.allowKeyless = true
    var plan = try ReadPlan(table: table, options: read, cores: 1)
    plan.isReversed = options.isReversed
    self.plan = plan
  }

  /// Reads the items, in the order of their sort keys.
  ///
  /// - Parameters:
  ///   - progress: called after each page and each fault, from any task.
  ///   - body: called for each page, on the caller's task, and says whether to go on. The next page
  ///     is asked for once it has returned, so that nothing is paid for that nobody takes. Its
  ///     argument must not be kept: the buffers are filled again.
  /// - Throws: `ServiceError`, `DynamoError` of code `stuck`, `ArchiveError` of code `badPage`,
  ///   `CancellationError`, and what `body` throws.
  public func run(
    progress: @escaping @Sendable (QueryProgress) -> Void = { _ in },
    _ body: (borrowing LineBlock) throws -> Bool
  ) async throws -> QueryProgress {
    var block = LineBlock()
    var noKeys: ItemScanner?
    return try await pages(plan, progress) { page, wanted in
      let items =
        page.cutter.items.count > wanted
        ? Array(page.cutter.items.prefix(wanted)) : page.cutter.items
      try block.fill(page.bytes.span, items, scanner: &noKeys)
      return try body(block)
    }
  }

  /// Counts the items, which costs what reading them does, but for their transfer. The service takes no
  /// projection with it.
  ///
  /// - Parameter progress: called after each page and each fault, from any task.
  /// - Throws: as `run`.
  public func count(
    progress: @escaping @Sendable (QueryProgress) -> Void = { _ in }
  ) async throws -> QueryProgress {
    var plan = plan
    plan.countsOnly = true
    return try await pages(plan, progress) { _, _ in true }
  }

  /// - Parameter take: receives a page and how many of its items are wanted.
  private func pages(
    _ plan: ReadPlan, _ progress: @escaping @Sendable (QueryProgress) -> Void,
    _ take: (Page, Int) throws -> Bool
  ) async throws -> QueryProgress {
    let state = QueryState(progress)
    let clock = JobClock.system(until: options.stop)
    let reader = PageReader(
      plan: plan, tableName: table.schema.name,
      gate: RequestGate(
        client: client, pace: JobPace(giveUpAfter: options.giveUpAfter, clock: clock),
        limiter: AdaptiveLimiter(AIMD(maximum: 1), clock: clock), budget: nil, note: state.note),
      meter: PageMeter(nil))
    var left = options.limit ?? Int.max
    var startKey: [UInt8]?
    while left > 0 {
      // Nobody knows how many items it takes to find some that pass a filter.
      let isBounded = options.limit != nil && plan.description.filterExpression == nil
      let page = try await reader.page(0, startKey: startKey, atMost: isBounded ? left : nil)
      startKey = page.lastEvaluatedKey
      let wanted = min(page.itemCount, left)
      left -= wanted
      state.count(page, wanted)
      let goesOn = try take(page, wanted)
      client.recycle((consume page).bytes)
      guard goesOn, startKey != nil else { break }
    }
    return state.snapshot
  }
}

/// Adds up what a query has read, from any task.
private final class QueryState: Sendable {
  private let state = Mutex(QueryProgress())
  private let report: @Sendable (QueryProgress) -> Void

  init(_ report: @escaping @Sendable (QueryProgress) -> Void) { self.report = report }

  var snapshot: QueryProgress { state.withLock { $0 } }

  func count(_ page: Page, _ wanted: Int) {
    let bytes = page.cutter.items.prefix(wanted).reduce(0) { $0 + $1.range.count }
    change { progress in
      progress.items += wanted
      progress.scannedItems += page.scannedItems
      progress.pages += 1
      progress.bytes += bytes
      progress.traffic.consumedUnits += page.consumedUnits ?? 0
    }
  }

  @Sendable func note(_ notes: RequestNotes) {
    guard notes != RequestNotes() else { return }
    change { $0.traffic.add(notes) }
  }

  private func change(_ body: (inout QueryProgress) -> Void) {
    let now = state.withLock { state in
      body(&state)
      return state
    }
    report(now)
  }
}
