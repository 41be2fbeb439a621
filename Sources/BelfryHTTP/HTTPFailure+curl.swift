import BelfryCore
import CCurl
import Glibc

extension HTTPFailure {
    /// Says in words what libcurl's code means for whoever runs the hub.
    init(_ result: CURLcode, transfer: Transfer, text: String, systemError: Int32, proxyStatus: Int) {
        let target = transfer.target
        let way = transfer.proxy == nil ? "" : " through the proxy"
        switch result {
        case CURLE_COULDNT_RESOLVE_HOST:
            self.init(
                .resolve, "the name \(target.host) has no address: check its spelling and this machine's DNS",
                cause: text)
        case CURLE_COULDNT_RESOLVE_PROXY:
            self.init(
                .proxy, "the proxy's name has no address: check http_proxy, https_proxy and all_proxy", cause: text)
        case CURLE_COULDNT_CONNECT where transfer.proxy != nil:
            self.init(.proxy, "the proxy on the way to \(target) cannot be reached", cause: text)
        case CURLE_COULDNT_CONNECT:
            let isRefused = systemError == ECONNREFUSED
            self.init(
                .connect,
                isRefused
                    ? "nothing listens on \(target): start that service, or correct the URL"
                    : "\(target) cannot be reached: check the host, the port and the network between",
                cause: systemError == 0 ? text : String(cString: strerror(systemError))
            )
        case CURLE_OPERATION_TIMEDOUT:
            self.init(
                .connectTimeout,
                "\(target) did not take a connection\(way) within \(transfer.request.connectTimeout.milliseconds) ms:"
                    + " check the host, the port and the network between"
            )
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CACERT_BADFILE:
            self.init(
                .tls,
                "the certificate of \(target) is not trusted: correct the URL, or add its issuer to the system's CAs",
                cause: text
            )
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_NOTFOUND,
            CURLE_SSL_ENGINE_SETFAILED, CURLE_SSL_SHUTDOWN_FAILED, CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED:
            self.init(.tls, "no TLS session with \(target): is that port really https?", cause: text)
        case CURLE_PROXY:
            self.init(.proxy, "the proxy on the way to \(target) refuses", cause: text)
        case CURLE_RECV_ERROR where transfer.proxy != nil && proxyStatus != 0 && proxyStatus != 200:
            self.init(.proxy, "the proxy on the way to \(target) answered \(proxyStatus)")
        case CURLE_GOT_NOTHING:
            self.init(.connectionLost, "\(target) closed the connection without an answer", cause: text)
        case CURLE_PARTIAL_FILE, CURLE_RECV_ERROR, CURLE_SEND_ERROR:
            self.init(.connectionLost, "\(target) broke the connection in the middle of its answer", cause: text)
        case CURLE_URL_MALFORMAT:
            self.init(.invalidRequest, "not a URL Belfry can call", cause: text)
        default:
            self.init(.protocolViolation, "what \(target) answers is not the HTTP/1.1 Belfry reads", cause: text)
        }
    }
}
