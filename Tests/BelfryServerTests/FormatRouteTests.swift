import BelfryCore
import BelfryStore
import Testing

@testable import BelfryEngine
@testable import BelfryServer

/// `?format=` of a run's stream, of a real hub.
@Suite("formats of a run's stream", .timeLimit(.minutes(3)))
struct FormatRouteTests {
    private static let twoSteps = """
        agent: slow
        kind: echo
        words_per_second: 30
        ---
        rule: two
        when: { source: [plant], data: { two: [true] } }
        run:
          steps:
            - { step: look, agent: slow, prompt: "one two three four" }
            - { step: say, agent: talker, prompt: "five six seven" }
            - { step: never, if: { event: { data: { two: [false] } } }, agent: talker, prompt: "eight" }
        """

    /// The blocks of an event stream that was read to its end, each its id and its data.
    private func blocks(_ text: String) throws -> [(id: String?, data: String)] {
        let head = try #require(text.firstRange(of: "\r\n\r\n"))
        let body = try #require(unchunked(text[head.upperBound...]), "\(text.suffix(300))")
        return body.split(separator: "\n\n").map { block in
            let lines = block.split(separator: "\n")
            func field(_ name: String) -> String? {
                lines.first { $0.hasPrefix("\(name): ") }.map { String($0.dropFirst(name.count + 2)) }
            }
            return (field("id"), field("data") ?? "")
        }
    }

