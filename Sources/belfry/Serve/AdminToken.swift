import BelfryCore
import BelfryEngine
import BelfryStore
import Foundation

/// `DIR/admin.token`: written by the first start, read by the client commands.
enum AdminToken {
    static func path(in folder: String) -> String { "\(folder)/admin.token" }

    /// Writes a new token where there is none that works. One in the file that was revoked stays revoked: the
    /// operator removes the file to get a new one.
    static func ensure(_ hub: Hub, folder: String) async throws {
        let path = path(in: folder)
        guard !FileManager.default.fileExists(atPath: path) else { return }
        // The file was removed to get a new one: the old token keeps its name until it is revoked.
        let taken = Set(hub.tokens().filter { $0.revoked == nil }.map(\.name))
        let name = (1...).lazy.map { $0 == 1 ? "admin" : "admin-\($0)" }.first { !taken.contains($0) } ?? "admin"
        let created = try await hub.createToken(name: name, role: .admin, by: .hub)
        try LocalFile.writeSecret(created.secret.bytes + [0x0A], to: path)
    }
}
