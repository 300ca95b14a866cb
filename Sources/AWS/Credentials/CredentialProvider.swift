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
  case found(FoundCredentials)
  /// Nothing here, and why, in words that stand behind the provider's name.
  case passedOver(reason: String)
}

/// Credentials, and where a provider has them from.
public struct FoundCredentials: Equatable, Sendable {
  public var credentials: Credentials
  /// Where they come from, for people: `the role arn:…:role/Reader, as profile "base"`. Never holds
  /// a secret.
  public var explanation: String
  /// Whether newer ones can be had without a person: not where an MFA code was asked for.
  public var isRenewable: Bool

  /// Creates an answer.
  public init(_ credentials: Credentials, explanation: String, isRenewable: Bool = true) {
    self.credentials = credentials
    self.explanation = explanation
    self.isRenewable = isRenewable
  }
}

/// A provider that had no credentials.
public struct PassedOverProvider: Equatable, Sendable {
  public let provider: String
  public let reason: String
}

/// Credentials with the story of how they were found.
public struct ResolvedCredentials: Equatable, Sendable {
  public let credentials: Credentials
  /// The name of the provider they come from.
  public let provider: String
  /// Where that provider has them from.
  public let explanation: String
  /// Whether there may be others later, without asking anyone.
  public let canChange: Bool
  /// The providers asked before it, in order.
  public let passedOver: [PassedOverProvider]

  init(
    credentials: Credentials, provider: String, explanation: String = "", canChange: Bool,
    passedOver: [PassedOverProvider]
  ) {
    self.credentials = credentials
    self.provider = provider
    self.explanation = explanation
    self.canChange = canChange
    self.passedOver = passedOver
  }
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
    /// The credentials have expired and there are no newer ones.
    public static let expired = Code(rawValue: "expired")
    /// A person has to log in, or to type a code, first.
    public static let needsPerson = Code(rawValue: "needs-person")
    /// Who was asked for credentials did not answer.
    public static let unreachable = Code(rawValue: "unreachable")
    /// Who was asked for credentials refused.
    public static let refused = Code(rawValue: "refused")
    /// An answer that makes no sense.
    public static let badAnswer = Code(rawValue: "bad-answer")
  }

  /// The kind of failure.
  public var code: Code
  /// What happened, in one sentence without a full stop. Never holds a secret.
  public var message: String
  /// The provider concerned, where it is one.
  public var provider: String?
  /// What to do next.
  public var hint: String?
  /// The providers that had none, asked before.
  public var passedOver: [PassedOverProvider] = []

  /// Creates an error.
  public init(_ code: Code, _ message: String, provider: String? = nil, hint: String? = nil) {
    self.code = code
    self.message = message
    self.provider = provider
    self.hint = hint
  }

  init(_ error: ConfigurationError) {
    self.init(.invalidValue, "\(error)", hint: error.hint)
  }
}

extension CredentialError: CustomStringConvertible {
  /// `environment: what happened`
  public var description: String { (provider.map { "\($0): " } ?? "") + message }
}
