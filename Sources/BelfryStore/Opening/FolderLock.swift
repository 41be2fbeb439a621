import BelfryCore
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The lock file of a data folder: one folder, one process.
///
/// `flock` and not the database's own locks: it is taken before the database is opened, so that a second process
/// does not even look at it, and the kernel lets go of it however the process ends.
final class FolderLock: Sendable {
    private let descriptor: Int32
    private let isHeld = Mutex(true)

    init(folder: String) throws(BelfryError) {
        descriptor = try Self.lock(folder)
    }

    /// Apart from `init`, because a class whose `init` throws late is deinitialised: its descriptor would be closed
    /// twice, and the second time it may be somebody else's.
    private static func lock(_ folder: String) throws(BelfryError) -> Int32 {
        let path = folder + "/belfry.lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw BelfryError(.storageFailed, "can't open \(path): \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = read(descriptor)
            close(descriptor)
            throw BelfryError(
                .conflict,
                "the data folder \(folder) is in use by another belfry\(holder.map { " (process \($0))" } ?? ""): "
                    + "stop that one first, or give this one its own folder with --data"
            )
        }
        let text = "\(getpid())\n"
        guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, text, text.utf8.count, 0) == text.utf8.count else {
            return descriptor  // The number is a courtesy to the second process; the lock holds without it.
        }
        return descriptor
    }

    deinit { release() }

    func release() {
        isHeld.withLock { isHeld in
            guard isHeld else { return }
            // Said and not left to `close`: a child that is being started holds the descriptor until its exec.
            flock(descriptor, LOCK_UN)
            close(descriptor)
            isHeld = false
        }
    }

    private static func read(_ descriptor: Int32) -> Int? {
        var bytes = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int(String(decoding: bytes.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}
