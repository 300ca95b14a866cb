import Testing

@testable import AWS

@Suite struct ClockSkewTests {
  private let now = AWSTimestamp(epochSeconds: 1_440_938_160)

  @Test(arguments: [
    ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
    ("Thu, 29 Feb 2024 23:59:59 GMT", 1_709_251_199),
  ])
  func httpDates(text: String, seconds: Int64) {
    #expect(AWSTimestamp(httpDate: text) == AWSTimestamp(epochSeconds: seconds))
  }

  @Test(arguments: [
    "", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    "Sun, 06 Nov 1994 08:49:37 CET",
    "Sun, 31 Feb 2024 00:00:00 GMT", "Sun, 06 nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT",
  ])
  func otherDatesAreNone(text: String) {
    #expect(AWSTimestamp(httpDate: text) == nil)
  }

  /// `Sun, 30 Aug 2015 12:36:00 GMT` is `now`.
  @Test(arguments: [
    ("12:40:00", false), ("12:40:01", true), ("12:32:00", false), ("12:31:59", true),
  ])
  func fourMinutesAreTheLimit(time: String, corrects: Bool) {
    let clock = ClockSkew()
    let learned = clock.learn(
      from: "InvalidSignatureException", date: "Sun, 30 Aug 2015 \(time) GMT", signed: now, now: now
    )
    #expect(learned == corrects)
    #expect((clock.seconds != 0) == corrects)
  }

  @Test func otherErrorsAndAnswersWithoutDateSayNothing() {
    let clock = ClockSkew()
    let date = "Sun, 30 Aug 2015 13:36:00 GMT"
    #expect(!clock.learn(from: "ValidationException", date: date, signed: now, now: now))
    #expect(!clock.learn(from: "RequestExpired", date: nil, signed: now, now: now))
    #expect(clock.learn(from: "RequestExpired", date: date, signed: now, now: now))
    #expect(clock.corrected(now).epochSeconds == now.epochSeconds + 3600)
    // Signed with the right time, the same refusal has another reason.
    #expect(
      !clock.learn(from: "RequestExpired", date: date, signed: clock.corrected(now), now: now))
  }
}

@Suite struct UserAgentTests {
  private func agent(_ variables: [String: String]) -> String {
    let environment = AWSEnvironment(variables: variables, home: nil) {
      _ throws(ConfigurationError) in nil
    }
    return UserAgent(product: "dynarc", version: "1.2.3", environment: environment, profile: nil)
      .description
  }

  @Test func partsStandInTheSDKsOrder() {
    let text = agent([:])
    #expect(text.hasPrefix("dynarc/1.2.3 ua/2.1 os/linux#"))
    #expect(text.hasSuffix(" lang/swift cfg/retry-mode#standard"))
  }

  @Test func whatIsNoTokenIsReplaced() {
    let text = agent([
      "AWS_SDK_UA_APP_ID": "night ly\r\nX: y", "AWS_EXECUTION_ENV": "CI/(x)",
      "AWS_RETRY_MODE": "Adaptive",
    ])
    #expect(text.contains(" exec-env/CI--x- cfg/retry-mode#adaptive app/night-ly--X--y"))
  }

  @Test func longNamesAreCut() {
    let id = String(repeating: "a", count: 80)
    #expect(agent(["AWS_SDK_UA_APP_ID": id]).hasSuffix(" app/" + id.prefix(50)))
  }
}
