/// Reads what `ModelMaker` spelled, with the slow parser and nothing of dynarc.
extension ModelText {
  fileprivate init(_ scalars: [UInt32]) {
    var text = ""
    for scalar in scalars { text.unicodeScalars.append(Unicode.Scalar(scalar) ?? "\u{FFFD}") }
    self.init(text)
  }
}

extension ModelNumber {
  fileprivate init(spelled text: String) {
    let parts = text.lowercased().split(separator: "e", omittingEmptySubsequences: false)
    var mantissa = parts[0]
    var exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
    if let sign = mantissa.first, "+-".contains(sign) {
      isNegative = sign == "-"
      mantissa.removeFirst()
    }
    let halves = mantissa.split(separator: ".", omittingEmptySubsequences: false)
    var digits = halves[0] + (halves.count > 1 ? halves[1] : "")
    if halves.count > 1 { exponent -= halves[1].count }
    while digits.hasPrefix("0") { digits.removeFirst() }
    while digits.hasSuffix("0") {
      digits.removeLast()
      exponent += 1
    }
    self.digits = String(digits)
    self.exponent = digits.isEmpty ? 0 : exponent
    if digits.isEmpty { isNegative = false }
  }
}

extension ModelValue {
  /// An item or the content of an `M`.
  init?(map json: SlowJSON.Value) {
    guard case .object(let members) = json else { return nil }
    var map: [ModelText: ModelValue] = [:]
    for member in members {
      guard let value = ModelValue(typed: member.value) else { return nil }
      map[ModelText(member.name)] = value
    }
    self = .map(map)
  }

  private init?(typed json: SlowJSON.Value) {
    guard case .object(let members) = json, members.count == 1 else { return nil }
    let content = members[0].value
    switch (ModelText(members[0].name).string, content) {
    case ("S", .string(let text)): self = .string(ModelText(text))
    case ("B", .string(let text)): self = .binary(ModelText(text).string)
    case ("N", .string(let text)): self = .number(ModelNumber(spelled: ModelText(text).string))
    case ("BOOL", .literal(let word)): self = .bool(word == "true")
    case ("NULL", _): self = .null
    case ("M", _):
      guard let map = ModelValue(map: content) else { return nil }
      self = map
    case ("L", .array(let elements)): self = .list(elements.compactMap(ModelValue.init(typed:)))
    case ("SS", .array(let elements)):
      self = .strings(Set(elements.compactMap(ModelValue.text)))
    case ("NS", .array(let elements)):
      self = .numbers(
        Set(elements.compactMap(ModelValue.text).map { ModelNumber(spelled: $0.string) }))
    case ("BS", .array(let elements)):
      self = .binaries(Set(elements.compactMap(ModelValue.text).map(\.string)))
    case (let type, .object(let members)):
      var map: [ModelText: String] = [:]
      for member in members { map[ModelText(member.name)] = ModelValue.word(member.value) }
      self = .unknown(type, map)
    default: return nil
    }
  }

  private static func text(_ json: SlowJSON.Value) -> ModelText? {
    if case .string(let text) = json { ModelText(text) } else { nil }
  }

  private static func word(_ json: SlowJSON.Value) -> String {
    switch json {
    case .literal(let word): word
    case .number(let bytes): String(decoding: bytes, as: UTF8.self)
    default: "[]"
    }
  }
}
