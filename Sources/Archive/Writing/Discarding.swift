extension ArchiveWriter {
  /// Removes the unfinished archive: all that a dump leaves behind, and nothing else. Nothing may be written
  /// into it any more. The journal stays locked until all is gone, so that nobody goes on with it.
  ///
  /// - Throws: `ArchiveError`: `complete` for a finished archive, `foreign` for files that no dump writes,
  ///   and what the storage throws. But for the last, nothing has been removed then.
  package func discard() throws(ArchiveError) {
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
