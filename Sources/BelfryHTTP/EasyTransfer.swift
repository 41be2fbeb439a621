import BelfryCore
import CCurl
import Glibc

/// One exchange as libcurl runs it: the easy handle and what its callbacks touch. It lives on the loop's thread alone.
final class EasyTransfer {
    let transfer: Transfer
    let easy: UnsafeMutableRawPointer
    let started: ContinuousClock.Instant
    /// When bytes last came, or the reader took some after a pause.
    private var lastProgress: ContinuousClock.Instant
    /// The reader lags; the idle timeout rests.
    private var isPaused = false
    private(set) var hasHead = false

    private let allowsPrivateAddresses: Bool
    private let errorText: UnsafeMutablePointer<CChar>
    private var headerList: UnsafeMutablePointer<curl_slist>?
    /// The head as it comes; begins anew with each status line, because of interim (1xx) responses.
    private var head = Transfer.Head(status: 0, headers: [])
    private var headBytes = 0
    private var headFields = 0
    /// What libcurl only reports as "write error" or "couldn't connect".
    private var reason: HTTPFailure?

    /// Nil if libcurl has no memory for it.
    init?(_ transfer: Transfer, policy: OutboundPolicy, now: ContinuousClock.Instant) {
        guard let easy = curl_easy_init() else { return nil }
        self.transfer = transfer
        self.easy = easy
        started = now
        lastProgress = now
        // Behind a proxy the socket's address is the proxy's, which the operator chose.
        allowsPrivateAddresses = policy.allowsPrivateAddresses || transfer.proxy != nil
        errorText = .allocate(capacity: Int(belfry_curl_error_bytes))
        errorText.initialize(repeating: 0, count: Int(belfry_curl_error_bytes))
        setUp()
        if let file = policy.authorityFile {
            belfry_curl_set_string(easy, CURLOPT_CAINFO, file)
            // Else the system's count beside them.
            belfry_curl_set_string(easy, CURLOPT_CAPATH, nil)
        }
    }

    deinit {
        curl_easy_cleanup(easy)
        curl_slist_free_all(headerList)
        errorText.deallocate()
    }

    // MARK: Setting up

