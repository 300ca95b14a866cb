import AWS
public import Archive
import Glibc
import JSON
import Synchronization

/// How to dump.
public struct DumpOptions: Sendable {
  /// What to read.
  public var read = ReadOptions()
  /// Requests in flight at most; nil chooses by the machine's cores.
  public var concurrency: Int?
  /// What reading may consume; nil takes what the table gives.
  public var readUnits: CapacityLimit?
  /// zstd level, 1 to 19.
  public var level = 3
  /// When a chunk is full.
  public var limits = ChunkLimits.standard
  /// How long nothing may move before the job gives up.
  public var giveUpAfter = Duration.seconds(900)
  /// The version to name in the manifest.
  public var toolVersion: String
  /// Processors to keep busy.
  public var cores: Int

  public init(toolVersion: String, cores: Int) {
    self.toolVersion = toolVersion
    self.cores = cores
  }
}

/// How far a dump is.
public struct DumpProgress: Sendable, Equatable {
  /// Items written to the archive.
  public var items = 0
  /// Bytes of content: lines, uncompressed.
  public var contentBytes = 0
  /// Items read before a filter.
  public var scannedItems = 0
  public var segmentsDone = 0
  public var segments = 0
  /// Read capacity units, as the service told.
  public var consumedUnits = 0.0
  /// Items the service says there are; up to six hours old; nil for a slice.
  public var expectedItems: Int?
  /// Requests that had to be sent again.
  public var retries = RetrySums()
  /// What was at its limit.
  public var throttledBy = ThrottleSums()
}

/// What a dump made.
public struct DumpSummary: Sendable {
  /// The archive as it was committed.
  public var archive: Archive
  /// Requests that had to be sent again.
  public var retries: RetrySums
  /// What was at its limit.
  public var throttledBy: ThrottleSums
}

/// Reads a table, or part of one, into an archive.
public struct DumpJob: Sendable {
  private let client: DynamoClient
  private let storage: any WritableStorage
  private let options: DumpOptions
  /// The table as it was when the job was planned.
  public let table: TableDescription
  /// What will be read.
  public let plan: ReadPlan
  /// Read capacity units a second at most; nil without a bound.
  public let readUnits: Double?

  /// Checks the request against the table; nothing is created yet.
  ///
  /// - Throws: `DynamoError`, or what DescribeTable threw.
  public init(
    client: DynamoClient, tableName: String, storage: any WritableStorage, options: DumpOptions
  ) async throws {
    self.client = client
    self.storage = storage
    self.options = options
    table = try await client.describeTable(tableName)
    plan = try ReadPlan(table: table, options: options.read, cores: options.cores)
    readUnits = try options.readUnits?.unitsPerSecond(
      .read, schema: table.schema, raw: table.raw, index: options.read.index)
  }

  /// Dumps. Until it returns the archive is visibly unfinished.
  ///
  /// - Parameter progress: called after each page, from any task.
  /// - Throws: `ArchiveError`, `ServiceError`, `DynamoError`, `CancellationError`.
  public func run(progress: @escaping @Sendable (DumpProgress) -> Void) async throws -> DumpSummary
  {
    var manifest = Manifest(
      tool: .init(name: "dynarc", version: options.toolVersion),
      source: ArchiveSource(
        tableName: table.schema.name, tableARN: table.arn, tableID: table.id,
        accountID: table.accountID, region: table.region, read: plan.description,
        keyless: plan.isKeyless),
      startTime: .now, endTime: .now, table: table.schema)
    // The directory is claimed before anything is read, so that nothing is read in vain.
    let archive = try ArchiveWriter(
      storage: storage, parameters: manifest.source.json, level: options.level,
      limits: options.limits)
    manifest.settings = await TableSettings.capture(table, client: client)

    let state = DumpState(
      segments: plan.description.totalSegments, expectedItems: plan.expectedItems,
      meter: PageMeter(
        readUnits.map {
          PageSizer(
            rate: $0, consistent: plan.description.consistentRead, unitsPerItem: plan.unitsPerItem)
        }), progress: progress)
    let concurrency = min(
      options.concurrency ?? min(max(4 * options.cores, 4), 64), plan.description.totalSegments)
    let gate = RequestGate(
      client: client, pace: JobPace(giveUpAfter: options.giveUpAfter),
      limiter: AdaptiveLimiter(AIMD(maximum: concurrency)),
      budget: readUnits.map { CapacityBudget(rate: $0) }, note: state.note)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<concurrency {
        group.addTask {
          while let segment = state.nextSegment() {
            try await dump(segment: segment, into: archive, state, gate)
          }
        }
      }
      // next() throws at the first failure, which cancels the others; waitForAll() would not.
      while try await group.next() != nil {}
    }

