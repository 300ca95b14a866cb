internal import JSON

extension ItemTransforms.Rule {
  /// A rule that gives an attribute a value, as `--set` takes it: `address.zip="1010"`.
  ///
  /// - Parameter expression: a path, `=`, and JSON: DynamoDB's typed form, or plain.
  /// - Throws: `TransformError` of code `expression`.
  public static func set(_ expression: String) throws(TransformError) -> Self {
    let bytes = Array(expression.utf8)
    guard let equals = equalsSign(bytes) else {
      throw TransformError(
        .expression, "\"\(expression)\" gives no value: it has no = behind the attribute",
        hint: "write --set ATTR=VALUE, for example: --set 'name=\"Jane\"'")
    }
    let path = try path(String(decoding: bytes[..<equals], as: UTF8.self), option: "set")
    let text = String(decoding: bytes[(equals + 1)...], as: UTF8.self)
    return Self(path: path, operation: .set(try value(text, of: path)))
  }

  /// A rule that takes an attribute out.
  ///
  /// - Throws: `TransformError` of code `expression`.
  public static func remove(_ path: String) throws(TransformError) -> Self {
    Self(path: try self.path(path, option: "remove"), operation: .remove)
  }

  /// A rule that puts a keyed hash in the place of an attribute's value.
  ///
  /// - Throws: `TransformError` of code `expression`.
  public static func hash(_ path: String) throws(TransformError) -> Self {
    Self(path: try self.path(path, option: "hash"), operation: .hash)
  }

  /// Where the path ends: the first `=` that does not stand in a quoted name.
  private static func equalsSign(_ bytes: [UInt8]) -> Int? {
    var i = 0
    while i < bytes.count {
      switch bytes[i] {
      case UInt8(ascii: "="): return i
      case UInt8(ascii: "\""):
        guard let end = try? JSONScanner().skipString(bytes.span, at: i) else { return nil }
        i = end
      default: i += 1
      }
    }
    return nil
  }

  private static func path(_ text: String, option: String) throws(TransformError) -> AttributePath {
    guard let path = AttributePath(text) else {
      throw TransformError(
        .expression, "\"\(text)\" is no path of an attribute",
        hint:
          "paths are written like address.lines[2]; a name with dots, commas, spaces or brackets in it "
          + "stands in quotation marks: --\(option) '\"a.b\".c\(option == "set" ? "=1" : "")'")
    }
    return path
  }

  private static func value(
    _ text: String, of path: AttributePath
  ) throws(TransformError) -> [UInt8] {
    let json: JSONValue
    do throws(JSONError) { json = try JSONValue.parse(text) } catch {
      throw TransformError(
        .expression, "the value of \(path) is not JSON: \(text.isEmpty ? "it is empty" : text)",
        hint: "a text stands in quotation marks, and these for the shell in others: "
          + "--set '\(path)=\"\(text.isEmpty ? "Jane" : text.filter { !"\"'\\".contains($0) })\"'")
    }
    do throws(TypedJSON.Fault) {
      let typed = try TypedJSON.typed(json)
      guard path.steps.count + TypedJSON.depth(typed) <= TypedJSON.depthLimit else {
        throw TypedJSON.Fault(what: "it is nested deeper than DynamoDB's 32 levels")
      }
      return typed.serialized()
    } catch {
      throw TransformError(
        .expression, "the value of \(path) cannot be stored: \(error.what)",
        hint:
          "values are JSON, or DynamoDB's typed JSON like {\"B\":\"AA==\"} or {\"SS\":[\"a\",\"b\"]}"
      )
    }
  }
}
