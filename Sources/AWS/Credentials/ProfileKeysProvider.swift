/// Static keys from a profile in one of the two files, read anew each time.
///
/// Keys of one file are never completed from the other: an access key with another's session token
/// would be neither.
struct ProfileKeysProvider: CredentialProvider {
  /// One of the files.
  enum File: String, Sendable {
    case credentials = "credentials file"
    case config = "config file"
  }

  var name: String { file.rawValue }
  let canChange = true
  private let file: File
  private let profile: ProfileReader

  init(_ file: File, profile: ProfileReader) {
    self.file = file
    self.profile = profile
  }

  func resolve() async throws(CredentialError) -> CredentialAnswer {
    let found = try profile.profile()
    let section = file == .credentials ? found?.credentials : found?.config
    guard let section else { return .passedOver(reason: "it has no profile \"\(profile.name)\"") }
    func text(_ setting: String) -> String? { SharedConfig.Profile.text(section, setting) }
    guard let id = text("aws_access_key_id") else {
      return .passedOver(reason: "its profile \"\(profile.name)\" has no aws_access_key_id")
    }
    guard let secret = text("aws_secret_access_key") else {
      throw CredentialError(
        .incomplete,
        "its profile \"\(profile.name)\" has an aws_access_key_id and no aws_secret_access_key",
        hint: "add aws_secret_access_key beside it")
    }
    return .found(
      FoundCredentials(
        Credentials(
          accessKeyID: id, secretAccessKey: secret, sessionToken: text("aws_session_token"),
          accountID: text("aws_account_id")), explanation: "keys of profile \"\(profile.name)\""))
  }
}
