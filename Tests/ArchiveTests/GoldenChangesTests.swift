@testable import Archive
import Glibc
import Testing

/// Archives of changes of format version 1, committed when they came to it: every later reader opens
/// them. Where DYNARC_WRITE_GOLDEN names a directory, this writes them beside it.
@Suite struct GoldenChangesTests {
  private static let fixtures =
    String(#filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" }) + "/Fixtures"

  private static let old = [
    order("a", 1), order("b", 2, more: #","x":{"NS":["1.50","2"]},"y":{"S":"é\u000a"}"#),
    order("c", 3),
  ]
  private static let new = [
    order("a", 1), order("b", 2, more: #","x":{"NS":["2","1.5"]},"y":{"S":"é"}"#), order("d", 4),
  ]

  private static func write(_ path: String, _ images: OldImages?) async throws -> String {
    let disks = [SimulatedDisk(), SimulatedDisk()]
    try writeArchive(disks[0], [[old]])
    try writeArchive(disks[1], [[new]])
    let sides = try disks.map { try ArchiveItems(try Archive.open($0)) }
    var writer = try ChangesWriter(
      storage: LocalStorage(directory: path), oldImages: images, compression: Compression(level: 3))
    let diff = try Diff(
      old: sides[0], new: sides[1],
      options: DiffOptions(temporaryDirectory: P_tmpdir, concurrency: 1))
    let summary = try await diff.run { try writer.append($0) }
    return try writer.finish(
      tool: ArchiveTool(version: "0.0.1"), from: sides[0].origin, to: sides[1].origin, summary)
  }

  private static let all: [(OldImages?, String)] = [
    (.digests, "golden-v1-changes-digests"), (.images, "golden-v1-changes-images"),
  ]

  @Test(.enabled(if: getenv("DYNARC_WRITE_GOLDEN") != nil)) func writeAnew() async throws {
    let path = try #require(getenv("DYNARC_WRITE_GOLDEN").map { String(cString: $0) })
    for (images, name) in GoldenChangesTests.all {
      _ = try await GoldenChangesTests.write("\(path)-\(name)", images)
    }
  }

  @Test(arguments: all) func opensAndHolds(_ images: OldImages?, _ name: String) async throws {
    let storage = LocalStorage(directory: "\(GoldenChangesTests.fixtures)/\(name)")
    let report = await verify(storage, mode: .full)
    #expect(report.problems == [])
    let archive = try #require(report.archive)
    let changes = try #require(archive.manifest.changes)
    #expect((changes.added, changes.removed, changes.changed) == (1, 1, 1))
    #expect((changes.from.items, changes.to.items) == (3, 3))
    #expect(changes.oldImages == images)
    var lines: [String] = []
    for row in archive.manifest.chunks {
      var reader = try archive.chunk(row)
      while try reader.next() {
        lines += reader.block.lines.map {
          String(decoding: reader.block.bytes[$0.line], as: UTF8.self)
        }
      }
    }
    let deleted = #"{"Keys":{"customer":{"S":"c"},"number":{"N":"3"}}"#
    let (old, new) = (GoldenChangesTests.old, GoldenChangesTests.new)
    let expected =
      images == .images
      ? [
        #"{"Item":\#(new[1]),"Old":\#(old[1])}"#, #"\#(deleted),"Old":\#(old[2])}"#,
      ]
      : [
        #"{"Item":\#(new[1]),"OldSha256":"c24e9ac53f399929c90fe15a32ac35c3c320f436d8d599d3306c6e8c124724a2"}"#,
        #"\#(deleted),"OldSha256":"2c4c8cadcf34139a67cc4ab947549fd24197193085a7099007148f6b39b1353f"}"#,
      ]
    #expect(lines == expected + [#"{"Item":\#(new[2])}"#])
  }

  /// What zstd makes of the lines may change with its version; nothing else may.
  @Test(arguments: all) func todaysWriterWritesTheSame(
    _ images: OldImages?, _ name: String
  ) async throws {
    let directory = TemporaryDirectory()
    _ = try await GoldenChangesTests.write("\(directory.path)/a", images)
    let golden = try Archive.open(
      LocalStorage(directory: "\(GoldenChangesTests.fixtures)/\(name)")
    ).manifest
    var today = try Archive.open(LocalStorage(directory: "\(directory.path)/a")).manifest
    today.chunks[0].storedBytes = golden.chunks[0].storedBytes
    today.chunks[0].sha256 = golden.chunks[0].sha256
    today.counts.storedBytes = golden.counts.storedBytes
    // The ids of the two archives depend on zstd, too.
    today.changes?.from.archiveID = golden.changes?.from.archiveID
    today.changes?.to.archiveID = golden.changes?.to.archiveID
    #expect(today == golden)
  }
}
