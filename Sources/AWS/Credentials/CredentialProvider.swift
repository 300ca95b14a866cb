/// One place where credentials may come from.
public protocol CredentialProvider: Sendable {
  /// The provider's name for people, such as `environment`.
  var name: String { get }

  /// Whether a second look may bring others.
  var canChange: Bool { get }

  /// Looks for credentials.
  ///
  /// A provider that is not set up passes over. One that is set up, and cannot deliver, throws: to
  /// go on to the next would sign with credentials that the user did not mean.
  ///
  /// - Throws: `CredentialError`.
  func resolve() async throws(CredentialError) -> CredentialAnswer
}

/// What a provider found.
public enum CredentialAnswer: Equatable, Sendable {
  case credentials(Credentials)
  /// Nothing here, and why, in words that stand behind the provider's name.
  case passedOver(reason: String)
}

/// Credentials with the story of how they were found.
public struct ResolvedCredentials: Equatable, Sendable {
  /// A provider that had none.
  public struct PassedOver: Equatable, Sendable {
    public let provider: String
    public let reason: String
  }

  public let credentials: Credentials
  /// The name of the provider they come from.
  public let provider: String
  /// Whether that provider may have others later.
  public let canChange: Bool
  /// The providers asked before it, in order.
  public let passedOver: [PassedOver]
}

/// Why there are no credentials.
public struct CredentialError: Error, Equatable, Sendable {
  /// The kind of failure. More may come; switch with a `default`.
  public struct Code: RawRepresentable, Hashable, Sendable {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }

    /// No provider has any.
    public static let none = Code(rawValue: "none")
    /// A part is missing, such as the secret.
    public static let incomplete = Code(rawValue: "incomplete")
    /// A value that cannot be used, such as a date that is none.
    public static let invalidValue = Code(rawValue: "invalid-value")
    /// A source that this version does not know how to use.
    public static let unsupported = Code(rawValue: "unsupported")
    /// The credentials have expired and there are no newer ones.
    public static let expired = Code(rawValue: "expired")
  }

  /// The kind of failure.
  public var code: Code
  /// What happened, in one sentence without a full stop. Never holds a secret.
  public var message: String
  /// The provider concerned, where it is one.
  public var provider: String?
  /// What to do next.
  public var hint: String?

  /// Creates an error.
  public init(_ code: Code, _ message: String, provider: String? = nil, hint: String? = nil) {
    self.code = code
    self.message = message
    self.provider = provider
    self.hint = hint
  }
}

extension CredentialError: CustomStringConvertible {
  /// `environment: what happened`
  public var description: String { (provider.map { "\($0): " } ?? "") + message }
}

/// Providers in order: the first that has credentials delivers them.
public struct CredentialChain: Sendable {
  /// The providers, first choice first.
  public var providers: [any CredentialProvider]

  /// Creates a chain.
  public init(_ providers: [any CredentialProvider]) { self.providers = providers }

  /// The chain of AWS tools, as far as this version goes: the environment, then the profile. A
  /// profile that the user names explicitly takes the environment's keys out of the game.
  public static func standard(
    environment: AWSEnvironment, selection: SharedConfig.Selection
  ) -> CredentialChain {
    let profileProvider = ProfileProvider(profileName: selection.name) {
      () throws(ConfigurationError) in
      try SharedConfig(environment).profile(selection)
    }
    guard selection.origin != .explicit else { return CredentialChain([profileProvider]) }
    return CredentialChain([EnvironmentProvider(environment), profileProvider])
  }

  /// Asks the providers one after the other.
  ///
  /// - Throws: what a provider throws, or `CredentialError` with the code `none` that gives each
  ///   provider's reason.
  public func resolve() async throws(CredentialError) -> ResolvedCredentials {
    var passedOver: [ResolvedCredentials.PassedOver] = []
    for provider in providers {
      switch try await provider.resolve() {
      case .credentials(let credentials):
        return ResolvedCredentials(
          credentials: credentials, provider: provider.name, canChange: provider.canChange,
          passedOver: passedOver)
      case .passedOver(let reason):
        passedOver.append(.init(provider: provider.name, reason: reason))
      }
    }
    let story = passedOver.map { "\($0.provider): \($0.reason)" }.joined(separator: "; ")
    throw CredentialError(
      .none, "no AWS credentials found (\(story))",
      hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile that has keys "
        + "with --profile; container and instance roles are not supported yet")
  }
}
