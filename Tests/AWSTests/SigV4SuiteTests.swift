import Glibc
import Testing

@testable import AWS

/// AWS's own test suite for Signature Version 4, as the botocore 1.43 sdist carries it in
/// `tests/unit/auth/aws4_testsuite`: 34 cases. botocore runs 30 of them (its HTTP parser or its API
/// cannot express `normalize-path/get-space` and three `get-vanilla-query-order-…`); here all 34 run.
///
/// The set-up puts it into `.cache/aws4_testsuite`; it is not committed.
@Suite struct SigV4SuiteTests {
  /// One case: a request, and the three texts that signing it must make.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let request: String
    let canonicalRequest: String
    let stringToSign: String
    let authorization: String

    var testDescription: String { name }
  }

  static let folder =
    "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    + "/.cache/aws4_testsuite"

  static let cases = (try? load(folder)) ?? []

  private static func load(_ directory: String) throws -> [Case] {
    guard let handle = opendir(directory) else { return [] }
    defer { closedir(handle) }
    var cases: [Case] = []
    while let entry = readdir(handle) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(".req") {
        let stem = "\(directory)/\(name.dropLast(4))"
        cases.append(
          Case(
            name: String(name.dropLast(4)), request: try text("\(stem).req"),
            canonicalRequest: try text("\(stem).creq"), stringToSign: try text("\(stem).sts"),
            authorization: try text("\(stem).authz")))
      } else if !name.hasPrefix("."), !name.contains(".") {
        cases += try load("\(directory)/\(name)")
      }
    }
    return cases.sorted { $0.name < $1.name }
  }

  private static func text(_ path: String) throws -> String {
    let bytes = try #require(try AWSEnvironment.ofProcess().readFile(path))
    return String(decoding: bytes.filter { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
  }

  @Test func theSuiteIsThere() {
    #expect(
      SigV4SuiteTests.cases.count == 34,
      "\(SigV4SuiteTests.folder) does not hold the 34 cases: run make setup")
  }

  @Test(arguments: cases) func signsAsTheSuiteSays(test: Case) throws {
    let (head, body) = SigV4SuiteTests.split(test.request)
    var lines = head.split(separator: "\n")
    // The path of one case holds a space, so the line is cut at its ends.
    let requestLine = lines.removeFirst().split(separator: " ").dropLast()
    let method = String(try #require(requestLine.first))
    let target = requestLine.dropFirst().joined(separator: " ")
    let path = target.prefix { $0 != "?" }
    let query = target[path.endIndex...].dropFirst()

    var headers = HTTPHeaders()
    for line in lines {
      if line.first == " ", let last = headers.fields.last {
        // A folded line continues the value before it.
        headers = HTTPHeaders(headers.fields.dropLast())
        headers.append(last.name, "\(last.value)\n\(line)")
      } else {
        let name = line.prefix { $0 != ":" }
        headers.append(String(name), String(line[name.endIndex...].dropFirst()))
      }
    }
    // Where the token is not part of the signature, it is added behind it.
    let token = test.canonicalRequest.split(separator: "\n")
      .first { $0.hasPrefix("x-amz-security-token:") }
      .map { String($0.drop { $0 != ":" }.dropFirst()) }

    let signature = SigV4Signer(region: "us-east-1", service: "service").sign(
      method: method, path: String(path), query: query.isEmpty ? nil : String(query),
      authority: try #require(headers["Host"]), headers: headers, body: Array(body.utf8),
      credentials: Credentials(
        accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        sessionToken: token),
      at: try #require(AWSTimestamp(iso8601: "2015-08-30T12:36:00Z")))

    #expect(
      String(decoding: signature.canonicalRequest, as: UTF8.self) == test.canonicalRequest)
    #expect(signature.stringToSign == test.stringToSign)
    #expect(signature.authorization == test.authorization)
  }

  private static func split(_ request: String) -> (head: Substring, body: Substring) {
    guard let gap = request.firstRange(of: "\n\n") else { return (request[...], "") }
    return (request[..<gap.lowerBound], request[gap.upperBound...])
  }
}
