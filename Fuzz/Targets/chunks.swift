// Feeds chunks to their reader: an even first byte makes the rest the file, an odd one its content,
// which is then compressed and declared as it is, so that the lines are reached.
@testable import Archive
import Digest
import JSON
import Synchronization

private final class Memory: StorageReader {
  private let rest: Mutex<ArraySlice<UInt8>>
  let size: Int

  init(_ bytes: [UInt8]) {
    size = bytes.count
    rest = Mutex(bytes[...])
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
    rest.withLock { rest in
      let part = rest.prefix(buffer.count)
      buffer.copyBytes(from: part)
      rest = rest.dropFirst(part.count)
      return part.count
    }
  }
}

private let key = KeySchema([
  KeyAttribute(name: "customer", type: .string, role: .hash),
  KeyAttribute(name: "number", type: .number, role: .range),
])

/// Nil for a snapshot.
private func description(_ kind: UInt8) -> ChangesDescription? {
  guard kind > 0 else { return nil }
  let side = ChangesSide(
    archiveID: nil, tableName: "T", items: 0, startTime: Timestamp(seconds: 0),
    endTime: Timestamp(seconds: 0))
  return ChangesDescription(
    from: side, to: side, oldImages: kind == 1 ? nil : kind == 2 ? .digests : .images)
}

private func compress(_ content: [UInt8]) -> [UInt8] {
  guard var compressor = try? ZstdCompressor(level: 1) else { fatalError() }
  var output = [UInt8](repeating: 0, count: content.count + 1000)
  let step = content.withUnsafeBytes { input in
    output.withUnsafeMutableBytes { try? compressor.step(input, into: $0, end: true) }
  }
  guard let step, !step.hasMore else { fatalError() }
  return Array(output[..<step.produced])
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard count > 1 else { return 0 }
  let bytes = Array(UnsafeBufferPointer(start: start, count: count).dropFirst())
  let isContent = start?.pointee.isMultiple(of: 2) == false
  let file = isContent ? compress(bytes) : bytes
  let row = ChunkRow(
    id: ChunkID(segment: 0, number: 0), items: bytes.count { $0 == 0x0A },
    contentBytes: isContent ? bytes.count : 1 << 20, storedBytes: file.count,
    sha256: SHA256.digest(of: file.span.bytes), contentSHA256: SHA256.digest(of: bytes.span.bytes))
  // The next two bits choose between a snapshot and the three kinds of archives of changes.
  let changes = description((start?.pointee ?? 0) >> 1 & 3)
  guard
    var reader = try? ChunkReader(
      Memory(file), row, key: key, changes: changes, storedIsChecked: false)
  else { return 0 }
  var lines = 0
  do throws(ArchiveError) {
    while try reader.next() {
      let block = reader.block
      precondition(block.bytes.count <= 2 * ArchiveLimits.lineBytes)
      for line in block.lines {
        lines += 1
        let text = Array(block.bytes[line.line])
        guard let value = try? JSONValue.parse(text.span) else { fatalError() }
        let item = value["Item"] ?? (changes == nil ? nil : value["Keys"])
        precondition(item?["customer"]?["S"] != nil && item?["number"]?["N"] != nil)
        precondition(!block.keyBytes[line.key].isEmpty)
        var plain: [UInt8] = []
        _ = try? PlainJSON.append(block.bytes.span, line.item, to: &plain)
      }
    }
    precondition(lines == row.items)
  } catch {
    precondition(error.code == .damaged || error.code == .io)
  }
  return 0
}
