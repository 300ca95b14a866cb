/// Numbers as people read them.
enum Format {
  /// `12,345`
  static func count(_ value: Int) -> String {
    let digits = String(value.magnitude)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
      text.append(digit)
    }
    return (value < 0 ? "-" : "") + text
  }

  /// `34.5 MB`, in powers of a thousand.
  static func bytes(_ value: Int) -> String {
    var amount = Double(value)
    for unit in ["B", "kB", "MB", "GB", "TB"] {
      if amount < 999.95 || unit == "TB" {
        return unit == "B" ? "\(value) B" : "\(decimal(amount, 1)) \(unit)"
      }
      amount /= 1000
    }
    return "\(value) B"
  }

  /// A number with a fixed count of decimals.
  static func decimal(_ value: Double, _ places: Int) -> String {
    guard value.isFinite, value.magnitude < 1e15 else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<places { scale *= 10 }
    let scaled = Int((value.magnitude * scale).rounded())
    let whole = count(scaled / Int(scale))
    let sign = value < 0 && scaled > 0 ? "-" : ""
    guard places > 0 else { return sign + whole }
    let fraction = String(scaled % Int(scale))
    return sign + whole + "." + String(repeating: "0", count: places - fraction.count) + fraction
  }

  /// `3m20s`
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e9 else { return "?" }
    if seconds < 10 { return decimal(seconds, 1) + "s" }
    let total = Int(seconds.rounded())
    let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
    if hours > 0 { return "\(hours)h\(pad(minutes))m" }
    return minutes > 0 ? "\(minutes)m\(pad(rest))s" : "\(rest)s"
  }

  private static func pad(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}

extension Format {
  /// A number for JSON, rounded to thousandths.
  static func plain(_ value: Double) -> String { "\((value * 1000).rounded() / 1000)" }
}

extension Format {
  /// Names and values in two columns.
  static func table(_ rows: [(String, String)]) -> String {
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { name, value in
      name + String(repeating: " ", count: width - name.count + 2)
        + value.replacing("\n", with: "\\n")
    }.joined(separator: "\n")
  }
}

extension Format {
  /// Rows under a header, each column as wide as its widest cell, the last one as long as it is.
  static func columns(header: [String], _ rows: [[String]]) -> String {
    let all = [header] + rows
    let widths = header.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { row in
      zip(row, widths).enumerated().map { column, cell in
        column == row.count - 1
          ? cell.0 : cell.0 + String(repeating: " ", count: cell.1 - cell.0.count)
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}
