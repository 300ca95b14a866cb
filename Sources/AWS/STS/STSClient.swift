/// Who signs a request, as STS sees it.
public struct CallerIdentity: Equatable, Sendable {
  /// The account: twelve digits.
  public let account: String
  /// The user or the session of a role.
  public let arn: String
}

/// The few operations of AWS STS (API version 2011-06-15, query protocol) that dynarc calls.
public struct STSClient: Sendable {
  /// Where it is and where its requests are signed, each with its source.
  public let settings: ServiceSettings
  private let context: CredentialContext
  private let signer: SigV4Signer

  /// Finds the endpoint of STS; sends nothing yet.
  ///
  /// - Throws: `ConfigurationError`.
  public init(_ context: CredentialContext) throws(ConfigurationError) {
    let config = try SharedConfig(context.environment)
    var request = context.request
    // That of DynamoDB.
    request.endpointURL = nil
    settings = try ServiceSettings(
      service: .sts, request: request, environment: context.environment, config: config,
      profile: config.profiles[context.selection.name])
    self.context = context
    signer = SigV4Signer(region: settings.region.value, service: "sts")
  }

  /// Asks who the credentials belong to, which needs no permission.
  ///
  /// - Throws: `CredentialError`.
  public func callerIdentity(
    _ credentials: Credentials
  ) async throws(CredentialError) -> CallerIdentity {
    let answer = try await call("GetCallerIdentity", [], credentials)
    guard let account = answer["Account"], let arn = answer["Arn"] else {
      throw CredentialError(.badAnswer, "GetCallerIdentity gave no Account or no Arn")
    }
    return CallerIdentity(account: account, arn: arn)
  }

  /// Calls AssumeRole or, without credentials, AssumeRoleWithWebIdentity.
  ///
  /// - Throws: `CredentialError`.
  func assume(
    _ parameters: [(String, String)], credentials: Credentials?
  ) async throws(CredentialError) -> Credentials {
    let action = credentials == nil ? "AssumeRoleWithWebIdentity" : "AssumeRole"
    let answer = try await call(action, parameters, credentials)
    guard let id = answer["AccessKeyId"], let secret = answer["SecretAccessKey"],
      let token = answer["SessionToken"],
      let end = answer["Expiration"].flatMap(AWSTimestamp.init(iso8601:))
    else { throw CredentialError(.badAnswer, "\(action) gave no credentials") }
    // arn:aws:sts::123456789012:assumed-role/…
    let parts = (answer["Arn"] ?? "").split(separator: ":", omittingEmptySubsequences: false)
    return Credentials(
      accessKeyID: id, secretAccessKey: secret, sessionToken: token, expiration: end,
      accountID: parts.count > 5 && !parts[4].isEmpty ? String(parts[4]) : nil)
  }

  private func call(
    _ action: String, _ parameters: [(String, String)], _ credentials: Credentials?
  ) async throws(CredentialError) -> XMLText {
    let all = [("Action", action), ("Version", "2011-06-15")] + parameters
    let body = Array(FormBody.encode(all).utf8)
    let url = settings.endpoint.value
    var signed = context.now()
    func send() async throws(CredentialError) -> HTTPResponse {
      try await context.send {
        var headers: HTTPHeaders = [:]
        signed = context.clock.corrected(context.now())
        if let credentials {
          headers =
            signer.sign(
              method: "POST", url: url, headers: headers, body: body, credentials: credentials,
              at: signed
            ).headers
        }
        headers.append("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
        var request = HTTPRequest(method: "POST", url: url, headers: headers, body: body)
        request.operation = "sts:\(action)"
        return request
      }
    }
    var response = try await send()
    var answer = XMLText(response.body)
    if context.clock.learn(
      from: answer["Code"] ?? "", date: response.headers["date"], signed: signed,
      now: context.now())
    {
      response = try await send()
      answer = XMLText(response.body)
    }
    guard (200..<300).contains(response.status) else {
      let code = answer["Code"] ?? "HTTP status \(response.status)"
      let words = answer["Message"].map { ": \($0)" } ?? ""
      let kind = ErrorClassifier().kind(status: response.status, code: code)
      let mayPass = kind == .throttling || kind == .transient
      throw CredentialError(
        mayPass ? .unreachable : .refused,
        "\(action) at \(url.hostAndPort) was refused: \(code)\(words)",
        hint: STSClient.hint(code))
    }
    return answer
  }

  private static func hint(_ code: String) -> String? {
    switch code {
    case "AccessDenied": "check the role's trust policy, and that this identity may assume it"
    case "ExpiredToken", "ExpiredTokenException": "renew the credentials that assume the role"
    case "InvalidClientTokenId", "SignatureDoesNotMatch": "check the access key and its secret"
    case "RegionDisabledException": "activate STS in that region, or use another region"
    default: nil
    }
  }
}
