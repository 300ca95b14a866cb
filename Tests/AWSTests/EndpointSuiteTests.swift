import JSON
import Testing

@testable import AWS

/// The services' own test cases of endpoints, and the SDKs' of configured endpoint URLs, as the
/// botocore sdist carries them. The set-up puts them into `.cache/endpoint-tests`; they are not
/// committed.
@Suite struct EndpointSuiteTests {
  static let folder =
    "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    + "/.cache/endpoint-tests"

  private func read(_ name: String) throws -> JSONValue {
    let path = "\(EndpointSuiteTests.folder)/\(name).json"
    let bytes = try #require(
      try AWSEnvironment.ofProcess().readFile(path), "\(path) is missing: run make setup")
    return try JSONValue.parse(bytes.span)
  }

  /// Why a case cannot be put to rules that know only what dynarc does; nil where it can.
  private func reasonToSkip(_ parameters: JSONValue?, _ service: AWSService) -> String? {
    guard let parameters, parameters["Region"] != nil else {
      return "no region: refused before the rules are asked (ServiceSettingsTests)"
    }
    if parameters["IsSearchOperation"]?.bool == true { return "SearchVectors is not called" }
    if parameters["UseGlobalEndpoint"]?.bool == true { return "the legacy global STS endpoint" }
    if parameters["IsControlPlane"]?.bool == true || parameters["IsOAuthEndpoint"]?.bool == true {
      return "operations of signin that are not called"
    }
    if service == .signin, parameters["UseFIPS"]?.bool == true,
      parameters["Region"]?.string?.hasPrefix("us-gov") == true
    {
      return "FIPS names of GovCloud's signin"
    }
    let region = parameters["Region"]?.string ?? ""
    let namesTableByARN = parameters["ResourceArn"] ?? parameters["ResourceArnList"] != nil
    // Only there do the rules look at the ARN.
    let looksAtARN =
      parameters["Endpoint"] == nil && parameters["UseFIPS"]?.bool != true && region != "local"
      && Partition.of(region: region).id == "aws"
      && ["preferred", "required"].contains(parameters["AccountIdEndpointMode"]?.string)
    return namesTableByARN && looksAtARN ? "tables are not named by ARN" : nil
  }

  @Test(arguments: [
    (AWSService.dynamoDB, "dynamodb"), (.sts, "sts"), (.sso, "sso"), (.ssoOIDC, "sso-oidc"),
    (.signin, "signin"), (.applicationAutoScaling, "application-autoscaling"),
  ])
  func endpointsOfAService(service: AWSService, file: String) throws {
    var skipped: [String: [String]] = [:]
    var run = 0
    for test in try #require(try read(file)["testCases"]?.array) {
      let parameters = test["params"]
      let name = test["documentation"]?.string ?? ""
      if let reason = reasonToSkip(parameters, service) {
        skipped[reason, default: []].append(name)
        continue
      }
      var rules = EndpointRules(
        service: service, region: try #require(parameters?["Region"]?.string))
      rules.custom = try parameters?["Endpoint"]?.string.map { try HTTPURL($0) }
      rules.useFIPS = parameters?["UseFIPS"]?.bool ?? false
      rules.useDualStack = parameters?["UseDualStack"]?.bool ?? false
      rules.accountID = parameters?["AccountId"]?.string
      rules.accountIDMode = parameters?["AccountIdEndpointMode"]?.string
        .flatMap(EndpointRules.AccountIDMode.init)
      run += 1
      guard let expected = test["expect"]?["endpoint"] else {
        #expect(throws: ConfigurationError.self, "\(name)") { try rules.resolve() }
        continue
      }
      let resolved = try rules.resolve()
      #expect(resolved.url == (try HTTPURL(expected["url"]?.string ?? "")), "\(name)")
      if let scheme = expected["properties"]?["authSchemes"]?.array?.first,
        let signingRegion = scheme["signingRegion"]?.string
      {
        #expect(resolved.signingRegion == signingRegion, "\(name)")
      }
    }
    let counts = skipped.sorted { $0.key < $1.key }.map { "\($0.value.count) \($0.key)" }
    print("endpoint cases of \(file): \(run) run; skipped: \(counts.joined(separator: "; "))")
    for (reason, names) in skipped { for name in names { print("skipped (\(reason)): \(name)") } }
    let least = service == .signin ? 11 : service == .applicationAutoScaling ? 44 : 38
    #expect(run >= least)
  }

  /// Named, not run: these are for the client of S3, once there is one.
  @Test func endpointsOfS3() throws {
    let cases = try #require(try read("s3")["testCases"]?.array)
    print("endpoint cases of s3: 0 run; skipped: \(cases.count) no S3 client yet")
    for test in cases {
      print("skipped (no S3 client yet): \(test["documentation"]?.string ?? "")")
    }
  }

  @Test func configuredEndpoints() throws {
    let suite = try #require(try read("configured")["testSuites"]?.array?.first)
    func lines(_ section: JSONValue?) -> String {
      (section?.object?.members ?? []).map { member in
        guard let nested = member.value.object else {
          return "\(member.name) = \(member.value.string ?? "")\n"
        }
        return "\(member.name) =\n"
          + nested.members.map { "  \($0.name) = \($0.value.string ?? "")\n" }.joined()
      }.joined()
    }
    var run = 0
    for test in try #require(suite["endpointUrlTests"]?.array) {
      func part(_ list: String, _ name: String) -> JSONValue? {
        test[name]?.string.flatMap { suite[list]?[$0] }
      }
      let profileName = try #require(test["profile"]?.string)
      let profile = part("profiles", "profile")
      var config = "[profile \(profileName)]\n" + lines(profile)
      if let services = profile?["services"]?.string {
        config += "[services \(services)]\n" + lines(suite["services"]?[services])
      }
      var variables: [String: String] = [:]
      for member in part("environments", "environment")?.object?.members ?? [] {
        variables[member.name] = member.value.string
      }
      let client = part("client_configs", "client_config")
      // What a client of botocore is told, dynarc is told by the strongest of its sources.
      if client?["ignore_configured_endpoint_urls"]?.bool == true {
        variables["AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"] = "true"
      }
      var request = ServiceSettings.Request()
      request.endpointURL = client?["endpoint_url"]?.string
      let environment = environment(variables, config: config)
      let shared = try SharedConfig(environment)
      let service = try #require(test["service"]?.string)
      let settings = try ServiceSettings(
        service: AWSService(id: service, hostPrefix: service), request: request,
        environment: environment, config: shared, profile: shared.profiles[profileName])
      #expect(
        settings.endpoint.value == (try HTTPURL(test["output"]?["endpointUrl"]?.string ?? "")),
        "\(test["name"]?.string ?? "")")
      run += 1
    }
    print("cases of configured endpoint URLs: \(run) run, none skipped")
    #expect(run == 39)
  }
}
