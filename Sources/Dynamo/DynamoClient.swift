public import AWS
import Archive
import JSON

/// The operations of the DynamoDB API (version 2012-08-10) that dynarc calls.
public struct DynamoClient: Sendable {
  private let service: ServiceClient
  /// Where the auto scaling of tables is kept; nil where nobody asks for it.
  let autoScaling: AutoScalingClient?

  /// Creates a client over a service client whose endpoint is DynamoDB's.
  public init(service: ServiceClient, autoScaling: AutoScalingClient? = nil) {
    self.service = service
    self.autoScaling = autoScaling
  }

  /// The region in the signature.
  var region: String { service.region }

  /// Where the service is.
  var endpoint: HTTPURL { service.endpoint }

  /// Calls an operation with a body of JSON.
  ///
  /// - Throws: `ServiceError`; `CancellationError` when the task was cancelled, whoever noticed.
  func call(_ operation: String, _ body: [UInt8]) async throws -> ServiceResponse {
    try await service.answer(target: "DynamoDB_20120810.\(operation)", body: body)
  }

  /// Takes the buffer of an answer's body back, once nobody reads it any more.
  func recycle(_ body: consuming [UInt8]) { service.recycle(body) }

  /// Calls an operation whose answer is small and is wanted as a tree.
  func call(_ operation: String, _ request: JSONValue) async throws -> JSONObject {
    try DynamoClient.object(try await call(operation, request.serialized()).body, of: operation)
  }

  /// Reads the answer of an operation.
  fileprivate static func object(
    _ body: [UInt8], of operation: String
  ) throws(DynamoError) -> JSONObject {
    let answer: JSONValue
    do throws(JSONError) { answer = try JSONValue.parse(body.span) } catch {
      throw DynamoError(.badAnswer, "\(operation) gave an answer that is not JSON: \(error)")
    }
    guard let object = answer.object else {
      throw DynamoError(.badAnswer, "\(operation) answered with something that is no object")
    }
    return object
  }

  /// Describes a table.
  ///
  /// - Throws: `DynamoError` of code `noSuchTable`, or what the call threw.
  public func describeTable(_ name: String) async throws -> TableDescription {
    guard let table = try await describeTableIfPresent(name) else {
      throw DynamoError(
        .noSuchTable, "there is no table \"\(name)\" in \(region) at \(endpoint)",
        hint: "see what there is with: aws dynamodb list-tables; or check --region and --profile")
    }
    return table
  }

  /// Describes a table; nil where there is none of that name.
  public func describeTableIfPresent(_ name: String) async throws -> TableDescription? {
    do {
      let answer = try await call("DescribeTable", ["TableName": .string(name)])
      guard let table = answer["Table"]?.object else {
        throw DynamoError(.badAnswer, "DescribeTable answered without a Table")
      }
      return try TableDescription(table: table)
    } catch let error as ServiceError where error.code == "ResourceNotFoundException" {
      return nil
    }
  }

  /// Whether a table holds at least one item; one consistent read. `ItemCount` would be up to six
  /// hours old.
  func holdsItems(_ name: String) async throws -> Bool {
    var request: JSONObject = [
      "TableName": .string(name), "Limit": 1, "ConsistentRead": true,
    ]
    // A page may come empty and with a LastEvaluatedKey where items were deleted.
    repeat {
      let answer = try await call("Scan", .object(request))
      if answer["Items"]?.array?.isEmpty == false { return true }
      request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    } while request["ExclusiveStartKey"]?.object?.members.isEmpty == false
    return false
  }

  /// Creates a table of a schema under a name and waits until it and its indexes are `ACTIVE`.
  ///
  /// - Parameter limit: how long to wait at most.
  func createTable(
    _ schema: TableSchema, name: String, limit: Duration = .seconds(1800)
  ) async throws -> TableDescription {
    try await createTable(
      schema.createTableRequest(name: name), key: schema.key, name: name, limit: limit)
  }

  /// Creates a table by a whole request.
  ///
  /// - Parameter key: the key that is in the request.
  func createTable(
    _ request: JSONObject, key: KeySchema, name: String, limit: Duration = .seconds(1800)
  ) async throws -> TableDescription {
    do {
      _ = try await call("CreateTable", .object(request))
    } catch let error as ServiceError
      where error.code == "ResourceInUseException" && error.attempts > 1
    {
      // An earlier attempt created it, and only its answer was lost.
    }
    let table = try await waitUntilActive(name, limit: limit)
    guard table.schema.key == key, try await !holdsItems(name) else {
      throw DynamoError(
        .notEmpty, "somebody else has just created table \(name)",
        hint: "look what it is, and load again into another table or with --merge")
    }
    return table
  }

  /// Waits until a table that is there can be read and written, as it can while an index is built or a setting
  /// changes, which may take hours.
  ///
  /// - Throws: `DynamoError` of code `notActive`.
  func usable(_ table: TableDescription, limit: Duration) async throws -> TableDescription {
    if table.status == "ACTIVE" || table.status == "UPDATING" { return table }
    return try await waitUntilActive(table.schema.name, limit: limit)
  }

  /// Waits until a table and its indexes are `ACTIVE`.
  ///
  /// - Parameter stop: ends waiting by `CancellationError`.
  func waitUntilActive(
    _ name: String, limit: Duration, stop: StopSignal? = nil
  ) async throws -> TableDescription {
    let clock = ContinuousClock()
    let deadline = clock.now + limit
    var pause = Duration.milliseconds(100)
    while true {
      var status = "not there yet"
      if let table = try await describeTableIfPresent(name) {
        if table.status == "ACTIVE", table.pendingIndexes.isEmpty { return table }
        status = table.status
        guard ["ACTIVE", "CREATING", "UPDATING"].contains(status) else {
          throw DynamoError(
            .notActive, "table \(name) is \(status)",
            hint: "see its state with: aws dynamodb describe-table --table-name \(name)")
        }
      }
      guard clock.now < deadline else {
        throw DynamoError(
          .notActive, "table \(name) is still \(status) after \(limit.components.seconds) s",
          hint: "load again once it is ACTIVE")
      }
      if let stop { try await stop.sleep(for: pause) } else { try await Task.sleep(for: pause) }
      pause = min(pause * 2, .seconds(5))
    }
  }
}

/// The operations of the Application Auto Scaling API (version 2016-02-06) that dynarc calls.
public struct AutoScalingClient: Sendable {
  private let service: ServiceClient

  /// Creates a client over a service client whose endpoint is Application Auto Scaling's.
  public init(service: ServiceClient) { self.service = service }

  /// Calls an operation.
  ///
  /// - Throws: `ServiceError`; `DynamoError` of code `badAnswer`; `CancellationError`.
  func call(_ operation: String, _ request: JSONValue) async throws -> JSONObject {
    let response = try await service.answer(
      target: "AnyScaleFrontendService.\(operation)", contentType: "application/x-amz-json-1.1",
      body: request.serialized())
    return try DynamoClient.object(response.body, of: operation)
  }
}

extension ServiceClient {
  /// Calls an operation; that the task was cancelled is a `CancellationError`, whoever noticed.
  fileprivate func answer(
    target: String, contentType: String = "application/x-amz-json-1.0", body: [UInt8]
  ) async throws -> ServiceResponse {
    do throws(ServiceError) {
      return try await call(target: target, contentType: contentType, body: body)
    } catch {
      if error.kind == .cancelled { throw CancellationError() }
      throw error
    }
  }
}
