/// A role that a profile's `role_arn` names, assumed as another profile or another source.
struct AssumeRoleProvider: CredentialProvider {
  let name = "assumed role"
  let canChange = true
  private let context: CredentialContext
  private let profile: ProfileReader

  init(_ context: CredentialContext, profile: ProfileReader) {
    self.context = context
    self.profile = profile
  }

  func resolve() async throws(CredentialError) -> CredentialAnswer {
    let config = try profile.config()
    guard let own = config.profiles[profile.name] else {
      return .passedOver(reason: "there is no profile \"\(profile.name)\"")
    }
    guard own.assumesRole else {
      return .passedOver(
        reason: own["role_arn"] == nil
          ? "profile \"\(profile.name)\" has no role_arn"
          : "profile \"\(profile.name)\" names a web identity for its role_arn")
    }
    return .found(try await assume(own, config, visited: [own.name]))
  }

  private func assume(
    _ profile: SharedConfig.Profile, _ config: SharedConfig, visited: [String]
  ) async throws(CredentialError) -> FoundCredentials {
    let role = profile["role_arn"] ?? ""
    var parameters = [
      ("RoleArn", role),
      (
        "RoleSessionName",
        profile["role_session_name"] ?? "dynarc-\(context.now().epochSeconds)"
      ),
    ]
    parameters += profile["external_id"].map { [("ExternalId", $0)] } ?? []
    if let text = profile["duration_seconds"] {
      guard let seconds = Int(text), seconds > 0 else {
        throw invalid(profile, "duration_seconds is \"\(text)\", which is no number of seconds")
      }
      parameters.append(("DurationSeconds", "\(seconds)"))
    }
    let source = try await source(of: profile, config, visited: visited)
    let serial = profile["mfa_serial"]
    if let serial {
      parameters += [("SerialNumber", serial), ("TokenCode", try await context.askCode(serial))]
    }
    let client: STSClient
    do throws(ConfigurationError) { client = try STSClient(context) } catch {
      throw CredentialError(error)
    }
    return FoundCredentials(
      try await client.assume(parameters, credentials: source.credentials),
      explanation: "the role \(role) of profile \"\(profile.name)\", assumed with "
        + source.explanation,
      isRenewable: source.isRenewable && serial == nil)
  }

  // MARK: Who assumes it

  private func source(
    of profile: SharedConfig.Profile, _ config: SharedConfig, visited: [String]
  ) async throws(CredentialError) -> FoundCredentials {
    switch (profile["source_profile"], profile["credential_source"]) {
    case (nil, nil):
      throw invalid(profile, "has a role_arn, and neither source_profile nor credential_source")
    case (_?, _?): throw invalid(profile, "has both source_profile and credential_source")
    case (nil, let source?): return try await named(source, profile)
    case (let name?, nil):
      return try await sourceProfile(name, of: profile, config, visited: visited)
    }
  }

  private func sourceProfile(
    _ name: String, of profile: SharedConfig.Profile, _ config: SharedConfig, visited: [String]
  ) async throws(CredentialError) -> FoundCredentials {
    guard let source = config.profiles[name] else {
      throw invalid(profile, "names the source_profile \"\(name)\", which does not exist")
    }
    // A profile may name itself to hold the keys and the role in one; any other way back is a loop.
    let namesItself = name == profile.name && source.hasStaticKeys
    if visited.contains(name), !namesItself {
      throw invalid(
        profile, "leads back to itself: \((visited + [name]).joined(separator: " → "))")
    }
    // Keys beat a role of the source's own, which would be assumed only to assume another.
    if source.assumesRole, !source.hasStaticKeys {
      return try await assume(source, config, visited: visited + [name])
    }
    let chain = CredentialChain.ofProfile(context, self.profile.named(name), usesVariables: false)
    do throws(CredentialError) {
      let found = try await chain.resolve()
      return FoundCredentials(
        found.credentials, explanation: found.explanation, isRenewable: found.canChange)
    } catch {
      guard error.code == .none else { throw error }
      throw invalid(profile, "names the source_profile \"\(name)\", which has no credentials")
    }
  }

  private func named(
    _ source: String, _ profile: SharedConfig.Profile
  ) async throws(CredentialError) -> FoundCredentials {
    let provider: any CredentialProvider
    switch source {
    case "Environment": provider = EnvironmentProvider(context.environment)
    case "EcsContainer": provider = ContainerProvider(context)
    case "Ec2InstanceMetadata": provider = InstanceMetadataProvider(context)
    default:
      throw invalid(
        profile, "has the credential_source \"\(source)\", which is none",
        hint: "it is Environment, EcsContainer or Ec2InstanceMetadata")
    }
    switch try await provider.resolve() {
    // Variables do not change, but the role's session is new each time.
    case .found(let found): return found
    case .passedOver(let reason):
      throw invalid(profile, "has the credential_source \(source), which has none: \(reason)")
    }
  }

  private func invalid(
    _ profile: SharedConfig.Profile, _ reason: String, hint: String? = nil
  ) -> CredentialError {
    CredentialError(
      .invalidValue, "profile \"\(profile.name)\" \(reason)",
      hint: hint ?? "correct the profile; see it with: aws configure list --profile \(profile.name)"
    )
  }
}

extension SharedConfig.Profile {
  /// Whether it is one of a role to assume. With a token file the role is a web identity's.
  fileprivate var assumesRole: Bool {
    self["role_arn"] != nil && self["web_identity_token_file"] == nil
  }

  fileprivate var hasStaticKeys: Bool {
    self["aws_access_key_id"] != nil || self["aws_secret_access_key"] != nil
  }
}
