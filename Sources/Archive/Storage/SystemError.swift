internal import Glibc

extension ArchiveError {
  /// A failure of the operating system.
  ///
  /// - Parameters:
  ///   - number: `errno` right behind the call.
  ///   - doing: what was tried, to stand behind "cannot".
  static func system(_ number: Int32, _ doing: String, file: String? = nil) -> ArchiveError {
    let reason = String(cString: strerror(number))
    return ArchiveError(
      code(number), "cannot \(doing): \(reason)", file: file, hint: hint(number), errno: number)
  }

  private static func code(_ number: Int32) -> Code {
    switch number {
    case ENOENT: .missing
    case EEXIST: .exists
    default: .io
    }
  }

  private static func hint(_ number: Int32) -> String? {
    switch number {
    case ENOSPC, EDQUOT: "free some space, or choose a directory on another disk"
    case EACCES, EPERM: "check who owns the directory and its parents, and their permissions"
    case EROFS: "the file system is mounted read-only; choose another directory"
    case EMFILE, ENFILE: "too many files are open; raise the limit (ulimit -n)"
    default: nil
    }
  }
}
