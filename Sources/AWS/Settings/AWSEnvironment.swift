import Glibc

/// What AWS tools read from the process that runs them: variables, the home directory, files.
/// Injected everywhere, so that tests and library users bring their own.
public struct AWSEnvironment: Sendable {
  /// The environment's variables.
  public var variables: [String: String]
  /// What `~` stands for; nil where the process has no home.
  public var home: String?
  /// The bytes of a file; nil where there is none.
  public var readFile: @Sendable (_ path: String) throws(ConfigurationError) -> [UInt8]?

  /// Creates an environment.
  public init(
    variables: [String: String], home: String?,
    readFile: @escaping @Sendable (_ path: String) throws(ConfigurationError) -> [UInt8]?
  ) {
    self.variables = variables
    self.home = home
    self.readFile = readFile
  }

  /// A variable's value; nil where it is unset or empty, which AWS tools treat alike.
  public subscript(name: String) -> String? {
    variables[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// A variable that switches something on: `true` in any case. Other values leave it off.
  public func isTrue(_ name: String) -> Bool { self[name]?.lowercased() == "true" }

  /// The path with a leading `~` replaced.
  public func expand(_ path: String) -> String {
    guard path == "~" || path.hasPrefix("~/"), let home else { return path }
    return home + path.dropFirst()
  }

  /// The environment of this process, as it is now.
  public static func ofProcess() -> AWSEnvironment {
    var variables: [String: String] = [:]
    var entry = environ
    while let text = entry.pointee {
      let parts = String(cString: text).split(
        separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if parts.count == 2 { variables[String(parts[0])] = String(parts[1]) }
      entry += 1
    }
    let home = variables["HOME"].flatMap { $0.isEmpty ? nil : $0 } ?? homeOfUser()
    return AWSEnvironment(variables: variables, home: home) { path throws(ConfigurationError) in
      try read(path)
    }
  }

  private static func homeOfUser() -> String? {
    var entry = passwd()
    var found: UnsafeMutablePointer<passwd>?
    var text = [CChar](repeating: 0, count: 16 << 10)
    return text.withUnsafeMutableBufferPointer { text in
      guard let base = text.baseAddress,
        getpwuid_r(getuid(), &entry, base, text.count, &found) == 0, found != nil,
        let directory = entry.pw_dir
      else { return nil }
      return String(cString: directory)
    }
  }

  /// A configuration file is short; what is longer than this is something else.
  private static let longestFile = 16 << 20

  private static func read(_ path: String) throws(ConfigurationError) -> [UInt8]? {
    func refuse(_ reason: String) -> ConfigurationError {
      ConfigurationError(.unreadable, "the file could not be read: \(reason)", file: path)
    }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw refuse(String(cString: strerror(errno)))
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw refuse(String(cString: strerror(errno))) }
      if count == 0 { return bytes }
      bytes += chunk[..<count]
      guard bytes.count <= longestFile else { throw refuse("it is too long") }
    }
  }
}

/// Why region, endpoint or profile could not be determined.
public struct ConfigurationError: Error, Equatable, Sendable {
  /// The kind of failure. More may come; switch with a `default`.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A file is there and cannot be read.
    public static let unreadable = Code(rawValue: "unreadable")
    /// A file does not hold to the format.
    public static let malformed = Code(rawValue: "malformed")
    /// The profile asked for is in no file.
    public static let noSuchProfile = Code(rawValue: "no-such-profile")
    /// A setting has a value that cannot be used.
    public static let invalidValue = Code(rawValue: "invalid-value")
    /// Nothing names a region.
    public static let noRegion = Code(rawValue: "no-region")
    /// Plain HTTP to another machine.
    public static let plainHTTP = Code(rawValue: "plain-http")
  }

  /// The kind of failure.
  public var code: Code
  /// What happened, in one sentence without a full stop.
  public var message: String
  /// The file, where one is concerned.
  public var file: String?
  /// The line in it, from 1.
  public var line: Int?
  /// What to do next.
  public var hint: String?

  /// Creates an error.
  public init(
    _ code: Code, _ message: String, file: String? = nil, line: Int? = nil, hint: String? = nil
  ) {
    self.code = code
    self.message = message
    self.file = file
    self.line = line
    self.hint = hint
  }
}

extension ConfigurationError: CustomStringConvertible {
  /// `~/.aws/config:12: what happened`
  public var description: String {
    (file.map { file in file + (line.map { ":\($0)" } ?? "") + ": " } ?? "") + message
  }
}
