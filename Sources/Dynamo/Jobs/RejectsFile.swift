import AWS
import Archive
import Glibc
import JSON
import Synchronization

/// Where a job sets aside what the service refuses: lines
/// `{"reason":{"code":…,"message":…},"Item":{…}}`, the item byte for byte as in the archive, and
/// `"Keys":{…}` in its place where an item was to be deleted.
///
/// The file is made at the first rejection, under the first free name of `rejects.ndjson`,
/// `rejects-2.ndjson`, …; an older one is never touched.
public final class RejectsFile: Sendable {
  private struct State {
    var descriptor: Int32 = -1
    var path: String?
    var count = 0
  }

  private let directory: String
  private let state = Mutex(State())

  /// Creates the sink; no file yet.
  public init(directory: String) { self.directory = directory }

  /// Goes on with the file of an earlier run of the same job, where it is still there.
  func goOn(with path: String) throws(ArchiveError) {
    let problem = state.withLock { state -> Int32 in
      let descriptor = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW)
      guard descriptor >= 0 else { return 0 }
      (state.descriptor, state.path) = (descriptor, path)
      return LineFile.cutTornLine(descriptor)
    }
    guard problem == 0 else { throw failure("cut", path, problem) }
  }

  deinit { state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

  /// The file and the number of lines in it, once there is one.
  public var written: (path: String, count: Int)? {
    state.withLock { state in state.path.map { ($0, state.count) } }
  }

  func append(
    _ kind: WriteKind, _ object: Span<UInt8>, code: String, message: String
  ) throws(ArchiveError) {
    let head: JSONValue = ["code": .string(code), "message": .string(message)]
    let member = kind == .put ? #","Item":"# : #","Keys":"#
    var line = Array(#"{"reason":"#.utf8) + head.serialized() + Array(member.utf8)
    // A line break is white space between tokens, and would end the line.
    for i in object.indices {
      line.append(object[i] == 0x0A || object[i] == 0x0D ? 0x20 : object[i])
    }
    line.append(contentsOf: "}\n".utf8)
    let problem: ArchiveError? = state.withLock { state in
      do throws(ArchiveError) {
        if state.descriptor < 0 { (state.descriptor, state.path) = try openNew() }
        // A checkpoint may count the item as dealt with from now on, so it must be on the disk.
        let problem = LineFile.append(line, to: state.descriptor)
        guard problem == 0 else { throw failure("write", state.path, problem) }
        state.count += 1
        return nil
      } catch { return error }
    }
    if var problem {
      problem.message += "; the first of them was rejected for \(code): \(message)"
      throw problem
    }
  }

  /// A refusal of everything is no matter of single items; a thousand requests prove it.
  ///
  /// - Throws: `DynamoError` of code `allRejected`.
  static func checkAnyTaken(written: Int, rejected: Int) throws(DynamoError) {
    guard written == 0, rejected >= 1000 else { return }
    throw DynamoError(
      .allRejected, "the table refused the first \(rejected) items, and took none",
      hint: "see the reasons in the file of rejected items")
  }

  private func openNew() throws(ArchiveError) -> (Int32, String) {
    for number in 1...9999 {
      let path = "\(directory)/rejects\(number == 1 ? "" : "-\(number)").ndjson"
      let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
      if descriptor >= 0 { return (descriptor, path) }
      guard errno == EEXIST else { throw failure("create", path, errno) }
    }
    throw failure("create", "\(directory)/rejects.ndjson", EEXIST)
  }

  private func failure(_ verb: String, _ path: String?, _ number: Int32) -> ArchiveError {
    ArchiveError(
      .io, "cannot \(verb) the file of rejected items: \(String(cString: strerror(number)))",
      file: path, hint: "run the command where files can be written", errno: number)
  }
}
