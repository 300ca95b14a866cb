/// What is wrong with a JSON text, and where.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The kind of fault. More may come; switch with a `default`.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// The text ends inside a value.
    public static let truncated = Code(rawValue: "the text ends inside a value")
    /// A byte that RFC 8259's grammar does not allow here.
    public static let unexpectedByte = Code(rawValue: "unexpected byte")
    /// A string holds a control character below U+0020 that is not escaped.
    public static let controlCharacter = Code(rawValue: "unescaped control character in a string")
    /// A backslash followed by something that is no escape of RFC 8259 section 7.
    public static let badEscape = Code(rawValue: "unknown escape in a string")
    /// A `\u` escape of half a surrogate pair: no Unicode text has it, and no UTF-8 can hold it.
    public static let loneSurrogate = Code(rawValue: "lone surrogate escape in a string")
    /// Bytes that are not well-formed UTF-8 (Unicode 15, table 3-7).
    public static let badUTF8 = Code(rawValue: "bytes that are not UTF-8")
    /// A number that RFC 8259 section 6 does not allow.
    public static let badNumber = Code(rawValue: "malformed number")
    /// More levels of nesting than the reader allows.
    public static let tooDeep = Code(rawValue: "nested too deeply")
    /// Something other than white space behind the value.
    public static let trailingBytes = Code(rawValue: "unexpected bytes behind the value")
    /// One object has two members of one name.
    public static let duplicateName = Code(rawValue: "duplicate member name")
  }

  /// The kind of fault.
  public var code: Code
  /// Offset in bytes from the start of the text that was read.
  public var offset: Int

  /// Creates an error of a kind at an offset.
  public init(_ code: Code, at offset: Int) {
    self.code = code
    self.offset = offset
  }

  public var description: String { "\(code.rawValue) at byte \(offset)" }
}
