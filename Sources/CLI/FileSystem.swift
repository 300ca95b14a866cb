import Glibc

/// What commands ask the file system themselves; archives are the library's business.
enum FileSystem {
  /// Whether something stands at a path.
  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Where large temporary files go: $TMPDIR, or /var/tmp, which is less often in memory than /tmp.
  static var temporaryDirectory: String {
    if let path = getenv("TMPDIR").map({ String(cString: $0) }), !path.isEmpty { return path }
    return exists("/var/tmp") ? "/var/tmp" : "/tmp"
  }

  /// Removes files of a directory, then each of the directories that is empty now.
  static func remove(files: [String], thenEmpty directories: [String]) {
    for file in files { unlink(file) }
    for directory in directories { rmdir(directory) }
  }

  /// Whether a directory stands at a path.
  static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether a directory is another, or lies in it, links resolved.
  static func isInside(_ path: String, _ directory: String) -> Bool {
    guard let inner = resolved(path), let outer = resolved(directory) else { return false }
    return inner == outer || inner.hasPrefix(outer + "/")
  }

  private static func resolved(_ path: String) -> String? {
    guard let pointer = realpath(path, nil) else { return nil }
    defer { free(pointer) }
    return String(cString: pointer)
  }
}
