public import Archive
import JSON

/// What a scan of a table, or of one of its indexes, takes, by the service's own counts, which are up to
/// six hours old.
public struct DumpEstimate: Sendable, Equatable {
  /// The table, or one of its indexes.
  public struct Part: Sendable, Equatable {
    /// The index's name; nil for the table.
    public var index: String?
    public var items: Int
    public var bytes: Int
    /// What a scan of it consumes: half a unit for each 4 KB, or one where it is consistent, and as
    /// much for each segment at least.
    public var readUnits: Double
  }

  /// The table first, then its indexes: what a dump of each would take.
  public let parts: [Part]
  /// What is read.
  public let part: Part
  public let rate: ExpectedRate
  public let billingMode: BillingMode
  public let tableClass: TableClass

  /// Seconds at the rate; the machine and the network may take longer.
  public var seconds: Double { part.readUnits / rate.unitsPerSecond }
  /// Stored bytes, indexes included.
  public var storedBytes: Int { parts.reduce(0) { $0 + $1.bytes } }

  /// - Parameters:
  ///   - options: which index, how, in how many segments; slices are not foreseen.
  ///   - readUnits: what reading may consume; nil takes what the table gives.
  ///   - cores: processors of the machine that dumps.
  /// - Throws: `DynamoError` of code `usage` for what does not fit the table.
  public init(
    table: TableDescription, options: ReadOptions, readUnits: CapacityLimit?, cores: Int
  ) throws(DynamoError) {
    let plan = try ReadPlan(table: table, options: options, cores: cores)
    let segments = plan.description.totalSegments
    func part(_ index: String?, _ size: (items: Int, bytes: Int)) -> Part {
      let pieces = max((size.bytes + 4095) / 4096, segments)
      return Part(
        index: index, items: size.items, bytes: size.bytes,
        readUnits: Double(pieces) * (options.consistent ? 1 : 0.5))
    }
    parts =
      [part(nil, (table.itemCount, table.sizeBytes))]
      + table.schema.indexes.map { part($0.name, table.indexSizes[$0.name] ?? (0, 0)) }
    self.part = parts.first { $0.index == options.index } ?? parts[0]
    rate = try ExpectedRate(
      readUnits, .read, schema: table.schema, raw: table.raw, index: options.index)
    billingMode = table.schema.billingMode
    tableClass = TableClass(described: .object(table.raw))
  }
}
