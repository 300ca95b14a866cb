/// The format of AWS's `config` and `credentials` files: sections of properties, where a property
/// without a value may have indented properties of its own.
///
/// The rules are those of the AWS SDKs and Tools Reference Guide, "Shared config and credentials
/// files", read as botocore and the other SDKs do: `#` or `;` begins a comment at the start of a line
/// and behind white space in a value; names of properties know no case; a section that occurs twice
/// is one, the later property wins.
struct ConfigFile: Equatable, Sendable {
  /// A property's value.
  enum Value: Equatable, Sendable {
    case text(String)
    /// Properties of a property, such as those of a service in a `services` section.
    case nested([String: String])
  }

  typealias Section = [String: Value]

  /// The sections by what stands in their brackets, white space reduced and quotation marks removed:
  /// `profile x` for `[profile "x"]`.
  private(set) var sections: [String: Section] = [:]

  /// Parses a file.
  ///
  /// - Throws: `ConfigurationError` with the code `malformed` and the line.
  init(_ bytes: [UInt8], path: String) throws(ConfigurationError) {
    guard var text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigurationError(.malformed, "the file is not UTF-8 text", file: path)
    }
    if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
    var section: String?
    var property: String?
    // Not by Character: "\r\n" is one of those.
    let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, bytes) in lines.enumerated() {
      let line = Substring(bytes)
      let trimmed = line.trimmed
      guard let first = trimmed.unicodeScalars.first, first != "#", first != ";" else { continue }
      func refuse(_ reason: String) -> ConfigurationError {
        ConfigurationError(.malformed, reason, file: path, line: index + 1)
      }
      let indented = line.utf8.first.map(ConfigFile.isSpace) ?? false
      if indented, let section, let property {
        try continueProperty(property, of: section, with: trimmed, refuse)
      } else if first == "[" {
        guard let name = ConfigFile.sectionName(trimmed) else {
          throw refuse("a section looks like [profile name]")
        }
        sections[name, default: [:]].merge([:]) { old, _ in old }
        (section, property) = (name, nil)
      } else {
        guard let section else { throw refuse("a property stands before any section") }
        guard let (name, value) = ConfigFile.property(trimmed) else {
          throw refuse("a property looks like name = value")
        }
        sections[section, default: [:]][name] = .text(value)
        property = name
      }
    }
  }

  private mutating func continueProperty(
    _ property: String, of section: String, with line: Substring,
    _ refuse: (String) -> ConfigurationError
  ) throws(ConfigurationError) {
    var nested: [String: String] = [:]
    switch sections[section]?[property] {
    case .text(let text) where !text.isEmpty:
      sections[section]?[property] = .text(text + "\n" + line)
      return
    case .nested(let earlier): nested = earlier
    default: break
    }
    guard let (name, value) = ConfigFile.property(line) else {
      throw refuse("an indented property looks like name = value")
    }
    nested[name] = value
    sections[section]?[property] = .nested(nested)
  }

  /// What stands in the brackets of a section's line; only a comment may follow it.
  private static func sectionName(_ line: Substring) -> String? {
    guard let end = line.firstIndex(of: "]") else { return nil }
    let behind = line[line.index(after: end)...].trimmed
    guard behind.isEmpty || behind.first == "#" || behind.first == ";" else { return nil }
    let inner = line[line.index(after: line.startIndex)..<end].trimmed
    let kind = inner.prefix { !$0.isWhitespace }
    var name = inner[kind.endIndex...].trimmed
    if name.count >= 2, let quote = name.first, quote == "\"" || quote == "'", name.last == quote {
      name = name.dropFirst().dropLast()
    }
    guard !kind.isEmpty else { return nil }
    return name.isEmpty ? String(kind) : "\(kind) \(name)"
  }

  private static func property(_ line: Substring) -> (name: String, value: String)? {
    guard let equals = line.firstIndex(of: "=") else { return nil }
    let name = line[..<equals].trimmed
    guard !name.isEmpty else { return nil }
    let value = line[line.index(after: equals)...]
    return (name.lowercased(), String(withoutComment(value).trimmed))
  }

  private static func withoutComment(_ value: Substring) -> Substring {
    var afterSpace = false
    for index in value.utf8.indices {
      let byte = value.utf8[index]
      if afterSpace, byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") {
        return value[..<index]
      }
      afterSpace = isSpace(byte)
    }
    return value
  }

  static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
}

extension Substring {
  /// Without ASCII white space at both ends, a carriage return included.
  fileprivate var trimmed: Substring {
    var text = self.utf8
    while let first = text.first, ConfigFile.isSpace(first) { text.removeFirst() }
    while let last = text.last, ConfigFile.isSpace(last) { text.removeLast() }
    return Substring(text)
  }
}
