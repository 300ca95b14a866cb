public import JSON

extension ChangesSide {
  init(_ fields: Fields) throws(ArchiveError) {
    self.init(
      archiveID: try fields.optional("archiveId", "an archive's id") {
        $0.string.flatMap { ArchiveNames.isID($0) ? $0 : nil }
      },
      sameItemsAs: try fields.ids("sameItemsAs"),
      tableName: try fields.string("tableName"), tableARN: try fields.optionalString("tableArn"),
      tableID: try fields.optionalString("tableId"), items: try fields.int("items"),
      startTime: try fields.time("startTime"), endTime: try fields.time("endTime"),
      slice: try fields.optionalString("slice"))
    unknown = fields.object.removing([
      "archiveId", "sameItemsAs", "tableName", "tableArn", "tableId", "items", "startTime",
      "endTime", "slice",
    ])
  }

  /// As the manifest has it.
  public var json: JSONObject {
    var object = JSONObject()
    object.add("archiveId", archiveID.map(JSONValue.string))
    object.add(ids: sameItemsAs, "sameItemsAs")
    object.add("tableName", .string(tableName))
    object.add("tableArn", tableARN.map(JSONValue.string))
    object.add("tableId", tableID.map(JSONValue.string))
    object.add("items", JSONValue(items))
    object.add("startTime", .string(startTime.description))
    object.add("endTime", .string(endTime.description))
    object.add("slice", slice.map(JSONValue.string))
    object.add(unknown)
    return object
  }
}

extension ChangesDescription {
  /// - Parameter features: the archive's required features.
  init(_ fields: Fields, features: [String]) throws(ArchiveError) {
    self.init(
      from: try ChangesSide(try fields.fields("from")),
      to: try ChangesSide(try fields.fields("to")),
      oldImages: OldImages.allCases.first { features.contains($0.rawValue) },
      added: try fields.int("added"), removed: try fields.int("removed"),
      changed: try fields.int("changed"))
    unknown = fields.object.removing(["from", "to", "added", "removed", "changed"])
  }

  /// The member `changes` of the manifest.
  public var json: JSONObject {
    var object: JSONObject = [
      "from": .object(from.json), "to": .object(to.json), "added": JSONValue(added),
      "removed": JSONValue(removed), "changed": JSONValue(changed),
    ]
    object.add(unknown)
    return object
  }

  /// Checks the sums.
  ///
  /// - Parameter lines: of the archive.
  func check(lines: Int, _ fields: Fields) throws(ArchiveError) {
    var sum = 0
    for (count, name) in [(added, "added"), (removed, "removed"), (changed, "changed")] {
      let (next, overflow) = sum.addingReportingOverflow(count)
      guard !overflow else { throw fields.fault("changes.\(name)", "is too large") }
      sum = next
    }
    guard sum == lines else {
      throw fields.fault("changes", "tells of \(sum) changes, and the chunks have \(lines) lines")
    }
    let (afterAdding, overflow) = from.items.addingReportingOverflow(added)
    guard !overflow, removed + changed <= from.items, afterAdding - removed == to.items else {
      throw fields.fault(
        "changes", "does not lead from \(from.items) items to \(to.items) by the changes it tells")
    }
  }
}
