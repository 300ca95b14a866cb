@testable import Archive
import Digest
import JSON
import Testing

/// A small, sound archive that a test then damages: three items in the first chunk, one in the
/// second.
struct Victim {
  let directory = TemporaryDirectory()
  let storage: LocalStorage
  let first = "data/00000-000000.ndjson.zst"

  init(keyless: Bool = false) throws {
    try self.init(
      [[[order("a", 1), order("b", 2), order("c", 3)]], [[order("d", 4)]]],
      sampleManifest(keyless: keyless))
  }

  init(_ segments: [[[String]]], _ manifest: Manifest) throws {
    storage = LocalStorage(directory: directory.path + "/a")
    try writeArchive(storage, segments, manifest: manifest)
  }

  func path(_ name: String) -> String { "\(storage.directory)/\(name)" }

  /// Writes SHA256SUMS anew, so that it agrees with what is there.
  func reseal() throws {
    var sums: [String: String] = [:]
    for name in ["manifest.json"] + names(in: path("data")).map({ "data/\($0)" }) {
      let bytes = try readFile(path(name))
      sums[name] = SHA256.digest(of: bytes.span.bytes).description
    }
    try writeFile(path("SHA256SUMS"), Sums(sums).serialized)
  }

  /// Replaces text in the manifest, which must hold it.
  func editManifest(_ old: String, _ new: String) throws {
    try edit("manifest.json", old, new)
    try reseal()
  }

  func edit(_ name: String, _ old: String, _ new: String) throws {
    let bytes = try readFile(path(name))
    let changed = bytes.replacing(Array(old.utf8), with: Array(new.utf8), maxReplacements: 1)
    #expect(changed != bytes, "\(old) is not in \(name)")
    try writeFile(path(name), changed)
  }

  /// Changes the first chunk's row, and the counts with it.
  func editRow(_ change: (inout ChunkRow) -> Void) throws {
    let text = try readFile(path("manifest.json"))
    var manifest = try Manifest(parsing: text.span)
    change(&manifest.chunks[0])
    manifest.counts.items = manifest.chunks.map(\.items).reduce(0, +)
    manifest.counts.contentBytes = manifest.chunks.map(\.contentBytes).reduce(0, +)
    manifest.counts.storedBytes = manifest.chunks.map(\.storedBytes).reduce(0, +)
    try writeFile(path("manifest.json"), manifest.serialized)
    try reseal()
  }

  /// Replaces the first chunk's file; its row says what is true of it.
  func replaceFile(_ bytes: [UInt8]) throws {
    try writeFile(path(first), bytes)
    try editRow { row in
      row.storedBytes = bytes.count
      row.sha256 = SHA256.digest(of: bytes.span.bytes)
    }
  }

  /// Replaces the first chunk's lines; its row says what is true of them.
  func replaceContent(_ lines: [UInt8], items: Int = 1) throws {
    try editRow { row in
      row.items = items
      row.contentBytes = lines.count
      row.contentSHA256 = SHA256.digest(of: lines.span.bytes)
    }
    try replaceFile(try frame(lines))
  }

  func replaceContent(_ text: String, items: Int = 1) throws {
    try replaceContent(Array(text.utf8), items: items)
  }
}

/// A zstd frame with a checksum, as the writer makes it.
///
/// - Parameter declaresSize: whether its header tells the content's size.
func frame(_ content: [UInt8], declaresSize: Bool = false) throws -> [UInt8] {
  var compressor = try ZstdCompressor(level: 3)
  var output = [UInt8](repeating: 0, count: content.count + 1000)
  var size = 0
  try content.withUnsafeBytes { input in
    try output.withUnsafeMutableBytes { output in
      var rest = input[...]
      // The size is known to zstd where all of the content arrives with the frame's end.
      if !declaresSize {
        size = try compressor.step(input, into: output, end: false).produced
        rest = rest.suffix(0)
      }
      let target = UnsafeMutableRawBufferPointer(rebasing: output[size...])
      let step = try compressor.step(
        UnsafeRawBufferPointer(rebasing: rest), into: target, end: true)
      #expect(!step.hasMore)
      size += step.produced
    }
  }
  return Array(output[..<size])
}
