import Archive
import JSON

/// What rules that change items do not go together with in a copy.
extension CopyOptions {
  /// Refuses keys that are changed where the source's keys must tell what is deleted in the target.
  ///
  /// - Throws: `DynamoError` of code `usage`.
  func checkRekey() throws(DynamoError) {
    guard rekey else { return }
    guard mode != .replace else {
      throw DynamoError(
        .usage,
        "--rekey changes keys, so that --replace could not look up in the source what the target holds",
        hint:
          "leave --replace out where the target is empty; else copy with --truncate-first, or a slice with "
          + "--merge, which deletes nothing")
    }
    let isSlice = read.index != nil || !read.partition.isEmpty || read.filter != nil
    guard mode != .truncateFirst || !isSlice else {
      throw DynamoError(
        .usage,
        "--rekey changes keys, so that --truncate-first could not tell what the target holds of the slice",
        hint:
          "leave --truncate-first out where the target is empty; else copy with --merge, which deletes "
          + "nothing")
    }
  }

  /// Holds the rules against a table of the copy.
  ///
  /// - Throws: `TransformError`; `DynamoError` of code `usage` where two items may get one key: that is seen
  ///   when all have been read, and a copy has written them by then.
  func checkRules(_ schema: TableSchema) throws {
    try transforms.check(schema, rekey: rekey)
    guard transforms.canCollide(schema.key) else { return }
    throw DynamoError(
      .usage,
      "copy does not set an attribute of the key \(schema.key.words): two items could get one key",
      hint: "dump with the same rules, which finds that out, and load the archive; or take --hash")
  }

  /// Refuses a filter that looks at what the rules change where it must find in the target what is deleted
  /// there.
  ///
  /// - Throws: `DynamoError` of code `usage`.
  func checkFilter(_ mode: CopyMode) throws(DynamoError) {
    guard let filter = read.filter, mode != .merge else { return }
    // Attributes stand in an expression by their names, or by placeholders that names are given for. A
    // word of the expression's own language that is taken for one refuses too much, never too little.
    let words = filter.utf8.split { byte in
      let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      return !(isLetter || byte == UInt8(ascii: "_") || byte &- UInt8(ascii: "0") < 10)
    }
    let names =
      words.map(Array.init)
      + read.names.members.compactMap { $0.value.string.map { Array($0.utf8) } }
    for rule in transforms.rules {
      guard case .name(let name)? = rule.path.steps.first, names.contains(name) else { continue }
      throw DynamoError(
        .usage,
        "the filter looks at what the rules change, \(rule.path), so that it would not find in the target what is "
          + "to be deleted there",
        hint: "copy with --merge, which deletes nothing, or into an empty table")
    }
  }
}
