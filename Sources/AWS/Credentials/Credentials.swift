/// What a request is signed with. No description of it, nor a dump of its fields, shows a secret.
public struct Credentials: Equatable, Sendable {
  /// The public half: names the key to the service.
  public var accessKeyID: String
  /// The secret half.
  public var secretAccessKey: String
  /// The token that temporary credentials are sent with.
  public var sessionToken: String?
  /// When temporary credentials end; nil for ones that do not.
  public var expiration: AWSTimestamp?
  /// The account they belong to, where the source names it: twelve digits.
  public var accountID: String?

  /// Creates credentials.
  public init(
    accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil,
    expiration: AWSTimestamp? = nil, accountID: String? = nil
  ) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
    self.expiration = expiration
    self.accountID = accountID
  }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// `AKIDEXAMPLE, temporary, until 2015-08-30T12:36:00Z`
  public var description: String {
    accessKeyID + (sessionToken == nil ? "" : ", temporary")
      + (expiration.map { ", until \($0)" } ?? "")
  }

  public var debugDescription: String { description }

  public var customMirror: Mirror { Mirror(self, children: ["accessKeyID": accessKeyID]) }
}
