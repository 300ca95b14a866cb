/// Text by its bytes: Swift's strings take composed and decomposed letters for the same.
struct ModelText: Hashable, Comparable {
  var utf8: [UInt8]

  init(_ text: String) { utf8 = Array(text.utf8) }

  var string: String { String(decoding: utf8, as: UTF8.self) }

  static func < (one: ModelText, other: ModelText) -> Bool {
    one.utf8.lexicographicallyPrecedes(other.utf8)
  }
}

/// A number as digits without zeros at either end and a power of ten; zero has no digits.
struct ModelNumber: Hashable {
  var isNegative = false
  var digits = ""
  var exponent = 0
}

/// What a typed value means, whatever it is spelled like. Two values are the same if they are equal;
/// nothing of dynarc is asked.
indirect enum ModelValue: Hashable {
  case string(ModelText)
  case binary(String)
  case number(ModelNumber)
  case bool(Bool)
  case null
  case map([ModelText: ModelValue])
  case list([ModelValue])
  case strings(Set<ModelText>)
  case numbers(Set<ModelNumber>)
  case binaries(Set<String>)
  /// A type that nobody knows: its name and members, whose numbers are JSON.
  case unknown(String, [ModelText: String])
}

/// An item: its key, `customer` and `number`, and all its attributes.
struct ModelItem: Hashable {
  struct Key: Hashable {
    var customer: ModelText
    var number: ModelNumber
  }

  var attributes: [ModelText: ModelValue]

  var key: Key? {
    guard case .string(let customer) = attributes[ModelText("customer")],
      case .number(let number) = attributes[ModelText("number")]
    else { return nil }
    return Key(customer: customer, number: number)
  }
}

extension ModelItem.Key: Comparable {
  /// Some order that is the same at each run.
  static func < (one: Self, other: Self) -> Bool {
    (one.customer, "\(one.number)") < (other.customer, "\(other.number)")
  }
}

/// Makes values up, and spells them in one of the many ways.
struct ModelMaker {
  var random: Seeded

  init(_ seed: Int) { random = Seeded(seed) }

  mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
  mutating func pick<T>(_ choices: [T]) -> T { choices[below(choices.count)] }

  // MARK: Making

  mutating func text() -> ModelText {
    ModelText(
      (0..<below(5)).map { _ in
        pick(["a", "b", "\"", "\\", "/", "\n", "\u{1}", "é", "e\u{301}", "😀", ".", "[", "Ω", " "])
      }.joined())
  }

  mutating func number() -> ModelNumber {
    if chance(10) { return ModelNumber() }
    var digits = String((0..<below(6)).map { _ in pick(Array("0123456789")) })
    digits = pick(["1", "2", "9"]) + digits
    while digits.hasSuffix("0") { digits.removeLast() }
    return ModelNumber(
      isNegative: chance(30), digits: digits,
      exponent: pick([0, 0, 0, 1, 2, -1, -2, -7, 100, -130]))
  }

  mutating func binary() -> String { pick(["", "AA==", "AAE=", "AAEC", "/+8=", "////"]) }

  mutating func value(_ depth: Int) -> ModelValue {
    switch below(depth > 0 ? 13 : 9) {
    case 0, 1: .string(text())
    case 2: .number(number())
    case 3: .binary(binary())
    case 4: .bool(chance(50))
    case 5: .null
    case 6: .strings(Set((0...below(4)).map { _ in text() }))
    case 7: .numbers(Set((0...below(4)).map { _ in number() }))
    case 8:
      chance(50)
        ? .binaries(Set((0...below(3)).map { _ in binary() }))
        : .unknown(
          pick(["X", "TS"]),
          members { maker in (maker.text(), maker.pick(["1", "1.0", "true", "[]"])) })
    case 9, 10: .list((0..<below(4)).map { _ in value(depth - 1) })
    default: .map(members { maker in (maker.text(), maker.value(depth - 1)) })
    }
  }

  private mutating func members<Value>(
    _ member: (inout ModelMaker) -> (ModelText, Value)
  ) -> [ModelText: Value] {
    var members: [ModelText: Value] = [:]
    for _ in 0..<below(4) {
      let (name, value) = member(&self)
      members[name] = value
    }
    return members
  }

  /// One of not so many keys.
  mutating func key() -> ModelItem.Key {
    ModelItem.Key(customer: ModelText(pick(["a", "b", "é", "e\u{301}", "\"\n"])), number: number())
  }

  mutating func item(_ key: ModelItem.Key) -> ModelItem {
    var attributes: [ModelText: ModelValue] = [:]
    for _ in 0..<below(6) { attributes[text()] = value(3) }
    attributes[ModelText("customer")] = .string(key.customer)
    attributes[ModelText("number")] = .number(key.number)
    return ModelItem(attributes: attributes)
  }

