import Archive
import JSON
import Testing

@testable import Dynamo

/// A value as a tree, from which both its JSON and its size are made: the size by the rules of the
/// Developer Guide, and without a look at the JSON.
private indirect enum Value {
  /// Text, and how it is to be escaped.
  case string(String, escaped: Bool)
  /// Significant digits, zeros around them, and the sign.
  case number(digits: String, zeros: Int, negative: Bool, fraction: Bool)
  case binary(Int)
  case bool, null
  case strings([String]), numbers([String]), binaries([Int])
  case list([Value])
  case map([(String, Value)])

  var size: Int {
    switch self {
    case .string(let text, _): text.utf8.count
    case .number(let digits, _, _, _): (digits.count + 1) / 2 + 1
    case .binary(let count): count
    case .bool, .null: 1
    case .strings(let members): members.reduce(0) { $0 + $1.utf8.count }
    case .numbers(let members): members.reduce(0) { $0 + ($1.count + 1) / 2 + 1 }
    case .binaries(let members): members.reduce(0, +)
    case .list(let elements): elements.reduce(3) { $0 + 1 + $1.size }
    case .map(let members): members.reduce(3) { $0 + 1 + $1.0.utf8.count + $1.1.size }
    }
  }

  var json: String {
    switch self {
    case .string(let text, let escaped): #"{"S":\#(quoted(text, escaped))}"#
    case .number(let digits, let zeros, let negative, let fraction):
      #"{"N":"\#(negative ? "-" : "")\#(spelled(digits, zeros, fraction))"}"#
    case .binary(let count): #"{"B":"\#(base64(count))"}"#
    case .bool: #"{"BOOL":true}"#
    case .null: #"{"NULL":true}"#
    case .strings(let members):
      #"{"SS":[\#(members.map { quoted($0, false) }.joined(separator: ","))]}"#
    case .numbers(let members): #"{"NS":[\#(members.map { "\"\($0)\"" }.joined(separator: ","))]}"#
    case .binaries(let members):
      #"{"BS":[\#(members.map { "\"\(base64($0))\"" }.joined(separator: ", "))]}"#
    case .list(let elements): #"{"L":[\#(elements.map(\.json).joined(separator: ","))]}"#
    case .map(let members): #"{"M":\#(object(members))}"#
    }
  }
}

private func object(_ members: [(String, Value)]) -> String {
  "{" + members.map { "\(quoted($0.0, false)):\($0.1.json)" }.joined(separator: ",") + "}"
}

private func quoted(_ text: String, _ escaped: Bool) -> String {
  guard escaped else {
    var output: [UInt8] = []
    JSONText.quote(text.utf8, into: &output)
    return String(decoding: output, as: UTF8.self)
  }
  return "\""
    + text.utf16.map { unit in
      let hex = String(unit, radix: 16)
      return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
    }.joined() + "\""
}

/// Zeros at the end of an integer, or in front and at the end of a fraction.
private func spelled(_ digits: String, _ zeros: Int, _ fraction: Bool) -> String {
  let padding = String(repeating: "0", count: zeros)
  return fraction ? "0.\(padding)\(digits)\(padding)" : "\(digits)\(padding)"
}

private func base64(_ count: Int) -> String {
  String(repeating: "AAAA", count: count / 3) + ["", "AA==", "AAA="][count % 3]
}

/// SplitMix64.
private struct Dice: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }

  mutating func text() -> String {
    let alphabet = Array("abc \"\\/\n\t\u{1}é日🦆\u{0}")
    return String(
      (0..<Int.random(in: 0...12, using: &self)).map { _ in
        alphabet.randomElement(using: &self) ?? "x"
      })
  }

  mutating func digits() -> String {
    let count = Int.random(in: 1...38, using: &self)
    // Neither end is a zero, which would not be significant.
    return String(
      (0..<count).map {
        Character(String(Int.random(in: $0 == 0 || $0 == count - 1 ? 1...9 : 0...9, using: &self)))
      })
  }

  mutating func value(depth: Int) -> Value {
    let count = Int.random(in: 0...4, using: &self)
    switch Int.random(in: 0...(depth < 4 ? 9 : 7), using: &self) {
    case 0: return .string(text(), escaped: .random(using: &self))
    case 1:
      return .number(
        digits: digits(), zeros: .random(in: 0...20, using: &self), negative: .random(using: &self),
        fraction: .random(using: &self))
    case 2: return .binary(.random(in: 0...50, using: &self))
    case 3: return .bool
    case 4: return .null
    case 5: return .strings((0...count).map { _ in text() })
    case 6: return .numbers((0...count).map { _ in digits() })
    case 7: return .binaries((0...count).map { _ in Int.random(in: 0...9, using: &self) })
    case 8: return .list((0..<count).map { _ in value(depth: depth + 1) })
    default: return .map((0..<count).map { ("\($0)\(text())", value(depth: depth + 1)) })
    }
  }
}

