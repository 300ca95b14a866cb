import Glibc

/// What commands ask the file system themselves; archives are the library's business.
enum FileSystem {
  /// Whether something stands at a path.
  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}
