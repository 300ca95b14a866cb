import Archive
import ArgumentParser
import Dynamo
import JSON

/// `load FOLDER`: every complete archive of a folder into the table of its name.
extension LoadCommand {
  /// Reads `prod-=staging-`.
  static func prefixMap(_ argument: String) throws -> PrefixMap {
    guard let map = PrefixMap(argument) else {
      throw ValidationError(
        "--prefix-map takes OLD=NEW, two beginnings of tables' names, and not \"\(argument)\"")
    }
    return map
  }

  func loadTables(_ prices: Prices, _ transforms: ItemTransforms) async throws {
    try refuseOfOneTable()
    let folder = try ArchiveFolder.open(archive)
    // The path of a table's own state file is the job's business.
    var load = LoadOptions(
      write: try write.options(archive: archive, table: "", command: "load"))
    load.existing = merge ? .merge : truncate ? .truncate : .refuse
    load.settings = wanted.choice
    load.transforms = transforms
    load.rekey = changing.rekey
    let connection = try await Connection(aws, address: nil)
    load.account = { [identity = connection.identity] in await identity.account() }
    var options = LoadTablesOptions(load: load, stateStem: stem)
    options.maps = prefixMap
    let job = LoadTablesJob(client: connection.client, folder: folder, options: options)
    let plan = try await job.plan()
    try check(plan, folder)
    if write.dryRun { return try await reportDryRun(job, plan, folder) }
    try ask(plan)

    let meter = ProgressMeter(output)
    defer { meter.finish() }
    let summary: LoadTablesSummary
    do {
      summary = try await job.run(plan) { progress in
        meter.show(TablesReport.reading(progress, unitName: "WU"))
      } ended: { load in
        if case .failed(let error) = load.outcome { TablesReport.tell(error, of: load.source) }
      }
    } catch {
      meter.finish()
      throw stoppedTables(by: error, plan)
    }
    meter.finish()
    let seconds = meter.elapsed
    let settings = settingsReports(summary)
    for one in settings { one.report.warn() }
    let found =
      try await verify ? check(summary, folder, connection.client, job, plan, transforms) : [:]
    let report = LoadTablesReport(
      folder: archive, summary: summary, incomplete: plan.incomplete, found: found,
      seconds: seconds, prices: prices)
    if output.json {
      try Terminal.output(.object(report.json))
    } else if !output.quiet {
      report.lines.forEach(Terminal.say)
    }
    try end(report, settings, plan)
  }

  /// What is for one table alone.
  private func refuseOfOneTable() throws {
    for (isGiven, name) in [
      (table != nil, "a table"), (write.state != nil, "--state"), (!changes.isEmpty, "--changes"),
    ] where isGiven {
      throw ValidationError(
        "\(archive) is a folder of archives, and \(name) goes with one; --prefix-map says what tables "
          + "are called, or name an archive such as \(ArchiveFolder.path(of: "TABLE", in: archive))"
      )
    }
    if write.resume, !prefixMap.isEmpty {
      throw ValidationError("--resume goes on as the load began; leave --prefix-map out")
    }
  }

