internal import JSON

extension JSONText {
  /// Appends a JSON text without the white space between its tokens.
  ///
  /// - Parameter bytes: a text that `JSONScanner` accepted.
  static func compact(_ bytes: Span<UInt8>, into output: inout [UInt8]) {
    var inString = false
    var escaped = false
    for i in bytes.indices {
      let byte = bytes[i]
      if inString {
        if escaped {
          escaped = false
        } else if byte == UInt8(ascii: "\\") {
          escaped = true
        } else if byte == UInt8(ascii: "\"") {
          inString = false
        }
      } else {
        if byte <= 0x20 { continue }
        if byte == UInt8(ascii: "\"") { inString = true }
      }
      output.append(byte)
    }
  }
}
