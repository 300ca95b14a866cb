public import JSON

extension Manifest {
  /// Reads a manifest and checks that it agrees with itself.
  ///
  /// - Throws: `ArchiveError`: `notAnArchive` for another document, `unsupported` for a newer
  ///   version, another kind or an unknown required feature, `damaged` for anything malformed.
  public init(json: JSONValue) throws(ArchiveError) {
    let fields = try Fields(json, file: ArchiveNames.manifest)
    let features = try Manifest.checkFormat(fields)
    let isChanges = try fields.string("kind") == "changes"
    let tool = try fields.fields("tool")
    let source = try ArchiveSource(try fields.fields("source"))
    var chunks: [ChunkRow] = []
    for row in try fields.each("chunks") { chunks.append(try ChunkRow(row)) }
    self.init(
      tool: ArchiveTool(name: try tool.string("name"), version: try tool.string("version")),
      source: source, startTime: try fields.time("startTime"), endTime: try fields.time("endTime"),
      table: try TableSchema(try fields.fields("table"), name: source.tableName),
      settings: try TableSettings(try fields.fields("settings")),
      counts: try Counts(try fields.fields("counts")), chunks: chunks,
      changes: isChanges
        ? try ChangesDescription(try fields.fields("changes"), features: features) : nil,
      unknown: fields.object.removing([
        "format", "version", "kind", "requiredFeatures", "tool", "source", "startTime", "endTime",
        "table", "settings", "counts", "chunks", "sameItemsAs",
      ]))
    sameItemsAs = try fields.ids("sameItemsAs")
    if isChanges { unknown["changes"] = nil }
    try checkSums(fields)
  }

  /// Parses the bytes of `manifest.json`.
  public init(parsing bytes: Span<UInt8>) throws(ArchiveError) {
    let json: JSONValue
    do throws(JSONError) { json = try JSONValue.parse(bytes) } catch {
      throw ArchiveError(
        .damaged, "the manifest is not valid JSON: \(error.code.rawValue)",
        file: ArchiveNames.manifest, offset: error.offset)
    }
    try self.init(json: json)
  }

  // Asked first: what follows may have another meaning in another version.
  private static func checkFormat(_ fields: Fields) throws(ArchiveError) -> [String] {
    guard fields.object["format"] == .string(format) else {
      throw ArchiveError(
        .notAnArchive, "\"format\" is not \"\(format)\"", file: ArchiveNames.manifest)
    }
    let version = try fields.int("version", atLeast: 1)
    guard version <= Manifest.version else {
      throw unsupported("the archive has format version \(version)")
    }
    let features = try fields.strings("requiredFeatures")
    for feature in features where !knownFeatures.contains(feature) {
      throw unsupported("the archive needs the feature \"\(feature)\"")
    }
    let kind = try fields.string("kind")
    guard kind == "snapshot" || kind == "changes" else {
      throw unsupported("the archive is of kind \"\(kind)\"")
    }
    guard features.count <= (kind == "changes" ? 1 : 0) else {
      throw fields.fault("requiredFeatures", "does not fit an archive of kind \"\(kind)\"")
    }
    return features
  }

  private static func unsupported(_ what: String) -> ArchiveError {
    ArchiveError(
      .unsupported, "\(what), which this version of dynarc cannot read",
      file: ArchiveNames.manifest, hint: "read it with a newer dynarc")
  }

  private func checkSums(_ fields: Fields) throws(ArchiveError) {
    var seen: Set<ChunkID> = []
    var sums = Counts()
    for row in chunks {
      guard seen.insert(row.id).inserted else {
        throw fields.fault("chunks", "names \(row.name) twice")
      }
      guard row.segment < source.read.totalSegments else {
        throw fields.fault(
          "chunks", "holds \(row.name) of \(source.read.totalSegments) segments, counted from 0")
      }
      try sums.add(row)
    }
    let pairs = [
      ("items", counts.items, sums.items),
      ("contentBytes", counts.contentBytes, sums.contentBytes),
      ("storedBytes", counts.storedBytes, sums.storedBytes),
    ]
    for (name, said, sum) in pairs where said != sum {
      throw fields.fault("counts.\(name)", "is \(said), and the chunks have \(sum)")
    }
    guard let changes else { return }
    guard !source.keyless else {
      throw fields.fault("source.keyless", "is true, and changes need keys")
    }
    try changes.check(lines: counts.items, fields)
  }

  /// The document.
  public var json: JSONValue { .object(members(chunks: .array(chunks.map { .object($0.json) }))) }

  private func members(chunks: JSONValue) -> JSONObject {
    var object: JSONObject = [
      "format": .string(Manifest.format), "version": JSONValue(Manifest.version),
      "kind": .string(kind),
      "requiredFeatures": .array(
        [changes?.oldImages].compactMap { $0.map { .string($0.rawValue) } }),
      "tool": ["name": .string(tool.name), "version": .string(tool.version)],
      "source": .object(source.json), "startTime": .string(startTime.description),
      "endTime": .string(endTime.description), "table": .object(table.json),
      "settings": .object(settings.json), "counts": .object(counts.json), "chunks": chunks,
    ]
    object.add("changes", changes.map { .object($0.json) })
    object.add(ids: sameItemsAs, "sameItemsAs")
    object.add(unknown)
    return object
  }

  /// The bytes of `manifest.json`: two spaces a level, but a chunk's row on one line, so that ten
  /// thousand of them stay readable; a line feed at the end.
  public var serialized: [UInt8] {
    var output = Array("{".utf8)
    for (index, member) in members(chunks: .null).members.enumerated() {
      output.append(contentsOf: (index == 0 ? "\n  " : ",\n  ").utf8)
      JSONText.quote(member.name.utf8, into: &output)
      output.append(contentsOf: ": ".utf8)
      if member.name == "chunks" {
        appendRows(to: &output)
        continue
      }
      for byte in member.value.serialized(pretty: true) {
        output.append(byte)
        // A line feed inside a string is escaped, so each one starts a line of the layout.
        if byte == 0x0A { output.append(contentsOf: "  ".utf8) }
      }
    }
    output.append(contentsOf: "\n}\n".utf8)
    return output
  }

  private func appendRows(to output: inout [UInt8]) {
    output.append(UInt8(ascii: "["))
    for (index, row) in chunks.enumerated() {
      output.append(contentsOf: (index == 0 ? "\n    " : ",\n    ").utf8)
      output.append(contentsOf: JSONValue.object(row.json).serialized())
    }
    output.append(contentsOf: (chunks.isEmpty ? "]" : "\n  ]").utf8)
  }
}

extension TableSettings {
  init(_ fields: Fields) throws(ArchiveError) {
    var notRead: [Unread] = []
    for entry in try fields.each("notRead") {
      notRead.append(
        Unread(setting: try entry.string("setting"), code: try entry.string("code")))
    }
    self.init(answers: fields.object.removing(["notRead"]), notRead: notRead)
  }

  var json: JSONObject {
    var object = answers
    object.add(
      "notRead",
      .array(notRead.map { ["setting": .string($0.setting), "code": .string($0.code)] }))
    return object
  }
}
