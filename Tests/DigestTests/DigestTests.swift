import Digest
import Testing

@Suite struct DigestTests {
  /// FIPS 180-4's examples.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
  ])
  func sha256(text: String, expected: String) {
    let bytes = Array(text.utf8)
    #expect(SHA256.digest(of: bytes.span.bytes).description == expected)
    #expect(SHA256Digest(hex: expected)?.description == expected)
  }

  @Test func stepsAndOneGoAgreeAndStartAnew() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
    var hash = SHA256()
    for _ in 0..<2 {
      for start in stride(from: 0, to: 1000, by: 100) {
        hash.update(bytes.span.extracting(start..<start + 100).bytes)
      }
      #expect(hash.finish() == SHA256.digest(of: bytes.span.bytes))
    }
  }

  /// RFC 4231, test case 2.
  @Test func hmac() {
    let code = HMACSHA256.code(
      key: Array("Jefe".utf8), message: Array("what do ya want for nothing?".utf8))
    #expect(
      Hex.encode(code) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
  }

  /// One key for many messages is OpenSSL's own, whatever the lengths.
  @Test func hmacOfManyMessages() {
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7) }
    for keyLength in [0, 1, 16, 63, 64, 65, 200] {
      let raw = Array(bytes[..<keyLength])
      let key = HMACSHA256Key(raw)
      for length in [0, 1, 20, 55, 56, 63, 64, 65, 300] {
        let message = Array(bytes[..<length])
        #expect(key.code(message) == HMACSHA256.code(key: raw, message: message))
      }
    }
  }

  @Test func crc32() {
    #expect(CRC32.checksum(Array("123456789".utf8).span.bytes) == 0xCBF4_3926)
    #expect(CRC32.checksum([UInt8]().span.bytes) == 0)
  }

  @Test(arguments: ["0", "0g", "AB", "é", "zz"]) func notHex(text: String) {
    #expect(Hex.decode(text) == nil)
  }
}
