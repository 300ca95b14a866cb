/// Lower-case hexadecimal.
public enum Hex {
  /// Two digits a byte.
  public static func encode(_ bytes: [UInt8]) -> String {
    let digits: StaticString = "0123456789abcdef"
    return String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
      for (index, byte) in bytes.enumerated() {
        buffer[index * 2] = digits.utf8Start[Int(byte >> 4)]
        buffer[index * 2 + 1] = digits.utf8Start[Int(byte & 15)]
      }
      return bytes.count * 2
    }
  }

  /// The bytes of an even number of lower-case digits; anything else is nil.
  public static func decode(_ text: String) -> [UInt8]? {
    var text = text
    return text.withUTF8 { digits in
      guard digits.count.isMultiple(of: 2) else { return nil }
      var isWrong = false
      let bytes = [UInt8](unsafeUninitializedCapacity: digits.count / 2) { buffer, count in
        for index in 0..<digits.count / 2 {
          let (high, low) = (value(digits[index * 2]), value(digits[index * 2 + 1]))
          isWrong = isWrong || high | low > 15
          buffer[index] = high << 4 | low & 15
        }
        count = digits.count / 2
      }
      return isWrong ? nil : bytes
    }
  }

  /// A digit's value; more than 15 where it is none.
  @inline(__always)
  private static func value(_ digit: UInt8) -> UInt8 {
    let number = digit &- UInt8(ascii: "0")
    if number < 10 { return number }
    let letter = digit &- UInt8(ascii: "a")
    return letter < 6 ? letter + 10 : 0xFF
  }
}
