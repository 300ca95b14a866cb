public import Archive
import JSON
import Synchronization

/// What loading a snapshot, or the last state of a chain, takes: every item is read and measured.
public struct LoadEstimate: Sendable, Equatable {
  public let cost: WriteCost
  public let rate: ExpectedRate
  public let billingMode: BillingMode
  public let tableClass: TableClass
  /// Seconds at the rate; the machine and the network may take longer.
  public let seconds: Double

  /// Measures the items; nothing is written, and nobody is asked.
  ///
  /// - Parameters:
  ///   - table: the one that is there; nil for one to be created as the archive has it.
  ///   - writeUnits: what writing may consume; nil takes what the table gives.
  ///   - readers: chunks that are read at a time.
  ///   - progress: called with the items measured so far, from any task.
  /// - Throws: `ArchiveError`; `DynamoError` of code `keyless`, `keyMismatch` or `usage`.
  public init(
    of chain: ArchiveChain, into table: TableDescription?, writeUnits: CapacityLimit?,
    readers: Int, progress: @escaping @Sendable (Int) -> Void
  ) async throws {
    let archived = chain.last
    guard !archived.source.keyless else {
      throw DynamoError(
        .keyless, "the archive was made with --allow-keyless: its items have no keys",
        hint: "such an archive cannot be loaded")
    }
    let schema = table?.schema ?? archived.table
    guard schema.key == archived.table.key else {
      throw DynamoError(
        .keyMismatch,
        "the key of table \(schema.name) is \(schema.key.words), and the archive's is "
          + archived.table.key.words,
        hint: "name another table, or none, for one that is created")
    }
    let raw = table?.raw ?? archived.settings.described?.object
    billingMode = schema.billingMode
    tableClass = TableClass(described: raw.map { .object($0) })
    rate = try ExpectedRate(writeUnits, .write, schema: schema, raw: raw)
    cost = try await LoadEstimate.measure(chain, schema, readers, progress)
    seconds = LoadEstimate.seconds(cost, schema, rate)
  }

  /// A budget is for all writes together. Otherwise each global index has a throughput of its own, and
  /// local ones live on their table's; the slowest holds back all.
  private static func seconds(
    _ cost: WriteCost, _ schema: TableSchema, _ rate: ExpectedRate
  ) -> Double {
    guard rate.reason != .asked else {
      return Double(cost.writeUnits) / rate.unitsPerSecond
    }
    var ownUnits = 0
    var slowest = 0.0
    for part in cost.parts {
      let index = part.index.flatMap { schema.index(named: $0) }
      guard let index, index.kind == .global else {
        ownUnits += part.writeUnits
        continue
      }
      let own = index.provisioned.map { Double($0.write) } ?? rate.unitsPerSecond
      slowest = max(slowest, Double(part.writeUnits) / own)
    }
    return max(slowest, Double(ownUnits) / rate.unitsPerSecond)
  }

  private static func measure(
    _ chain: ArchiveChain, _ schema: TableSchema, _ readers: Int,
    _ progress: @escaping @Sendable (Int) -> Void
  ) async throws -> WriteCost {
    let lasting = chain.changes.isEmpty ? nil : try LastingLines(chain)
    let items = Mutex(0)
    let count: @Sendable (Int) -> Void = { more in
      progress(
        items.withLock { items in
          items += more
          return items
        })
    }
    return try await withThrowingTaskGroup(of: WriteCost.self) { group in
      var sum = WriteCost(schema)
      for (index, part) in chain.parts.enumerated() {
        if index >= readers, let cost = try await group.next() { sum.add(cost) }
        group.addTask { try measure(part, lasting, schema, count) }
      }
      while let cost = try await group.next() { sum.add(cost) }
      return sum
    }
  }

  private static func measure(
    _ part: ArchivePart, _ lasting: LastingLines?, _ schema: TableSchema, _ count: (Int) -> Void
  ) throws -> WriteCost {
    var cost = WriteCost(schema)
    var reader = try part.archive.chunk(part.row)
    while try reader.next() {
      try Task.checkCancellation()
      if let lasting { reader.keepLines(lasting, place: part.place) }
      for line in reader.block.lines { cost.add(reader.block.bytes.span, line.item) }
      count(reader.block.lines.count)
    }
    return cost
  }
}
