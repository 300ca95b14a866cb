internal import CZlib

/// The CRC-32 of zlib, gzip and DynamoDB's `X-Amz-Crc32` header (RFC 1952 section 8).
public enum CRC32 {
  /// The checksum of one run of bytes.
  public static func checksum(_ bytes: RawSpan) -> UInt32 {
    bytes.withUnsafeBytes { buffer in
      UInt32(truncatingIfNeeded: crc32_z(0, buffer.baseAddress, buffer.count))
    }
  }
}
