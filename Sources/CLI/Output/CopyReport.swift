import Archive
import Dynamo
import JSON

/// What copy says before, meanwhile and after.
struct CopyReport {
  let plan: CopyPlan
  let output: OutputOptions

  /// Says what a person must know beforehand.
  func warn() {
    if plan.sourceIsEmpty {
      Terminal.warn("\(source) holds no item: all that \(part)\(target) holds is deleted")
    }
    if let left = settingsLeft {
      Terminal.warn(
        "table \(plan.target) gets the source's key, indexes and billing, and not: \(left)")
    }
    if plan.sliceBecause != nil, plan.targetTable == nil {
      Terminal.warn("table \(plan.target) is created, and gets only a slice of \(source)")
    }
  }

  /// Settings of the source that a table which is created does not get; nil where there are none.
  private var settingsLeft: String? {
    plan.settings.flatMap { SettingsListing(settings: $0, table: plan.source.schema).words }
  }

  private var source: String { CopyReport.words(plan.source) }
  private var target: String { plan.targetTable.map(CopyReport.words) ?? plan.target }
  private var part: String { plan.sliceBecause == nil ? "" : "the slice of " }

  /// `Orders (account 111122223333, eu-central-1)`
  private static func words(_ table: TableDescription) -> String {
    let place = [table.accountID.map { "account \($0)" }, table.region].compactMap(\.self)
    return table.schema.name + (place.isEmpty ? "" : " (\(place.joined(separator: ", ")))")
  }

  /// What is asked before a table that holds items is changed.
  var question: String {
    if plan.sourceIsEmpty {
      return "\(source) holds no item. Delete \(part.isEmpty ? "every item" : "the slice") of "
        + "\(target)\(expected(plan.targetTable))?"
    }
    return switch plan.mode {
    case .merge: "Put items of \(source)\(changed) over those of \(target)?"
    case .replace:
      "Make \(part)\(target)\(expected(plan.targetTable)) equal to \(source)\(expected(plan.source))\(changed), "
        + "replacing and deleting items?"
    case .truncateFirst:
      "Delete \(plan.sliceBecause == nil ? "every item" : "the slice") of \(target) first?"
    }
  }

  /// ` (about 1,200 items)`, by a count up to six hours old.
  private func expected(_ table: TableDescription?) -> String {
    guard let table, plan.sliceBecause == nil else { return "" }
    return " (about \(Format.count(table.itemCount)) items)"
  }

  /// ` with remove phone, hash email`
  private var changed: String { plan.transforms.isEmpty ? "" : " with \(plan.transforms.words)" }

  /// What would happen, for when nobody can be asked.
  var danger: String {
    if plan.sourceIsEmpty {
      return "\(source) holds no item, and this would delete those of \(target)"
    }
    return switch plan.mode {
    case .merge: "this would replace items of \(target)"
    case .replace: "this would replace and delete items of \(target)"
    case .truncateFirst: "this would delete items of \(target)"
    }
  }

  /// Says what would happen.
  ///
  /// - Parameter keeping: how the target's state would be kept.
  func dryRun(keeping: String?) throws {
    guard !output.json else {
      var json = json
      json["dryRun"] = true
      json["holdsItems"] = .bool(plan.holdsItems)
      json["items"] = plan.expectedItems.map { JSONValue($0) } ?? .null
      json["sliceBecause"] = plan.sliceBecause.map(JSONValue.string) ?? .null
      json["settingsLeft"] = settingsLeft.map(JSONValue.string) ?? .null
      return try Terminal.output(.object(json))
    }
    var list: [String] = []
    if let keeping { list.append(keeping) }
    if plan.targetTable == nil { list.append("create table \(plan.target) like \(source)") }
    if plan.holdsItems, plan.mode == .truncateFirst {
      list.append("delete \(part.isEmpty ? "every item" : "the slice") of \(target)")
    }
    let count = plan.expectedItems.map { "about \(Format.count($0)) items" } ?? "the items"
    list.append(
      "put \(count) of \(part)\(source) into \(target)"
        + (plan.holdsItems && plan.mode != .truncateFirst ? ", over what is there" : ""))
    if !plan.transforms.isEmpty { list.append("change each: \(plan.transforms.words)") }
    if let index = plan.partialIndex {
      list.append("read each item whole from the table, since index \(index) holds only parts")
    }
    if plan.holdsItems, plan.mode == .replace {
      list.append("delete what \(part)\(target) holds and \(source) does not")
    }
    for action in list { Terminal.say("would \(action)") }
    if !plan.transforms.isEmpty {
      Terminal.say("no item was looked at: a copy stops at one that does not fit the rules")
    }
  }

