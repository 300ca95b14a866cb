import AWS
import Archive
import Dynamo

// Who asks, and where: what environment and AWS files say, as AWS's own tools take it.
let environment = AWSEnvironment.ofProcess()
let config = try SharedConfig(environment)
let selection = SharedConfig.Selection(explicit: nil, environment: environment)
let profile = try config.profile(selection)
let context = CredentialContext(
  environment: environment, selection: selection,
  transport: try CurlTransport(configuration: .init(environment: environment, profile: profile)),
  userAgent: "library-example/1.0")
let settings = try ServiceSettings(
  service: .dynamoDB, request: context.request, environment: environment, config: config,
  profile: profile)
let client = DynamoClient(
  service: ServiceClient(
    .init(
      transport: context.transport, endpoint: settings.endpoint.value,
      region: settings.region.value, signingName: "dynamodb",
      credentials: CachedCredentials(.standard(context)), userAgent: context.userAgent)))

// Dump: a table into an archive. Every job takes a closure that is told how far it is.
let before = LocalStorage(directory: "./orders")
let dump = try await DumpJob(
  client: client, tableName: "Orders", storage: before,
  options: DumpOptions(toolVersion: "1.0", cores: 2))
let dumped = try await dump.run { _ in }
print("dumped \(dumped.archive.manifest.counts.items) items")

// Verify: every digest, frame, line and key.
let report = await verify(before, mode: .full)
guard report.isSound else { fatalError("\(report.problems)") }

// Load: the archive into another table, which is created. A plan changes nothing yet.
var loading = LoadOptions(write: WriteOptions(statePath: "./orders.load-state", cores: 2))
loading.target = "Orders-copy"
let load = LoadJob(
  client: client, chain: try ArchiveChain(dumped.archive), options: loading,
  rejects: RejectsFile(directory: "."))
let loaded = try await load.run(try await load.plan()) { _ in }
print("loaded \(loaded.progress.written) items")

// Diff: an archive and a live table; changes come in the order of their keys.
let now = try await TableItems(
  client: client, tableName: "Orders-copy", options: TableItemsOptions(cores: 2))
let diff = try Diff(
  old: try ArchiveItems(dumped.archive), new: now,
  options: DiffOptions(temporaryDirectory: "/var/tmp", concurrency: 2))
print("the same: \(try await diff.run { _ in }.isEmpty)")

// Copy: one table into another, without the disk.
var copying = CopyOptions(cores: 2)
copying.target = "Orders-copy"
copying.mode = .replace
let copy = CopyJob(
  source: client, table: "Orders", target: client, options: copying,
  rejects: RejectsFile(directory: "."))
let copied = try await copy.run(try await copy.plan()) { _ in }
print("copied \(copied.progress.written) items")

// Query: the items of a partition as they come, in blocks of lines `{"Item":{…}}`; false ends it.
var asking = QueryOptions()
asking.read.partition = ["customer-1"]
let query = try await QueryJob(client: client, tableName: "Orders", options: asking)
let found = try await query.run(progress: { _ in }) { block in !block.lines.isEmpty }
print("customer-1 has \(found.items) items")

// Backup and restore: the backups that AWS keeps.
let backup = try await BackupJob(client: client, table: "Orders").run()
var restoring = RestoreOptions()
restoring.target = "Orders-restored"
let restore = RestoreJob(
  client: client, backup: try await client.findBackup(backup.arn), options: restoring)
let restored = try await restore.run(try await restore.plan())
print("restored \(restored.table.schema.name)")
