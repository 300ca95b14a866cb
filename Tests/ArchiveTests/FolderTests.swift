import Foundation
import Glibc
import JSON
import Testing

@testable import Archive

private let someID = String(repeating: "ab", count: 32)

private func sampleIndex(_ tables: [String] = ["Users", "Orders", "index.json"]) -> FolderIndex {
  FolderIndex(
    tool: ArchiveTool(version: "0.0.1"), startTime: Timestamp(seconds: 1_795_341_600),
    accountID: "111122223333", region: "eu-central-1",
    selection: TableSelection(
      pattern: TablePattern("*s"),
      tags: [TagCondition(key: "team", value: "pay"), TagCondition(key: "x")]),
    tables: tables)
}

@Suite struct FolderIndexTests {
  private func filled() -> FolderIndex {
    var index = sampleIndex()
    index.tables[0].state = .complete(
      FolderArchive(id: someID, items: 12, contentBytes: 3456, storedBytes: 789))
    index.tables[1].state = .failed(FolderFailure(code: "stuck", message: "nothing \"moved\"\n"))
    return index
  }

  @Test func comesBack() throws {
    for index in [filled(), sampleIndex([])] {
      #expect(try FolderIndex(parsing: index.serialized.span) == index)
    }
    #expect(filled().tables.map(\.name) == ["Orders", "Users", "index.json"])
    let totals = try #require(filled().totals)
    #expect(totals == (12, 3456, 789))
  }

  @Test func unknownMembersAreKept() throws {
    var index = filled()
    index.unknown = ["later": [1, ["a": .null]]]
    index.tables[2].unknown = ["note": "x"]
    let read = try FolderIndex(parsing: index.serialized.span)
    #expect(read == index && read.serialized == index.serialized)
  }

