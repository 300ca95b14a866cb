/// Where a service is and in which region its requests are signed, and who said so.
public struct ServiceSettings: Equatable, Sendable {
  /// The region in the scope of signatures.
  public let region: Sourced<String>
  /// The address requests go to.
  public let endpoint: Sourced<HTTPURL>

  /// Whether the address is one of AWS's own, and no local server's.
  public var isOfAWS: Bool { Partition.owns(endpoint.value.host) }

  /// What the caller asks for, which beats all else.
  public struct Request: Equatable, Sendable {
    /// `--region`.
    public var region: String?
    /// `--endpoint-url`.
    public var endpointURL: String?
    /// Whether plain HTTP may leave this machine.
    public var allowPlainHTTP = false
    /// The region to take where nobody names one: the instance's.
    public var fallbackRegion: Sourced<String>?
    /// The account of the credentials, for account-based endpoints.
    public var accountID: String?

    /// Asks for nothing.
    public init() {}
  }

  /// Determines region and endpoint in the order of the AWS SDKs and Tools Reference Guide,
  /// "AWS Region", "Service-specific endpoints" and "Account-based endpoints".
  ///
  /// - Throws: `ConfigurationError`.
  public init(
    service: AWSService, request: Request, environment: AWSEnvironment, config: SharedConfig,
    profile: SharedConfig.Profile?
  ) throws(ConfigurationError) {
    let configured = try ServiceSettings.configuredEndpoint(
      service, request, environment, config, profile)
    if let configured, configured.value.scheme == .http, !configured.value.isLoopback,
      !request.allowPlainHTTP
    {
      throw ConfigurationError(
        .plainHTTP,
        "the endpoint \(configured.value), from \(configured.source), would carry data in the clear",
        hint: "use https; or pass --allow-http if nobody else can read or change what travels there"
      )
    }
    let region = try ServiceSettings.region(
      request, environment, profile, isLocal: configured?.value.isLoopback ?? false)
    var rules = EndpointRules(service: service, region: region.value, custom: configured?.value)
    // An address that somebody names is taken as it is: these ask for a variant of AWS's own.
    if configured == nil {
      rules.useFIPS = Setting.useFIPS.isOn(environment, profile)
      rules.useDualStack = Setting.useDualStack.isOn(environment, profile)
    }
    rules.accountID = request.accountID
    if service == .dynamoDB {
      rules.accountIDMode = try ServiceSettings.accountIDMode(environment, profile)
    } else if region.value == "local" {
      // Only DynamoDB has a service of its own there.
      rules.region = "us-east-1"
    }
    let resolved = try rules.resolve()
    self.region = Sourced(resolved.signingRegion, from: region.source)
    endpoint = Sourced(resolved.url, from: configured?.source ?? rules.explanation)
  }

  /// Determines region and endpoint of a service that manages what another one holds.
  ///
  /// An endpoint that somebody names for it counts, as for any service. Where nobody does and the other
  /// service is none of AWS's hosts, it is a local server, which stands for all services: this one is
  /// looked for there, and credentials of such a server do not go to AWS.
  ///
  /// - Throws: `ConfigurationError`.
  public init(
    service: AWSService, beside other: ServiceSettings, request: Request,
    environment: AWSEnvironment, config: SharedConfig, profile: SharedConfig.Profile?
  ) throws(ConfigurationError) {
    var request = request
    // Those are the other service's.
    request.endpointURL = nil
    request.accountID = nil
    let isNamed =
      try ServiceSettings.configuredEndpoint(
        service, request, environment, config, profile) != nil
    if !isNamed, !other.isOfAWS {
      request.endpointURL = "\(other.endpoint.value)"
    }
    request.region = other.region.value
    try self.init(
      service: service, request: request, environment: environment, config: config,
      profile: profile)
  }

