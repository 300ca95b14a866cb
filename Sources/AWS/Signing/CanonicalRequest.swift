import Digest

/// The canonical form of a request, over which Signature Version 4 is computed: AWS General
/// Reference, "Create a signed AWS API request", step 1, for all services but S3.
struct CanonicalRequest {
  /// The whole text.
  let text: [UInt8]
  /// The names of the signed header fields, joined by semicolons.
  let signedHeaders: String

  /// - Parameters:
  ///   - headers: the fields to sign, `Host` and `X-Amz-Date` among them.
  ///   - payloadHash: the SHA-256 of the body in lower-case hexadecimal.
  init(method: String, url: HTTPURL, headers: HTTPHeaders, payloadHash: String) {
    self.init(
      method: method, path: url.path, query: url.query, headers: headers, payloadHash: payloadHash)
  }

  /// The same from the parts of a request line, which need not be percent-encoded.
  init(
    method: String, path: String, query: String?, headers: HTTPHeaders, payloadHash: String
  ) {
    var text: [UInt8] = []
    text.reserveCapacity(1024)
    text.append(contentsOf: method.utf8)
    text.append(0x0A)
    CanonicalRequest.appendPath(path, to: &text)
    text.append(0x0A)
    if let query, !query.isEmpty { CanonicalRequest.appendQuery(query, to: &text) }
    text.append(0x0A)
    signedHeaders = CanonicalRequest.appendHeaders(headers, to: &text)
    text.append(0x0A)
    text.append(contentsOf: signedHeaders.utf8)
    text.append(0x0A)
    text.append(contentsOf: payloadHash.utf8)
    self.text = text
  }

  /// RFC 3986 section 6: dot segments resolved, repeated slashes one; then percent-encoded once
  /// more than it is on the wire.
  private static func appendPath(_ path: String, to text: inout [UInt8]) {
    var segments: [Substring] = []
    for segment in path.split(separator: "/") {
      switch segment {
      case ".": continue
      case "..": _ = segments.popLast()
      default: segments.append(segment)
      }
    }
    for segment in segments {
      text.append(UInt8(ascii: "/"))
      appendEncoded(segment.utf8, to: &text)
    }
    if segments.isEmpty || path.hasSuffix("/") { text.append(UInt8(ascii: "/")) }
  }

  /// Each name and value decoded and encoded anew, sorted by name and then by value.
  private static func appendQuery(_ query: String, to text: inout [UInt8]) {
    let pairs = query.utf8.split(separator: UInt8(ascii: "&")).map { pair in
      let name = pair.prefix { $0 != UInt8(ascii: "=") }
      return (recoded(name), recoded(pair[name.endIndex...].dropFirst()))
    }
    let sorted = pairs.sorted { one, other in
      if one.0 != other.0 { return one.0.lexicographicallyPrecedes(other.0) }
      return one.1.lexicographicallyPrecedes(other.1)
    }
    for (index, (name, value)) in sorted.enumerated() {
      if index > 0 { text.append(UInt8(ascii: "&")) }
      text.append(contentsOf: name)
      text.append(UInt8(ascii: "="))
      text.append(contentsOf: value)
    }
  }

  /// Names in lower case and in order, white space in values reduced to single spaces, the values of
  /// one name joined by commas in the order they came.
  private static func appendHeaders(_ headers: HTTPHeaders, to text: inout [UInt8]) -> String {
    let names = headers.fields.map { $0.name.lowercased() }
    // Fields are few: insertion keeps those of one name in their order.
    var order: [Int] = []
    order.reserveCapacity(names.count)
    for index in names.indices {
      order.insert(index, at: order.firstIndex { names[index] < names[$0] } ?? order.endIndex)
    }
    var signed = ""
    signed.reserveCapacity(128)
    for (position, index) in order.enumerated() {
      if position > 0, names[order[position - 1]] == names[index] {
        text[text.count - 1] = UInt8(ascii: ",")
      } else {
        if position > 0 { signed += ";" }
        signed += names[index]
        text.append(contentsOf: names[index].utf8)
        text.append(UInt8(ascii: ":"))
      }
      appendCollapsed(headers.fields[index].value.utf8, to: &text)
      text.append(0x0A)
    }
    return signed
  }

  private static func appendCollapsed(_ value: some Sequence<UInt8>, to text: inout [UInt8]) {
    let start = text.count
    var space = false
    for byte in value {
      if byte == 0x20 || (0x09...0x0D).contains(byte) {
        space = true
        continue
      }
      if space, text.count > start { text.append(0x20) }
      space = false
      text.append(byte)
    }
  }

  private static func recoded(_ bytes: some Collection<UInt8>) -> [UInt8] {
    let bytes = Array(bytes)
    var decoded: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
        let high = ASCII.hexValue(bytes[index + 1]), let low = ASCII.hexValue(bytes[index + 2])
      {
        decoded.append(high << 4 | low)
        index += 3
      } else {
        decoded.append(bytes[index])
        index += 1
      }
    }
    var encoded: [UInt8] = []
    appendEncoded(decoded, to: &encoded)
    return encoded
  }

  /// Everything percent-encoded, in capitals, except for RFC 3986's unreserved characters.
  private static func appendEncoded(_ bytes: some Sequence<UInt8>, to text: inout [UInt8]) {
    let digits: StaticString = "0123456789ABCDEF"
    for byte in bytes {
      if ASCII.isAlphanumeric(byte) || "-._~".utf8.contains(byte) {
        text.append(byte)
      } else {
        text.append(UInt8(ascii: "%"))
        text.append(digits.utf8Start[Int(byte >> 4)])
        text.append(digits.utf8Start[Int(byte & 15)])
      }
    }
  }
}
