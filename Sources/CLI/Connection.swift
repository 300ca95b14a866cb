import AWS
import Dynamo

/// A client for the account, region and endpoint that options, address and environment name.
struct Connection {
  /// The client.
  let client: DynamoClient
  /// Who asks.
  let identity: Identity

  /// Finds out who asks and whom. The table's service is asked nothing yet; those who give out
  /// credentials may be.
  ///
  /// - Throws: `ConfigurationError`, `CredentialError`, `TransportError`, `ValidationError`.
  init(_ options: AWSOptions, address: TableAddress?) async throws {
    let identity = try await Identity(options, address: address)
    self.identity = identity
    let found = try await identity.credentials.current()
    Connection.announceEnd(of: found)
    let settings = try identity.settings(accountID: found.credentials.accountID)
    let context = identity.context
    let policy = try RetryPolicy(environment: context.environment, profile: identity.profile)
    func service(_ signingName: String, at settings: ServiceSettings) -> ServiceClient {
      var configuration = ServiceClient.Configuration(
        transport: context.transport, endpoint: settings.endpoint.value,
        region: settings.region.value, signingName: signingName,
        credentials: identity.credentials, userAgent: context.userAgent)
      configuration.retryPolicy = policy
      configuration.clock = context.clock
      configuration.sleep = { try await Interruption.stop.sleep(for: $0) }
      return ServiceClient(configuration)
    }
    client = DynamoClient(
      service: service("dynamodb", at: settings),
      autoScaling: AutoScalingClient(
        service: service(
          "application-autoscaling", at: try identity.autoScaling(beside: settings))))
  }

  /// Says when credentials end that nobody can renew, such as those of an MFA code.
  private static func announceEnd(of found: ResolvedCredentials) {
    guard !found.canChange, let end = found.credentials.expiration else { return }
    let left = end.epochSeconds - AWSTimestamp.now.epochSeconds
    Terminal.warn(
      "the credentials end at \(end), in \(Format.duration(Double(left))), and cannot be renewed "
        + "by dynarc; a job that is not done by then stops there")
  }
}
