import JSON

/// A role assumed with a token of an identity provider: from a file that is read again each time (EKS,
/// and whoever sets `web_identity_token_file`), or from GitHub Actions.
struct WebIdentityProvider: CredentialProvider {
  let name = "web identity"
  let canChange = true
  private let context: CredentialContext
  private let profile: ProfileReader
  private let usesVariables: Bool

  init(_ context: CredentialContext, profile: ProfileReader, usesVariables: Bool) {
    self.context = context
    self.profile = profile
    self.usesVariables = usesVariables
  }

  func resolve() async throws(CredentialError) -> CredentialAnswer {
    let settings = try profile.profile()
    func value(_ variable: String, _ setting: String) -> String? {
      (usesVariables ? context.environment[variable] : nil) ?? settings?[setting]
    }
    let path = value("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file")
    let role = value("AWS_ROLE_ARN", "role_arn")
    guard path != nil || isGitHubActions else {
      return .passedOver(reason: "no token file is named")
    }
    guard let role else {
      throw CredentialError(
        .incomplete, "there is a token, and no role for it",
        hint: "set AWS_ROLE_ARN, or role_arn in the profile")
    }
    let token: String
    if let path { token = try read(path) } else { token = try await tokenOfGitHub() }
    let session = value("AWS_ROLE_SESSION_NAME", "role_session_name")
    let client: STSClient
    do throws(ConfigurationError) { client = try STSClient(context) } catch {
      throw CredentialError(error)
    }
    let credentials = try await client.assume(
      [
        ("RoleArn", role), ("RoleSessionName", session ?? "dynarc-\(context.now().epochSeconds)"),
        ("WebIdentityToken", token),
      ], credentials: nil)
    return .found(
      FoundCredentials(
        credentials,
        explanation:
          "the role \(role), with \(path.map { "the token in \($0)" } ?? "GitHub's token")"
      ))
  }

  private func read(_ path: String) throws(CredentialError) -> String {
    let bytes: [UInt8]?
    do throws(ConfigurationError) {
      bytes = try context.environment.readFile(context.environment.expand(path))
    } catch { throw CredentialError(error) }
    guard let bytes else {
      throw CredentialError(.invalidValue, "the token file \(path) does not exist")
    }
    return String(decoding: bytes, as: UTF8.self).withoutOuterSpace
  }

  // MARK: GitHub Actions

  /// A workflow with `id-token: write` has these; the role tells that it is meant for AWS.
  private var isGitHubActions: Bool {
    usesVariables && context.environment["AWS_ROLE_ARN"] != nil
      && context.environment["ACTIONS_ID_TOKEN_REQUEST_URL"] != nil
      && context.environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] != nil
  }

  private func tokenOfGitHub() async throws(CredentialError) -> String {
    let text = context.environment["ACTIONS_ID_TOKEN_REQUEST_URL"] ?? ""
    let url: HTTPURL
    do throws(TransportError) {
      url = try HTTPURL(text + (text.contains("?") ? "&" : "?") + "audience=sts.amazonaws.com")
    } catch {
      throw CredentialError(.invalidValue, "ACTIONS_ID_TOKEN_REQUEST_URL: \(error.message)")
    }
    // It carries a secret.
    guard url.scheme == .https || url.isLoopback else {
      throw CredentialError(.invalidValue, "ACTIONS_ID_TOKEN_REQUEST_URL is not https")
    }
    let bearer = context.environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"] ?? ""
    let response = try await context.send {
      var request = HTTPRequest(
        method: "GET", url: url,
        headers: ["Accept": "application/json", "Authorization": "bearer \(bearer)"])
      request.operation = "github:IdToken"
      return request
    }
    guard response.status == 200,
      let token = (try? JSONValue.parse(response.body.span))?["value"]?.string
    else {
      throw CredentialError(
        response.status == 200 ? .badAnswer : .refused,
        "GitHub gave no token (HTTP status \(response.status))",
        hint: "the job needs the permission id-token: write")
    }
    return token
  }
}

extension String {
  /// Without white space and line breaks at both ends, which editors leave behind.
  var withoutOuterSpace: String {
    var text = self[...]
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }
}
