import Testing

@testable import AWS

@Suite struct ConfigFileTests {
  @Test(
    arguments: [
      ("[a]\nx = 1\ny=2\n", ["a": ["x": .text("1"), "y": .text("2")]]),
      ("[a]\r\nx = 1\r\n\r\n[b]\r\n", ["a": ["x": .text("1")], "b": [:]]),
      ("[a]\nX = Y\n", ["a": ["x": .text("Y")]]),
      (
        "[a]\nx = 1\nx = 2\n[b]\n[a]\ny = 3\nx = 4",
        ["a": ["x": .text("4"), "y": .text("3")], "b": [:]]
      ),
      (
        "# one\n; two\n [a] # three\nx = 1 # four\ny = 2 ; five\nz = a#b;c\n  # six\n",
        ["a": ["x": .text("1"), "y": .text("2"), "z": .text("a#b;c")]]
      ),
      ("[a]\nx = 1\n  2\n\t3 = 4\ny = 5", ["a": ["x": .text("1\n2\n3 = 4"), "y": .text("5")]]),
      (
        "[a]\ns3 =\n  x = 1\n  Y = 2=3\nz =\n",
        ["a": ["s3": .nested(["x": "1", "y": "2=3"]), "z": .text("")]]
      ),
      (
        "[profile  \"a b\"]\n[profile\tc]\n[ profile d ]\n['e']",
        [
          "profile a b": [:], "profile c": [:], "profile d": [:], "'e'": [:],
        ]
      ),
      ("\u{FEFF}[a]\nx = é", ["a": ["x": .text("é")]]),
      ("", [:]),
    ] as [(String, [String: ConfigFile.Section])])
  func files(text: String, sections: [String: ConfigFile.Section]) throws {
    #expect(try ConfigFile(Array(text.utf8), path: "config").sections == sections)
  }

  @Test(arguments: [
    ("x = 1", 1), ("[a]\nx", 2), ("[a]\n= 1", 2), ("[a\n", 1), ("[a] b\n", 1), ("[]\n", 1),
    ("[a]\nx =\n  y\n", 3),
  ])
  func malformed(text: String, line: Int) {
    #expect {
      try ConfigFile(Array(text.utf8), path: "config")
    } throws: {
      let error = $0 as? ConfigurationError
      return error?.code == .malformed && error?.line == line && error?.file == "config"
    }
  }

  @Test func notText() {
    #expect(throws: ConfigurationError.self) { try ConfigFile([0xFF], path: "config") }
  }
}

/// An environment of variables and files that exist only here.
func environment(
  _ variables: [String: String] = [:], config: String? = nil, credentials: String? = nil
) -> AWSEnvironment {
  let files = ["/home/me/.aws/config": config, "/home/me/.aws/credentials": credentials]
  return AWSEnvironment(variables: variables, home: "/home/me") { path in
    (files[path] ?? nil).map { Array($0.utf8) }
  }
}

@Suite struct SharedConfigTests {
  private func profile(
    _ name: String?, _ environment: AWSEnvironment
  ) throws -> SharedConfig.Profile? {
    try SharedConfig(environment).profile(.init(explicit: name, environment: environment))
  }

  @Test func theNamesOfSectionsAreHeldTo() throws {
    let config = try SharedConfig(
      environment(
        config: "[default]\nregion=d\n[profile a]\n[b]\n[services c]\n[sso-session d]\n[profilee]",
        credentials: "[a]\n[e]\n[profile f]\n[services g]\n[two words]"))
    #expect(config.profiles.keys.sorted() == ["a", "default", "e", "two words"])
  }

  @Test func sessionsOfSSO() throws {
    let config = try SharedConfig(
      environment(config: "[sso-session a]\nsso_region = r\nempty =\n[sso-session]\nb = c"))
    #expect(config.ssoSession("a") == ["sso_region": "r"])
    #expect(config.ssoSession("b") == nil)
    #expect(config.profiles.isEmpty)
  }

