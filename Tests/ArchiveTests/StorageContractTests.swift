@testable import Archive
import Glibc
import Testing

/// What every `WritableStorage` promises; an implementation adds itself to `kinds`.
@Suite struct StorageContractTests {
  struct Kind: Sendable, CustomTestStringConvertible {
    let testDescription: String
    /// A place where nothing is yet.
    let make: @Sendable (TemporaryDirectory) -> any WritableStorage
  }

  static let kinds = [
    Kind(testDescription: "local") { LocalStorage(directory: $0.path + "/a") },
    Kind(testDescription: "local with a slash") { LocalStorage(directory: $0.path + "/a/") },
  ]

  let directory = TemporaryDirectory()
  let chunk = "data/00000-000000.ndjson.zst"

  private func put(_ storage: any WritableStorage, _ name: String, _ text: String) throws {
    let file = try storage.create(name)
    try file.write(Array(text.utf8).span.bytes)
    try file.commit()
  }

  private func text(_ storage: any WritableStorage, _ name: String) throws -> String {
    let file = try storage.open(name)
    var bytes = [UInt8](repeating: 0, count: file.size + 1)
    let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
    let more = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
    #expect(count == file.size)
    #expect(more == 0)
    return String(decoding: bytes[..<count], as: UTF8.self)
  }

  private func code(_ body: () throws -> Void) -> ArchiveError.Code? {
    do { try body() } catch { return (error as? ArchiveError)?.code }
    return nil
  }

  @Test(arguments: kinds) func filesAppearWithTheirCommit(_ kind: Kind) throws {
    let storage = kind.make(directory)
    try storage.prepare()
    for name in [chunk, "manifest.json"] {
      let file = try storage.create(name)
      try file.write(Array("one ".utf8).span.bytes)
      try file.write(Array("two".utf8).span.bytes)
      #expect(code { _ = try storage.open(name) } == .missing)
      #expect(try !storage.entries().contains { $0.name == name })
      try file.commit()
      #expect(try text(storage, name) == "one two")
      #expect(try storage.entries().contains(StorageEntry(name: name, kind: .file, size: 7)))
      #expect(code { try file.commit() } == .io)
      #expect(code { try file.write(Array("x".utf8).span.bytes) } == .io)
      file.abandon()
      #expect(try text(storage, name) == "one two")
    }
    // And nothing else is left.
    #expect(try storage.entries().filter { $0.kind == .file }.count == 2)
  }

  @Test(arguments: kinds) func nothingIsOverwritten(_ kind: Kind) throws {
    let storage = kind.make(directory)
    try storage.prepare()
    try put(storage, chunk, "first")
    #expect(code { try put(storage, chunk, "second") } == .exists)
    #expect(try text(storage, chunk) == "first")
    #expect(try storage.entries().filter { $0.kind == .file }.count == 1)
    #expect(code { try storage.prepare() } == .exists)
    _ = try storage.append("dump.journal")
    #expect(code { _ = try storage.append("dump.journal") } == .exists)
  }

  @Test(arguments: kinds) func onlyAnEmptyPlaceIsRemoved(_ kind: Kind) throws {
    let storage = kind.make(directory)
    try storage.prepare()
    try put(storage, chunk, "x")
    #expect(code { try storage.removePlace() } == .io)
    #expect(try text(storage, chunk) == "x")
    try storage.remove(chunk)
    try storage.removePlace()
    #expect(code { _ = try storage.entries() } == .missing)
    try storage.prepare()
  }

  @Test(arguments: kinds) func abandonedFilesLeaveNothing(_ kind: Kind) throws {
    let storage = kind.make(directory)
    try storage.prepare()
    let file = try storage.create(chunk)
    try file.write(Array("x".utf8).span.bytes)
    file.abandon()
    file.abandon()
    #expect(code { try file.commit() } == .io)
    do { _ = try storage.create(chunk) }
    #expect(try storage.entries().allSatisfy { $0.kind == .directory })
    try put(storage, chunk, "again")
  }

  @Test(arguments: kinds) func journalsGrow(_ kind: Kind) throws {
    let storage = kind.make(directory)
    try storage.prepare()
    let journal = try storage.append("dump.journal")
    try journal.append(Array("a\n".utf8).span.bytes)
    #expect(try text(storage, "dump.journal") == "a\n")
    try journal.append(Array("b\n".utf8).span.bytes)
    #expect(try text(storage, "dump.journal") == "a\nb\n")
    try storage.remove("dump.journal")
    #expect(code { _ = try storage.open("dump.journal") } == .missing)
    #expect(code { try storage.remove("dump.journal") } == .missing)
  }

