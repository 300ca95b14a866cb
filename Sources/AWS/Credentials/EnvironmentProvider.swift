/// Keys from AWS_ACCESS_KEY_ID and its companions.
public struct EnvironmentProvider: CredentialProvider {
  public let name = "environment"
  public let canChange = false
  private let environment: AWSEnvironment

  /// Creates a provider that reads this environment.
  public init(_ environment: AWSEnvironment) { self.environment = environment }

  public func resolve() async throws(CredentialError) -> CredentialAnswer {
    guard let id = environment["AWS_ACCESS_KEY_ID"] else {
      return .passedOver(reason: "AWS_ACCESS_KEY_ID is not set")
    }
    guard let secret = environment["AWS_SECRET_ACCESS_KEY"] else {
      throw CredentialError(
        .incomplete, "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not",
        hint: "set both, or neither")
    }
    var expiration: AWSTimestamp?
    if let text = environment["AWS_CREDENTIAL_EXPIRATION"] {
      expiration = AWSTimestamp(iso8601: text)
      guard expiration != nil else {
        throw CredentialError(
          .invalidValue, "AWS_CREDENTIAL_EXPIRATION is no ISO 8601 time: \"\(text)\"",
          provider: name, hint: "it looks like 2026-01-31T12:00:00Z")
      }
    }
    return .found(
      FoundCredentials(
        Credentials(
          accessKeyID: id, secretAccessKey: secret, sessionToken: environment["AWS_SESSION_TOKEN"],
          expiration: expiration, accountID: environment["AWS_ACCOUNT_ID"]),
        explanation: "AWS_ACCESS_KEY_ID"))
  }
}
