import Digest
import JSON

/// What the providers of one identity work with. Two identities in one process are two of these, with
/// nothing in common but the transport.
public struct CredentialContext: Sendable {
  /// Variables, home and files.
  public var environment: AWSEnvironment
  /// The profile in effect.
  public var selection: SharedConfig.Selection
  /// Carries the requests.
  public var transport: any HTTPTransport
  /// `dynarc/1.2.3 …`
  public var userAgent: String
  /// What the user asks for; its region is that of STS too.
  public var request = ServiceSettings.Request()
  /// Asks a person for the code of an MFA device. Throws where nobody is there.
  public var askCode: @Sendable (_ serial: String) async throws(CredentialError) -> String = {
    serial throws(CredentialError) in
    throw CredentialError(.needsPerson, "nobody can be asked for the code of \(serial)")
  }
  /// How long a request may take that has no limit of its own: its answers are a few KB.
  public var requestLimit: Duration = .seconds(10)
  /// What is known of the services' clock.
  public var clock = ClockSkew()
  /// How long a `credential_process` may take.
  public var processLimit: Duration = .seconds(60)
  /// The clock.
  public var now: @Sendable () -> AWSTimestamp = { .now }
  /// Waits between attempts; throws when the task is cancelled.
  public var sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
  /// 64 bits of chance, for pauses.
  public var random: @Sendable () -> UInt64 = { UInt64.random(in: .min ... .max) }

  /// Creates a context with the system's clock and chance, in which nobody can be asked.
  public init(
    environment: AWSEnvironment, selection: SharedConfig.Selection,
    transport: any HTTPTransport, userAgent: String
  ) {
    self.environment = environment
    self.selection = selection
    self.transport = transport
    self.userAgent = userAgent
  }

  /// Sends a request, and again where the failure may pass: a broken connection, a 5xx, a 429.
  ///
  /// - Returns: an answer of any other status.
  /// - Throws: `CredentialError` with the code `unreachable`.
  func send(
    attempts: Int = 3, _ make: () -> HTTPRequest
  ) async throws(CredentialError) -> HTTPResponse {
    var attempt = 1
    while true {
      var request = make()
      request.attempt = attempt
      request.headers["User-Agent"] = userAgent
      request.limit = request.limit ?? requestLimit
      let failure: CredentialError
      var isFinal = attempt >= attempts
      do throws(TransportError) {
        let response = try await transport.send(request)
        guard response.status >= 500 || response.status == 429 else { return response }
        failure = CredentialError(
          .unreachable, "\(request.url.hostAndPort) answered with HTTP status \(response.status)")
      } catch {
        failure = CredentialError(.unreachable, "\(error)", hint: error.hint)
        isFinal = isFinal || !error.isRetryable
      }
      if isFinal { throw failure }
      let chance = Double(random() >> 11) * 0x1p-53
      let pause = RetryPolicy().pause(after: .transient, attempt: attempt + 2, chance: chance)
      do { try await sleep(pause) } catch {
        throw CredentialError(.unreachable, "the search for credentials was cancelled")
      }
      attempt += 1
    }
  }
}

/// A profile as its files have it now: tools that renew temporary keys write them there, while a job
/// runs.
struct ProfileReader: Sendable {
  let environment: AWSEnvironment
  let name: String

  /// The other profile of the files.
  func named(_ other: String) -> ProfileReader {
    ProfileReader(environment: environment, name: other)
  }

  func config() throws(CredentialError) -> SharedConfig {
    do throws(ConfigurationError) { return try SharedConfig(environment) } catch {
      throw CredentialError(error)
    }
  }

  /// The profile; nil where there is none.
  func profile() throws(CredentialError) -> SharedConfig.Profile? { try config().profiles[name] }
}

extension Credentials {
  /// Credentials from the JSON that containers, instances and processes answer with.
  ///
  /// - Parameter token: the name of the member that holds the session token.
  /// - Throws: `CredentialError` with the code `badAnswer`; the message names what is missing.
  init(
    _ json: JSONValue?, token: String, expirationIsRequired: Bool
  ) throws(CredentialError) {
    func text(_ name: String) throws(CredentialError) -> String {
      guard let text = json?[name]?.string, !text.isEmpty else {
        throw CredentialError(.badAnswer, "the answer has no \(name)")
      }
      return text
    }
    self.init(
      accessKeyID: try text("AccessKeyId"), secretAccessKey: try text("SecretAccessKey"),
      sessionToken: json?[token]?.string, accountID: json?["AccountId"]?.string)
    let end = json?["Expiration"]?.string
    guard expirationIsRequired || end != nil else { return }
    guard let end, let time = AWSTimestamp(iso8601: end) else {
      throw CredentialError(.badAnswer, "the answer's Expiration is no time")
    }
    expiration = time
  }
}