    private func body(_ text: String) throws -> String {
        String(text[try #require(text.firstRange(of: "\r\n\r\n")).upperBound...])
    }

    /// The text of a rendering as text; nil if it did not come to its end.
    private func said(_ text: String) throws -> String? {
        let body = try body(text)
        guard let end = body.firstRange(of: "0\r\nbelfry-step-state: succeeded\r\n\r\n"),
            end.upperBound == body.endIndex
        else { return nil }
        return unchunked(body[..<end.lowerBound] + "0\r\n\r\n")
    }

    private func startTwo(_ rig: HubRig) async throws -> String {
        _ = try await rig.hub.applyDocuments([(path: "two.yaml", text: Self.twoSteps)], by: .hub)
        let answer = try await rig.send("POST", "/hooks/plant", body: #"{"two":true}"#)
        return try #require(answer.json["runs"]?.array?.first?.string)
    }

    @Test("what cannot be rendered is refused before the headers, and the refusal says what there is")
    func refusals() async throws {
        try await HubRig.run { rig in
            let run = try await startTwo(rig)
            let cases: [(String, Int, String)] = [
                ("format=xml", 400, "frames, agui, openai, text"), ("format=", 400, "frames, agui, openai, text"),
                ("format=agui&step=say", 400, "format=openai or format=text"),
                ("step=say", 400, "format=openai or format=text"),
                ("format=text&step=odd", 404, "its steps: look, say, never"),
                ("format=openai&step=", 404, "its steps: look, say, never"),
                ("format=text&after=x", 400, "a whole number"),
                ("format=text&after=99999", 400, "without a position"),
                ("format=openai&last_event_id=banana", 400, "without a position"),
            ]
            for (query, status, text) in cases {
                let answer = try await rig.send("GET", "/v1/runs/\(run)/stream?\(query)", token: rig.viewer)
                #expect(answer.status == status && answer.body.contains(text), "\(query): \(answer.body)")
            }
            let other = try await rig.send("GET", "/v1/stream?topic=runs&format=text", token: rig.viewer)
            #expect(other.status == 400 && other.body.contains("frames"))
            try await rig.waitForEnd(of: run)
        }
    }

    @Test("agui and openai, cut behind any event and resumed, give the same bytes; past the end there is 204")
    func resume() async throws {
        try await HubRig.run { rig in
            let run = try await startTwo(rig)
            for query in ["format=agui", "format=openai&step=look"] {
                let path = "/v1/runs/\(run)/stream?\(query)"
                let whole = try blocks(await rig.open(path + "&after=0").readToEnd())
                #expect(whole.count > 5)
                for cut in whole.indices {
                    guard let id = whole[cut].id else { continue }
                    let headers = "Last-Event-ID: \(id)\r\n"
                    guard id != whole.last(where: { $0.id != nil })?.id else {
                        let end = try await rig.send("GET", path, token: rig.viewer, headers: headers)
                        #expect(end.status == 204)
                        continue
                    }
                    let rest = try blocks(await rig.open(path, headers: headers).readToEnd())
                    #expect(rest.map(\.data) == whole[(cut + 1)...].map(\.data))
                    #expect(rest.map(\.id) == whole[(cut + 1)...].map(\.id))
                }
            }
        }
    }

    @Test("a strict reader of AG-UI accepts it from the start, late, and after a position that leads nowhere")
    func agui() async throws {
        try await HubRig.run { rig in
            let run = try await startTwo(rig)
            let path = "/v1/runs/\(run)/stream?format=agui"
            var contents: [[String: String]] = []
            for (query, headers) in [
                ("&after=0", ""), ("", ""), ("", "Last-Event-ID: banana\r\n"), ("&after=99999", ""),
            ] {
                let blocks = try blocks(await rig.open(path + query, headers: headers).readToEnd())
                var reader = StrictAGUIReader()
                for block in blocks { try reader.read(Array(block.data.utf8)) }
                #expect(reader.phase == .finished && reader.outcome == "success")
                #expect(reader.thread == run && reader.runs == ["\(run).1"])
                #expect(
                    blocks.contains { $0.data.contains("belfry.gap") } == (headers != "" || query == "&after=99999"))
                contents.append(reader.content)
            }
            #expect(
                contents == Array(repeating: ["look.1": "one two three four", "say.1": "five six seven"], count: 4))
        }
    }

    @Test("of a run whose first frames are gone: AG-UI stays strictly valid and says it, a text is not whole")
    func goneFrames() async throws {
        try await HubRig.run { rig in
            let run = try await startTwo(rig)
            let path = "/v1/runs/\(run)/stream?format="
            let whole = try blocks(await rig.open(path + "agui&after=0").readToEnd())
            let ids = whole.compactMap { $0.id.flatMap { Int64($0) } }
            let told = try #require(whole.firstIndex { $0.data.contains(#""delta":"two "#) })
            let floor = try #require(whole[told].id.flatMap { Int64($0) })
            try await rig.hub.store.removeFrames(through: floor)
            // From the start, late, and by who had come as far as what is gone, or had everything but the end.
            let last = try #require(ids.dropLast().last)
            for (query, headers) in [("&after=0", ""), ("", ""), ("&after=\(floor)", ""), ("&after=\(last)", "")] {
                let blocks = try blocks(await rig.open(path + "agui" + query, headers: headers).readToEnd())
                var reader = StrictAGUIReader()
                for block in blocks { try reader.read(Array(block.data.utf8)) }
                #expect(reader.phase == .finished && reader.thread == run, "\(query)")
                #expect(blocks.contains { $0.data.contains(#""belfry.gap""#) }, "\(query)")
                #expect(reader.content == ["look.1": "three four", "say.1": "five six seven"], "\(query)")
            }
            let end = try #require(ids.last)
            #expect(try await rig.send("GET", path + "agui&after=\(end)", token: rig.viewer).status == 204)
            let cut = await (try rig.open(path + "text&step=look")).readToEnd()
            #expect(cut.hasSuffix("belfry-step-state: incomplete\r\n\r\n"))
            #expect(await (try rig.open(path + "openai&step=look")).readToEnd().contains(#""code":"step_incomplete""#))
            #expect(try said(await (try rig.open(path + "text&step=say")).readToEnd()) == "five six seven")
            let rest = await (try rig.open(path + "text&step=look&after=\(floor)")).readToEnd()
            #expect(try said(rest) == "three four")
            // Nothing but the row is left of it.
            try await rig.hub.store.removeFrames(through: rig.hub.head)
            let row = try blocks(await rig.open(path + "agui").readToEnd())
            var reader = StrictAGUIReader()
            for block in row { try reader.read(Array(block.data.utf8)) }
            #expect(reader.phase == .finished && row.contains { $0.data.contains(#""belfry.gap""#) })
            #expect(await (try rig.open(path + "openai&step=say")).readToEnd().contains(#""code":"step_incomplete""#))
            #expect(await (try rig.open(path + "openai&step=never")).readToEnd().contains(#""code":"step_absent""#))
        }
    }

    @Test("openai and text are of the last agent step, wait until it begins, and end with it")
    func steps() async throws {
        try await HubRig.run { rig in
            let run = try await startTwo(rig)
            let path = "/v1/runs/\(run)/stream?format="
            // The first step is still talking.
            let waiting = try await rig.open(path + "text&step=say")
            let chunks = try await rig.open(path + "openai&step=say")
            let skipped = try await rig.open(path + "openai")
            let text = await waiting.readToEnd()
            #expect(text.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(text.contains("content-type: text/plain; charset=utf-8\r\n"))
            #expect(text.contains("trailer: belfry-step-state\r\n"))
            #expect(try said(text) == "five six seven")
            let all = try blocks(await chunks.readToEnd()).map(\.data)
            #expect(all.last == "[DONE]")
            let deltas = all.dropLast().compactMap { try? JSONValue(parsing: $0)["choices"]?.array?.first }
            #expect(deltas.compactMap { $0["delta"]?["content"]?.string }.joined() == "five six seven")
            #expect(deltas.last?["finish_reason"]?.string == "stop")
            // By default the last one, which is skipped here.
            #expect(await skipped.readToEnd().contains(#""code":"step_skipped""#))
            try await rig.waitForEnd(of: run)
            let late = await (try rig.open(path + "text&step=look")).readToEnd()
            #expect(try body(late).hasPrefix("12\r\none two three four\r\n0\r\n"))
            let plain = try await RawClient.connect(port: rig.port)
            try await plain.send("GET \(path)text&step=look HTTP/1.0\r\nAuthorization: Bearer \(rig.viewer)\r\n\r\n")
            #expect(await plain.readToEnd().hasSuffix("\r\n\r\none two three four"))
        }
    }

    @Test("?after= of a text is a position, like everywhere: what was said behind it")
    func textPosition() async throws {
        try await HubRig.run { rig in
            let run = try await startTwo(rig)
            let frames = try blocks(await rig.open("/v1/runs/\(run)/stream?after=0").readToEnd())
            let two = try #require(frames.first { $0.data.contains(#""delta":"two "#) }?.id)
            let rest = await (try rig.open("/v1/runs/\(run)/stream?format=text&step=look&after=\(two)")).readToEnd()
            #expect(try said(rest) == "three four")
            let all = await (try rig.open("/v1/runs/\(run)/stream?format=text&step=look&after=0")).readToEnd()
            #expect(try said(all) == "one two three four")
        }
    }
}