  private static func accountIDMode(
    _ environment: AWSEnvironment, _ profile: SharedConfig.Profile?
  ) throws(ConfigurationError) -> EndpointRules.AccountIDMode {
    guard let setting = Setting.accountIDMode.value(environment, profile) else { return .preferred }
    guard let mode = EndpointRules.AccountIDMode(rawValue: setting.value.lowercased()) else {
      throw ConfigurationError(
        .invalidValue, "\"\(setting.value)\", from \(setting.source), is no mode of endpoints",
        hint: "it is preferred, disabled or required")
    }
    return mode
  }

  // MARK: Region

  private static func region(
    _ request: Request, _ environment: AWSEnvironment, _ profile: SharedConfig.Profile?,
    isLocal: Bool
  ) throws(ConfigurationError) -> Sourced<String> {
    let candidates = [
      (request.region, "--region"), (environment["AWS_REGION"], "AWS_REGION"),
      (environment["AWS_DEFAULT_REGION"], "AWS_DEFAULT_REGION"),
      (profile?["region"], "profile \"\(profile?.name ?? "")\""),
    ]
    for case (let region?, let source) in candidates {
      guard isHostLabel(region) else {
        throw ConfigurationError(
          .invalidValue, "\"\(region)\", from \(source), is no region",
          hint: "a region looks like eu-west-1")
      }
      return Sourced(region, from: source)
    }
    if let region = request.fallbackRegion { return region }
    // A server on this machine has no region of its own; it only wants the signature to have one.
    if isLocal { return Sourced("us-east-1", from: "a local endpoint") }
    throw ConfigurationError(
      .noRegion, "no region is set",
      hint: "pass --region, set AWS_REGION, or add region to the profile")
  }

  /// Whether the text may stand between two dots of a host name (RFC 1123 section 2.1): it becomes
  /// part of the address that credentials go to.
  ///
  /// - Parameter number: whether it may be all digits, which the SDKs take for no region.
  static func isHostLabel(_ text: String, number: Bool = false) -> Bool {
    (1...63).contains(text.utf8.count)
      && text.utf8.allSatisfy { ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
      && text.first != "-" && text.last != "-"
      && (number || !text.utf8.allSatisfy(ASCII.isDigit))
  }

  // MARK: Endpoint

  private static func configuredEndpoint(
    _ service: AWSService, _ request: Request, _ environment: AWSEnvironment,
    _ config: SharedConfig,
    _ profile: SharedConfig.Profile?
  ) throws(ConfigurationError) -> Sourced<HTTPURL>? {
    if let text = request.endpointURL { return try address(text, from: "--endpoint-url") }
    if Setting.ignoreEndpoints.isOn(environment, profile) { return nil }
    for variable in ["AWS_ENDPOINT_URL_\(service.id.uppercased())", "AWS_ENDPOINT_URL"] {
      if let text = environment[variable] { return try address(text, from: variable) }
    }
    guard let profile else { return nil }
    if let text = try config.serviceEndpoint(service.id, of: profile) {
      return try address(text, from: "services section \"\(profile["services"] ?? "")\"")
    }
    return try profile["endpoint_url"].map { text throws(ConfigurationError) in
      try address(text, from: "profile \"\(profile.name)\"")
    }
  }

  private static func address(
    _ text: String, from source: String
  ) throws(ConfigurationError) -> Sourced<HTTPURL> {
    do throws(TransportError) {
      let url = try HTTPURL(text)
      guard url.query == nil else {
        throw TransportError(.invalidURL, "\"\(text)\" is no endpoint: it has a query")
      }
      return Sourced(url, from: source)
    } catch {
      throw ConfigurationError(.invalidValue, "\(source): \(error.message)", hint: error.hint)
    }
  }
}

extension HTTPURL {
  /// An address below an endpoint.
  func appending(_ path: String) throws(ConfigurationError) -> HTTPURL {
    let text = "\(self)"
    do throws(TransportError) {
      return try HTTPURL(text + (text.hasSuffix("/") ? "" : "/") + path)
    } catch { throw ConfigurationError(.invalidValue, error.message, hint: error.hint) }
  }
}
