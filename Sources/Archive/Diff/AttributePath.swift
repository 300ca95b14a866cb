internal import JSON

/// The place of a value in an item: `address.lines[2]`.
///
/// Names stand as they are where they have nothing that could be taken for something else, and
/// otherwise as JSON strings: `"a.b".c`. An index counts the elements of a list from 0.
public struct AttributePath: Sendable, Hashable {
  /// One step down.
  public enum Step: Sendable, Hashable {
    /// An attribute of the item, or a member of a map: its UTF-8, since names are compared by bytes.
    case name([UInt8])
    /// An element of a list.
    case index(Int)
  }

  public var steps: [Step]

  public init(_ steps: [Step] = []) { self.steps = steps }

  /// Reads what `description` writes; nil for anything else.
  public init?(_ text: String) {
    guard let paths = AttributePath.list(text), paths.count == 1 else { return nil }
    self = paths[0]
  }

  /// Reads paths with commas between them; nil where one is malformed.
  public static func list(_ text: String) -> [AttributePath]? {
    let bytes = Array(text.utf8)
    var paths: [AttributePath] = []
    var at = 0
    while true {
      guard let path = path(bytes, &at) else { return nil }
      paths.append(path)
      if at == bytes.count { return paths }
      guard bytes[at] == UInt8(ascii: ",") else { return nil }
      at += 1
    }
  }

  private static func path(_ bytes: [UInt8], _ at: inout Int) -> AttributePath? {
    guard let first = name(bytes, &at) else { return nil }
    var steps = [Step.name(first)]
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "."):
        at += 1
        guard let next = name(bytes, &at) else { return nil }
        steps.append(.name(next))
      case UInt8(ascii: "["):
        let digits = bytes[(at + 1)...].prefix { $0 &- UInt8(ascii: "0") < 10 }
        guard let index = Int(String(decoding: digits, as: UTF8.self)),
          digits.endIndex < bytes.count, bytes[digits.endIndex] == UInt8(ascii: "]")
        else { return nil }
        steps.append(.index(index))
        at = digits.endIndex + 1
      default: return AttributePath(steps)
      }
    }
    return AttributePath(steps)
  }

  private static func name(_ bytes: [UInt8], _ at: inout Int) -> [UInt8]? {
    guard at < bytes.count else { return nil }
    if bytes[at] == UInt8(ascii: "\"") {
      guard let end = try? JSONScanner().skipString(bytes.span, at: at) else { return nil }
      var name: [UInt8] = []
      guard (try? JSONText.unescape(bytes.span, at + 1..<end - 1, into: &name)) != nil else {
        return nil
      }
      at = end
      return name
    }
    let name = Array(bytes[at...].prefix(while: isPlain))
    at += name.count
    return name.isEmpty ? nil : name
  }

  /// Whether a byte can stand in a name without quotation marks.
  private static func isPlain(_ byte: UInt8) -> Bool {
    byte > 0x20 && byte != 0x7F && !".[],\"\\".utf8.contains(byte)
  }

  /// Whether another path is this one or leads to something inside of it.
  public func contains(_ other: AttributePath) -> Bool { other.steps.starts(with: steps) }
}

extension AttributePath: CustomStringConvertible {
  public var description: String {
    var text: [UInt8] = []
    for (position, step) in steps.enumerated() {
      switch step {
      case .name(let name):
        if position > 0 { text.append(UInt8(ascii: ".")) }
        if !name.isEmpty, name.allSatisfy(AttributePath.isPlain) {
          text += name
        } else {
          JSONText.quote(name, into: &text)
        }
      case .index(let index): text += "[\(index)]".utf8
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
