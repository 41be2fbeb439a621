import BelfryCore
import Testing

/// The page's scripts, each by itself in a real browser, on a network and a clock of the test's own.
@Suite(
    .serialized, .timeLimit(.minutes(2)),
    .enabled(if: Browser.isInstalled, "no Chromium here: apt-get install chromium chromium-driver"))
struct PageScriptTests {
    /// Runs the body of an async function in the page; what it returns.
    private func run(_ script: String) async throws -> JSONValue {
        var result = JSONValue.null
        try await withHub(documents: Documents.github()) { hub in
            try await Browser.use { browser in
                try await browser.open(hub.url)
                result = try await browser.run("return (async () => { \(script) })()")
            }
        }
        return result
    }

    @Test("a burst of runs leaves those at work whole: one that made room does not come back as a fragment")
    func burst() async throws {
        let texts = try await run(
            """
            const { Model, limits } = await import("/assets/model.js");
            const model = new Model();
            let position = 0;
            const add = (run, type, data = {}) => model.add({
                position: ++position, time: new Date(position).toISOString(), run, rule: "r", type, data });
            const queue = (from, to) => {
                for (let i = from; i < to; i++) add(`run_${i}`, "RUN_STATE", { state: "queued" });
            };
            queue(0, 200);
            for (let i = 0; i < 4; i++) {
                add(`run_${i}`, "RUN_STARTED");
                add(`run_${i}`, "STEP_STARTED", { step: "s" });
                add(`run_${i}`, "TEXT_MESSAGE_CONTENT", { step: "s", delta: "one " });
            }
            queue(200, 300);
            for (let i = 0; i < 4; i++) add(`run_${i}`, "TEXT_MESSAGE_CONTENT", { step: "s", delta: "two" });
            add("run_100", "TEXT_MESSAGE_CONTENT", { step: "s", delta: "of one that made room" });
            return [model.runs.size === limits.runs, model.runs.has("run_100"),
                ...[0, 1, 2, 3].map((i) => model.runs.get(`run_${i}`).steps[0].text)];
            """)
        #expect(texts == [true, false, "one two", "one two", "one two", "one two"])
    }

    @Test("runs at work stand above all others; those that a snapshot only lists are there, and not whole")
    func order() async throws {
        let shown = try await run(
            """
            const { inOrder, Model } = await import("/assets/model.js");
            const model = new Model();
            const add = (position, run, type, data) => model.add({
                position, time: new Date(position).toISOString(), run, rule: "r", type, data });
            add(1, null, "SNAPSHOT", { runs: [{ run: "run_listed", rule: "r", state: "queued" }] });
            add(2, "run_works", "RUN_STARTED", {});
            add(3, "run_waits", "RUN_STATE", { state: "queued" });
            add(4, "run_asks", "RUN_STATE", { state: "queued" });
            add(5, "run_asks", "RUN_STATE", { state: "waiting" });
            add(6, "run_over", "RUN_STARTED", {});
            add(7, "run_over", "RUN_FINISHED", { state: "succeeded" });
            return [...inOrder(model.runs.values()).map((run) => run.id), model.runs.get("run_listed").isWhole];
            """)
        #expect(shown == ["run_asks", "run_works", "run_over", "run_waits", "run_listed", false])
    }

