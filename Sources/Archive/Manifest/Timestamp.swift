/// A moment in whole seconds, in UTC.
public struct Timestamp: Sendable, Hashable, Comparable {
  /// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
  public var seconds: Int

  public init(seconds: Int) { self.seconds = seconds }

  /// Reads `YYYY-MM-DDTHH:MM:SSZ` (RFC 3339 section 5.6 without fractions and offsets); nil for
  /// anything else.
  public init?(_ text: String) {
    let bytes = Array(text.utf8)
    let pattern = Array("0000-00-00T00:00:00Z".utf8)
    guard bytes.count == pattern.count else { return nil }
    var fields: [Int] = []
    var field = 0
    for (byte, expected) in zip(bytes, pattern) {
      if expected == UInt8(ascii: "0") {
        guard byte &- UInt8(ascii: "0") < 10 else { return nil }
        field = field * 10 + Int(byte - UInt8(ascii: "0"))
      } else {
        guard byte == expected else { return nil }
        fields.append(field)
        field = 0
      }
    }
    let (year, month, day) = (fields[0], fields[1], fields[2])
    guard (1...12).contains(month), day >= 1, fields[3] < 24, fields[4] < 60, fields[5] < 60 else {
      return nil
    }
    seconds =
      Timestamp.days(year, month, day) * 86400 + fields[3] * 3600 + fields[4] * 60 + fields[5]
    // A day that the month does not have comes back as another.
    guard description == text else { return nil }
  }

  public static func < (left: Timestamp, right: Timestamp) -> Bool { left.seconds < right.seconds }

  // Days since 1970-01-01 in the proleptic Gregorian calendar. Years are counted from March, so
  // that the leap day is a year's last: 146,097 days are 400 years, 153 days five months.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let era = floorDivide(year, 400)
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  fileprivate static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
    (value >= 0 ? value : value - divisor + 1) / divisor
  }
}

extension Timestamp: CustomStringConvertible {
  /// `YYYY-MM-DDTHH:MM:SSZ`
  public var description: String {
    let day = Timestamp.floorDivide(seconds, 86400)
    let second = seconds - day * 86400
    let shifted = day + 719_468
    let era = Timestamp.floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let fromMarch = (5 * dayOfYear + 2) / 153
    let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let dayOfMonth = dayOfYear - (153 * fromMarch + 2) / 5 + 1
    return padded(year, 4) + "-" + padded(month, 2) + "-" + padded(dayOfMonth, 2) + "T"
      + padded(second / 3600, 2) + ":" + padded(second / 60 % 60, 2) + ":" + padded(second % 60, 2)
      + "Z"
  }
}

/// A decimal number filled up with zeros.
func padded(_ number: Int, _ width: Int) -> String {
  let digits = String(number)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
