import BelfryCore
import Glibc

/// Where `listen` got to, kept over its restarts: `{"hub": "http://…", "position": 41}`.
struct PositionFile {
    let path: String
    /// The hub the position belongs to: another one counts otherwise.
    let hub: String

    /// Nil if there is no file yet. Throws if it cannot be read or belongs to another hub.
    func read() throws -> Int64? {
        guard access(path, F_OK) == 0 else { return nil }
        let text = try LocalFile.text(at: path, bytesMax: 4096)
        guard let state = try? JSONValue(parsing: text), let position = state["position"]?.number?.int64, position >= 0
        else {
            throw Failure(.usage, "\(path) holds no position; remove it to begin now, or name another file")
        }
        guard state["hub"]?.string == hub else {
            throw Failure(
                .usage, "\(path) holds the position in \(state.cell("hub")), not in \(hub); name another file")
        }
        return position
    }

    /// At once or not at all, also when the power fails.
    func write(_ position: Int64) throws {
        let state: JSONValue = ["hub": .string(hub), "position": .int(position)]
        try LocalFile.writeSecret(Array((state.text + "\n").utf8), to: path)
    }
}
