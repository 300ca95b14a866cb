import AWS
public import Archive
import Glibc
import JSON

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
  /// How items are changed before they are written.
  public var transforms = ItemTransforms.none
  /// Whether these may change keys.
  public var rekey = false
  /// With `resume` and no rules of its own, for those that the dump was begun with.
  public var hashKey: [UInt8]?
  /// The version to name in the manifest.
  public var toolVersion: String
  /// Processors to keep busy.
  public var cores: Int
  /// Go on with a dump that was cut short, as it was begun: where `read` asks for nothing else than
  /// the whole table, what to read is taken from the journal.
  public var resume = false
  /// Asks the job to end with what is in flight finished and journaled.
  public var stop = StopSignal()
  /// Told what earlier runs did that could not be used, before reading goes on.
  public var warn: @Sendable (String) -> Void = { _ in }

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
  /// Why a request was last taken up again.
  public var lastFault: String?
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
  /// How far earlier runs had got; nil for a dump in one run.
  public var resumed: DumpCounts?
}

/// Reads a table, or part of one, into an archive.
public struct DumpJob: Sendable {
  private let client: DynamoClient
  let storage: any WritableStorage
  let options: DumpOptions
  /// The table as it was when the job was planned.
  public let table: TableDescription
  /// What will be read.
  public let plan: ReadPlan
  /// How items will be changed.
  public let transforms: ItemTransforms
  /// Read capacity units a second at most; nil without a bound.
  public let readUnits: Double?
  /// Whether a dump is to go on that had not noted what it was asked for.
  private let beginsAnew: Bool

  /// Checks the request against the table; nothing is created yet.
  ///
  /// - Throws: `DynamoError`, or what DescribeTable threw; `TransformError` for rules that do not fit the
  ///   table.
  public init(
    client: DynamoClient, tableName: String, storage: any WritableStorage, options: DumpOptions
  ) async throws {
    self.client = client
    self.storage = storage
    self.options = options
    table = try await client.describeTable(tableName)
    let begun = options.resume ? try DumpJob.begun(storage) : nil
    beginsAnew = options.resume && begun == nil
    let read = try DumpJob.read(options, begun)
    transforms = try DumpJob.transforms(options, begun)
    try transforms.check(table.schema, rekey: options.rekey || options.transforms.isEmpty)
    plan = try ReadPlan(table: table, options: read, cores: options.cores)
    readUnits = try options.readUnits?.unitsPerSecond(
      .read, schema: table.schema, raw: table.raw, index: read.index)
  }

  /// Dumps. Until it returns the archive is visibly unfinished.
  ///
  /// - Parameter progress: called after each page, from any task.
  /// - Throws: `ArchiveError`, `ServiceError`, `DynamoError`, `CancellationError`; `TransformError` of code
  ///   `mismatch` or `collision`. Where there is nothing to go on with, what this run began is gone then.
  public func run(progress: @escaping @Sendable (DumpProgress) -> Void) async throws -> DumpSummary
  {
    var manifest = Manifest(
      tool: .init(name: "dynarc", version: options.toolVersion),
      source: ArchiveSource(
        tableName: table.schema.name, tableARN: table.arn, tableID: table.id,
        accountID: table.accountID, region: table.region, read: plan.description,
        keyless: plan.isKeyless, transforms: transforms),
      startTime: .now, endTime: .now, table: table.schema)
    // The directory is claimed before anything is read, so that nothing is read in vain.
    let archive: ArchiveWriter
    do { archive = try await claim(manifest) } catch let error as ArchiveError {
      guard error.code == .complete else { throw error }
      return try alreadyComplete(manifest.source, error)
    }
    try options.stop.takeOver()
    if beginsAnew {
      options.warn(
        "\(storage.location) had not noted yet what was asked for: it is begun as it is asked for now"
      )
    }
    for warning in archive.warnings { options.warn(warning) }
    manifest.startTime = archive.startTime
    do { return try await fill(archive, manifest, progress) } catch {
      if !options.resume, isUseless(archive, error) {
        // Where that fails, it is an unfinished dump like any other.
        try? await offPool { try archive.discard() }
      }
      throw error
    }
  }