  /// The folder without a slash at its end, for the names of state files.
  private var stem: String {
    var path = archive
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  // MARK: Before

  /// Tells of every table what stands in the way; ends where anything does before the load has begun.
  private func check(_ plan: LoadTablesPlan, _ folder: ArchiveFolder) throws {
    for table in plan.incomplete {
      Terminal.warn(
        "the archive of \(table.name) is not complete (\(table.state.word)), and is not loaded")
    }
    for stranger in plan.strangers {
      Terminal.warn("\(archive)/\(stranger) is not in the index, and is not loaded")
    }
    for name in plan.later {
      Terminal.warn(
        "the archive of \(name) came after the load was begun, and is not loaded; load it by itself: "
          + ShellCommand.line(["dynarc", "load", folder.path(of: name)]))
    }
    for table in plan.tables {
      switch table.step {
      case .load(let one):
        warn(one, of: "\(table.source): ")
        guard verify, let reason = one.partialBecause else { continue }
        throw ValidationError(
          "--verify compares whole items, and the archive of \(table.source) holds only a part of each: "
            + reason)
      case .refused(let error) where plan.isRefused: TablesReport.tell(error, of: table.source)
      default: continue
      }
    }
    guard plan.isRefused else { return }
    Terminal.error(
      "nothing was written: \(TablesReport.list(plan.refused)) cannot be loaded",
      hint: "see the errors above")
    throw EndWith(status: ExitStatus.failed)
  }

  private func reportDryRun(
    _ job: LoadTablesJob, _ plan: LoadTablesPlan, _ folder: ArchiveFolder
  ) async throws {
    let meter = ProgressMeter(output)
    var isSound = true
    for table in plan.tables {
      do {
        try await job.rehearse(table, of: plan) { meter.show(WriteArguments.reading($0)) }
      } catch is CancellationError {
        meter.finish()
        throw CancellationError()
      } catch {
        meter.finish()
        TablesReport.tell(error, of: table.source)
        isSound = false
      }
    }
    meter.finish()
    guard isSound else { throw EndWith(status: ExitStatus.failed) }
    if output.json {
      let rows = plan.tables.compactMap { table -> JSONValue? in
        guard case .load(let one) = table.step else { return nil }
        return .object(json(one, of: folder.path(of: table.source)))
      }
      try Terminal.output([
        "dryRun": true, "folder": .string(archive), "tables": .array(rows),
        "incomplete": .array(plan.incomplete.map { .string($0.name) }),
      ])
    } else {
      for table in plan.tables {
        switch table.step {
        case .load(let one):
          for action in actions(one) { Terminal.say("\(table.source): would \(action)") }
        case .done: Terminal.say("\(table.source): is in \(table.target) already")
        case .refused(let error): TablesReport.tell(error, of: table.source)
        }
      }
    }
  }

  /// One question for all that could be lost.
  private func ask(_ plan: LoadTablesPlan) throws {
    let emptied = plan.loads.filter(\.truncates)
    let overwritten = plan.loads.filter {
      $0.holdsItems && $0.existing == .merge && $0.partialBecause != nil
    }
    let changed = plan.loads.filter {
      $0.holdsItems && $0.existing == .merge && $0.partialBecause == nil && $0.changedBecause != nil
    }
    var (questions, dangers): ([String], [String]) = ([], [])
    if !emptied.isEmpty {
      let names = TablesReport.all(emptied.map(\.target))
      let count = emptied.reduce(0) { $0 + $1.targetItemCount }
      questions.append("Delete every item of \(names) (about \(Format.count(count))) first?")
      dangers.append("delete items of \(names)")
    }
    if !overwritten.isEmpty {
      let names = TablesReport.all(overwritten.map(\.target))
      questions.append("Replace whole items of \(names) by parts of items?")
      dangers.append("replace items of \(names)")
    }
    if !changed.isEmpty {
      let names = TablesReport.all(changed.map(\.target))
      questions.append("Replace whole items of \(names) by items that were changed?")
      dangers.append("replace items of \(names)")
    }
    guard !questions.isEmpty else { return }
    try write.confirm(
      questions.joined(separator: " "), danger: "this would \(dangers.joined(separator: " and "))")
  }

  // MARK: Afterwards

  /// Says how to go on where what happened concerns all tables.
  private func stoppedTables(by error: any Error, _ plan: LoadTablesPlan) -> any Error {
    if let error = error as? DynamoError, error.code == .stateExists || error.code == .locked {
      return error
    }
    guard FileSystem.exists(plan.statePath) else { return error }
    let interrupted = error is CancellationError
    if !interrupted { Program.describe(error) }
    Terminal.error(
      "\(interrupted ? "interrupted" : "stopped"); how far the load is, is noted in \(plan.statePath)",
      hint: goOn)
    return EndWith(status: interrupted ? ExitStatus.interrupted : ExitStatus.partial)
  }

  private var goOn: String {
    "mend what the errors tell of, and go on with: \(ShellCommand.line(["dynarc", "load", archive, "--resume"] + changing.again + aws.again(nil)))"
  }

  private func settingsReports(
    _ summary: LoadTablesSummary
  ) -> [(table: TableLoad, report: SettingsReport)] {
    summary.tables.compactMap { load in
      guard case .loaded(let one) = load.outcome else { return nil }
      return (load, SettingsReport(results: one.settings, table: load.target))
    }
  }

  /// Reads the tables back that are done, one after the other.
  private func check(
    _ summary: LoadTablesSummary, _ folder: ArchiveFolder, _ client: DynamoClient,
    _ job: LoadTablesJob, _ plan: LoadTablesPlan, _ transforms: ItemTransforms
  ) async throws -> [String: LoadFindings] {
    var found: [String: LoadFindings] = [:]
    for load in summary.tables where load.end != nil {
      let chain = try ArchiveChain(directories: [folder.path(of: load.source)])
      var missing: [String] = []
      if case .loaded(let one) = load.outcome {
        missing = try await job.settingsMissing(load, one)
      }
      found[load.source] = LoadFindings(
        items: try await check(
          chain, client, target: load.target, allowsOthers: plan.existing == .merge, transforms),
        settingsMissing: missing)
    }
    return found
  }

  /// Ends with the exit code for what is not as it should be.
  private func end(
    _ report: LoadTablesReport, _ settings: [(table: TableLoad, report: SettingsReport)],
    _ plan: LoadTablesPlan
  ) throws {
    var status: Int32 = 0
    /// The worst of what came counts.
    func note(_ body: () throws -> Void) rethrows {
      do { try body() } catch let end as EndWith {
        status = status == ExitStatus.partial ? status : end.status
      }
    }
    for load in report.summary.tables {
      guard let end = load.end, end.rejected > 0, let path = end.rejects else { continue }
      try note { try WriteArguments.report((path, end.rejected), noun: "item") }
    }
    for one in settings {
      let path = ArchiveFolder.path(of: one.table.source, in: archive)
      try note { try one.report.end(again: ["dynarc", "load", path, one.table.target]) }
    }
    for load in report.summary.tables {
      guard let found = report.found[load.source] else { continue }
      let path = ArchiveFolder.path(of: load.source, in: archive)
      try note {
        try self.report(
          found, archive: path, target: load.target, isChanged: changing.isGiven)
      }
    }
    if !plan.incomplete.isEmpty {
      Terminal.error(
        "\(archive) has no complete archive of \(TablesReport.list(plan.incomplete.map(\.name)))",
        hint: "go on with the dump; then load each by itself: dynarc load "
          + ArchiveFolder.path(of: plan.incomplete[0].name, in: archive))
      status = ExitStatus.partial
    }
    if !plan.strangers.isEmpty {
      Terminal.error(
        "the index of \(archive) does not name \(TablesReport.list(plan.strangers))",
        hint: "restore index.json from a copy; or load each by itself: dynarc load "
          + "\(archive)/\(plan.strangers[0])")
      status = ExitStatus.partial
    }
    let missing = report.missing
    if !missing.isEmpty {
      let interrupted = report.summary.tables.contains {
        if case .pending = $0.outcome { true } else { false }
      }
      Terminal.error(
        "\(interrupted ? "interrupted; " : "")not loaded: \(TablesReport.list(missing))",
        hint: report.summary.canGoOn ? goOn : "see the errors above; nothing was written")
      status =
        interrupted
        ? ExitStatus.interrupted : report.summary.canGoOn ? ExitStatus.partial : ExitStatus.failed
    }
    if status != 0 { throw EndWith(status: status) }
  }
}
