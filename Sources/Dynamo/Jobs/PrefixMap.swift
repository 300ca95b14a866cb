import Archive

/// What stands in the place of the beginning of a table's name.
public struct PrefixMap: Sendable, Equatable {
  /// The beginning that names must have; empty for all names.
  public var source: String
  /// What comes in its place.
  public var target: String

  public init(source: String, target: String) {
    self.source = source
    self.target = target
  }

  /// Reads `prod-=staging-`; nil for a text that maps no names.
  public init?(_ text: String) {
    let sides = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    guard sides.count == 2, sides[0] != sides[1],
      sides.allSatisfy({ $0.utf8.allSatisfy(TableName.isCharacter) })
    else { return nil }
    self.init(source: String(sides[0]), target: String(sides[1]))
  }

  private func name(of table: String) -> String? {
    table.hasPrefix(source) ? target + table.dropFirst(source.count) : nil
  }

  /// What tables are called by the first map that fits each; as they are where there are no maps.
  ///
  /// - Returns: targets in the order of the tables.
  /// - Throws: `DynamoError` of code `usage` where no map fits a table, two tables come to have one name, or
  ///   the service takes no table of such a name.
  public static func targets(
    of tables: [String], by maps: [PrefixMap]
  ) throws(DynamoError) -> [String] {
    guard !maps.isEmpty else { return tables }
    var targets: [String] = []
    var sources: [String: String] = [:]
    for table in tables {
      guard let target = maps.lazy.compactMap({ $0.name(of: table) }).first else {
        throw DynamoError(
          .usage, "no --prefix-map fits table \(table)",
          hint: "add one, such as --prefix-map =copy-, which fits every name")
      }
      guard TableName.isTaken(target) else {
        throw DynamoError(
          .usage, "table \(table) would be called \"\(target)\", and no table can be called so",
          hint: "names have 3 to 255 letters, digits, _, - and .")
      }
      if let other = sources.updateValue(table, forKey: target) {
        throw DynamoError(
          .usage, "tables \(other) and \(table) would both be loaded into \(target)",
          hint: "let the maps keep names apart")
      }
      targets.append(target)
    }
    return targets
  }
}
