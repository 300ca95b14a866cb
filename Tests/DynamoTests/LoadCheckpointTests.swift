import Archive
import Foundation
import Testing

@testable import Dynamo

@Suite struct ChunkTrackerTests {
  /// Whatever the order in which batches end, only lines without a gap before them count.
  @Test func onlyThePrefixCounts() {
    let tracker = ChunkTracker(.init(lines: 10, rejected: 1))
    #expect(tracker.completed(35..<60, rejected: 0) == .init(lines: 10, rejected: 1))
    #expect(tracker.completed(60..<70, rejected: 2) == .init(lines: 10, rejected: 1))
    #expect(tracker.completed(10..<35, rejected: 3) == .init(lines: 70, rejected: 6))
    #expect(tracker.completed(70..<71, rejected: 0) == .init(lines: 71, rejected: 6))
  }
}

@Suite struct LoadCheckpointTests {
  private let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
    "dynarc-checkpoint-\(UUID().uuidString)")
  private var path: String { directory.appendingPathComponent("state").path }

  init() throws {
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  private let identity = LoadCheckpoint.Identity(
    archive: String(repeating: "a", count: 64), table: "Orders", work: .load(.merge))

  private func resume(archive: String? = nil, table: String = "Orders") throws -> LoadCheckpoint {
    try LoadCheckpoint.resume(
      path, .init(archive: archive ?? identity.archive, table: table, work: .load(.refuse)))
  }

  /// A load that notes two chunks, and is gone.
  private func write() throws {
    let checkpoint = try LoadCheckpoint.create(path, identity)
    try checkpoint.note(tableID: "arn id")
    try checkpoint.noteWriting()
    _ = checkpoint.record("data/00000-000000.ndjson.zst", .init(lines: 25, rejected: 1))
    _ = checkpoint.record("data/00001-000000.ndjson.zst", .init(lines: 50, rejected: 0))
    try checkpoint.flush()
    _ = checkpoint.record("data/00000-000000.ndjson.zst", .init(lines: 75, rejected: 2))
    try checkpoint.flush()
  }

  @Test func whatWasNotedComesBack() throws {
    try write()
    let checkpoint = try resume()
    #expect(checkpoint.identity == identity)
    #expect(checkpoint.tableID == "arn id")
    #expect(checkpoint.isWriting)
    #expect(
      checkpoint.position(of: "data/00000-000000.ndjson.zst") == .init(lines: 75, rejected: 2))
    #expect(checkpoint.total == .init(lines: 125, rejected: 2))
    #expect(checkpoint.position(of: "data/00009-000000.ndjson.zst") == .init())
  }

  @Test func theChoiceOfSettingsComesBack() throws {
    try write()
    // As files are that were written before there was a choice.
    #expect(try resume().settings == nil)
    var choice = SettingsChoice()
    choice.indexes = .after
    choice.tags = [TableTag(key: "a", value: "b")]
    try resume().note(settings: choice, created: true)
    let settings = try #require(try resume().settings)
    #expect(settings.choice == choice)
    #expect(settings.created)
    // The first word counts.
    try resume().note(settings: SettingsChoice(), created: false)
    #expect(try resume().settings?.choice == choice)
  }

  /// Cut anywhere, the file is of use, or says that it is not: it never tells more than was noted.
  @Test func tornAnywhere() throws {
    try write()
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    for length in 0..<whole.count {
      try whole.prefix(length).write(to: URL(fileURLWithPath: path))
      do {
        let checkpoint = try resume()
        let total = checkpoint.total
        #expect([0, 75, 125].contains(total.lines), "cut to \(length)")
        if total.lines > 0 { #expect(checkpoint.isWriting) }
        // What is noted next stands on a line of its own.
        try checkpoint.note(tableID: "another")
      } catch let error as DynamoError {
        #expect(error.code == .stateMismatch)
        continue
      }
      #expect(try resume().tableID == "another")
    }
  }

  @Test func aStateOfSomethingElseIsRefused() throws {
    try write()
    for attempt in [
      { try resume(archive: String(repeating: "b", count: 64)) }, { try resume(table: "Other") },
    ] {
      #expect(throws: DynamoError.self) { try attempt() }
    }
    #expect { try LoadCheckpoint.create(path, identity) } throws: {
      ($0 as? DynamoError)?.code == .stateExists
    }
    try FileManager.default.removeItem(atPath: path)
    #expect { try resume() } throws: { ($0 as? DynamoError)?.code == .noState }
  }

  /// Items that are changed in two ways must not stand beside each other.
  @Test func otherRulesAreRefused() throws {
    func transforms(_ value: String, key: String = "0123456789abcdef") throws -> ItemTransforms {
      try ItemTransforms([.set("a.b=\(value)"), .hash("e")], hashKey: Array(key.utf8))
    }
    func identity(_ transforms: ItemTransforms) -> LoadCheckpoint.Identity {
      var identity = self.identity
      (identity.rules, identity.hashKeyCheck) = (transforms.rules, transforms.hashKeyCheck)
      return identity
    }
    let begun = identity(try transforms(#""x""#))
    _ = try LoadCheckpoint.create(path, begun)
    #expect(try LoadCheckpoint.resume(path, begun).identity == begun)
    for other in [
      identity(.none), identity(try transforms(#""y""#)),
      identity(try transforms(#""x""#, key: "another key of it")),
      identity(try ItemTransforms([.set(#"a.b="x""#)], hashKey: nil)),
    ] {
      #expect { try LoadCheckpoint.resume(path, other) } throws: {
        ($0 as? DynamoError)?.code == .stateMismatch
      }
    }
    try FileManager.default.removeItem(atPath: path)
    try write()
    #expect(throws: DynamoError.self) { try LoadCheckpoint.resume(path, begun) }
  }

  @Test(arguments: [
    "{}", "nonsense", #"{"format":"dynarc-load","version":2}"#,
    #"{"done":{"data/00000-000000.ndjson.zst":[1,2]}}"#,
    #"{"done":{"data/00000-000000.ndjson.zst":[-1,0]}}"#,
    #"{"done":{"data/00000-000000.ndjson.zst":[1e99,0]}}"#,
  ])
  func damageInTheMiddleIsRefused(line: String) throws {
    try write()
    var text = try String(contentsOfFile: path, encoding: .utf8)
    text += line + "\n"
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    #expect { try resume() } throws: { ($0 as? DynamoError)?.code == .stateMismatch }
  }

  @Test func twoAtOnce() throws {
    try write()
    let first = try resume()
    #expect { try resume() } throws: { ($0 as? DynamoError)?.code == .locked }
    #expect(first.isWriting)
  }
}

@Suite struct StopSignalTests {
  @Test func aSleepEndsWithTheWish() async throws {
    let stop = StopSignal()
    let sleeper = Task { try await stop.sleep(for: .seconds(600)) }
    #expect(!stop.request())
    await #expect(throws: CancellationError.self) { try await sleeper.value }
    #expect(throws: CancellationError.self) { try stop.takeOver() }
    #expect(stop.request())
  }

  @Test func aSleepEndsByItself() async throws {
    try await StopSignal().sleep(for: .milliseconds(1))
    try await StopSignal().sleep(for: .zero)
  }
}
