/// The profiles of AWS's `config` and `credentials` files together.
public struct SharedConfig: Sendable {
  /// One profile. Settings are looked up in the credentials file first.
  public struct Profile: Sendable {
    /// Its name.
    public let name: String
    var config: ConfigFile.Section?
    var credentials: ConfigFile.Section?

    /// A setting's value; nil where it is absent, empty, or has settings of its own.
    public subscript(setting: String) -> String? {
      Profile.text(credentials, setting) ?? Profile.text(config, setting)
    }

    static func text(_ section: ConfigFile.Section?, _ setting: String) -> String? {
      guard case .text(let text) = section?[setting], !text.isEmpty else { return nil }
      return text
    }
  }

  /// Which profile is in effect, and who says so.
  public struct Selection: Equatable, Sendable {
    /// Who chose.
    public enum Origin: Equatable, Sendable {
      /// A flag or an address; it also takes the environment's keys out of the game.
      case explicit
      /// A variable of this name.
      case variable(String)
      /// Nobody: the profile called default, which need not exist.
      case fallback
    }

    public let name: String
    public let origin: Origin

    /// Chooses as AWS tools do: what the caller names, AWS_PROFILE, AWS_DEFAULT_PROFILE, `default`.
    public init(explicit: String?, environment: AWSEnvironment) {
      if let explicit {
        (name, origin) = (explicit, .explicit)
      } else if let variable = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"].first(where: {
        environment[$0] != nil
      }), let value = environment[variable] {
        (name, origin) = (value, .variable(variable))
      } else {
        (name, origin) = ("default", .fallback)
      }
    }
  }

  /// The profiles by name.
  public private(set) var profiles: [String: Profile] = [:]
  /// The file looked for as `config`, whether it exists or not.
  public let configPath: String?
  /// The file looked for as `credentials`, whether it exists or not.
  public let credentialsPath: String?
  private var services: [String: ConfigFile.Section] = [:]
  private var ssoSessions: [String: ConfigFile.Section] = [:]

  /// Reads both files from where AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE say, else from
  /// `~/.aws`. A file that does not exist is an empty one.
  ///
  /// - Throws: `ConfigurationError` for one that cannot be read or does not hold to the format.
  public init(_ environment: AWSEnvironment) throws(ConfigurationError) {
    func path(_ variable: String, _ name: String) -> String? {
      (environment[variable] ?? environment.home.map { _ in "~/.aws/\(name)" })
        .map(environment.expand)
    }
    func file(_ path: String?) throws(ConfigurationError) -> ConfigFile? {
      guard let path, let bytes = try environment.readFile(path) else { return nil }
      return try ConfigFile(bytes, path: path)
    }
    configPath = path("AWS_CONFIG_FILE", "config")
    credentialsPath = path("AWS_SHARED_CREDENTIALS_FILE", "credentials")
    if let config = try file(configPath) { add(config) }
    if let credentials = try file(credentialsPath) {
      // Here a section is a profile by its plain name; `[profile x]` belongs into the other file.
      let foreign = ["profile ", "sso-session ", "services "]
      for (name, section) in credentials.sections
      where !foreign.contains(where: { name.hasPrefix($0) }) {
        profiles[name, default: Profile(name: name)].credentials = section
      }
    }
  }

  /// Takes in the config file: profiles carry the word `profile`, other sections are no profiles.
  private mutating func add(_ config: ConfigFile) {
    for (header, section) in config.sections {
      let words = header.split(separator: " ", maxSplits: 1).map(String.init)
      switch (words.first, words.count) {
      case ("profile", 2):
        profiles[words[1], default: Profile(name: words[1])].config = section
      case ("services", 2): services[words[1]] = section
      case ("sso-session", 2): ssoSessions[words[1]] = section
      default: break
      }
    }
    if profiles["default"] == nil, let section = config.sections["default"] {
      profiles["default"] = Profile(name: "default", config: section)
    }
  }

  /// The profile that is selected; nil where none was asked for and none is called default.
  ///
  /// - Throws: `ConfigurationError` with the code `noSuchProfile`, naming those that exist.
  public func profile(_ selection: Selection) throws(ConfigurationError) -> Profile? {
    if let profile = profiles[selection.name] { return profile }
    let asker: String
    switch selection.origin {
    case .fallback: return nil
    case .explicit: asker = ""
    case .variable(let name): asker = ", which \(name) asks for"
    }
    let files = [configPath, credentialsPath].compactMap { $0 }.joined(separator: " and ")
    let names = profiles.keys.sorted()
    throw ConfigurationError(
      .noSuchProfile, "there is no profile \"\(selection.name)\"\(asker), in \(files)",
      hint: names.isEmpty
        ? "there are no profiles at all; in config a profile begins with [profile name]"
        : "there are: \(names.joined(separator: ", "))")
  }

  /// The `endpoint_url` of a service in the `services` section that a profile points to.
  ///
  /// - Parameter service: the service id in lower case with underscores, such as `dynamodb`.
  /// - Throws: `ConfigurationError` where the section does not exist.
  func serviceEndpoint(
    _ service: String, of profile: Profile
  ) throws(ConfigurationError) -> String? {
    guard let name = profile["services"] else { return nil }
    guard let section = services[name] else {
      throw ConfigurationError(
        .invalidValue,
        "the profile \"\(profile.name)\" names the services section \"\(name)\", which is not there",
        file: configPath, hint: "add a section [services \(name)]")
    }
    guard case .nested(let settings) = section[service] else { return nil }
    return settings["endpoint_url"].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The settings of an `sso-session` section; nil where there is none of that name.
  func ssoSession(_ name: String) -> [String: String]? {
    ssoSessions[name]?.compactMapValues {
      if case .text(let text) = $0, !text.isEmpty { text } else { nil }
    }
  }
}
