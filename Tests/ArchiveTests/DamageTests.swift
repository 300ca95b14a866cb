import Archive
import Digest
import Glibc
import Testing

/// One way to damage an archive, and what must be said of it.
struct Damage: Sendable, CustomTestStringConvertible {
  let name: String
  let code: ArchiveError.Code
  let file: String?
  let says: String
  let apply: @Sendable (Victim) throws -> Void

  var testDescription: String { name }

  init(
    _ name: String, _ code: ArchiveError.Code = .damaged, file: String? = nil, says: String,
    apply: @escaping @Sendable (Victim) throws -> Void
  ) {
    self.name = name
    self.code = code
    self.file = file
    self.says = says
    self.apply = apply
  }
}

private let first = "data/00000-000000.ndjson.zst"
private let second = "data/00001-000000.ndjson.zst"
private let good = "{\"Item\":\(order("a", 1))}"

/// Damage to a file, found by its digest or its frame.
private let files: [Damage] = [
  Damage("a flipped byte", file: first, says: "not the one the archive was written with") {
    var bytes = try readFile($0.path(first))
    bytes[bytes.count / 2] ^= 1
    try writeFile($0.path(first), bytes)
  },
  Damage("a truncated file", file: first, says: "the file has ") {
    try writeFile($0.path(first), try readFile($0.path(first)).dropLast())
  },
  Damage("a longer file", file: first, says: "the file has ") {
    try writeFile($0.path(first), try readFile($0.path(first)) + [0])
  },
  Damage("an empty file", file: first, says: "the file has 0 bytes") {
    try writeFile($0.path(first), [])
  },
  Damage("a truncated frame", file: first, says: "ends inside its zstd frame") {
    try $0.replaceFile(try readFile($0.path(first)).dropLast())
  },
  Damage("a truncated header", file: first, says: "ends inside the header") {
    try $0.replaceFile(Array(try readFile($0.path(first)).prefix(5)))
  },
  Damage("two frames", file: first, says: "bytes behind the zstd frame") {
    let bytes = try readFile($0.path(first))
    try $0.replaceFile(bytes + bytes)
  },
  Damage("trailing bytes", file: first, says: "bytes behind the zstd frame") {
    try $0.replaceFile(try readFile($0.path(first)) + [0])
  },
  Damage("a skippable frame behind", file: first, says: "bytes behind the zstd frame") {
    try $0.replaceFile(try readFile($0.path(first)) + [0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0])
  },
  Damage("a skippable frame in front", file: first, says: "skippable frame") {
    try $0.replaceFile([0x50, 0x2A, 0x4D, 0x18, 0, 0, 0, 0] + (try readFile($0.path(first))))
  },
  Damage("no zstd", file: first, says: "does not start with a zstd frame") {
    try $0.replaceFile(Array("{\"Item\":{}}\n and some more text".utf8))
  },
  // Frame headers of RFC 8878 section 3.1.1.1, written by hand.
  Damage("a window of 256 MiB", file: first, says: "a window of 268435456 bytes") {
    try $0.replaceFile([0x28, 0xB5, 0x2F, 0xFD, 0x04, 18 << 3] + [UInt8](repeating: 0, count: 20))
  },
  Damage("no checksum", file: first, says: "no checksum") {
    try $0.replaceFile([0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x58, 0x01, 0, 0])
  },
  Damage("a dictionary", file: first, says: "a dictionary") {
    try $0.replaceFile([0x28, 0xB5, 0x2F, 0xFD, 0x05, 0x58, 0x07, 0x01, 0, 0, 0, 0, 0, 0])
  },
  Damage("a flipped content checksum", file: first, says: "does not decompress") {
    var bytes = try readFile($0.path(first))
    bytes[bytes.count - 1] ^= 1
    try $0.replaceFile(bytes)
  },
  Damage("a missing chunk", file: first, says: "the file is missing") {
    #expect(unlink($0.path(first)) == 0)
  },
  Damage("a linked chunk", file: first, says: "symbolic link") {
    #expect(rename($0.path(first), $0.directory.path + "/away") == 0)
    #expect(symlink($0.directory.path + "/away", $0.path(first)) == 0)
  },
  Damage("a pipe in a chunk's place", file: first, says: "not a regular file") {
    #expect(unlink($0.path(first)) == 0)
    #expect(mkfifo($0.path(first), 0o600) == 0)
  },
  Damage("a directory in a chunk's place", file: first, says: "not a regular file") {
    #expect(unlink($0.path(first)) == 0)
    #expect(mkdir($0.path(first), 0o700) == 0)
  },
  Damage("a linked data directory", file: "data", says: "symbolic link") {
    #expect(rename($0.path("data"), $0.directory.path + "/away") == 0)
    #expect(symlink($0.directory.path + "/away", $0.path("data")) == 0)
  },
  Damage("an unknown chunk", file: "data/00000-000009.ndjson.zst", says: "does not cover it") {
    try writeFile($0.path("data/00000-000009.ndjson.zst"), [])
  },
  Damage("a temporary file", file: "data/.x.tmp", says: "does not cover it") {
    try writeFile($0.path("data/.x.tmp"), [])
  },
  Damage("an unknown file", file: "notes.txt", says: "does not cover it") {
    try writeFile($0.path("notes.txt"), [])
  },
  Damage("an unknown directory", file: "more", says: "does not cover it") {
    #expect(mkdir($0.path("more"), 0o700) == 0)
  },
  Damage("a journal left behind", file: "dump.journal", says: "does not cover it") {
    try writeFile($0.path("dump.journal"), [])
  },
]

