import JSON

/// The credentials of `aws login`, which a profile's `login_session` names: taken from the CLI's cache,
/// and renewed there. They live for 15 minutes, the login for hours.
struct LoginProvider: CredentialProvider {
  let name = "login session"
  let canChange = true
  private let context: CredentialContext
  private let profile: ProfileReader
  /// Seconds before the end from which they are renewed.
  private static let lead: Int64 = 5 * 60

  init(_ context: CredentialContext, profile: ProfileReader) {
    self.context = context
    self.profile = profile
  }

  func resolve() async throws(CredentialError) -> CredentialAnswer {
    guard let session = try profile.profile()?["login_session"] else {
      return .passedOver(reason: "profile \"\(profile.name)\" has no login_session")
    }
    let file = TokenFile.login(session, context.environment)
    guard let token = try file.read() else {
      throw needsLogin("there is no login of \(session)")
    }
    guard let end = AWSTimestamp(tokenTime: token["accessToken"]?["expiresAt"]?.string) else {
      throw needsLogin("the cached login of \(session) is incomplete")
    }
    let left = end.epochSeconds - context.now().epochSeconds
    guard left <= LoginProvider.lead else { return .found(try found(token, session)) }
    do throws(CredentialError) {
      let renewed = try await renewed(token, session)
      // The refresh token has been used up: what replaces it must be kept.
      try file.replace(with: renewed)
      return .found(try found(renewed, session))
    } catch {
      // Good for as long as newer ones fail to come.
      guard left > 0 else { throw error }
      return .found(try found(token, session))
    }
  }

  private func found(
    _ token: JSONObject, _ session: String
  ) throws(CredentialError) -> FoundCredentials {
    let access = token["accessToken"]
    guard let id = access?["accessKeyId"]?.string,
      let secret = access?["secretAccessKey"]?.string
    else { throw needsLogin("the cached login of \(session) is incomplete") }
    return FoundCredentials(
      Credentials(
        accessKeyID: id, secretAccessKey: secret, sessionToken: access?["sessionToken"]?.string,
        expiration: AWSTimestamp(tokenTime: access?["expiresAt"]?.string),
        accountID: access?["accountId"]?.string), explanation: "the login \(session)")
  }

  /// The token after a renewal.
  private func renewed(
    _ token: JSONObject, _ session: String
  ) async throws(CredentialError) -> JSONObject {
    let url = try url()
    let id = ServiceClient.uuid(context.random(), context.random())
    guard let client = token["clientId"], let refresh = token["refreshToken"],
      let key = token["dpopKey"]?.string,
      let proof = DPoP.header(key: key, url: url, at: context.now(), id: id)
    else { throw needsLogin("the cached login of \(session) cannot be renewed") }
    let body: JSONValue = [
      "clientId": client, "refreshToken": refresh, "grantType": "refresh_token",
    ]
    let response = try await context.send {
      var request = HTTPRequest(
        method: "POST", url: url, headers: ["Content-Type": "application/json", "DPoP": proof],
        body: body.serialized())
      request.operation = "signin:CreateOAuth2Token"
      return request
    }
    let answer = try? JSONValue.parse(response.body.span)
    guard response.status == 200 else {
      let reason = answer?["error"]?.string ?? "HTTP status \(response.status)"
      throw needsLogin("the login of \(session) was not renewed: \(reason)")
    }
    guard let keys = answer?["accessToken"]?.object, let life = answer?["expiresIn"]?.int else {
      throw CredentialError(.badAnswer, "CreateOAuth2Token gave no credentials")
    }
    var access = token["accessToken"]?.object ?? JSONObject()
    for name in ["accessKeyId", "secretAccessKey", "sessionToken"] { access[name] = keys[name] }
    access["expiresAt"] = .string(context.now().advanced(by: Int64(life)).iso8601)
    var renewed = token
    renewed["accessToken"] = .object(access)
    if let next = answer?["refreshToken"] { renewed["refreshToken"] = next }
    return renewed
  }

  private func url() throws(CredentialError) -> HTTPURL {
    let config = try profile.config()
    var request = context.request
    // That of DynamoDB.
    request.endpointURL = nil
    do throws(ConfigurationError) {
      return try ServiceSettings(
        service: .signin, request: request, environment: context.environment, config: config,
        profile: config.profiles[context.selection.name]
      ).endpoint.value.appending("v1/token")
    } catch { throw CredentialError(error) }
  }

  private func needsLogin(_ reason: String) -> CredentialError {
    CredentialError(.needsPerson, reason, hint: "run: aws login --profile \(profile.name)")
  }
}