  @Test(arguments: kinds) func emptyAndAbsentPlaces(_ kind: Kind) throws {
    let storage = kind.make(directory)
    #expect(code { _ = try storage.entries() } == .missing)
    #expect(code { _ = try storage.open(chunk) } == .missing)
    try storage.prepare()
    #expect(try storage.entries().allSatisfy { $0.kind == .directory })
    #expect(code { _ = try storage.open(chunk) } == .missing)
    try put(storage, chunk, "")
    #expect(try text(storage, chunk) == "")
  }

  @Test(
    arguments: kinds,
    [
      "", ".", "..", "../x", "/etc/passwd", "data/", "data/..", "data/../x", "x/y", "data/x/y",
      "a\0b", "data/x/\u{301}y",
    ])
  func namesStayInside(_ kind: Kind, _ name: String) throws {
    let storage = kind.make(directory)
    try storage.prepare()
    #expect(code { _ = try storage.open(name) } == .damaged)
    #expect(code { _ = try storage.create(name) } == .damaged)
    #expect(code { _ = try storage.append(name) } == .damaged)
    #expect(code { try storage.remove(name) } == .damaged)
  }
}

/// What only directories have: permissions, links, and reasons why the system refuses.
@Suite struct LocalStorageTests {
  let directory = TemporaryDirectory()
  var storage: LocalStorage { LocalStorage(directory: directory.path + "/a") }

  @Test func permissionsAreNarrow() throws {
    try storage.prepare()
    let file = try storage.create("manifest.json")
    #expect(permissions(storage.directory + "/.manifest.json.tmp") == 0o600)
    try file.commit()
    _ = try storage.append("dump.journal")
    #expect(permissions(storage.directory) == 0o700)
    #expect(permissions(storage.directory + "/data") == 0o700)
    #expect(permissions(storage.directory + "/manifest.json") == 0o600)
    #expect(permissions(storage.directory + "/dump.journal") == 0o600)
  }

  @Test func linksAreNotFollowed() throws {
    try storage.prepare()
    #expect(symlink("/etc/passwd", storage.directory + "/manifest.json") == 0)
    #expect(throws: ArchiveError.self) { try storage.open("manifest.json") }
    #expect(
      try storage.entries().contains { $0.name == "manifest.json" && $0.kind == .other })
    #expect(rmdir(storage.directory + "/data") == 0)
    #expect(symlink("/usr", storage.directory + "/data") == 0)
    for name in ["data/bin", "data/x"] {
      let error = #expect(throws: ArchiveError.self) { try storage.open(name) }
      #expect(error?.code == .damaged)
      #expect(throws: ArchiveError.self) { try storage.create(name) }
    }
    #expect(try !storage.entries().contains { $0.name.hasPrefix("data/") })
  }

  @Test func aLinkToTheArchiveItselfIsFine() throws {
    try storage.prepare()
    let link = directory.path + "/link"
    #expect(symlink(storage.directory, link) == 0)
    #expect(try LocalStorage(directory: link).entries().map(\.name) == ["data"])
    let error = #expect(throws: ArchiveError.self) { try LocalStorage(directory: link).prepare() }
    #expect(error?.code == .exists)
  }

  @Test func aMissingParentIsNamed() throws {
    let error = #expect(throws: ArchiveError.self) {
      try LocalStorage(directory: directory.path + "/x/y").prepare()
    }
    #expect(error?.code == .missing)
    #expect(error?.hint?.contains("parent") == true)
  }

  @Test(
    arguments: [
      (ENOSPC, ArchiveError.Code.io, "free some space"), (EACCES, .io, "permissions"),
      (EROFS, .io, "read-only"), (EMFILE, .io, "ulimit"), (ENOENT, .missing, nil),
      (EEXIST, .exists, nil), (EIO, .io, nil),
    ] as [(Int32, ArchiveError.Code, String?)])
  func theSystemsReasonsAreNamed(_ number: Int32, _ code: ArchiveError.Code, _ hint: String?) {
    let error = ArchiveError.system(number, "write", file: "manifest.json")
    #expect(error.code == code)
    #expect(error.errno == number)
    #expect(error.message == "cannot write: " + String(cString: strerror(number)))
    #expect(error.file == "manifest.json")
    if let hint { #expect(error.hint?.contains(hint) == true) } else { #expect(error.hint == nil) }
  }
}
