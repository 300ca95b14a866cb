import AWS
import JSON

/// What `whoami` found out, whether it found credentials or not.
struct WhoamiReport {
  /// Something that could not be found out.
  struct Failure {
    /// `credentials`, `identity` or `endpoint`.
    var about: String
    var message: String
    var hint: String?
  }

  private let profile: String
  private let profileSource: String
  private var found: ResolvedCredentials?
  private var passedOver: [PassedOverProvider] = []
  private var caller: CallerIdentity?
  private var region: Sourced<String>?
  private var endpoint: Sourced<HTTPURL>?
  /// What went wrong, in the order it was met.
  private(set) var errors: [Failure] = []

  /// Looks for credentials, and asks STS whose they are.
  init(_ identity: Identity) async {
    profile = identity.selection.name
    profileSource =
      switch identity.selection.origin {
      case .explicit: "--profile"
      case .variable(let name): name
      case .fallback: identity.profile == nil ? "nobody named one; there is none" : "default"
      }
    do throws(CredentialError) {
      let found = try await identity.credentials.current()
      (self.found, passedOver) = (found, found.passedOver)
    } catch {
      passedOver = error.passedOver
      errors.append(
        Failure(
          about: "credentials",
          message: error.code == .none ? "no AWS credentials found" : "\(error)", hint: error.hint))
    }
    do throws(ConfigurationError) {
      let settings = try identity.settings(accountID: found?.credentials.accountID)
      (region, endpoint) = (settings.region, settings.endpoint)
    } catch { errors.append(Failure(about: "endpoint", message: "\(error)", hint: error.hint)) }
    guard let found, region != nil else { return }
    do {
      caller = try await STSClient(identity.context).callerIdentity(found.credentials)
    } catch let error as CredentialError {
      errors.append(Failure(about: "identity", message: "\(error)", hint: error.hint))
    } catch {
      errors.append(Failure(about: "identity", message: "\(error)", hint: nil))
    }
  }

  /// The first and the last four characters of a key's id, which tell its kind and which one it is.
  static func masked(_ id: String) -> String {
    id.count < 16 ? "…\(id.suffix(4))" : "\(id.prefix(4))…\(id.suffix(4))"
  }

  var text: String {
    var rows: [(String, String)] = []
    if let found {
      rows.append(("provider", "\(found.provider): \(found.explanation)"))
      rows.append(("key", WhoamiReport.masked(found.credentials.accessKeyID)))
      rows.append(("expires", expiry(found)))
    } else {
      rows.append(("provider", "none"))
    }
    if let caller {
      rows.append(("account", caller.account))
      rows.append(("ARN", caller.arn))
    }
    rows.append(("profile", "\(profile) (\(profileSource))"))
    rows.append(("region", region.map { "\($0.value) (\($0.source))" } ?? "none"))
    rows.append(("endpoint", endpoint.map { "\($0.value) (\($0.source))" } ?? "none"))
    rows += passedOver.map { ("passed over", "\($0.provider): \($0.reason)") }
    return rows.map { name, value in
      name + String(repeating: " ", count: 13 - name.count) + value
    }.joined(separator: "\n")
  }

  private func expiry(_ found: ResolvedCredentials) -> String {
    guard let end = found.credentials.expiration else {
      return found.credentials.sessionToken == nil ? "never" : "at a time that is not known"
    }
    let left = Double(end.epochSeconds - AWSTimestamp.now.epochSeconds)
    return "\(end), in \(Format.duration(max(left, 0)))"
      + (found.canChange ? "; renewed before" : "; cannot be renewed by dynarc")
  }

  var json: JSONValue {
    func sourced(_ value: Sourced<String>?) -> JSONValue {
      value.map { ["value": .string($0.value), "source": .string($0.source)] } ?? .null
    }
    func text(_ value: String?) -> JSONValue { value.map { .string($0) } ?? .null }
    return [
      "provider": text(found?.provider), "explanation": text(found?.explanation),
      "accessKeyId": text(found.map { WhoamiReport.masked($0.credentials.accessKeyID) }),
      "temporary": .bool(found?.credentials.sessionToken != nil),
      "expiresAt": text(found?.credentials.expiration?.iso8601),
      "renewable": .bool(found?.canChange ?? false), "account": text(caller?.account),
      "arn": text(caller?.arn),
      "profile": ["value": .string(profile), "source": .string(profileSource)],
      "region": sourced(region),
      "endpoint": sourced(endpoint.map { Sourced("\($0.value)", from: $0.source) }),
      "passedOver": .array(
        passedOver.map { ["provider": .string($0.provider), "reason": .string($0.reason)] }),
      "errors": .array(
        errors.map {
          ["about": .string($0.about), "message": .string($0.message), "hint": text($0.hint)]
        }),
    ]
  }
}
