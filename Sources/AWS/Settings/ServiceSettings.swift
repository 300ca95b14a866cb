/// Where a service is and in which region its requests are signed, and who said so.
public struct ServiceSettings: Equatable, Sendable {
  /// A value and the place it comes from.
  public struct Sourced<Value: Equatable & Sendable>: Equatable, Sendable {
    public var value: Value
    /// For people: `--region`, `AWS_REGION`, `profile "x"`, and so on.
    public var source: String

    /// Creates a value with its source.
    public init(_ value: Value, from source: String) {
      self.value = value
      self.source = source
    }
  }

  /// The region in the scope of signatures.
  public let region: Sourced<String>
  /// The address requests go to.
  public let endpoint: Sourced<HTTPURL>

  /// What the caller asks for, which beats all else.
  public struct Request: Equatable, Sendable {
    /// `--region`.
    public var region: String?
    /// `--endpoint-url`.
    public var endpointURL: String?
    /// Whether plain HTTP may leave this machine.
    public var allowPlainHTTP = false

    /// Asks for nothing.
    public init() {}
  }

  /// Determines region and endpoint in the order of the AWS SDKs and Tools Reference Guide,
  /// "AWS Region" and "Service-specific endpoints".
  ///
  /// - Parameters:
  ///   - service: the service id in lower case with underscores, such as `dynamodb`; also the first
  ///     label of its host name.
  /// - Throws: `ConfigurationError`.
  public init(
    service: String, request: Request, environment: AWSEnvironment, config: SharedConfig,
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
    self.region = region
    if let configured {
      endpoint = configured
    } else {
      endpoint = try ServiceSettings.ruledEndpoint(service, region.value, environment, profile)
    }
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
    // A server on this machine has no region of its own; it only wants the signature to have one.
    if isLocal { return Sourced("us-east-1", from: "a local endpoint") }
    throw ConfigurationError(
      .noRegion, "no region is set",
      hint: "pass --region, set AWS_REGION, or add region to the profile")
  }

  /// Whether the text may stand between two dots of a host name (RFC 1123 section 2.1) and is not a
  /// number, as the SDKs demand: it becomes part of the address that credentials go to.
  static func isHostLabel(_ text: String) -> Bool {
    (1...63).contains(text.utf8.count)
      && text.utf8.allSatisfy { ASCII.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
      && text.first != "-" && text.last != "-" && !text.utf8.allSatisfy(ASCII.isDigit)
  }

  // MARK: Endpoint

  private static func configuredEndpoint(
    _ service: String, _ request: Request, _ environment: AWSEnvironment, _ config: SharedConfig,
    _ profile: SharedConfig.Profile?
  ) throws(ConfigurationError) -> Sourced<HTTPURL>? {
    if let text = request.endpointURL { return try address(text, from: "--endpoint-url") }
    let ignored =
      environment["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]
      ?? profile?["ignore_configured_endpoint_urls"]
    if ignored?.lowercased() == "true" { return nil }
    for variable in ["AWS_ENDPOINT_URL_\(service.uppercased())", "AWS_ENDPOINT_URL"] {
      if let text = environment[variable] { return try address(text, from: variable) }
    }
    guard let profile else { return nil }
    if let text = try config.serviceEndpoint(service, of: profile) {
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

  /// The service's own address in a region: `https://<service>.<region>.<suffix of the partition>`.
  private static func ruledEndpoint(
    _ service: String, _ region: String, _ environment: AWSEnvironment,
    _ profile: SharedConfig.Profile?
  ) throws(ConfigurationError) -> Sourced<HTTPURL> {
    // Each asks for another address. To send to the plain one all the same could break a rule that
    // the user must keep.
    for (variable, setting, value) in [
      ("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint", "true"),
      ("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint", "true"),
      ("AWS_ACCOUNT_ID_ENDPOINT_MODE", "account_id_endpoint_mode", "required"),
    ] where (environment[variable] ?? profile?[setting])?.lowercased() == value {
      throw ConfigurationError(
        .unsupported, "\(environment[variable] == nil ? setting : variable) is not supported yet",
        hint: "name the address with --endpoint-url")
    }
    return try address(
      "https://\(service).\(region).\(partitionSuffix(region))", from: "the region")
  }

  /// The domain of a region's partition (botocore's partitions.json).
  static func partitionSuffix(_ region: String) -> String {
    let suffixes = [
      ("cn-", "amazonaws.com.cn"), ("us-isob-", "sc2s.sgov.gov"), ("us-isof-", "csp.hci.ic.gov"),
      ("us-iso-", "c2s.ic.gov"), ("eu-isoe-", "cloud.adc-e.uk"), ("eusc-", "amazonaws.eu"),
    ]
    return suffixes.first { region.hasPrefix($0.0) }?.1 ?? "amazonaws.com"
  }
}
