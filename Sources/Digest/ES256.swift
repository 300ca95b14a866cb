internal import COpenSSL

/// A private key on the curve P-256, for signatures of JSON Web Tokens (RFC 7518 section 3.4, ES256).
public struct ES256Key: ~Copyable {
  private let key: OpaquePointer
  /// The coordinates of the public key, 32 bytes each.
  public let x: [UInt8]
  public let y: [UInt8]

  /// Reads a key as PEM, in either of the two forms; nil where the text is none, or of another curve.
  public init?(pem: String) {
    let bytes = Array(pem.utf8)
    guard let source = BIO_new_mem_buf(bytes, Int32(clamping: bytes.count)) else { return nil }
    defer { BIO_free(source) }
    // The callback would ask at the terminal for a password; there is none to be asked for.
    guard
      let key = PEM_read_bio_PrivateKey(source, nil, { _, _, _, _ in 0 }, nil)
    else { return nil }
    var point = [UInt8](repeating: 0, count: 256)
    var length = 0
    let named = EVP_PKEY_get_octet_string_param(key, "pub", &point, point.count, &length)
    guard EVP_PKEY_is_a(key, "EC") == 1, EVP_PKEY_get_bits(key) == 256, named == 1,
      length == 65, point[0] == 4
    else {
      EVP_PKEY_free(key)
      return nil
    }
    self.key = key
    x = Array(point[1..<33])
    y = Array(point[33..<65])
  }

  deinit { EVP_PKEY_free(key) }

  /// The signature of a message: the two numbers, 32 bytes each.
  ///
  /// - Returns: nil where OpenSSL refuses the key.
  public func signature(of message: [UInt8]) -> [UInt8]? {
    guard let context = EVP_MD_CTX_new() else { return nil }
    defer { EVP_MD_CTX_free(context) }
    var encoded = [UInt8](repeating: 0, count: 128)
    var length = encoded.count
    guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1,
      EVP_DigestSign(context, &encoded, &length, message, message.count) == 1
    else { return nil }
    return encoded.withUnsafeBufferPointer { encoded -> [UInt8]? in
      var start = encoded.baseAddress
      guard let pair = d2i_ECDSA_SIG(nil, &start, length) else { return nil }
      defer { ECDSA_SIG_free(pair) }
      var result = [UInt8](repeating: 0, count: 64)
      let padded = result.withUnsafeMutableBufferPointer { result in
        guard let base = result.baseAddress else { return false }
        return BN_bn2binpad(ECDSA_SIG_get0_r(pair), base, 32) == 32
          && BN_bn2binpad(ECDSA_SIG_get0_s(pair), base + 32, 32) == 32
      }
      return padded ? result : nil
    }
  }
}
