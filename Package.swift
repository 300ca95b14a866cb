// swift-tools-version: 6.2
import PackageDescription

// CI sets DYNARC_STRICT so that a warning fails the build there, and a newer compiler's new
// warning does not fail it on a user's machine.
let strict = Context.environment["DYNARC_STRICT"] != nil
let settings: [SwiftSetting] =
  [.enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility")]
  + (strict ? [.treatAllWarnings(as: .error)] : [])

let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "dynarc",
  products: [
    .executable(name: "dynarc", targets: ["dynarc"]),
    .library(name: "Dynarc", targets: ["Archive", "AWS", "Dynamo"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
  ],
  targets: [
    // System libraries, each imported by exactly one Swift module, but for calls of Linux.
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(
      name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CLinux"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    .target(name: "JSON", swiftSettings: settings),
    .target(name: "Digest", dependencies: ["COpenSSL", "CZlib"], swiftSettings: settings),
    .target(
      name: "Archive", dependencies: ["JSON", "Digest", "CZstd", "CLinux"], swiftSettings: settings),
    .target(
      name: "AWS", dependencies: ["JSON", "Digest", "CCurl", "CLinux"], swiftSettings: settings),
    .target(name: "Dynamo", dependencies: ["Archive", "AWS", "JSON"], swiftSettings: settings),
    .target(
      name: "CLI", dependencies: ["Archive", "AWS", "Dynamo", "JSON", "CLinux", argumentParser],
      swiftSettings: settings),
    .executableTarget(
      name: "dynarc", dependencies: ["CLI"], swiftSettings: settings,
      // gold, the other one, warns of a function of Foundation's that nobody calls.
      linkerSettings: [.unsafeFlags(["-use-ld=lld"])]),
    // The program in docs/library.md.
    .executableTarget(
      name: "library-example", dependencies: ["Archive", "AWS", "Dynamo"], path: "docs/example",
      swiftSettings: settings),
    .executableTarget(
      name: "bench-parts", dependencies: ["Archive", "AWS", "Dynamo", "Digest", "JSON"],
      path: "Benchmarks/Parts", swiftSettings: settings),

    .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: settings),
    .testTarget(name: "DigestTests", dependencies: ["Digest"], swiftSettings: settings),
    .testTarget(
      name: "ArchiveTests", dependencies: ["Archive", "JSON", "Digest"], swiftSettings: settings),
    .testTarget(
      name: "AWSTests", dependencies: ["AWS", "JSON", "Digest"], swiftSettings: settings),
    .testTarget(
      name: "DynamoTests", dependencies: ["Dynamo", "Archive", "AWS", "Digest", "JSON"],
      swiftSettings: settings),
  ],
  swiftLanguageModes: [.v6]
)
