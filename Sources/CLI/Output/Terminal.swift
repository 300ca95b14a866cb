// How dynarc talks, in one place:
//   stdout carries data and nothing else: items, reports, --json.
//   stderr carries talk: progress, notes, and errors as
//     dynarc: error: what happened, and where
//     dynarc: hint: what to do next
//   Exit codes: 0 done; 1 damage or differences found, or no such item (get); 2 wrong usage; 3 failed;
//   4 stopped part-way or items rejected; 130 interrupted. diff ends as diff(1) does: 2 is trouble of any kind.
import Archive
import Glibc
import JSON
import Synchronization

/// Exit codes beyond 0.
enum ExitStatus {
  static let found: Int32 = 1
  /// What get ends with where there is no such item.
  static let notFound: Int32 = 1
  static let usage: Int32 = 2
  /// What diff ends with where it could not compare.
  static let trouble: Int32 = 2
  static let failed: Int32 = 3
  static let partial: Int32 = 4
  static let interrupted: Int32 = 130
}

/// A command's own way to end with a code after it has said all there is to say.
struct EndWith: Error {
  var status: Int32
}

enum Terminal {
  static let standardErrorIsTTY = isatty(STDERR_FILENO) == 1
  static let standardOutputIsTTY = isatty(STDOUT_FILENO) == 1
  /// Columns of the terminal on stdout; nil where there is none.
  static var outputColumns: Int? { standardOutputIsTTY ? columns(of: STDOUT_FILENO) ?? 80 : nil }
  /// Whether colours are wanted on stdout: a terminal that has them, and nobody who set NO_COLOR.
  static let standardOutputHasColour =
    standardOutputIsTTY && getenv("NO_COLOR") == nil
    && getenv("TERM").map { String(cString: $0) } != "dumb"
  static let standardInputIsTTY = isatty(STDIN_FILENO) == 1

  /// Columns of a terminal at this moment; nil where it does not tell.
  static func columns(of descriptor: Int32) -> Int? {
    var size = winsize()
    guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// A line of talk.
  static func say(_ text: String) { ProgressLine.shared.print(printable(text)) }

  /// The text without control characters and those that turn the direction of writing: names and messages
  /// come from archives and servers, and a terminal must not obey them.
  static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isControl) else { return text }
    var clean = ""
    for scalar in text.unicodeScalars {
      if isControl(scalar) {
        clean += "\\u{\(String(scalar.value, radix: 16))}"
      } else {
        clean.unicodeScalars.append(scalar)
      }
    }
    return clean
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    if scalar.value < 0x80 { return scalar.value < 0x20 && scalar != "\n" || scalar.value == 0x7F }
    return scalar.properties.generalCategory == .control || scalar.properties.isBidiControl
  }

  static func warn(_ text: String) { say("dynarc: warning: \(text)") }

  /// Says that an archive which was being written is of no use, where it cannot be gone on with.
  static func warnUnfinished(_ path: String) {
    warn("\(path) is unfinished and cannot be gone on with; remove it, and begin anew")
  }

  static func error(_ text: String, hint: String?) {
    say("dynarc: error: \(text)")
    if let hint { say("dynarc: hint: \(hint)") }
  }

  /// Asks a question that is answered with yes or no.
  ///
  /// - Throws: `CancellationError` when a signal comes first.
  static func confirm(_ question: String) throws -> Bool {
    let answer = try ask("\(question) [y/N] ")?.lowercased()
    return answer == "y" || answer == "yes"
  }

  /// Asks for a line; nil where there is none.
  ///
  /// - Throws: `CancellationError` when a signal comes first.
  static func ask(_ question: String) throws -> String? {
    ProgressLine.shared.write(printable(question))
    var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
    while poll(&waiting, 1, 50) <= 0 {
      // A line that is being read for cannot be given up, so that none is read for before it is there.
      guard !Interruption.hasCome else {
        say("")
        throw CancellationError()
      }
    }
    return readLine(strippingNewline: true)
  }

  /// Writes data to stdout.
  ///
  /// - Throws: `ArchiveError` of code `io`; a reader that has gone away ends the process as it ends
  ///   cat(1), by SIGPIPE.
  static func output(_ bytes: Span<UInt8>) throws(ArchiveError) {
    var start = 0
    while start < bytes.count {
      let count = bytes.withUnsafeBytes {
        write(STDOUT_FILENO, $0.baseAddress.map { $0 + start }, bytes.count - start)
      }
      if count < 0, errno == EINTR { continue }
      if count < 0, errno == EPIPE {
        signal(SIGPIPE, SIG_DFL)
        raise(SIGPIPE)
      }
      guard count >= 0 else {
        throw ArchiveError(
          .io, "cannot write to standard output: \(String(cString: strerror(errno)))", errno: errno)
      }
      start += count
    }
  }

  /// Writes lines of JSON, which a terminal must not obey: what it would is escaped there as JSON has it.
  static func output(lines: Span<UInt8>) throws(ArchiveError) {
    guard standardOutputIsTTY else { return try output(lines) }
    try output(escaped(lines).span)
  }

  /// JSON lines without what `printable` leaves out of text and JSON allows in strings as it is.
  private static func escaped(_ lines: Span<UInt8>) -> [UInt8] {
    let bytes = lines.withUnsafeBytes { Array($0) }
    // What an archive or an answer holds has been checked to be UTF-8.
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.unicodeScalars.contains(where: isControl) else { return bytes }
    var clean = ""
    for scalar in text.unicodeScalars {
      guard isControl(scalar) else {
        clean.unicodeScalars.append(scalar)
        continue
      }
      let digits = String(scalar.value, radix: 16)
      clean += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
    return Array(clean.utf8)
  }

  static func output(_ text: String) throws(ArchiveError) {
    try output(Array((printable(text) + "\n").utf8).span)
  }

  static func output(_ json: JSONValue) throws(ArchiveError) {
    try output((json.serialized(pretty: true) + [0x0A]).span)
  }
}

/// The one line that moves on a TTY, and everything that is printed above it.
final class ProgressLine: Sendable {
  static let shared = ProgressLine()
  private let shown = Mutex(false)

  /// Columns left free behind the moving line. What is wider than the terminal would wrap, and could not
  /// be taken away again; and so would the `^C` that it echoes for a Ctrl-C.
  private static let margin = 3

  /// Replaces the moving line.
  func update(_ text: String) {
    shown.withLock { shown in
      raw(
        "\r\u{1B}[2K"
          + text.prefix((Terminal.columns(of: STDERR_FILENO) ?? 80) - ProgressLine.margin))
      shown = true
    }
  }

  /// Takes the moving line away.
  func clear() {
    shown.withLock { shown in
      if shown { raw("\r\u{1B}[2K") }
      shown = false
    }
  }

  /// Prints a line that stays.
  func print(_ text: String) { write(text + "\n") }

  /// Prints text that stays.
  func write(_ text: String) {
    shown.withLock { shown in
      raw((shown ? "\r\u{1B}[2K" : "") + text)
      shown = false
    }
  }

  private func raw(_ text: String) {
    let bytes = Array(text.utf8)
    var start = 0
    while start < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(STDERR_FILENO, $0.baseAddress.map { $0 + start }, bytes.count - start)
      }
      // Nobody listens: talk is not worth failing for.
      if count < 0, errno != EINTR { return }
      start += max(count, 0)
    }
  }
}
