import Glibc

/// The `User-Agent` header in the form of the AWS SDKs: product, version of the form, system, language,
/// settings, each a `name/value` pair, so that a service's logs tell who called.
public struct UserAgent: Sendable, CustomStringConvertible {
  /// The header's value.
  public let description: String

  /// Describes a program.
  ///
  /// - Parameters:
  ///   - product: such as `dynarc`.
  ///   - environment: of it `AWS_SDK_UA_APP_ID`, or the profile's `sdk_ua_app_id`, becomes `app/…`, and
  ///     `AWS_EXECUTION_ENV` becomes `exec-env/…` (AWS SDKs and Tools Reference Guide, "Application ID").
  public init(
    product: String, version: String, environment: AWSEnvironment, profile: SharedConfig.Profile?
  ) {
    var parts = [
      "\(product)/\(UserAgent.token(version))", "ua/2.1", UserAgent.system, "lang/swift",
    ]
    if let place = environment["AWS_EXECUTION_ENV"] {
      parts.append("exec-env/\(UserAgent.token(place))")
    }
    let mode = environment["AWS_RETRY_MODE"] ?? profile?["retry_mode"] ?? "standard"
    parts.append("cfg/retry-mode#\(UserAgent.token(mode.lowercased()))")
    if let application = environment["AWS_SDK_UA_APP_ID"] ?? profile?["sdk_ua_app_id"] {
      parts.append("app/\(UserAgent.token(application))")
    }
    description = parts.joined(separator: " ")
  }

  /// `os/linux#6.1.0 md/arch#x86_64`
  private static var system: String {
    var names = utsname()
    guard uname(&names) == 0 else { return "os/linux" }
    func text<Field>(_ field: Field) -> String {
      withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    return "os/linux#\(token(text(names.release))) md/arch#\(token(text(names.machine)))"
  }

  /// The text with every character that a token may not hold (RFC 9110 section 5.6.2) made a hyphen, and
  /// no longer than the SDKs allow.
  private static func token(_ text: String) -> String {
    let special = Array("!$%&'*+-.^_`|~".utf8)
    let bytes = text.utf8.prefix(50).map { byte in
      ASCII.isAlphanumeric(byte) || special.contains(byte) ? byte : UInt8(ascii: "-")
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
