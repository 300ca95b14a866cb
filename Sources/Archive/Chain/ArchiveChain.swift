internal import Digest

/// A snapshot and the changes made to it since, in their order. Together they hold the items of the last
/// state, without anybody having written these down as a whole.
///
/// Every state has names: the id of a snapshot that holds it, the id of an archive of changes behind
/// which there it is, and the ids that either of the two gives for the same items. An archive of changes
/// follows on a state if it starts from one of its names (format-spec.md, section 4.6).
public struct ArchiveChain: Sendable {
  /// Archives of changes that a chain can have.
  static let limit = Int(UInt16.max)

  /// The snapshot.
  public let base: Archive
  /// The archives of changes, the oldest first.
  public let changes: [Archive]
  /// Names of the last state; the first is the id of the last archive.
  public let names: [String]
  /// Items of the last state.
  public let items: Int

  /// Checks that each archive follows on the one before.
  ///
  /// - Throws: `ArchiveError`: `brokenChain` where one does not follow, `unsupported` for archives of
  ///   the wrong kind and for changes that tell of a part of the items only, `usage` where keys differ,
  ///   `damaged` where an archive follows by name and contradicts the number of items.
  public init(_ base: Archive, _ changes: [Archive] = []) throws(ArchiveError) {
    guard base.manifest.changes == nil else {
      throw ArchiveError(
        .unsupported, "\(base.storage.location) holds changes, and not the items they start from",
        hint: "name the snapshot that they start from, and then the changes (dynarc load SNAPSHOT "
          + "--changes CHANGES), or bring them to a table by dynarc apply")
    }
    var state = ChainState(base)
    for archive in changes { state = try state.after(archive) }
    for archive in changes.isEmpty ? [] : [base] + changes {
      guard let reason = archive.manifest.partialBecause else { continue }
      throw ArchiveError(
        .unsupported,
        "\(archive.storage.location) holds only a part of each item: \(reason)",
        hint: "parts of items would stand beside whole ones; dump whole items, without a projection"
      )
    }
    guard changes.count <= ArchiveChain.limit else {
      throw ArchiveError(
        .unsupported, "a chain has at most \(ArchiveChain.limit) archives of changes",
        hint: "merge some of them by dynarc merge")
    }
    self.base = base
    self.changes = changes
    names = state.names
    items = state.items
  }

  /// What names the chain as it is cut into archives; the snapshot's own id where there is no change.
  public var id: String {
    guard !changes.isEmpty else { return base.id }
    let text = archives.map { "\($0.id)\n" }.joined()
    return SHA256.digest(of: Array(text.utf8).span.bytes).description
  }

  /// All archives, in their order.
  public var archives: [Archive] { [base] + changes }

  /// The manifest that tells of the last state's table, settings and times.
  public var last: Manifest { (changes.last ?? base).manifest }

  /// Bytes of the lines of all archives; the largest number where manifests claim more than that.
  public var contentBytes: Int {
    archives.reduce(0) { sum, archive in
      let (next, overflow) = sum.addingReportingOverflow(archive.manifest.counts.contentBytes)
      return overflow ? .max : next
    }
  }

  /// Every chunk of every archive.
  public var parts: [ArchivePart] {
    archives.enumerated().flatMap { place, archive in archive.parts(place: place) }
  }

  /// Checks every file of every archive, as `Archive.checkStored` does.
  ///
  /// - Throws: `ArchiveError` for the first that is not as it should be.
  public func checkStored() throws(ArchiveError) {
    guard !changes.isEmpty else { return try base.checkStored() }
    for archive in archives {
      do throws(ArchiveError) { try archive.checkStored() } catch {
        throw error.located(in: archive)
      }
    }
  }

  /// Compares what is there of all archives with what should be, by names, kinds and sizes of files.
  ///
  /// - Throws: `ArchiveError` for the first that is not.
  func checkEntries() throws(ArchiveError) {
    for archive in archives {
      if let problem = try archive.entryProblems(.quick).first {
        throw problem.located(in: archive)
      }
    }
  }
}

/// A chunk of one of several archives.
public struct ArchivePart: Sendable {
  public let archive: Archive
  /// The archive's place in its chain: 0 for the snapshot, and for an archive by itself.
  public let place: Int
  public let row: ChunkRow

