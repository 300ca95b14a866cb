import Archive
import JSON

/// `verify FOLDER`: every archive of it, and that each is the one that the index names.
extension VerifyCommand {
  /// What was found of a table's archive.
  private struct Found {
    var table: FolderIndex.Table
    var problems: [ArchiveError]
    var checked = VerifyProgress()
  }

  /// Tells of an index that says nothing any more.
  func report(damagedIndex problem: ArchiveError) throws {
    if output.json {
      try Terminal.output([
        "folder": .string(archive), "ok": false, "mode": quick ? "quick" : "full", "tables": [],
        "problems": .array([VerifyCommand.json(problem)]),
      ])
    } else {
      try Terminal.output("damaged: \(problem)")
    }
    Terminal.error(
      "\(archive) is damaged: its index cannot be read", hint: Program.indexHint)
    throw EndWith(status: ExitStatus.found)
  }

  func verifyFolder(_ folder: ArchiveFolder) async throws {
    let meter = ProgressMeter(output)
    defer { meter.finish() }
    var found: [Found] = []
    for table in folder.index.tables {
      found.append(try await look(at: table, of: folder, meter))
      try Task.checkCancellation()
    }
    meter.finish()
    let strangers = try folder.strangers().map {
      ArchiveError(
        .damaged, "the index does not name it", file: $0,
        hint: "remove it, or find out who put it there")
    }
    let problems = found.flatMap(\.problems) + strangers
    if output.json {
      try Terminal.output([
        "folder": .string(archive), "ok": .bool(problems.isEmpty),
        "mode": quick ? "quick" : "full", "tables": .array(found.map(VerifyCommand.row)),
        "problems": .array(strangers.map(VerifyCommand.json)),
      ])
    } else {
      for one in found {
        for problem in one.problems {
          try Terminal.output("damaged: \(one.table.name): \(problem)")
        }
      }
      for problem in strangers { try Terminal.output("damaged: \(problem)") }
      if problems.isEmpty, !output.quiet {
        let items = found.reduce(0) { $0 + $1.checked.items }
        let bytes = found.reduce(0) { $0 + $1.checked.contentBytes }
        try Terminal.output(
          quick
            ? "ok: the files of \(Format.count(found.count)) tables are there in their sizes"
            : "ok: \(Format.count(found.count)) tables, \(Format.count(items)) items, \(Format.bytes(bytes))"
        )
      }
    }
    guard let first = problems.first else { return }
    let names = found.filter { !$0.problems.isEmpty }.map(\.table.name)
    Terminal.error(
      "\(archive) is damaged or not complete: \(Format.count(problems.count)) problem(s)"
        + (names.isEmpty ? "" : ", \(TablesReport.list(names))"),
      hint: first.hint ?? "restore the files named from another copy, or dump the tables again")
    throw EndWith(status: ExitStatus.found)
  }

  private func look(
    at table: FolderIndex.Table, of folder: ArchiveFolder, _ meter: ProgressMeter
  ) async throws -> Found {
    guard case .complete(let row) = table.state else {
      var problem = ArchiveError(
        .unfinished, "its archive is not complete (\(table.state.word))",
        hint: "go on with the dump by --resume; dynarc info \(folder.directory) tells how far it is"
      )
      if case .failed(let failure) = table.state {
        problem.message += ": \(failure.code): \(failure.message)"
      }
      return Found(table: table, problems: [problem])
    }
    do throws(ArchiveError) { _ = try folder.archive(of: table.name, row) } catch {
      return Found(table: table, problems: [error])
    }
    let report = await verify(
      LocalStorage(directory: folder.path(of: table.name)), mode: quick ? .quick : .full,
      concurrency: Machine.cores
    ) { progress in
      meter.show(
        .init(
          noun: "chunks", done: progress.chunks, bytes: progress.contentBytes, prefix: table.name))
    }
    return Found(table: table, problems: report.problems, checked: report.checked)
  }

  private static func row(_ found: Found) -> JSONValue {
    [
      "table": .string(found.table.name), "state": .string(found.table.state.word),
      "ok": .bool(found.problems.isEmpty), "chunks": JSONValue(found.checked.chunks),
      "items": JSONValue(found.checked.items),
      "contentBytes": JSONValue(found.checked.contentBytes),
      "problems": .array(found.problems.map(json)),
    ]
  }
}