    @Test("who comes late sees the same text, with its calls, as who was there; and what follows goes on from it")
    func late() async throws {
        let texts = try await run(
            """
            const { Model } = await import("/assets/model.js");
            const [early, late, history] = [new Model(), new Model(), new Model()];
            let position = 0;
            const frame = (type, data = {}) => ({
                position: ++position, time: new Date(position).toISOString(), run: "run_a", rule: "r", type,
                data: { step: "s", ...data } });
            const call = { toolCallId: "1", toolCallName: "status" };
            for (const [type, data] of [
                ["RUN_STARTED"], ["STEP_STARTED"], ["TEXT_MESSAGE_CONTENT", { delta: "\\uFEFFHeiß 🏔: " }],
                ["TOOL_CALL_START", call], ["TOOL_CALL_ARGS", { ...call, delta: "{}" }],
                ["TOOL_CALL_RESULT", { ...call, content: "hot\\n" }],
                ["TOOL_CALL_START", { toolCallName: "rm" }], ["TOOL_CALL_RESULT", { content: "no", error: true }],
                ["TEXT_MESSAGE_CONTENT", { delta: "Now.\\n" }],
                ["TOOL_CALL_START", { toolCallName: "restart" }], ["TOOL_CALL_ARGS", { delta: '{"pump":' }],
            ]) early.add(frame(type, data));
            const said = { text: "\\uFEFFHeiß 🏔: Now.\\n", calls: [
                { ...call, state: "done", at: 15, arguments: "{}", result: "hot\\n" },
                { toolCallName: "rm", state: "failed", at: 15, arguments: "", result: "no" },
                { toolCallName: "restart", state: "asked", at: 20, arguments: '{"pump":' } ] };
            late.add({ ...frame("SNAPSHOT"), data: { run: "run_a", rule: "r", state: "running",
                steps: [{ step: "s", state: "running", attempt: 1, ...said }] } });
            history.addDetails({ id: "run_a", rule: "r", state: "waiting", steps: [{ name: "s", state: "waiting", said }] });
            const rest = frame("TOOL_CALL_ARGS", { delta: '"p7"}' });
            for (const model of [early, late, history]) model.add(rest);
            return [early, late, history].map((model) => model.runs.get("run_a").steps[0].text);
            """)
        let text: JSONValue = "\u{FEFF}Heiß 🏔: \n→ status {}\n← hot\n→ rm \n✗ no\nNow.\n→ restart {\"pump\":\"p7\"}"
        #expect(texts == [text, text, text])
    }

    /// A feed whose timers, requests and connections are the test's.
    private static let stage = """
        const { Feed } = await import("/assets/feed.js");
        const later = globalThis.setTimeout;
        const timers = new Set(), sockets = [], sources = [], posted = [];
        let isSignedIn = true;
        globalThis.setTimeout = (action) => {
            const timer = () => { timers.delete(timer); action(); };
            timers.add(timer);
            return timer;
        };
        globalThis.clearTimeout = (timer) => timers.delete(timer);
        globalThis.fetch = async (url, { method, body }) => {
            if (method === "POST") posted.push(JSON.parse(body));
            const session = { signed_in: isSignedIn, name: "n", role: "operator" };
            return Response.json(String(url).endsWith("session") ? session : { items: [] });
        };
        globalThis.EventSource = class {
            static CLOSED = 2;
            constructor() { sources.push(this); }
            close() {}
        };
        globalThis.WebSocket = class {
            static OPEN = 1;
            sent = [];
            constructor() { sockets.push(this); }
            send(text) { this.sent.push(JSON.parse(text)); }
            close() {}
        };
        const until = async (isDone) => { while (!isDone()) await new Promise((done) => later(done, 5)); };
        const { port1, port2 } = new MessageChannel();
        new Feed().connect(port1);
        const heard = [];
        port2.onmessage = ({ data }) => heard.push(data);
        await until(() => sockets.length === 1);
        """

    @Test("a page that is signed out asks for nothing more")
    func signedOut() async throws {
        let left = try await run(
            Self.stage + """
                sockets[0].onclose();
                const [socketAgain] = timers;
                isSignedIn = false;
                sources[0].readyState = EventSource.CLOSED;
                sources[0].onerror();
                [...timers].find((timer) => timer !== socketAgain)();
                await until(() => heard.some(({ status }) => status?.me === null));
                return [timers.size, sockets.length];
                """)
        #expect(left == [0, 1])
    }

    @Test("a stop whose connection is cut goes another way, as the same command")
    func stopTwice() async throws {
        let stops = try await run(
            Self.stage + """
                sockets[0].readyState = WebSocket.OPEN;
                port2.postMessage({ kind: "command", run: "run_a", method: "run.stop", params: { run: "run_a" } });
                await until(() => sockets[0].sent.length === 1);
                sockets[0].onclose();
                await until(() => heard.some(({ kind }) => kind === "answer"));
                return [sockets[0].sent[0].params.command_id, posted[0].command_id, posted.length];
                """)
        let command = try #require(stops.array?.first?.string)
        #expect(CommandID(command) != nil, "\(command)")
        #expect(stops == [.string(command), .string(command), 1])
    }
}
