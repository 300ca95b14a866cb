@testable import Archive
import Glibc
import JSON
import Testing

/// Stops a small dump at every step that it asks of its disk, fails each, and looks at what is left:
/// a complete and right archive, or a dump that is visibly unfinished and goes on.
@Suite struct CrashTests {
  private static let segments = ResumeTests.segments

  /// A dump of three segments, chunk by chunk in turn, as a table would answer it.
  ///
  /// - Parameter goesOn: whether the other segments go on when one has failed, as tasks do that are
  ///   being cancelled.
  private static func dump(_ storage: SimulatedDisk, goesOn: Bool = false) throws {
    let writer: ArchiveWriter
    do throws(ArchiveError) { writer = try ArchiveWriter(resuming: storage) } catch {
      guard error.code == .missing else { throw error }
      writer = try ArchiveWriter(storage: storage, parameters: ["table": "Orders"], level: 1)
    }
    var failure: (any Error)?
    for round in 0..<segments[0].count {
      for segment in segments.indices {
        do { try chunk(round, of: segment, writer, storage) } catch {
          failure = failure ?? error
          if !goesOn { throw error }
        }
      }
    }
    if let failure { throw failure }
    _ = try writer.finish(sampleManifest(totalSegments: segments.count))
  }

  /// Writes a chunk unless it is there, with a writer of its own: each is a run that was resumed.
  private static func chunk(
    _ number: Int, of segment: Int, _ writer: ArchiveWriter, _ storage: SimulatedDisk
  ) throws {
    let next: Int
    switch writer.position(of: segment) {
    case .start: next = 0
    case .after(let key): next = try #require((0..<4).first { ResumeTests.key($0) == key }) + 1
    case .done: return
    }
    guard next == number else { return }
    var output = try SegmentWriter(
      number: segment, chunk: number, storage: storage, level: 1, memory: .max, limits: .standard)
    try append(page(segments[segment][number]), to: &output)
    let isLast = number + 1 == segments[segment].count
    if let chunk = try output.finishChunk(lastEvaluatedKey: isLast ? nil : ResumeTests.key(number))
    {
      try writer.commit(chunk)
    }
    if isLast { try writer.segmentDone(segment) }
  }

  /// Whether the disk holds the whole archive, and it is right.
  ///
  /// - Returns: false for a dump that is visibly unfinished, or not there yet.
  private static func isComplete(_ disk: SimulatedDisk, _ comment: Comment) async throws -> Bool {
    let archive: Archive
    do throws(ArchiveError) { archive = try Archive.open(disk) } catch {
      #expect([.unfinished, .notAnArchive].contains(error.code), "\(error), \(comment)")
      return false
    }
    #expect(try readLines(archive) == segments.flatMap { $0.flatMap { $0 } }, comment)
    let problems = await verify(disk, mode: .full).problems
    #expect(problems.allSatisfy { $0.file == "dump.journal" }, "\(problems), \(comment)")
    return true
  }

  /// Goes on until the archive is complete, and expects it right.
  private static func finish(_ disk: SimulatedDisk, _ comment: Comment) async throws {
    do { try dump(disk) } catch let error as ArchiveError where error.code == .complete {}
    #expect(try await isComplete(disk, comment), comment)
    #expect(
      try Set(disk.entries().map(\.name)).isSubset(
        of: Set(Archive.open(disk).sums.digests.keys).union(["SHA256SUMS", "data"])), comment)
  }

  private static let steps: Int = {
    let disk = SimulatedDisk()
    do { try dump(disk) } catch { Issue.record(error) }
    return disk.steps
  }()

  @Test func thereAreEnoughSteps() {
    // 12 chunks of create, write, sync, rename, sync, and a journal's line of two.
    #expect(Self.steps > 12 * 7)
  }

  @Test(arguments: 1...CrashTests.steps) func thePowerGoesAt(_ step: Int) async throws {
    for (seed, event) in (0..<8).map({ ($0, $0 % 2 == 0 ? .stopBefore : .stopAfter) })
      as [(Int, SimulatedDisk.Event)]
    {
      let comment: Comment = "step \(step), seed \(seed)"
      let disk = SimulatedDisk([step: event])
      #expect(throws: ArchiveError.self, comment) { try Self.dump(disk) }
      let after = disk.restarted(seed)
      _ = try await Self.isComplete(after, comment)
      try await Self.finish(after, comment)
    }
  }

  /// Again and again, at random steps, until it is done.
  @Test(arguments: 0..<100) func thePowerGoesOften(_ seed: Int) async throws {
    var random = Seeded(1000 + seed)
    var disk = SimulatedDisk([Int.random(in: 1...40, using: &random): .stopBefore])
    var runs = 0
    while true {
      runs += 1
      try #require(runs < 100)
      do {
        try Self.dump(disk)
        break
      } catch let error as ArchiveError {
        if error.code == .complete { break }
        #expect(error.code == .io)
      }
      let event: SimulatedDisk.Event = Bool.random(using: &random) ? .stopBefore : .stopAfter
      disk = disk.restarted(
        seed * 100 + runs, [Int.random(in: 1...40, using: &random): event])
      _ = try await Self.isComplete(disk, "seed \(seed), run \(runs)")
    }
    #expect(try await Self.isComplete(disk, "seed \(seed)"))
  }

  @Test(arguments: 1...CrashTests.steps, [ENOSPC, EIO])
  func aFailureIsNoCommit(_ step: Int, _ number: Int32) async throws {
    for (goesOn, keepsFailing) in [(false, false), (false, true), (true, false), (true, true)] {
      let comment: Comment = "goes on \(goesOn), keeps failing \(keepsFailing)"
      let disk = SimulatedDisk([step: .fail(number)], keepsFailing: keepsFailing)
      let error = #expect(throws: ArchiveError.self, comment) {
        try Self.dump(disk, goesOn: goesOn)
      }
      #expect(error?.errno == number, comment)
      #expect(error?.file != nil, comment)
      if number == ENOSPC { #expect(error?.hint?.contains("free some space") == true, comment) }
      let after = disk.repaired()
      let isComplete = try await Self.isComplete(after, comment)
      // Only what follows on the commit may fail without undoing it.
      #expect(!isComplete || error?.file == "dump.journal" || error?.file == "SHA256SUMS", comment)
      try await Self.finish(after, comment)
    }
  }
}
