import Foundation

/// What the build that made this test bundle has put beside it.
enum BuildProducts {
    /// The root of the repository.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .path

    /// The `belfry` of the same build as this test bundle.
    static func belfry() throws -> String {
        let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? "/proc/self/exe"
        let folder = URL(fileURLWithPath: bundle).resolvingSymlinksInPath().deletingLastPathComponent().path
        let candidates = ["\(folder)/belfry", "\(root)/.build/debug/belfry"]
        guard let found = candidates.first(where: FileManager.default.isExecutableFile) else {
            throw Timeout(what: "the binary belfry in \(candidates)")
        }
        return found
    }
}
