import Archive
import Dynamo
import JSON

/// What `restore --into` says.
struct RestoreIntoReport {
  let plan: RestoreIntoPlan
  let output: OutputOptions
  /// What leads commands to the same account and endpoint.
  let aws: [String]
  /// The options that bound the writes, as they were given.
  let pace: [String]

  private var target: String { plan.target.schema.name }

  var question: String {
    "Make \(target) equal to backup \(plan.backup.words), replacing and deleting items?"
  }

  /// What would happen, for when nobody can be asked.
  var danger: String { "this would replace and delete items of \(target)" }

  /// Of the table that was made beside.
  var leftover: String { "table \(plan.helper), made of the backup, is left" }

  /// The same, where the service has not said that it is made.
  var doubt: String { "table \(plan.helper) may be made of the backup all the same" }

  /// What the target is like after an end half-way.
  func state(_ reached: RestoreIntoProgress?) -> String {
    switch reached {
    case .removing: return "table \(target) is as the backup has it"
    case .copying(let copied) where copied.written + copied.deleted > 0:
      return "\(Format.count(copied.written)) items of the backup are in table \(target), and "
        + "\(Format.count(copied.deleted)) that it lacks are deleted, others not yet"
    default: return "table \(target) is as it was"
    }
  }

  private var remove: String {
    ShellCommand.line(["aws", "dynamodb", "delete-table", "--table-name", plan.helper] + aws)
  }

  /// How to clean up.
  var cleanUp: String { "remove it with: \(remove)" }

  /// How to go on, and how to clean up.
  func ways(_ reached: RestoreIntoProgress?) -> String {
    if case .removing = reached { return cleanUp }
    let copy = ShellCommand.line(
      ["dynarc", "copy", plan.helper, "--target-table", target, "--replace"] + pace + aws)
    return
      "go on, once it is ACTIVE, with: \(copy); then, or without that, remove it with: \(remove)"
  }

  private var json: JSONObject {
    [
      "backup": .string(plan.backup.backup.arn), "table": .string(target),
      "helper": .string(plan.helper),
    ]
  }

  /// Says what would happen.
  ///
  /// - Parameter keeping: how the target's state would be kept.
  func dryRun(keeping: String?) throws {
    guard !output.json else {
      var json = json
      json["dryRun"] = true
      return try Terminal.output(.object(json))
    }
    var list = ["make table \(plan.helper) of backup \(plan.backup.words)"]
    if let keeping { list.append(keeping) }
    list.append(
      "put the backup's items into \(target), over what is there, and delete what the backup lacks")
    list.append("delete table \(plan.helper)")
    for action in list { Terminal.say("would \(action)") }
  }

  /// Reports a restore that has come to its end.
  func done(_ summary: CopySummary, kept: SafeguardSummary?, seconds: Double) throws {
    let progress = summary.progress
    if output.json {
      var json = json
      json["helperRemoved"] = .bool(summary.rejects == nil)
      json["read"] = JSONValue(progress.read)
      json["written"] = JSONValue(progress.written)
      json["deleted"] = JSONValue(progress.deleted)
      json["rejected"] = JSONValue(progress.rejected)
      json["consumedReadUnits"] = .number(Format.plain(progress.sourceReadUnits))
      json["consumedTargetReadUnits"] = .number(Format.plain(progress.targetReadUnits))
      json["consumedWriteUnits"] = .number(Format.plain(progress.writeUnits))
      json["kept"] = kept?.json ?? .null
      json["seconds"] = .number(Format.plain(seconds))
      json["rejects"] = summary.rejects.map { .string($0.path) }
      TrafficReport.add(progress.retries, progress.throttledBy, to: &json)
      try Terminal.output(.object(json))
    }
    guard !output.quiet, !output.json else { return }
    Terminal.say(
      "brought \(target) back to backup \(plan.backup.words) in \(Format.duration(seconds)): "
        + "\(Format.count(progress.written)) items put, \(Format.count(progress.deleted)) deleted, "
        + "\(Format.decimal(progress.writeUnits, 1)) write units")
    TrafficReport.lines(progress.retries, progress.throttledBy).forEach(Terminal.say)
  }
}
