internal import COpenSSL

/// SHA-1 (FIPS 180-4), for the names of files that other tools derive with it; it protects nothing.
public enum SHA1 {
  /// The 20 bytes of the digest.
  public static func digest(of bytes: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: 20) { buffer, count in
      guard EVP_Digest(bytes, bytes.count, buffer.baseAddress, nil, EVP_sha1(), nil) == 1 else {
        preconditionFailure("OpenSSL could not compute a SHA-1")
      }
      count = 20
    }
  }
}
