public import Archive
public import JSON

/// What to read of a table: all of it, an index, or a slice by key; filtered and projected.
public struct ReadOptions: Sendable, Equatable {
  /// A global or local index to read instead of the table.
  public var index: String?
  /// A value for each attribute of the partition key; empty for a Scan.
  public var partition: [String] = []
  /// A condition on the sort key; needs a partition.
  public var sort: SortCondition?
  /// A FilterExpression, passed on as it is.
  public var filter: String?
  /// A ProjectionExpression, passed on as it is.
  public var projection: String?
  /// ExpressionAttributeNames for the two.
  public var names = JSONObject()
  /// ExpressionAttributeValues in typed JSON for the filter.
  public var values = JSONObject()
  /// Strongly consistent reads, which cost twice as much and which no global index offers.
  public var consistent = false
  /// Accept a projection without the key attributes.
  public var allowKeyless = false
  /// TotalSegments of a parallel Scan, 1 to 1,000,000; nil chooses by size.
  public var segments: Int?

  public init() {}
}