  /// What it is called among all chunks of the chain.
  public var name: String { place == 0 ? row.name : "\(place):\(row.name)" }

  /// A reader of its lines; errors say of which archive it is.
  func reader() throws(ArchiveError) -> ChunkReader {
    do throws(ArchiveError) { return try archive.chunk(row) } catch {
      throw error.located(in: archive)
    }
  }

  /// Reads the next lines; errors say of which archive they are.
  func next(_ reader: inout ChunkReader) throws(ArchiveError) -> Bool {
    do throws(ArchiveError) { return try reader.next() } catch {
      throw error.located(in: archive)
    }
  }
}

extension Archive {
  /// The archive's chunks.
  public func parts(place: Int = 0) -> [ArchivePart] {
    manifest.chunks.map { ArchivePart(archive: self, place: place, row: $0) }
  }
}

extension ArchiveError.Code {
  /// An archive of changes does not start from the state before it.
  public static let brokenChain = Self(rawValue: "broken-chain")
}

extension ArchiveError {
  /// The error where several archives are read, so that one has to be told from the others.
  func located(in archive: Archive) -> ArchiveError {
    var error = self
    error.file = file.map { "\(archive.storage.location)/\($0)" } ?? archive.storage.location
    return error
  }
}

/// The items behind one archive of a chain, by what is said of them.
private struct ChainState {
  var names: [String]
  var items: Int
  let key: KeySchema
  /// The archive behind which it is.
  let location: String

  /// The state that a snapshot holds.
  init(_ base: Archive) {
    names = [base.id] + base.manifest.sameItemsAs
    items = base.manifest.counts.items
    key = base.manifest.table.key
    location = base.storage.location
  }

  /// The state behind an archive of changes.
  private init(_ archive: Archive, _ to: ChangesSide) {
    names = [archive.id]
    for name in to.names where !names.contains(name) { names.append(name) }
    items = to.items
    key = archive.manifest.table.key
    location = archive.storage.location
  }

  func after(_ archive: Archive) throws(ArchiveError) -> ChainState {
    let name = archive.storage.location
    guard let changes = archive.manifest.changes else {
      throw ArchiveError(
        .unsupported, "\(name) is a snapshot, and not changes that could follow on \(location)",
        hint: "name one snapshot, and behind it the archives of changes")
    }
    guard archive.manifest.table.key == key else {
      throw ArchiveError(
        .usage,
        "the keys differ: \(location) has \(key.typedWords), \(name) has "
          + archive.manifest.table.key.typedWords,
        hint: "changes follow on a snapshot of the same table")
    }
    let from = changes.from
    guard from.names.contains(where: names.contains) else { throw notFollowing(name, from) }
    guard from.items == items else {
      guard let slice = from.slice else {
        throw ArchiveError(
          .damaged,
          "\(name) leads from \(from.items) items, and behind \(location) there are \(items)",
          hint: "make the changes anew")
      }
      throw ArchiveError(
        .unsupported, "\(name) holds only what changed where \(slice), and \(location) holds more",
        hint:
          "make the changes without a condition on the key, or bring them to a table by dynarc apply"
      )
    }
    if let slice = changes.to.slice, changes.to.archiveID != nil {
      throw ArchiveError(
        .unsupported,
        "\(name) leads to the part of an archive where \(slice), which is no whole state",
        hint:
          "make the changes without a condition on the key, or bring them to a table by dynarc apply"
      )
    }
    return ChainState(archive, changes.to)
  }

  private func notFollowing(_ name: String, _ from: ChangesSide) -> ArchiveError {
    let start =
      from.names.isEmpty
      ? "\(name) starts from a live table, and from no archive"
      : "\(name) starts from archive \(ChainState.words(from.names))"
    return ArchiveError(
      .brokenChain, "\(start), and \(location) is \(ChainState.words(names))",
      hint:
        "name the snapshot first, then every archive of changes in the order in which they were "
        + "made; dynarc info tells from what and to what each one leads")
  }

  private static func words(_ names: [String]) -> String {
    names.map { String($0.prefix(16)) }.joined(separator: " or ")
  }
}
