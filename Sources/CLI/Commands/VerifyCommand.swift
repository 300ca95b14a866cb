import ArgumentParser
import Archive
import JSON

struct VerifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check an archive, or a folder of archives; exits with 1 if it is damaged.",
    discussion: """
      In full: every digest, every frame, every line, the counts, and that each item has its keys \
      in the right types. load holds an archive to the same. Of a folder every archive, and that it is the \
      one that the index names.
      """)

  @Argument(help: "Directory of the archive, or folder of archives.", completion: .directory)
  var archive: String

  @Flag(help: "Only whether every file is there in its size.")
  var quick = false

  @OptionGroup(title: "Output") var output: OutputOptions

  func run() async throws {
    if ArchiveFolder.isAt(archive) {
      let folder: ArchiveFolder
      do throws(ArchiveError) { folder = try ArchiveFolder.open(archive) } catch {
        guard error.code == .damaged else { throw error }
        return try report(damagedIndex: error)
      }
      return try await verifyFolder(folder)
    }
    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let report = await verify(
      LocalStorage(directory: archive), mode: quick ? .quick : .full, concurrency: Machine.cores
    ) { progress in
      meter.show(
        .init(
          noun: "chunks", done: progress.chunks,
          bytes: progress.contentBytes))
    }
    meter.finish()
    try Task.checkCancellation()
    // No archive at all, or one that cannot be read here, is not a damaged one.
    if report.archive == nil, let problem = report.problems.first,
      problem.code != .damaged, problem.code != .unfinished
    {
      throw problem
    }
    let word = report.problems.first?.code == .unfinished ? "unfinished" : "damaged"
    if output.json {
      try Terminal.output(
        .object([
          "archive": .string(archive), "ok": .bool(report.problems.isEmpty),
          "mode": quick ? "quick" : "full", "chunks": JSONValue(report.checked.chunks),
          "items": JSONValue(report.checked.items),
          "contentBytes": JSONValue(report.checked.contentBytes),
          "problems": .array(report.problems.map(VerifyCommand.json)),
        ]))
    } else {
      let noun = report.archive?.manifest.changes == nil ? "items" : "changes"
      for problem in report.problems { try Terminal.output("\(word): \(problem)") }
      if report.problems.isEmpty, !output.quiet {
        try Terminal.output(
          quick
            ? "ok: \(Format.count(report.checked.chunks)) chunks are there in their sizes"
            : "ok: \(Format.count(report.checked.items)) \(noun), \(Format.bytes(report.checked.contentBytes)) in "
              + "\(Format.count(report.checked.chunks)) chunks")
      }
    }
    guard report.problems.isEmpty else {
      Terminal.error(
        "\(archive) is \(word): \(Format.count(report.problems.count)) problem(s)",
        hint: report.problems.first?.hint
          ?? "restore the files named from another copy, or dump the table again")
      throw EndWith(status: ExitStatus.found)
    }
  }

  static func json(_ problem: ArchiveError) -> JSONValue {
    var json: JSONObject = [
      "code": .string(problem.code.rawValue), "message": .string(problem.message),
    ]
    json["file"] = problem.file.map(JSONValue.string)
    json["offset"] = problem.offset.map { JSONValue($0) }
    return .object(json)
  }
}
