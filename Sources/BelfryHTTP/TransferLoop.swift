import BelfryCore
import CCurl
import Glibc
import Logging
import Synchronization

/// The thread that runs one libcurl multi handle, and the mailbox through which others talk to it. libcurl's handles
/// are touched by that thread alone; the one exception is `curl_multi_wakeup`, which is made for it.
final class TransferLoop: Sendable {
    enum Command: Sendable {
        case start(Transfer)
        case cancel(Transfer)
        /// The reader has room again.
        case resume(Transfer)
    }

    struct Mailbox: Sendable {
        var commands: [Command] = []
        /// The address of the multi handle while the thread runs: a pointer may not be shared, a number may.
        var multi: UInt?
        var isClosing = false
    }

    private let mailbox = Mutex(Mailbox())
    let policy: OutboundPolicy
    let logger: Logger

    private static let isLibraryReady: Bool = {
        // With NOSIGNAL libcurl leaves SIGPIPE to its host, and TLS writes raise it.
        _ = signal(SIGPIPE, SIG_IGN)
        return belfry_curl_start() == CURLE_OK
    }()

    init(policy: OutboundPolicy, logger: Logger) {
        self.policy = policy
        self.logger = logger
        guard Self.isLibraryReady, let multi = curl_multi_init() else {
            logger.error("libcurl does not start; outbound HTTP is off")
            return
        }
        belfry_curl_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, Limits.outboundConnectionsMax)
        belfry_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, Limits.outboundIdleConnectionsMax)
        mailbox.withLock { $0.multi = UInt(bitPattern: multi) }
        let this = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { this in
                guard let this else { return nil }
                Unmanaged<TransferLoop>.fromOpaque(this).takeRetainedValue().runThread()
                return nil
            }, this.toOpaque())
        guard result == 0 else {
            logger.error("no thread for outbound HTTP", metadata: ["errno": "\(result)"])
            this.release()
            mailbox.withLock { $0.multi = nil }
            curl_multi_cleanup(multi)
            return
        }
        pthread_detach(thread)
    }

    /// - Returns: false if the loop has ended; nothing will be done.
    @discardableResult
    func submit(_ command: Command) -> Bool {
        mailbox.withLock { mailbox in
            guard let multi = mailbox.multi, !mailbox.isClosing else { return false }
            if mailbox.commands.isEmpty { curl_multi_wakeup(UnsafeMutableRawPointer(bitPattern: multi)) }
            mailbox.commands.append(command)
            return true
        }
    }

    func close() {
        mailbox.withLock { mailbox in
            mailbox.isClosing = true
            if let multi = mailbox.multi { curl_multi_wakeup(UnsafeMutableRawPointer(bitPattern: multi)) }
        }
    }

    private func runThread() {
        guard let multi = mailbox.withLock({ $0.multi }).flatMap({ UnsafeMutableRawPointer(bitPattern: $0) }) else {
            return
        }
        let worker = TransferWorker(multi: multi, policy: policy)
        while true {
            let (commands, isClosing) = mailbox.withLock { mailbox in
                let commands = mailbox.commands
                mailbox.commands = []
                return (commands, mailbox.isClosing)
            }
            for command in commands { worker.perform(command) }
            if isClosing { break }
            worker.step()
        }
        worker.endAll()
        mailbox.withLock { $0.multi = nil }
        curl_multi_cleanup(multi)
    }
}
