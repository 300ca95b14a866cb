import JSON

/// A text in Terraform's language, as `terraform fmt` lays it out (HCL native syntax specification; Terraform,
/// "Style conventions").
struct HCL {
  indirect enum Value {
    case string(String)
    /// A number as it is spelled.
    case number(String)
    case bool(Bool)
    case list([Value])
    /// Names and values, in order.
    case map([(String, Value)])
    /// A template: texts as themselves, and expressions that are put in.
    case template([Piece])
    /// An expression as it is.
    case expression(String)
    /// A call of a function with one argument.
    case call(String, Value)
  }

  enum Piece {
    case text(String)
    case expression(String)
  }

  private enum Element {
    case attribute(String, Value)
    case block(String, [String], HCL)
  }

  private var elements: [Element] = []

  /// Adds an argument, unless its value is nil.
  mutating func set(_ name: String, _ value: Value?) {
    if let value { elements.append(.attribute(name, value)) }
  }

  /// Adds a block.
  ///
  /// - Parameter labels: what stands in quotation marks behind the type.
  mutating func block(_ type: String, _ labels: [String] = [], _ fill: (inout HCL) -> Void) {
    var inner = HCL()
    fill(&inner)
    elements.append(.block(type, labels, inner))
  }

  var isEmpty: Bool { elements.isEmpty }

  /// The text, with a line feed at its end.
  var text: String { lines(indent: 0).joined(separator: "\n") + "\n" }

  private func lines(indent: Int) -> [String] {
    let margin = String(repeating: " ", count: indent)
    var lines: [String] = []
    var arguments: [(String, Value)] = []
    func end() {
      lines += HCL.assignments(arguments, indent: indent)
      arguments = []
    }
    for element in elements {
      switch element {
      case .attribute(let name, let value): arguments.append((name, value))
      case .block(let type, let labels, let inner):
        end()
        if !lines.isEmpty { lines.append("") }
        let head = margin + ([type] + labels.map(HCL.quoted)).joined(separator: " ")
        guard !inner.isEmpty else {
          lines.append("\(head) {}")
          continue
        }
        lines.append("\(head) {")
        lines += inner.lines(indent: indent + 2)
        lines.append("\(margin)}")
      }
    }
    if !arguments.isEmpty, !lines.isEmpty { lines.append("") }
    end()
    return lines
  }

  /// A line for each name and value. Where some follow each other that take one line each, their signs stand below
  /// each other.
  private static func assignments(_ pairs: [(String, Value)], indent: Int) -> [String] {
    let margin = String(repeating: " ", count: indent)
    let rows = pairs.map { ($0.0, text($0.1, indent: indent)) }
    var lines: [String] = []
    var run: [(name: String, value: String)] = []
    func end() {
      let width = run.map(\.name.count).max() ?? 0
      for (name, value) in run {
        lines.append(
          "\(margin)\(name)\(String(repeating: " ", count: width - name.count)) = \(value)")
      }
      run = []
    }
    for (name, value) in rows {
      if value.utf8.contains(0x0A) {
        end()
        lines.append("\(margin)\(name) = \(value)")
      } else {
        run.append((name, value))
      }
    }
    end()
    return lines
  }

  // MARK: Values

  private static func text(_ value: Value, indent: Int) -> String {
    switch value {
    case .string(let text): return quoted(text)
    case .number(let digits): return digits
    case .bool(let value): return value ? "true" : "false"
    case .expression(let text): return text
    case .call(let name, let argument): return "\(name)(\(text(argument, indent: indent)))"
    case .template(let pieces):
      let inner = pieces.map { piece in
        switch piece {
        case .text(let text): escaped(text)
        case .expression(let text): "${\(text)}"
        }
      }
      return "\"\(inner.joined())\""
    case .list(let values):
      guard values.contains(where: isCompound) else {
        return "[\(values.map { text($0, indent: indent) }.joined(separator: ", "))]"
      }
      let margin = String(repeating: " ", count: indent + 2)
      let lines = values.map { "\(margin)\(text($0, indent: indent + 2))," }
      return "[\n\(lines.joined(separator: "\n"))\n\(margin.dropLast(2))]"
    case .map(let members):
      guard !members.isEmpty else { return "{}" }
      let lines = assignments(members.map { (quoted($0.0), $0.1) }, indent: indent + 2)
      return "{\n\(lines.joined(separator: "\n"))\n\(String(repeating: " ", count: indent))}"
    }
  }

  private static func isCompound(_ value: Value) -> Bool {
    switch value {
    case .map, .list: true
    default: false
    }
  }

  private static func quoted(_ text: String) -> String { "\"\(escaped(text))\"" }

  /// A text between quotation marks: what begins a template's sequence is doubled, and control characters are written
  /// as escapes (HCL native syntax specification, "Template Expressions").
  private static func escaped(_ text: String) -> String {
    var output = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": output += "\\\\"
      case "\"": output += "\\\""
      case "\n": output += "\\n"
      case "\r": output += "\\r"
      case "\t": output += "\\t"
      case _ where scalar.properties.generalCategory == .control:
        let hex = String(scalar.value, radix: 16)
        output += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: output.unicodeScalars.append(scalar)
      }
    }
    return output.replacingBytes(of: "${", with: "$${").replacingBytes(of: "%{", with: "%%{")
  }
}

extension HCL.Value {
  /// A text, number or truth value.
  init?(_ json: JSONValue) {
    switch json {
    case .string(let text): self = .string(text)
    case .number(let digits): self = .number(digits)
    case .bool(let value): self = .bool(value)
    default: return nil
    }
  }
}
