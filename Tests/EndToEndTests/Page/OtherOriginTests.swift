import BelfryCore
import Foundation
import Testing

/// Pages of other origins in a real browser: what it asks the hub before it lets them, and what they then can.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: Browser.isInstalled, "no Chromium here: apt-get install chromium chromium-driver"))
struct OtherOriginTests {
    private func ticket(_ hub: HubProcess) async throws -> String {
        let made = try await hub.client.request("POST", "/v1/tickets", json: ["topics": ["custom/a", "custom/b"]])
        return try #require(made.json["ticket"]?.string, "\(made.text)")
    }

    /// Opens an event stream in the page, and keeps what comes of it.
    private func openStream(_ browser: Browser, _ hub: HubProcess, ticket: String) async throws {
        let url = "\(hub.url)/v1/stream?stream=tab&topic=custom/a&ticket=\(ticket)"
        try await browser.run(
            """
            window.seen = "";
            window.source = new EventSource(arguments[0]);
            source.onmessage = ({ data }) => { seen += `${JSON.parse(data).type} ${JSON.stringify(JSON.parse(data).data)};` };
            """, .string(url))
    }

    @Test(
        "a listed one opens an event stream and a WebSocket by tickets, and changes the stream's topics; others can't")
    func tickets() async throws {
        // Another hub serves the page: any page of its origin does.
        try await withHub { other in
            try await withHub(environment: ["BELFRY_CORS_ORIGINS": other.url]) { hub in
                try await Browser.use { browser in
                    try await browser.open("\(other.url)/healthz")
                    try await openStream(browser, hub, ticket: try await ticket(hub))
                    try await browser.until("the snapshot", "seen.includes('SNAPSHOT')")
                    try await browser.run(
                        """
                        window.patched = 0;
                        fetch(arguments[0], {
                            method: "PATCH", body: JSON.stringify({ add: ["custom/b"] }),
                            headers: { authorization: `Bearer ${arguments[1]}`, "content-type": "application/json" },
                        }).then(({ status }) => { patched = status; });
                        """, .string("\(hub.url)/v1/streams/tab"), .string(try hub.adminToken))
                    try await browser.until("the change", "patched === 200")
                    _ = try await hub.client.request("POST", "/v1/topics/custom/b", json: ["n": 7])
                    try await browser.until("its frame", #"seen.includes('CUSTOM {"n":7}')"#)

                    let socket = "ws://127.0.0.1:\(hub.port)/v1/ws?ticket=\(try await ticket(hub))"
                    try await browser.run(
                        """
                        window.heard = "";
                        const socket = new WebSocket(arguments[0], "belfry.v1");
                        socket.onopen = () => socket.send('{"jsonrpc":"2.0","id":1,"method":"ping"}');
                        socket.onmessage = ({ data }) => { heard += data; };
                        """, .string(socket))
                    try await browser.until("the answer", #"heard.includes('"position"')"#)
                    #expect(try await browser.complaints().filter { $0.contains(":\(hub.port)/") } == [])

                    // The same page by another name of its host is of another origin.
                    try await browser.open("http://localhost:\(other.port)/healthz")
                    let unused = try await ticket(hub)
                    try await openStream(browser, hub, ticket: unused)
                    try await browser.until("the refusal", "source.readyState === EventSource.CLOSED")
                    #expect(try await browser.run("return seen") == "")
                    let client = RawClient(port: hub.port, token: nil)
                    let stream = try await client.stream("/v1/stream?topic=custom/a&ticket=\(unused)")
                    #expect(stream.status == 200)
                }
            }
        }
    }
}
