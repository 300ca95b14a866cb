import Testing

/// A text and what it is called.
struct ParsingCase: Sendable, CustomTestStringConvertible {
  let name: String
  let bytes: [UInt8]

  /// Takes a text in which `‹E5 00›` stands for raw bytes in hexadecimal.
  init(_ name: String, _ text: String) {
    self.name = name
    var bytes: [UInt8] = []
    for (index, part) in text.split(separator: "‹", omittingEmptySubsequences: false).enumerated() {
      guard index > 0 else {
        bytes += part.utf8
        continue
      }
      let halves = part.split(separator: "›", omittingEmptySubsequences: false)
      bytes += halves[0].split(separator: " ").compactMap { UInt8($0, radix: 16) }
      bytes += halves[1].utf8
    }
    self.bytes = bytes
  }

  var testDescription: String { name }
}

/// `levels` of opening and closing text around something.
func nested(_ open: String, _ levels: Int, _ close: String, inside: String = "") -> String {
  String(repeating: open, count: levels) + inside + String(repeating: close, count: levels)
}
