import Archive
import JSON
import Testing

let ordersKey = KeySchema([
  KeyAttribute(name: "customer", type: .string, role: .hash),
  KeyAttribute(name: "number", type: .number, role: .range),
])

let ordersTable = TableSchema(
  name: "Orders", key: ordersKey,
  indexes: [
    IndexSchema(
      name: "by-day", kind: .global,
      key: KeySchema([KeyAttribute(name: "day", type: .binary, role: .hash)]),
      projection: Projection(type: "INCLUDE", nonKeyAttributes: ["total", "état"]),
      provisioned: Throughput(read: 3, write: 4))
  ],
  billingMode: .provisioned, provisioned: Throughput(read: 5, write: 6))

func sampleManifest(
  totalSegments: Int = 2, keyless: Bool = false, table: TableSchema = ordersTable
) -> Manifest {
  Manifest(
    tool: ArchiveTool(version: "0.0.1"),
    source: ArchiveSource(
      tableName: table.name, tableARN: "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders",
      tableID: "00000000-0000-0000-0000-000000000000", accountID: "123456789012",
      region: "eu-west-1",
      read: ReadDescription(
        operation: .scan, filterExpression: "#a > :a", expressionAttributeNames: ["#a": "total"],
        expressionAttributeValues: [":a": ["N": "1"]], totalSegments: totalSegments),
      keyless: keyless),
    startTime: Timestamp(seconds: 1_795_341_600), endTime: Timestamp(seconds: 1_795_341_660),
    table: table,
    settings: TableSettings(
      answers: ["describeTable": ["Table": ["TableName": "Orders", "New": [1, .number("2.50")]]]],
      notRead: [.init(setting: "tags", code: "AccessDeniedException")]),
    counts: Counts(scannedItems: 12, consumedReadUnits: 4.5))
}

/// A page of items as the service answers it.
func page(_ items: [String], lastEvaluatedKey: String? = nil) -> [UInt8] {
  var text = "{\"Items\":[\(items.joined(separator: ","))],\"Count\":\(items.count)"
  text += ",\"ScannedCount\":\(items.count)"
  if let lastEvaluatedKey { text += ",\"LastEvaluatedKey\":\(lastEvaluatedKey)" }
  return Array((text + "}").utf8)
}

func order(_ customer: String, _ number: Int, more: String = "") -> String {
  "{\"customer\":{\"S\":\"\(customer)\"},\"number\":{\"N\":\"\(number)\"}\(more)}"
}

/// Cuts a page and appends its items.
func append(_ page: [UInt8], to segment: inout SegmentWriter) throws {
  var cutter = PageCutter()
  try cutter.cut(page.span)
  for item in cutter.items { try segment.append(page.span, item) }
}

/// Writes an archive: for each segment, for each chunk, its items.
@discardableResult
func writeArchive(
  _ storage: any WritableStorage, _ segments: [[[String]]], level: Int = 3,
  manifest: Manifest? = nil
) throws -> String {
  let writer = try ArchiveWriter(storage: storage, parameters: ["table": "Orders"], level: level)
  for (number, chunks) in segments.enumerated() {
    var segment = try writer.segment(number)
    for (index, items) in chunks.enumerated() {
      try append(page(items), to: &segment)
      let key = index + 1 < chunks.count ? Array("{\"customer\":{\"S\":\"x\"}}".utf8) : nil
      if let chunk = try segment.finishChunk(lastEvaluatedKey: key) { try writer.commit(chunk) }
    }
    try writer.segmentDone(number)
  }
  return try writer.finish(manifest ?? sampleManifest(totalSegments: segments.count))
}

/// All lines of an archive, as text, chunk after chunk.
func readLines(_ archive: Archive) throws -> [String] {
  var all: [String] = []
  for row in archive.manifest.chunks {
    var reader = try archive.chunk(row)
    while try reader.next() {
      for line in reader.block.lines {
        all.append(String(decoding: reader.block.bytes[line.item], as: UTF8.self))
      }
    }
  }
  return all
}

extension ArchiveWriter {
  /// A writer of a dump that begins in the sample's second.
  convenience init(
    storage: any WritableStorage, parameters: JSONObject, level: Int,
    limits: ChunkLimits = .standard
  ) throws(ArchiveError) {
    try self.init(
      storage: storage, tool: ArchiveTool(version: "0.0.1"),
      startTime: Timestamp(seconds: 1_795_341_600), parameters: parameters,
      compression: Compression(level: level),
      limits: limits)
  }

  /// A writer that goes on with it an hour later.
  convenience init(
    resuming storage: any WritableStorage, parameters: JSONObject = ["table": "Orders"],
    level: Int = 3
  ) throws(ArchiveError) {
    try self.init(
      resuming: storage, tool: ArchiveTool(version: "0.0.2"),
      startTime: Timestamp(seconds: 1_795_345_200), parameters: parameters,
      compression: Compression(level: level))
  }
}
