public import JSON

/// `dump.journal`: what an unfinished dump has done so far, as JSON lines that are each durable
/// before the dump goes on.
public struct Journal: Sendable, Equatable {
  static let format = "dynarc-journal"
  static let version = 1
  /// The largest journal that is read, in bytes.
  static let sizeLimit = 1 << 30

  /// A chunk that stands under its name.
  public struct Entry: Sendable, Equatable {
    public var row: ChunkRow
    /// Bytes of the largest item in the chunk.
    public var largestItemBytes: Int
    /// Where the segment goes on; nil behind its end.
    public var lastEvaluatedKey: JSONValue?
  }

  /// What the dump was asked for.
  public var parameters: JSONObject
  /// In the order in which they were finished.
  public var chunks: [Entry] = []
  /// Segments read to their ends.
  public var doneSegments: Set<Int> = []

  private init(parameters: JSONObject) { self.parameters = parameters }

  /// Reads the journal of an unfinished dump.
  ///
  /// - Throws: `ArchiveError`; code `missing` where there is none.
  public static func read(_ storage: any ReadableStorage) throws(ArchiveError) -> Journal {
    let bytes = try storage.contents(ArchiveNames.journal, limit: sizeLimit)
    return try Journal(parsing: bytes.span)
  }

  /// Parses a journal. A last line without a line feed was torn by a crash and is ignored.
  public init(parsing bytes: Span<UInt8>) throws(ArchiveError) {
    guard let end = bytes.lineEnd(from: 0) else {
      throw ArchiveError(.damaged, "the journal is empty", file: ArchiveNames.journal)
    }
    let first = try Journal.fields(bytes, 0..<end)
    self.init(parameters: try Journal.parameters(first))
    var start = end + 1
    while let end = bytes.lineEnd(from: start) {
      try add(Journal.fields(bytes, start..<end))
      start = end + 1
    }
  }

  private static func fields(
    _ bytes: Span<UInt8>, _ line: Range<Int>
  ) throws(ArchiveError) -> Fields {
    let value: JSONValue
    do throws(JSONError) { value = try JSONValue.parse(bytes.extracting(line)) } catch {
      throw ArchiveError(
        .damaged, "the line is not valid JSON: \(error.code.rawValue)",
        file: ArchiveNames.journal, offset: line.lowerBound)
    }
    return try Fields(value, file: ArchiveNames.journal)
  }

  private static func parameters(_ fields: Fields) throws(ArchiveError) -> JSONObject {
    guard try fields.string("format") == format else {
      throw fields.fault("format", "is not \"\(format)\"")
    }
    let found = try fields.int("version", atLeast: 1)
    guard found <= version else {
      throw ArchiveError(
        .unsupported, "the journal has version \(found), which this version of dynarc cannot read",
        file: ArchiveNames.journal, hint: "read it with a newer dynarc")
    }
    return try fields.fields("parameters").object
  }

  private mutating func add(_ fields: Fields) throws(ArchiveError) {
    if fields.object["segmentDone"] != nil {
      doneSegments.insert(try fields.int("segmentDone"))
    } else {
      let row = try ChunkRow(try fields.fields("chunk"))
      let largest = try fields.int("largestItemBytes")
      var key = fields.object["lastEvaluatedKey"]
      if key == .null { key = nil }
      chunks.append(Entry(row: row, largestItemBytes: largest, lastEvaluatedKey: key))
    }
  }

  static func firstLine(_ parameters: JSONObject) -> [UInt8] {
    line([
      "format": .string(format), "version": JSONValue(version), "parameters": .object(parameters),
    ])
  }

  static func line(
    _ row: ChunkRow, largestItemBytes: Int, lastEvaluatedKey: JSONValue?
  ) -> [UInt8] {
    line([
      "chunk": .object(row.json), "largestItemBytes": JSONValue(largestItemBytes),
      "lastEvaluatedKey": lastEvaluatedKey ?? .null,
    ])
  }

  static func line(segmentDone number: Int) -> [UInt8] { line(["segmentDone": JSONValue(number)]) }

  private static func line(_ value: JSONValue) -> [UInt8] { value.serialized() + [0x0A] }
}

extension Span where Element == UInt8 {
  /// The offset of the next line feed.
  func lineEnd(from start: Int) -> Int? {
    var i = start
    while i < count {
      if self[i] == 0x0A { return i }
      i += 1
    }
    return nil
  }
}