  private func fill(
    _ archive: ArchiveWriter, _ manifest: Manifest,
    _ progress: @escaping @Sendable (DumpProgress) -> Void
  ) async throws -> DumpSummary {
    var manifest = manifest
    // Beside the reading: a service out of reach holds nothing up.
    async let settings = TableSettings.capture(table, client: client)

    let state = DumpState(
      segments: plan.description.totalSegments, expectedItems: plan.expectedItems,
      resumed: archive.resumed,
      meter: PageMeter(
        readUnits.map {
          PageSizer(
            rate: $0, consistent: plan.description.consistentRead, unitsPerItem: plan.unitsPerItem)
        }), backlog: PageBacklog(limit: 3 * options.cores << 20), progress: progress)
    let clock = JobClock.system(until: options.stop)
    let gate = RequestGate(
      client: client, pace: JobPace(giveUpAfter: options.giveUpAfter, clock: clock),
      limiter: AdaptiveLimiter(AIMD(maximum: concurrency), clock: clock),
      budget: readUnits.map { CapacityBudget(rate: $0, clock: clock) }, note: state.note)
    let pages = PageReader(
      plan: plan, tableName: table.schema.name, gate: gate, meter: state.meter)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for _ in 0..<concurrency {
        group.addTask {
          while !options.stop.isRequested, let segment = state.nextSegment() {
            try await dump(segment: segment, into: archive, state, pages)
          }
        }
      }
      // next() throws at the first failure, which cancels the others; waitForAll() would not.
      do { while try await group.next() != nil {} } catch {
        state.backlog.open()
        throw error
      }
    }

    guard state.isDone else { throw CancellationError() }
    if !plan.isKeyless, transforms.canCollide(table.schema.key) {
      try await offPool { [table] in try archive.checkKeys(table.schema.key) }
    }
    manifest.settings = await settings
    let total = archive.counts.reading
    manifest.endTime = .now
    manifest.counts.scannedItems = total.scannedItems
    manifest.counts.consumedReadUnits = total.consumedReadUnits
    let complete = manifest
    let committed = try await offPool { [storage] in
      _ = try archive.finish(complete)
      return try Archive.open(storage)
    }
    return DumpSummary(
      archive: committed, retries: state.snapshot.retries, throttledBy: state.snapshot.throttledBy,
      resumed: archive.resumed)
  }

  private func dump(
    segment: Int, into archive: ArchiveWriter, _ state: DumpState, _ pages: PageReader
  ) async throws {
    let startKey: [UInt8]?
    switch archive.position(of: segment) {
    case .start: startKey = nil
    case .after(let key): startKey = key
    // Counted with what earlier runs did.
    case .done: return
    }
    var output = try SegmentOutput(
      segment, of: archive, transforms, key: plan.isKeyless ? KeySchema([]) : table.schema.key)
    var page: Page? = try await next(segment, startKey: startKey, state, pages)
    // Taken, so that a page does not stay in memory while the next one travels.
    while let current = page.take() {
      if options.stop.isRequested, current.lastEvaluatedKey != nil {
        try store(current, &output, state)
        return try await output.checkpoint()
      }
      page = try await absorb(current, &output, state, pages)
    }
    try await output.end()
    state.finishedSegment()
  }

  /// Appends a page, ending the chunk where that is due, and fetches the next one.
  ///
  /// - Returns: the next page; nil at the segment's end.
  private func absorb(
    _ page: consuming Page, _ output: inout SegmentOutput, _ state: DumpState, _ pages: PageReader
  ) async throws -> Page? {
    let segment = output.number
    let startKey = page.lastEvaluatedKey
    async let upcoming = startKey == nil ? nil : next(segment, startKey: startKey, state, pages)
    try store(page, &output, state)
    try await output.endChunkIfDue()
    do { return try await upcoming } catch {
      // What has been paid for is kept, whatever became of the next page.
      do { try await output.checkpoint() } catch let failure {
        if error is CancellationError { throw failure }
      }
      throw error
    }
  }

  /// Moves a page from memory into the archive.
  private func store(
    _ page: consuming Page, _ output: inout SegmentOutput, _ state: DumpState
  ) throws {
    let bytes = page.bytes.count
    defer { state.backlog.left(bytes) }
    state.count(page)
    try output.append(page)
    client.recycle((consume page).bytes)
  }

  /// Fetches a page once there is room for it.
  private func next(
    _ segment: Int, startKey: [UInt8]?, _ state: DumpState, _ pages: PageReader
  ) async throws -> Page {
    await state.backlog.enter(segment)
    let page = try await pages.page(segment, startKey: startKey)
    state.backlog.arrived(page.bytes.count)
    return page
  }
}

extension Timestamp {
  /// The moment now, by the system's clock.
  static var now: Timestamp { Timestamp(seconds: time(nil)) }
}
