import Foundation
import Glibc
import JSON
import Testing

@testable import Dynamo

@Suite struct LineFileTests {
  private let path = FileManager.default.temporaryDirectory.appendingPathComponent(
    "dynarc-lines-\(UUID().uuidString)"
  ).path

  private func withFile<Result>(_ body: (Int32) throws -> Result) throws -> Result {
    let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND, 0o600)
    try #require(descriptor >= 0)
    defer {
      close(descriptor)
      unlink(path)
    }
    return try body(descriptor)
  }

  private func size(_ descriptor: Int32) -> Int { lseek(descriptor, 0, SEEK_END) }

  /// As a disk does that has room for a part of the line: the process may not write beyond an offset
  /// that no other test comes near.
  @Test func aLineThatDoesNotFitLeavesNothing() throws {
    let far = 1 << 40
    try withFile { descriptor in
      try #require(ftruncate(descriptor, far) == 0)
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit()
      getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
      var low = limit
      low.rlim_cur = rlim_t(far + 10)
      try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &low) == 0)
      defer { setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) }
      #expect(LineFile.append(Array("too long a line\n".utf8), to: descriptor) == EFBIG)
      #expect(size(descriptor) == far)
      #expect(LineFile.append(Array("short\n".utf8), to: descriptor) == 0)
      #expect(size(descriptor) == far + 6)
    }
  }

  @Test(arguments: [
    ("", 0), ("torn", 0), ("whole\n", 6), ("whole\ntorn", 6),
    ("whole\n" + String(repeating: "x", count: 200_000), 6),
    (String(repeating: "x", count: 65_535) + "\ntorn", 65_536),
  ])
  func aTornLineIsCutOff(content: String, expected: Int) throws {
    try withFile { descriptor in
      #expect(write(descriptor, content, content.utf8.count) == content.utf8.count)
      #expect(LineFile.cutTornLine(descriptor) == 0)
      #expect(size(descriptor) == expected)
    }
  }
}

@Suite struct RejectsFileTests {
  /// White space of a service that breaks lines in items must not break the file's.
  @Test func eachItemStandsOnALineOfItsOwn() throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
      "dynarc-rejects-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let rejects = RejectsFile(directory: directory.path)
    let item = Array("{\"p\":\r\n{\"S\":\"a\\n\"}\n}".utf8)
    try rejects.append(.put, item.span, code: "Code", message: "why")
    try rejects.append(.delete, item.span, code: "Code", message: "why")
    let written = try #require(rejects.written)
    let lines = try String(contentsOfFile: written.path, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 2)
    let values = try lines.map { try JSONValue.parse(String($0)) }
    #expect(values[0]["Item"] == ["p": ["S": "a\n"]])
    #expect(values[1]["Keys"] == ["p": ["S": "a\n"]])
  }
}
