public import JSON

/// What reading some pages brought and cost.
public struct PageTotals: Sendable, Equatable {
  /// Items that the service read, before a filter.
  public var scannedItems: Int
  /// Read capacity units that the service reported.
  public var consumedReadUnits: Double

  public init(scannedItems: Int = 0, consumedReadUnits: Double = 0) {
    self.scannedItems = scannedItems
    self.consumedReadUnits = consumedReadUnits
  }
}

/// How far a dump has got, over all its runs.
public struct DumpCounts: Sendable, Equatable {
  public var chunks = 0
  /// Items in them.
  public var items = 0
  /// Bytes of their lines.
  public var contentBytes = 0
  /// Bytes of their files.
  public var storedBytes = 0
  /// Of the pages behind all that stands in the journal; what was read and lost again is not in it.
  public var reading = PageTotals()
  public var segmentsDone = 0

  public init(
    chunks: Int = 0, items: Int = 0, contentBytes: Int = 0, storedBytes: Int = 0,
    reading: PageTotals = PageTotals(), segmentsDone: Int = 0
  ) {
    self.chunks = chunks
    self.items = items
    self.contentBytes = contentBytes
    self.storedBytes = storedBytes
    self.reading = reading
    self.segmentsDone = segmentsDone
  }
}

/// Where a segment goes on.
public enum SegmentPosition: Sendable, Equatable {
  case start
  /// Behind this key: the JSON of a LastEvaluatedKey.
  case after([UInt8])
  case done
}

/// `dump.journal`: what an unfinished dump has done so far, as JSON lines that are each durable
/// before the dump goes on.
///
/// The same value is built by reading a journal and, line by line, while one is written.
public struct Journal: Sendable, Equatable {
  static let format = "dynarc-journal"
  static let version = 1
  /// The largest journal that is read, in bytes.
  static let sizeLimit = 1 << 30

  /// A step of a segment: a chunk that stands under its name, or, without one, a place between
  /// chunks where a run ended.
  public struct Entry: Sendable, Equatable {
    public var row: ChunkRow?
    /// Bytes of the largest item in the chunk.
    public var largestItemBytes: Int
    /// Of the pages since the step before.
    public var reading: PageTotals
    /// Where the segment goes on; nil behind its end.
    public var lastEvaluatedKey: JSONValue?
  }

  /// What has been done of a segment.
  public struct Segment: Sendable, Equatable {
    /// In their order.
    public var entries: [Entry] = []
    /// Of the pages behind the last entry, once the segment is noted as done.
    public var end: PageTotals?
    /// The number of the next chunk.
    public var nextChunk = 0

    /// Where it goes on.
    public var position: SegmentPosition {
      if end != nil { return .done }
      guard let last = entries.last else { return .start }
      return last.lastEvaluatedKey.map { .after($0.serialized()) } ?? .done
    }
  }

  /// The program that began the dump.
  public let tool: ArchiveTool
  /// When it was begun.
  public let startTime: Timestamp
  /// What it was asked for: `ArchiveSource` as JSON.
  public let parameters: JSONObject
  /// By number; those of which nothing has been done are missing.
  public private(set) var segments: [Int: Segment] = [:]
  /// The sums of all that.
  public private(set) var counts = DumpCounts()
  /// Bytes of the journal's whole lines; what is behind them was torn by a crash.
  private(set) var length = 0

  init(tool: ArchiveTool, startTime: Timestamp, parameters: JSONObject) {
    self.tool = tool
    self.startTime = startTime
    self.parameters = parameters
  }

  /// What was read, as a manifest tells it.
  ///
  /// - Throws: `ArchiveError` of code `damaged`.
  public var source: ArchiveSource {
    get throws(ArchiveError) {
      try ArchiveSource(
        Fields(.object(parameters), file: ArchiveNames.journal, path: "parameters"))
    }
  }

  /// Reads the journal of an unfinished dump.
  ///
  /// - Returns: nil where the dump ended before the journal's first line.
  /// - Throws: `ArchiveError`; code `missing` where there is none.
  public static func read(_ storage: any ReadableStorage) throws(ArchiveError) -> Journal? {
    let bytes = try storage.contents(ArchiveNames.journal, limit: sizeLimit)
    return try Journal(parsing: bytes.span)
  }

