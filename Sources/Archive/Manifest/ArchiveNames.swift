internal import Digest

/// The names of an archive's files. No path is ever taken from a manifest: a name is one of these,
/// letter by letter, or refused.
public enum ArchiveNames {
  public static let manifest = "manifest.json"
  public static let sums = "SHA256SUMS"
  public static let journal = "dump.journal"
  /// The directory that holds the chunks and nothing else.
  public static let data = "data"

  /// Whether a text can be an archive's id: a SHA-256 in hexadecimal digits.
  public static func isID(_ text: String) -> Bool { SHA256Digest(hex: text) != nil }

  /// The name that a file has while it is written: `data/.00000-000000.ndjson.zst.tmp`.
  static func temporary(_ name: String) -> String {
    let slash = name.utf8.lastIndex(of: UInt8(ascii: "/"))
    let leaf = slash.map { name.utf8.index(after: $0) } ?? name.startIndex
    return "\(name[..<leaf]).\(name[leaf...]).tmp"
  }

  /// Whether a name is the temporary one of a file that an archive has.
  static func isTemporary(_ name: String) -> Bool {
    guard let dot = name.firstIndex(of: "."), name.hasSuffix(".tmp") else { return false }
    let own = String(name[..<dot] + name[dot...].dropFirst().dropLast(".tmp".count))
    guard temporary(own) == name else { return false }
    return own == manifest || own == sums || ChunkID(name: own) != nil
  }
}

/// A chunk's place: its segment and its number in it, both counted from 0.
public struct ChunkID: Sendable, Hashable, Comparable {
  public var segment: Int
  public var number: Int

  /// The largest segment and chunk numbers (a scan has at most 1,000,000 segments).
  public static let largest = 999_999

  public init(segment: Int, number: Int) {
    self.segment = segment
    self.number = number
  }

  /// Reads `data/SSSSS-CCCCCC.ndjson.zst`; nil for every text that is not exactly what `name`
  /// writes.
  public init?(name: String) {
    // Without making the name again to compare it: manifests hold tens of thousands.
    var name = name
    let place = name.withUTF8 { text -> (Int, Int)? in
      let (front, back) = ("data/".utf8, ".ndjson.zst".utf8)
      guard text.starts(with: front), text.suffix(back.count).elementsEqual(back),
        text.count > front.count + back.count
      else { return nil }
      let places = text[front.count..<text.count - back.count]
        .split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
      guard places.count == 2, let segment = ChunkID.number(places[0], digits: 5),
        let number = ChunkID.number(places[1], digits: 6)
      else { return nil }
      return (segment, number)
    }
    guard let place else { return nil }
    self.init(segment: place.0, number: place.1)
  }

  /// A number of so many digits, or of more if it has that many without zeros in front.
  private static func number(_ text: some Collection<UInt8>, digits: Int) -> Int? {
    guard text.count == digits || text.count > digits && text.first != UInt8(ascii: "0") else {
      return nil
    }
    var value = 0
    for byte in text {
      guard byte &- UInt8(ascii: "0") < 10, value <= largest else { return nil }
      value = value * 10 + Int(byte &- UInt8(ascii: "0"))
    }
    return value <= largest ? value : nil
  }

  /// The file's name, relative to the archive.
  public var name: String { "data/\(padded(segment, 5))-\(padded(number, 6)).ndjson.zst" }

  public static func < (left: ChunkID, right: ChunkID) -> Bool {
    (left.segment, left.number) < (right.segment, right.number)
  }
}
