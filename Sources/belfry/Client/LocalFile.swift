import Foundation
import Glibc

/// Files that a command reads or writes, with errors a person can act on.
enum LocalFile {
    static func bytes(at path: String, bytesMax: Int = 64 * 1024 * 1024) throws -> [UInt8] {
        let descriptor = path == "-" ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(.usage, "cannot read \(path): \(lastError())") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure(.usage, "cannot read \(path): \(lastError())") }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= bytesMax else {
                throw Failure(.usage, "\(path) is larger than \(bytesMax) bytes, the most that is read here")
            }
        }
    }

    static func text(at path: String, bytesMax: Int = 64 * 1024 * 1024) throws -> String {
        guard let text = String(validating: try bytes(at: path, bytesMax: bytesMax), as: UTF8.self) else {
            throw Failure(.usage, "\(path) is not UTF-8 text")
        }
        return text
    }

    /// The first bytes of a file, fewer if it is shorter.
    static func prefix(of path: String, count: Int) throws -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure(.usage, "cannot read \(path): \(lastError())") }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        let length = read(descriptor, &bytes, count)
        return Array(bytes.prefix(max(0, length)))
    }

    /// Writes a file that only its owner may read, at once or not at all.
    static func writeSecret(_ bytes: [UInt8], to path: String) throws {
        let temporary = "\(path).\(getpid()).new"
        // Of a process of this number that was killed here; in a container it is always the same number.
        unlink(temporary)
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(.usage, "cannot write \(temporary): \(lastError())") }
        defer { close(descriptor) }
        guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0, rename(temporary, path) == 0
        else {
            let reason = lastError()
            unlink(temporary)
            throw Failure(.usage, "cannot write \(path): \(reason)")
        }
    }

    /// Writes a file that is not there yet.
    static func writeNew(_ bytes: [UInt8], to path: String, mode: mode_t) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw Failure(.usage, "cannot write \(path): \(lastError())") }
        defer { close(descriptor) }
        guard write(descriptor, bytes, bytes.count) == bytes.count else {
            let reason = lastError()
            unlink(path)
            throw Failure(.usage, "cannot write \(path): \(reason)")
        }
    }

    /// The path from the root, without `.` and `..`.
    static func absolute(_ path: String) -> String { URL(fileURLWithPath: path).standardizedFileURL.path }

    static func lastError() -> String { String(cString: strerror(errno)) }
}
