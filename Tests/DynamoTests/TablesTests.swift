import Archive
import Foundation
import Synchronization
import Testing

@testable import AWS
@testable import Dynamo

@Suite struct PrefixMapTests {
  @Test func parsing() {
    #expect(PrefixMap("prod-=staging-") == PrefixMap(source: "prod-", target: "staging-"))
    #expect(PrefixMap("=copy-") == PrefixMap(source: "", target: "copy-"))
    #expect(PrefixMap("prod-=") == PrefixMap(source: "prod-", target: ""))
    for text in ["", "prod-", "=", "a=a", "a b=c", "a=b=c", "a=ä", "a/=b"] {
      #expect(PrefixMap(text) == nil, "\(text)")
    }
  }

  private func targets(_ tables: [String], _ maps: String...) throws -> [String] {
    try PrefixMap.targets(of: tables, by: maps.map { try #require(PrefixMap($0)) })
  }

  @Test func theFirstThatFitsCounts() throws {
    #expect(try targets(["prod-a", "prod-eu-b"], "prod-=x-", "prod-eu-=y-") == ["x-a", "x-eu-b"])
    #expect(try targets(["prod-a", "prod-eu-b"], "prod-eu-=y-", "prod-=x-") == ["x-a", "y-b"])
    #expect(try targets(["prod-a", "other"], "prod-=x-", "=z-") == ["x-a", "z-other"])
    #expect(try targets(["a", "b"]) == ["a", "b"])
    #expect(try targets(["prod-orders"], "prod-=") == ["orders"])
  }

  private func refusal(_ tables: [String], _ maps: String...) throws -> String {
    let maps = try maps.map { try #require(PrefixMap($0)) }
    do { _ = try PrefixMap.targets(of: tables, by: maps) } catch {
      #expect(error.code == .usage)
      return error.message
    }
    return "none"
  }

  @Test func whatCannotBeIsRefused() throws {
    #expect(try refusal(["prod-a", "other"], "prod-=x-").contains("table other"))
    #expect(try refusal(["prod-a", "test-a"], "prod-=x-", "test-=x-").contains("x-a"))
    #expect(try refusal(["prod-ab"], "prod-=").contains("\"ab\""))
    let long = String(repeating: "n", count: 250)
    #expect(try refusal(["p-" + long], "p-=staging-").contains("no table can be called so"))
  }
}

@Suite struct SeveralAtOnceTests {
  @Test func resultsStandInTheirPlaces() async throws {
    let most = Mutex((now: 0, most: 0))
    let results = try await severalAtOnce(Array(0..<50), limit: 4) { number in
      most.withLock { state in
        state.now += 1
        state.most = max(state.most, state.now)
      }
      try await Task.sleep(for: .milliseconds((50 - number) % 7))
      most.withLock { $0.now -= 1 }
      return number * 2
    }
    #expect(results == (0..<50).map { $0 * 2 })
    #expect(most.withLock { $0.most } == 4)
  }

  @Test func aStopLeavesTheRest() async throws {
    let stop = StopSignal()
    let results = try await severalAtOnce(Array(0..<10), limit: 2, until: stop) { number in
      if number == 3 { _ = stop.request() }
      return number
    }
    #expect(results.prefix(4) == [0, 1, 2, 3])
    #expect(results.suffix(4).allSatisfy { $0 == nil })
  }

  @Test func anErrorEndsItAndTheOthersAreWaitedFor() async {
    struct Failure: Error {}
    let running = Mutex(0)
    await #expect(throws: Failure.self) {
      _ = try await severalAtOnce(Array(0..<10), limit: 3) { number in
        running.withLock { $0 += 1 }
        defer { running.withLock { $0 -= 1 } }
        if number == 1 { throw Failure() }
        try await Task.sleep(for: .seconds(60))
      }
    }
    #expect(running.withLock { $0 } == 0)
  }
}

@Suite struct TablesStateTests {
  private func progress(_ items: Int, _ fault: String? = nil) -> DumpProgress {
    var progress = DumpProgress()
    progress.items = items
    progress.contentBytes = items * 10
    progress.consumedUnits = Double(items) / 2
    progress.lastFault = fault
    progress.throttledBy.add([ThrottleCause(resource: "t", reason: "r")], times: 1)
    return progress
  }

  @Test func addsUpWhatRunsAndWhatIsDone() {
    let state = TablesState<DumpProgress>(tables: 3) { _ in }
    state.note("a", progress(10))
    state.note("b", progress(1))
    state.note("a", progress(20))
    state.end("a")
    state.note("b", progress(5))
    let sum = state.snapshot
    #expect((sum.tables, sum.done, sum.items, sum.bytes) == (3, 1, 25, 250))
    #expect(sum.consumedUnits == 12.5)
    #expect(sum.throttledBy.causes.map(\.times) == [2])
    #expect(sum.slowest == nil)
    // Ended without a word.
    state.end("c")
    #expect(state.snapshot.done == 2 && state.snapshot.items == 25)
  }
}

@Suite struct FolderFailureTests {
  /// Neither a path nor a host goes into an index.
  @Test func namesNoPlace() {
    let transport = ServiceError(
      .transport, code: "transport", message: "cannot reach secret.example.com", operation: "Scan",
      cause: .transport(TransportError(.connect, "cannot reach secret.example.com")))
    let errors: [any Error] = [
      transport,
      DynamoError(.noSuchTable, "there is no table \"x\" at https://secret.example.com"),
      DynamoError(.stuck, "nothing has moved: cannot reach secret.example.com"),
      DynamoError(.locked, "another load is at work with /home/secret/state"),
      ArchiveError(.io, "cannot create /home/secret: no", file: "/home/secret", errno: 28),
      ArchiveError(.exists, "/home/secret exists already"),
    ]
    for error in errors {
      let failure = FolderFailure(error)
      #expect(!failure.message.contains("secret") && !failure.code.contains("secret"))
      #expect(!failure.message.isEmpty && !failure.code.isEmpty)
    }
    let told = FolderFailure(
      ServiceError(.final, code: "AccessDeniedException", message: "no", operation: "Scan"))
    #expect(told == FolderFailure(code: "AccessDeniedException", message: "no"))
  }
}

@Suite struct LoadTablesStateTests {
  private let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
    "dynarc-tables-\(UUID().uuidString)")
  private var path: String { directory.appendingPathComponent("state").path }

  init() throws {
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  private var begun: LoadTablesState.Begun {
    var settings = SettingsChoice()
    settings.indexes = .after
    settings.tags = [TableTag(key: "a", value: "b")]
    return .init(
      existing: .truncate, settings: settings,
      rules: [
        .init(
          path: AttributePath([.name(Array("a".utf8)), .name(Array("b".utf8))]),
          operation: .set(Array(#"{"S":"x"}"#.utf8))),
        .init(path: AttributePath([.name(Array("email".utf8))]), operation: .hash),
      ], hashKeyCheck: "0123456789abcdef",
      tables: [
        .init(source: "Orders", target: "x-Orders", archive: "aa"),
        .init(source: "Users", target: "x-Users", archive: "bb"),
      ])
  }

  @Test func comesBack() throws {
    let end = TableLoadEnd(written: 7, rejected: 2, rejects: "./rejects.ndjson")
    do {
      let state = try LoadTablesState.create(path, begun)
      try state.note(end, ofTarget: "x-Users")
    }
    let state = try LoadTablesState.resume(path)
    #expect(state.begun == begun)
    #expect(state.end(ofTarget: "x-Users") == end)
    #expect(state.end(ofTarget: "x-Orders") == nil)
    try state.remove()
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  private func code(_ body: () throws -> Void) -> DynamoError.Code? {
    do { try body() } catch { return (error as? DynamoError)?.code }
    return nil
  }

  @Test func twoDoNotMeet() throws {
    let state = try LoadTablesState.create(path, begun)
    #expect(code { _ = try LoadTablesState.resume(path) } == .locked)
    #expect(code { _ = try LoadTablesState.create(path, begun) } == .stateExists)
    _ = state.begun
  }

  @Test func whatATornLineToldIsNotKnown() throws {
    do {
      try LoadTablesState.create(path, begun).note(
        .init(written: 1, rejected: 0), ofTarget: "x-Users")
    }
    let whole = try Data(contentsOf: URL(fileURLWithPath: path))
    try whole.dropLast(3).write(to: URL(fileURLWithPath: path))
    #expect(try LoadTablesState.resume(path).end(ofTarget: "x-Users") == nil)
  }

  @Test func whatIsNoneIsRefused() throws {
    #expect(code { _ = try LoadTablesState.resume(path) } == .noState)
    do { _ = try LoadTablesState.create(path, begun) }
    let text = try String(contentsOfFile: path, encoding: .utf8)
    for (old, new) in [
      ("dynarc-load-tables", "dynarc-load"), ("\"version\":1", "\"version\":2"),
      ("x-Orders", "../Orders"), ("truncate", "destroy"),
    ] {
      #expect(text.contains(old))
      try text.replacingOccurrences(of: old, with: new).write(
        toFile: path, atomically: true, encoding: .utf8)
      #expect(code { _ = try LoadTablesState.resume(path) } == .stateMismatch, "\(new)")
    }
  }
}