@Suite struct StoredSizeTests {
  /// 500 items of all ten types, against the rules applied to what they were made from.
  @Test func generatedItems() {
    var dice = Dice(state: 8)
    for _ in 0..<500 {
      let members = (0..<Int.random(in: 0...8, using: &dice)).map {
        ("\($0)\(dice.text())", dice.value(depth: 0))
      }
      let json = Array(object(members).utf8)
      #expect(
        StoredSize.bytes(json.span) == members.reduce(0) { $0 + $1.0.utf8.count + $1.1.size },
        "\(String(decoding: json, as: UTF8.self))")
    }
  }

  @Test(arguments: [
    ("{}", 0),
    (#"{"name":{"S":"text"}}"#, 8),
    (#"{"ä":{"S":"\u00e4\ud83e\udd86\n"}}"#, 2 + 2 + 4 + 1),
    (#"{"n":{"N":"12345"}}"#, 1 + 4),
    (#"{"n":{"N":"-0.0012000"}}"#, 1 + 2),
    (#"{"b":{"B":"AAECAw=="}}"#, 1 + 4),
    (#"{"t":{"BOOL":true},"f":{"NULL":true}}"#, 2 + 2),
    (#"{"s":{"SS":["ab","c"]},"n":{"NS":["1","22"]},"b":{"BS":["AA==","AAE="]}}"#, 3 + 3 + 4 + 3),
    (#"{"l":{"L":[{"S":"x"},{"BOOL":false}]}}"#, 1 + 3 + 2 + 1 + 1),
    (#"{"m":{"M":{"k":{"S":"v"},"e":{"L":[]}}}}"#, 1 + 3 + 2 + (1 + 1) + (1 + 3)),
    (#"{"x":{"NEW":["abc"]}}"#, 1 + 7),
    (#"{"a":{"S":"é"}}"#, 3),
    (#"{"\u0061":{"S":"\u00e9\n"}}"#, 4),
    (#"{"n":{"N":"0"}}"#, 2),
    (#"{"n":{"N":"-0.00"}}"#, 2),
    (#"{"n":{"N":"1"}}"#, 3),
    (#"{"n":{"N":"12"}}"#, 3),
    (#"{"n":{"N":"1.200e5"}}"#, 3),
    (#"{"n":{"N":"123"}}"#, 4),
    (#"{"n":{"N":"12345678901234567890123456789012345678"}}"#, 21),
    (#"{"l":{"L":[]}}"#, 4),
    (#"{"m":{"M":{}}}"#, 4),
    (#"{"l":{"L":[{"BOOL":false}]}}"#, 6),
    (#"{"m":{"M":{"x":{"NULL":true}}}}"#, 7),
    (#"{"b":{"B":"AA=="}}"#, 2),
    (#"{"s":{"SS":["",""]}}"#, 1),
    (#"{"new":{"Z":[1,2]}}"#, 8),
  ])
  func knownSizes(item: String, size: Int) {
    #expect(StoredSize.bytes(Array(item.utf8).span) == size)
  }
}

@Suite struct WriteCostTests {
  private func key(_ hash: String, _ range: String? = nil) -> KeySchema {
    KeySchema(
      [KeyAttribute(name: hash, type: .string, role: .hash)]
        + (range.map { [KeyAttribute(name: $0, type: .string, role: .range)] } ?? []))
  }

  private func index(
    _ name: String, _ key: KeySchema, _ projection: Projection, _ kind: IndexSchema.Kind = .global
  ) -> IndexSchema {
    IndexSchema(name: name, kind: kind, key: key, projection: projection)
  }

  private var schema: TableSchema {
    TableSchema(
      name: "T", key: key("p", "s"),
      indexes: [
        index("local", key("p", "l"), Projection(type: "KEYS_ONLY"), .local),
        index("all", key("g"), Projection(type: "ALL")),
        index("keys", key("g", "l"), Projection(type: "KEYS_ONLY")),
        index("some", key("g"), Projection(type: "INCLUDE", nonKeyAttributes: ["x", "nothing"])),
      ])
  }

  private func cost(_ items: [String]) -> WriteCost {
    var cost = WriteCost(schema)
    for item in items { cost.add(Array(item.utf8).span, 0..<item.utf8.count) }
    return cost
  }

  /// Bytes of each part.
  @Test(arguments: [
    // p and s take 2 each.
    (#"{"p":{"S":"1"},"s":{"S":"1"},"x":{"S":"12345"}}"#, [10, 0, 0, 0, 0]),
    (#"{"p":{"S":"1"},"s":{"S":"1"},"x":{"S":"12345"},"g":{"S":"1"}}"#, [12, 0, 12, 0, 12]),
    (#"{"p":{"S":"1"},"s":{"S":"1"},"l":{"S":"1"},"y":{"S":"1"}}"#, [8, 6, 0, 0, 0]),
    (#"{"p":{"S":"1"},"s":{"S":"1"},"l":{"S":"1"},"g":{"S":""},"y":{"S":"1"}}"#, [9, 6, 9, 7, 5]),
  ])
  func anItemIsInTheIndexesWhoseKeysItHas(item: String, bytes: [Int]) {
    let parts = cost([item]).parts
    #expect(parts.map(\.bytes) == bytes)
    #expect(parts.map(\.items) == bytes.map { $0 == 0 ? 0 : 1 })
    #expect(parts.map(\.writeUnits) == bytes.map { $0 == 0 ? 0 : 1 })
    #expect(parts.map(\.billedBytes) == bytes.map { $0 == 0 ? 0 : $0 + 100 })
    #expect(parts.map(\.index) == [nil, "local", "all", "keys", "some"])
  }

  /// Each item by itself, in whole KB.
  @Test(arguments: [(1, 1), (1024, 1), (1025, 2), (2048, 2), (2049, 3)])
  func unitsAreWholeKilobytes(bytes: Int, units: Int) {
    let item = #"{"p":{"S":"\#(String(repeating: "x", count: bytes - 1))"}}"#
    let cost = cost([item, item])
    #expect(cost.parts[0].bytes == 2 * bytes)
    #expect(cost.writeUnits == 2 * units)
    var sum = cost
    sum.add(cost)
    #expect(sum.writeUnits == 4 * units)
  }
}
