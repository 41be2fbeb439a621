import BelfryCore
import BelfryEngine
import BelfryServer
import Logging
import ServiceLifecycle

/// Tells of a TLS certificate that ends soon: at the start, and once a day.
struct CertificateWatch: Service {
    let tls: ServerTLS
    let hub: Hub
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await look()
                try? await Task.sleep(for: Limits.certificateCheckInterval)
            }
        }
    }

    /// What there is to say goes to the log and to the operators' alerts.
    func look() async {
        guard let warning = tls.identity.warning(at: WallClock.system.now()) else { return }
        logger.warning("\(warning)")
        await hub.tell(Notice(.tls, .warning, title: "The TLS certificate must be renewed", text: warning))
    }
}
