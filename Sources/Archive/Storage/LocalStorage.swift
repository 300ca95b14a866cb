internal import Glibc

/// An archive in a directory of this machine.
///
/// Directories are created 0700 and files 0600: it is production data. No symbolic link is ever
/// followed below the archive's own directory, so that an archive cannot lead a reader astray.
public struct LocalStorage: WritableStorage {
  /// The path of the archive's directory.
  public let directory: String
  public var location: String { directory }

  public init(directory: String) { self.directory = directory }

  public func prepare() throws(ArchiveError) {
    try makeRoot()
    try repair()
  }

  /// Creates the directory, empty.
  ///
  /// - Throws: `ArchiveError`; code `exists`, or `unsupported` where it would lie in an archive.
  func makeRoot() throws(ArchiveError) {
    guard mkdir(directory, 0o700) == 0 else {
      var error = ArchiveError.system(errno, "create the directory \(directory)")
      if error.code == .exists {
        error.message = "\(directory) exists already, and an archive is never overwritten"
        error.hint = "choose another name, or remove it first"
      } else if error.code == .missing {
        error.hint = "create its parent directory first"
      }
      throw error
    }
    do throws(ArchiveError) { try refuseArchiveAround() } catch {
      rmdir(directory)
      throw error
    }
  }

  /// A directory in a finished archive, or in its `data`, would be damage to it.
  private func refuseArchiveAround() throws(ArchiveError) {
    for (place, child) in [("/..", "/."), ("/../..", "/..")] {
      let around = directory + place
      let isArchive = [ArchiveNames.sums, ArchiveNames.journal].contains {
        access("\(around)/\($0)", F_OK) == 0
      }
      let isWithin =
        child == "/." || LocalStorage.isSame("\(around)/\(ArchiveNames.data)", directory + child)
      guard isArchive, isWithin else { continue }
      throw ArchiveError(
        .unsupported, "\(directory) would lie inside an archive, which holds its own files only",
        hint: "choose a place outside it")
    }
  }

  private static func isSame(_ one: String, _ other: String) -> Bool {
    var (first, second) = (stat(), stat())
    return stat(one, &first) == 0 && stat(other, &second) == 0 && first.st_ino == second.st_ino
      && first.st_dev == second.st_dev
  }

  public func repair() throws(ArchiveError) { try makeChild("data") }

  /// Creates a directory in it unless it is there, and makes both durable.
  func makeChild(_ name: String) throws(ArchiveError) {
    let root = try openRoot()
    guard mkdirat(root.number, name, 0o700) == 0 || errno == EEXIST else {
      throw .system(errno, "create the directory", file: name)
    }
    try root.syncDirectory(file: directory)
    let number = Glibc.open(directory + "/..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    // A directory that one may write into but not read cannot be opened to be synced.
    if number < 0, errno == EACCES { return }
    let parent = try Descriptor(number, "open the directory around \(directory)", file: nil)
    try parent.syncDirectory(file: directory + "/..")
  }

  public func entries() throws(ArchiveError) -> [StorageEntry] {
    let root = try openRoot()
    var found = try list(root, prefix: "")
    if found.contains(where: { $0.name == "data" && $0.kind == .directory }) {
      found += try list(try openData(root), prefix: "data/")
    }
    return found
  }

  public func open(_ name: String) throws(ArchiveError) -> any StorageReader {
    let place = try Place(name, in: self)
    return try LocalReader(place, name)
  }

  public func create(_ name: String) throws(ArchiveError) -> any StorageWriter {
    try LocalWriter(Place(name, in: self), name)
  }

  public func append(_ name: String) throws(ArchiveError) -> any StorageAppender {
    try LocalAppender(creating: Place(name, in: self), name)
  }

  public func resume(_ name: String) throws(ArchiveError) -> any StorageAppender {
    try LocalAppender(resuming: Place(name, in: self), name)
  }

  public func remove(_ name: String) throws(ArchiveError) {
    let place = try Place(name, in: self)
    guard unlinkat(place.directory.number, place.leaf, 0) == 0 else {
      throw .system(errno, "remove the file", file: name)
    }
    try place.directory.syncDirectory(file: name)
  }

  public func removePlace() throws(ArchiveError) {
    for path in ["\(directory)/data", directory] {
      guard rmdir(path) == 0 || errno == ENOENT else {
        throw .system(errno, "remove the directory \(path)")
      }
    }
  }

  func openRoot() throws(ArchiveError) -> Descriptor {
    let number = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard number >= 0 else {
      var error = ArchiveError.system(errno, "open the directory \(directory)")
      if error.errno == ENOTDIR {
        error = ArchiveError(.notAnArchive, "\(directory) is not a directory", errno: ENOTDIR)
      }
      throw error
    }
    return try Descriptor(number, "open the directory", file: nil)
  }

  fileprivate func openData(_ root: borrowing Descriptor) throws(ArchiveError) -> Descriptor {
    let number = openat(root.number, "data", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    // ENOTDIR is what Linux says of a symbolic link here.
    if number < 0, errno == ELOOP || errno == ENOTDIR {
      throw ArchiveError(.damaged, "it is not a directory, or a symbolic link to one", file: "data")
    }
    return try Descriptor(number, "open the directory", file: "data")
  }

  private func list(
    _ directory: borrowing Descriptor, prefix: String
  ) throws(ArchiveError) -> [StorageEntry] {
    // fdopendir takes a descriptor over, and the caller goes on to need its own.
    let own = openat(directory.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard own >= 0, let stream = fdopendir(own) else {
      let reason = errno
      if own >= 0 { _ = close(own) }
      throw .system(reason, "list the directory", file: prefix)
    }
    defer { closedir(stream) }
    var found: [StorageEntry] = []
    while true {
      errno = 0
      guard let entry = readdir(stream) else { break }
      let leaf = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if leaf == "." || leaf == ".." { continue }
      var status = stat()
      guard fstatat(directory.number, leaf, &status, AT_SYMLINK_NOFOLLOW) == 0 else {
        throw .system(errno, "look at the file", file: prefix + leaf)
      }
      let kind: StorageEntry.Kind =
        switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .directory
        default: .other
        }
      found.append(StorageEntry(name: prefix + leaf, kind: kind, size: Int(status.st_size)))
    }
    guard errno == 0 else { throw .system(errno, "list the directory", file: prefix) }
    return found
  }
}

/// The directory a file stands in, open, and the file's name in it.
struct Place: ~Copyable, Sendable {
  let directory: Descriptor
  let leaf: String

  init(_ name: String, in storage: LocalStorage) throws(ArchiveError) {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    // Bytes are asked, since the system takes them so: a slash may be part of a longer Character.
    guard let leaf = parts.last, !leaf.isEmpty, leaf != ".", leaf != "..",
      !leaf.utf8.contains(where: { $0 == 0 || $0 == UInt8(ascii: "/") }),
      parts.count == 1 || parts.count == 2 && parts[0] == "data"
    else { throw ArchiveError(.damaged, "no file of an archive can have this name", file: name) }
    let root = try storage.openRoot()
    directory = parts.count == 1 ? root : try storage.openData(root)
    self.leaf = String(leaf)
  }

  /// The name a file has before it is committed.
  var temporaryLeaf: String { ArchiveNames.temporary(leaf) }
}
