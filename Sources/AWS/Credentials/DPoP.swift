import Digest
import JSON

/// A proof that whoever sends a request has a key (RFC 9449), as AWS Sign-In wants with the renewal of a
/// login.
enum DPoP {
  /// The value of the header `DPoP` for a POST.
  ///
  /// - Parameters:
  ///   - key: the private key, as PEM.
  ///   - id: a value never used before.
  /// - Returns: nil where the key is none of P-256.
  static func header(key pem: String, url: HTTPURL, at time: AWSTimestamp, id: String) -> String? {
    guard let key = ES256Key(pem: pem) else { return nil }
    let header: JSONValue = [
      "typ": "dpop+jwt", "alg": "ES256",
      "jwk": [
        "kty": "EC", "x": .string(base64URL(key.x)), "y": .string(base64URL(key.y)),
        "crv": "P-256",
      ],
    ]
    let payload: JSONValue = [
      "htm": "POST", "htu": .string("\(url)"), "iat": .number("\(time.epochSeconds)"),
      "jti": .string(id),
    ]
    let signed = base64URL(header.serialized()) + "." + base64URL(payload.serialized())
    return key.signature(of: Array(signed.utf8)).map { "\(signed).\(base64URL($0))" }
  }

  /// Base64 for URLs, without padding (RFC 4648 section 5).
  static func base64URL(_ bytes: [UInt8]) -> String {
    let alphabet = Array(
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    var text: [UInt8] = []
    var start = 0
    while start < bytes.count {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
      for digit in 0...group.count { text.append(alphabet[bits >> (18 - 6 * digit) & 63]) }
      start += 3
    }
    return String(decoding: text, as: UTF8.self)
  }
}
