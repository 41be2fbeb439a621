// swift-tools-version: 6.2
import PackageDescription

// One process, arrows one way (ARCHITECTURE.md): each target may import only what stands above it here.
let package = Package(
    name: "belfry",
    products: [
        .executable(name: "belfry", targets: ["belfry"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(
            url: "https://github.com/apple/swift-configuration", from: "1.4.0",
            traits: ["YAML", "CommandLineArguments"]),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        // The server's TLS, and that of `belfry listen`'s WebSocket.
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    ],
    targets: [
        // The C libraries: module maps and `static inline` shims, nothing else.
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CEpoll"),

        .target(name: "BelfryCore", dependencies: [.product(name: "Logging", package: "swift-log")]),
        .target(name: "BelfryCrypto", dependencies: ["BelfryCore", "COpenSSL"]),
        .target(name: "BelfrySources", dependencies: ["BelfryCore", "BelfryCrypto", "CZlib"]),
        .target(name: "BelfryRules", dependencies: ["BelfryCore", .product(name: "Yams", package: "Yams")]),
        .target(
            name: "Migrations",
            path: "Migrations",
            resources: [
                .embedInCode("v0001_first_light.sql"), .embedInCode("v0002_ending_secrets.sql"),
                .embedInCode("v0003_switches.sql"), .embedInCode("v0004_limits.sql"),
                .embedInCode("v0005_groups.sql"), .embedInCode("v0006_log_spans.sql"),
                .embedInCode("v0007_steps.sql"),
                .embedInCode("v0008_targets.sql"), .embedInCode("v0009_tools.sql"),
                .embedInCode("v0010_event_waits.sql"),
                .embedInCode("v0011_cost.sql"),
                .embedInCode("v0012_awaited.sql"),
                .embedInCode("v0013_steps_due.sql"),
            ]
        ),
        .target(
            name: "BelfryStore",
            dependencies: [
                "BelfryCore", "BelfryCrypto", "Migrations",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "BelfryHTTP",
            dependencies: ["BelfryCore", "CCurl", .product(name: "Logging", package: "swift-log")]
        ),
        .target(
            name: "BelfryAgents",
            dependencies: [
                "BelfryCore", "BelfryHTTP",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .target(
            name: "BelfryEngine",
            dependencies: [
                "BelfryCore", "BelfryCrypto", "BelfrySources", "BelfryRules", "BelfryStore", "BelfryHTTP",
                "BelfryAgents",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        // The page's files as bytes: clang's #embed compiles in no time what Swift literals take minutes for.
        .target(name: "BelfryPage", exclude: ["assets"]),
        .target(
            name: "BelfryServer",
            dependencies: [
                "BelfryCore", "BelfryCrypto", "BelfrySources", "BelfryRules", "BelfryStore", "BelfryEngine",
                "BelfryPage",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .executableTarget(
            name: "belfry",
            dependencies: [
                "BelfryCore", "BelfryCrypto", "BelfrySources", "BelfryRules", "BelfryStore", "BelfryHTTP",
                "BelfryAgents",
                "BelfryEngine", "BelfryServer", "CMalloc", "CEpoll",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Logging", package: "swift-log"),
                // `belfry listen`: libcurl as Debian ships it has no WebSocket.
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ]
        ),

        .testTarget(name: "BelfryCoreTests", dependencies: ["BelfryCore"]),
        .testTarget(name: "BelfryCryptoTests", dependencies: ["BelfryCore", "BelfryCrypto"]),
        .testTarget(
            name: "BelfrySourcesTests", dependencies: ["BelfryCore", "BelfryCrypto", "BelfrySources", "CZlib"]),
        .testTarget(name: "BelfryRulesTests", dependencies: ["BelfryCore", "BelfryRules"]),
        .testTarget(
            name: "BelfryStoreTests",
            dependencies: ["BelfryCore", "BelfryCrypto", "BelfryStore", .product(name: "GRDB", package: "GRDB.swift")]
        ),
        .testTarget(name: "BelfryHTTPTests", dependencies: ["BelfryCore", "BelfryHTTP"]),
        .testTarget(name: "BelfryAgentsTests", dependencies: ["BelfryCore", "BelfryHTTP", "BelfryAgents"]),
        .testTarget(
            name: "BelfryEngineTests",
            dependencies: [
                "BelfryCore", "BelfryEngine", "BelfryRules", "BelfrySources", "BelfryStore",
                .product(name: "Logging", package: "swift-log"),
            ]
        ),
        .testTarget(
            name: "BelfryServerTests",
            dependencies: [
                "BelfryCore", "BelfryCrypto", "BelfrySources", "BelfryStore", "BelfryEngine", "BelfryServer",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ]
        ),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "BelfryCore", "BelfryCrypto", "BelfryRules", "BelfrySources", "BelfryEngine", "belfry",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ],
            // Scripts that drive the clients of others.
            exclude: ["Clients/Python"]
        ),
    ],
    swiftLanguageModes: [.v6]
)

// Strict for every Swift target of ours: what compiles here has no data race, no hidden import and no warning.
for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
}