  @Test(arguments: [
    "[default]\nregion=1\n[profile default]\nregion=2",
    "[profile default]\nregion=2\n[default]\nregion=1\noutput=json",
  ])
  func profileDefaultBeatsDefault(config: String) throws {
    let profile = try #require(try profile(nil, environment(config: config)))
    #expect(profile["region"] == "2")
    #expect(profile["output"] == nil)
  }

  @Test func theCredentialsFileBeatsTheConfigFile() throws {
    let profile = try #require(
      try profile(
        "a",
        environment(
          config: "[profile a]\nregion = one\noutput = text", credentials: "[a]\nregion = two")))
    #expect(profile["region"] == "two")
    #expect(profile["output"] == "text")
  }

  @Test func variablesMoveTheFiles() throws {
    let variables = ["AWS_CONFIG_FILE": "~/c", "AWS_SHARED_CREDENTIALS_FILE": "/d"]
    let environment = AWSEnvironment(variables: variables, home: "/home/me") { path in
      ["/home/me/c": Array("[profile a]".utf8), "/d": Array("[b]".utf8)][path]
    }
    let config = try SharedConfig(environment)
    #expect(config.profiles.keys.sorted() == ["a", "b"])
    #expect(config.configPath == "/home/me/c")
    #expect(config.credentialsPath == "/d")
  }

  @Test(
    arguments: [
      ("x", [:], "x", .explicit), ("x", ["AWS_PROFILE": "y"], "x", .explicit),
      (nil, ["AWS_PROFILE": "y", "AWS_DEFAULT_PROFILE": "z"], "y", .variable("AWS_PROFILE")),
      (
        nil, ["AWS_PROFILE": "", "AWS_DEFAULT_PROFILE": "z"], "z", .variable("AWS_DEFAULT_PROFILE")
      ),
      (nil, [:], "default", .fallback),
    ] as [(String?, [String: String], String, SharedConfig.Selection.Origin)])
  func selection(
    explicit: String?, variables: [String: String], name: String,
    origin: SharedConfig.Selection.Origin
  ) {
    let selection = SharedConfig.Selection(explicit: explicit, environment: environment(variables))
    #expect(selection.name == name)
    #expect(selection.origin == origin)
  }

  @Test(
    arguments: [("x", [:]), (nil, ["AWS_PROFILE": "x"]), ("default", [:])]
      as [(String?, [String: String])])
  func aNamedProfileMustExist(name: String?, variables: [String: String]) {
    #expect {
      try profile(name, environment(variables, config: "[profile b]\n[profile a]"))
    } throws: {
      let error = $0 as? ConfigurationError
      return error?.code == .noSuchProfile && error?.hint == "there are: a, b"
    }
  }

  @Test func theCABundle() throws {
    func bundle(_ variables: [String: String], _ config: String?) throws -> String? {
      let environment = environment(variables, config: config)
      return CurlTransport.Configuration(
        environment: environment, profile: try profile(nil, environment)
      ).caBundle
    }
    let config = "[default]\nca_bundle = ~/two.pem"
    #expect(try bundle(["AWS_CA_BUNDLE": "/one.pem"], config) == "/one.pem")
    #expect(try bundle([:], config) == "/home/me/two.pem")
    #expect(try bundle([:], nil) == nil)
  }

  @Test func withoutANameNoProfileNeedExist() throws {
    #expect(try profile(nil, environment()) == nil)
  }

  @Test func theProcessHasAHomeAndReadsFiles() throws {
    let environment = AWSEnvironment.ofProcess()
    #expect(environment["PATH"] != nil)
    #expect(environment.home?.hasPrefix("/") == true)
    #expect(try environment.readFile("/nowhere/at/all") == nil)
    #expect(try environment.readFile("/proc/self/comm")?.isEmpty == false)
    #expect(throws: ConfigurationError.self) { try environment.readFile("/") }
  }
}