  /// What the target is like after an end half-way; nil where nothing has been changed.
  func state(_ progress: CopyProgress) -> String? {
    let deleted = Format.count(progress.deleted)
    switch progress.phase {
    case .checking: return nil
    case .creating: return "table \(plan.target) may have been created"
    case .truncating:
      return progress.deleted == 0
        ? nil : "\(deleted) items of table \(plan.target) are deleted, none is copied yet"
    case .copying:
      guard progress.begun > 0 || plan.targetTable == nil else { return nil }
      let open = progress.begun - progress.written - progress.deleted - progress.rejected
      return "\(Format.count(progress.written)) items are in table \(plan.target)"
        + (open > 0 ? ", up to \(Format.count(open)) more may be" : "") + ", others not yet"
        + (progress.deleted > 0 ? "; \(deleted) were deleted before" : "; nothing was deleted")
    case .comparing:
      return "every item is in table \(plan.target); of those that only it holds \(deleted) are "
        + "deleted, others not yet"
    }
  }

  private var json: JSONObject {
    var json: JSONObject = [
      "source": CopyReport.json(plan.source.schema.name, plan.source.arn),
      "target": CopyReport.json(plan.target, plan.targetTable?.arn),
      "mode": .string(plan.mode.rawValue), "created": .bool(plan.targetTable == nil),
    ]
    json.add(plan.transforms)
    return json
  }

  private static func json(_ table: String, _ arn: String?) -> JSONValue {
    ["table": .string(table), "arn": arn.map(JSONValue.string) ?? .null]
  }

  /// Reports a copy that has come to its end.
  func done(
    _ summary: CopySummary, kept: SafeguardSummary?, seconds: Double, _ prices: Prices
  ) throws {
    let progress = summary.progress
    let cost = CostReport(
      prices,
      .init(
        billingMode: plan.source.schema.billingMode,
        tableClass: TableClass(described: .object(plan.source.raw)),
        readUnits: progress.sourceReadUnits),
      // A table that is created is of the standard class.
      .init(
        billingMode: plan.targetSchema.billingMode,
        tableClass: TableClass(described: plan.targetTable.map { .object($0.raw) }),
        readUnits: progress.targetReadUnits, writeUnits: progress.writeUnits))
    if output.json {
      var json = json
      json["read"] = JSONValue(progress.read)
      json["written"] = JSONValue(progress.written)
      json["rejected"] = JSONValue(progress.rejected)
      json["deleted"] = JSONValue(progress.deleted)
      json["gone"] = JSONValue(progress.gone)
      json["caughtUp"] = JSONValue(progress.caughtUp)
      json["consumedReadUnits"] = .number(Format.plain(progress.sourceReadUnits))
      json["consumedTargetReadUnits"] = .number(Format.plain(progress.targetReadUnits))
      json["consumedWriteUnits"] = .number(Format.plain(progress.writeUnits))
      json["seconds"] = .number(Format.plain(seconds))
      json["cost"] = cost.json
      json["kept"] = kept?.json ?? .null
      json["rejects"] = summary.rejects.map { .string($0.path) }
      TrafficReport.add(progress.retries, progress.throttledBy, to: &json)
      try Terminal.output(.object(json))
    }
    guard !output.quiet, !output.json else { return }
    let deletion =
      progress.deleted > 0
      ? ", \(Format.count(progress.deleted)) deleted"
        + (plan.mode == .truncateFirst ? " before" : " that only the target had") : ""
    Terminal.say(
      "copied \(Format.count(progress.written)) of \(Format.count(progress.read)) items of "
        + "\(source) into \(plan.target)\(plan.targetTable == nil ? " (created)" : "")\(deletion) in "
        + "\(Format.duration(seconds)), "
        + "\(Format.decimal(progress.sourceReadUnits + progress.targetReadUnits, 1)) read units, "
        + "\(Format.decimal(progress.writeUnits, 1)) write units")
    plan.transforms.say()
    cost.say()
    TrafficReport.lines(progress.retries, progress.throttledBy).forEach(Terminal.say)
  }
}

extension CopyProgress {
  /// What the progress line shows.
  var reading: ProgressMeter.Reading {
    let done =
      switch phase {
      case .truncating: deleted
      case .comparing: compared
      default: written
      }
    return .init(
      done: done, expected: phase == .copying ? expectedItems : nil, bytes: wireBytes,
      unitName: "WU", units: writeUnits, prefix: phase.rawValue, retries: retries,
      throttledBy: throttledBy, fault: lastFault)
  }
}
