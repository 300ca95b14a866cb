internal import JSON

/// The type of a value in DynamoDB's JSON.
enum ItemType: Equatable {
  case string, number, binary, stringSet, numberSet, binarySet, bool, null, map, list
  /// One that nobody knows yet.
  case unknown(String)

  /// - Parameter name: what stands between the quotation marks.
  init(_ bytes: Span<UInt8>, _ name: Range<Int>) throws(JSONError) {
    var text: [UInt8] = []
    try JSONText.unescape(bytes, name, into: &text)
    let word = String(decoding: text, as: UTF8.self)
    self =
      switch word {
      case "S": .string
      case "N": .number
      case "B": .binary
      case "SS": .stringSet
      case "NS": .numberSet
      case "BS": .binarySet
      case "BOOL": .bool
      case "NULL": .null
      case "M": .map
      case "L": .list
      default: .unknown(word)
      }
  }

  /// What a scalar, or a set's member, is hashed as; nil for what is not hashed.
  var hashed: KeyType? {
    switch self {
    case .string, .stringSet: .string
    case .number, .numberSet: .number
    case .binary, .binarySet: .binary
    default: nil
    }
  }

  var isSet: Bool { [.stringSet, .numberSet, .binarySet].contains(self) }

  /// `a text (S)`
  var words: String {
    switch self {
    case .string: "a string (S)"
    case .number: "a number (N)"
    case .binary: "a binary (B)"
    case .stringSet: "a set of strings (SS)"
    case .numberSet: "a set of numbers (NS)"
    case .binarySet: "a set of binaries (BS)"
    case .bool: "true or false (BOOL)"
    case .null: "nothing (NULL)"
    case .map: "a map (M)"
    case .list: "a list (L)"
    case .unknown(let name): "of the unknown type \(name)"
    }
  }
}
