@testable import Archive
import Digest
import JSON
import Testing

/// What a reader makes of archives of changes, the sound and the others.
@Suite struct ChangesTests {
  private static let old = #"{"number":{"N":"1.0"},"customer":{"S":"a"},"x":{"S":"old"}}"#
  private static let new = #"{"customer":{"S":"a"},"number":{"N":"1"},"x":{"S":"new"}}"#
  private static let keys = #"{"customer":{"S":"a"},"number":{"N":"1"}}"#
  private static let digest = String(repeating: "0a", count: 32)

  /// Seals an archive of one chunk with these lines.
  private func archive(
    _ lines: [String], _ images: OldImages?, edit: (inout Manifest) -> Void = { _ in }
  ) throws -> SimulatedDisk {
    let disk = SimulatedDisk()
    try disk.prepare()
    var segment = try SegmentWriter(
      number: 0, chunk: 0, storage: disk, level: 1, memory: 1 << 20, limits: .standard)
    for line in lines { try segment.append(line: Array("\(line)\n".utf8), largestItem: 1) }
    var manifest = sampleManifest()
    if let chunk = try segment.finishChunk(lastEvaluatedKey: nil) {
      try chunk.file.commit()
      manifest.chunks = [chunk.row]
      try manifest.counts.add(chunk.row)
    }
    func side(_ items: Int) -> ChangesSide {
      ChangesSide(
        archiveID: ChangesTests.digest, tableName: "Orders", items: items,
        startTime: manifest.startTime, endTime: manifest.endTime)
    }
    manifest.changes = ChangesDescription(
      from: side(10), to: side(10), oldImages: images, changed: lines.count)
    edit(&manifest)
    let text = manifest.serialized
    var digests = [ArchiveNames.manifest: SHA256.digest(of: text.span.bytes).description]
    for row in manifest.chunks { digests[row.name] = row.sha256.description }
    for (name, bytes) in [
      (ArchiveNames.manifest, text), (ArchiveNames.sums, Sums(digests).serialized),
    ] {
      let file = try disk.create(name)
      try file.write(bytes.span.bytes)
      try file.commit()
    }
    return disk
  }

  private static let item = #"{"Item":\#(new)"#
  private static let delete = #"{"Keys":\#(keys)"#
  private static let oldImage = #","Old":\#(old)}"#
  private static let oldDigest = #","OldSha256":"\#(digest)"}"#

  @Test(
    arguments: [
      (item + "}", nil), (item + "}", .images), (item + "}", .digests), (item + oldImage, .images),
      (item + oldDigest, .digests), (delete + "}", nil), (delete + oldImage, .images),
      (delete + oldDigest, .digests),
    ] as [(String, OldImages?)])
  func soundLines(_ line: String, _ images: OldImages?) async throws {
    let disk = try archive([line], images)
    let report = await verify(disk, mode: .full)
    #expect(report.problems == [])
    let archive = try Archive.open(disk)
    #expect(try Manifest(parsing: archive.manifest.serialized.span) == archive.manifest)
    var reader = try archive.chunk(archive.manifest.chunks[0])
    #expect(try reader.next())
    let (bytes, change) = (reader.block.bytes, reader.block.changes[0])
    func text(_ range: Range<Int>?) -> String? {
      range.map { String(decoding: bytes[$0], as: UTF8.self) }
    }
    let isDelete = line.hasPrefix(ChangesTests.delete)
    #expect(change.isDelete == isDelete)
    #expect(text(reader.block.lines[0].item) == (isDelete ? ChangesTests.keys : ChangesTests.new))
    #expect(text(reader.block.lines[0].line) == line)
    #expect(text(change.old) == (line.contains("\"Old\"") ? ChangesTests.old : nil))
    #expect(text(change.oldSHA256) == (line.contains("OldSha") ? ChangesTests.digest : nil))
  }

  @Test(
    arguments: [
      (item + oldImage, nil, "not the brace"), (item + oldDigest, nil, "not the brace"),
      (item + oldDigest, .images, "not the brace"), (item + oldImage, .digests, "not the brace"),
      (delete + "}", .images, "tells nothing of it"),
      (delete + "}", .digests, "tells nothing of it"),
      (#"{"Keys":\#(old)}"#, nil, "more than the key"),
      (#"{"Keys":{"customer":{"S":"a"}}}"#, nil, "is missing"),
      (item + #","Old":{"customer":{"S":"a"},"number":{"N":"2"}}}"#, .images, "another key"),
      (item + #","Old":{"customer":{"S":"a"}}}"#, .images, "in the old item"),
      (
        item + #","Old":{"customer":{"S":"a"},"number":{"N":"1"},"y":{"S":"","S":""}}}"#, .images,
        "in the old item, duplicate member name at byte"
      ),
      (item + #","Old": {"customer":{"S":"a"},"number":{"N":"1"}}}"#, .images, "in the old item"),
      (item + #","Old":null}"#, .images, "in the old item"),
      (item + #","OldSha256":"\#(digest.uppercased())"}"#, .digests, "64 lower-case"),
      (item + #","OldSha256":"\#(digest.dropLast())"}"#, .digests, "64 lower-case"),
      (item + oldImage + "}", .images, "not the brace"),
      (#"{"Put":\#(new)}"#, nil, "does not start with"), (#"{"Keys":"#, nil, "line"),
    ] as [(String, OldImages?, String)])
  func badLines(_ line: String, _ images: OldImages?, _ says: String) async throws {
    let report = await verify(try archive([line], images), mode: .full)
    #expect(report.problems.count == 1)
    #expect(report.problems.first?.code == .damaged)
    #expect(report.problems.first?.message.contains(says) == true, "\(report.problems)")
    #expect(report.problems.first?.offset == 0)
  }

  @Test func aSnapshotHasNoDeletes() async throws {
    let disk = try archive([ChangesTests.delete + "}"], nil) { $0.changes = nil }
    let report = await verify(disk, mode: .full)
    #expect(report.problems.first?.message.contains("does not start with") == true)
  }

  struct ManifestFault: Sendable {
    var says: String
    var edit: @Sendable (inout Manifest) -> Void
  }

  @Test(arguments: [
    ManifestFault(says: "tells of 2 changes") { $0.changes?.changed = 2 },
    ManifestFault(says: "too large") { $0.changes?.added = .max },
    ManifestFault(says: "does not lead from 10 items") { $0.changes?.to.items = 11 },
    ManifestFault(says: "does not lead from 0 items") { $0.changes?.from.items = 0 },
    ManifestFault(says: "archiveId") { $0.changes?.from.archiveID = "x" },
    ManifestFault(says: "changes need keys") { $0.source.keyless = true },
  ])
  func badManifests(_ fault: ManifestFault) async throws {
    let report = await verify(
      try archive([ChangesTests.item + "}"], nil, edit: fault.edit), mode: .full)
    #expect(report.problems.first?.code == .damaged, "\(fault.says)")
    #expect(report.problems.first?.message.contains(fault.says) == true, "\(report.problems)")
  }
}
