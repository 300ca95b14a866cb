import Testing

@testable import AWS

@Suite struct HTTPMessageTests {
  @Test(arguments: [
    ("https://dynamodb.eu-west-1.amazonaws.com", "https://dynamodb.eu-west-1.amazonaws.com/"),
    ("HTTP://LocalHost:8000", "http://localhost:8000/"),
    ("https://a:443/b?c=d&e", "https://a/b?c=d&e"),
    ("http://a:443?", "http://a:443/?"), ("http://[::1]:8000/x/../y", "http://[::1]:8000/x/../y"),
    ("https://a_b.c/%20", "https://a_b.c/%20"),
  ])
  func addresses(text: String, expected: String) throws {
    #expect(try HTTPURL(text).description == expected)
  }

  @Test(arguments: [
    "", "dynamodb", "ftp://a", "https:/a", "https://", "https://:80", "https://a:", "https://a:0",
    "https://a:65536", "https://a:+1", "https://a:1:2", "https://user@a", "https://user:pw@a",
    "https://a#b", "https://a b", "https://a/ä", "https://a\r\n", "https://[::1", "https://[::1]x",
    "https://[nope]", "https://[1234]", "https://.a", "https://a..b", "https://-a", "https://a,b",
    "https://::1", "https://a\\b",
  ])
  func notAddresses(text: String) {
    #expect { try HTTPURL(text) } throws: { ($0 as? TransportError)?.code == .invalidURL }
  }

  @Test(arguments: [
    ("http://localhost", true), ("http://127.0.0.1:1", true), ("http://127.1.2.3", true),
    ("http://[::1]", true), ("http://127.0.0.1.example.com", false), ("http://127.0.0", false),
    ("http://127.0.0.256", false), ("http://localhost.example.com", false),
    ("http://128.0.0.1", false), ("http://[::2]", false), ("http://10.0.0.1", false),
  ])
  func loopback(text: String, expected: Bool) throws {
    #expect(try HTTPURL(text).isLoopback == expected)
  }

  @Test func headersKnowNoCase() {
    var headers: HTTPHeaders = ["A": "1", "b": "2", "a": "3"]
    #expect(headers["a"] == "1")
    headers["B"] = "4"
    headers["A"] = nil
    #expect(headers == ["B": "4"])
    #expect(headers["C"] == nil)
  }
}
