public import JSON

/// What an archive holds, in sum.
public struct Counts: Sendable, Equatable {
  /// Items in it.
  public var items: Int
  /// Bytes of all lines.
  public var contentBytes: Int
  /// Bytes of all chunk files.
  public var storedBytes: Int
  /// Items the service read, before a filter dropped some.
  public var scannedItems: Int
  /// Bytes of the largest item's JSON; 0 where there is none.
  public var largestItemBytes: Int
  /// Read capacity units the service reported, where it did.
  public var consumedReadUnits: Double?
  /// Members that this version does not know, kept.
  public var unknown: JSONObject

  public init(
    items: Int = 0, contentBytes: Int = 0, storedBytes: Int = 0, scannedItems: Int = 0,
    largestItemBytes: Int = 0, consumedReadUnits: Double? = nil, unknown: JSONObject = JSONObject()
  ) {
    self.items = items
    self.contentBytes = contentBytes
    self.storedBytes = storedBytes
    self.scannedItems = scannedItems
    self.largestItemBytes = largestItemBytes
    self.consumedReadUnits = consumedReadUnits
    self.unknown = unknown
  }
}

extension Counts {
  init(_ fields: Fields) throws(ArchiveError) {
    self.init(
      items: try fields.int("items"), contentBytes: try fields.int("contentBytes"),
      storedBytes: try fields.int("storedBytes"), scannedItems: try fields.int("scannedItems"),
      largestItemBytes: try fields.int("largestItemBytes"),
      consumedReadUnits: try fields.optional("consumedReadUnits", "a number from 0") {
        $0.double.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
      },
      unknown: fields.object.removing([
        "items", "contentBytes", "storedBytes", "scannedItems", "largestItemBytes",
        "consumedReadUnits",
      ]))
  }

  var json: JSONObject {
    var object: JSONObject = [
      "items": JSONValue(items), "contentBytes": JSONValue(contentBytes),
      "storedBytes": JSONValue(storedBytes), "scannedItems": JSONValue(scannedItems),
      "largestItemBytes": JSONValue(largestItemBytes),
    ]
    if let units = consumedReadUnits, units.isFinite {
      object.add("consumedReadUnits", .number(units.description))
    }
    object.add(unknown)
    return object
  }

  /// Adds a chunk's numbers.
  ///
  /// - Throws: `ArchiveError` of code `damaged` where a sum is larger than any real one.
  mutating func add(_ row: ChunkRow) throws(ArchiveError) {
    items = try sum(items, row.items, row)
    contentBytes = try sum(contentBytes, row.contentBytes, row)
    storedBytes = try sum(storedBytes, row.storedBytes, row)
  }

  private func sum(_ left: Int, _ right: Int, _ row: ChunkRow) throws(ArchiveError) -> Int {
    let (sum, overflow) = left.addingReportingOverflow(right)
    guard !overflow else {
      throw ArchiveError(
        .damaged, "the numbers of the chunks overflow at \(row.name)", file: ArchiveNames.manifest)
    }
    return sum
  }
}
