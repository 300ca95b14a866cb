import JSON

/// The credentials of `aws login`, which a profile's `login_session` names: taken from the CLI's cache
/// while they are alive, and read there again when they are to be renewed.
struct LoginProvider: CredentialProvider {
  let name = "login session"
  let canChange = true
  private let context: CredentialContext
  private let profile: ProfileReader

  init(_ context: CredentialContext, profile: ProfileReader) {
    self.context = context
    self.profile = profile
  }

  func resolve() async throws(CredentialError) -> CredentialAnswer {
    guard let session = try profile.profile()?["login_session"] else {
      return .passedOver(reason: "profile \"\(profile.name)\" has no login_session")
    }
    let hint = "run: aws login --profile \(profile.name)"
    guard let token = try TokenFile.login(session, context.environment).read() else {
      throw CredentialError(.needsPerson, "there is no login of \(session)", hint: hint)
    }
    let access = token["accessToken"]
    guard let id = access?["accessKeyId"]?.string,
      let secret = access?["secretAccessKey"]?.string,
      let end = AWSTimestamp(tokenTime: access?["expiresAt"]?.string)
    else {
      throw CredentialError(
        .badAnswer, "the cached login of \(session) is incomplete", hint: hint)
    }
    guard end > context.now() else {
      throw CredentialError(
        .needsPerson, "the login of \(session) expired at \(end)",
        hint: hint + "; any command of the AWS CLI renews a login that is not too old")
    }
    return .found(
      FoundCredentials(
        Credentials(
          accessKeyID: id, secretAccessKey: secret,
          sessionToken: access?["sessionToken"]?.string, expiration: end,
          accountID: access?["accountId"]?.string), explanation: "the login \(session)"))
  }
}
