import JSON

/// How to empty a table.
public struct TruncateOptions: Sendable, PacedOptions {
  /// What reading the keys may consume.
  public var readUnits: CapacityLimit?
  /// What the deletes may consume, indexes included.
  public var writeUnits: CapacityLimit?
  /// Requests in flight at most; nil chooses by the machine's cores.
  public var concurrency: Int?
  /// How long nothing may move before the job gives up.
  public var giveUpAfter = Duration.seconds(900)
  /// Ends the job soon and well.
  public var stop = StopSignal()
  /// Processors to keep busy.
  public var cores: Int

  public init(cores: Int) { self.cores = cores }
}

/// What it costs about to delete every item of a table, by the service's counts, which are up to six hours old.
public struct TruncateCost: Sendable, Equatable {
  public var items: Int
  /// Read units for finding the keys: a scan, strongly consistent, pays for whole items.
  public var readUnits: Int
  /// Write units: whole KB of each item, and of what each index holds of it.
  public var writeUnits: Int

  init(_ table: TableDescription) {
    items = table.itemCount
    readUnits = (table.sizeBytes + 4095) / 4096
    let parts =
      [(table.itemCount, table.sizeBytes)] + table.indexSizes.values.map { ($0.items, $0.bytes) }
    writeUnits = parts.reduce(0) { sum, part in
      let (items, bytes) = part
      // Of items of many sizes no more is known than their mean.
      return items > 0 ? sum + items * max((bytes / items + 1023) / 1024, 1) : sum
    }
  }
}

/// What emptying a table is about to do; nothing has been deleted.
public struct TruncatePlan: Sendable {
  public let table: TableDescription
  /// Whether there is anything to delete.
  public let holdsItems: Bool
  public let cost: TruncateCost
  /// Units a second at most; nil without a bound.
  public let readUnits: Double?
  public let writeUnits: Double?
  let keys: ReadPlan
}

/// How far the emptying of a table is.
public struct TruncateProgress: Sendable, Equatable, TrafficProgress {
  /// Deletes acknowledged by the service.
  public var deleted = 0
  /// Items by the service's count, up to six hours old.
  public var expectedItems: Int
  /// Bytes sent in requests that delete.
  public var wireBytes = 0
  /// Capacity units, as the service told.
  public var readUnits = 0.0
  public var writeUnits = 0.0
  /// Requests and items that had to be sent again.
  public var retries = RetrySums()
  /// Why a request was last taken up again.
  public var lastFault: String?
  /// What was at its limit.
  public var throttledBy = ThrottleSums()

  public init(expectedItems: Int) { self.expectedItems = expectedItems }
}

/// Deletes every item of a table. It needs no notes to go on after an end half-way: what is deleted is gone.
public struct TruncateJob: Sendable {
  private let client: DynamoClient
  private let table: String
  private let options: TruncateOptions

  /// - Parameter table: the table's name.
  public init(client: DynamoClient, table: String, options: TruncateOptions) {
    self.client = client
    self.table = table
    self.options = options
  }

  /// Looks at the table; deletes nothing.
  ///
  /// - Throws: `DynamoError` of code `noSuchTable`, `protected`, `notActive` or `usage`; `ServiceError`,
  ///   `CancellationError`.
  public func plan() async throws -> TruncatePlan {
    let found = try await client.usable(
      try await client.describeTable(table), limit: options.giveUpAfter)
    guard found.raw["DeletionProtectionEnabled"]?.bool != true else {
      throw DynamoError(
        .protected, "table \(table) has deletion protection",
        hint: "take it away first, if you mean it: aws dynamodb update-table --table-name \(table) "
          + "--no-deletion-protection-enabled")
    }
    return TruncatePlan(
      table: found, holdsItems: try await client.holdsItems(table), cost: TruncateCost(found),
      readUnits: try options.readUnits?.unitsPerSecond(
        .read, schema: found.schema, raw: found.raw),
      writeUnits: try options.writeUnits?.unitsPerSecond(
        .write, schema: found.schema, raw: found.raw),
      keys: try ReadPlan.keys(of: found, cores: options.cores))
  }

  /// Deletes the items.
  ///
  /// - Parameter progress: called after each request, from any task.
  /// - Throws: `DynamoError`, `ServiceError`, `ArchiveError`, `CancellationError`. What has been deleted until then
  ///   is gone; the job may be run again.
  public func run(
    _ plan: TruncatePlan, progress: @escaping @Sendable (TruncateProgress) -> Void
  ) async throws -> TruncateProgress {
    let state = JobState(
      TruncateProgress(expectedItems: plan.cost.items), progress: progress)
    let writer = TableWriter(
      client: client, table: table, schema: plan.table.schema, options: options,
      writeUnits: plan.writeUnits, note: state.note)
    let keys = PageReader(
      plan: plan.keys, tableName: table,
      gate: writer.gate.reading(unitsPerSecond: plan.readUnits))
    try options.stop.takeOver()
    try await writer.delete(keys, readers: options.readers(of: plan.keys)) { tally in
      state.change { progress in
        progress.deleted += tally.deleted
        progress.wireBytes += tally.wireBytes
        progress.readUnits += tally.consumedReadUnits
        progress.writeUnits += tally.consumedUnits
      }
    }
    return state.snapshot
  }
}
