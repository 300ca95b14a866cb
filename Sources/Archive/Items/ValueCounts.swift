internal import JSON

/// The distinct values of one attribute, and how many items have each.
///
/// Values are the same as in a comparison: the spelling of numbers and the order of sets and maps do not
/// matter. Memory grows with the distinct values.
public struct ValueCounts: Sendable {
  /// One value.
  public struct Value: Sendable, Equatable {
    /// Typed JSON, as it was spelled first.
    public var bytes: [UInt8]
    /// Items that have it.
    public var count: Int
  }

  /// The attribute.
  public let path: AttributePath
  /// Items that lack the attribute.
  public private(set) var without = 0

  private var values: [Value] = []
  /// Where in `values` each is, by its canonical form.
  private var places: [[UInt8]: Int] = [:]
  private var canonical = CanonicalItem()

  public init(_ path: AttributePath) { self.path = path }

  /// Counts the value that an item has.
  ///
  /// - Parameter item: the bytes of its object, which a reader of lines or pages has validated.
  /// - Throws: `ArchiveError` of code `badPage` where the bytes are no JSON object.
  public mutating func add(_ bytes: Span<UInt8>, _ item: Range<Int>) throws(ArchiveError) {
    do throws(JSONError) {
      guard let value = try path.value(in: bytes, item) else {
        without += 1
        return
      }
      var form: [UInt8] = []
      try canonical.append(value: value, bytes, to: &form)
      if let place = places[form] {
        values[place].count += 1
        return
      }
      var spelled: [UInt8] = []
      JSONText.compact(bytes.extracting(value), into: &spelled)
      places[form] = values.count
      values.append(Value(bytes: spelled, count: 1))
    } catch {
      throw ArchiveError(
        .badPage, "the item is not DynamoDB's JSON: \(error.code.rawValue)", offset: error.offset)
    }
  }

  /// The values, the most frequent first; of equally frequent ones, in the order of their bytes.
  public var mostFrequentFirst: [Value] {
    values.sorted {
      $0.count != $1.count ? $0.count > $1.count : $0.bytes.lexicographicallyPrecedes($1.bytes)
    }
  }
}
