@testable import Archive
import Digest
import JSON
import Testing

/// Random items and rules against a slow reference that works on what values mean.
@Suite struct TransformModelTests {
  private static let hashKey = Array("0123456789abcdef".utf8)

  private struct Mismatch: Error {}

  private enum Work {
    case set(ModelValue)
    case remove
    case hash
  }

  private typealias Job = (steps: ArraySlice<AttributePath.Step>, work: Work)

  // MARK: The reference

  private static func changed(_ value: ModelValue, _ tasks: [Job]) throws -> ModelValue? {
    if let task = tasks.first, task.steps.isEmpty {
      switch task.work {
      case .set(let new): return new
      case .remove: return nil
      case .hash: return try hashed(value)
      }
    }
    switch value {
    case .null: return value
    case .map(var map):
      var groups: [ModelText: [Job]] = [:]
      for task in tasks {
        guard case .name(let name)? = task.steps.first else { throw Mismatch() }
        groups[ModelText(String(decoding: name, as: UTF8.self)), default: []].append(
          (task.steps.dropFirst(), task.work))
      }
      for (name, tasks) in groups {
        if let inner = map[name] {
          map[name] = try changed(inner, tasks)
        } else if tasks[0].steps.isEmpty, case .set(let new) = tasks[0].work {
          map[name] = new
        }
      }
      return .map(map)
    case .list(let elements):
      var groups: [Int: [Job]] = [:]
      for task in tasks {
        guard case .index(let index)? = task.steps.first else { throw Mismatch() }
        groups[index, default: []].append((task.steps.dropFirst(), task.work))
      }
      return .list(
        try elements.enumerated().compactMap { index, inner in
          try groups[index].map { try changed(inner, $0) } ?? inner
        })
    default: throw Mismatch()
    }
  }

  private static func hashed(_ value: ModelValue) throws -> ModelValue {
    switch value {
    case .null: return value
    case .string(let text): return .string(hash(text))
    case .number(let number): return .number(hash(number))
    case .binary(let text): return .binary(hash(binary: text))
    case .strings(let members): return .strings(Set(members.map(hash)))
    case .numbers(let members): return .numbers(Set(members.map(hash)))
    case .binaries(let members): return .binaries(Set(members.map(hash(binary:))))
    default: throw Mismatch()
    }
  }

  private static func code(_ letter: String, _ bytes: [UInt8]) -> [UInt8] {
    HMACSHA256.code(key: hashKey, message: Array(letter.utf8) + bytes)
  }

  private static func hash(_ text: ModelText) -> ModelText {
    ModelText(
      code("S", text.utf8)[..<16].map {
        ($0 < 16 ? "0" : "") + String($0, radix: 16)
      }.joined())
  }

  private static func hash(_ number: ModelNumber) -> ModelNumber {
    let text =
      number.digits.isEmpty
      ? "0" : (number.isNegative ? "-" : "") + number.digits + "E\(number.exponent)"
    var value: UInt128 = 0
    for byte in code("N", Array(text.utf8))[..<15] { value = value * 256 + UInt128(byte) }
    var digits = "\(value)"
    let length = digits.count
    while digits.hasSuffix("0") { digits.removeLast() }
    return ModelNumber(digits: digits, exponent: digits.isEmpty ? 0 : length - digits.count)
  }

  private static let binaries: [String: [UInt8]] = [
    "": [], "AA==": [0], "AAE=": [0, 1], "AAEC": [0, 1, 2], "/+8=": [0xFF, 0xEF],
    "////": [0xFF, 0xFF, 0xFF],
  ]

