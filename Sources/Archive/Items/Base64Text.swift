/// RFC 4648 section 4, with padding.
enum Base64Text {
  /// Appends what a base64 text with padding stands for.
  ///
  /// - Returns: false, with nothing appended, for what is no base64 or not spelled in the one way that
  ///   encoders write.
  static func decode(_ text: Span<UInt8>, into output: inout [UInt8]) -> Bool {
    guard text.count.isMultiple(of: 4) else { return false }
    let mark = output.count
    var word: UInt32 = 0
    var padding = 0
    for i in text.indices {
      let byte = text[i]
      if byte == UInt8(ascii: "="), i + 2 >= text.count {
        padding += 1
        word <<= 6
      } else if let digit = value(byte), padding == 0 {
        word = word << 6 | UInt32(digit)
      } else {
        output.removeSubrange(mark...)
        return false
      }
      if i % 4 == 3 {
        let unused: UInt32 = padding == 0 ? 0 : padding == 1 ? 0xFF : 0xFFFF
        guard word & unused == 0 else {
          output.removeSubrange(mark...)
          return false
        }
        for place in 0..<3 - padding {
          output.append(UInt8(truncatingIfNeeded: word >> UInt32(16 - 8 * place)))
        }
        word = 0
      }
    }
    return true
  }

  /// Appends the base64 text of some bytes.
  static func encode(_ bytes: ArraySlice<UInt8>, into output: inout [UInt8]) {
    let digits: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    var rest = bytes
    while !rest.isEmpty {
      let group = rest.prefix(3)
      rest = rest.dropFirst(3)
      let word = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
      for place in 0..<4 {
        output.append(
          place <= group.count
            ? digits.utf8Start[Int(word >> UInt32(18 - 6 * place) & 63)] : UInt8(ascii: "="))
      }
    }
  }

  private static func value(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
