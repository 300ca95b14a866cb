import JSON

/// The role of a container, from the endpoint that ECS, EKS Pod Identity or Greengrass names in the
/// environment.
struct ContainerProvider: CredentialProvider {
  let name = "container"
  let canChange = true
  private let context: CredentialContext
  private var environment: AWSEnvironment { context.environment }

  private static let relative = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"
  private static let full = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
  /// The link-local addresses of ECS and EKS: nobody else can stand there.
  private static let trustedHosts = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"]

  init(_ context: CredentialContext) { self.context = context }

  func resolve() async throws(CredentialError) -> CredentialAnswer {
    guard let (variable, url) = try address() else {
      return .passedOver(reason: "neither \(ContainerProvider.relative) nor its _FULL_URI is set")
    }
    let token = try authorization()
    let response = try await context.send {
      var request = HTTPRequest(method: "GET", url: url, headers: ["Accept": "application/json"])
      if let token { request.headers.append("Authorization", token) }
      request.operation = "container:Credentials"
      request.limit = .seconds(2)
      request.isDirect = true
      return request
    }
    guard response.status == 200 else {
      throw CredentialError(
        .refused, "\(url.hostAndPort) answered with HTTP status \(response.status)",
        hint: "see \(variable) and the container's role")
    }
    guard let json = try? JSONValue.parse(response.body.span) else {
      throw CredentialError(
        .badAnswer, "\(url.hostAndPort) answered with something that is no JSON")
    }
    return .found(
      FoundCredentials(
        try Credentials(json, token: "Token", expirationIsRequired: true), explanation: variable))
  }

  private func address() throws(CredentialError) -> (variable: String, url: HTTPURL)? {
    do throws(TransportError) {
      if let path = environment[ContainerProvider.relative] {
        guard path.hasPrefix("/") else {
          throw TransportError(.invalidURL, "it does not begin with a slash")
        }
        return (ContainerProvider.relative, try HTTPURL("http://169.254.170.2\(path)"))
      }
      guard let text = environment[ContainerProvider.full] else { return nil }
      let url = try HTTPURL(text)
      guard
        url.scheme == .https || url.isLoopback
          || ContainerProvider.trustedHosts.contains(url.host)
      else {
        throw TransportError(
          .invalidURL, "credentials are not fetched from \(url.host) over plain http",
          hint: "use https, a loopback address, or \(ContainerProvider.trustedHosts[0])")
      }
      return (ContainerProvider.full, url)
    } catch {
      let variable =
        environment[ContainerProvider.relative] == nil
        ? ContainerProvider.full : ContainerProvider.relative
      throw CredentialError(.invalidValue, "\(variable): \(error.message)", hint: error.hint)
    }
  }

  /// The token to show, read anew each time where it stands in a file.
  private func authorization() throws(CredentialError) -> String? {
    var token = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    var source = "AWS_CONTAINER_AUTHORIZATION_TOKEN"
    if let path = environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] {
      source = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"
      let bytes: [UInt8]?
      do throws(ConfigurationError) { bytes = try environment.readFile(path) } catch {
        throw CredentialError(error)
      }
      guard let bytes else {
        throw CredentialError(.invalidValue, "the file of \(source), \(path), does not exist")
      }
      token = String(decoding: bytes, as: UTF8.self)
    }
    // It would end the header and start another.
    if let token, token.utf8.contains(where: { $0 == 0x0D || $0 == 0x0A }) {
      throw CredentialError(.invalidValue, "the token of \(source) holds a line break")
    }
    return token
  }
}
