import JSON

/// A role of AWS IAM Identity Center, with the token that `aws sso login` has put into the CLI's cache.
struct SSOProvider: CredentialProvider {
  let name = "SSO"
  let canChange = true
  private let context: CredentialContext
  private let profile: ProfileReader
  /// Seconds before the end from which the token of a session is renewed.
  private static let lead: Int64 = 15 * 60

  init(_ context: CredentialContext, profile: ProfileReader) {
    self.context = context
    self.profile = profile
  }

  func resolve() async throws(CredentialError) -> CredentialAnswer {
    guard let settings = try Settings(profile) else {
      return .passedOver(reason: "profile \"\(profile.name)\" has no sso_role_name")
    }
    let token = try await accessToken(settings)
    return .found(
      FoundCredentials(
        try await roleCredentials(settings, token),
        explanation: "the role \(settings.role) in account \(settings.account), by "
          + (settings.session.map { "the session \"\($0)\"" } ?? settings.startURL)))
  }

  /// What the profile, and the `sso-session` it names, say.
  private struct Settings {
    let session: String?
    let startURL: String
    let region: String
    let role: String
    let account: String

    /// Nil where the profile is none of SSO.
    init?(_ reader: ProfileReader) throws(CredentialError) {
      let config = try reader.config()
      let profile = config.profiles[reader.name]
      let names = ["sso_role_name", "sso_account_id", "sso_start_url", "sso_region"]
      guard profile?["sso_role_name"] != nil || profile?["sso_account_id"] != nil else {
        return nil
      }
      var values: [String: String] = [:]
      for name in names { values[name] = profile?[name] }
      session = profile?["sso_session"]
      if let session {
        guard let section = config.ssoSession(session) else {
          throw CredentialError(
            .invalidValue, "there is no [sso-session \(session)], which the profile names")
        }
        for (name, value) in section {
          if let own = profile?[name], own != value {
            throw CredentialError(
              .invalidValue,
              "\(name) is \(own) in the profile, and \(value) in its sso-session")
          }
          values[name] = value
        }
      }
      let missing = names.filter { values[$0] == nil }
      guard missing.isEmpty else {
        throw CredentialError(
          .incomplete,
          "profile \"\(reader.name)\" is one of SSO, and lacks \(missing.joined(separator: ", "))")
      }
      (role, account) = (values[names[0]] ?? "", values[names[1]] ?? "")
      (startURL, region) = (values[names[2]] ?? "", values[names[3]] ?? "")
    }
  }

  // MARK: The token

  private func accessToken(_ settings: Settings) async throws(CredentialError) -> String {
    let file = TokenFile.sso(settings.session ?? settings.startURL, context.environment)
    guard let token = try file.read(), let text = token["accessToken"]?.string,
      let end = AWSTimestamp(tokenTime: token["expiresAt"]?.string)
    else { throw needsLogin("nobody has logged in to \(settings.session ?? settings.startURL)") }
    let left = end.epochSeconds - context.now().epochSeconds
    if settings.session != nil, left < SSOProvider.lead,
      let renewed = try await renewed(token, settings)
    {
      // The next run will renew it again where it cannot be kept.
      try? file.replace(with: renewed)
      return renewed["accessToken"]?.string ?? text
    }
    guard left > 0 else { throw needsLogin("the login expired at \(end)") }
    return text
  }

  /// The token after a renewal; nil where it cannot be renewed, or not now.
  private func renewed(
    _ token: JSONObject, _ settings: Settings
  ) async throws(CredentialError) -> JSONObject? {
    guard let refresh = token["refreshToken"], let id = token["clientId"],
      let secret = token["clientSecret"],
      let end = AWSTimestamp(tokenTime: token["registrationExpiresAt"]?.string),
      end > context.now()
    else { return nil }
    let body: JSONValue = [
      "clientId": id, "clientSecret": secret, "grantType": "refresh_token",
      "refreshToken": refresh,
    ]
    let url = try url(.ssoOIDC, settings, path: "token")
    let response: HTTPResponse
    do throws(CredentialError) {
      response = try await context.send {
        var request = HTTPRequest(
          method: "POST", url: url, headers: ["Content-Type": "application/json"],
          body: body.serialized())
        request.operation = "sso-oidc:CreateToken"
        return request
      }
    } catch { return nil }
    guard response.status == 200, let answer = try? JSONValue.parse(response.body.span),
      let access = answer["accessToken"], access.string != nil,
      let life = answer["expiresIn"]?.int
    else { return nil }
    var renewed = token
    renewed["accessToken"] = access
    renewed["expiresAt"] = .string(context.now().advanced(by: Int64(life)).iso8601)
    if let refresh = answer["refreshToken"] { renewed["refreshToken"] = refresh }
    return renewed
  }

  // MARK: The role

  private func roleCredentials(
    _ settings: Settings, _ token: String
  ) async throws(CredentialError) -> Credentials {
    let query = FormBody.encode([
      ("role_name", settings.role), ("account_id", settings.account),
    ])
    let url = try url(.sso, settings, path: "federation/credentials?\(query)")
    let response = try await context.send {
      var request = HTTPRequest(
        method: "GET", url: url, headers: ["x-amz-sso_bearer_token": token])
      request.operation = "sso:GetRoleCredentials"
      return request
    }
    let json = try? JSONValue.parse(response.body.span)
    if response.status == 401 { throw needsLogin("the login is not accepted any more") }
    guard response.status == 200 else {
      throw CredentialError(
        .refused,
        "GetRoleCredentials was refused: \(json?["message"]?.string ?? "HTTP status \(response.status)")",
        hint: "check sso_role_name and sso_account_id")
    }
    let found = json?["roleCredentials"]
    guard let id = found?["accessKeyId"]?.string, let secret = found?["secretAccessKey"]?.string,
      let session = found?["sessionToken"]?.string, let end = found?["expiration"]?.int
    else { throw CredentialError(.badAnswer, "GetRoleCredentials gave no credentials") }
    return Credentials(
      accessKeyID: id, secretAccessKey: secret, sessionToken: session,
      expiration: AWSTimestamp(epochSeconds: Int64(end / 1000)), accountID: settings.account)
  }

  private func url(
    _ service: AWSService, _ settings: Settings, path: String
  ) throws(CredentialError) -> HTTPURL {
    var request = ServiceSettings.Request()
    request.region = settings.region
    request.allowPlainHTTP = context.request.allowPlainHTTP
    let config = try profile.config()
    do throws(ConfigurationError) {
      let base = try ServiceSettings(
        service: service, request: request, environment: context.environment, config: config,
        profile: config.profiles[context.selection.name]
      ).endpoint.value
      return try base.appending(path)
    } catch { throw CredentialError(error) }
  }

  private func needsLogin(_ reason: String) -> CredentialError {
    CredentialError(
      .needsPerson, reason, hint: "run: aws sso login --profile \(profile.name)")
  }
}
