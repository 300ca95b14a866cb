extension Manifest {
  /// Why the archive lacks items that the source had; nil for a whole table.
  public var sliceBecause: String? { source.sliceBecause }

  /// Why the archive's items are only parts of those the source had; nil when they are whole.
  public var partialBecause: String? { source.partialBecause(table) }

  /// Why the archive's items are others than those of the table; nil where they are as they were read.
  public var changedBecause: String? { source.changedBecause }
}

extension ArchiveSource {
  /// Why the archive lacks items that the source had; nil for a whole table.
  public var sliceBecause: String? {
    if read.operation == .query { return "it is the slice of one key" }
    if let filter = read.filterExpression { return "the filter was \(filter)" }
    // An index lacks the items that have not its keys.
    return read.indexName.map { "it was read from index \($0)" }
  }

  /// Why items are only parts of those a table had; nil when they are whole.
  public func partialBecause(_ table: TableSchema) -> String? {
    if let projection = read.projectionExpression {
      return "the projection is \(projection)"
    }
    guard let name = read.indexName, let index = table.index(named: name),
      index.projection.type != "ALL"
    else { return nil }
    return "index \(name) projects \(index.projection.words)"
  }

  /// Why items are others than those of the table; nil where they are as they were read.
  public var changedBecause: String? {
    transforms.isEmpty ? nil : "they were changed by \(ItemTransforms.words(transforms))"
  }
}

extension Projection {
  /// What a projection that is not `ALL` takes, for people.
  public var words: String {
    type == "INCLUDE" ? "the keys and \(nonKeyAttributes.joined(separator: ", "))" : "only the keys"
  }
}
