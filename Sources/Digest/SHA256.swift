internal import COpenSSL

/// A SHA-256 digest (FIPS 180-4): 32 bytes.
public struct SHA256Digest: Hashable, Sendable, CustomStringConvertible {
  /// The 32 bytes.
  public let bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }

  /// Reads 64 lower-case hexadecimal digits; anything else is nil.
  public init?(hex: String) {
    guard let bytes = Hex.decode(hex), bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  /// 64 lower-case hexadecimal digits.
  public var description: String { Hex.encode(bytes) }
}

/// SHA-256 in steps, over OpenSSL's EVP interface.
///
/// Running out of memory is the only way these calls fail; it ends the process, as Swift's own
/// allocations do.
public struct SHA256: ~Copyable, @unchecked Sendable {
  // The context is reached through this value only, and a value that cannot be copied is used by one
  // thread at a time.
  // EVP_sha256() is legacy and looks its method up at every init; fetched once, it is shared.
  private static let method = Method(EVP_MD_fetch(nil, "SHA256", nil))
  private let context: OpaquePointer

  private struct Method: @unchecked Sendable {
    // An EVP_MD is immutable and reference-counted by OpenSSL; it is never freed here.
    let pointer: OpaquePointer
    init(_ pointer: OpaquePointer?) {
      guard let pointer else { preconditionFailure("OpenSSL offers no SHA-256") }
      self.pointer = pointer
    }
  }

  /// Starts a digest.
  public init() {
    guard let context = EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
    self.context = context
    reset()
  }

  deinit { EVP_MD_CTX_free(context) }

  private func reset() {
    guard EVP_DigestInit_ex2(context, SHA256.method.pointer, nil) == 1 else {
      preconditionFailure("OpenSSL could not start a SHA-256")
    }
  }

  /// Takes in more bytes.
  public mutating func update(_ bytes: RawSpan) {
    let done = bytes.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
    guard done == 1 else { preconditionFailure("OpenSSL could not continue a SHA-256") }
  }

  /// The digest of everything taken in since the start or the last call of this; starts anew.
  public mutating func finish() -> SHA256Digest {
    let bytes = [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
      guard EVP_DigestFinal_ex(context, buffer.baseAddress, nil) == 1 else {
        preconditionFailure("OpenSSL could not finish a SHA-256")
      }
      count = 32
    }
    reset()
    return SHA256Digest(bytes: bytes)
  }

  /// The digest of one run of bytes.
  public static func digest(of bytes: RawSpan) -> SHA256Digest {
    var hash = SHA256()
    hash.update(bytes)
    return hash.finish()
  }
}

/// HMAC-SHA-256 (RFC 2104).
public enum HMACSHA256 {
  /// The 32 bytes of the code.
  public static func code(key: [UInt8], message: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 32) { buffer, count in
      var length: UInt32 = 32
      let code = HMAC(
        EVP_sha256(), key, Int32(key.count), message, message.count, buffer.baseAddress, &length)
      guard code != nil else { preconditionFailure("OpenSSL could not compute an HMAC") }
      count = 32
    }
  }
}

/// HMAC-SHA-256 with one key for many short messages. OpenSSL's own call looks its methods up each time,
/// which takes far longer than the hashing.
public struct HMACSHA256Key: Sendable {
  private static let blockBytes = 64

  /// The key as it stands before the message, and before the digest of both (RFC 2104).
  private let inner: [UInt8]
  private let outer: [UInt8]

  public init(_ key: [UInt8]) {
    var block =
      key.count > HMACSHA256Key.blockBytes ? SHA256.digest(of: key.span.bytes).bytes : key
    block += repeatElement(0, count: HMACSHA256Key.blockBytes - block.count)
    inner = block.map { $0 ^ 0x36 }
    outer = block.map { $0 ^ 0x5C }
  }

  /// The 32 bytes of the code.
  public func code(_ message: [UInt8]) -> [UInt8] {
    var hash = SHA256()
    hash.update(inner.span.bytes)
    hash.update(message.span.bytes)
    let digest = hash.finish()
    hash.update(outer.span.bytes)
    hash.update(digest.bytes.span.bytes)
    return hash.finish().bytes
  }
}