  /// Segments of chunks of items.
  mutating func layout(_ texts: [String]) -> [[[String]]] {
    var segments: [[[String]]] = Array(repeating: [], count: 1 + below(4))
    var rest = texts[...]
    while !rest.isEmpty {
      let count = 1 + below(8)
      segments[below(segments.count)].append(Array(rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    return segments
  }

  /// The item with something else about it, the key left alone.
  mutating func changed(_ item: ModelItem) -> ModelItem {
    var item = item
    let names = item.attributes.keys.filter { !["customer", "number"].contains($0.string) }.sorted()
    if let name = names.randomElement(using: &random), let value = item.attributes[name] {
      item.attributes[name] = chance(20) ? nil : changed(value)
    } else {
      item.attributes[text()] = value(2)
    }
    return item
  }

  private mutating func changed(_ value: ModelValue) -> ModelValue {
    switch value {
    case .map(var members):
      guard let name = members.keys.sorted().randomElement(using: &random),
        let inner = members[name]
      else { return .map([text(): self.value(1)]) }
      members[name] = chance(20) ? nil : changed(inner)
      return .map(members)
    case .list(var elements):
      guard !elements.isEmpty, chance(70) else { return .list(elements + [self.value(1)]) }
      let index = below(elements.count)
      if chance(30) {
        elements.remove(at: index)
      } else {
        elements[index] = changed(elements[index])
      }
      return .list(elements)
    case .strings(let members): return .strings(members.union([text()]))
    case .numbers(let members):
      return .numbers(members.symmetricDifference([number()]).union([number()]))
    default: return self.value(2)
    }
  }

  // MARK: Spelling

  mutating func space() -> String { chance(4) ? pick([" ", "\t", "  "]) : "" }

  mutating func spell(_ text: ModelText) -> String {
    var spelled = "\""
    for scalar in text.string.unicodeScalars {
      let escape =
        scalar.value > 0xFFFF
        ? String(scalar).utf16.map { "\\u\(hex($0))" }.joined() : "\\u\(hex(UInt16(scalar.value)))"
      switch scalar {
      case "\"", "\\": spelled += chance(70) ? "\\\(scalar)" : escape
      case "/": spelled += pick(["/", "\\/", escape])
      case "\n": spelled += pick(["\\n", escape])
      case _ where scalar.value < 0x20 || chance(15): spelled += escape
      default: spelled.unicodeScalars.append(scalar)
      }
    }
    return spelled + "\""
  }

  private mutating func hex(_ unit: UInt16) -> String {
    let digits = String(unit, radix: 16, uppercase: chance(50))
    return String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// Some spelling of a number, without quotation marks.
  mutating func spell(_ number: ModelNumber) -> String {
    guard !number.digits.isEmpty else { return pick(["0", "0.0", "-0", "0e5", "00"]) }
    let sign = number.isNegative ? "-" : pick(["", "", "", "+"])
    let zeros = below(3)
    let digits = number.digits + String(repeating: "0", count: zeros)
    let exponent = number.exponent - zeros
    if exponent >= 0, exponent < 5, chance(60) {
      return sign + digits + String(repeating: "0", count: exponent) + pick(["", ".0", "."])
    }
    if exponent < 0, -exponent < digits.count, chance(60) {
      return sign + digits.dropLast(-exponent) + "." + digits.suffix(-exponent)
    }
    if chance(50) {
      return sign + digits.prefix(1) + "." + digits.dropFirst()
        + "\(pick(["e", "E"]))\(exponent + digits.count - 1)"
    }
    return sign + pick(["", "0"]) + digits + "\(pick(["e", "E"]))\(exponent)"
  }

  mutating func spell(_ value: ModelValue) -> String {
    switch value {
    case .string(let text): typed("S", spell(text))
    case .binary(let text): typed("B", "\"\(text)\"")
    case .number(let number): typed("N", "\"\(spell(number))\"")
    case .bool(let bool): typed("BOOL", "\(bool)")
    case .null: typed("NULL", "true")
    case .map(let members): typed("M", object(members) { $0.spell($1) })
    case .list(let elements): typed("L", list(elements.map { spell($0) }))
    case .strings(let members): typed("SS", list(shuffled(members.map { spell($0) })))
    case .numbers(let members): typed("NS", list(shuffled(members.map { "\"\(spell($0))\"" })))
    case .binaries(let members): typed("BS", list(shuffled(members.map { "\"\($0)\"" })))
    case .unknown(let type, let members): typed(type, object(members) { _, value in value })
    }
  }

  mutating func spell(_ item: ModelItem) -> String { object(item.attributes) { $0.spell($1) } }

  private mutating func shuffled(_ members: [String]) -> [String] {
    members.shuffled(using: &random)
  }

  private mutating func typed(_ type: String, _ value: String) -> String {
    // format-spec.md has one spelling for the types of keys, which are S and N here.
    let name = !["S", "N"].contains(type) && chance(10) ? spell(ModelText(type)) : "\"\(type)\""
    return "{\(space())\(name)\(space()):\(value)\(space())}"
  }

  private mutating func list(_ elements: [String]) -> String {
    "[\(space())\(elements.joined(separator: ",\(space())"))]"
  }

  private mutating func object<Value>(
    _ members: [ModelText: Value], _ spellValue: (inout ModelMaker, Value) -> String
  ) -> String {
    var parts: [String] = []
    // First an order that does not depend on the process, then one that does on the seed.
    for (name, value) in members.sorted(by: { $0.key < $1.key }).shuffled(using: &random) {
      parts.append("\(spell(name))\(space()):\(space())\(spellValue(&self, value))")
    }
    return "{\(space())\(parts.joined(separator: ","))\(space())}"
  }
}
