internal import Digest

/// A finished archive, opened for reading.
public struct Archive: Sendable {
  public let storage: any ReadableStorage
  public let manifest: Manifest
  /// The digests of all files.
  public let sums: Sums
  /// The SHA-256 of SHA256SUMS in hexadecimal digits: it names the archive, wherever it lies.
  public let id: String

  /// Opens an archive: reads SHA256SUMS and the manifest and checks that they agree.
  ///
  /// - Throws: `ArchiveError`: `notAnArchive` and `missing` where there is none, `unfinished` for a
  ///   dump that was not committed, `unsupported`, `damaged`, or what the storage throws.
  public static func open(_ storage: any ReadableStorage) throws(ArchiveError) -> Archive {
    let sumsText: [UInt8]
    do throws(ArchiveError) {
      sumsText = try storage.contents(ArchiveNames.sums, limit: Sums.sizeLimit)
    } catch {
      guard error.code == .missing else { throw error }
      throw try notFinished(storage)
    }
    let sums = try Sums(parsing: sumsText.span)
    guard let manifestDigest = sums.digests[ArchiveNames.manifest] else {
      throw ArchiveError(
        .damaged, "it does not name \(ArchiveNames.manifest)", file: ArchiveNames.sums)
    }
    let text = try present(ArchiveNames.manifest) { () throws(ArchiveError) in
      try storage.contents(ArchiveNames.manifest, limit: Manifest.sizeLimit)
    }
    guard SHA256.digest(of: text.span.bytes).description == manifestDigest else {
      throw ArchiveError(
        .damaged, "its SHA-256 is not the one in \(ArchiveNames.sums)", file: ArchiveNames.manifest)
    }
    let manifest = try Manifest(parsing: text.span)
    try check(manifest, sums)
    return Archive(
      storage: storage, manifest: manifest, sums: sums,
      id: SHA256.digest(of: sumsText.span.bytes).description)
  }

  private static func notFinished(
    _ storage: any ReadableStorage
  ) throws(ArchiveError) -> ArchiveError {
    let names: [String]
    do throws(ArchiveError) { names = try storage.entries().map(\.name) } catch {
      guard error.code == .missing else { throw error }
      return ArchiveError(
        .notAnArchive, "there is no archive at \(storage.location)", hint: "check the path")
    }
    if names.contains(FolderIndex.fileName), names.contains(FolderIndex.archives) {
      let index = try? storage.contents(FolderIndex.fileName, limit: FolderIndex.sizeLimit)
      let tables = index.flatMap { try? FolderIndex(parsing: $0.span) }?.tables
      return .folder(storage.location, table: tables?.first?.name)
    }
    let traces = [ArchiveNames.journal, ArchiveNames.manifest, ArchiveNames.data]
    guard names.contains(where: traces.contains) else {
      return ArchiveError(
        .notAnArchive, "\(storage.location) is no archive: it has no \(ArchiveNames.sums)",
        hint: "name the directory that a dump wrote")
    }
    return ArchiveError(
      .unfinished,
      "\(storage.location) is an unfinished dump: it has no \(ArchiveNames.sums)",
      hint: names.contains(ArchiveNames.journal)
        ? "go on with it by dynarc dump --resume; dynarc info tells how far it is"
        : "if this is a copy, it is not complete; copy the archive again; what diff, merge or dump --base "
          + "was stopped at cannot be gone on with: remove it, and begin anew")
  }

  private static func check(_ manifest: Manifest, _ sums: Sums) throws(ArchiveError) {
    for row in manifest.chunks {
      guard let digest = sums.digests[row.name] else {
        throw ArchiveError(
          .damaged, "it does not name \(row.name), which the manifest does", file: ArchiveNames.sums
        )
      }
      guard digest == row.sha256.description else {
        throw ArchiveError(
          .damaged, "the SHA-256 of \(row.name) is not the one in \(ArchiveNames.sums)",
          file: ArchiveNames.manifest)
      }
    }
    guard sums.digests.count == manifest.chunks.count + 1 else {
      let known = Set(manifest.chunks.map(\.name) + [ArchiveNames.manifest])
      let extra = sums.digests.keys.filter { !known.contains($0) }.min() ?? ""
      throw ArchiveError(
        .damaged, "it names \(extra), which the manifest does not", file: ArchiveNames.sums)
    }
  }

  /// A reader of a chunk's lines.
  ///
  /// - Parameter storedIsChecked: whether `checkStored` has just found the file as it should be; its
  ///   digest is not computed once more then, the content's is.
  public func chunk(
    _ row: ChunkRow, storedIsChecked: Bool = false
  ) throws(ArchiveError) -> ChunkReader {
    let file = try Archive.openStored(row, in: storage)
    return try ChunkReader(
      file, row, key: manifest.requiredKey, changes: manifest.changes,
      storedIsChecked: storedIsChecked)
  }

  static func openStored(
    _ row: ChunkRow, in storage: any ReadableStorage
  ) throws(ArchiveError) -> any StorageReader {
    try present(row.name) { () throws(ArchiveError) in try storage.open(row.name) }
  }

  // A file that SHA256SUMS names and that is not there is damage.
  private static func present<Value>(
    _ name: String, _ read: () throws(ArchiveError) -> Value
  ) throws(ArchiveError) -> Value {
    do throws(ArchiveError) { return try read() } catch {
      guard error.code == .missing else { throw error }
      throw ArchiveError(
        .damaged, "the file is missing", file: name, hint: "copy the archive again, complete")
    }
  }

  /// Checks every chunk's file: that it is there, of the declared size, with the declared SHA-256,
  /// and that there is no other.
  ///
  /// - Parameter progress: gets the bytes of each step.
  /// - Throws: `ArchiveError` for the first that is not.
  public func checkStored(progress: (Int) -> Void = { _ in }) throws(ArchiveError) {
    if let problem = try entryProblems(.full).first { throw problem }
    for row in manifest.chunks { try checkStored(row, progress: progress) }
  }

  /// Checks one chunk's file.
  public func checkStored(
    _ row: ChunkRow, progress: (Int) -> Void = { _ in }
  ) throws(ArchiveError) {
    try Archive.checkStored(row, in: storage, progress: progress)
  }

  static func checkStored(
    _ row: ChunkRow, in storage: any ReadableStorage, progress: (Int) -> Void = { _ in }
  ) throws(ArchiveError) {
    let file = try openStored(row, in: storage)
    guard file.size == row.storedBytes else {
      throw ArchiveError(
        .damaged, "the file has \(file.size) bytes, not \(row.storedBytes)", file: row.name)
    }
    let buffer = RawBuffer(byteCount: 128 << 10)
    var hash = SHA256()
    while true {
      let read = try file.read(into: buffer.bytes)
      if read == 0 { break }
      hash.update(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: buffer.bytes[..<read])))
      progress(read)
    }
    guard hash.finish() == row.sha256 else {
      throw ArchiveError(
        .damaged, "the file's SHA-256 is not the one in the manifest", file: row.name,
        hint: "restore the file from a copy; its SHA-256 must be \(row.sha256)")
    }
  }
}
