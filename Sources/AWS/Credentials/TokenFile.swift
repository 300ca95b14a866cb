import Digest
import Glibc
import JSON

/// A file of JSON in which the AWS CLI keeps the token of a login.
struct TokenFile: Sendable {
  let path: String
  let environment: AWSEnvironment

  /// The token of a session, or of a start URL where there is no session, of IAM Identity Center.
  static func sso(_ key: String, _ environment: AWSEnvironment) -> TokenFile {
    let name = Hex.encode(SHA1.digest(of: Array(key.utf8)))
    return TokenFile(
      path: environment.expand("~/.aws/sso/cache/\(name).json"), environment: environment)
  }

  /// The token of `aws login`.
  static func login(_ session: String, _ environment: AWSEnvironment) -> TokenFile {
    let folder = environment["AWS_LOGIN_CACHE_DIRECTORY"] ?? "~/.aws/login/cache"
    let name = SHA256.digest(of: Array(session.utf8).span.bytes)
    return TokenFile(
      path: "\(environment.expand(folder))/\(name).json", environment: environment)
  }

  /// What the file holds; nil where there is none, or nothing that is understood.
  func read() throws(CredentialError) -> JSONObject? {
    do throws(ConfigurationError) {
      guard let bytes = try environment.readFile(path) else { return nil }
      return (try? JSONValue.parse(bytes.span))?.object
    } catch { throw CredentialError(error) }
  }

  /// Puts a token in the place of another as the CLI does: whoever reads sees the one or the other.
  ///
  /// - Throws: `CredentialError`, and leaves nothing behind.
  func replace(with token: JSONObject) throws(CredentialError) {
    var name = Array("\(path).XXXXXX".utf8CString)
    let descriptor = mkstemp(&name)
    func refuse() -> CredentialError {
      CredentialError(
        .invalidValue, "\(path) cannot be written: \(String(cString: strerror(errno)))")
    }
    guard descriptor >= 0 else { throw refuse() }
    let bytes = JSONValue.object(token).serialized()
    let written = write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
    close(descriptor)
    guard written, rename(name, path) == 0 else {
      let error = refuse()
      unlink(name)
      throw error
    }
  }
}

extension AWSTimestamp {
  /// A time in a token's file; old ones end in `UTC` instead of `Z`.
  init?(tokenTime text: String?) {
    guard var text else { return nil }
    if text.hasSuffix("UTC") { text = text.dropLast(3) + "Z" }
    self.init(iso8601: text)
  }
}
