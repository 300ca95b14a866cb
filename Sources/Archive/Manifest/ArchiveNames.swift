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
    func take(_ text: inout Substring.UTF8View) -> Int? {
      var value: Int?
      while let byte = text.first, byte &- UInt8(ascii: "0") < 10, value ?? 0 <= ChunkID.largest {
        value = (value ?? 0) * 10 + Int(byte &- UInt8(ascii: "0"))
        text.removeFirst()
      }
      return value
    }
    var rest = name.utf8.dropFirst("data/".utf8.count)
    guard let segment = take(&rest), rest.popFirst() == UInt8(ascii: "-"), let number = take(&rest)
    else { return nil }
    self.init(segment: segment, number: number)
    let allowed = 0...ChunkID.largest
    guard allowed.contains(segment), allowed.contains(number), self.name == name else { return nil }
  }

  /// The file's name, relative to the archive.
  public var name: String { "data/\(padded(segment, 5))-\(padded(number, 6)).ndjson.zst" }

  public static func < (left: ChunkID, right: ChunkID) -> Bool {
    (left.segment, left.number) < (right.segment, right.number)
  }
}
