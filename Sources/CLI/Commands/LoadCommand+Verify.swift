import Archive
import Dynamo
import JSON

/// `load --verify`: the table is read back and compared with the archive.
extension LoadCommand {
  /// Differences that are told one by one.
  private static let told = 20

  /// Reads the table back.
  func check(
    _ chain: ArchiveChain, _ client: DynamoClient, _ plan: LoadPlan
  ) async throws -> LoadCheckSummary {
    try await check(
      chain, client, target: plan.target, allowsOthers: plan.existing == .merge, plan.transforms)
  }

  /// Reads a table back.
  func check(
    _ chain: ArchiveChain, _ client: DynamoClient, target: String, allowsOthers: Bool,
    _ transforms: ItemTransforms
  ) async throws -> LoadCheckSummary {
    var read = TableItemsOptions(cores: Machine.cores)
    read.readUnits = readUnits?.limit
    read.concurrency = write.change.concurrency
    if let time = write.change.giveUp.giveUpAfter { read.giveUpAfter = time.duration }
    read.stop = Interruption.stop
    var options = LoadCheckOptions(
      read: read,
      diff: DiffOptions(
        temporaryDirectory: FileSystem.temporaryDirectory, concurrency: Machine.cores))
    options.allowsOthers = allowsOthers
    options.transforms = transforms
    let job = LoadCheck(
      client: client, chain: chain, target: target, options: options)
    let meter = ProgressMeter(output)
    defer { meter.finish() }
    var number = 0
    let summary = try await job.run { progress, traffic in
      meter.show(
        .init(
          done: progress.items, expected: progress.expectedItems, bytes: progress.contentBytes,
          unitName: "RU", units: traffic.consumedUnits, prefix: "reading back",
          retries: traffic.retries, throttledBy: traffic.throttledBy, fault: traffic.lastFault))
    } difference: { difference in
      number += 1
      guard number <= LoadCommand.told else { return }
      meter.finish()
      Terminal.say("\(difference.words): \(try DiffListing.key(difference.key[...]))")
    }
    meter.finish()
    if number > LoadCommand.told {
      Terminal.say("\(Format.count(number - LoadCommand.told)) more differences are not shown")
    }
    return summary
  }

  /// Says what was found; ends with exit code 1 where the table is not what it should be.
  func report(_ found: LoadFindings, of plan: LoadPlan) throws {
    try report(found, archive: archive, target: plan.target, isChanged: !plan.transforms.isEmpty)
  }

  /// - Parameter isChanged: whether rules have changed the items on their way.
  func report(
    _ found: LoadFindings, archive: String, target: String, isChanged: Bool
  ) throws {
    let check = found.items
    if !found.settingsMissing.isEmpty {
      Terminal.error(
        "\(target) does not have what it was given: \(found.settingsMissing.joined(separator: ", "))",
        hint: "the service took the request all the same; ask again with: "
          + ShellCommand.line(
            ["dynarc", "load", archive, target, "--schema-only", "--settings", "all"]))
      if check.isSame { throw EndWith(status: ExitStatus.found) }
    }
    if check.isSame {
      guard !output.quiet, !output.json else { return }
      let others =
        check.others > 0 ? ", and \(Format.count(check.others)) that the archive lacks" : ""
      Terminal.say(
        "verified: \(target) holds all \(Format.count(check.items)) items as they are in the "
          + "archive\(isChanged ? " and the rules make them" : ""), and has the settings it was given\(others); \(Format.decimal(check.traffic.consumedUnits, 1)) read units"
      )
      return
    }
    Terminal.error(
      "\(target) does not hold what the archive does: \(Format.count(check.missing)) items are "
        + "missing, \(Format.count(check.different)) differ, \(Format.count(check.others)) are not in "
        + "the archive",
      hint: "somebody else may be writing to it"
        + (isChanged
          ? ""
          : "; see all of it with: " + ShellCommand.line(["dynarc", "diff", archive, target])))
    throw EndWith(status: ExitStatus.found)
  }
}

/// What a load was found to have made.
struct LoadFindings {
  var items: LoadCheckSummary
  /// Settings, indexes and billing that the table was given and does not have.
  var settingsMissing: [String]

  /// The member `verified` of the report.
  var json: JSONValue {
    [
      "same": .bool(items.isSame && settingsMissing.isEmpty), "items": JSONValue(items.items),
      "found": JSONValue(items.found), "missing": JSONValue(items.missing),
      "different": JSONValue(items.different), "others": JSONValue(items.others),
      "settingsMissing": .array(settingsMissing.map(JSONValue.string)),
      "consumedReadUnits": .number(Format.plain(items.traffic.consumedUnits)),
    ]
  }
}

extension LoadDifference {
  fileprivate var words: String {
    switch kind {
    case .added: "not in the archive"
    case .removed: "missing"
    case .changed: "differs"
    }
  }
}
