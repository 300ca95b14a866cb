/// Steps through one object or array member by member without building it, for answers whose
/// insides are looked at here and there.
public enum JSONWalk {
  /// Calls `body` for each member of the object at `start` with its name, and the offsets at which
  /// its value starts and ends. The value has been validated.
  ///
  /// - Returns: the offset behind the object.
  /// - Throws: `JSONError`; a value that is no object is one.
  @discardableResult
  public static func object(
    _ bytes: Span<UInt8>, at start: Int, _ scanner: inout JSONScanner,
    _ body: (String, Int, Int, inout JSONScanner) throws(JSONError) -> Void
  ) throws(JSONError) -> Int {
    try list(bytes, at: start, &scanner, "{", "}") { i, scanner throws(JSONError) in
      let nameEnd = try scanner.skipString(bytes, at: i)
      let value = try scanner.skipName(bytes, at: i)
      var name: [UInt8] = []
      try JSONText.unescape(bytes, (i + 1)..<(nameEnd - 1), into: &name)
      let end = try scanner.skipValue(bytes, at: value)
      try body(String(decoding: name, as: UTF8.self), value, end, &scanner)
      return end
    }
  }

  /// Calls `body` for each element of the array at `start` with the offsets at which it starts and
  /// ends. The element has been validated.
  ///
  /// - Returns: the offset behind the array.
  /// - Throws: `JSONError`; a value that is no array is one.
  @discardableResult
  public static func array(
    _ bytes: Span<UInt8>, at start: Int, _ scanner: inout JSONScanner,
    _ body: (Int, Int, inout JSONScanner) throws(JSONError) -> Void
  ) throws(JSONError) -> Int {
    try list(bytes, at: start, &scanner, "[", "]") { i, scanner throws(JSONError) in
      let end = try scanner.skipValue(bytes, at: i)
      try body(i, end, &scanner)
      return end
    }
  }

  private static func list(
    _ bytes: Span<UInt8>, at start: Int, _ scanner: inout JSONScanner, _ open: Unicode.Scalar,
    _ close: Unicode.Scalar, _ element: (Int, inout JSONScanner) throws(JSONError) -> Int
  ) throws(JSONError) -> Int {
    guard start < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
    guard bytes[start] == UInt8(ascii: open) else { throw JSONError(.unexpectedByte, at: start) }
    var i = scanner.skipWhitespace(bytes, at: start + 1)
    var first = true
    while true {
      guard i < bytes.count else { throw JSONError(.truncated, at: bytes.count) }
      if bytes[i] == UInt8(ascii: close) { return i + 1 }
      if !first {
        guard bytes[i] == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: i) }
        i = scanner.skipWhitespace(bytes, at: i + 1)
      }
      first = false
      i = scanner.skipWhitespace(bytes, at: try element(i, &scanner))
    }
  }
}
