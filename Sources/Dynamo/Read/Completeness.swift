public import Archive

extension Manifest {
  /// Why the archive lacks items that the source had; nil for a whole table.
  public var sliceBecause: String? { source.sliceBecause }

  /// Why the archive's items are only parts of those the source had; nil when they are whole.
  public var partialBecause: String? { source.partialBecause(table) }
}

extension ArchiveSource {
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
}
