internal import JSON

extension Journal {
  /// Parses a journal.
  ///
  /// A last line that has no line feed or is no JSON was torn by a crash and is left out; `length`
  /// tells where it starts.
  ///
  /// - Returns: nil where not even the first line is whole, and nothing follows on it.
  /// - Throws: `ArchiveError`: `damaged`, or `unsupported` for a newer version.
  public init?(parsing bytes: Span<UInt8>) throws(ArchiveError) {
    guard let end = bytes.lineEnd(from: 0), let first = try Journal.fields(bytes, 0..<end) else {
      return nil
    }
    try self.init(first)
    grow(by: end + 1)
    while let end = bytes.lineEnd(from: length) {
      guard let fields = try Journal.fields(bytes, length..<end) else { return }
      do throws(ArchiveError) { try add(fields) } catch {
        var error = error
        error.offset = length
        throw error
      }
      grow(by: end + 1 - length)
    }
  }

  /// The members of a line; nil for a last line that was torn.
  private static func fields(
    _ bytes: Span<UInt8>, _ line: Range<Int>
  ) throws(ArchiveError) -> Fields? {
    let value: JSONValue
    do throws(JSONError) { value = try JSONValue.parse(bytes.extracting(line)) } catch {
      // Pages of a file reach the disk in any order, so a torn line may have its line feed.
      if line.upperBound + 1 == bytes.count { return nil }
      throw fault("the line is not valid JSON: \(error.code.rawValue)", offset: line.lowerBound)
    }
    return try Fields(value, file: ArchiveNames.journal)
  }

  private init(_ fields: Fields) throws(ArchiveError) {
    guard try fields.string("format") == Journal.format else {
      throw fields.fault("format", "is not \"\(Journal.format)\"")
    }
    let found = try fields.int("version", atLeast: 1)
    guard found <= Journal.version else {
      throw ArchiveError(
        .unsupported, "the journal has version \(found), which this version of dynarc cannot read",
        file: ArchiveNames.journal, hint: "go on with it by a newer dynarc")
    }
    let tool = try fields.fields("tool")
    self.init(
      tool: ArchiveTool(name: try tool.string("name"), version: try tool.string("version")),
      startTime: try fields.time("startTime"),
      parameters: try fields.fields("parameters").object)
  }

  private mutating func add(_ fields: Fields) throws(ArchiveError) {
    if fields.object["dropped"] != nil {
      let name = try fields.string("dropped")
      guard let id = ChunkID(name: name) else {
        throw fields.fault("dropped", "is \"\(name)\", which is no chunk's name")
      }
      try drop(id)
    } else if fields.object["segmentDone"] != nil {
      try end(Journal.segment(fields, "segmentDone"), reading: PageTotals(fields))
    } else if fields.object["segment"] != nil {
      guard let key = fields.object["lastEvaluatedKey"], key.object != nil else {
        throw fields.fault("lastEvaluatedKey", "is not an object")
      }
      let entry = Entry(
        row: nil, largestItemBytes: 0, reading: try PageTotals(fields), lastEvaluatedKey: key)
      try add(entry, to: Journal.segment(fields, "segment"))
    } else {
      let row = try ChunkRow(fields.fields("chunk"))
      guard let key = fields.object["lastEvaluatedKey"], key == .null || key.object != nil else {
        throw fields.fault("lastEvaluatedKey", "is neither an object nor null")
      }
      let entry = Entry(
        row: row, largestItemBytes: try fields.int("largestItemBytes"),
        reading: try PageTotals(fields), lastEvaluatedKey: key == .null ? nil : key)
      try add(entry, to: row.segment)
    }
  }

  private static func segment(_ fields: Fields, _ name: String) throws(ArchiveError) -> Int {
    let number = try fields.int(name)
    guard number <= ChunkID.largest else { throw fields.fault(name, "is no segment") }
    return number
  }

  var firstLine: [UInt8] {
    Journal.line([
      "format": .string(Journal.format), "version": JSONValue(Journal.version),
      "tool": ["name": .string(tool.name), "version": .string(tool.version)],
      "startTime": .string(startTime.description), "parameters": .object(parameters),
    ])
  }

  /// The line of a step.
  static func line(_ entry: Entry, segment: Int) -> [UInt8] {
    var object = JSONObject()
    if let row = entry.row {
      object.add("chunk", .object(row.json))
      object.add("largestItemBytes", JSONValue(entry.largestItemBytes))
    } else {
      object.add("segment", JSONValue(segment))
    }
    object.add(entry.reading.json)
    object.add("lastEvaluatedKey", entry.lastEvaluatedKey ?? .null)
    return line(object)
  }

  static func line(segmentDone number: Int, reading: PageTotals) -> [UInt8] {
    var object: JSONObject = ["segmentDone": JSONValue(number)]
    object.add(reading.json)
    return line(object)
  }

  static func line(dropped id: ChunkID) -> [UInt8] { line(["dropped": .string(id.name)]) }

  private static func line(_ object: JSONObject) -> [UInt8] {
    JSONValue.object(object).serialized() + [0x0A]
  }

  /// The first member in which what is asked for now differs from what the dump was begun with.
  ///
  /// - Returns: the member's path and both values, nil where there is none.
  static func difference(
    _ begun: JSONObject, _ asked: JSONObject, path: String = ""
  ) -> (member: String, begun: JSONValue?, asked: JSONValue?)? {
    let names = begun.members.map(\.name)
    for name in names + asked.members.map(\.name).filter({ begun[$0] == nil }) {
      let (old, new) = (begun[name], asked[name])
      if old == new { continue }
      if let old = old?.object, let new = new?.object {
        if let inner = difference(old, new, path: "\(path)\(name).") { return inner }
        // The same members in another order.
        continue
      }
      return (path + name, old, new)
    }
    return nil
  }
}

extension PageTotals {
  fileprivate init(_ fields: Fields) throws(ArchiveError) {
    self.init(
      scannedItems: try fields.int("scannedItems"),
      consumedReadUnits: try fields.required("consumedReadUnits", "a number from 0") {
        $0.double.flatMap { $0.isFinite && $0 >= 0 ? $0 : nil }
      })
  }

  fileprivate var json: JSONObject {
    [
      "scannedItems": JSONValue(scannedItems),
      "consumedReadUnits": .number(consumedReadUnits.description),
    ]
  }
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
