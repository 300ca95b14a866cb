internal import Synchronization

/// How closely `verify` looks.
public enum VerifyMode: String, Sendable {
  /// Every file present and of its size, nothing else there; the manifest's digest.
  case quick
  /// Every digest, every frame, every line.
  case full
}

/// How far a verification is.
public struct VerifyProgress: Sendable, Equatable {
  public var chunks = 0
  public var items = 0
  public var contentBytes = 0

  public init() {}
}

/// What a verification found.
public struct VerifyReport: Sendable {
  /// The most problems that are listed.
  public static let problemLimit = 1000

  /// What is wrong, in the order of files; empty for a sound archive.
  public var problems: [ArchiveError] = []
  /// Problems beyond `problemLimit`.
  public var problemsNotListed = 0
  /// The archive, where it could be opened at all.
  public var archive: Archive?
  /// What was looked at: chunks found whole, and the items and bytes of content read.
  public var checked = VerifyProgress()

  /// Whether the task was cancelled before everything was looked at.
  public var wasCancelled = false

  /// Whether everything was looked at and nothing is wrong.
  public var isSound: Bool { problems.isEmpty && !wasCancelled }

  mutating func add(_ problem: ArchiveError) {
    if problems.count < VerifyReport.problemLimit {
      problems.append(problem)
    } else {
      problemsNotListed += 1
    }
  }
}

/// Verifies an archive and goes on behind each problem, so that all are known at once.
///
/// - Parameters:
///   - concurrency: chunks read at the same time.
///   - progress: called now and then, from any thread.
public func verify(
  _ storage: any ReadableStorage, mode: VerifyMode, concurrency: Int = 1,
  progress: @escaping @Sendable (VerifyProgress) -> Void = { _ in }
) async -> VerifyReport {
  var report = VerifyReport()
  let archive: Archive
  do throws(ArchiveError) {
    archive = try Archive.open(storage)
    report.archive = archive
    for problem in try archive.entryProblems(mode) { report.add(problem) }
  } catch {
    report.add(error)
    return report
  }
  if mode == .quick {
    report.checked.chunks = archive.manifest.chunks.count
    return report
  }
  let counter = Counter(report: progress)
  await withTaskGroup(of: ArchiveError?.self) { group in
    var rows = archive.manifest.chunks.makeIterator()
    var running = 0
    while true {
      while running < max(1, concurrency), !Task.isCancelled, let row = rows.next() {
        running += 1
        group.addTask { verify(row, of: archive, counter) }
      }
      guard let result = await group.next() else { break }
      running -= 1
      if let problem = result { report.add(problem) }
    }
  }
  report.wasCancelled = Task.isCancelled
  report.checked = counter.sum
  report.problems.sort { ($0.file ?? "", $0.offset ?? 0) < ($1.file ?? "", $1.offset ?? 0) }
  return report
}

/// Adds up what the readers of chunks have done, and says so.
private final class Counter: Sendable {
  private let state = Mutex(VerifyProgress())
  private let report: @Sendable (VerifyProgress) -> Void

  init(report: @escaping @Sendable (VerifyProgress) -> Void) { self.report = report }

  var sum: VerifyProgress { state.withLock { $0 } }

  func add(chunks: Int = 0, items: Int = 0, contentBytes: Int = 0) {
    let now = state.withLock { sum in
      sum.chunks += chunks
      sum.items += items
      sum.contentBytes += contentBytes
      return sum
    }
    report(now)
  }
}

/// Reads one chunk through; the problem that ended it, or nil.
private func verify(_ row: ChunkRow, of archive: Archive, _ counter: Counter) -> ArchiveError? {
  do throws(ArchiveError) {
    var reader = try archive.chunk(row)
    while try reader.next() {
      if Task.isCancelled { return nil }
      counter.add(items: reader.block.lines.count, contentBytes: reader.block.content.count)
    }
    counter.add(chunks: 1)
    return nil
  } catch { return error }
}
