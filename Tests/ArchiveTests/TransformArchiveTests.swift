@testable import Archive
import Glibc
import JSON
import Testing

/// Rules in manifests and journals, and what becomes of an archive that they do not fit.
@Suite struct TransformArchiveTests {
  let directory = TemporaryDirectory()
  var storage: LocalStorage { LocalStorage(directory: directory.path + "/a") }

  private func source(_ rules: [String]) throws -> ArchiveSource {
    ArchiveSource(
      tableName: "Orders", read: ReadDescription(operation: .scan),
      transforms: try ItemTransformerTests.transforms(rules))
  }

  @Test func theManifestTellsTheRules() throws {
    var manifest = sampleManifest()
    manifest.source = try source([
      #"set a.b={"M":{"c":{"NULL":true}}}"#, "remove d", #"hash "e.f"[0]"#,
    ])
    let read = try Manifest(parsing: manifest.serialized.span)
    #expect(read == manifest)
    #expect(read.source.transforms.map(\.words) == ["set a.b", "remove d", #"hash "e.f"[0]"#])
    #expect(read.source.hashKeyCheck == "926db6d806019956")
    #expect(read.changedBecause == #"they were changed by set a.b, remove d, hash "e.f"[0]"#)
    #expect(read.source.unknown == JSONObject())
  }

  @Test func withoutRulesNothingIsSaid() throws {
    let text = String(decoding: sampleManifest().serialized, as: UTF8.self)
    #expect(!text.contains("transforms") && !text.contains("hashKeyCheck"))
    #expect(sampleManifest().changedBecause == nil)
  }

  @Test(arguments: [
    (#""hashKeyCheck": "926db6d806019956""#, #""hashKeyCheck": "926db6d80601995""#),
    (#""hashKeyCheck": "926db6d806019956""#, #""hashKeyCheck": "926DB6D806019956""#),
    (#""hashKeyCheck": "926db6d806019956""#, #""later": 1"#),
    (#""operation": "hash""#, #""operation": "remove""#),
    (#""operation": "hash""#, #""operation": "mask""#),
    (#""path": "a""#, #""path": "a b""#), (#""path": "a""#, #""other": "a""#),
    (#""N": "1""#, #""N": "x""#), (#""value": {"#, #""other": {"#),
    (#""transforms": ["#, #""transforms": [1,"#),
  ])
  func whatDoesNotFitIsDamage(_ old: String, _ new: String) throws {
    var manifest = sampleManifest()
    manifest.source = try source(["set b=1", "hash a"])
    let text = String(decoding: manifest.serialized, as: UTF8.self)
    #expect(text.contains(old))
    let error = #expect(throws: ArchiveError.self) {
      try Manifest(parsing: Array(text.replacing(old, with: new).utf8).span)
    }
    #expect(error?.code == .damaged)
  }

  @Test func aDumpGoesOnWithTheSameRules() throws {
    let begun = try source(["hash a", "set b=1"])
    _ = try ArchiveWriter(storage: storage, parameters: begun.json, level: 1)
    #expect(try Journal.read(storage)?.source == begun)
    for (rules, member) in [
      (["hash a"], "transforms"), (["hash a", "set b=2"], "transforms"), ([], "transforms"),
    ] {
      let error = #expect(throws: ArchiveError.self) {
        try ArchiveWriter(resuming: storage, parameters: try source(rules).json)
      }
      #expect(error?.code == .otherDump)
      #expect(error?.message.contains(member) == true, "\(error?.message ?? "")")
    }
    var otherKey = begun
    otherKey.hashKeyCheck = "0000000000000000"
    #expect(throws: ArchiveError.self) {
      try ArchiveWriter(resuming: storage, parameters: otherKey.json)
    }
    _ = try ArchiveWriter(resuming: storage, parameters: begun.json)
  }

  // MARK: Keys that two items have

  private func write(_ items: [[String]]) throws -> ArchiveWriter {
    let writer = try ArchiveWriter(storage: storage, parameters: [:], level: 1)
    for (number, chunk) in items.enumerated() {
      var segment = try writer.segment(number)
      try append(page(chunk), to: &segment)
      try writer.commit(try #require(try segment.finishChunk(lastEvaluatedKey: nil)))
      try writer.segmentDone(number)
    }
    return writer
  }

  @Test func keysOfTheirOwnAreFine() throws {
    let writer = try write([[order("a", 1), order("a", 2)], [order("b", 1)]])
    try writer.checkKeys(ordersKey)
  }

  /// In one chunk and in two, in whatever spelling.
  @Test(arguments: [
    [[order("a", 1), order("b", 1), order("a", 1)]],
    [[order("b", 1), order("a", 1)], [order("a", 1)]],
    [[order("b", 1), order("a", 1)], [#"{"number":{"N":"1.0"},"customer":{"S":"\u0061"}}"#]],
  ])
  func oneKeyOfTwoItemsIsFound(_ items: [[String]]) throws {
    let writer = try write(items)
    let error = #expect(throws: TransformError.self) { try writer.checkKeys(ordersKey) }
    #expect(error?.code == .collision)
    #expect(error?.message.hasPrefix("1 item(s)") == true)
    #expect(error?.message.contains(#"{"customer":{"S":"a"},"number":{"N":"1"}}"#) == true)
  }

  // MARK: Discarding

  @Test func anUnfinishedArchiveIsRemovedWhole() throws {
    let writer = try write([[order("a", 1)], [order("b", 1)]])
    do {
      var open = try writer.segment(2)
      // Large enough for bytes to reach the temporary file.
      try append(page((0..<4000).map { order("c", $0) }), to: &open)
      try writeFile("\(storage.directory)/manifest.json", Array("{}".utf8))
    }
    try writeFile("\(storage.directory)/data/.00003-000000.ndjson.zst.tmp", [1])
    try writer.discard()
    #expect(!exists(storage.directory))
  }

  @Test func foreignFilesKeepIt() throws {
    let writer = try write([[order("a", 1)]])
    try writeFile("\(storage.directory)/mine.txt", [1])
    let error = #expect(throws: ArchiveError.self) { try writer.discard() }
    #expect(error?.code == .foreign)
    #expect(names(in: storage.directory) == ["data", "dump.journal", "mine.txt"])
    #expect(names(in: "\(storage.directory)/data").count == 1)
  }

  @Test func aFinishedArchiveIsKept() throws {
    let writer = try write([[order("a", 1)]])
    _ = try writer.finish(sampleManifest(totalSegments: 1))
    let error = #expect(throws: ArchiveError.self) { try writer.discard() }
    #expect(error?.code == .complete)
    #expect(exists("\(storage.directory)/SHA256SUMS"))
  }

  /// Where removing stops half-way, what is left is an unfinished dump.
  @Test func discardingCanStopAnywhere() throws {
    func fill(_ disk: SimulatedDisk) throws -> ArchiveWriter {
      let writer = try ArchiveWriter(storage: disk, parameters: [:], level: 1)
      var segment = try writer.segment(0)
      try append(page([order("a", 1)]), to: &segment)
      try writer.commit(try #require(try segment.finishChunk(lastEvaluatedKey: nil)))
      return writer
    }
    let whole = SimulatedDisk()
    let writer = try fill(whole)
    let before = whole.steps
    try writer.discard()
    #expect(throws: ArchiveError.self) { try whole.entries() }
    for step in before + 1...whole.steps {
      let disk = SimulatedDisk([step: .stopBefore])
      let writer = try fill(disk)
      #expect(throws: ArchiveError.self) { try writer.discard() }
      let left = disk.restarted(step)
      #expect(throws: ArchiveError.self) { try Archive.open(left) }
    }
  }
}
