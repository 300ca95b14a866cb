/// Header fields in their order; names are compared without regard to case (RFC 9110 section 5.1).
public struct HTTPHeaders: Equatable, Sendable, ExpressibleByDictionaryLiteral {
  /// One field.
  public struct Field: Equatable, Sendable {
    public var name: String
    public var value: String

    /// Creates a field.
    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// The fields in the order they are sent or were received; a name may occur more than once.
  public private(set) var fields: [Field]

  /// Creates a list of fields.
  public init(_ fields: [Field] = []) { self.fields = fields }

  public init(dictionaryLiteral elements: (String, String)...) {
    fields = elements.map { Field(name: $0.0, value: $0.1) }
  }

  /// The value of the first field of a name. Setting replaces all fields of the name, nil removes
  /// them.
  public subscript(name: String) -> String? {
    get { fields.first { ASCII.equalIgnoringCase($0.name, name) }?.value }
    set {
      fields.removeAll { ASCII.equalIgnoringCase($0.name, name) }
      if let newValue { append(name, newValue) }
    }
  }

  /// Adds a field behind the others.
  public mutating func append(_ name: String, _ value: String) {
    fields.append(Field(name: name, value: value))
  }

  /// The first field that must not be sent: a name that is no token, or a value with a control
  /// character, which could end the field and start another (RFC 9110 sections 5.1, 5.5 and 5.6.2).
  var firstInvalid: Field? {
    for field in fields {
      if field.name.isEmpty { return field }
      for byte in field.name.utf8 where !HTTPHeaders.isTokenByte(byte) { return field }
      for byte in field.value.utf8 where byte < 0x20 && byte != 0x09 || byte == 0x7F {
        return field
      }
    }
    return nil
  }

  @inline(__always)
  private static func isTokenByte(_ byte: UInt8) -> Bool {
    ASCII.isAlphanumeric(byte) || byte == UInt8(ascii: "-")
      || "!#$%&'*+.^_`|~".utf8.contains(byte)
  }
}

/// One HTTP request.
public struct HTTPRequest: Sendable {
  /// The method, in capitals.
  public var method: String
  /// Where to.
  public var url: HTTPURL
  /// The header fields. `Host` and `Content-Length` are added by the transport.
  public var headers: HTTPHeaders
  /// The body; the transport holds on to it without copying.
  public var body: [UInt8]
  /// What it is, for the log: `Scan`, `sts:AssumeRole`.
  public var operation = ""
  /// The how-manieth attempt of its call, from 1; for the log.
  public var attempt = 1
  /// Time for all of it; nil leaves it to the transport's own limits.
  public var limit: Duration?
  /// Whether it must not pass a proxy, as requests to the machine's own metadata service.
  public var isDirect = false

  /// Creates a request.
  public init(method: String, url: HTTPURL, headers: HTTPHeaders = [:], body: [UInt8] = []) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
  }
}

/// One HTTP response, complete: its body is as long as its header said.
public struct HTTPResponse: Sendable {
  /// The status code.
  public var status: Int
  /// The header fields of the final response.
  public var headers: HTTPHeaders
  /// The body.
  public var body: [UInt8]

  /// Creates a response.
  public init(status: Int, headers: HTTPHeaders = [:], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}
