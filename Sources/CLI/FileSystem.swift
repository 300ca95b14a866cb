import Glibc

/// What commands ask the file system themselves; archives are the library's business.
enum FileSystem {
  /// Whether something stands at a path.
  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

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
