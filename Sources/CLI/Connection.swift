import AWS
import ArgumentParser
import Dynamo

/// A client for the account, region and endpoint that options, address and environment name.
struct Connection {
  /// The client.
  let client: DynamoClient

  /// Resolves who asks and whom; sends nothing yet.
  ///
  /// - Throws: `ConfigurationError`, `TransportError`.
  init(_ options: AWSOptions, address: TableAddress?) throws {
    for (option, one, other) in [
      ("--profile", options.profile, address?.profile),
      ("--region", options.region, address?.region),
    ] {
      if let one, let other, one != other {
        throw ValidationError("\(option) is \(one), and the table's address says \(other)")
      }
    }
    let environment = AWSEnvironment.ofProcess()
    let config = try SharedConfig(environment)
    let selection = SharedConfig.Selection(
      explicit: options.profile ?? address?.profile, environment: environment)
    let profile = try config.profile(selection)
    var request = ServiceSettings.Request()
    request.region = options.region ?? address?.region
    request.endpointURL = options.endpointURL
    let settings = try ServiceSettings(
      service: .dynamoDB, request: request, environment: environment, config: config,
      profile: profile)

    let transport = CurlTransport.Configuration(environment: environment, profile: profile)
    var configuration = ServiceClient.Configuration(
      transport: try CurlTransport(configuration: transport), endpoint: settings.endpoint.value,
      region: settings.region.value, signingName: "dynamodb",
      credentials: CachedCredentials(.standard(environment: environment, selection: selection)),
      userAgent: "dynarc/\(Version.number) os/linux lang/swift")
    configuration.retryPolicy = try RetryPolicy(environment: environment, profile: profile)
    configuration.sleep = { try await Interruption.stop.sleep(for: $0) }
    client = DynamoClient(service: ServiceClient(configuration))
  }
}
