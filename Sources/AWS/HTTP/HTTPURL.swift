/// An absolute `http` or `https` address, as an endpoint or a request needs it.
///
/// The grammar is the part of RFC 3986 that AWS endpoints use: no user information, no fragment, no
/// character outside printable ASCII. What is not understood is refused, never repaired, since the
/// same text is signed, sent and shown to the user.
public struct HTTPURL: Hashable, Sendable {
  /// How the connection is made.
  public enum Scheme: String, Sendable {
    case http, https

    /// The port where none is given.
    public var defaultPort: UInt16 { self == .http ? 80 : 443 }
  }

  /// How the connection is made.
  public var scheme: Scheme
  /// A name or an IP address in lower case; an IPv6 address stands in brackets.
  public var host: String
  /// The port, the scheme's own where the text gives none.
  public var port: UInt16
  /// The path, percent-encoded as it was given, with its leading slash; `/` where there is none.
  public var path: String
  /// What stands behind the question mark, as it was given; nil without one.
  public var query: String?

  /// Parses an address.
  ///
  /// - Throws: `TransportError` with the code `invalidURL`, whose message says what is wrong.
  public init(_ text: String) throws(TransportError) {
    func refuse(_ reason: String) -> TransportError {
      TransportError(
        .invalidURL, "\"\(text)\" is no address: \(reason)",
        hint: "an address looks like https://dynamodb.eu-west-1.amazonaws.com")
    }
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw refuse("it holds a character that must be percent-encoded")
    }
    guard let mark = text.firstRange(of: "://") else {
      throw refuse("it does not start with https:// or http://")
    }
    guard let scheme = Scheme(rawValue: text[..<mark.lowerBound].lowercased()) else {
      throw refuse("the scheme must be https or http")
    }
    let rest = text[mark.upperBound...]
    guard !rest.contains("#") else { throw refuse("a fragment (#) has no meaning here") }
    let authority = rest.prefix { $0 != "/" && $0 != "?" }
    guard !authority.contains("@") else {
      throw refuse("a user name or password is not allowed in it")
    }
    let (host, portText) = HTTPURL.split(authority)
    guard let host, HTTPURL.isHost(host) else { throw refuse("the host is missing or malformed") }

    self.scheme = scheme
    self.host = host.lowercased()
    if let portText {
      guard (1...5).contains(portText.count), portText.utf8.allSatisfy(ASCII.isDigit),
        let port = UInt16(portText), port > 0
      else { throw refuse("the port must be a number from 1 to 65535") }
      self.port = port
    } else {
      self.port = scheme.defaultPort
    }
    let target = rest[authority.endIndex...]
    let path = target.prefix { $0 != "?" }
    self.path = path.isEmpty ? "/" : String(path)
    self.query =
      path.endIndex < target.endIndex ? String(target[path.endIndex...].dropFirst()) : nil
  }

  private static func split(_ authority: Substring) -> (host: Substring?, port: Substring?) {
    if authority.first == "[" {
      guard let end = authority.firstIndex(of: "]") else { return (nil, nil) }
      let behind = authority[authority.index(after: end)...]
      guard behind.isEmpty || behind.first == ":" else { return (nil, nil) }
      return (authority[...end], behind.isEmpty ? nil : behind.dropFirst())
    }
    guard let colon = authority.firstIndex(of: ":") else { return (authority, nil) }
    return (authority[..<colon], authority[authority.index(after: colon)...])
  }

  /// Letters, digits, `-`, `_` and `.` for a name; hexadecimal digits, `:` and `.` in brackets.
  private static func isHost(_ text: Substring) -> Bool {
    if text.first == "[" {
      let inner = text.dropFirst().dropLast()
      return inner.contains(":")
        && inner.utf8.allSatisfy {
          ASCII.isHexDigit($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".")
        }
    }
    return !text.isEmpty && text.utf8.count <= 253 && text.first != "." && text.first != "-"
      && !text.contains("..")
      && text.utf8.allSatisfy {
        ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
          || $0 == UInt8(ascii: ".")
      }
  }

  /// The value of the `Host` header: the port only where it is not the scheme's own (RFC 9110
  /// section 7.2). What is signed and what is sent both come from here.
  public var authority: String { port == scheme.defaultPort ? host : "\(host):\(port)" }

  /// Host and port, for messages.
  public var hostAndPort: String { "\(host):\(port)" }

  /// Whether the address names this machine: `localhost`, 127.0.0.0/8 or `::1`. Names are not
  /// resolved, so a name that merely points at it does not count.
  public var isLoopback: Bool {
    if host == "localhost" || host == "[::1]" { return true }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts[0] == "127"
      && parts.allSatisfy { $0.utf8.allSatisfy(ASCII.isDigit) && UInt8($0) != nil }
  }

  /// Whether a proxy would be the wrong one to ask: loopback, and the link-local addresses at which
  /// instances and containers get their own metadata and credentials.
  var isOfThisMachine: Bool {
    isLoopback
      || [
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "[fd00:ec2::254]", "[fd00:ec2::23]",
      ].contains(host)
  }
}

extension HTTPURL: CustomStringConvertible {
  /// The address as text, in the form that is sent.
  public var description: String {
    "\(scheme.rawValue)://\(authority)\(path)" + (query.map { "?\($0)" } ?? "")
  }
}

/// Classes of ASCII characters.
enum ASCII {
  static func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
  static func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- UInt8(ascii: "a") < 26 }
  static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLetter(byte) }
  static func isHexDigit(_ byte: UInt8) -> Bool { hexValue(byte) != nil }

  static func lowercased(_ byte: UInt8) -> UInt8 {
    byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
  }

  static func hexValue(_ byte: UInt8) -> UInt8? {
    if isDigit(byte) { return byte - UInt8(ascii: "0") }
    let letter = (byte | 0x20) &- UInt8(ascii: "a")
    return letter < 6 ? letter + 10 : nil
  }

  /// Whether two texts differ in nothing but the case of ASCII letters.
  static func equalIgnoringCase(_ one: String, _ other: String) -> Bool {
    one.utf8.count == other.utf8.count
      && zip(one.utf8, other.utf8).allSatisfy { lowercased($0) == lowercased($1) }
  }
}
