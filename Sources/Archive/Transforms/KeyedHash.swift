internal import Digest
internal import JSON

/// Keyed hashes of values, in the type that the value has.
///
/// What is hashed is what a value means, and not how it is spelled or where it stands: HMAC-SHA-256 over the
/// letter of the scalar type (a set's members have that of their scalar) and the text, the canonical
/// number (format-spec.md, section 10) or the bytes. So equal values stay equal across attributes,
/// types of set and tables.
struct KeyedHash: Sendable {
  /// Bytes of the HMAC in a text and in a binary.
  private static let length = 16

  private let key: HMACSHA256Key
  private var text: [UInt8] = []
  private var message: [UInt8] = []

  init(key: [UInt8]) { self.key = HMACSHA256Key(key) }

  /// Appends the hash of a value.
  ///
  /// - Parameters:
  ///   - content: the bytes between the quotation marks of a scalar, or of a set's member.
  ///   - output: receives the new content, without quotation marks.
  /// - Returns: false, with nothing appended, where the content is none of its type.
  mutating func append(
    _ bytes: Span<UInt8>, _ content: Range<Int>, as type: KeyType, to output: inout [UInt8]
  ) throws(JSONError) -> Bool {
    text.removeAll(keepingCapacity: true)
    try JSONText.unescape(bytes, content, into: &text)
    // A second reference, not a copy: reading the text may not overlap with writing the message.
    let text = text
    message.removeAll(keepingCapacity: true)
    message.append(type.letter)
    switch type {
    case .string: message += text
    case .number:
      guard let number = CanonicalNumber(text.span) else { return false }
      if number.digits.isEmpty {
        message.append(UInt8(ascii: "0"))
      } else {
        number.append(to: &message)
      }
    case .binary: guard Base64Text.decode(text.span, into: &message) else { return false }
    }
    let code = key.code(message)
    switch type {
    case .string: output += Hex.encode(Array(code.prefix(KeyedHash.length))).utf8
    // 37 digits at most, and DynamoDB keeps 38.
    case .number:
      output += String(code.prefix(15).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }).utf8
    case .binary: Base64Text.encode(code.prefix(KeyedHash.length), into: &output)
    }
    return true
  }
}
