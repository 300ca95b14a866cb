/// Providers in order: the first that has credentials delivers them.
public struct CredentialChain: Sendable {
  /// The providers, first choice first.
  public var providers: [any CredentialProvider]

  /// Creates a chain.
  public init(_ providers: [any CredentialProvider]) { self.providers = providers }

  /// The chain of AWS tools. A profile that the user names explicitly takes the environment's keys and
  /// its web identity out of the game.
  public static func standard(_ context: CredentialContext) -> CredentialChain {
    let selection = context.selection
    let usesVariables = selection.origin != .explicit
    let profile = ProfileReader(environment: context.environment, name: selection.name)
    var providers: [any CredentialProvider] = [AssumeRoleProvider(context, profile: profile)]
    providers += ofProfile(context, profile, usesVariables: usesVariables).providers
    providers += [ContainerProvider(context), InstanceMetadataProvider(context)]
    if usesVariables { providers.insert(EnvironmentProvider(context.environment), at: 0) }
    return CredentialChain(providers)
  }

  /// What a profile may hold beside a role to assume: also the chain of a `source_profile`.
  static func ofProfile(
    _ context: CredentialContext, _ profile: ProfileReader, usesVariables: Bool
  ) -> CredentialChain {
    CredentialChain([
      WebIdentityProvider(context, profile: profile, usesVariables: usesVariables),
      SSOProvider(context, profile: profile),
      ProfileKeysProvider(.credentials, profile: profile),
      LoginProvider(context, profile: profile),
      ProcessProvider(context, profile: profile),
      ProfileKeysProvider(.config, profile: profile),
    ])
  }

  /// Asks the providers one after the other.
  ///
  /// - Parameter only: the one provider to ask, by name. Who goes on signing as somebody must not
  ///   become somebody else because a provider has run dry, which is an error of code `unreachable`:
  ///   it may have some again in a moment.
  /// - Throws: what a provider throws, or `CredentialError` with the code `none` that gives each
  ///   provider's reason.
  public func resolve(only: String? = nil) async throws(CredentialError) -> ResolvedCredentials {
    var passedOver: [PassedOverProvider] = []
    for provider in providers where only == nil || provider.name == only {
      let answer: CredentialAnswer
      do throws(CredentialError) { answer = try await provider.resolve() } catch {
        var error = error
        error.provider = error.provider ?? provider.name
        error.passedOver = passedOver
        throw error
      }
      switch answer {
      case .found(let found):
        return ResolvedCredentials(
          credentials: found.credentials, provider: provider.name, explanation: found.explanation,
          canChange: provider.canChange && found.isRenewable, passedOver: passedOver)
      case .passedOver(let reason) where only != nil:
        throw CredentialError(
          .unreachable, "there are no credentials any more: \(reason)", provider: provider.name)
      case .passedOver(let reason):
        passedOver.append(PassedOverProvider(provider: provider.name, reason: reason))
      }
    }
    let story = passedOver.map { "\($0.provider): \($0.reason)" }.joined(separator: "; ")
    var error = CredentialError(
      .none, "no AWS credentials found (\(story))",
      hint: "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --profile")
    error.passedOver = passedOver
    throw error
  }
}
