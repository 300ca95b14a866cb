import Digest
import Synchronization

/// Signs requests to one service in one region with AWS Signature Version 4 (AWS4-HMAC-SHA256, AWS
/// General Reference, "Signature Version 4 signing process").
///
/// Given the same arguments it gives the same result; the signing key of the day is remembered,
/// which saves four of five HMACs a request, and so is the text of the last second.
public final class SigV4Signer: Sendable {
  /// The region in the scope of the signature.
  public let region: String
  /// The service's signing name in the scope of the signature, such as `dynamodb`.
  public let service: String

  private struct DayKey {
    var date: String
    var secret: String
    var key: [UInt8]
  }

  private let dayKey = Mutex<DayKey?>(nil)
  private let lastTime = Mutex<(moment: AWSTimestamp, text: String)?>(nil)

  /// Creates a signer.
  public init(region: String, service: String) {
    self.region = region
    self.service = service
  }

  /// A signature and the texts it was computed from, each as the AWS documentation names it.
  public struct Signature: Sendable {
    /// Step 1: the canonical request.
    public let canonicalRequest: [UInt8]
    /// Step 3: the string to sign.
    public let stringToSign: String
    /// Step 5: the value of the `Authorization` header.
    public let authorization: String
    /// The fields to send: those given, the ones signing adds, and `Authorization`.
    public let headers: HTTPHeaders
  }

  /// Signs a request.
  ///
  /// - Parameters:
  ///   - headers: the fields to sign. `Host`, `X-Amz-Date` and, where the credentials have a session
  ///     token, `X-Amz-Security-Token` are set here; do not pass what a proxy may change.
  ///   - body: the bytes that will be sent.
  ///   - timestamp: the time of signing; the service accepts it for some minutes.
  public func sign(
    method: String, url: HTTPURL, headers: HTTPHeaders, body: [UInt8], credentials: Credentials,
    at timestamp: AWSTimestamp
  ) -> Signature {
    sign(
      method: method, path: url.path, query: url.query, authority: url.authority, headers: headers,
      body: body, credentials: credentials, at: timestamp)
  }

  /// The same from the parts of a request line, which need not be percent-encoded.
  func sign(
    method: String, path: String, query: String?, authority: String, headers: HTTPHeaders,
    body: [UInt8], credentials: Credentials, at timestamp: AWSTimestamp
  ) -> Signature {
    var headers = headers
    headers["Host"] = authority
    let time = text(of: timestamp)
    headers["X-Amz-Date"] = time
    if let token = credentials.sessionToken { headers["X-Amz-Security-Token"] = token }

    let canonical = CanonicalRequest(
      method: method, path: path, query: query, headers: headers,
      payloadHash: SHA256.digest(of: body.span.bytes).description)
    let date = String(time.prefix(8))
    let scope = "\(date)/\(region)/\(service)/aws4_request"
    let stringToSign =
      "AWS4-HMAC-SHA256\n\(time)\n\(scope)\n\(SHA256.digest(of: canonical.text.span.bytes))"
    let key = signingKey(date: date, secret: credentials.secretAccessKey)
    let signature = Hex.encode(
      HMACSHA256.code(key: key, message: Array(stringToSign.utf8)))
    let authorization =
      "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), "
      + "SignedHeaders=\(canonical.signedHeaders), Signature=\(signature)"
    headers.append("Authorization", authorization)
    return Signature(
      canonicalRequest: canonical.text, stringToSign: stringToSign, authorization: authorization,
      headers: headers)
  }

  private func text(of timestamp: AWSTimestamp) -> String {
    lastTime.withLock { last in
      if let last, last.moment == timestamp { return last.text }
      let text = timestamp.compact
      last = (timestamp, text)
      return text
    }
  }

  private func signingKey(date: String, secret: String) -> [UInt8] {
    dayKey.withLock { dayKey in
      if let dayKey, dayKey.date == date, dayKey.secret == secret { return dayKey.key }
      var key = Array("AWS4\(secret)".utf8)
      for part in [date, region, service, "aws4_request"] {
        key = HMACSHA256.code(key: key, message: Array(part.utf8))
      }
      dayKey = DayKey(date: date, secret: secret, key: key)
      return key
    }
  }
}
