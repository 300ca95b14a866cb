import Archive
import Dynamo
import JSON

/// Archives written and read, and their lines made into batches. Each archive is a new directory in
/// the scratch directory, which the caller removes.
func measureArchive(_ input: Input, scratch: String) throws {
  var written = 0
  func write(level: Int) throws -> LocalStorage {
    written += 1
    let storage = LocalStorage(directory: "\(scratch)/\(input.name)-\(written)")
    try writeArchive(input, to: storage, level: level)
    return storage
  }

  for level in [1, 3] {
    try report("cut pages and write chunks, level \(level)", input.name, bytes: input.bytes) {
      use(try write(level: level))
    }
  }
  let archive = try Archive.open(write(level: 3))
  try report("read and check chunks", input.name, bytes: input.bytes) {
    for row in archive.manifest.chunks {
      var reader = try archive.chunk(row)
      while try reader.next() {}
    }
  }

  var blocks: [LineBlock] = []
  for row in archive.manifest.chunks {
    var reader = try archive.chunk(row)
    while try reader.next() { blocks.append(reader.block) }
  }
  report("build batches", input.name, bytes: input.bytes) {
    var builder = BatchBuilder(quotedTable: Array(#""OrdersTarget""#.utf8))
    for block in blocks {
      for line in block.lines { add(line, of: block, to: &builder) }
    }
  }
}

private func add(_ line: Line, of block: LineBlock, to builder: inout BatchBuilder) {
  let item = block.bytes.span.extracting(line.item)
  let key = block.keyBytes.span.extracting(line.key)
  while !builder.add(.put, item, key: key) {
    if let batch = builder.take() { use(batch.body) }
  }
}

/// Writes all pages as one segment.
private func writeArchive(_ input: Input, to storage: LocalStorage, level: Int) throws {
  let table = TableSchema(name: input.name, key: input.key)
  let time = Timestamp(seconds: 1_795_341_600)
  let tool = ArchiveTool(version: "0")
  let writer = try ArchiveWriter(
    storage: storage, tool: tool, startTime: time, parameters: ["table": .string(input.name)],
    compression: Compression(level: level))
  var segment = try writer.segment(0)
  var cutter = PageCutter()
  for page in input.pages {
    try cutter.cut(page.span)
    for item in cutter.items { try segment.append(page.span, item) }
    guard segment.isChunkFull else { continue }
    let chunk = try segment.finishChunk(lastEvaluatedKey: Array("{}".utf8))
    if let chunk { try writer.commit(chunk) }
  }
  if let chunk = try segment.finishChunk(lastEvaluatedKey: nil) { try writer.commit(chunk) }
  try writer.segmentDone(0)
  let read = ReadDescription(operation: .scan, totalSegments: 1)
  _ = try writer.finish(
    Manifest(
      tool: tool, source: ArchiveSource(tableName: input.name, read: read), startTime: time,
      endTime: time, table: table, counts: Counts(scannedItems: input.items)))
}
