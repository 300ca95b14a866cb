public import Archive
import JSON

extension ReadOptions {
  /// The options that a dump was begun with, from what its journal says of it: the way back from
  /// `ReadPlan.description`.
  ///
  /// - Returns: nil for a condition on the key that no options lead to.
  public init?(begun source: ArchiveSource) {
    let read = source.read
    let values = read.expressionAttributeValues ?? JSONObject()
    index = read.indexName
    filter = read.filterExpression
    projection = read.projectionExpression
    names = KeyCondition.withoutOwn(read.expressionAttributeNames ?? JSONObject())
    self.values = KeyCondition.withoutOwn(values)
    consistent = read.consistentRead
    allowKeyless = source.keyless
    guard let condition = read.keyConditionExpression else {
      segments = read.totalSegments
      return
    }
    func text(_ placeholder: String) -> String? {
      values[placeholder]?.object?.members.first?.value.string
    }
    var terms: [String] = []
    while let value = text(KeyCondition.partitionValue(terms.count)) {
      terms.append(KeyCondition.partitionTerm(terms.count))
      partition.append(value)
    }
    if let low = text(":dynarcSk") {
      let conditions: [SortCondition] = [
        .equal(low), .beginsWith(low), .between(low, text(":dynarcSk1") ?? ""), .less(low),
        .lessOrEqual(low), .greater(low), .greaterOrEqual(low),
      ]
      sort = conditions.first { (terms + [$0.template.0]).joined(separator: " AND ") == condition }
      if let sort { terms.append(sort.template.0) }
    }
    guard terms.joined(separator: " AND ") == condition else { return nil }
  }

  /// Whether nothing is asked for but how many segments there shall be.
  var isWholeTable: Bool {
    var other = ReadOptions()
    other.segments = segments
    return self == other
  }
}

extension KeyCondition {
  static func partitionName(_ index: Int) -> String { "#dynarcPk" + (index == 0 ? "" : "\(index)") }

  static func partitionValue(_ index: Int) -> String {
    ":dynarcPk" + (index == 0 ? "" : "\(index)")
  }

  static func partitionTerm(_ index: Int) -> String {
    "\(partitionName(index)) = \(partitionValue(index))"
  }

  /// The user's own placeholders.
  fileprivate static func withoutOwn(_ placeholders: JSONObject) -> JSONObject {
    JSONObject(
      placeholders.members.filter { member in
        !["#dynarcPk", ":dynarcPk", "#dynarcSk", ":dynarcSk"].contains(
          where: member.name.hasPrefix)
      })
  }
}
