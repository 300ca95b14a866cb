import Archive
import JSON

/// Changes as JSON lines, one a change; README describes them.
enum DiffJSON {
  static func append(
    _ change: Change, of bytes: [UInt8], _ attributes: [AttributeChange], keysOnly: Bool,
    to output: inout [UInt8]
  ) {
    output += "{\"change\":\"\(change.kind.rawValue)\",\"key\":".utf8
    output += bytes[change.key]
    if !keysOnly {
      switch (change.old, change.new) {
      case (let old?, let new?):
        append(attributes, old: bytes[old], new: bytes[new], to: &output)
      case (let old?, nil): member("old", bytes[old], &output)
      case (nil, let new?): member("new", bytes[new], &output)
      case (nil, nil): break
      }
    }
    output += "}\n".utf8
  }

  /// Ranges count from the start of an image, indices of slices from that of the batch.
  private static func append(
    _ attributes: [AttributeChange], old: ArraySlice<UInt8>, new: ArraySlice<UInt8>,
    to output: inout [UInt8]
  ) {
    output += ",\"attributes\":[".utf8
    for (index, attribute) in attributes.enumerated() {
      output += (index == 0 ? "{\"path\":" : ",{\"path\":").utf8
      JSONText.quote(attribute.path.description.utf8, into: &output)
      output += ",\"change\":\"\(attribute.kind.rawValue)\"".utf8
      if let range = attribute.old { member("old", old[shifted: range], &output) }
      if let range = attribute.new { member("new", new[shifted: range], &output) }
      if attribute.isSet {
        members("removedMembers", attribute.removedMembers.map { old[shifted: $0] }, &output)
        members("addedMembers", attribute.addedMembers.map { new[shifted: $0] }, &output)
      }
      output.append(UInt8(ascii: "}"))
    }
    output.append(UInt8(ascii: "]"))
  }

  private static func member(
    _ name: String, _ value: ArraySlice<UInt8>, _ output: inout [UInt8]
  ) {
    output += ",\"\(name)\":".utf8
    output += value
  }

  private static func members(
    _ name: String, _ values: [ArraySlice<UInt8>], _ output: inout [UInt8]
  ) {
    output += ",\"\(name)\":[".utf8
    for (index, value) in values.enumerated() {
      if index > 0 { output.append(UInt8(ascii: ",")) }
      output += value
    }
    output.append(UInt8(ascii: "]"))
  }
}

extension ArraySlice {
  /// A range that counts from the slice's own start.
  subscript(shifted range: Range<Int>) -> ArraySlice {
    self[startIndex + range.lowerBound..<startIndex + range.upperBound]
  }
}
