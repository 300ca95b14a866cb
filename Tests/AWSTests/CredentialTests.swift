import Synchronization
import Testing

@testable import AWS

@Suite struct CredentialTests {
  private static let keys = ["AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "secret"]

  private func chain(
    _ environment: AWSEnvironment, profile name: String? = nil
  ) throws -> CredentialChain {
    var variables = environment.variables
    variables["AWS_EC2_METADATA_DISABLED"] = "true"
    let environment = AWSEnvironment(
      variables: variables, home: environment.home, readFile: environment.readFile)
    return .standard(
      CredentialContext(
        environment: environment,
        selection: SharedConfig.Selection(explicit: name, environment: environment),
        transport: try CurlTransport(), userAgent: "test"))
  }

  private func resolve(
    _ environment: AWSEnvironment, profile name: String? = nil
  ) async throws -> ResolvedCredentials {
    try await chain(environment, profile: name).resolve()
  }

  private func failure(
    _ environment: AWSEnvironment, profile name: String? = nil
  ) async -> CredentialError? {
    do {
      _ = try await resolve(environment, profile: name)
      return nil
    } catch { return error as? CredentialError }
  }

  @Test func theEnvironmentComesFirstUnlessAProfileIsNamed() async throws {
    let file = "[default]\naws_access_key_id = FILE\naws_secret_access_key = s"
    let both = environment(CredentialTests.keys, credentials: file)
    #expect(try await resolve(both).credentials.accessKeyID == "ENV")
    #expect(try await resolve(both, profile: "default").credentials.accessKeyID == "FILE")
    // A profile that a variable names does not take the environment's keys out of the game.
    let named = environment(
      CredentialTests.keys.merging(["AWS_PROFILE": "default"]) { $1 }, credentials: file)
    #expect(try await resolve(named).credentials.accessKeyID == "ENV")

    let found = try await resolve(environment(credentials: file))
    #expect(found.provider == "credentials file")
    #expect(
      found.passedOver.map(\.provider) == ["environment", "assumed role", "web identity", "SSO"])
    #expect(found.passedOver.first?.reason == "AWS_ACCESS_KEY_ID is not set")
  }

  @Test func allThatTheEnvironmentSays() async throws {
    let variables = CredentialTests.keys.merging([
      "AWS_SESSION_TOKEN": "token", "AWS_ACCOUNT_ID": "123456789012",
      "AWS_CREDENTIAL_EXPIRATION": "2026-01-01T00:00:00Z",
    ]) { $1 }
    #expect(
      try await resolve(environment(variables)).credentials
        == Credentials(
          accessKeyID: "ENV", secretAccessKey: "secret", sessionToken: "token",
          expiration: AWSTimestamp(iso8601: "2026-01-01T00:00:00Z"), accountID: "123456789012"))
  }

  @Test func aFilesKeysAreNeverCompletedFromTheOther() async throws {
    let config =
      "[profile a]\naws_access_key_id = CONFIG\naws_secret_access_key = c\naws_session_token = t"
    let found = try await resolve(
      environment(
        config: config, credentials: "[a]\naws_access_key_id = FILE\naws_secret_access_key = f"),
      profile: "a")
    #expect(found.credentials == Credentials(accessKeyID: "FILE", secretAccessKey: "f"))
    #expect(
      try await resolve(environment(config: config), profile: "a").credentials
        == Credentials(accessKeyID: "CONFIG", secretAccessKey: "c", sessionToken: "t"))
    let half = environment(config: config, credentials: "[a]\naws_access_key_id = FILE")
    #expect(await failure(half, profile: "a")?.code == .incomplete)
  }

  @Test func aFileIsReadAnewEachTime() async throws {
    let content = Mutex("[a]\naws_access_key_id = OLD\naws_secret_access_key = s")
    let environment = AWSEnvironment(variables: [:], home: "/home/me") { path in
      path.hasSuffix("credentials") ? content.withLock { Array($0.utf8) } : nil
    }
    let chain = try chain(environment, profile: "a")
    #expect(try await chain.resolve().credentials.accessKeyID == "OLD")
    content.withLock { $0 = "[a]\naws_access_key_id = NEW\naws_secret_access_key = s" }
    #expect(try await chain.resolve().credentials.accessKeyID == "NEW")
    // Whoever began as this profile does not go on as somebody else.
    content.withLock { $0 = "" }
    await #expect { try await chain.resolve(only: "credentials file") } throws: {
      ($0 as? CredentialError)?.code == .unreachable
    }
  }

  @Test(arguments: [
    (["AWS_ACCESS_KEY_ID": "A"], CredentialError.Code.incomplete),
    (
      keys.merging(["AWS_CREDENTIAL_EXPIRATION": "soon"]) { $1 }, .invalidValue
    ),
    (["AWS_WEB_IDENTITY_TOKEN_FILE": "/token", "AWS_ROLE_ARN": "arn"], .invalidValue),
    (["AWS_WEB_IDENTITY_TOKEN_FILE": "/token"], .incomplete),
    ([:], .none),
  ])
  func whatTheEnvironmentCannotDeliver(
    variables: [String: String], code: CredentialError.Code
  ) async {
    #expect(await failure(environment(variables))?.code == code)
  }

  /// Some sources win over static keys in the same profile, some only over those of the config file.
  /// None of them can deliver here, so an error shows that it was asked.
  @Test(arguments: [
    ("role_arn = x", true, true), ("web_identity_token_file = x", true, true),
    ("sso_role_name = x", true, true), ("login_session = x", false, true),
    ("credential_process = /nowhere/x", false, true), ("output = x", false, false),
  ])
  func theOrderOfSources(setting: String, beatsCredentials: Bool, beatsConfig: Bool) async throws {
    let keys = "aws_access_key_id = A\naws_secret_access_key = B\n"
    let config = "[profile a]\n\(setting)\n"
    let alone = try #require(await failure(environment(config: config), profile: "a"))
    #expect(alone.provider != nil || !beatsConfig)
    let both = environment(config: config, credentials: "[a]\n" + keys)
    #expect((await failure(both, profile: "a") != nil) == beatsCredentials)
    #expect((await failure(environment(config: config + keys), profile: "a") != nil) == beatsConfig)
  }

  @Test func whenNobodyHasAnyEachReasonIsGiven() async throws {
    let error = try #require(await failure(environment(config: "[default]\nregion = a")))
    #expect(error.code == .none)
    #expect(error.message.contains("environment: AWS_ACCESS_KEY_ID is not set"))
    #expect(error.message.contains("config file: its profile \"default\" has no aws_access_key_id"))
    #expect(
      error.passedOver.map(\.provider) == [
        "environment", "assumed role", "web identity", "SSO", "credentials file", "login session",
        "credential process", "config file", "container", "instance metadata",
      ])
    #expect(error.hint != nil)
  }
}

