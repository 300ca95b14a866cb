/// A text with the places where it names an account or a table of it.
struct AccountText {
  enum Part: Equatable {
    case text(String)
    /// The account's number.
    case account
    /// The table's ARN.
    case table

    var isBound: Bool { if case .text = self { false } else { true } }
  }

  private(set) var parts: [Part] = []

  /// Finds the ARN at the beginning, as that of the table or of something in it, and each run of exactly the account's
  /// digits.
  init(_ text: String, account: String, arn: String?) {
    var rest = text
    if let arn, text == arn || text.hasPrefix("\(arn)/") {
      parts.append(.table)
      rest = String(text.utf8.dropFirst(arn.utf8.count)) ?? ""
    }
    var pending: [UInt8] = []
    var digits: [UInt8] = []
    func endText() {
      if !pending.isEmpty { parts.append(.text(String(decoding: pending, as: UTF8.self))) }
      pending = []
    }
    func endDigits() {
      if digits.elementsEqual(account.utf8) {
        endText()
        parts.append(.account)
      } else {
        pending += digits
      }
      digits = []
    }
    for byte in rest.utf8 {
      if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
        digits.append(byte)
      } else {
        endDigits()
        pending.append(byte)
      }
    }
    endDigits()
    endText()
  }
}