    let total = state.snapshot
    manifest.endTime = .now
    manifest.counts.scannedItems = total.scannedItems
    manifest.counts.consumedReadUnits = total.consumedUnits
    let complete = manifest
    let committed = try await offPool { [storage] in
      _ = try archive.finish(complete)
      return try Archive.open(storage)
    }
    return DumpSummary(
      archive: committed, retries: total.retries, throttledBy: total.throttledBy)
  }

  private func dump(
    segment: Int, into archive: ArchiveWriter, _ state: DumpState, _ gate: RequestGate
  ) async throws {
    var writer = try archive.segment(segment)
    var page: Page? = try await fetch(segment, startKey: nil, state, gate)
    while let current = page {
      page = try await absorb(current, into: archive, &writer, state, gate)
    }
    try await offPool { try archive.segmentDone(segment) }
    state.finishedSegment()
  }

  /// Appends a page, ending the chunk where that is due, while the next page travels.
  ///
  /// - Returns: the next page; nil at the segment's end.
  private func absorb(
    _ page: Page, into archive: ArchiveWriter, _ writer: inout SegmentWriter, _ state: DumpState,
    _ gate: RequestGate
  ) async throws -> Page? {
    let segment = writer.number
    let startKey = page.lastEvaluatedKey
    async let upcoming = startKey == nil ? nil : fetch(segment, startKey: startKey, state, gate)
    for item in page.cutter.items { try writer.append(page.bytes.span, item) }
    state.count(page)
    if startKey == nil || writer.isChunkFull {
      if let chunk = try writer.finishChunk(lastEvaluatedKey: startKey) {
        try await offPool { try archive.commit(chunk) }
      }
    }
    return try await upcoming
  }

  /// Fetches and cuts one page, for as long as that takes.
  private func fetch(
    _ segment: Int, startKey: [UInt8]?, _ state: DumpState, _ gate: RequestGate
  ) async throws -> Page {
    let operation = plan.description.operation
    var (attempt, badPages) = (0, 0)
    while true {
      try Task.checkCancellation()
      do {
        var limit: Int?
        let answer = try await gate.call(
          operation.rawValue, estimate: { state.meter.estimate },
          body: {
            limit = state.meter.limit
            return plan.request(segment: segment, startKey: startKey, limit: limit)
          }
        ) {
          let page = try Page($0.body)
          return .init(content: page, units: page.consumedUnits)
        }
        gate.pace.progressed()
        state.meter.learn(
          limit: limit, scanned: answer.content.scannedItems, units: answer.units)
        return answer.content
      } catch let error as ServiceError {
        try await gate.retry(after: error, attempt: attempt)
      } catch var error as ArchiveError {
        // A page that is whole by its checksum and still no JSON may be a proxy's; but one that
        // comes again and again is the service's, and nothing here will mend it.
        badPages += 1
        guard badPages < 5 else {
          let place = startKey.map { " behind the key \(String(decoding: $0, as: UTF8.self))" }
          error.message =
            "\(operation.rawValue) of \(table.schema.name), segment \(segment)\(place ?? ""): \(error.message)"
          throw error
        }
        try await gate.retry(afterBadAnswer: error.message, attempt: attempt)
      }
      attempt += 1
    }
  }
}

/// A page as it came, cut.
private struct Page: Sendable {
  let bytes: [UInt8]
  let cutter: PageCutter
  let lastEvaluatedKey: [UInt8]?
  /// Nil where the service does not tell.
  let consumedUnits: Double?

  init(_ body: [UInt8]) throws {
    var cutter = PageCutter()
    try cutter.cut(body.span)
    bytes = body
    lastEvaluatedKey = cutter.lastEvaluatedKey.map { Array(body[$0]) }
    consumedUnits = try cutter.consumedCapacity.map { try BatchAnswer.units(body.span, $0) }
    self.cutter = cutter
  }

  /// Items read, those included that a filter held back.
  var scannedItems: Int { cutter.scannedCount ?? cutter.items.count }
}

/// What the segments of one dump share.
private final class DumpState: Sendable {
  private struct State {
    var nextSegment = 0
    var progress = DumpProgress()
  }

  let meter: PageMeter
  private let state: Mutex<State>
  private let report: @Sendable (DumpProgress) -> Void

  init(
    segments: Int, expectedItems: Int?, meter: PageMeter,
    progress: @escaping @Sendable (DumpProgress) -> Void
  ) {
    self.meter = meter
    report = progress
    var state = State()
    state.progress.segments = segments
    state.progress.expectedItems = expectedItems
    self.state = Mutex(state)
  }

  var snapshot: DumpProgress { state.withLock { $0.progress } }

  func nextSegment() -> Int? {
    state.withLock { state in
      guard state.nextSegment < state.progress.segments else { return nil }
      state.nextSegment += 1
      return state.nextSegment - 1
    }
  }

  func count(_ page: Page) {
    var content = 0
    for item in page.cutter.items { content += item.range.count + LineFormat.overhead }
    change { progress in
      progress.items += page.cutter.items.count
      progress.contentBytes += content
      progress.scannedItems += page.scannedItems
      progress.consumedUnits += page.consumedUnits ?? 0
    }
  }

  @Sendable func note(_ notes: RequestNotes) {
    guard notes != RequestNotes() else { return }
    change { progress in
      progress.retries += notes.retries
      progress.throttledBy.add(notes.causes, times: notes.throttled)
    }
  }

  func finishedSegment() { change { $0.segmentsDone += 1 } }

  private func change(_ body: (inout DumpProgress) -> Void) {
    let now = state.withLock { state in
      body(&state.progress)
      return state.progress
    }
    report(now)
  }
}

extension Timestamp {
  /// The moment now, by the system's clock.
  fileprivate static var now: Timestamp { Timestamp(seconds: time(nil)) }
}
