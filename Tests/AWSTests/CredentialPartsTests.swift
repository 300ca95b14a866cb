import Digest
import Testing

@testable import AWS

@Suite struct CredentialPartsTests {
  @Test(arguments: [
    ("a b  c", ["a", "b", "c"]), ("'a b' \"c d\"", ["a b", "c d"]), ("a\\ b", ["a b"]),
    ("\"a\\\"b\\\\c\\d\"", ["a\"b\\c\\d"]), ("'a\\b'", ["a\\b"]), ("a'b'\"c\"d", ["abcd"]),
    ("''", [""]), ("", []), ("  \t ", []), ("/x --y='1 2'", ["/x", "--y=1 2"]),
    ("$HOME `a`", ["$HOME", "`a`"]),
  ])
  func words(line: String, words: [String]) {
    #expect(ShellWords.split(line) == words)
  }

  @Test(arguments: ["'a", "\"a", "a\\", "\"a\\"])
  func openQuotations(line: String) {
    #expect(ShellWords.split(line) == nil)
  }

  @Test(
    arguments: [
      ("<a><Arn>x</Arn></a>", "x"), ("<a><Arns>y</Arns><Arn k=\"v\">x</Arn></a>", "x"),
      ("<Arn>&lt;&amp;&gt;&#65;&#x42;&quot;&apos;&none;&</Arn>", "<&>AB\"'&none;&"),
      ("<Arn></Arn>", ""), ("<Arn/>", nil), ("<Arn>x", nil), ("<Arn", nil), ("", nil),
      ("<Arn><b>x</b></Arn><Arn>z</Arn>", "z"),
    ] as [(String, String?)])
  func elements(xml: String, text: String?) {
    #expect(XMLText(Array(xml.utf8))["Arn"] == text)
  }

  @Test func forms() {
    #expect(
      FormBody.encode([("a b", "c&d=é"), ("x", "-._~Z9/")]) == "a%20b=c%26d%3D%C3%A9&x=-._~Z9%2F")
  }

  /// RFC 3174 section 7.3, test 1.
  @Test func sha1() {
    #expect(
      Hex.encode(SHA1.digest(of: Array("abc".utf8))) == "a9993e364706816aba3e25717850c26c9cd0d89d")
  }

  /// RFC 4648 section 10, without padding.
  @Test(arguments: [
    ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"),
    ("\u{3FF}?>", "z78_Pg"),
  ])
  func base64(text: String, encoded: String) {
    #expect(DPoP.base64URL(Array(text.utf8)) == encoded)
  }

  @Test(arguments: ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
  func notKeys(pem: String) throws {
    let url = try HTTPURL("https://a")
    #expect(DPoP.header(key: pem, url: url, at: .now, id: "1") == nil)
  }

  @Test(arguments: [
    ("2026-01-02T03:04:05Z", true), ("2026-01-02T03:04:05UTC", true), ("soon", false),
  ])
  func timesOfTokens(text: String, isTime: Bool) {
    #expect((AWSTimestamp(tokenTime: text) != nil) == isTime)
  }
}

@Suite(.timeLimit(.minutes(1))) struct ChildProcessTests {
  private func run(
    _ script: String, limit: Duration = .seconds(20), _ environment: [String: String] = [:]
  ) async throws(CredentialError) -> ChildProcess.End {
    try await ChildProcess.run(["/bin/sh", "-c", script], environment: environment, limit: limit)
  }

  @Test func bothOutputsAndTheStatusArrive() async throws {
    let end = try await run("echo out; echo $X >&2; exit 3", ["X": "err"])
    #expect(String(decoding: end.output, as: UTF8.self) == "out\n")
    #expect(String(decoding: end.errorOutput, as: UTF8.self) == "err\n")
    #expect(end.status == 3)
    #expect(try await run("kill -TERM $$").status == 128 + 15)
  }

  /// A pipe holds 64 KiB: whoever reads one and then the other would wait for ever.
  @Test func fullPipesStopNobody() async throws {
    let end = try await run(
      "head -c 300000 /dev/zero >&2; head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2")
    #expect((end.output.count, end.errorOutput.count) == (300_000, 600_000))
  }

  @Test func whatHangsIsEnded() async {
    let start = ContinuousClock.now
    let error = await #expect(throws: CredentialError.self) {
      try await run("sleep 50", limit: .milliseconds(300))
    }
    #expect(error?.code == .unreachable)
    #expect(ContinuousClock.now - start < .seconds(10))
  }

  @Test func whatPrintsWithoutEndIsEnded() async {
    await #expect(throws: CredentialError.self) { try await run("yes") }
  }

  @Test func whatIsNotThereIsNamed() async {
    let error = await #expect(throws: CredentialError.self) {
      try await ChildProcess.run(["/nowhere/x"], environment: [:], limit: .seconds(1))
    }
    #expect(error?.message.contains("/nowhere/x") == true)
  }
}
