import Dynamo

extension RestoreCommand {
  /// Gives a table the backup's items.
  func bringBack(
    _ name: String, to found: BackupDescription, _ client: DynamoClient
  ) async throws {
    var options = CopyOptions(cores: Machine.cores)
    options.writeUnits = change.writeUnits?.limit
    options.concurrency = change.concurrency
    if let time = change.giveUp.giveUpAfter { options.giveUpAfter = time.duration }
    options.stop = Interruption.stop
    let job = RestoreIntoJob(
      client: client, backup: found, into: name, options: options,
      rejects: RejectsFile(directory: "."))
    let plan = try await job.plan()
    let keeping = safeguard.job(client: client, table: plan.target, giveUp: change.giveUp)
    try keeping.check()
    let report = RestoreIntoReport(
      plan: plan, output: output, aws: aws.again(into),
      pace: change.writeUnits.map { ["--write-units", $0.text] } ?? [])
    if change.dryRun { return try report.dryRun(keeping: safeguard.words(table: name)) }
    try change.confirm(report.question, danger: report.danger)
    try safeguard.confirm(table: name, yes: change.yes)

    let helper = Begun<TableDescription>()
    let kept = Begun<SafeguardSummary>()
    let reached = Begun<RestoreIntoProgress>()
    let meter = ProgressMeter(output)
    defer { meter.finish() }
    if !output.quiet { Terminal.say("restoring beside \(name), as \(plan.helper)") }
    let summary: CopySummary
    do {
      summary = try await job.run(plan, begun: { helper.set($0) }) {
        meter.finish()
        kept.set(try await safeguard.keep(keeping, table: name, output))
      } progress: { progress in
        reached.set(progress)
        switch progress {
        case .restoring(let progress), .removing(let progress): meter.show(progress)
        case .copying(let progress): meter.show(progress.reading)
        }
      }
    } catch {
      meter.finish()
      throw stopped(by: error, report, helper.value, reached.value)
    }
    meter.finish()
    try report.done(summary, kept: kept.value, seconds: meter.elapsed)
    if summary.rejects != nil { Terminal.say(report.leftover) }
    try WriteArguments.report(summary.rejects, noun: "item")
  }

  /// Says what is left where, and how to go on or clean up.
  private func stopped(
    by error: any Error, _ report: RestoreIntoReport, _ helper: TableDescription?,
    _ reached: RestoreIntoProgress?
  ) -> any Error {
    let interrupted = error is CancellationError
    // Whoever is interrupted while the service is asked does not know what became of it.
    guard helper != nil || interrupted && reached != nil else { return error }
    if !interrupted { Program.describe(error) }
    Terminal.error(
      "\(interrupted ? "interrupted" : "stopped"); \(report.state(reached)); "
        + (helper == nil ? report.doubt : report.leftover),
      hint: (error as? DynamoError)?.code == .keyMismatch
        ? report.cleanUp : report.ways(reached))
    return EndWith(status: interrupted ? ExitStatus.interrupted : ExitStatus.partial)
  }
}
