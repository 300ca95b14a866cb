internal import Glibc

/// A folder of archives, one for each of several tables, with an index.
///
/// ```
/// folder/index.json            FolderIndex
/// folder/archives/Orders/      an archive like any other
/// ```
public struct ArchiveFolder: Sendable {
  public let directory: String
  public let index: FolderIndex

  public init(directory: String, index: FolderIndex) {
    self.directory = directory
    self.index = index
  }

  /// Whether a folder of archives stands at a path, sound or not.
  public static func isAt(_ path: String) -> Bool {
    var status = stat()
    return lstat("\(path)/\(FolderIndex.fileName)", &status) == 0
      && [ArchiveNames.sums, ArchiveNames.journal].allSatisfy {
        lstat("\(path)/\($0)", &status) != 0
      }
  }

  /// Reads a folder's index. No archive is opened.
  ///
  /// - Throws: `ArchiveError`: `missing` where there is none, and what `FolderIndex.init(parsing:)` throws.
  public static func open(_ directory: String) throws(ArchiveError) -> ArchiveFolder {
    let bytes = try LocalStorage(directory: directory).contents(
      FolderIndex.fileName, limit: FolderIndex.sizeLimit)
    return ArchiveFolder(directory: directory, index: try FolderIndex(parsing: bytes.span))
  }

  /// Where a table's archive stands: made of the table's name alone.
  public static func path(of table: String, in directory: String) -> String {
    "\(directory)/\(FolderIndex.archives)/\(table)"
  }

  /// Where a table's archive stands.
  public func path(of table: String) -> String { ArchiveFolder.path(of: table, in: directory) }

  /// The storage of a table's archive.
  ///
  /// - Throws: `ArchiveError` of code `damaged` where a symbolic link, or anything but a directory, stands
  ///   on the way: a folder must not lead astray.
  public static func storage(
    of table: String, in directory: String
  ) throws(ArchiveError) -> LocalStorage {
    precondition(TableName.isValid(table), "an index has no such name")
    let path = path(of: table, in: directory)
    for place in ["\(directory)/\(FolderIndex.archives)", path] {
      var status = stat()
      guard lstat(place, &status) == 0 else {
        if errno == ENOENT { continue }
        throw .system(errno, "look at the directory", file: place)
      }
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw ArchiveError(
          .damaged, "it is not a directory, or a symbolic link to one", file: place,
          hint: "put the directory itself in its place")
      }
    }
    return LocalStorage(directory: path)
  }

  /// The archive of a table that is complete.
  ///
  /// - Throws: `ArchiveError`: what `Archive.open` throws; `damaged` where the archive is another than the
  ///   index names.
  public func archive(of table: String, _ row: FolderArchive) throws(ArchiveError) -> Archive {
    let archive = try Archive.open(try ArchiveFolder.storage(of: table, in: directory))
    guard archive.id == row.id else {
      throw ArchiveError(
        .damaged,
        "the archive \(path(of: table)) is \(archive.id.prefix(16)), and the index says "
          + String(row.id.prefix(16)),
        hint: "put the archive in its place that was dumped there")
    }
    return archive
  }

  /// What stands in the folder and is neither the index nor an archive of it, as paths below the folder.
  public func strangers() throws(ArchiveError) -> [String] {
    let own = [FolderIndex.fileName, FolderIndex.archives]
    let others = try ArchiveFolder.names(in: directory).filter { !own.contains($0) }
    return try (others + strangeArchives()).sorted()
  }

  /// What stands among the archives and is none of the index's tables, as paths below the folder.
  public func strangeArchives() throws(ArchiveError) -> [String] {
    let tables = Set(index.tables.map(\.name))
    return try ArchiveFolder.names(in: "\(directory)/\(FolderIndex.archives)")
      .filter { !tables.contains($0) }.sorted().map { "\(FolderIndex.archives)/\($0)" }
  }

  private static func names(in directory: String) throws(ArchiveError) -> [String] {
    do throws(ArchiveError) {
      // What stands in a table's directory "data" is listed too, and is no business of the folder's.
      return try LocalStorage(directory: directory).entries().map(\.name)
        .filter { !$0.utf8.contains(UInt8(ascii: "/")) }
    } catch {
      guard error.code == .missing else { throw error }
      return []
    }
  }
}

extension ArchiveError {
  /// For whoever wants an archive and is given a folder of them.
  ///
  /// - Parameter table: one of its tables, to name as an example.
  public static func folder(_ directory: String, table: String?) -> ArchiveError {
    ArchiveError(
      .notAnArchive, "\(directory) is a folder of archives, one for each of several tables",
      hint: "name one of them: \(ArchiveFolder.path(of: table ?? "TABLE", in: directory)); "
        + "dynarc info \(directory) lists them")
  }
}
