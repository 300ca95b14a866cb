import Archive
import Digest
import JSON
import Testing

@Suite struct ManifestTests {
  private func rows(_ count: Int) throws -> [ChunkRow] {
    let digest = try #require(SHA256Digest(hex: String(repeating: "ab", count: 32)))
    return (0..<count).map {
      ChunkRow(
        id: ChunkID(segment: $0 % 7, number: $0 / 7), items: 10, contentBytes: 1000,
        storedBytes: 100, sha256: digest, contentSHA256: digest)
    }
  }

  private func manifest(_ count: Int) throws -> Manifest {
    var manifest = sampleManifest(totalSegments: 7)
    manifest.chunks = try rows(count)
    manifest.counts.items = 10 * count
    manifest.counts.contentBytes = 1000 * count
    manifest.counts.storedBytes = 100 * count
    return manifest
  }

  @Test(arguments: [0, 1, 20]) func comesBack(_ count: Int) throws {
    let manifest = try manifest(count)
    let bytes = manifest.serialized
    #expect(try Manifest(parsing: bytes.span) == manifest)
    #expect(try Manifest(json: manifest.json) == manifest)
    #expect(try JSONValue.parse(bytes.span) == manifest.json)
  }

  @Test func optionalMembersAreLeftOut() throws {
    var manifest = try manifest(1)
    manifest.source = ArchiveSource(
      tableName: "T", read: ReadDescription(operation: .query, indexName: "i", consistentRead: true)
    )
    manifest.source.keyless = true
    manifest.table = TableSchema(name: "T", key: ordersKey)
    manifest.settings = TableSettings()
    manifest.counts.consumedReadUnits = nil
    #expect(try Manifest(parsing: manifest.serialized.span) == manifest)
    let text = String(decoding: manifest.serialized, as: UTF8.self)
    for absent in ["tableArn", "filter", "provisioned", "consumed", "null"] {
      #expect(!text.contains(absent), "\(absent)")
    }
    #expect(manifest.requiredKey == KeySchema([]))
  }

  @Test func unknownMembersAreKept() throws {
    var manifest = try manifest(2)
    manifest.unknown = ["later": [1, ["a": "\u{1}\n\"é"]]]
    manifest.source.unknown = ["x": true]
    manifest.source.read.unknown = ["y": .null]
    manifest.counts.unknown = ["z": .number("1.0e+5")]
    manifest.chunks[1].unknown = ["w": [:]]
    let read = try Manifest(parsing: manifest.serialized.span)
    #expect(read == manifest)
    #expect(read.serialized == manifest.serialized)
  }

  /// What a manifest lists is what there is, whatever the numbers.
  @Test func gapsInChunkNumbersAreNoDamage() throws {
    var manifest = try manifest(1)
    manifest.chunks[0].id.number = 7
    #expect(try Manifest(parsing: manifest.serialized.span) == manifest)
  }

  @Test func layout() throws {
    let text = String(decoding: try manifest(2).serialized, as: UTF8.self)
    #expect(text.hasPrefix("{\n  \"format\": \"dynarc-archive\",\n  \"version\": 1,\n"))
    #expect(text.hasSuffix("\"}\n  ]\n}\n"))
    #expect(text.contains("\n    \"read\": {\n      \"operation\": \"Scan\",\n"))
    #expect(
      text.contains(
        "\n    {\"name\":\"data/00001-000000.ndjson.zst\",\"segment\":1,\"items\":10,"))
    let empty = String(decoding: try manifest(0).serialized, as: UTF8.self)
    #expect(empty.hasSuffix("\"chunks\": []\n}\n"))
  }

  @Test func unknownOptionalMembersDoNotHurt() throws {
    let text = String(decoding: try manifest(1).serialized, as: UTF8.self)
    let more = text.replacing("{\"name\":", with: "{\"new\":{\"a\":[]},\"name\":")
    let read = try Manifest(parsing: Array(more.utf8).span)
    #expect(read.chunks.first?.unknown == ["new": ["a": []]])
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00Z"), (1_795_341_600, "2026-11-22T10:00:00Z"),
    (951_782_399, "2000-02-28T23:59:59Z"), (951_782_400, "2000-02-29T00:00:00Z"),
    (4_107_542_399, "2100-02-28T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
    (-1, "1969-12-31T23:59:59Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
    (-62_135_596_800, "0001-01-01T00:00:00Z"),
  ])
  func times(_ seconds: Int, _ text: String) {
    #expect(Timestamp(seconds: seconds).description == text)
    #expect(Timestamp(text)?.seconds == seconds)
  }

  @Test(arguments: [
    "", "2026-11-22", "2026-11-22T10:00:00", "2026-11-22t10:00:00z", "2026-11-22 10:00:00Z",
    "2026-11-31T10:00:00Z", "2026-02-29T10:00:00Z", "2026-13-01T10:00:00Z", "2026-00-01T10:00:00Z",
    "2026-01-00T10:00:00Z", "2026-11-22T24:00:00Z", "2026-11-22T10:60:00Z", "2026-11-22T10:00:60Z",
    "2026-11-22T10:00:00.5Z", "+026-11-22T10:00:00Z", "2026-11-22T10:00:00+00:00",
  ])
  func notTimes(_ text: String) {
    #expect(Timestamp(text) == nil)
  }

  @Test(arguments: [
    (0, 0, "data/00000-000000.ndjson.zst"), (99999, 12, "data/99999-000012.ndjson.zst"),
    (100_000, 999_999, "data/100000-999999.ndjson.zst"),
    (999_999, 1, "data/999999-000001.ndjson.zst"),
  ])
  func names(_ segment: Int, _ number: Int, _ name: String) {
    #expect(ChunkID(segment: segment, number: number).name == name)
    #expect(ChunkID(name: name) == ChunkID(segment: segment, number: number))
  }

  @Test(arguments: [
    "", "data/", "manifest.json", "00000-000000.ndjson.zst", "data/0000-000000.ndjson.zst",
    "data/000000-000000.ndjson.zst", "data/00000-00000.ndjson.zst", "data/00000-0000000.ndjson.zst",
    "data/1000000-000000.ndjson.zst", "data/00000-1000000.ndjson.zst", "data/00000-000000.ndjson",
    "data/00000-000000.ndjson.zst.tmp", "data/-0001-000000.ndjson.zst",
    "data/+0001-000000.ndjson.zst", "data/٠٠٠٠٠-000000.ndjson.zst", "DATA/00000-000000.ndjson.zst",
    "data/00000-000000.NDJSON.zst", "data/00000-000000.ndjson.zst\n",
    "/data/00000-000000.ndjson.zst",
    "data/00000_000000.ndjson.zst", "data/00000-000000-000000.ndjson.zst",
    "data/99999999999999999999-000000.ndjson.zst",
  ])
  func notNames(_ name: String) {
    #expect(ChunkID(name: name) == nil)
  }
}
