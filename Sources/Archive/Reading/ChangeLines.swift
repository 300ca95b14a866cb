internal import Digest
internal import JSON

/// Validates what stands on a line of kind `changes` behind its item or key object.
struct ChangeLineScanner: Sendable {
  private let oldImages: OldImages?
  private let keyCount: Int
  private var old: ItemScanner
  private var plain = JSONScanner()
  private var oldKey: [UInt8] = []

  init(_ changes: ChangesDescription, key: KeySchema) {
    oldImages = changes.oldImages
    keyCount = key.attributes.count
    old = ItemScanner(key: key)
  }

  /// What is wrong with a line.
  enum Fault: Error {
    case item(ItemFault)
    case other(String)
  }

  /// Whether a line starts as one that deletes.
  static func isDelete(_ bytes: Span<UInt8>, at start: Int) -> Bool {
    bytes.count - start >= 8
      && bytes.bytes.unsafeLoadUnaligned(fromByteOffset: start, as: UInt64.self)
        == LineFormat.keysPrefixWord
  }

  /// Validates the rest of a line.
  ///
  /// - Parameters:
  ///   - object: the item or key object, validated.
  ///   - key: its canonical key.
  /// - Returns: what the line says, and the offset of the brace that ends it.
  mutating func scan(
    _ bytes: Span<UInt8>, behind object: Range<Int>, isDelete: Bool, key: Span<UInt8>
  ) throws(Fault) -> (LineChange, end: Int) {
    if isDelete, try members(bytes, object) != keyCount {
      throw .other("the key object has more than the key")
    }
    var change = LineChange(isDelete: isDelete)
    var end = object.upperBound
    switch oldImages {
    case .images:
      if let start = ChangeLineScanner.skip(LineFormat.old, bytes, at: end) {
        end = try image(bytes, at: start, key)
        change.old = start..<end
      }
    case .digests:
      if let start = ChangeLineScanner.skip(LineFormat.oldSHA256, bytes, at: end) {
        guard start + 65 <= bytes.count, bytes[start + 64] == UInt8(ascii: "\""),
          ChangeLineScanner.isDigest(bytes.extracting(start..<start + 64))
        else { throw .other("OldSha256 is not 64 lower-case hexadecimal digits") }
        change.oldSHA256 = start..<start + 64
        end = start + 65
      }
    case nil: return (change, end)
    }
    guard !isDelete || end > object.upperBound else {
      throw .other("the line deletes an item and tells nothing of it")
    }
    return (change, end)
  }

  private mutating func image(
    _ bytes: Span<UInt8>, at start: Int, _ key: Span<UInt8>
  ) throws(Fault) -> Int {
    oldKey.removeAll(keepingCapacity: true)
    let end: Int
    do throws(ItemFault) {
      end = try old.scan(bytes, at: start)
      try CanonicalKey.append(bytes, old, to: &oldKey)
    } catch { throw .item(error) }
    guard !old.sawLineBreak else { throw .other("a line break stands inside the line") }
    guard oldKey.count == key.count, oldKey.indices.allSatisfy({ oldKey[$0] == key[$0] }) else {
      throw .other("the old item has another key")
    }
    return end
  }

  /// Members of an object that has been validated.
  private mutating func members(
    _ bytes: Span<UInt8>, _ object: Range<Int>
  ) throws(Fault) -> Int {
    do throws(JSONError) {
      return try ItemMember.all(bytes, of: object, &plain).count
    } catch { throw .item(.json(error)) }
  }

  /// The offset behind a text that stands somewhere; nil where another does.
  private static func skip(_ text: StaticString, _ bytes: Span<UInt8>, at start: Int) -> Int? {
    let count = text.utf8CodeUnitCount
    guard start + count <= bytes.count else { return nil }
    for i in 0..<count where bytes[start + i] != text.utf8Start[i] { return nil }
    return start + count
  }

  private static func isDigest(_ bytes: Span<UInt8>) -> Bool {
    for i in bytes.indices {
      switch bytes[i] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): continue
      default: return false
      }
    }
    return true
  }
}
