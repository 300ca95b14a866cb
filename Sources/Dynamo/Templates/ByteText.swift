extension String {
  /// The text with each occurrence of some bytes replaced. Swift's own search goes by characters, and does not find
  /// `${` where an accent follows; the languages of templates go by bytes or scalars.
  func replacingBytes(of old: String, with new: String) -> String {
    splitBytes(by: old).joined(separator: new)
  }

  /// Whether the bytes of another text stand in this one.
  func holdsBytes(of other: String) -> Bool { splitBytes(by: other).count > 1 }

  /// What stands between occurrences of a text that is not empty.
  func splitBytes(by separator: String) -> [String] {
    let bytes = Array(utf8)
    let mark = Array(separator.utf8)
    var pieces: [String] = []
    var start = 0
    var position = 0
    while position + mark.count <= bytes.count {
      if bytes[position..<position + mark.count].elementsEqual(mark) {
        pieces.append(String(decoding: bytes[start..<position], as: UTF8.self))
        position += mark.count
        start = position
      } else {
        position += 1
      }
    }
    return pieces + [String(decoding: bytes[start...], as: UTF8.self)]
  }
}