  @Test func longMessagesAreCut() {
    #expect(
      FolderFailure(code: "x", message: String(repeating: "é", count: 9_999)).message.count == 500)
  }

  /// Each is one edit of a sound index.
  @Test(arguments: [
    (#""dynarc-folder""#, #""dynarc-archive""#, "not-an-archive"),
    (#""version": 1"#, #""version": 2"#, "unsupported"),
    (#""version": 1"#, #""version": 0"#, "damaged"),
    (#""tableName": "Orders""#, #""tableName": "../../etc""#, "damaged"),
    (#""tableName": "Orders""#, #""tableName": """#, "damaged"),
    (#""tableName": "Orders""#, #""tableName": "..""#, "damaged"),
    (#""tableName": "Orders""#, #""tableName": "a/b""#, "damaged"),
    (#""tableName": "Orders""#, #""tableName": "Users""#, "damaged"),
    (#""tableName": "Orders""#, #""name": "Orders""#, "damaged"),
    (#""state": "complete""#, #""state": "done""#, "damaged"),
    (#""archiveId": "abab"#, #""archiveId": "ABAB"#, "damaged"),
    (#""items": 12"#, #""items": -12"#, "damaged"),
    (#""items": 12"#, #""items": 1.5"#, "damaged"),
    (#""items": 12"#, #""items": 9223372036854775808"#, "damaged"),
    (#""items": 12"#, #""items": 12, "items": 12"#, "damaged"),
    (#""pattern": "*s""#, #""pattern": "plain""#, "damaged"),
    (#""startTime": "2026"#, #""startTime": "26"#, "damaged"),
    (#""selection": {"#, #""selected": {"#, "damaged"),
    (#""tables": ["#, #""tables": [7, "#, "damaged"),
    ("}\n", "", "damaged"),
  ])
  func isReadStrictly(_ old: String, _ new: String, _ code: String) throws {
    let text = String(decoding: filled().serialized, as: UTF8.self)
    let place = try #require(text.range(of: old, options: old == "}\n" ? .backwards : []), "\(old)")
    let bytes = Array(text.replacingCharacters(in: place, with: new).utf8)
    #expect { try FolderIndex(parsing: bytes.span) } throws: { error in
      (error as? ArchiveError)?.code.rawValue == code
    }
  }

  @Test func sumsAreChecked() throws {
    var index = filled()
    index.tables[1].state = .complete(
      FolderArchive(id: someID, items: Int.max, contentBytes: 0, storedBytes: 0))
    #expect(index.totals == nil)
    #expect(throws: ArchiveError.self) { try FolderIndex(parsing: index.serialized.span) }
  }
}

@Suite struct FolderWriterTests {
  private let temporary = TemporaryDirectory()
  private var path: String { temporary.path + "/folder" }
  private let later = Timestamp(seconds: 1_795_345_200)

  private func read() throws -> FolderIndex { try ArchiveFolder.open(path).index }

  @Test func beginsAndGoesOn() throws {
    do {
      let writer = try FolderWriter(path, sampleIndex(), resume: false)
      #expect(!writer.isResumed)
      #expect(names(in: path) == ["index.json", "archives"])
      #expect(try read() == sampleIndex())
      try writer.set(.failed(FolderFailure(code: "a", message: "b")), of: "Users", at: later)
      #expect(names(in: path) == ["index.json", "archives"])
      #expect(permissions(path) == 0o700 && permissions(path + "/archives") == 0o700)
      #expect(permissions(path + "/index.json") == 0o600)
    }
    let writer = try FolderWriter(path, sampleIndex(["Other"]), resume: true)
    #expect(writer.isResumed)
    #expect(writer.index == (try read()))
    #expect(writer.index.tables.map(\.state.word) == ["pending", "failed", "pending"])
    #expect(writer.index.updateTime == later)
  }

  @Test func whatIsThereIsNotOverwritten() throws {
    #expect(mkdir(path, 0o755) == 0)
    #expect { try FolderWriter(path, sampleIndex(), resume: false) } throws: {
      ($0 as? ArchiveError)?.code == .exists
    }
    #expect(names(in: path) == [])
  }

  @Test func aSecondWriterIsKeptOut() throws {
    let writer = try FolderWriter(path, sampleIndex(), resume: false)
    func isLocked() -> Bool {
      do { _ = try FolderWriter(path, sampleIndex(), resume: true) } catch {
        return error.code == .locked
      }
      return false
    }
    #expect(isLocked())
    // The index is another file after each change, and still the same lock.
    for _ in 0..<3 {
      try writer.touch(at: later)
      #expect(isLocked())
    }
  }

  @Test func theLockEndsWithItsWriter() throws {
    do { try FolderWriter(path, sampleIndex(), resume: false).touch(at: later) }
    #expect(try FolderWriter(path, sampleIndex(), resume: true).isResumed)
  }

  /// Killed at any step of the beginning, and while an index is written.
  @Test(arguments: ["", "archives", ".index.json.tmp", "archives .index.json.tmp"])
  func goesOnFromEveryBeginning(_ left: String) throws {
    #expect(mkdir(path, 0o700) == 0)
    for name in left.split(separator: " ") {
      if name == "archives" {
        #expect(mkdir("\(path)/archives", 0o700) == 0)
      } else {
        try writeFile("\(path)/\(name)", Array("{\"torn\":".utf8))
      }
    }
    let writer = try FolderWriter(path, sampleIndex(), resume: true)
    #expect(!writer.isResumed)
    #expect(try read() == sampleIndex())
    #expect(names(in: path) == ["index.json", "archives"])
  }

  @Test func aTornDraftIsNoIndex() throws {
    do { _ = try FolderWriter(path, sampleIndex(), resume: false) }
    try writeFile(path + "/.index.json.tmp", Array("{\"torn\":".utf8))
    let writer = try FolderWriter(path, sampleIndex(["Other"]), resume: true)
    #expect(writer.index == sampleIndex())
    try writer.touch(at: later)
    #expect(names(in: path) == ["index.json", "archives"])
  }

  @Test func nothingToGoOnWith() throws {
    #expect { try FolderWriter(path, sampleIndex(), resume: true) } throws: {
      ($0 as? ArchiveError)?.code == .missing
    }
    try writeArchive(LocalStorage(directory: path), [[[order("a", 1)]]])
    #expect { try FolderWriter(path, sampleIndex(), resume: true) } throws: {
      ($0 as? ArchiveError)?.code == .notAnArchive
    }
    #expect(!ArchiveFolder.isAt(path))
  }

  @Test func somethingElseIsLeftAlone() throws {
    #expect(mkdir(path, 0o700) == 0)
    try writeFile(path + "/mine.txt", [1])
    #expect { try FolderWriter(path, sampleIndex(), resume: true) } throws: {
      ($0 as? ArchiveError)?.code == .foreign
    }
    #expect(names(in: path) == ["mine.txt"])
  }

  @Test func noFolderInAnArchive() throws {
    try writeArchive(LocalStorage(directory: path), [[[order("a", 1)]]])
    #expect { try FolderWriter(path + "/inner", sampleIndex(), resume: false) } throws: {
      ($0 as? ArchiveError)?.code == .unsupported
    }
    #expect(!exists(path + "/inner"))
  }

  @Test func whatHoldsNothingIsRemovedAndNothingElse() throws {
    for holdsMore in [false, true] {
      let writer = try FolderWriter(path, sampleIndex(), resume: false)
      try LocalStorage(directory: path + "/archives/Orders").prepare()
      if holdsMore { try writeFile(path + "/archives/Orders/data/mine", [1]) }
      writer.discard()
      #expect(exists(path) == holdsMore)
      #expect(exists(path + "/index.json") == holdsMore)
    }
  }
}

@Suite struct ArchiveFolderTests {
  private let temporary = TemporaryDirectory()
  private var path: String { temporary.path + "/folder" }

  /// A folder with one complete archive, of a table called like the index.
  private func make() throws -> ArchiveFolder {
    let writer = try FolderWriter(path, sampleIndex(), resume: false)
    let storage = try ArchiveFolder.storage(of: "index.json", in: path)
    try writeArchive(storage, [[[order("a", 1)]]])
    let archive = try Archive.open(storage)
    try writer.set(
      .complete(FolderArchive(archive)), of: "index.json", at: Timestamp(seconds: 1_795_345_200))
    return try ArchiveFolder.open(path)
  }

  private func row(_ folder: ArchiveFolder) throws -> FolderArchive {
    try #require(folder.index.tables.first { $0.name == "index.json" }?.state.archive)
  }

  @Test func opensWhatTheIndexNames() throws {
    let folder = try make()
    #expect(ArchiveFolder.isAt(path))
    let archive = try folder.archive(of: "index.json", try row(folder))
    #expect(archive.manifest.counts.items == 1)
    #expect(try folder.strangers() == [])
  }

  @Test func anotherArchiveIsNoticed() throws {
    let folder = try make()
    shell("rm -r '\(path)/archives/index.json'")
    try writeArchive(try ArchiveFolder.storage(of: "index.json", in: path), [[[order("b", 1)]]])
    #expect { try folder.archive(of: "index.json", try row(folder)) } throws: {
      ($0 as? ArchiveError)?.code == .damaged
    }
  }

  @Test(arguments: ["archives", "archives/index.json"])
  func linksAreNotFollowed(_ place: String) throws {
    let folder = try make()
    shell("mv '\(path)/\(place)' '\(temporary.path)/elsewhere'")
    #expect(symlink(temporary.path + "/elsewhere", "\(path)/\(place)") == 0)
    #expect { try folder.archive(of: "index.json", try row(folder)) } throws: {
      ($0 as? ArchiveError)?.code == .damaged
    }
  }

  @Test func aLinkIsNoIndex() throws {
    _ = try make()
    shell("mv '\(path)/index.json' '\(temporary.path)/elsewhere'")
    #expect(symlink(temporary.path + "/elsewhere", path + "/index.json") == 0)
    #expect { try ArchiveFolder.open(path) } throws: { ($0 as? ArchiveError)?.code == .damaged }
    #expect { try FolderWriter(path, sampleIndex(), resume: true) } throws: { $0 is ArchiveError }
  }

  @Test func strangersAreNamed() throws {
    let folder = try make()
    try writeFile(path + "/notes.txt", [1])
    #expect(mkdir(path + "/archives/Unknown", 0o700) == 0)
    #expect(try folder.strangers() == ["archives/Unknown", "notes.txt"])
  }

  /// Whoever wants an archive is told what it is instead, and where one is.
  @Test func isNoArchive() throws {
    _ = try make()
    #expect { try Archive.open(LocalStorage(directory: path)) } throws: { error in
      let error = error as? ArchiveError
      return error?.code == .notAnArchive && error?.message.contains("folder of archives") == true
        && error?.hint?.contains("\(path)/archives/Orders") == true
    }
  }
}
