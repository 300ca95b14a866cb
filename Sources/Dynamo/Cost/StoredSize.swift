import Archive
import JSON

/// What an item counts as when DynamoDB measures it for capacity: names and values, not their JSON
/// (Developer Guide, "DynamoDB item sizes and formats").
///
/// | what | bytes |
/// |---|---|
/// | name of an attribute | its UTF-8 |
/// | `S` | its UTF-8 |
/// | `B` | as it is without base64 |
/// | `N` | one for each two significant digits, begun ones too, and one more |
/// | `BOOL`, `NULL` | 1 |
/// | `SS`, `NS`, `BS` | the sum of the members |
/// | `L`, `M` | 3, and 1 for each element beside what it counts itself |
///
/// What is none of the ten types counts as its JSON does. The rule for numbers is the documented
/// approximation.
public enum StoredSize {
  /// Bytes of an item, or of a key.
  ///
  /// - Parameter item: typed JSON.
  public static func bytes(_ item: Span<UInt8>) -> Int {
    var size = 0
    let isObject = attributes(item, 0..<item.count) { size += $0.utf8.count + $1 }
    return isObject ? size : item.count
  }

  /// The attributes of an item with the bytes of their values.
  ///
  /// - Parameter item: where its object stands.
  /// - Returns: false where there is no object of valid JSON, as far as it has been read.
  @discardableResult
  static func attributes(
    _ bytes: Span<UInt8>, _ item: Range<Int>, _ body: (_ name: String, _ bytes: Int) -> Void
  ) -> Bool {
    var scanner = JSONScanner()
    do throws(JSONError) {
      try JSONWalk.object(bytes, at: item.lowerBound, &scanner) {
        name, start, end, scanner throws(JSONError) in
        body(name, (try? value(bytes, start, &scanner)) ?? end - start)
      }
    } catch { return false }
    return true
  }

  /// An object of names and typed values: an item, or what stands in an `M`.
  private static func members(
    _ bytes: Span<UInt8>, _ start: Int, _ scanner: inout JSONScanner
  ) throws(JSONError) -> (bytes: Int, count: Int) {
    var (size, count) = (0, 0)
    try JSONWalk.object(bytes, at: start, &scanner) { name, at, _, scanner throws(JSONError) in
      size += name.utf8.count + (try value(bytes, at, &scanner))
      count += 1
    }
    return (size, count)
  }

  /// A typed value, `{"S":"x"}`.
  private static func value(
    _ bytes: Span<UInt8>, _ start: Int, _ scanner: inout JSONScanner
  ) throws(JSONError) -> Int {
    var size = 0
    try JSONWalk.object(bytes, at: start, &scanner) { tag, at, end, scanner throws(JSONError) in
      switch tag {
      case "S": size += try text(bytes, at..<end).count
      case "N": size += number(try text(bytes, at..<end))
      case "B": size += binary(try text(bytes, at..<end))
      case "BOOL", "NULL": size += 1
      case "M":
        let inner = try members(bytes, at, &scanner)
        size += containerOverhead + inner.bytes + inner.count
      case "L":
        size += containerOverhead
        try JSONWalk.array(bytes, at: at, &scanner) { at, _, scanner throws(JSONError) in
          size += 1 + (try value(bytes, at, &scanner))
        }
      case "SS", "NS", "BS":
        try JSONWalk.array(bytes, at: at, &scanner) { at, end, _ throws(JSONError) in
          let member = try text(bytes, at..<end)
          size += tag == "SS" ? member.count : tag == "NS" ? number(member) : binary(member)
        }
      default: size += end - at
      }
    }
    return size
  }

  /// What a list or a map takes, beside a byte for each element.
  private static let containerOverhead = 3

  /// The text of a JSON string that has been scanned, quotation marks included.
  private static func text(
    _ bytes: Span<UInt8>, _ range: Range<Int>
  ) throws(JSONError) -> [UInt8] {
    guard range.count >= 2, bytes[range.lowerBound] == UInt8(ascii: "\"") else {
      throw JSONError(.unexpectedByte, at: range.lowerBound)
    }
    var text: [UInt8] = []
    try JSONText.unescape(bytes, range.lowerBound + 1..<range.upperBound - 1, into: &text)
    return text
  }

  /// A byte for each two significant digits, and one more.
  private static func number(_ text: [UInt8]) -> Int {
    ((CanonicalNumber(text.span)?.digits.count ?? text.count) + 1) / 2 + 1
  }

  /// Base64's four characters stand for three bytes.
  private static func binary(_ text: [UInt8]) -> Int {
    let padding = text.suffix(2).count { $0 == UInt8(ascii: "=") }
    return max(text.count / 4 * 3 - padding, 0)
  }
}
