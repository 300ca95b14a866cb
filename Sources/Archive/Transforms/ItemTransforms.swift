internal import Digest

/// Rules that change items on their way: set a value, remove it, or put a keyed hash in its place.
///
/// All paths are those of the item as it comes. What no rule names keeps its bytes.
public struct ItemTransforms: Sendable, Equatable {
  /// What is done with the value at a path.
  public struct Rule: Sendable, Equatable {
    public enum Operation: Sendable, Equatable {
      /// The new value as typed JSON without white space, `{"S":"x"}`.
      case set([UInt8])
      case remove
      case hash
    }

    public var path: AttributePath
    public var operation: Operation

    public init(path: AttributePath, operation: Operation) {
      self.path = path
      self.operation = operation
    }

    /// `hash address.street`, for messages.
    public var words: String { "\(operation.word) \(path)" }
  }

  /// Bytes that a hash key has at least.
  public static let shortestHashKey = 16
  /// No rules: items stay as they are.
  public static let none = ItemTransforms()

  public let rules: [Rule]
  /// Nil without a rule that hashes.
  let hashKey: [UInt8]?

  /// Whether items stay as they are.
  public var isEmpty: Bool { rules.isEmpty }

  private init() {
    rules = []
    hashKey = nil
  }

  /// Rules that go together.
  ///
  /// - Parameter hashKey: what the hashes are made with; not looked at where no rule hashes.
  /// - Throws: `TransformError`: `overlap` for two rules where one path contains the other, `noHashKey`
  ///   where a rule hashes and there is no key, or one of less than 16 bytes.
  public init(_ rules: [Rule], hashKey: [UInt8]?) throws(TransformError) {
    for (place, rule) in rules.enumerated() {
      for other in rules[..<place]
      where rule.path.contains(other.path) || other.path.contains(rule.path) {
        throw TransformError(
          .overlap, "two rules are about one value: \(other.words), and \(rule.words)",
          hint: "leave one of them out")
      }
    }
    self.rules = rules
    guard let hash = rules.first(where: { $0.operation == .hash }) else {
      self.hashKey = nil
      return
    }
    guard let hashKey else {
      throw TransformError(
        .noHashKey, "there is no key to \(hash.words) with",
        hint:
          "name a file with it by --hash-key-file, or put it into the variable DYNARC_HASH_KEY; "
          + "make one by: openssl rand -hex 32")
    }
    guard hashKey.count >= ItemTransforms.shortestHashKey else {
      throw TransformError(
        .noHashKey,
        "the hash key has \(hashKey.count) bytes, and needs \(ItemTransforms.shortestHashKey) at least",
        hint: "make one by: openssl rand -hex 32")
    }
    self.hashKey = hashKey
  }

  /// 16 hexadecimal digits that tell one hash key from another and do not tell the key: the start of
  /// HMAC-SHA-256(hash key, "dynarc hash key"). Nil without a rule that hashes.
  public var hashKeyCheck: String? {
    hashKey.map {
      Hex.encode(Array(HMACSHA256.code(key: $0, message: Array("dynarc hash key".utf8)).prefix(8)))
    }
  }

  /// `set address.street, remove phone, hash email`, for messages.
  public var words: String { ItemTransforms.words(rules) }

  /// The same of rules alone.
  public static func words(_ rules: [Rule]) -> String {
    rules.map(\.words).joined(separator: ", ")
  }
}

extension ItemTransforms.Rule.Operation {
  /// What a manifest calls it.
  var word: String {
    switch self {
    case .set: "set"
    case .remove: "remove"
    case .hash: "hash"
    }
  }
}
