import AWS
import Glibc

/// Asks at the terminal for what must not be seen there.
enum SecretPrompt {
  /// Asks for the code of an MFA device, at the terminal itself: standard input may carry something
  /// else.
  ///
  /// - Throws: `CredentialError` with the code `needsPerson` where there is no terminal, no answer, or
  ///   the program is to end.
  static func ask(_ serial: String) async throws(CredentialError) -> String {
    let terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC)
    guard terminal >= 0 else {
      throw CredentialError(
        .needsPerson, "the code of the MFA device \(serial) is needed, and there is no terminal",
        hint: "run dynarc at a terminal, or get temporary keys first and pass them in the "
          + "environment")
    }
    defer { close(terminal) }
    var usual = termios()
    guard tcgetattr(terminal, &usual) == 0 else {
      throw CredentialError(.needsPerson, "the terminal cannot be told to hide the code")
    }
    var silent = usual
    silent.c_lflag &= ~tcflag_t(ECHO)
    tcsetattr(terminal, TCSAFLUSH, &silent)
    // On every way out: a shell without an echo is worse than no answer.
    defer { tcsetattr(terminal, TCSAFLUSH, &usual) }
    write(Terminal.printable("Code of the MFA device \(serial): "), to: terminal)
    defer { write("\n", to: terminal) }

    var waiting = pollfd(fd: terminal, events: Int16(POLLIN), revents: 0)
    while poll(&waiting, 1, 0) == 0 {
      guard !Interruption.hasCome, (try? await Task.sleep(for: .milliseconds(50))) != nil else {
        throw CredentialError(.needsPerson, "interrupted while the MFA code was asked for")
      }
    }
    var line = [UInt8](repeating: 0, count: 256)
    let count = read(terminal, &line, line.count)
    let code = String(decoding: line.prefix(max(count, 0)), as: UTF8.self)
      .filter { !$0.isWhitespace }
    guard !code.isEmpty else { throw CredentialError(.needsPerson, "no MFA code was given") }
    return code
  }

  private static func write(_ text: String, to terminal: Int32) {
    let bytes = Array(text.utf8)
    // A terminal that takes no words can still be typed at.
    _ = Glibc.write(terminal, bytes, bytes.count)
  }
}
