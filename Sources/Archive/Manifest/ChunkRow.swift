public import Digest
public import JSON

/// What the manifest says of one chunk.
public struct ChunkRow: Sendable, Equatable {
  public var id: ChunkID
  /// Lines in it.
  public var items: Int
  /// Bytes of its lines, line feeds included.
  public var contentBytes: Int
  /// Bytes of its file.
  public var storedBytes: Int
  /// SHA-256 of its file.
  public var sha256: SHA256Digest
  /// SHA-256 of its lines.
  public var contentSHA256: SHA256Digest
  /// Members that this version does not know, kept.
  public var unknown: JSONObject

  /// The file's name, relative to the archive.
  public var name: String { id.name }
  /// The segment it belongs to.
  public var segment: Int { id.segment }

  public init(
    id: ChunkID, items: Int, contentBytes: Int, storedBytes: Int, sha256: SHA256Digest,
    contentSHA256: SHA256Digest, unknown: JSONObject = JSONObject()
  ) {
    self.id = id
    self.items = items
    self.contentBytes = contentBytes
    self.storedBytes = storedBytes
    self.sha256 = sha256
    self.contentSHA256 = contentSHA256
    self.unknown = unknown
  }
}

extension ChunkRow: Hashable {
  // Rows of one archive differ in their ids.
  public func hash(into hasher: inout Hasher) { hasher.combine(id) }
}

extension ChunkRow {
  private static let members: Set = [
    "name", "segment", "items", "contentBytes", "storedBytes", "sha256", "contentSha256",
  ]

  /// Reads a row of the manifest or the journal.
  init(_ fields: Fields) throws(ArchiveError) {
    let name = try fields.string("name")
    guard let id = ChunkID(name: name) else {
      throw fields.fault("name", "is \"\(name)\", which is no chunk's name")
    }
    guard try fields.int("segment") == id.segment else {
      throw fields.fault("segment", "is not the one of \(name)")
    }
    self.init(
      id: id, items: try fields.int("items", atLeast: 1),
      contentBytes: try fields.int("contentBytes", atLeast: 1),
      storedBytes: try fields.int("storedBytes", atLeast: 1),
      sha256: try fields.digest("sha256"), contentSHA256: try fields.digest("contentSha256"),
      unknown: fields.object.removing(ChunkRow.members))
  }

  var json: JSONObject {
    JSONObject(
      [
        .init(name: "name", value: .string(name)),
        .init(name: "segment", value: JSONValue(segment)),
        .init(name: "items", value: JSONValue(items)),
        .init(name: "contentBytes", value: JSONValue(contentBytes)),
        .init(name: "storedBytes", value: JSONValue(storedBytes)),
        .init(name: "sha256", value: .string(sha256.description)),
        .init(name: "contentSha256", value: .string(contentSHA256.description)),
      ] + unknown.members)
  }
}
