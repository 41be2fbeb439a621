public import BelfryCore
import Foundation

/// Turns references into secrets. Only what the server's own configuration names may be read: neither a rule nor the
/// API can widen it.
public struct SecretResolver: Sendable {
    /// Names of environment variables; a `*` at the end stands for any rest.
    public var allowedEnvironment: [String]
    /// Folders and files; what lies below a folder is allowed with it.
    public var allowedFiles: [String]
    private let environment: @Sendable (String) -> String?

    public init(
        allowedEnvironment: [String],
        allowedFiles: [String],
        environment: @escaping @Sendable (String) -> String? = SecretResolver.processEnvironment
    ) {
        self.allowedEnvironment = allowedEnvironment
        self.allowedFiles = allowedFiles
        self.environment = environment
    }

    /// The environment this process was started with.
    public static let processEnvironment: @Sendable (String) -> String? = { ProcessInfo.processInfo.environment[$0] }

    /// The secret that `reference` names; nil for an optional one that is absent.
    ///
    /// Throws `secret_unavailable` with what is missing and how to mend it, never with the secret.
    public func resolve(_ reference: SecretReference) throws(BelfryError) -> Secret? {
        switch reference {
        case .environment(let name, let isOptional):
            guard allowedEnvironment.contains(where: { allows($0, name) }) else {
                throw unavailable(
                    "\(reference) is not allowed; add the name to secrets.env in the server's configuration")
            }
            if let value = environment(name), !value.isEmpty { return Secret(value) }
            if isOptional { return nil }
            throw unavailable("the environment variable \(name) is not set; set it and start the hub again")
        case .file(let path):
            let standard = URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
            guard allowedFiles.contains(where: { isAt(standard, orBelow: $0) }) else {
                throw unavailable("\(reference) is not allowed; add it to secrets.files in the server's configuration")
            }
            guard let data = FileManager.default.contents(atPath: standard), !data.isEmpty else {
                throw unavailable("the file \(path) is missing, empty or unreadable")
            }
            var bytes = Array(data)
            while let last = bytes.last, last == 0x0A || last == 0x0D { bytes.removeLast() }
            return Secret(bytes)
        case .generated:
            throw unavailable("a generated secret is kept in the store, and is only for sources")
        }
    }

    /// The same, with these references besides: those of the server's own configuration, which no document may use for that.
    func allowing(_ references: [SecretReference]) -> SecretResolver {
        var resolver = self
        for reference in references {
            switch reference {
            case .environment(let name, _): resolver.allowedEnvironment.append(name)
            case .file(let path): resolver.allowedFiles.append(path)
            case .generated: break
            }
        }
        return resolver
    }

    private func allows(_ pattern: String, _ name: String) -> Bool {
        pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : pattern == name
    }

    private func isAt(_ path: String, orBelow allowed: String) -> Bool {
        let allowed = URL(fileURLWithPath: allowed).standardizedFileURL.resolvingSymlinksInPath().path
        return path == allowed || path.hasPrefix(allowed.hasSuffix("/") ? allowed : allowed + "/")
    }

    private func unavailable(_ message: String) -> BelfryError { BelfryError(.secretUnavailable, message) }
}
