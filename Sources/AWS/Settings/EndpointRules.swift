/// Where a service is, by AWS's rules for endpoints: the rule sets of dynamodb, sts, sso, sso-oidc and signin,
/// which differ in little, by hand. Pure; judged by the services' own test cases.
struct EndpointRules: Equatable, Sendable {
  /// Whether the account's number is a part of DynamoDB's host name.
  enum AccountIDMode: String, Sendable {
    case preferred, disabled, required
  }

  var service: AWSService
  var region: String
  /// An address that somebody chose.
  var custom: HTTPURL?
  var useFIPS = false
  var useDualStack = false
  /// The account of the credentials, where they name one.
  var accountID: String?
  /// Nil where the service knows no such thing.
  var accountIDMode: AccountIDMode?

  /// An address, and the region of the signature.
  struct Endpoint: Equatable, Sendable {
    var url: HTTPURL
    var signingRegion: String
  }

  /// The service on the own machine, that the region `local` stands for.
  private static let local = "http://localhost:8000"

  /// Applies the rules.
  ///
  /// - Throws: `ConfigurationError` of code `invalidValue` where they allow no address.
  func resolve() throws(ConfigurationError) -> Endpoint {
    let partition = Partition.of(region: region)
    if let custom {
      try refuseVariants(beside: "an endpoint of one's own")
      // Its host alone would not make the rest of what dual stack needs.
      guard custom.authority != "\(service.hostPrefix).\(region).\(partition.dualStackSuffix)"
      else {
        throw refuse(
          "\(custom.host) is the dual-stack endpoint",
          hint: "set AWS_USE_DUALSTACK_ENDPOINT=true instead of naming its address")
      }
      return Endpoint(url: custom, signingRegion: region)
    }
    if service == .dynamoDB, region == "local" {
      try refuseVariants(beside: "the region local")
      return try endpoint(EndpointRules.local, signingRegion: "us-east-1")
    }
    if service == .sts, region == "aws-global", !useFIPS, !useDualStack {
      return try endpoint("https://sts.amazonaws.com", signingRegion: "us-east-1")
    }
    if service == .signin, !useFIPS, !useDualStack {
      return try endpoint("https://\(region).signin.\(partition.signinSuffix)")
    }
    if let host = try accountHost(partition) { return try endpoint("https://\(host)") }
    // GovCloud's plain endpoints are FIPS endpoints, which have no second name, but for dual stack.
    let plainIsFIPS = partition.id == "aws-us-gov" && !useDualStack
    let prefix = service.hostPrefix + (useFIPS && !plainIsFIPS ? "-fips" : "")
    let suffix = useDualStack ? partition.dualStackSuffix : partition.suffix
    return try endpoint("https://\(prefix).\(region).\(suffix)")
  }

  private func refuseVariants(beside what: String) throws(ConfigurationError) {
    let variants = [(useFIPS, "FIPS"), (useDualStack, "dual stack")]
    guard let variant = variants.first(where: { $0.0 })?.1 else { return }
    throw refuse("\(what) has no \(variant) variant", hint: "ask for one or the other")
  }

  /// `<account>.ddb.<region>.<suffix>`, where there is such a host and it may be used.
  private func accountHost(_ partition: Partition) throws(ConfigurationError) -> String? {
    guard let mode = accountIDMode, mode != .disabled else { return nil }
    if partition.id == "aws", !useFIPS, let accountID {
      guard ServiceSettings.isHostLabel(accountID, number: true) else {
        throw refuse("the credentials' account, \"\(accountID)\", is no account id", hint: nil)
      }
      let suffix = useDualStack ? partition.dualStackSuffix : partition.suffix
      return "\(accountID).ddb.\(region).\(suffix)"
    }
    guard mode == .required else { return nil }
    let reason =
      useFIPS
      ? "there are none with FIPS"
      : partition.id != "aws"
        ? "there are none in the partition \(partition.id)" : "the credentials name no account"
    throw refuse(
      "account_id_endpoint_mode requires an account's endpoint, and \(reason)",
      hint: "set AWS_ACCOUNT_ID_ENDPOINT_MODE=preferred, or AWS_ACCOUNT_ID beside static keys")
  }

  private func endpoint(
    _ text: String, signingRegion: String? = nil
  ) throws(ConfigurationError) -> Endpoint {
    do throws(TransportError) {
      return Endpoint(url: try HTTPURL(text), signingRegion: signingRegion ?? region)
    } catch { throw refuse(error.message, hint: error.hint) }
  }

  private func refuse(_ message: String, hint: String?) -> ConfigurationError {
    ConfigurationError(.invalidValue, message, hint: hint)
  }

  /// Why the address is what it is where nobody chose one: `the region, dual stack`.
  var explanation: String {
    let account = (try? accountHost(Partition.of(region: region))) ?? nil
    let parts = [
      "the region", useFIPS ? "FIPS" : nil, useDualStack ? "dual stack" : nil,
      account == nil || region == "local" ? nil : "the account",
    ]
    return parts.compactMap(\.self).joined(separator: ", ")
  }
}