    private func setUp() {
        let request = transfer.request
        belfry_curl_set_string(easy, CURLOPT_URL, request.url)
        belfry_curl_set_string(easy, CURLOPT_PROTOCOLS_STR, "http,https")
        belfry_curl_set_string(easy, CURLOPT_PROXY, transfer.proxy ?? "")
        // The proxy is decided already; the environment must not be asked again.
        belfry_curl_set_string(easy, CURLOPT_NOPROXY, "")
        belfry_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText)
        let milliseconds = max(1, min(request.connectTimeout.milliseconds, Int64(Int32.max)))
        for (option, value) in [
            // HTTP/2 would end a cancelled stream, not the socket.
            (CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1),
            (CURLOPT_NOSIGNAL, 1),
            (CURLOPT_FOLLOWLOCATION, 0),
            (CURLOPT_SUPPRESS_CONNECT_HEADERS, 1),
            (CURLOPT_TCP_KEEPALIVE, 1),
            (CURLOPT_CONNECTTIMEOUT_MS, Int(milliseconds)),
            // Without it a cancel waits for the resolver's thread, and with it the whole loop.
            (CURLOPT_QUICK_EXIT, 1),
        ] {
            belfry_curl_set_long(easy, option, value)
        }
        setMethod(request)
        setHeaders(request)
        setCallbacks()
    }

    private func setMethod(_ request: HTTPRequest) {
        switch request.method {
        case "GET" where request.body.isEmpty: belfry_curl_set_long(easy, CURLOPT_HTTPGET, 1)
        case "HEAD": belfry_curl_set_long(easy, CURLOPT_NOBODY, 1)
        case let method:
            if !request.body.isEmpty || ["POST", "PUT", "PATCH"].contains(method) {
                belfry_curl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
                request.body.withUnsafeBytes { body in
                    // Copied; an empty body still needs an address, else libcurl would ask a read function.
                    _ = belfry_curl_set_pointer(
                        easy, CURLOPT_COPYPOSTFIELDS, body.baseAddress ?? UnsafeRawPointer(errorText))
                }
            }
            belfry_curl_set_string(easy, CURLOPT_CUSTOMREQUEST, method)
        }
    }

    private func setHeaders(_ request: HTTPRequest) {
        let names = Set(request.headers.map { $0.name.lowercased() })
        // An empty `Expect:` keeps libcurl from waiting a second for a 100 before a large body.
        var lines = ["Expect:"]
        if !names.contains("user-agent") { lines.append("User-Agent: belfry") }
        if !names.contains("accept") { lines.append("Accept: */*") }
        if !request.body.isEmpty, !names.contains("content-type") {
            lines.append("Content-Type: application/octet-stream")
        }
        // `Name;` is how libcurl spells a header without a value; `Name:` would remove it.
        lines += request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        for line in lines {
            if let list = curl_slist_append(headerList, line) { headerList = list }
        }
        belfry_curl_set_list(easy, CURLOPT_HTTPHEADER, headerList)
    }

    private func setCallbacks() {
        let this = Unmanaged.passUnretained(self).toOpaque()
        belfry_curl_set_receiver(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, this in
            guard let this, let bytes else { return 0 }
            let body = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return Unmanaged<EasyTransfer>.fromOpaque(this).takeUnretainedValue().receive(body)
        }
        belfry_curl_set_pointer(easy, CURLOPT_WRITEDATA, this)
        belfry_curl_set_receiver(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, this in
            guard let this, let bytes else { return 0 }
            let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
            return Unmanaged<EasyTransfer>.fromOpaque(this).takeUnretainedValue().receiveHeader(line)
        }
        belfry_curl_set_pointer(easy, CURLOPT_HEADERDATA, this)
        belfry_curl_set_open_socket(easy) { this, _, address in
            guard let this, let address else { return belfry_curl_bad_socket() }
            return Unmanaged<EasyTransfer>.fromOpaque(this).takeUnretainedValue().openSocket(address)
        }
        belfry_curl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, this)
    }

    // MARK: Callbacks

    private func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        lastProgress = .now
        isPaused = !transfer.receive(bytes)
        return isPaused ? Int(belfry_curl_pause) : bytes.count
    }

    /// The reader has room again. libcurl may call the write function before this returns.
    func resume() {
        lastProgress = .now
        isPaused = false
        curl_easy_pause(easy, Int32(belfry_curl_continue))
    }

    /// One line of the head or of the trailer, with its line end.
    private func receiveHeader(_ raw: UnsafeRawBufferPointer) -> Int {
        lastProgress = .now
        headBytes += raw.count
        headFields += 1
        guard headBytes <= Limits.responseHeaderBytesMax, headFields <= Limits.responseHeadersMax else {
            reason = HTTPFailure(
                .protocolViolation,
                "\(transfer.target) sent more than \(Limits.responseHeaderBytesMax) bytes or"
                    + " \(Limits.responseHeadersMax) fields of headers"
            )
            return 0
        }
        guard !hasHead else { return raw.count }
        let line = String(decoding: raw.prefix { $0 != 0x0D && $0 != 0x0A }, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            let status = line.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0) } ?? 0
            head = Transfer.Head(status: status, headers: [])
        } else if line.isEmpty {
            guard head.status >= 200 else { return raw.count }
            hasHead = true
            transfer.begin(head)
        } else if let colon = line.firstIndex(of: ":") {
            let isBlank = { (character: Character) in character == " " || character == "\t" }
            let value = line[line.index(after: colon)...].drop(while: isBlank)
            head.headers.append((String(line[..<colon]), String(value.reversed().drop(while: isBlank).reversed())))
        }
        return raw.count
    }

    private func openSocket(_ address: UnsafeMutablePointer<curl_sockaddr>) -> curl_socket_t {
        // An IPv6 address is longer than the struct that stands for it: only its pointer may be passed on.
        let offset = MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 0
        let parsed = IPAddress(UnsafeRawPointer(address) + offset)
        if !allowsPrivateAddresses, parsed?.isPublic != true {
            reason = .addressNotAllowed(parsed?.description ?? "an unknown address", target: transfer.target)
            return belfry_curl_bad_socket()
        }
        let asked = address.pointee
        return socket(asked.family, asked.socktype | Int32(SOCK_CLOEXEC.rawValue), asked.protocol)
    }

    // MARK: Timeouts

    /// The next moment at which a timeout may be due. It may be early, never late.
    func due(now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let request = transfer.request
        var due: ContinuousClock.Instant?
        if !hasHead {
            // The idle timeout begins with the head, which may come at any moment.
            due = min((connected ?? now) + request.firstByteTimeout, now + request.idleTimeout)
        } else if !isPaused {
            due = lastProgress + request.idleTimeout
        }
        if let deadline = request.deadline { due = min(due ?? started + deadline, started + deadline) }
        return due
    }

    /// The timeout that is due, if one is.
    func overdue(now: ContinuousClock.Instant) -> HTTPFailure? {
        let request = transfer.request
        let target = transfer.target
        if let deadline = request.deadline, now >= started + deadline {
            return HTTPFailure(.deadline, "\(target) did not finish within \(deadline.milliseconds) ms")
        }
        if !hasHead, let connected, now >= connected + request.firstByteTimeout {
            return HTTPFailure(
                .firstByteTimeout,
                "\(target) accepted the request and did not answer within \(request.firstByteTimeout.milliseconds) ms"
            )
        }
        if hasHead, !isPaused, now >= lastProgress + request.idleTimeout {
            return HTTPFailure(
                .idleTimeout,
                "\(target) stopped in the middle of its answer: nothing came for \(request.idleTimeout.milliseconds) ms"
            )
        }
        return nil
    }

    /// When the connection stood, as libcurl measured it; nil before.
    private var connected: ContinuousClock.Instant? {
        let microseconds = belfry_curl_get_size(easy, CURLINFO_PRETRANSFER_TIME_T)
        return microseconds > 0 ? started + .microseconds(microseconds) : nil
    }

    // MARK: The end

    /// What libcurl's result means.
    func outcome(_ result: CURLcode) -> Result<Void, HTTPFailure> {
        if result == CURLE_OK { return .success(()) }
        if let reason { return .failure(reason) }
        let text = String(cString: errorText)
        return .failure(
            HTTPFailure(
                result,
                transfer: transfer,
                text: text.isEmpty ? String(cString: curl_easy_strerror(result)) : text,
                systemError: Int32(truncatingIfNeeded: belfry_curl_get_long(easy, CURLINFO_OS_ERRNO)),
                proxyStatus: belfry_curl_get_long(easy, CURLINFO_HTTP_CONNECTCODE)
            )
        )
    }
}
