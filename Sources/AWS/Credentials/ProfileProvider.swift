/// Static keys from a profile in the credentials file or, after it, the config file.
///
/// Both are read anew each time: tools that renew temporary keys write them there, while a job runs.
///
/// Keys of one file are never completed from the other: an access key with another's session token
/// would be neither. A profile that asks for a source this version does not know is an error, at the
/// place in the order where that source would be asked.
public struct ProfileProvider: CredentialProvider {
  public var name: String { "profile \"\(profileName)\"" }
  public let canChange = true
  private let profileName: String
  private let read: @Sendable () throws(ConfigurationError) -> SharedConfig.Profile?

  /// Sources that AWS tools ask before the credentials file's keys.
  private static let sourcesBeforeKeys = [
    "role_arn", "web_identity_token_file", "sso_session", "sso_start_url",
  ]
  /// Sources that they ask between the credentials file's keys and the config file's.
  private static let sourcesAfterKeys = ["login_session", "credential_process"]

  /// Creates a provider.
  ///
  /// - Parameter read: the profile as it is now; nil where there is none.
  public init(
    profileName: String,
    read: @escaping @Sendable () throws(ConfigurationError) -> SharedConfig.Profile?
  ) {
    self.profileName = profileName
    self.read = read
  }

  public func resolve() async throws(CredentialError) -> CredentialAnswer {
    let profile: SharedConfig.Profile?
    do throws(ConfigurationError) { profile = try read() } catch {
      throw CredentialError(.invalidValue, "\(error)", provider: name, hint: error.hint)
    }
    guard let profile else { return .passedOver(reason: "there is no such profile") }
    try refuse(ProfileProvider.sourcesBeforeKeys, of: profile)
    if let keys = try keys(profile.credentials, "the credentials file") {
      return .credentials(keys)
    }
    try refuse(ProfileProvider.sourcesAfterKeys, of: profile)
    if let keys = try keys(profile.config, "the config file") { return .credentials(keys) }
    return .passedOver(reason: "it has no aws_access_key_id")
  }

  private func refuse(
    _ settings: [String], of profile: SharedConfig.Profile
  ) throws(CredentialError) {
    guard let setting = settings.first(where: { profile[$0] != nil }) else { return }
    throw CredentialError(
      .unsupported, "its setting \(setting) is not supported yet", provider: name,
      hint: "get temporary keys with another tool (such as aws configure export-credentials) and "
        + "pass them in the environment")
  }

  private func keys(
    _ section: ConfigFile.Section?, _ file: String
  ) throws(CredentialError) -> Credentials? {
    func text(_ setting: String) -> String? { SharedConfig.Profile.text(section, setting) }
    guard let id = text("aws_access_key_id") else { return nil }
    guard let secret = text("aws_secret_access_key") else {
      throw CredentialError(
        .incomplete, "\(file) has its aws_access_key_id and no aws_secret_access_key",
        provider: name, hint: "add aws_secret_access_key beside it")
    }
    return Credentials(
      accessKeyID: id, secretAccessKey: secret, sessionToken: text("aws_session_token"),
      accountID: text("aws_account_id"))
  }
}