@Suite struct CachedCredentialsTests {
  @Test(
    arguments: [
      (nil, .use), (901, .use), (900, .useAndRenew), (601, .useAndRenew), (600, .waitForRenewal),
      (-1, .waitForRenewal),
    ] as [(Int64?, CachedCredentials.Decision)])
  func decisions(left: Int64?, expected: CachedCredentials.Decision) {
    let now = AWSTimestamp(epochSeconds: 1_000_000)
    let credentials = Credentials(
      accessKeyID: "A", secretAccessKey: "B",
      expiration: left.map { AWSTimestamp(epochSeconds: now.epochSeconds + $0) })
    let longAgo = AWSTimestamp(epochSeconds: 0)
    #expect(CachedCredentials.decide(credentials, foundAt: longAgo, at: now) == expected)
  }

  /// Of a short life half and a third count.
  @Test(
    arguments: [(451, .use), (450, .useAndRenew), (301, .useAndRenew), (300, .waitForRenewal)]
      as [(Int64, CachedCredentials.Decision)])
  func decisionsOfShortLives(left: Int64, expected: CachedCredentials.Decision) {
    let credentials = Credentials(
      accessKeyID: "A", secretAccessKey: "B", expiration: AWSTimestamp(epochSeconds: 900))
    #expect(
      CachedCredentials.decide(
        credentials, foundAt: AWSTimestamp(epochSeconds: 0),
        at: AWSTimestamp(epochSeconds: 900 - left)) == expected)
  }

  @Test func whatCannotBeRenewedIsUsedToItsEndAndNotLookedForAgain() async throws {
    let now = Mutex<Int64>(0)
    let searches = Mutex(0)
    let cache = CachedCredentials(now: { AWSTimestamp(epochSeconds: now.withLock { $0 }) }) {
      () async throws(CredentialError) in
      searches.withLock { $0 += 1 }
      return ResolvedCredentials(
        credentials: Credentials(
          accessKeyID: "A", secretAccessKey: "B", expiration: AWSTimestamp(epochSeconds: 3600)),
        provider: "MFA", canChange: false, passedOver: [])
    }
    for moment in [0, 3000, 3599] as [Int64] {
      now.withLock { $0 = moment }
      #expect(try await id(cache) == "A")
    }
    now.withLock { $0 = 3600 }
    await #expect { try await cache.current() } throws: {
      ($0 as? CredentialError)?.code == .expired
    }
    #expect(searches.withLock { $0 } == 1)
  }

  @Test func aSearchThatFailsIsNotRepeatedAtEachCall() async throws {
    let world = World()
    let cache = world.cache()
    #expect(try await id(cache) == "1")
    world.set { ($0.now, $0.failing) = (3600 - 500, true) }
    for _ in 0..<5 { #expect(try await id(cache) == "1") }
    #expect(world.searches == 2)
    world.set { ($0.now, $0.failing) = (3600 - 470, false) }
    #expect(try await id(cache) == "3")
  }

  /// A source that delivers numbered credentials, and a clock, both under the test's control.
  private final class World: Sendable {
    struct State {
      var now: Int64 = 0
      var searches = 0
      var lifetime: Int64 = 3600
      var failing = false
      var held = false
    }
    let state = Mutex(State())

    func cache() -> CachedCredentials {
      CachedCredentials(now: { [self] in AWSTimestamp(epochSeconds: state.withLock { $0.now }) }) {
        [self] () async throws(CredentialError) in
        let (number, end, failing) = state.withLock { state in
          state.searches += 1
          return (state.searches, state.now + state.lifetime, state.failing)
        }
        while state.withLock({ $0.held }) { try? await Task.sleep(for: .milliseconds(5)) }
        if failing { throw CredentialError(.none, "failing") }
        return ResolvedCredentials(
          credentials: Credentials(
            accessKeyID: "\(number)", secretAccessKey: "s",
            expiration: AWSTimestamp(epochSeconds: end)), provider: "world", canChange: true,
          passedOver: [])
      }
    }

    var searches: Int { state.withLock { $0.searches } }
    func set(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }
  }

  private func id(_ cache: CachedCredentials) async throws -> String {
    try await cache.current().credentials.accessKeyID
  }

  @Test func oneSearchServesAllWhoWait() async throws {
    let world = World()
    let cache = world.cache()
    world.set { $0.held = true }
    try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<20 { group.addTask { try await cache.current().credentials.accessKeyID } }
      try await Task.sleep(for: .milliseconds(50))
      world.set { $0.held = false }
      for try await id in group { #expect(id == "1") }
    }
    #expect(try await id(cache) == "1")
    #expect(world.searches == 1)
  }

  @Test func renewalInTheBackgroundThenWaiting() async throws {
    let world = World()
    let cache = world.cache()
    #expect(try await id(cache) == "1")
    world.set { ($0.now, $0.held) = (3600 - 900, true) }
    #expect(try await id(cache) == "1")  // The search is held; nobody waits for it.
    world.set { $0.held = false }
    while try await id(cache) == "1" { try await Task.sleep(for: .milliseconds(5)) }
    #expect(world.searches == 2)
    world.set { $0.now += 3600 - 600 }
    #expect(try await id(cache) == "3")
  }

  @Test func credentialsAreUsedToTheirEndWhereRenewalFails() async throws {
    let world = World()
    let cache = world.cache()
    #expect(try await id(cache) == "1")
    world.set { ($0.now, $0.failing) = (3599, true) }
    #expect(try await id(cache) == "1")
    world.set { $0.now = 3600 }
    await #expect(throws: CredentialError.self) { try await cache.current() }
    world.set { $0.failing = false }
    #expect(try await id(cache) == "4")
  }

  @Test func whatIsFoundExpiredIsAnError() async {
    let world = World()
    world.set { $0.lifetime = 0 }
    let cache = world.cache()
    await #expect { try await cache.current() } throws: {
      ($0 as? CredentialError)?.code == .expired
    }
  }

  @Test func replacementSearchesOnceForAllWhoWereRejected() async throws {
    let world = World()
    let cache = world.cache()
    let first = try await cache.current().credentials
    #expect(try await cache.replacement(for: first)?.credentials.accessKeyID == "2")
    #expect(try await cache.replacement(for: first)?.credentials.accessKeyID == "2")
    #expect(world.searches == 2)
  }

  @Test func theSameCredentialsAgainAreNoReplacement() async throws {
    let same = Credentials(accessKeyID: "A", secretAccessKey: "B")
    let cache = CachedCredentials(now: { .now }) { () async throws(CredentialError) in
      ResolvedCredentials(credentials: same, provider: "static", canChange: false, passedOver: [])
    }
    _ = try await cache.current()
    #expect(try await cache.replacement(for: same) == nil)
  }

  /// What a file says from one look to the next: `OLD` is what the service has rejected.
  @Test(
    arguments: [
      (["NEW"], "NEW", 0), (["OLD", nil, "NEW"], "NEW", 2), ([nil, "OLD"], nil, 4),
    ] as [([String?], String?, Int)])
  func aReplacementMayBeALittleLate(looks: [String?], expected: String?, pauses: Int) async throws {
    let count = Mutex(-1)
    let pausesTaken = Mutex(0)
    let cache = CachedCredentials(
      now: { .now }, sleep: { _ in pausesTaken.withLock { $0 += 1 } }
    ) { () async throws(CredentialError) in
      let look = count.withLock { count in
        count += 1
        return count
      }
      let id = look == 0 ? "OLD" : looks[min(look, looks.count) - 1]
      guard let id else { throw CredentialError(.incomplete, "half a file") }
      return ResolvedCredentials(
        credentials: Credentials(accessKeyID: id, secretAccessKey: "s"), provider: "file",
        canChange: true, passedOver: [])
    }
    let old = try await cache.current().credentials
    let found = try await cache.replacement(for: old)
    #expect(found?.credentials.accessKeyID == expected)
    #expect(pausesTaken.withLock { $0 } == pauses)
  }
}
