import JSON

/// A program that a profile's `credential_process` names and that prints credentials.
struct ProcessProvider: CredentialProvider {
  let name = "credential process"
  let canChange = true
  private let context: CredentialContext
  private let profile: ProfileReader
  /// As much of what the program complains about as is shown.
  private static let excerpt = 500

  init(_ context: CredentialContext, profile: ProfileReader) {
    self.context = context
    self.profile = profile
  }

  func resolve() async throws(CredentialError) -> CredentialAnswer {
    let settings = try profile.profile()
    guard let line = settings?["credential_process"] else {
      return .passedOver(reason: "profile \"\(profile.name)\" has no credential_process")
    }
    guard let words = ShellWords.split(line), let program = words.first else {
      throw CredentialError(.invalidValue, "credential_process is no command: a quotation is open")
    }
    let end = try await ChildProcess.run(
      words, environment: context.environment.variables, limit: context.processLimit)
    guard end.status == 0 else {
      let said = String(decoding: end.errorOutput.prefix(ProcessProvider.excerpt), as: UTF8.self)
        .withoutOuterSpace
      throw CredentialError(
        .refused, "\(program) ended with status \(end.status)\(said.isEmpty ? "" : ": \(said)")",
        hint: "run it by hand to see what it says")
    }
    guard let json = try? JSONValue.parse(end.output.span) else {
      throw CredentialError(.badAnswer, "what \(program) printed is no JSON")
    }
    guard json["Version"]?.int == 1 else {
      throw CredentialError(.badAnswer, "what \(program) printed is not of Version 1")
    }
    var credentials = try Credentials(json, token: "SessionToken", expirationIsRequired: false)
    credentials.accountID = credentials.accountID ?? settings?["aws_account_id"]
    return .found(
      FoundCredentials(credentials, explanation: "\(program) of profile \"\(profile.name)\""))
  }
}
