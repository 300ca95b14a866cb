import AWS
import ArgumentParser

/// Who asks, and in which region: what options, address, environment and files say together. Two of
/// these in one process have nothing in common.
struct Identity {
  /// The profile in effect.
  let selection: SharedConfig.Selection
  /// The credentials in use; none have been looked for yet.
  let credentials: CachedCredentials
  /// What the providers of credentials, and STS, work with.
  let context: CredentialContext
  /// The profile's settings, where there is one.
  let profile: SharedConfig.Profile?
  private let config: SharedConfig

  /// Reads the settings. Where nobody names a region, the instance is asked for its own.
  ///
  /// - Throws: `ConfigurationError`, `TransportError`, `ValidationError`.
  init(_ options: AWSOptions, address: TableAddress? = nil) async throws {
    for (option, one, other) in [
      ("--profile", options.profile, address?.profile),
      ("--region", options.region, address?.region),
    ] {
      if let one, let other, one != other {
        throw ValidationError("\(option) is \(one), and the table's address says \(other)")
      }
    }
    let environment = AWSEnvironment.ofProcess()
    config = try SharedConfig(environment)
    selection = SharedConfig.Selection(
      explicit: options.profile ?? address?.profile, environment: environment)
    profile = try config.profile(selection)
    var settings = CurlTransport.Configuration(environment: environment, profile: profile)
    if options.noVerifySSL {
      Terminal.warn("certificates are not checked: the data may be read and changed on its way")
      settings.verifiesCertificates = false
    }
    let transport = try CurlTransport(configuration: settings)
    var context = CredentialContext(
      environment: environment, selection: selection,
      transport: options.debug ? LoggingTransport(transport, log: RequestLog.tell) : transport,
      userAgent: UserAgent(
        product: "dynarc", version: Version.number, environment: environment, profile: profile
      ).description)
    context.request.region = options.region ?? address?.region
    context.request.endpointURL = options.endpointURL
    context.request.allowPlainHTTP = options.allowHTTP
    if options.debug { context.clock = ClockSkew(corrected: RequestLog.tellClock) }
    context.askCode = { serial throws(CredentialError) in try await SecretPrompt.ask(serial) }
    if Identity.lacksRegion(context, config, profile) {
      context.request.fallbackRegion = await InstanceMetadata(context).region()
        .map { Sourced($0, from: "instance metadata") }
    }
    self.context = context
    credentials = CachedCredentials(.standard(context))
  }

  /// Whether nobody names a region. Whatever else is wrong, whoever needs the settings meets it.
  private static func lacksRegion(
    _ context: CredentialContext, _ config: SharedConfig, _ profile: SharedConfig.Profile?
  ) -> Bool {
    do throws(ConfigurationError) {
      _ = try ServiceSettings(
        service: .dynamoDB, request: context.request, environment: context.environment,
        config: config, profile: profile)
      return false
    } catch { return error.code == .noRegion }
  }

  /// Where DynamoDB is.
  ///
  /// - Parameter accountID: the account of the credentials, where they name one.
  /// - Throws: `ConfigurationError`.
  func settings(accountID: String?) throws(ConfigurationError) -> ServiceSettings {
    var request = context.request
    request.accountID = accountID
    return try ServiceSettings(
      service: .dynamoDB, request: request, environment: context.environment, config: config,
      profile: profile)
  }
}

extension Identity {
  /// Where Application Auto Scaling is.
  ///
  /// - Throws: `ConfigurationError`.
  func autoScaling(beside dynamoDB: ServiceSettings) throws(ConfigurationError) -> ServiceSettings {
    try ServiceSettings(
      service: .applicationAutoScaling, beside: dynamoDB, request: context.request,
      environment: context.environment, config: config, profile: profile)
  }

  /// The account whose credentials are used: they name it, or STS does; nil where neither says. Credentials
  /// of a local server are no business of AWS's STS.
  func account() async -> String? {
    guard let credentials = try? await credentials.current().credentials else { return nil }
    if let account = credentials.accountID { return account }
    guard let dynamoDB = try? settings(accountID: nil), dynamoDB.isOfAWS else { return nil }
    return try? await STSClient(context).callerIdentity(credentials).account
  }
}

/// What `--debug` tells about requests: a line for each.
enum RequestLog {
  static func tellClock(_ seconds: Int64) {
    Terminal.say(
      "dynarc: debug: the service's clock is \(abs(seconds)) s "
        + "\(seconds < 0 ? "behind" : "ahead of") this machine's; requests are signed by it from now on"
    )
  }

  static func tell(_ entry: LoggingTransport.Entry) {
    let outcome = entry.status.map { "\($0)" } ?? entry.error?.code.rawValue ?? ""
    let milliseconds =
      entry.duration.components.seconds * 1000
      + entry.duration.components.attoseconds / 1_000_000_000_000_000
    Terminal.say(
      "dynarc: debug: \(entry.operation) \(outcome) host=\(entry.host) attempt=\(entry.attempt) "
        + "request=\(entry.requestID ?? "-") sent=\(entry.sentBytes) "
        + "received=\(entry.receivedBytes) ms=\(milliseconds)")
  }
}
