import Archive
import ArgumentParser
import JSON

struct MergeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "Make a full archive of a snapshot and the changes since.",
    usage: "dynarc merge <snapshot> <changes> ... <archive> [<options>]",
    discussion: """
      dynarc merge ./sunday ./monday-changes ./tuesday-changes ./tuesday

      The archives of changes stand in the order in which they were made. The result is a snapshot of \
      the last state, as a full dump would have made it then, and later changes follow on it, too.
      """)

  @Argument(
    help: ArgumentHelp(
      "The snapshot, archives of changes in their order, and the directory to create.",
      valueName: "archive"),
    completion: .directory)
  var archives: [String]

  @Option(help: ArgumentHelp("zstd level, 1 to 19.", valueName: "1-19"))
  var level = 3

  @OptionGroup(title: "Output") var output: OutputOptions

  func validate() throws {
    guard archives.count >= 3 else {
      throw ValidationError(
        "merge takes a snapshot, one archive of changes or more, and a new name")
    }
    guard (1...19).contains(level) else { throw ValidationError("--level takes 1 to 19") }
  }

  func run() async throws {
    let target = archives[archives.count - 1]
    let chain = try ArchiveChain(directories: archives.dropLast())
    let merge = try ChainMerge(
      chain, to: LocalStorage(directory: target), tool: ArchiveTool(version: Version.number),
      level: level, concurrency: Machine.cores)
    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let summary: MergeSummary
    do {
      summary = try await merge.run { progress in
        meter.show(
          .init(
            done: progress.items, expected: progress.expectedItems, bytes: progress.contentBytes))
      }
    } catch {
      meter.finish()
      Terminal.warnUnfinished(target)
      throw error
    }
    meter.finish()
    try report(summary, of: chain, target, seconds: meter.elapsed)
  }

  private func report(
    _ summary: MergeSummary, of chain: ArchiveChain, _ target: String, seconds: Double
  ) throws {
    let counts = summary.manifest.counts
    if output.json {
      return try Terminal.output(
        .object([
          "archive": .string(target), "id": .string(summary.id),
          "table": .string(summary.manifest.source.tableName), "items": JSONValue(counts.items),
          "itemsChanged": JSONValue(summary.itemsChanged),
          "contentBytes": JSONValue(counts.contentBytes),
          "storedBytes": JSONValue(counts.storedBytes),
          "chunks": JSONValue(summary.manifest.chunks.count),
          "chunksCopied": JSONValue(summary.chunksCopied),
          "seconds": .number(Format.plain(seconds)),
        ]))
    }
    guard !output.quiet else { return }
    Terminal.say(
      "merged \(Format.count(counts.items)) items (\(Format.bytes(counts.contentBytes)), stored in "
        + "\(Format.bytes(counts.storedBytes))), \(Format.count(summary.itemsChanged)) of them from "
        + "\(chain.changes.count == 1 ? "the changes" : "\(chain.changes.count) archives of changes"), "
        + "to \(target) in \(Format.duration(seconds))")
  }
}

extension ArchiveChain {
  /// Opens a snapshot and archives of changes in their order.
  init(directories: some Sequence<String>) throws(ArchiveError) {
    var archives: [Archive] = []
    for path in directories { archives.append(try Archive.open(LocalStorage(directory: path))) }
    try self.init(archives[0], Array(archives.dropFirst()))
  }
}
