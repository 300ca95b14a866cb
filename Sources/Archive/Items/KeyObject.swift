internal import JSON

/// The key of an item as a typed JSON object, `{"customer":{"S":"a"},"number":{"N":"1"}}`: what
/// DeleteItem takes, and what a changes archive holds of an item that is gone.
public enum KeyObject {
  /// Appends the key that `scanner` found last, its attributes in the order of the schema, its values as
  /// they are spelled.
  ///
  /// - Parameter bytes: the bytes that were scanned.
  public static func append(
    _ bytes: Span<UInt8>, _ scanner: borrowing ItemScanner, to output: inout [UInt8]
  ) {
    for (index, attribute) in scanner.key.attributes.enumerated() {
      output.append(UInt8(ascii: index == 0 ? "{" : ","))
      JSONText.quote(attribute.name.utf8, into: &output)
      output.append(UInt8(ascii: ":"))
      JSONText.compact(bytes.extracting(scanner.values[index]), into: &output)
    }
    output.append(UInt8(ascii: "}"))
  }
}
