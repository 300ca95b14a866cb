import Archive
import JSON

/// Changes as people read them:
///
///     ~ customer "a", number 1
///         address.zip: "10115" → "10117"
///         tags: -"web" +"app"
///       + note: "text"
///     + customer "b", number 2: {"total":5}
///
/// Values are plain, with their types only where these differ; long ones are cut, and their length told.
struct DiffListing {
  /// Characters of a value that are shown.
  private static let valueLength = 72

  private let colour: Bool

  init(colour: Bool) { self.colour = colour }

  fileprivate enum Tone: String {
    case added = "32", removed = "31", changed = "33"
  }

  func append(
    _ change: Change, of bytes: [UInt8], _ attributes: [AttributeChange], keysOnly: Bool,
    to output: inout [UInt8]
  ) throws {
    var line = "\(change.kind.sign) \(try DiffListing.key(bytes[change.key]))"
    if !keysOnly, change.kind != .changed, let item = change.new ?? change.old {
      line += ": \(DiffListing.cut(try DiffListing.plain(item: bytes[item])))"
    }
    add(line, change.kind.tone, to: &output)
    guard let old = change.old, let new = change.new else { return }
    for attribute in attributes {
      add(try text(attribute, old: bytes[old], new: bytes[new]), attribute.kind.tone, to: &output)
    }
  }

  private func add(_ line: String, _ tone: Tone, to output: inout [UInt8]) {
    let line = Terminal.printable(line).replacing("\n", with: "\\n")
    output += (colour ? "\u{1B}[\(tone.rawValue)m\(line)\u{1B}[0m\n" : "\(line)\n").utf8
  }

  private func text(
    _ change: AttributeChange, old: ArraySlice<UInt8>, new: ArraySlice<UInt8>
  ) throws -> String {
    let name = change.path.description
    if change.isSet {
      let removed = change.removedMembers.map { "-\(DiffListing.cut(old[shifted: $0]))" }
      let added = change.addedMembers.map { "+\(DiffListing.cut(new[shifted: $0]))" }
      return "    \(name): \((removed + added).joined(separator: " "))"
    }
    let before = try change.old.map { try DiffListing.Value(old[shifted: $0]) }
    let now = try change.new.map { try DiffListing.Value(new[shifted: $0]) }
    switch (before, now) {
    case (let before?, let now?):
      let isTyped = before.type != now.type
      return "    \(name): \(before.text(typed: isTyped)) → \(now.text(typed: isTyped))"
    case (let before?, nil): return "  - \(name): \(before.text(typed: false))"
    case (nil, let now?): return "  + \(name): \(now.text(typed: false))"
    case (nil, nil): return name
    }
  }

  /// A typed value, plain.
  private struct Value {
    var type: String
    private var plain: String

    init(_ bytes: ArraySlice<UInt8>) throws {
      let value = try JSONValue.parse(Array(bytes).span)
      type = value.object?.members.first?.name ?? ""
      var text: [UInt8] = []
      try PlainJSON.append(value: Array(bytes).span, to: &text)
      plain = String(decoding: text, as: UTF8.self)
    }

    func text(typed: Bool) -> String { (typed ? "\(type) " : "") + DiffListing.cut(plain) }
  }

  /// A key object in words: `customer "a", number 1`.
  static func key(_ object: ArraySlice<UInt8>) throws -> String {
    let plain = try JSONValue.parse(Array(try DiffListing.plain(item: object).utf8).span)
    return (plain.object?.members ?? []).map { member in
      "\(AttributePath([.name(Array(member.name.utf8))])) "
        + cut(String(decoding: member.value.serialized(), as: UTF8.self))
    }.joined(separator: ", ")
  }

  private static func plain(item: ArraySlice<UInt8>) throws -> String {
    let bytes = Array(item)
    var plain: [UInt8] = []
    try PlainJSON.append(bytes.span, 0..<bytes.count, to: &plain)
    return String(decoding: plain, as: UTF8.self)
  }

  private static func cut(_ bytes: ArraySlice<UInt8>) -> String {
    cut(String(decoding: bytes, as: UTF8.self))
  }

  /// The beginning of a long text, and how long it is.
  private static func cut(_ text: String) -> String {
    guard text.utf8.count > valueLength, text.count > valueLength else { return text }
    return "\(text.prefix(valueLength))… (\(Format.count(text.utf8.count)) bytes)"
  }
}

extension Change.Kind {
  fileprivate var sign: String {
    switch self {
    case .added: "+"
    case .removed: "-"
    case .changed: "~"
    }
  }

  fileprivate var tone: DiffListing.Tone {
    switch self {
    case .added: .added
    case .removed: .removed
    case .changed: .changed
    }
  }
}
