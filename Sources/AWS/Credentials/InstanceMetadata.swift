import JSON

/// The metadata service of an EC2 instance, version 2 (EC2 User Guide, "Use the Instance Metadata
/// Service"). Version 1, which answers without a token, is not spoken: a request that somebody else
/// makes this machine send could use it too.
public struct InstanceMetadata: Sendable {
  private let context: CredentialContext

  /// Creates a client; asks nothing yet.
  public init(_ context: CredentialContext) { self.context = context }

  /// What a request came to.
  enum Answer: Sendable {
    case text(String)
    /// There is no such service here, or it has no such thing; in words.
    case nothing(reason: String)
  }

  /// Whether AWS_EC2_METADATA_DISABLED forbids to ask.
  var isDisabled: Bool { context.environment.isTrue("AWS_EC2_METADATA_DISABLED") }

  /// The instance's region; nil where nobody answers.
  public func region() async -> String? {
    guard !isDisabled, let token = try? await token(), case .text(let token) = token,
      let answer = try? await get("latest/meta-data/placement/region", token),
      case .text(let region) = answer
    else { return nil }
    return region
  }

  /// A token for requests. Without it no other request is made.
  func token() async throws(CredentialError) -> Answer {
    let url = try url("latest/api/token")
    let response: HTTPResponse
    do throws(CredentialError) {
      response = try await send("imds:Token") {
        HTTPRequest(
          method: "PUT", url: url, headers: ["x-aws-ec2-metadata-token-ttl-seconds": "21600"])
      }
    } catch { return .nothing(reason: error.message) }
    let token = String(decoding: response.body, as: UTF8.self)
    guard response.status == 200, !token.isEmpty else {
      return .nothing(
        reason: "\(url.hostAndPort) gives no token (HTTP status \(response.status))")
    }
    return .text(token)
  }

  /// A value by its path; nothing where the service has none.
  func get(_ path: String, _ token: String) async throws(CredentialError) -> Answer {
    let url = try url(path)
    let response = try await send("imds:Get") {
      HTTPRequest(method: "GET", url: url, headers: ["x-aws-ec2-metadata-token": token])
    }
    switch response.status {
    case 200:
      return .text(String(decoding: response.body, as: UTF8.self).withoutOuterSpace)
    case 404: return .nothing(reason: "the instance has no role")
    default:
      throw CredentialError(
        .refused, "\(url.hostAndPort) answered with HTTP status \(response.status)")
    }
  }

  private func send(
    _ operation: String, _ make: () -> HTTPRequest
  ) async throws(CredentialError) -> HTTPResponse {
    let limit = try number(.metadataTimeout, 1)
    return try await context.send(attempts: try number(.metadataAttempts, 1)) {
      var request = make()
      request.operation = operation
      request.limit = .seconds(limit)
      request.isDirect = true
      return request
    }
  }

  // MARK: Settings

  private func profile() throws(CredentialError) -> SharedConfig.Profile? {
    try ProfileReader(environment: context.environment, name: context.selection.name).profile()
  }

  private func number(_ setting: Setting, _ usual: Int) throws(CredentialError) -> Int {
    guard let value = setting.value(context.environment, try profile()) else { return usual }
    guard let number = Int(value.value), (1...3600).contains(number) else {
      throw CredentialError(.invalidValue, "\(value.source) is no number from 1 on")
    }
    return number
  }

  private func url(_ path: String) throws(CredentialError) -> HTTPURL {
    let profile = try profile()
    let mode = Setting.metadataEndpointMode.value(context.environment, profile)?.value.lowercased()
    let usual = mode == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254"
    var base = Setting.metadataEndpoint.value(context.environment, profile)?.value ?? usual
    while base.hasSuffix("/") { base.removeLast() }
    do throws(TransportError) { return try HTTPURL("\(base)/\(path)") } catch {
      throw CredentialError(
        .invalidValue, "the endpoint of instance metadata: \(error.message)", hint: error.hint)
    }
  }
}

/// The role of an EC2 instance.
struct InstanceMetadataProvider: CredentialProvider {
  let name = "instance metadata"
  let canChange = true
  private let metadata: InstanceMetadata
  private let now: @Sendable () -> AWSTimestamp

  private static let path = "latest/meta-data/iam/security-credentials/"
  /// How long credentials that have expired are used on: the service goes on giving them out when it
  /// cannot renew them, and they go on being accepted ("static stability").
  private static let grace: Int64 = 10 * 60

  init(_ context: CredentialContext) {
    metadata = InstanceMetadata(context)
    now = context.now
  }

  func resolve() async throws(CredentialError) -> CredentialAnswer {
    if metadata.isDisabled { return .passedOver(reason: "AWS_EC2_METADATA_DISABLED is set") }
    let token: String
    switch try await metadata.token() {
    case .text(let text): token = text
    case .nothing(let reason): return .passedOver(reason: reason)
    }
    let role: String
    switch try await metadata.get(InstanceMetadataProvider.path, token) {
    case .text(let text): role = String(text.prefix { !$0.isNewline })
    case .nothing(let reason): return .passedOver(reason: reason)
    }
    guard !role.isEmpty else { return .passedOver(reason: "the instance has no role") }
    guard case .text(let text) = try await metadata.get(InstanceMetadataProvider.path + role, token)
    else { throw CredentialError(.refused, "the role \(role) has no credentials") }
    guard let json = try? JSONValue.parse(text) else {
      throw CredentialError(.badAnswer, "the answer for the role \(role) is no JSON")
    }
    // An answer with HTTP status 200 may hold an error.
    if let code = json["Code"]?.string, code != "Success" {
      throw CredentialError(
        .refused, "the role \(role): \(code): \(json["Message"]?.string ?? "no reason given")")
    }
    var credentials = try Credentials(json, token: "Token", expirationIsRequired: true)
    if let end = credentials.expiration, end <= now() {
      credentials.expiration = now().advanced(by: InstanceMetadataProvider.grace)
    }
    return .found(FoundCredentials(credentials, explanation: "the instance's role \(role)"))
  }
}