/// Rows that do not say what is true.
private let rows: [Damage] = [
  Damage("a wrong count", file: first, says: "3 items, not the 4") {
    try $0.editRow { $0.items = 4 }
  },
  Damage("more content than declared", file: first, says: "larger than the 10 bytes declared") {
    try $0.replaceContent(good + "\n")
    try $0.editRow { $0.contentBytes = 10 }
  },
  Damage("a frame that declares another size", file: first, says: "its frame holds") {
    let content = Array((good + "\n").utf8)
    let size = content.count
    try $0.replaceFile(try frame(content, declaresSize: true))
    try $0.editRow { $0.contentBytes = size + 1 }
  },
  Damage("less content than declared", file: first, says: "not the 10000 declared") {
    try $0.replaceContent(good + "\n")
    try $0.editRow { $0.contentBytes = 10000 }
  },
  Damage("a wrong digest of the content", file: first, says: "the content's SHA-256") {
    try $0.editRow { $0.contentSHA256 = SHA256.digest(of: [UInt8]().span.bytes) }
  },
  Damage("a wrong digest of the file", file: "manifest.json", says: "is not the one in SHA256SUMS")
  {
    try $0.editRow { $0.sha256 = SHA256.digest(of: [UInt8]().span.bytes) }
  },
]

/// Lines that no writer may write.
private let lines: [Damage] = [
  line("a blank line", good + "\n\n" + good + "\n", items: 3, says: "line 2: the line is blank"),
  line("no line feed at the end", good, says: "line 1: the last line has no line feed"),
  line("no line feed at the end of the second", good + "\n" + good, items: 2, says: "line 2"),
  line("a carriage return", good + "\r\n", says: "is not the brace that ends it"),
  line("a carriage return inside", "{\"Item\":{\r}}\n", says: "missing"),
  line(
    "a line break inside", "{\"Item\":" + order("a", 1, more: "\n") + "}\n", says: "a line break"),
  line("a space in front", " " + good + "\n", says: "does not start with {\"Item\":"),
  line("a space behind the colon", "{\"Item\": {}}\n", says: "unexpected byte at byte 8"),
  line("a space before the brace", good.dropLast() + " }\n", says: "brace that ends it"),
  line("a space at the end", good + " \n", says: "brace that ends it"),
  line("another member", good.dropLast() + ",\"x\":1}\n", says: "brace that ends it"),
  line("a delete", "{\"Keys\":{\"customer\":{\"S\":\"a\"}}}\n", says: "does not start with"),
  line("an array", "{\"Item\":[]}\n", says: "unexpected byte at byte 8"),
  line("short", "{}\n", says: "does not start with"),
  line("two items on a line", good + good + "\n", says: "brace that ends it"),
  line("a byte order mark", "\u{FEFF}" + good + "\n", says: "does not start with"),
  line("a key missing", "{\"Item\":{\"customer\":{\"S\":\"a\"}}}\n", says: "\"number\" is missing"),
  line(
    "a key of the wrong type", "{\"Item\":{\"customer\":{\"S\":\"a\"},\"number\":{\"S\":\"1\"}}}\n",
    says: "\"number\" is not of type N"),
  line(
    "a key twice", "{\"Item\":" + order("a", 1, more: ",\"customer\":{\"S\":\"b\"}") + "}\n",
    says: "stands there twice"),
  line(
    "an attribute twice",
    "{\"Item\":" + order("a", 1, more: ",\"x\":{\"S\":\"\"},\"x\":{}") + "}\n",
    says: "line 1: duplicate member name at byte 62"),
  line(
    "an attribute twice, once with an escape",
    "{\"Item\":" + order("a", 1, more: ",\"x\":1,\"\\u0078\":2") + "}\n",
    says: "duplicate member name"),
  line(
    "a nested name twice",
    "{\"Item\":" + order("a", 1, more: ",\"x\":{\"M\":{\"b\":1,\"b\":1}}") + "}\n",
    says: "duplicate member name"),
  line(
    "two types of one value",
    "{\"Item\":" + order("a", 1, more: ",\"x\":{\"S\":\"\",\"S\":\"\"}") + "}\n",
    says: "duplicate member name"),
  line(
    "a key that is no number", "{\"Item\":{\"customer\":{\"S\":\"a\"},\"number\":{\"N\":\"x\"}}}\n",
    says: "not a number"),
  line("half a surrogate pair", "{\"Item\":" + order("\\uD800", 1) + "}\n", says: "lone surrogate"),
  line(
    "200 levels",
    "{\"Item\":"
      + order(
        "a", 1,
        more: ",\"x\":\(String(repeating: "[", count: 200))1"
          + String(repeating: "]", count: 200)) + "}\n", says: "nested too deeply"),
  line(
    "127 levels in an attribute",
    "{\"Item\":"
      + order(
        "a", 1,
        more: ",\"x\":\(String(repeating: "[", count: 127))"
          + String(repeating: "]", count: 127)) + "}\n", says: "nested too deeply"),
  line(
    "a line of 9 MiB",
    "{\"Item\":" + order("a", 1, more: ",\"x\":\"\(String(repeating: "x", count: 9 << 20))\"")
      + "}\n", says: "longer than 8388608 bytes"),
  line(
    "a line one byte too long",
    "{\"Item\":"
      + order(
        "a", 1,
        more: ",\"x\":\"\(String(repeating: "x", count: (8 << 20) - good.utf8.count - 7))\"")
      + "}\n",
    says: "longer than 8388608 bytes"),
  Damage("bytes that are not UTF-8", file: first, says: "not UTF-8") {
    let text = Array(good.utf8).replacing(Array("\"a\"".utf8), with: [0x22, 0xFF, 0x22])
    try $0.replaceContent(text + [0x0A])
  },
]

private func line(
  _ name: String, _ content: String, items: Int = 1, says: String
) -> Damage {
  Damage(name, file: first, says: says) { try $0.replaceContent(content, items: items) }
}

/// Manifests that a reader must refuse.
private let manifests: [Damage] = [
  edit(
    "a name that leaves the archive", "\"\(first)\"", "\"data/../../x\"", says: "no chunk's name"),
  edit("an absolute name", "\"\(first)\"", "\"/etc/passwd\"", says: "no chunk's name"),
  edit(
    "a name without zeros", "\"\(first)\"", "\"data/0-000000.ndjson.zst\"", says: "no chunk's name"),
  edit(
    "a name with a sign", "\"\(first)\"", "\"data/+0000-000000.ndjson.zst\"",
    says: "no chunk's name"),
  edit(
    "a name with surplus zeros", "\"\(first)\"", "\"data/000000-000000.ndjson.zst\"",
    says: "no chunk's name"),
  edit(
    "a name with a zero byte", "\"\(first)\"", "\"\(first)\\u0000\"", says: "no chunk's name"),
  edit(
    "another segment than the name's", "\"segment\":0", "\"segment\":1", says: "chunks[0].segment"),
  edit(
    "a segment beyond the last", "\"totalSegments\": 2", "\"totalSegments\": 1",
    says: "of 1 segments"),
  edit("a chunk twice", second, first, says: "chunks[1].segment"),
  edit(
    "a required feature", "\"requiredFeatures\": []", "\"requiredFeatures\": [\"age\"]",
    .unsupported, says: "needs the feature \"age\""),
  edit("version 2", "\"version\": 1", "\"version\": 2", .unsupported, says: "format version 2"),
  edit("version 0", "\"version\": 1", "\"version\": 0", says: "\"version\" is not an integer"),
  edit(
    "another kind", "\"kind\": \"snapshot\"", "\"kind\": \"report\"", .unsupported,
    says: "of kind \"report\""),
  edit(
    "changes without sides", "\"kind\": \"snapshot\"", "\"kind\": \"changes\"",
    says: "\"changes\" is missing"),
  edit(
    "a snapshot with old images", "\"requiredFeatures\": []",
    "\"requiredFeatures\": [\"old-images\"]", says: "requiredFeatures"),
  edit(
    "another format", "\"dynarc-archive\"", "\"other\"", .notAnArchive, says: "\"format\" is not"),
  edit(
    "a duplicate name", "\"version\": 1", "\"version\": 1,\"version\": 1", says: "duplicate member"),
  edit("no JSON", "\"kind\": ", "\"kind\" ", says: "not valid JSON"),
  edit("a missing member", "\"kind\"", "\"kinds\"", says: "\"kind\" is missing"),
  edit("numbers as text", "\"segment\":0", "\"segment\":\"0\"", says: "is not an integer"),
  edit("a negative number", "\"items\":3", "\"items\":-3", says: "chunks[0].items"),
  edit("no items", "\"items\":3", "\"items\":0", says: "chunks[0].items"),
  edit("a fraction", "\"items\":3", "\"items\":3.0", says: "chunks[0].items"),
  edit("a huge number", "\"items\":3", "\"items\":1e30", says: "chunks[0].items"),
  edit(
    "a number beyond 64 bits", "\"items\":3", "\"items\":9223372036854775808",
    says: "chunks[0].items"),
  edit("numbers that overflow", "\"items\":3", "\"items\":9223372036854775807", says: "overflow"),
  edit("a sum that is wrong", "\"items\": 4", "\"items\": 5", says: "\"counts.items\" is 5"),
  edit(
    "capacity without end", "\"consumedReadUnits\": 4.5", "\"consumedReadUnits\": 1e999",
    says: "consumedReadUnits"),
  edit("a digest in capitals", "\"sha256\":\"", "\"sha256\":\"A", says: "sha256"),
  edit(
    "a day that is none", "\"startTime\": \"2026-11-2", "\"startTime\": \"2026-11-3",
    says: "startTime"),
  edit(
    "an unknown key type", "\"attributeType\": \"S\"", "\"attributeType\": \"BOOL\"",
    says: "table.keySchema[0].attributeType"),
  edit(
    "a table without a name", "\"tableName\": \"Orders\"", "\"tableName\": \"\"",
    says: "source.tableName\" is empty"),
  edit(
    "a key attribute without a name", "\"attributeName\": \"number\"", "\"attributeName\": \"\"",
    says: "table.keySchema[1].attributeName\" is empty"),
  edit(
    "no partition key", "\"keyType\": \"HASH\"", "\"keyType\": \"RANGE\"", says: "partition key"),
  edit(
    "one key attribute twice", "\"attributeName\": \"number\"", "\"attributeName\": \"customer\"",
    says: "names an attribute twice"),
  Damage("a deep manifest", file: "manifest.json", says: "nested too deeply") {
    let deep = String(repeating: "[", count: 200) + String(repeating: "]", count: 200)
    try $0.editManifest("\"version\": 1", "\"version\": 1, \"x\": \(deep)")
  },
  Damage("a changed manifest", file: "manifest.json", says: "not the one in SHA256SUMS") {
    try $0.edit("manifest.json", "eu-west-1", "eu-west-2")
  },
  Damage("no manifest", file: "manifest.json", says: "the file is missing") {
    #expect(unlink($0.path("manifest.json")) == 0)
  },
]

private func edit(
  _ name: String, _ old: String, _ new: String, _ code: ArchiveError.Code = .damaged, says: String
) -> Damage {
  Damage(name, code, file: "manifest.json", says: says) { try $0.editManifest(old, new) }
}

/// SHA256SUMS that a reader must refuse.
private let sums: [Damage] = [
  Damage("no sums", .unfinished, says: "unfinished dump") {
    #expect(unlink($0.path("SHA256SUMS")) == 0)
  },
  Damage("a path in the sums", file: "SHA256SUMS", says: "no name of an archive's file") {
    try $0.edit("SHA256SUMS", "  manifest.json", "  ../manifest.json")
  },
  Damage("a binary mark in the sums", file: "SHA256SUMS", says: "not a SHA-256, two spaces") {
    try $0.edit("SHA256SUMS", "  manifest.json", " *manifest.json")
  },
  Damage("one file twice in the sums", file: "SHA256SUMS", says: "twice") {
    try writeFile($0.path("SHA256SUMS"), try readFile($0.path("SHA256SUMS")) * 2)
  },
  Damage("torn sums", file: "SHA256SUMS", says: "no line feed") {
    try writeFile($0.path("SHA256SUMS"), try readFile($0.path("SHA256SUMS")).dropLast())
  },
  Damage("empty sums", file: "SHA256SUMS", says: "does not name manifest.json") {
    try writeFile($0.path("SHA256SUMS"), [])
  },
  Damage("a chunk missing in the sums", file: "SHA256SUMS", says: "does not name data/00000") {
    let text = String(decoding: try readFile($0.path("SHA256SUMS")), as: UTF8.self)
    let kept = text.split(separator: "\n").filter { !$0.contains("data/00000") }
    try writeFile($0.path("SHA256SUMS"), Array((kept.joined(separator: "\n") + "\n").utf8))
  },
  Damage("a chunk too many in the sums", file: "SHA256SUMS", says: "which the manifest does not") {
    let zeros = String(repeating: "0", count: 64)
    let more = Array("\(zeros)  data/00007-000000.ndjson.zst\n".utf8)
    try writeFile($0.path("SHA256SUMS"), try readFile($0.path("SHA256SUMS")) + more)
  },
]

private func * (bytes: [UInt8], times: Int) -> [UInt8] { (0..<times).flatMap { _ in bytes } }

@Suite struct DamageTests {
  @Test(arguments: files + rows + lines + manifests + sums)
  func isFound(_ damage: Damage) async throws {
    let victim = try Victim()
    #expect(await verify(victim.storage, mode: .full).problems == [])
    try damage.apply(victim)
    let report = await verify(victim.storage, mode: .full, concurrency: 2)
    let problem = try #require(report.problems.first)
    #expect(report.problems.count == 1, "\(report.problems)")
    #expect(problem.code == damage.code, "\(problem)")
    #expect(problem.file == damage.file, "\(problem)")
    #expect(problem.message.contains(damage.says), "\(problem)")
  }

  /// No arithmetic on what a manifest says may overflow.
  @Test func theLargestNumbers() async throws {
    let victim = try Victim([[[order("a", 1)]]], sampleManifest(totalSegments: 1))
    try victim.editRow { $0.contentBytes = .max }
    let problem = try #require(await verify(victim.storage, mode: .full).problems.first)
    #expect(problem.file == first)
    #expect(problem.message.contains("its frame holds"))
    try victim.replaceFile(try frame(Array((good + "\n").utf8)))
    let other = try #require(await verify(victim.storage, mode: .full).problems.first)
    #expect(other.message.contains("the content has \(good.utf8.count + 1) bytes"))
  }

  @Test func aCancelledVerificationIsNotSound() async throws {
    let victim = try Victim()
    let task = Task {
      withUnsafeCurrentTask { $0?.cancel() }
      return await verify(victim.storage, mode: .full)
    }
    let report = await task.value
    #expect(report.wasCancelled)
    #expect(!report.isSound)
    #expect(report.checked.chunks == 0)
  }

  @Test func offsetsPointAtTheLine() async throws {
    let victim = try Victim()
    try victim.replaceContent(good + "\n" + good + "\n{\"Item\":{}}\n" + good + "\n", items: 4)
    let problem = await verify(victim.storage, mode: .full).problems.first
    #expect(problem?.offset == 2 * (good.utf8.count + 1))
    #expect(problem?.message.hasPrefix("line 3: ") == true)
  }

  @Test func quickFindsWhatSizesAndNamesTell() async throws {
    let victim = try Victim()
    #expect(await verify(victim.storage, mode: .quick).isSound)
    try writeFile(victim.path(first), [0])
    #expect(unlink(victim.path(second)) == 0)
    try writeFile(victim.path("data/x"), [])
    let problems = await verify(victim.storage, mode: .quick).problems
    #expect(problems.map(\.file) == [first, "data/x", second])
  }

  @Test func everyProblemIsFound() async throws {
    let victim = try Victim()
    try victim.replaceContent("{\"Item\":{}}\n")
    #expect(unlink(victim.path(second)) == 0)
    try writeFile(victim.path("data/x"), [])
    let problems = await verify(victim.storage, mode: .full).problems
    #expect(problems.map(\.file) == [first, second, "data/x"])
  }

  @Test func aFaultStays() async throws {
    let victim = try Victim()
    try victim.replaceContent(good + "\n{}\n", items: 2)
    let archive = try Archive.open(victim.storage)
    var reader = try archive.chunk(archive.manifest.chunks[0])
    var faults: [ArchiveError] = []
    for _ in 0..<2 {
      do throws(ArchiveError) { _ = try reader.next() } catch { faults.append(error) }
    }
    #expect(faults.count == 2)
    #expect(faults.first == faults.last)
  }

  @Test func keylessArchivesNeedNoKeys() async throws {
    let victim = try Victim(keyless: true)
    try victim.replaceContent("{\"Item\":{}}\n")
    #expect(await verify(victim.storage, mode: .full).problems == [])
  }

  @Test(arguments: [
    ("/nowhere/at/all", ArchiveError.Code.notAnArchive), ("/dev/null", .notAnArchive),
    ("/usr", .notAnArchive),
  ])
  func notAnArchive(_ path: String, _ code: ArchiveError.Code) {
    let error = #expect(throws: ArchiveError.self) {
      try Archive.open(LocalStorage(directory: path))
    }
    #expect(error?.code == code)
    #expect(error?.message.contains(path) == true)
  }
}
