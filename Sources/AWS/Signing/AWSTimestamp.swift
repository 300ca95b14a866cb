import Glibc

/// A moment in whole seconds since 1970-01-01T00:00:00Z, written the two ways AWS reads it.
///
/// Without Foundation: every request carries one. The calendar is the proleptic Gregorian one, by
/// the arithmetic on days that begin their year in March.
public struct AWSTimestamp: Hashable, Comparable, Sendable {
  /// Seconds since 1970-01-01T00:00:00Z.
  public var epochSeconds: Int64

  /// Creates a moment.
  public init(epochSeconds: Int64) { self.epochSeconds = epochSeconds }

  /// The moment now, by the system's clock.
  public static var now: AWSTimestamp { AWSTimestamp(epochSeconds: Int64(time(nil))) }

  /// The moment some seconds later.
  public func advanced(by seconds: Int64) -> AWSTimestamp {
    AWSTimestamp(epochSeconds: epochSeconds + seconds)
  }

  public static func < (one: AWSTimestamp, other: AWSTimestamp) -> Bool {
    one.epochSeconds < other.epochSeconds
  }

  /// `20150830`: the date in the scope of a signature.
  public var date: String {
    let (year, month, day) = calendarDay
    return text { $0.put(year, 4).put(month, 2).put(day, 2) }
  }

  /// `20150830T123600Z`: the `X-Amz-Date` header.
  public var compact: String {
    let (year, month, day) = calendarDay
    let (hour, minute, second) = timeOfDay
    return text {
      $0.put(year, 4).put(month, 2).put(day, 2).put("T")
        .put(hour, 2).put(minute, 2).put(second, 2).put("Z")
    }
  }

  /// `2015-08-30T12:36:00Z`: ISO 8601 as people and JSON have it.
  public var iso8601: String {
    let (year, month, day) = calendarDay
    let (hour, minute, second) = timeOfDay
    return text {
      $0.put(year, 4).put("-").put(month, 2).put("-").put(day, 2).put("T")
        .put(hour, 2).put(":").put(minute, 2).put(":").put(second, 2).put("Z")
    }
  }

  /// Reads `2015-08-30T12:36:00Z`, a fraction of a second (dropped) and an offset (`+02:00`) allowed,
  /// as credential sources write expirations. Anything else is nil.
  public init?(iso8601 text: String) {
    let bytes = Array(text.utf8)
    func number(_ start: Int, _ count: Int) -> Int? {
      guard start + count <= bytes.count else { return nil }
      var value = 0
      for byte in bytes[start..<(start + count)] {
        guard ASCII.isDigit(byte) else { return nil }
        value = value * 10 + Int(byte - UInt8(ascii: "0"))
      }
      return value
    }
    guard bytes.count >= 20, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
      bytes[10] == UInt8(ascii: "T"), bytes[13] == UInt8(ascii: ":"),
      bytes[16] == UInt8(ascii: ":"),
      let year = number(0, 4), let month = number(5, 2), let day = number(8, 2),
      let hour = number(11, 2), let minute = number(14, 2), let second = number(17, 2),
      (1...12).contains(month), (1...AWSTimestamp.days(in: month, of: year)).contains(day),
      hour < 24, minute < 60, second < 61
    else { return nil }

    var end = 19
    if bytes[end] == UInt8(ascii: ".") {
      let digits = bytes[(end + 1)...].prefix(while: ASCII.isDigit)
      guard !digits.isEmpty else { return nil }
      end = digits.endIndex
    }
    var offset = 0
    switch bytes[end...].first {
    case UInt8(ascii: "Z"):
      guard end + 1 == bytes.count else { return nil }
    case UInt8(ascii: "+"), UInt8(ascii: "-"):
      guard end + 6 == bytes.count, bytes[end + 3] == UInt8(ascii: ":"),
        let hours = number(end + 1, 2), let minutes = number(end + 4, 2), hours < 24, minutes < 60
      else { return nil }
      offset = (hours * 60 + minutes) * (bytes[end] == UInt8(ascii: "+") ? 60 : -60)
    default: return nil
    }
    let days = AWSTimestamp.daysSinceEpoch(year, month, day)
    epochSeconds = Int64(days * 86_400 + hour * 3600 + minute * 60 + second - offset)
  }

  // MARK: Calendar

  private static let daysPer400Years = 146_097
  /// From 0000-03-01 to 1970-01-01.
  private static let daysBeforeEpoch = 719_468

  private var calendarDay: (year: Int, month: Int, day: Int) {
    let days = Int(epochSeconds.flooredQuotient(by: 86_400)) + AWSTimestamp.daysBeforeEpoch
    let era = Int(Int64(days).flooredQuotient(by: Int64(AWSTimestamp.daysPer400Years)))
    let dayOfEra = days - era * AWSTimestamp.daysPer400Years
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (year, month, dayOfYear - (153 * shifted + 2) / 5 + 1)
  }

  private var timeOfDay: (hour: Int, minute: Int, second: Int) {
    let seconds = Int(epochSeconds - epochSeconds.flooredQuotient(by: 86_400) * 86_400)
    return (seconds / 3600, seconds / 60 % 60, seconds % 60)
  }

  private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let era = Int(Int64(year).flooredQuotient(by: 400))
    let yearOfEra = year - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * daysPer400Years + dayOfEra - daysBeforeEpoch
  }

  private static func days(in month: Int, of year: Int) -> Int {
    if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
    return [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  private func text(_ write: (DigitWriter) -> DigitWriter) -> String {
    String(decoding: write(DigitWriter()).bytes, as: UTF8.self)
  }
}

extension AWSTimestamp: CustomStringConvertible {
  public var description: String { iso8601 }
}

private struct DigitWriter {
  var bytes: [UInt8] = []

  consuming func put(_ value: Int, _ width: Int) -> DigitWriter {
    var divisor = 1
    for _ in 1..<width { divisor *= 10 }
    while divisor > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
      divisor /= 10
    }
    return self
  }

  consuming func put(_ character: Unicode.Scalar) -> DigitWriter {
    bytes.append(UInt8(ascii: character))
    return self
  }
}

extension Int64 {
  fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
