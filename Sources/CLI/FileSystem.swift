import ArgumentParser
import Glibc

/// What commands ask the file system themselves; archives are the library's business.
enum FileSystem {
  /// Whether something stands at a path.
  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// The bytes of a small file, or of what a pipe gives.
  ///
  /// - Parameter what: what it holds, for messages.
  /// - Throws: `ValidationError` where it cannot be read, or has more than `limit` bytes.
  static func contents(_ path: String, limit: Int, what: String) throws -> [UInt8] {
    guard let file = fopen(path, "re") else {
      throw ValidationError("cannot read \(path): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    let count = fread(&bytes, 1, bytes.count, file)
    guard ferror(file) == 0, count <= limit else {
      throw ValidationError("\(path) cannot be read, or is larger than any \(what)")
    }
    return Array(bytes[..<count])
  }

  /// Where large temporary files go: $TMPDIR, or /var/tmp, which is less often in memory than /tmp.
  static var temporaryDirectory: String {
    if let path = getenv("TMPDIR").map({ String(cString: $0) }), !path.isEmpty { return path }
    return exists("/var/tmp") ? "/var/tmp" : "/tmp"
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
