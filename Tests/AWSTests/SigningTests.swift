import Testing

@testable import AWS

@Suite struct SigningTests {
  private let credentials = Credentials(accessKeyID: "AKID", secretAccessKey: "one")

  private func sign(
    _ signer: SigV4Signer, _ credentials: Credentials, _ time: String
  ) throws -> SigV4Signer.Signature {
    signer.sign(
      method: "POST", url: try HTTPURL("https://dynamodb.eu-west-1.amazonaws.com/"),
      headers: ["X-Amz-Target": "DynamoDB_20120810.Scan"], body: [1, 2, 3],
      credentials: credentials, at: try #require(AWSTimestamp(iso8601: time)))
  }

  /// The key of the day is kept; another day, another secret or another scope makes another one.
  @Test func theKeptKeyNeverServesAnotherScope() throws {
    let signer = SigV4Signer(region: "eu-west-1", service: "dynamodb")
    let other = Credentials(accessKeyID: "AKID", secretAccessKey: "two")
    for (credentials, time) in [
      (credentials, "2026-01-01T00:00:00Z"), (other, "2026-01-01T00:00:00Z"),
      (credentials, "2026-01-02T00:00:00Z"), (credentials, "2026-01-01T00:00:00Z"),
    ] {
      let fresh = SigV4Signer(region: "eu-west-1", service: "dynamodb")
      #expect(
        try sign(signer, credentials, time).authorization
          == sign(fresh, credentials, time).authorization)
    }
    let authorizations = try [
      sign(signer, credentials, "2026-01-01T00:00:00Z"),
      sign(signer, other, "2026-01-01T00:00:00Z"),
      sign(signer, credentials, "2026-01-02T00:00:00Z"),
      sign(
        SigV4Signer(region: "eu-west-2", service: "dynamodb"), credentials, "2026-01-01T00:00:00Z"),
    ].map(\.authorization)
    #expect(Set(authorizations).count == 4)
  }

  @Test func signsTheTokenAndTheTarget() throws {
    var credentials = credentials
    credentials.sessionToken = "token"
    let signature = try sign(
      SigV4Signer(region: "eu-west-1", service: "dynamodb"), credentials, "2026-01-01T00:00:00Z")
    #expect(
      signature.authorization.contains(
        "SignedHeaders=host;x-amz-date;x-amz-security-token;x-amz-target,"))
    #expect(signature.headers["Host"] == "dynamodb.eu-west-1.amazonaws.com")
    #expect(signature.headers["x-amz-security-token"] == "token")
    #expect(signature.headers["Authorization"] == signature.authorization)
  }

  @Test func credentialsNeverShowTheirSecrets() {
    let secret = Credentials(
      accessKeyID: "AKID", secretAccessKey: "s3cret", sessionToken: "t0ken",
      expiration: AWSTimestamp(epochSeconds: 0), accountID: "123456789012")
    var dumped = ""
    dump(secret, to: &dumped)
    for text in ["\(secret)", String(reflecting: secret), dumped, "\([secret])"] {
      #expect(!text.contains("s3cret") && !text.contains("t0ken"))
      #expect(text.contains("AKID"))
    }
  }

  @Test(arguments: [
    (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
    (951_782_400, "2000-02-29T00:00:00Z"), (1_440_938_160, "2015-08-30T12:36:00Z"),
    (4_107_542_400, "2100-03-01T00:00:00Z"), (4_107_542_399, "2100-02-28T23:59:59Z"),
    (-62_167_219_200, "0000-01-01T00:00:00Z"), (253_402_300_799, "9999-12-31T23:59:59Z"),
  ])
  func timestamps(seconds: Int64, text: String) {
    let timestamp = AWSTimestamp(epochSeconds: seconds)
    #expect(timestamp.iso8601 == text)
    #expect(timestamp.compact == text.filter { $0 != "-" && $0 != ":" })
    #expect(timestamp.date == text.prefix(10).filter { $0 != "-" })
    #expect(AWSTimestamp(iso8601: text) == timestamp)
  }

  @Test(arguments: [
    ("2015-08-30T12:36:00.123Z", 1_440_938_160), ("2015-08-30T12:36:00+02:00", 1_440_930_960),
    ("2015-08-30T12:36:00.5-00:30", 1_440_939_960),
  ])
  func timesWithFractionsAndOffsets(text: String, seconds: Int64) {
    #expect(AWSTimestamp(iso8601: text)?.epochSeconds == seconds)
  }

  @Test(arguments: [
    "", "2015-08-30", "2015-08-30T12:36:00", "2015-13-30T12:36:00Z", "2015-02-29T12:36:00Z",
    "2015-08-30T24:36:00Z", "2015-08-30T12:36:00Zx", "2015-08-30T12:36:00.Z",
    "2015-08-30T12:36:00+0200", "2015-08-3éT12:36:00Z",
  ])
  func notTimes(text: String) { #expect(AWSTimestamp(iso8601: text) == nil) }
}
