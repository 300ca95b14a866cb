extension ArchiveWriter {
  /// Removes an unfinished archive: all that a dump leaves behind, and nothing else. Nobody may be writing
  /// into it any more.
  ///
  /// - Throws: `ArchiveError`: `complete` for a finished archive, `locked` where a dump is writing,
  ///   `foreign` for files that no dump writes, and what the storage throws. But for the last, nothing
  ///   has been removed then.
  public static func discard(_ storage: any WritableStorage) throws(ArchiveError) {
    // Held until all is gone, so that nobody goes on with it meanwhile.
    let lock = try storage.resume(ArchiveNames.journal)
    defer { withExtendedLifetime(lock) {} }
    let entries = try Resumption.entries(storage)
    guard !entries.contains(where: { $0.name == ArchiveNames.sums }) else {
      throw ArchiveError(.complete, "\(storage.location) is complete, and is not removed")
    }
    for entry in entries where entry.kind == .file && entry.name != ArchiveNames.journal {
      try storage.remove(entry.name)
    }
    try storage.remove(ArchiveNames.journal)
    try storage.removePlace()
  }
}
