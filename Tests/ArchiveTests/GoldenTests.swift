import Archive
import Digest
import Glibc
import JSON
import Testing

/// An archive of format version 1, committed when the version was made: every later reader opens
/// it. Where DYNARC_WRITE_GOLDEN names a directory, this writes one there instead.
@Suite struct GoldenTests {
  private static let fixture =
    String(#filePath.split(separator: "/").dropLast(2).reduce("") { "\($0)/\($1)" })
    + "/Fixtures/golden-v1"

  /// All ten types, names in all scripts, numbers at their limits.
  private static let items = [
    [
      order("a", 1),
      order(
        "all types", 2,
        more: #","S":{"S":"text"},"N":{"N":"-1.5"},"B":{"B":"AAEC/w=="},"BOOL":{"BOOL":true}"#
          + #","NULL":{"NULL":true},"M":{"M":{"x":{"L":[{"B":""},{"M":{}}]}}},"L":{"L":[]}"#
          + #","SS":{"SS":["","b"]},"NS":{"NS":["1","2.50"]},"BS":{"BS":["AQ==","Ag=="]}"#),
    ],
    [
      order(
        "numbers", 3,
        more: #","most":{"N":"99999999999999999999999999999999999999"}"#
          + #","large":{"N":"9.9999999999999999999999999999999999999E+125"},"small":{"N":"-1E-130"}"#
      ),
      order(
        "names", 4,
        more: #","a.b c":{"S":""},"\"q\"":{"S":"\\"},"😀 漢字":{"S":"\u00e9é\uD83D\uDE00"}"#
          + #","size":{"N":"0"},"":{"S":"\u0000\t\/"}"#),
    ],
  ]

  private static func write(_ storage: LocalStorage) throws {
    try writeArchive(storage, [items.map { $0 }, []])
  }

  @Test(.enabled(if: getenv("DYNARC_WRITE_GOLDEN") != nil)) func writeAnew() throws {
    let path = try #require(getenv("DYNARC_WRITE_GOLDEN").map { String(cString: $0) })
    try GoldenTests.write(LocalStorage(directory: path))
  }

  @Test func opensAndHolds() async throws {
    let storage = LocalStorage(directory: GoldenTests.fixture)
    let report = await verify(storage, mode: .full)
    #expect(report.problems == [])
    let archive = try #require(report.archive)
    #expect(archive.id == "898a1d0e86359209e886424c1e9666a7ac980fcb3d5e9ba393b09a66111789df")
    #expect(try readLines(archive) == GoldenTests.items.flatMap { $0 })
    var expected = sampleManifest()
    expected.counts = archive.manifest.counts
    expected.chunks = archive.manifest.chunks
    #expect(archive.manifest == expected)
    #expect(archive.manifest.chunks.map(\.items) == [2, 2])
    #expect(archive.manifest.counts.scannedItems == 12)
    #expect(archive.manifest.counts.consumedReadUnits == 4.5)
  }

  /// What zstd makes of the lines may change with its version; nothing else may.
  @Test func todaysWriterWritesTheSame() throws {
    let directory = TemporaryDirectory()
    let storage = LocalStorage(directory: directory.path + "/a")
    try GoldenTests.write(storage)
    let golden = try Archive.open(LocalStorage(directory: GoldenTests.fixture)).manifest
    var today = try Archive.open(storage).manifest
    for (index, row) in golden.chunks.enumerated() where index < today.chunks.count {
      today.chunks[index].storedBytes = row.storedBytes
      today.chunks[index].sha256 = row.sha256
    }
    today.counts.storedBytes = golden.counts.storedBytes
    let text = try readFile(GoldenTests.fixture + "/manifest.json")
    #expect(today.serialized == text)
  }
}
