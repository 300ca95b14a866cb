extension Archive {
  /// Compares what is there with what should be.
  ///
  /// - Returns: what nothing covers, and for `quick` what is missing or of another kind or size. In
  ///   full, the readers of the chunks find the latter themselves.
  /// - Throws: `ArchiveError` where `data` is no directory, so that there is no chunk to look at.
  func entryProblems(_ mode: VerifyMode) throws(ArchiveError) -> [ArchiveError] {
    var problems: [ArchiveError] = []
    var expected: [String: Int?] = [ArchiveNames.manifest: nil, ArchiveNames.sums: nil]
    for row in manifest.chunks { expected[row.name] = row.storedBytes }
    for entry in try storage.entries().sorted(by: { $0.name < $1.name }) {
      if entry.name == ArchiveNames.data {
        guard entry.kind == .directory else {
          throw ArchiveError(
            .damaged, "it is not a directory, or a symbolic link to one", file: entry.name)
        }
        continue
      }
      guard let size = expected.removeValue(forKey: entry.name) else {
        problems.append(Archive.uncovered(entry))
        continue
      }
      guard mode == .quick else { continue }
      if entry.kind != .file {
        problems.append(ArchiveError(.damaged, "it is not a regular file", file: entry.name))
      } else if let size, size != entry.size {
        problems.append(
          ArchiveError(
            .damaged, "the file has \(entry.size) bytes, not \(size)", file: entry.name))
      }
    }
    guard mode == .quick else { return problems }
    for name in expected.keys.sorted() {
      problems.append(
        ArchiveError(
          .damaged, "the file is missing", file: name, hint: "copy the archive again, complete"))
    }
    return problems
  }

  private static func uncovered(_ entry: StorageEntry) -> ArchiveError {
    let isJournal = entry.name == ArchiveNames.journal
    return ArchiveError(
      .damaged, "\(ArchiveNames.sums) does not cover it", file: entry.name,
      hint: isJournal
        ? "the dump ended right behind its commit; remove the journal"
        : "remove it, or find out who put it there")
  }
}
