import Archive
import JSON

/// What an item counts as when DynamoDB measures it for capacity: names and values, not their JSON
/// (Developer Guide, "DynamoDB item sizes and formats").
enum StoredSize {
  /// Bytes of an item, or of a key: typed JSON. What is none of the ten types counts as it stands.
  static func bytes(_ item: Span<UInt8>) -> Int {
    var scanner = JSONScanner()
    return (try? members(item, 0, &scanner).bytes) ?? item.count
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
