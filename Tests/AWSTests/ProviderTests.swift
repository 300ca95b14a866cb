import Synchronization
import Testing

@testable import AWS

/// Providers that ask somebody, against a scripted server on the loopback interface.
@Suite(.timeLimit(.minutes(1))) struct ProviderTests {
  private static let sts = """
    <R><Credentials><AccessKeyId>ROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
    <SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
    <Arn>arn:aws:sts::111122223333:assumed-role/r/s</Arn></R>
    """

  /// Resolves with a server that all services and metadata are sent to.
  private func resolve(
    _ variables: [String: String] = [:], config: String? = nil, files: [String: String] = [:],
    profile: String? = nil, code: String? = nil, pause: Duration = .zero,
    script: @escaping SocketServer.Script = { _, connection in
      connection.answer(200, ProviderTests.sts)
      return .keep
    }
  ) async throws -> (Result<ResolvedCredentials, CredentialError>, [SocketServer.Request]) {
    let server = try SocketServer(script)
    defer { server.stop() }
    let address = "http://127.0.0.1:\(server.port)"
    let usual = [
      "AWS_ENDPOINT_URL": address, "AWS_REGION": "eu-west-1", "AWS_EC2_METADATA_DISABLED": "true",
      "AWS_EC2_METADATA_SERVICE_ENDPOINT": address,
    ]
    let variables = usual.merging(variables.mapValues { $0.replacing("SERVER", with: address) }) {
      $1
    }
    var all = files
    all["/home/me/.aws/config"] = config
    let contents = all
    let environment = AWSEnvironment(variables: variables, home: "/home/me") { path in
      contents[path].map { Array($0.utf8) }
    }
    let transport = try CurlTransport()
    var context = CredentialContext(
      environment: environment, selection: .init(explicit: profile, environment: environment),
      transport: transport, userAgent: "test")
    context.sleep = { _ in }
    if let code { context.askCode = { _ throws(CredentialError) in code } }
    let result: Result<ResolvedCredentials, CredentialError>
    do throws(CredentialError) {
      result = .success(try await CredentialChain.standard(context).resolve())
    } catch { result = .failure(error) }
    await transport.shutdown()
    return (result, server.requests)
  }

  private func body(_ request: SocketServer.Request?) -> String {
    String(decoding: request?.body ?? [], as: UTF8.self)
  }

  // MARK: Assumed roles

  private static let chain = """
    [profile a]
    role_arn = arn:a
    source_profile = b
    external_id = x&y
    duration_seconds = 900
    role_session_name = me
    [profile b]
    role_arn = arn:b
    source_profile = c
    [profile c]
    aws_access_key_id = BASE
    aws_secret_access_key = s
    """

  @Test func aChainOfRoles() async throws {
    let (result, requests) = try await resolve(config: ProviderTests.chain, profile: "a")
    let found = try result.get()
    #expect(found.credentials.accessKeyID == "ROLE")
    #expect(found.credentials.accountID == "111122223333")
    #expect(found.provider == "assumed role")
    #expect(found.explanation.contains("arn:a") && found.explanation.contains("arn:b"))
    #expect(requests.count == 2)
    #expect(body(requests.first).contains("RoleArn=arn%3Ab"))
    #expect(requests.first?["Authorization"]?.contains("Credential=BASE/") == true)
    #expect(requests.last?["Authorization"]?.contains("Credential=ROLE/") == true)
    let last = body(requests.last)
    for part in ["ExternalId=x%26y", "DurationSeconds=900", "RoleSessionName=me"] {
      #expect(last.contains(part))
    }
  }

  @Test func aCodeMakesASessionThatCannotBeRenewed() async throws {
    let config = ProviderTests.chain.replacing(
      "[profile b]", with: "[profile b]\nmfa_serial = arn:mfa")
    let (result, requests) = try await resolve(config: config, profile: "a", code: "123456")
    #expect(try result.get().canChange == false)
    #expect(body(requests.first).contains("SerialNumber=arn%3Amfa&TokenCode=123456"))
    let (nobody, none) = try await resolve(config: config, profile: "a")
    #expect(throws: CredentialError.self) { try nobody.get() }
    #expect(none.isEmpty)
  }

  @Test(arguments: [
    ("role_arn = x", "neither source_profile"),
    ("role_arn = x\nsource_profile = a\ncredential_source = Environment", "both"),
    ("role_arn = x\nsource_profile = nobody", "does not exist"),
    ("role_arn = x\nsource_profile = a", "a → a"),
    (
      "role_arn = x\nsource_profile = b\n[profile b]\nrole_arn = y\nsource_profile = a", "a → b → a"
    ),
    ("role_arn = x\nsource_profile = b\n[profile b]\nregion = y", "no credentials"),
    ("role_arn = x\ncredential_source = Moon", "Moon"),
    ("role_arn = x\ncredential_source = Environment", "AWS_ACCESS_KEY_ID is not set"),
    (
      "role_arn = x\nduration_seconds = long\naws_access_key_id = A\naws_secret_access_key = B\nsource_profile = a",
      "duration_seconds"
    ),
  ])
  func rolesThatCannotBeAssumed(settings: String, words: String) async throws {
    let (result, requests) = try await resolve(config: "[profile a]\n\(settings)", profile: "a")
    let error = try #require(throws: CredentialError.self) { try result.get() }
    #expect(error.message.contains(words), "\(error.message)")
    #expect(error.provider == "assumed role")
    #expect(requests.isEmpty)
  }

  @Test(arguments: [
    "role_arn = x\nsource_profile = a\naws_access_key_id = OWN\naws_secret_access_key = s",
    // Keys beat the role of a source.
    "role_arn = x\nsource_profile = b\n[profile b]\nrole_arn = y\nsource_profile = a\n"
      + "aws_access_key_id = OWN\naws_secret_access_key = s",
  ])
  func keysBesideARole(settings: String) async throws {
    let (result, requests) = try await resolve(config: "[profile a]\n\(settings)", profile: "a")
    #expect(try result.get().credentials.accessKeyID == "ROLE")
    #expect(requests.count == 1)
    #expect(requests.first?["Authorization"]?.contains("Credential=OWN/") == true)
  }

  @Test func aRefusalIsTold() async throws {
    let (result, requests) = try await resolve(config: ProviderTests.chain, profile: "a") {
      _, connection in
      connection.answer(
        403, "<E><Error><Code>AccessDenied</Code><Message>not &lt;you&gt;</Message></Error></E>")
      return .keep
    }
    let error = try #require(throws: CredentialError.self) { try result.get() }
    #expect(error.code == .refused)
    #expect(error.message.contains("AccessDenied: not <you>"))
    #expect(error.hint?.contains("trust policy") == true)
    #expect(requests.count == 1)
  }

  @Test func troubleIsTriedThreeTimes() async throws {
    let (result, requests) = try await resolve(config: ProviderTests.chain, profile: "b") {
      request, connection in
      switch request.number {
      case 0: connection.answer(503)
      case 1: return .close
      default: connection.answer(200, ProviderTests.sts)
      }
      return .keep
    }
    #expect(try result.get().credentials.accessKeyID == "ROLE")
    #expect(requests.count >= 3)
  }

  // MARK: Web identity

  @Test func aTokenFile() async throws {
    let (result, requests) = try await resolve(
      ["AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn:web"],
      files: ["/token": "jwt\n"])
    #expect(try result.get().provider == "web identity")
    #expect(body(requests.first).contains("Action=AssumeRoleWithWebIdentity"))
    #expect(body(requests.first).hasSuffix("&WebIdentityToken=jwt"))
    #expect(requests.first?["Authorization"] == nil)
  }

  @Test func gitHubActions() async throws {
    let variables = [
      "AWS_ROLE_ARN": "arn:web", "ACTIONS_ID_TOKEN_REQUEST_URL": "SERVER/token?x=1",
      "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "bearer-token",
    ]
    let (result, requests) = try await resolve(variables) { request, connection in
      connection.answer(
        200, request.line.hasPrefix("GET") ? "{\"value\":\"jwt\"}" : ProviderTests.sts)
      return .keep
    }
    #expect(try result.get().provider == "web identity")
    #expect(requests.first?.line == "GET /token?x=1&audience=sts.amazonaws.com HTTP/1.1")
    #expect(requests.first?["Authorization"] == "bearer bearer-token")
    #expect(body(requests.last).hasSuffix("&WebIdentityToken=jwt"))
    // A profile that is named takes the workflow's variables out of the game.
    let (named, none) = try await resolve(
      variables, config: "[profile a]\naws_access_key_id = A\naws_secret_access_key = B",
      profile: "a")
    #expect(try named.get().provider == "config file")
    #expect(none.isEmpty)
  }

  // MARK: Containers

  private static let role =
    "{\"AccessKeyId\":\"C\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
    + "\"Expiration\":\"2099-01-01T00:00:00Z\",\"AccountId\":\"111122223333\"}"

  @Test func aContainersRole() async throws {
    let (result, requests) = try await resolve(
      [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "SERVER/role",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "no",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/token",
      ], files: ["/token": "Bearer yes"]
    ) { _, connection in
      connection.answer(200, ProviderTests.role)
      return .keep
    }
    #expect(try result.get().provider == "container")
    #expect(try result.get().credentials.accountID == "111122223333")
    #expect(requests.first?["Authorization"] == "Bearer yes")
  }

  @Test(arguments: [
    (["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.com/x"], "example.com"),
    (["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.169.254/x"], "169.254.169.254"),
    (["AWS_CONTAINER_CREDENTIALS_FULL_URI": "nonsense"], "FULL_URI"),
    (["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "@example.com/x"], "RELATIVE_URI"),
    (
      [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "SERVER/x",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "a\r\nX-Other: b",
      ], "line break"
    ),
    (
      [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "SERVER/x",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nowhere",
      ], "/nowhere"
    ),
  ])
  func containersNotAsked(variables: [String: String], words: String) async throws {
    let (result, requests) = try await resolve(variables)
    let error = try #require(throws: CredentialError.self) { try result.get() }
    #expect(error.message.contains(words), "\(error.message)")
    #expect(requests.isEmpty)
  }

  @Test(arguments: ["", "{}", "nonsense", "[]", "{\"AccessKeyId\":\"A\"}"])
  func containersThatMakeNoSense(answer: String) async throws {
    let (result, _) = try await resolve(["AWS_CONTAINER_CREDENTIALS_FULL_URI": "SERVER/x"]) {
      _, connection in
      connection.answer(200, answer)
      return .keep
    }
    #expect(throws: CredentialError.self) { try result.get() }
  }

  // MARK: Instances

  @Test func anInstancesRole() async throws {
    let (result, requests) = try await resolve(["AWS_EC2_METADATA_DISABLED": "false"]) {
      request, connection in
      if request.line.hasPrefix("PUT") {
        connection.answer(200, "the-token")
      } else {
        connection.answer(
          200, request.line.contains("credentials/r ") ? ProviderTests.role : "r\n")
      }
      return .keep
    }
    #expect(try result.get().explanation == "the instance's role r")
    #expect(requests.map(\.line.first) == ["P", "G", "G"])
    #expect(requests[0]["x-aws-ec2-metadata-token-ttl-seconds"] == "21600")
    #expect(requests[1]["x-aws-ec2-metadata-token"] == "the-token")
  }

  @Test(arguments: [403, 404, 500])
  func instancesThatGiveNoToken(status: Int) async throws {
    let (result, requests) = try await resolve(["AWS_EC2_METADATA_DISABLED": "false"]) {
      _, connection in
      connection.answer(status)
      return .keep
    }
    let error = try #require(throws: CredentialError.self) { try result.get() }
    #expect(error.passedOver.last?.reason.contains("\(status)") == true)
    #expect(requests.count == 1)
  }

  @Test func anInstanceThatDoesNotAnswerIsNotWaitedFor() async throws {
    let start = ContinuousClock.now
    let (result, _) = try await resolve(["AWS_EC2_METADATA_DISABLED": "false"]) { _, _ in .keep }
    #expect(throws: CredentialError.self) { try result.get() }
    #expect(ContinuousClock.now - start < .seconds(5))
  }

  // MARK: SSO

  private static let session = """
    [profile a]
    sso_session = corp
    sso_account_id = 111122223333
    sso_role_name = Reader
    [sso-session corp]
    sso_region = eu-west-1
    sso_start_url = https://corp
    """

  @Test func theSettingsOfSSO() async throws {
    for (config, words) in [
      (ProviderTests.session.replacing("[sso-session corp]", with: "[sso-session other]"), "corp"),
      (ProviderTests.session.replacing("sso_region = eu-west-1", with: ""), "sso_region"),
      (
        ProviderTests.session.replacing("[profile a]", with: "[profile a]\nsso_region = x"),
        "in its sso-session"
      ),
      (ProviderTests.session, "nobody has logged in"),
    ] {
      let (result, requests) = try await resolve(config: config, profile: "a")
      let error = try #require(throws: CredentialError.self) { try result.get() }
      #expect(error.provider == "SSO")
      #expect(error.message.contains(words), "\(error.message)")
      #expect(requests.isEmpty)
    }
  }
}
