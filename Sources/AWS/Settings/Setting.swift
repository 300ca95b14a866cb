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

/// A setting that a variable or a profile may give, the variable first: the table of settings in the
/// AWS SDKs and Tools Reference Guide.
struct Setting: Sendable {
  /// The variable in the environment.
  let variable: String
  /// The property of a profile.
  let property: String

  static let useFIPS = Setting(variable: "AWS_USE_FIPS_ENDPOINT", property: "use_fips_endpoint")
  static let useDualStack = Setting(
    variable: "AWS_USE_DUALSTACK_ENDPOINT", property: "use_dualstack_endpoint")
  static let accountIDMode = Setting(
    variable: "AWS_ACCOUNT_ID_ENDPOINT_MODE", property: "account_id_endpoint_mode")
  static let ignoreEndpoints = Setting(
    variable: "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", property: "ignore_configured_endpoint_urls")
  static let metadataTimeout = Setting(
    variable: "AWS_METADATA_SERVICE_TIMEOUT", property: "metadata_service_timeout")
  static let metadataAttempts = Setting(
    variable: "AWS_METADATA_SERVICE_NUM_ATTEMPTS", property: "metadata_service_num_attempts")
  static let metadataEndpoint = Setting(
    variable: "AWS_EC2_METADATA_SERVICE_ENDPOINT", property: "ec2_metadata_service_endpoint")
  static let metadataEndpointMode = Setting(
    variable: "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    property: "ec2_metadata_service_endpoint_mode")
  static let metadataV1Disabled = Setting(
    variable: "AWS_EC2_METADATA_V1_DISABLED", property: "ec2_metadata_v1_disabled")

  /// The value; nil where nobody gives one.
  func value(
    _ environment: AWSEnvironment, _ profile: SharedConfig.Profile?
  ) -> Sourced<String>? {
    if let value = environment[variable] { return Sourced(value, from: variable) }
    return profile?[property].map { Sourced($0, from: "\(property) of the profile") }
  }

  /// Whether the value is `true`, in any case.
  func isOn(_ environment: AWSEnvironment, _ profile: SharedConfig.Profile?) -> Bool {
    value(environment, profile)?.value.lowercased() == "true"
  }
}
