import BelfryEngine
import Glibc
import NIOCore

extension CloseReason {
    /// Of a connection on which something failed. A client that has hung up without a word, or is not to be reached any
    /// more, has gone away; nothing is wrong here.
    init(of error: any Error) {
        switch (error as? IOError)?.errnoCode {
        case ECONNRESET, EPIPE, ETIMEDOUT: self = .clientClosed
        default: self = .writeFailed
        }
    }
}
