/// The texts of named elements of a small XML answer, such as those of STS. Tolerant: structure,
/// attributes and namespaces are not looked at.
struct XMLText: Sendable {
  private let text: String

  init(_ bytes: [UInt8]) { text = String(decoding: bytes, as: UTF8.self) }

  /// The text of the first element of a name, entities resolved; nil where there is none with text
  /// alone.
  subscript(name: String) -> String? {
    var rest = text[...]
    while let open = rest.firstRange(of: "<\(name)") {
      rest = rest[open.upperBound...]
      // The name may only be the beginning of a longer one.
      guard let next = rest.first, next == ">" || next.isWhitespace,
        let end = rest.firstIndex(of: ">")
      else { continue }
      let content = rest[rest.index(after: end)...].prefix { $0 != "<" }
      guard text[content.endIndex...].hasPrefix("</\(name)") else { continue }
      return XMLText.resolved(content)
    }
    return nil
  }

  private static let entities: [Substring: String] = [
    "lt": "<", "gt": ">", "amp": "&", "quot": "\"", "apos": "'",
  ]

  /// What is no known entity stays as it is.
  private static func resolved(_ content: Substring) -> String {
    var result = ""
    var rest = content
    while let start = rest.firstIndex(of: "&") {
      result += rest[..<start]
      rest = rest[start...]
      guard let end = rest.firstIndex(of: ";"),
        let character = character(rest[rest.index(after: start)..<end])
      else {
        result.append(rest.removeFirst())
        continue
      }
      result += character
      rest = rest[rest.index(after: end)...]
    }
    return result + rest
  }

  private static func character(_ name: Substring) -> String? {
    if let known = entities[name] { return known }
    guard name.first == "#" else { return nil }
    let digits = name.dropFirst()
    let number =
      digits.first == "x" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits, radix: 10)
    return number.flatMap(Unicode.Scalar.init).map { String(Character($0)) }
  }
}

/// Parameters as a form's body (URL Living Standard, application/x-www-form-urlencoded; a space is
/// `%20`, which every server takes).
enum FormBody {
  static func encode(_ parameters: [(String, String)]) -> String {
    parameters.map { "\(encode($0.0))=\(encode($0.1))" }.joined(separator: "&")
  }

  /// A text with all but letters, digits, `-`, `.`, `_` and `~` percent-encoded.
  static func encode(_ text: String) -> String {
    var result = ""
    for byte in text.utf8 {
      if ASCII.isAlphanumeric(byte) || "-._~".utf8.contains(byte) {
        result.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        let digits = String(byte, radix: 16, uppercase: true)
        result += digits.count == 1 ? "%0\(digits)" : "%\(digits)"
      }
    }
    return result
  }
}
