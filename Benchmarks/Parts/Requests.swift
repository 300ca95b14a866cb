import AWS

/// Signing: the requests of a scan are small, those of a load hold 25 items.
func measureRequests() throws {
  let signer = SigV4Signer(region: "eu-central-1", service: "dynamodb")
  let credentials = Credentials(accessKeyID: "111122223333", secretAccessKey: "not-a-secret")
  let url = try HTTPURL("https://dynamodb.eu-central-1.amazonaws.com")
  let time = AWSTimestamp(epochSeconds: 1_795_341_600)
  var headers = HTTPHeaders()
  headers["Content-Type"] = "application/x-amz-json-1.0"
  headers["X-Amz-Target"] = "DynamoDB_20120810.BatchWriteItem"
  for size in [200, 8 << 10, 34 << 10] {
    let body = [UInt8](repeating: UInt8(ascii: "x"), count: size)
    report("sign a request (SigV4)", "\(size) bytes", calls: 100) {
      for _ in 0..<100 {
        use(
          signer.sign(
            method: "POST", url: url, headers: headers, body: body, credentials: credentials,
            at: time))
      }
    }
  }
}
