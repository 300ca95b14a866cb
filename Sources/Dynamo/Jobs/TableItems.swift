public import Archive
import JSON

/// How to read a table that is compared.
public struct TableItemsOptions: Sendable, PacedOptions {
  /// A value for each attribute of the partition key; empty for the whole table.
  public var partition: [String] = []
  /// A condition on the sort key; needs a partition.
  public var sort: SortCondition?
  /// Strongly consistent reads, which cost twice as much.
  public var consistent = false
  /// TotalSegments of the scan, 1 to 1,000,000; nil chooses by size.
  public var segments: Int?
  /// Requests in flight at most; nil chooses by the machine's cores.
  public var concurrency: Int?
  /// What reading may consume; nil takes what the table gives.
  public var readUnits: CapacityLimit?
  /// How long nothing may move before the reading ends.
  public var giveUpAfter = Duration.seconds(900)
  /// Whether the table's settings are read too, for an archive.
  public var capturesSettings = false
  /// Ends waiting.
  public var stop = StopSignal()
  /// Processors to keep busy.
  public var cores: Int

  public init(cores: Int) { self.cores = cores }
}

/// A live table, or a slice of one, as a side of a comparison: a segment of its scan is a part.
///
/// It is read once, and an item is as it was when its page was read: a scan is no view of one moment.
public struct TableItems: ItemSource {
  public let name: String
  public let parts: [ItemPart]
  public var key: KeySchema { table.schema.key }
  public var isRepeatable: Bool { false }
  public var readersWanted: Int? { concurrency }
  public var hasUniqueKeys: Bool { true }

  private let client: DynamoClient
  private let table: TableDescription
  private let settings: TableSettings
  private let pages: PageReader
  private let concurrency: Int
  private let slice: KeySlice?
  private let startTime: Timestamp
  private let counter = ReadTrafficCounter()

  /// What reading it has taken so far.
  public var traffic: ReadTraffic { counter.sum }

  /// Looks at the table; no item is read yet.
  ///
  /// - Throws: `DynamoError`, `ArchiveError` of code `usage` for a slice that does not fit the key, or
  ///   what DescribeTable threw.
  public init(
    client: DynamoClient, tableName: String, options: TableItemsOptions
  ) async throws {
    self.client = client
    table = try await client.describeTable(tableName)
    name = "table \(tableName)"
    startTime = .now
    slice =
      options.partition.isEmpty
      ? nil
      : try KeySlice(key: table.schema.key, partition: options.partition, sort: options.sort)
    var read = ReadOptions()
    read.partition = options.partition
    read.sort = options.sort
    read.consistent = options.consistent
    read.segments = options.segments
    let plan = try ReadPlan(table: table, options: read, cores: options.cores)
    let segments = plan.description.totalSegments
    concurrency = options.readers(of: plan)
    // The service's count, in even shares, to show how far the reading is.
    parts = (0..<segments).map { segment in
      ItemPart(items: plan.expectedItems.map { $0 / segments + ($0 % segments > segment ? 1 : 0) })
    }
    let rate = try options.readUnits?.unitsPerSecond(
      .read, schema: table.schema, raw: table.raw, index: nil)
    pages = PageReader(
      plan: plan, tableName: tableName,
      gate: options.gate(
        client, pace: options.pace, maximum: concurrency, rate: rate, note: counter.note))
    settings =
      options.capturesSettings
      ? await TableSettings.capture(table, client: client)
      : TableSettings(answers: ["describeTable": .object(table.raw)])
  }

  public var origin: ItemOrigin {
    let side = ChangesSide(
      archiveID: nil, tableName: table.schema.name, tableARN: table.arn, tableID: table.id,
      items: 0, startTime: startTime, endTime: .now, slice: slice?.words)
    return ItemOrigin(
      side: side,
      source: ArchiveSource(
        tableName: table.schema.name, tableARN: table.arn, tableID: table.id,
        accountID: table.accountID, region: table.region, read: pages.plan.description),
      table: table.schema, settings: settings)
  }

  public func read(
    part: Int, _ detail: ItemDetail, _ body: (borrowing LineBlock) throws -> Bool
  ) async throws {
    var scanner = detail == .keys ? ItemScanner(key: key) : nil
    var block = LineBlock()
    var startKey: [UInt8]?
    repeat {
      let page = try await pages.page(part, startKey: startKey)
      startKey = page.lastEvaluatedKey
      counter.count(page)
      try block.fill(page.bytes.span, page.cutter.items, scanner: &scanner)
      client.recycle((consume page).bytes)
      guard try body(block) else { return }
    } while startKey != nil
  }
}
