/// The text inside a JSON string: unescaping and escaping.
public enum JSONText {
  /// Appends the UTF-8 that a scanned string stands for.
  ///
  /// - Parameters:
  ///   - range: the bytes between the quotation marks, already accepted by `JSONScanner`.
  ///   - output: receives the text.
  public static func unescape(
    _ bytes: Span<UInt8>, _ range: Range<Int>, into output: inout [UInt8]
  ) throws(JSONError) {
    var i = range.lowerBound
    while i < range.upperBound {
      let byte = bytes[i]
      guard byte == UInt8(ascii: "\\") else {
        output.append(byte)
        i += 1
        continue
      }
      guard i + 1 < range.upperBound else { throw JSONError(.truncated, at: i) }
      switch bytes[i + 1] {
      case UInt8(ascii: "b"): output.append(0x08)
      case UInt8(ascii: "f"): output.append(0x0C)
      case UInt8(ascii: "n"): output.append(0x0A)
      case UInt8(ascii: "r"): output.append(0x0D)
      case UInt8(ascii: "t"): output.append(0x09)
      case UInt8(ascii: "u"):
        var scalar = try JSONScanner.hexUnit(bytes, at: i)
        i += 6
        if scalar & 0xFC00 == 0xD800 {
          let low = try JSONScanner.hexUnit(bytes, at: i)
          guard low & 0xFC00 == 0xDC00 else { throw JSONError(.loneSurrogate, at: i) }
          scalar = 0x10000 + ((scalar & 0x3FF) << 10 | low & 0x3FF)
          i += 6
        }
        guard let character = Unicode.Scalar(scalar) else {
          throw JSONError(.loneSurrogate, at: i)
        }
        output.append(contentsOf: UTF8.encode(character).unsafelyUnwrapped)
        continue
      case let other: output.append(other)
      }
      i += 2
    }
  }

  /// Appends a JSON string, quotation marks included, escaping only what RFC 8259 section 7 demands.
  public static func quote(_ text: some Sequence<UInt8>, into output: inout [UInt8]) {
    let hex: StaticString = "0123456789abcdef"
    output.append(UInt8(ascii: "\""))
    for byte in text {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        output.append(UInt8(ascii: "\\"))
        output.append(byte)
      case 0x0A: output.append(contentsOf: "\\n".utf8)
      case 0x0D: output.append(contentsOf: "\\r".utf8)
      case 0x09: output.append(contentsOf: "\\t".utf8)
      case 0..<0x20:
        output.append(contentsOf: "\\u00".utf8)
        output.append(hex.utf8Start[Int(byte >> 4)])
        output.append(hex.utf8Start[Int(byte & 15)])
      default: output.append(byte)
      }
    }
    output.append(UInt8(ascii: "\""))
  }
}