  private static func hash(binary text: String) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    let bits =
      code("B", binaries[text] ?? [])[..<16].map { byte in
        let digits = String(byte, radix: 2)
        return String(repeating: "0", count: 8 - digits.count) + digits
      }.joined() + "0000"
    var rest = bits[...]
    var base64 = ""
    while !rest.isEmpty {
      base64.append(alphabet[Int(rest.prefix(6), radix: 2) ?? 0])
      rest = rest.dropFirst(6)
    }
    return base64 + "=="
  }

  // MARK: Making rules

  /// A path into an item, or somewhere near.
  private func path(_ maker: inout ModelMaker, _ item: ModelItem) -> AttributePath {
    var steps: [AttributePath.Step] = []
    var value = ModelValue.map(item.attributes)
    repeat {
      switch value {
      case .map(let map) where !map.isEmpty && maker.chance(85):
        let name = maker.pick(map.keys.sorted())
        steps.append(.name(name.utf8))
        value = map[name] ?? .null
      case .list(let elements) where !elements.isEmpty && maker.chance(85):
        let index = maker.below(elements.count)
        steps.append(.index(index))
        value = elements[index]
      case .list:
        steps.append(.index(maker.below(3)))
        value = .null
      default:
        // Below what is no map, too, though seldom.
        if case .map = value {} else if !steps.isEmpty, maker.chance(90) { break }
        steps.append(.name(maker.text().utf8))
        value = .null
      }
    } while maker.chance(50) && steps.count < 5
    if case .index = steps[0] { steps[0] = .name([]) }
    return AttributePath(steps)
  }

  /// - Returns: rules for dynarc, and the same for the reference.
  private func rules(
    _ maker: inout ModelMaker, _ item: ModelItem
  ) -> (ItemTransforms, [Job]) {
    var transforms = ItemTransforms.none
    var tasks: [Job] = []
    for _ in 0...maker.below(4) {
      let path = path(&maker, item)
      let work: Work
      let operation: ItemTransforms.Rule.Operation
      switch maker.below(3) {
      case 0:
        let value = maker.value(2)
        work = .set(value)
        operation = .set(Array(maker.spell(value).utf8))
      case 1: (work, operation) = (.remove, .remove)
      default: (work, operation) = (.hash, .hash)
      }
      let rule = ItemTransforms.Rule(path: path, operation: operation)
      // What overlaps is left out.
      guard let more = try? ItemTransforms(transforms.rules + [rule], hashKey: Self.hashKey) else {
        continue
      }
      transforms = more
      tasks.append((path.steps[...], work))
    }
    return (transforms, tasks)
  }

  // MARK: Looking at bytes

  /// The members of an item by name, as they are spelled.
  private func members(_ bytes: [UInt8]) throws -> [ModelText: [UInt8]] {
    var scanner = JSONScanner()
    let members = try ItemMember.all(bytes.span, of: 0..<bytes.count, &scanner)
    return Dictionary(
      members.map { (ModelText(String(decoding: $0.name, as: UTF8.self)), Array(bytes[$0.value])) }
    ) { one, _ in one }
  }

  /// What an item is where rules only change values that are there: its bytes with those replaced.
  private func spliced(_ bytes: [UInt8], _ transforms: ItemTransforms) throws -> [UInt8]? {
    var edits: [(Range<Int>, [UInt8])] = []
    for rule in transforms.rules {
      guard let range = try rule.path.value(in: bytes.span, 0..<bytes.count) else { return nil }
      switch rule.operation {
      case .remove: return nil
      case .set(let value): edits.append((range, value))
      case .hash:
        var one = ItemTransformer(
          try ItemTransforms([.hash("x")], hashKey: Self.hashKey), key: KeySchema([]))
        var output: [UInt8] = []
        let alone = Array("{\"x\":".utf8) + bytes[range] + [UInt8(ascii: "}")]
        try one.append(alone.span, to: &output)
        edits.append((range, Array(output[5..<output.count - 1])))
      }
    }
    var result = bytes
    for (range, new) in edits.sorted(by: { $0.0.lowerBound > $1.0.lowerBound }) {
      result.replaceSubrange(range, with: new)
    }
    return result
  }

  @Test func randomItems() throws {
    var counts = (changed: 0, mismatched: 0, same: 0, spliced: 0)
    for seed in 0..<6000 {
      var maker = ModelMaker(seed)
      let item = maker.item(maker.key())
      let bytes = Array(maker.spell(item).utf8)
      let (transforms, tasks) = rules(&maker, item)
      let expected = try? Self.changed(.map(item.attributes), tasks)
      var transformer = ItemTransformer(transforms, key: ordersKey)
      var output: [UInt8] = []
      let context = "seed \(seed): \(String(decoding: bytes, as: UTF8.self)), \(transforms.words)"
      do throws(TransformError) { try transformer.append(bytes.span, to: &output) } catch {
        #expect(expected == nil, "\(context): \(error)")
        #expect(error.code == .mismatch)
        counts.mismatched += 1
        continue
      }
      let found = SlowJSON.parse(output).flatMap(ModelValue.init(map:))
      #expect(
        expected != nil && found == expected,
        "\(context): \(String(decoding: output, as: UTF8.self))")
      // What no rule leads to keeps its bytes.
      let (before, after) = (try members(bytes), try members(output))
      let led = Set(transforms.rules.map { $0.path.steps[0] })
      for (name, value) in before where !led.contains(.name(name.utf8)) {
        #expect(after[name] == value, "\(context)")
      }
      if let exactly = try spliced(bytes, transforms) {
        #expect(output == exactly, "\(context)")
        counts.spliced += 1
      }
      if transforms.rules.allSatisfy({ $0.operation == .remove }), found == .map(item.attributes) {
        #expect(output == bytes, "\(context)")
        counts.same += 1
      }
      counts.changed += 1
    }
    // All of it has happened, and often.
    #expect(
      counts.changed > 3000 && counts.mismatched > 300 && counts.same > 50 && counts.spliced > 300,
      "\(counts)")
  }
}
