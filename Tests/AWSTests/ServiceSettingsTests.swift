import Testing

@testable import AWS

@Suite struct ServiceSettingsTests {
  private func settings(
    region: String? = nil, endpoint: String? = nil, plain: Bool = false,
    _ variables: [String: String] = [:], config: String? = nil, service: AWSService = .dynamoDB
  ) throws -> ServiceSettings {
    var request = ServiceSettings.Request()
    (request.region, request.endpointURL, request.allowPlainHTTP) = (region, endpoint, plain)
    let environment = environment(variables, config: config)
    let shared = try SharedConfig(environment)
    return try ServiceSettings(
      service: service, request: request, environment: environment, config: shared,
      profile: try shared.profile(.init(explicit: nil, environment: environment)))
  }

  private func failure(_ body: () throws -> ServiceSettings) -> ConfigurationError.Code? {
    do {
      _ = try body()
      return nil
    } catch { return (error as? ConfigurationError)?.code }
  }

  /// Each candidate is taken away in turn, and the next one counts.
  @Test func theOrderOfRegions() throws {
    var variables = ["AWS_REGION": "r-2", "AWS_DEFAULT_REGION": "r-3"]
    let config = "[default]\nregion = r-4"
    #expect(try settings(region: "r-1", variables, config: config).region.value == "r-1")
    #expect(
      try settings(variables, config: config).region == .init("r-2", from: "AWS_REGION"))
    variables["AWS_REGION"] = ""
    #expect(try settings(variables, config: config).region.value == "r-3")
    variables["AWS_DEFAULT_REGION"] = nil
    #expect(
      try settings(variables, config: config).region == .init("r-4", from: "profile \"default\""))
    #expect(failure { try settings() } == .noRegion)
    #expect(failure { try settings(endpoint: "https://example.com") } == .noRegion)
    #expect(try settings(endpoint: "http://localhost:8000").region.value == "us-east-1")
  }

  @Test(arguments: [
    "eu-west-1.evil.com", "eu west", "-a", "a-", "123", "a/b", "a@b", "ä", "a_b",
    String(repeating: "a", count: 64),
  ])
  func notRegions(text: String) {
    #expect(failure { try settings(region: text) } == .invalidValue)
    #expect(failure { try settings(["AWS_REGION": text]) } == .invalidValue)
  }

  @Test func theOrderOfEndpoints() throws {
    var variables = [
      "AWS_ENDPOINT_URL_DYNAMODB": "https://two", "AWS_ENDPOINT_URL": "https://three",
      "AWS_REGION": "eu-west-1",
    ]
    let profile = "[default]\nendpoint_url = https://five\n"
    let services =
      profile + "services = s\n[services s]\ns3 =\n  endpoint_url = https://no\ndynamodb =\n"
      + "  endpoint_url = https://four\n"
    func host(_ endpoint: String? = nil, _ config: String? = nil) throws -> String {
      try settings(endpoint: endpoint, variables, config: config).endpoint.value.host
    }
    #expect(try host("https://one", services) == "one")
    #expect(try host(nil, services) == "two")
    #expect(
      try settings(variables, config: services, service: AWSService(id: "s3", hostPrefix: "s3"))
        .endpoint
        == .init(HTTPURL("https://three"), from: "AWS_ENDPOINT_URL"))
    variables["AWS_ENDPOINT_URL_DYNAMODB"] = nil
    #expect(try host(nil, services) == "three")
    variables["AWS_ENDPOINT_URL"] = nil
    #expect(try host(nil, services) == "four")
    #expect(try host(nil, profile) == "five")
    #expect(try host() == "dynamodb.eu-west-1.amazonaws.com")

    let ignoring = services + "[default]\nignore_configured_endpoint_urls = true"
    #expect(try host(nil, ignoring) == "dynamodb.eu-west-1.amazonaws.com")
    variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "TRUE"
    #expect(try host(nil, services) == "dynamodb.eu-west-1.amazonaws.com")
    #expect(try host("https://one", services) == "one")
    variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "false"
    #expect(try host(nil, ignoring) == "four")
  }

  @Test(arguments: [
    ("eu-west-1", "https://dynamodb.eu-west-1.amazonaws.com/"),
    ("cn-north-1", "https://dynamodb.cn-north-1.amazonaws.com.cn/"),
    ("us-gov-west-1", "https://dynamodb.us-gov-west-1.amazonaws.com/"),
    ("us-isob-east-1", "https://dynamodb.us-isob-east-1.sc2s.sgov.gov/"),
    ("us-iso-east-1", "https://dynamodb.us-iso-east-1.c2s.ic.gov/"),
  ])
  func endpointsOfRegions(region: String, address: String) throws {
    #expect(try settings(region: region).endpoint.value.description == address)
  }

  @Test func plainHTTPStaysOnThisMachine() throws {
    let region = ["AWS_REGION": "eu-west-1"]
    #expect(failure { try settings(endpoint: "http://example.com", region) } == .plainHTTP)
    #expect(
      failure { try settings(region.merging(["AWS_ENDPOINT_URL": "http://10.0.0.1"]) { $1 }) }
        == .plainHTTP)
    #expect(
      try settings(endpoint: "http://example.com", plain: true, region).endpoint.value.port == 80)
    #expect(try settings(endpoint: "http://127.0.0.1:1", region).region.value == "eu-west-1")
  }

  @Test(arguments: ["nonsense", "https://a?b=c", "https://user@a"])
  func notEndpoints(text: String) {
    #expect(failure { try settings(endpoint: text) } == .invalidValue)
    #expect(failure { try settings(["AWS_ENDPOINT_URL": text]) } == .invalidValue)
  }

  @Test func aServicesSectionMustExist() {
    #expect(failure { try settings(config: "[default]\nservices = s") } == .invalidValue)
  }

  /// The settings of variants, from variables and from the profile, and what they lead to.
  @Test(
    arguments: [
      (["AWS_USE_FIPS_ENDPOINT": "true"], "dynamodb-fips.eu-west-1.amazonaws.com", ", FIPS"),
      (["AWS_USE_DUALSTACK_ENDPOINT": "True"], "dynamodb.eu-west-1.api.aws", ", dual stack"),
      (["AWS_USE_FIPS_ENDPOINT": "yes"], "dynamodb.eu-west-1.amazonaws.com", ""),
      ([:], "dynamodb-fips.eu-west-1.api.aws", ", FIPS, dual stack"),
    ] as [([String: String], String, String)])
  func variants(variables: [String: String], host: String, source: String) throws {
    let config =
      variables.isEmpty
      ? "[default]\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true" : nil
    let variables = variables.merging(["AWS_REGION": "eu-west-1"]) { $1 }
    let endpoint = try settings(variables, config: config).endpoint
    #expect(endpoint.value.host == host)
    #expect(endpoint.source == "the region" + source)
    #expect(
      try settings(endpoint: "https://a", variables, config: config).endpoint.value.host == "a")
  }

  @Test(
    arguments: [
      (nil, "111122223333.ddb.eu-west-1.amazonaws.com"),
      ("disabled", "dynamodb.eu-west-1.amazonaws.com"),
      ("REQUIRED", "111122223333.ddb.eu-west-1.amazonaws.com"), ("often", nil),
    ] as [(String?, String?)])
  func theAccountsEndpoint(mode: String?, host: String?) throws {
    var variables = ["AWS_REGION": "eu-west-1"]
    variables["AWS_ACCOUNT_ID_ENDPOINT_MODE"] = mode
    var request = ServiceSettings.Request()
    request.accountID = "111122223333"
    let environment = environment(variables)
    let config = try SharedConfig(environment)
    let resolve = {
      try ServiceSettings(
        service: .dynamoDB, request: request, environment: environment, config: config,
        profile: nil)
    }
    guard let host else {
      #expect(failure(resolve) == .invalidValue)
      return
    }
    #expect(try resolve().endpoint.value.host == host)
  }

  @Test func theRegionLocal() throws {
    let local = try settings(region: "local")
    #expect(local.endpoint == .init(try HTTPURL("http://localhost:8000"), from: "the region"))
    #expect(local.region.value == "us-east-1")
    #expect(
      try settings(region: "local", service: .sts).endpoint.value.host
        == "sts.us-east-1.amazonaws.com")
  }

  @Test func theInstancesRegionComesLast() throws {
    var request = ServiceSettings.Request()
    request.fallbackRegion = Sourced("r-9", from: "instance metadata")
    for (variables, region) in [([:], "r-9"), (["AWS_DEFAULT_REGION": "r-3"], "r-3")] {
      let environment = environment(variables)
      let settings = try ServiceSettings(
        service: .dynamoDB, request: request, environment: environment,
        config: try SharedConfig(environment), profile: nil)
      #expect(settings.region.value == region)
    }
  }

  /// Application Auto Scaling beside DynamoDB at an endpoint.
  private func scaling(
    endpoint: String?, _ variables: [String: String] = [:]
  ) throws -> ServiceSettings {
    var request = ServiceSettings.Request()
    (request.region, request.endpointURL) = ("eu-west-1", endpoint)
    request.allowPlainHTTP = true
    let environment = environment(variables, config: nil)
    let shared = try SharedConfig(environment)
    let profile = try shared.profile(.init(explicit: nil, environment: environment))
    let dynamoDB = try ServiceSettings(
      service: .dynamoDB, request: request, environment: environment, config: shared,
      profile: profile)
    return try ServiceSettings(
      service: .applicationAutoScaling, beside: dynamoDB, request: request,
      environment: environment, config: shared, profile: profile)
  }

  @Test func aLocalServerStandsForTheOtherServiceToo() throws {
    func host(_ endpoint: String?, _ variables: [String: String] = [:]) throws -> String {
      try scaling(endpoint: endpoint, variables).endpoint.value.hostAndPort
    }
    let rules = "application-autoscaling.eu-west-1.amazonaws.com"
    #expect(try host(nil).hasPrefix(rules))
    #expect(try host("https://vpce-1.dynamodb.eu-west-1.vpce.amazonaws.com").hasPrefix(rules))
    #expect(try host("http://localhost:8000") == "localhost:8000")
    #expect(try host("http://dynamo.test:8000") == "dynamo.test:8000")
    #expect(
      try host(nil, ["AWS_ENDPOINT_URL_DYNAMODB": "http://localhost:8000"]) == "localhost:8000")
    #expect(try host(nil, ["AWS_ENDPOINT_URL": "http://localhost:9"]) == "localhost:9")
    #expect(
      try host(
        "http://localhost:8000",
        ["AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING": "http://localhost:7"]) == "localhost:7")
  }
}
