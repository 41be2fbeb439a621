import BelfryCore
import GRDB

extension BelfryError {
    /// What an error of the database means to a caller. An error that already says so stays as it is.
    init(storage error: any Error) {
        switch error {
        case let error as BelfryError: self = error
        case let error as DatabaseError where error.resultCode == .SQLITE_FULL:
            self.init(.storageFull, "the disk is full: nothing was stored", retryAfter: .seconds(10))
        case let error as DatabaseError where error.resultCode == .SQLITE_MISUSE:
            self.init(.shuttingDown, "the store is closed")
        case let error as DatabaseError:
            // Neither the statement nor its arguments: they may hold payload.
            self.init(
                .storageFailed, "the database failed (\(error.extendedResultCode)): \(error.message ?? "no message")",
                retryAfter: .seconds(10)
            )
        case is CancellationError:
            self.init(.requestTimeout, "the request was cancelled")
        default:
            self.init(.internal, "the store failed: \(error)")
        }
    }
}

extension DatabaseError {
    /// Whether the transaction as a whole can't go on: the disk, the file or memory failed, not one statement's data.
    var failsTheBatch: Bool {
        switch resultCode {
        case .SQLITE_FULL, .SQLITE_IOERR, .SQLITE_NOMEM, .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_READONLY,
            .SQLITE_CANTOPEN, .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_INTERRUPT, .SQLITE_PROTOCOL:
            true
        default: false
        }
    }
}
