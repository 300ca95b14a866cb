internal import Digest

/// `SHA256SUMS`: the digest of every other file, in the format of GNU coreutils' `sha256sum`.
///
/// Written last, it is the archive's commit; its own digest is the archive's id.
public struct Sums: Sendable, Equatable {
  /// The largest file that is read, in bytes: two million chunks.
  static let sizeLimit = 256 << 20

  /// 64 hexadecimal digits of each file, by name.
  public private(set) var digests: [String: String]

  init(_ digests: [String: String]) { self.digests = digests }

  /// Parses lines of 64 hexadecimal digits, two spaces and a name.
  ///
  /// - Throws: `ArchiveError` of code `damaged` with the line's offset.
  public init(parsing bytes: Span<UInt8>) throws(ArchiveError) {
    digests = [:]
    var start = 0
    while start < bytes.count {
      let offset = start
      func fault(_ what: String) -> ArchiveError {
        ArchiveError(.damaged, what, file: ArchiveNames.sums, offset: offset)
      }
      guard let end = bytes.lineEnd(from: start) else {
        throw fault("the last line has no line feed")
      }
      func text(_ range: Range<Int>) -> String {
        bytes.extracting(range).withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
      }
      let space = UInt8(ascii: " ")
      guard end - start > 66, bytes[start + 64] == space, bytes[start + 65] == space,
        SHA256Digest(hex: text(start..<start + 64)) != nil
      else { throw fault("the line is not a SHA-256, two spaces and a name") }
      let digest = text(start..<start + 64)
      let name = text(start + 66..<end)
      guard name == ArchiveNames.manifest || ChunkID(name: name) != nil else {
        throw fault("\"\(name)\" is no name of an archive's file")
      }
      guard digests.updateValue(digest, forKey: name) == nil else {
        throw fault("\(name) stands there twice")
      }
      start = end + 1
    }
  }

  /// The bytes of the file: lines in the order of their names' bytes.
  var serialized: [UInt8] {
    var output: [UInt8] = []
    for (name, digest) in digests.sorted(by: { $0.key < $1.key }) {
      output.append(contentsOf: "\(digest)  \(name)\n".utf8)
    }
    return output
  }
}
