/// What is wrong with rules that change items, or with an item that they cannot change.
public struct TransformError: Error, Sendable, Equatable {
  /// The kind of failure. More may come; switch with a `default`.
  public struct Code: RawRepresentable, Hashable, Sendable {
    /// A stable word.
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A rule that does not parse.
    public static let expression = Code(rawValue: "expression")
    /// Two rules for one value, or for a value and what is inside of it.
    public static let overlap = Code(rawValue: "overlap")
    /// A hash without a key, with one that is too short, or with another one than before.
    public static let noHashKey = Code(rawValue: "no-hash-key")
    /// A rule that a key attribute does not allow.
    public static let key = Code(rawValue: "key")
    /// A value that is not of its key attribute's type.
    public static let type = Code(rawValue: "type")
    /// An item whose value is of a type that a rule cannot change.
    public static let mismatch = Code(rawValue: "mismatch")
    /// Two items that get one key.
    public static let collision = Code(rawValue: "collision")
  }

  /// The kind of failure.
  public var code: Code
  /// What is wrong, in one sentence without a full stop.
  public var message: String
  /// What to do next.
  public var hint: String?

  public init(_ code: Code, _ message: String, hint: String? = nil) {
    self.code = code
    self.message = message
    self.hint = hint
  }
}

extension TransformError: CustomStringConvertible {
  public var description: String { message }
}
