/// What is to be made of the names in an object. The scanner is compiled for each kind of check, so
/// that none costs nothing.
public protocol NameCheck: Sendable {
  /// An object begins.
  mutating func open()
  /// A member's name stands between the quotation marks at `start` and `end` - 1.
  mutating func add(start: Int, end: Int)
  /// The innermost object ends.
  mutating func close(_ bytes: Span<UInt8>) throws(JSONError)
}

/// Takes names as they come.
public struct AnyNames: NameCheck {
  public init() {}
  @inline(__always) public mutating func open() {}
  @inline(__always) public mutating func add(start: Int, end: Int) {}
  @inline(__always) public mutating func close(_ bytes: Span<UInt8>) {}
}

/// Refuses objects with two members of one name, in time that grows with their number and no faster,
/// whoever chose the names.
///
/// Names are noted as they pass and compared where their object ends. Most objects of DynamoDB's JSON
/// have one member, the type, and cost next to nothing.
public struct UniqueNames: NameCheck {
  /// Objects up to so many members are compared pair by pair.
  private static let pairwise = 12

  /// Where the names of all open objects stand, quotation marks included: the start in the upper half,
  /// the end in the lower. In front of each object's names stands the `base` of the object around it.
  private var names: [UInt64] = []
  /// Where in `names` the innermost open object begins.
  private var base = 0
  private var hashes: [UInt64] = []

  public init() {}

  /// Forgets objects that were left open when a scan failed.
  public mutating func reset() {
    names.removeAll(keepingCapacity: true)
    base = 0
  }

  @inline(__always)
  public mutating func open() {
    names.append(UInt64(truncatingIfNeeded: base))
    base = names.count
  }

  @inline(__always)
  public mutating func add(start: Int, end: Int) {
    names.append(UInt64(truncatingIfNeeded: start) << 32 | UInt64(UInt32(truncatingIfNeeded: end)))
  }

  @inline(__always)
  public mutating func close(_ bytes: Span<UInt8>) throws(JSONError) {
    if names.count &- base > 1 { try compare(bytes) }
    let outer = Int(truncatingIfNeeded: names[base &- 1])
    names.removeLast(names.count &- base &+ 1)
    base = outer
  }

  /// The bytes between a name's quotation marks.
  @inline(__always)
  private static func text(_ name: UInt64) -> Range<Int> {
    Int(name >> 32) &+ 1..<Int(name & 0xFFFF_FFFF) &- 1
  }

  @inline(never)
  private mutating func compare(_ bytes: Span<UInt8>) throws(JSONError) {
    let text = bytes.bytes
    var isEscaped = false
    hashes.removeAll(keepingCapacity: true)
    for index in base..<names.count {
      hashes.append(UniqueNames.hash(text, UniqueNames.text(names[index]), &isEscaped))
    }
    // An escape is another spelling of a name, which only unescaping shows.
    if isEscaped { return try compareExactly(bytes) }
    if hashes.count <= UniqueNames.pairwise {
      for one in 1..<hashes.count {
        for other in 0..<one where hashes[one] == hashes[other] {
          return try compareExactly(bytes)
        }
      }
    } else {
      hashes.sort()
      for index in 1..<hashes.count where hashes[index] == hashes[index - 1] {
        return try compareExactly(bytes)
      }
    }
  }

  /// A hash of every byte, eight at a time (the mixing of wyhash). Equal hashes are only a reason to
  /// look closer, so nobody gains by making them.
  @inline(__always)
  private static func hash(
    _ bytes: RawSpan, _ range: Range<Int>, _ isEscaped: inout Bool
  ) -> UInt64 {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let backslashes = ones &* UInt64(UInt8(ascii: "\\"))
    var hash = UInt64(truncatingIfNeeded: range.count) &* 0x9E37_79B9_7F4A_7C15
    var i = range.lowerBound
    var marks: UInt64 = 0
    func mix(_ word: UInt64) {
      let other = word ^ backslashes
      marks |= (other &- ones) & ~other
      let (high, low) = (hash ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
      hash = high ^ low
    }
    while i &+ 8 < range.upperBound {
      mix(bytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self))
      i &+= 8
    }
    // The last one to eight bytes, moved up so that those behind them fall out.
    let rest = range.upperBound &- i
    guard rest > 0 else { return hash }
    var word: UInt64 = 0
    if i &+ 8 <= bytes.byteCount {
      word = bytes.unsafeLoadUnaligned(fromByteOffset: i, as: UInt64.self).littleEndian
    } else {
      for offset in 0..<rest {
        let byte = bytes.unsafeLoad(fromByteOffset: i &+ offset, as: UInt8.self)
        word |= UInt64(byte) &<< UInt64(truncatingIfNeeded: 8 &* offset)
      }
    }
    mix(word &<< UInt64(truncatingIfNeeded: 64 &- 8 &* rest))
    // A mark may be wrong above a right one, but there is none without a right one.
    if marks & 0x8080_8080_8080_8080 != 0 { isEscaped = true }
    return hash
  }

  private func compareExactly(_ bytes: Span<UInt8>) throws(JSONError) {
    var seen: Set<[UInt8]> = []
    for range in names[base...].lazy.map(UniqueNames.text) {
      var name: [UInt8] = []
      try JSONText.unescape(bytes, range, into: &name)
      guard seen.insert(name).inserted else {
        throw JSONError(.duplicateName, at: range.lowerBound - 1)
      }
    }
  }
}