  /// Notes a step.
  ///
  /// - Throws: `ArchiveError` of code `damaged` where it cannot follow on what is noted.
  mutating func add(_ entry: Entry, to number: Int) throws(ArchiveError) {
    var segment = segments[number] ?? Segment()
    guard segment.position != .done else {
      throw Journal.fault("segment \(number) goes on behind its end")
    }
    var counts = counts
    if let row = entry.row {
      guard row.id == ChunkID(segment: number, number: segment.nextChunk) else {
        throw Journal.fault(
          "\(row.name) stands where chunk \(segment.nextChunk) of segment \(number) should")
      }
      segment.nextChunk += 1
      guard counts.add(row) else { throw Journal.fault("the sums overflow at \(row.name)") }
    }
    guard counts.add(entry.reading) else {
      throw Journal.fault("the sums overflow in segment \(number)")
    }
    segment.entries.append(entry)
    if segment.position == .done { counts.segmentsDone += 1 }
    self.counts = counts
    segments[number] = segment
  }

  /// Notes that a segment is done.
  ///
  /// - Parameter reading: of the pages behind its last step.
  mutating func end(_ number: Int, reading: PageTotals) throws(ArchiveError) {
    var segment = segments[number] ?? Segment()
    guard segment.end == nil else { throw Journal.fault("segment \(number) ends twice") }
    guard counts.add(reading) else {
      throw Journal.fault("the sums overflow in segment \(number)")
    }
    if segment.position != .done { counts.segmentsDone += 1 }
    segment.end = reading
    segments[number] = segment
  }

  /// Takes back a chunk and all that follows on it in its segment.
  ///
  /// - Returns: the rows taken back.
  @discardableResult
  mutating func drop(_ id: ChunkID) throws(ArchiveError) -> [ChunkRow] {
    guard var segment = segments[id.segment],
      let index = segment.entries.firstIndex(where: { $0.row?.id == id })
    else { throw Journal.fault("\(id.name) is dropped and not there") }
    if segment.position == .done { counts.segmentsDone -= 1 }
    if let end = segment.end { counts.subtract(end) }
    let dropped = segment.entries[index...]
    for entry in dropped {
      counts.subtract(entry.reading)
      if let row = entry.row { counts.subtract(row) }
    }
    let rows = dropped.compactMap(\.row)
    segment.entries.removeSubrange(index...)
    segment.end = nil
    segment.nextChunk = id.number
    segments[id.segment] = segment
    return rows
  }

  /// All rows in the order of segments and numbers.
  var rows: [ChunkRow] {
    segments.sorted { $0.key < $1.key }.flatMap { $0.value.entries.compactMap(\.row) }
  }

  /// Bytes of the largest item.
  var largestItemBytes: Int {
    segments.values.lazy.flatMap { $0.entries.lazy.map(\.largestItemBytes) }.max() ?? 0
  }

  mutating func grow(by bytes: Int) { length += bytes }

  static func fault(_ what: String, offset: Int? = nil) -> ArchiveError {
    ArchiveError(
      .damaged, what, file: ArchiveNames.journal, offset: offset,
      hint: "the dump cannot be gone on with; dump the table again into another directory")
  }
}

extension DumpCounts {
  /// False, and nothing of use, where a sum is larger than any real one.
  fileprivate mutating func add(_ row: ChunkRow) -> Bool {
    chunks += 1
    return DumpCounts.add(row.items, to: &items)
      && DumpCounts.add(row.contentBytes, to: &contentBytes)
      && DumpCounts.add(row.storedBytes, to: &storedBytes)
  }

  fileprivate mutating func add(_ totals: PageTotals) -> Bool {
    reading.consumedReadUnits += totals.consumedReadUnits
    return DumpCounts.add(totals.scannedItems, to: &reading.scannedItems)
  }

  private static func add(_ value: Int, to sum: inout Int) -> Bool {
    let overflow: Bool
    (sum, overflow) = sum.addingReportingOverflow(value)
    return !overflow
  }

  fileprivate mutating func subtract(_ row: ChunkRow) {
    chunks -= 1
    items -= row.items
    contentBytes -= row.contentBytes
    storedBytes -= row.storedBytes
  }

  fileprivate mutating func subtract(_ totals: PageTotals) {
    reading.scannedItems -= totals.scannedItems
    reading.consumedReadUnits -= totals.consumedReadUnits
  }
}
