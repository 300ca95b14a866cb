import Archive
import Dynamo
import JSON

extension BackupDescription {
  /// `Orders-1 (of table Orders, 2026-11-22T10:00:00Z)`
  var words: String {
    "\(backup.name) (of table \(backup.tableName)\(backup.created.map { ", \($0)" } ?? ""))"
  }
}

/// What `restore` says of a table that it makes.
struct RestoreReport {
  let plan: RestorePlan
  let output: OutputOptions

  /// The command that goes on with the restore.
  var again: String {
    ShellCommand.line(
      ["dynarc", "restore", plan.backup.backup.arn, plan.target, "--resume"])
  }

  /// Says what cannot be brought back.
  func warn() {
    guard !plan.unknown.isEmpty else { return }
    Terminal.warn(
      "table \(plan.backup.backup.tableName), of which the backup was made, is gone; nobody knows any more what "
        + "these were: \(plan.unknown.map(\.rawValue).joined(separator: ", "))")
  }

  private var json: JSONObject {
    [
      "backup": .string(plan.backup.backup.arn), "table": .string(plan.target),
      "settingsFrom": .string(plan.source == nil ? "backup" : "table"),
      "unknown": .array(plan.unknown.map { .string($0.rawValue) }),
    ]
  }

  /// Says what would happen.
  func dryRun() throws {
    guard !output.json else {
      var json = json
      json["dryRun"] = true
      return try Terminal.output(.object(json))
    }
    Terminal.say(
      plan.begun == nil
        ? "would make table \(plan.target) of backup \(plan.backup.words)"
        : "would go on with table \(plan.target), made of backup \(plan.backup.words)")
    Terminal.say(
      "would apply the settings that "
        + (plan.source.map { "table \($0.schema.name) has" } ?? "the backup tells of"))
  }

  /// Reports a restore that has come to its end; with exit code 4 where a setting is missing.
  func done(_ summary: RestoreSummary, seconds: Double) throws {
    let settings = SettingsReport(results: summary.settings, table: plan.target)
    if output.json {
      var json = json
      json["arn"] = summary.table.arn.map(JSONValue.string)
      json["settings"] = settings.json
      json["seconds"] = .number(Format.plain(seconds))
      try Terminal.output(.object(json))
    } else if !output.quiet {
      Terminal.say(
        "restored backup \(plan.backup.words) as table \(plan.target) in \(Format.duration(seconds))"
      )
      if let line = settings.line { Terminal.say(line) }
    }
    settings.warn()
    let open = summary.settings.filter(\.isOpen).map(\.words)
    guard !open.isEmpty else { return }
    Terminal.error(
      "\(plan.target) lacks \(open.joined(separator: ", ")); all else is in place",
      hint: "see the warnings; then: \(again)")
    throw EndWith(status: ExitStatus.partial)
  }
}
