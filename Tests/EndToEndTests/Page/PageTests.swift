import BelfryCore
import Foundation
import Testing

/// The page as a person has it: in a real browser, on a real hub.
@Suite(
    .serialized, .timeLimit(.minutes(4)),
    .enabled(if: Browser.isInstalled, "no Chromium here: apt-get install chromium chromium-driver"))
struct PageTests {
    /// Signed in by a link of `belfry tokens sign-in`.
    private func withPage(
        documents: String = documents, arguments: [String] = [], _ body: (HubProcess, Browser) async throws -> Void
    ) async throws {
        try await withHub(documents: documents, arguments: arguments) { hub in
            try await Browser.use { browser in
                try await signIn(browser, to: hub)
                try await body(hub, browser)
            }
        }
    }

    private func signIn(_ browser: Browser, to hub: HubProcess) async throws {
        let printed = try await hub.belfry("tokens", "sign-in")
        #expect(printed.code == 0, "\(printed.errors)")
        try await browser.open(printed.output.trimmingCharacters(in: .whitespacesAndNewlines))
        try await browser.until("the stream", "document.querySelector('#stream-state').dataset.state === 'live'")
    }

    private static let documents = """
        source: lab
        preset: none
        type: body.kind
        ---
        agent: slow
        kind: echo
        words_per_second: 8
        ---
        agent: quick
        kind: echo
        words_per_second: 500
        ---
        rule: long-talk
        when: { source: [lab], type: [talk] }
        run: { steps: [ { step: say, agent: slow, prompt: "{{data.text}}" } ] }
        ---
        rule: watch
        notify: true
        when: { source: [lab], type: [alarm] }
        run: { steps: [ { step: say, agent: quick, prompt: "{{data.text}}" } ] }
        """

    private func send(_ hub: HubProcess, kind: String, text: String, more: JSONValue = .null) async throws -> String {
        let answer = try await hub.client.request(
            "POST", "/hooks/lab", json: ["kind": .string(kind), "text": .string(text), "more": more])
        return try #require(answer.json["runs"]?.array?.first?.string, "\(answer.text)")
    }

    /// An inline value of a prompt is at most 512 bytes: these are fewer.
    private static func words(_ count: Int) -> String { (1...count).map { "word-\($0)" }.joined(separator: " ") }

    private func text(of run: String) -> String {
        "document.getElementById('run/\(run)')?.querySelector('.text')?.textContent"
    }

    private func state(of run: String) -> String { "document.getElementById('run/\(run)')?.dataset.state" }

    @Test("a link signs in and leaves the address bar; text appears while the run runs; the stop button stops it")
    func lifeOfARun() async throws {
        try await withPage { hub, browser in
            #expect(try await browser.run("return location.href").string == "\(hub.url)/")
            #expect(try await browser.run("return document.cookie").string == "")
            let empty = try await browser.run("return document.querySelector('#runs .empty').innerText").string ?? ""
            #expect(empty.contains("belfry send github-issues"))

            let run = try await send(hub, kind: "talk", text: Self.words(400))
            try await browser.until("the first words", "(\(text(of: run)) ?? '').includes('word-3')")
            #expect(try await browser.run("return \(state(of: run))").string == "running")
            let some = try await browser.run("return \(text(of: run))").string ?? ""
            try await browser.until("more words", "\(text(of: run)).length > \(some.count)")
            #expect(try await hub.client.request("GET", "/v1/runs/\(run)").json["state"]?.string == "running")
            let trigger = try await browser.run("return document.querySelector('.trigger').textContent").string
            #expect(trigger?.hasPrefix("lab · talk") == true)

            try await browser.click(".run .stop")
            try await browser.until("the end", "\(state(of: run)) === 'stopped'")
            let note = try await browser.until(
                "the answer", "/Stop: applied in \\d+ ms/.test(document.querySelector('.run > .note').textContent)")
            #expect(note == true)
            #expect(try await browser.run("return document.querySelector('.run .stop').hidden") == true)
            #expect(try await hub.client.request("GET", "/v1/runs/\(run)").json["state"]?.string == "stopped")

            // What was before is there again after a reload, and nobody has to sign in.
            let before = try await browser.run("return \(text(of: run))").string
            try await browser.reload()
            try await browser.until("the text of before", "\(text(of: run)) ?? ''")
            #expect(try await browser.run("return \(text(of: run))").string == before)

            try await browser.click(".run .retry")
            try await browser.until(
                "another run", "document.querySelectorAll(\".run[data-state='running']\").length === 1")
            #expect(try await browser.run("return \(state(of: run))").string == "stopped")
            #expect(try await browser.complaints() == [])
        }
    }

    private static let asking = """
        rule: ask
        when: { source: [lab], type: [ask] }
        run:
          steps:
            - { step: confirm, approve: "<b>Shut down</b> {{data.text}}?" }
            - step: minutes
              approve: "For how long?"
              value: { schema: { type: object, required: [n], properties: { n: { type: integer } } } }
            - { step: say, agent: slow, prompt: "one two three four five six seven eight nine ten eleven twelve" }
            - { step: tell, agent: quick, prompt: "{{steps.minutes.value.n}} minutes, {{steps.say.output}}" }
        ---

        """

    @Test("a question is answered on the page: approved, with a value where it asks for one; a step is skipped")
    func questions() async throws {
        try await withPage(documents: Self.asking + Self.documents) { hub, browser in
            let run = try await send(hub, kind: "ask", text: "p7")
            let card = "document.getElementById('run/\(run)')"
            let question = "\(card)?.querySelector('.question:not([hidden])')"
            func note(_ part: String) async throws {
                try await browser.until(part, "\(card).querySelector(':scope > .note').textContent.includes('\(part)')")
            }
            try await browser.until("the question", "\(question)?.querySelector('.message').textContent")
            let asked = try await browser.run("return \(question).querySelector('.message').textContent").string
            #expect(asked == "<b>Shut down</b> p7?")
            #expect(try await browser.run("return \(question).querySelector('textarea').hidden") == true)
            #expect(try await browser.run("return \(card).querySelector('.skip:not([hidden])')") == .null)
            // A page that is opened later asks too.
            try await browser.reload()
            try await browser.until("the question again", "\(question)?.querySelector('.message').textContent")
            try await browser.click(".question:not([hidden]) .approve")
            try await note("Approve: applied in ")
            try await browser.until(
                "who it was", "\(card).querySelector('.question .decided').textContent.startsWith('approved by admin')")

            let second = "[...\(card).querySelectorAll('.question:not([hidden])')].at(-1)"
            try await browser.until(
                "the next one", "\(second).querySelector('.message').textContent === 'For how long?'")
            let value = ".step:nth-child(2) textarea"
            let approve = ".step:nth-child(2) .approve"
            try await browser.type("{", into: value)
            try await browser.click(approve)
            try await browser.until(
                "the complaint", "\(second).querySelector('.problem').textContent.startsWith('This is not JSON')")
            try await browser.run("document.querySelector('\(value)').value = '{\"n\": \"x\"}'")
            try await browser.click(approve)
            try await browser.until(
                "the refusal", "\(second).querySelector('.problem').textContent.startsWith('the value does not fit')")
            try await browser.run("document.querySelector('\(value)').value = '{\"n\": 5}'")
            try await browser.click(approve)
            try await note("Approve: applied in ")

            try await browser.until("the step that talks", "\(card).querySelector('.skip:not([hidden])')?.ariaLabel")
            try await browser.click(".step:nth-child(3) .skip")
            try await note("Skip say: applied in ")
            try await browser.until("the end", "\(state(of: run)) === 'succeeded'")
            let told = try await browser.run("return \(card).querySelector('.step:nth-child(4) .text').textContent")
                .string
            #expect(told?.hasPrefix("5 minutes, ") == true, "\(told ?? "-")")
            #expect(try await browser.complaints() == [])
        }
    }

    @Test("a no ends the run, and the page says who said it")
    func denied() async throws {
        try await withPage(documents: Self.asking + Self.documents) { hub, browser in
            let run = try await send(hub, kind: "ask", text: "p7")
            let card = "document.getElementById('run/\(run)')"
            try await browser.until("the question", "\(card)?.querySelector('.question:not([hidden]) .deny')?.type")
            try await browser.click(".question:not([hidden]) .deny")
            try await browser.until("the end", "\(state(of: run)) === 'stopped'")
            try await browser.until(
                "who it was", "\(card).querySelector('.question .decided').textContent.startsWith('denied by ')")
            #expect(
                try await browser.run(
                    "return \(card).querySelectorAll('.question:not([hidden]) .answer:not([hidden])').length")
                    == 0)
            let note = try await browser.run("return \(card).querySelector(':scope > .note').textContent").string
            #expect(
                note?.contains("Deny: applied in ") == true && note?.contains("stopped by") == false, "\(note ?? "")")
        }
    }

    @Test("the page shows that everything is paused, and ends that; and who else looks at a run")
    func pausedAndPresent() async throws {
        try await withPage { hub, browser in
            let paused = "!document.querySelector('#paused').hidden"
            #expect(try await browser.run("return \(paused)") == false)
            #expect(try await hub.belfry("pause").code == 0)
            try await browser.until("the pause", paused)
            try await browser.reload()
            try await browser.until("the pause after a reload", paused)
            try await browser.click("#resume")
            try await browser.until("its end", "document.querySelector('#paused').hidden")
            #expect(try await hub.client.request("GET", "/v1/status").json["paused"] == false)

            let run = try await send(hub, kind: "talk", text: Self.words(100))
            try await browser.until("the run", "\(state(of: run)) === 'running'")
            try await browser.until("the socket", "document.querySelector('#alerts-state').dataset.state === 'live'")
            let created = try await hub.belfry("tokens", "create", "anna", "--role", "operator", "--output", "json")
                .json
            let anna = try #require(created["token"]?.string ?? created["secret"]?.string, "\(created)")
            let socket = try await RawWebSocket(port: hub.port, token: anna)
            try socket.call("watch", ["runs": [.string(run)]])
            let here = "document.getElementById('run/\(run)').querySelector('.here').textContent"
            try await browser.until("anna", "\(here) === 'anna is here'")
            try socket.call("watch", ["runs": []])
            try await browser.until("nobody", "\(here) === ''")
            #expect(try await browser.complaints() == [])
        }
    }

    @Test("a notice of a source or rule leads to what the hub says of it, without its secret")
    func things() async throws {
        let documents = """
            source: shop
            preset: hmac
            secrets: [generate, env:SHOP_SECRET]
            signature: { header: x-sig }
            ---
            source: till
            preset: token
            secret: generate
            ---

            """
        try await withPage(documents: documents + Self.documents) { hub, browser in
            let link = try await browser.until(
                "the notice", "[...document.querySelectorAll('.alert a')].find((a) => a.hash === '#source/shop')?.href")
            try await browser.open(link.string ?? "")
            let shown = "document.querySelector('#thing-text').textContent"
            try await browser.until("the source", "\(shown).includes('secret_unavailable')")
            let text = try await browser.run("return \(shown)").string ?? ""
            #expect(text.contains("preset: hmac"), "\(text)")
            let till = try await hub.client.request("GET", "/v1/sources/till").json
            let secret = try #require(till["secrets"]?.array?.first?["value"]?.string)
            try await browser.run("location.hash = '#source/till'")
            try await browser.until("the other source", "\(shown).includes('secret: generate')")
            #expect(try await browser.run("return \(shown)").string?.contains(secret) == false)
            try await browser.run("location.hash = '#rule/watch'")
            try await browser.until("the rule", "\(shown).includes('notify: true')")
            try await browser.run("location.hash = '#'")
            try await browser.until("no panel", "document.querySelector('#thing').hidden")
        }
    }

    @Test("an alert arrives over the WebSocket, and leads to its run")
    func alert() async throws {
        try await withPage { hub, browser in
            try await browser.until("the socket", "document.querySelector('#alerts-state').dataset.state === 'live'")
            let run = try await send(hub, kind: "alarm", text: "the tower is on fire")
            let alert = try await browser.until("the alert", "document.querySelector('.alert')?.innerText ?? ''")
            #expect(alert.string?.contains("watch") == true, "\(alert)")
            try await browser.until("its run", "\(state(of: run)) === 'succeeded'")
            // One that came before the page was opened is shown too.
            try await browser.reload()
            try await browser.until("the alert again", "document.querySelector('.alert')?.innerText ?? ''")
            #expect(try await browser.run("return document.querySelectorAll('.alert').length") == 1)
            #expect(try await browser.complaints() == [])
        }
    }

    @Test("a hub that is killed and comes back: the page goes on by itself, without a gap and without doubling")
    func restart() async throws {
        let port = try RawSocket.freePort()
        try await withPage(arguments: ["--port", "\(port)"]) { hub, browser in
            let words = Self.words(60)
            let first = try await send(hub, kind: "talk", text: Self.words(20))
            try await browser.until("the end of the first", "\(state(of: first)) === 'succeeded'")
            let run = try await send(hub, kind: "talk", text: words)
            try await browser.until("some words", "(\(text(of: run)) ?? '').includes('word-9 ')")
            try await hub.kill9()
            try await browser.until(
                "the page to see it", "document.querySelector('#stream-state').textContent === 'stream reconnecting'")
            try await hub.restart()
            try await browser.until("the end", within: .seconds(60), "\(state(of: run)) === 'succeeded'")
            // The step began anew, and so did its text.
            #expect(try await browser.run("return \(text(of: run))").string == words)
            #expect(try await browser.run("return \(text(of: first))").string == Self.words(20))
            let title = try await browser.run("return document.querySelector('.step h4').textContent").string
            #expect(title?.contains("attempt 2") == true)
            #expect(try await browser.run("return document.querySelectorAll('.run').length") == 2)
        }
    }

    @Test("what senders, rules and models write is text on the page, whatever it looks like")
    func hostile() async throws {
        let script = "<img src=x onerror=\"window.hurt=1\"><script>window.hurt=1</script><b id=hurt>bold</b>"
        try await withPage { hub, browser in
            let run = try await send(hub, kind: "talk", text: script + " \u{202E}javascript:alert(1) </textarea>")
            try await browser.until("its end", "\(state(of: run)) === 'succeeded'")
            #expect(try await browser.run("return \(text(of: run))").string?.hasPrefix(script) == true)
            // A type, a subject and a sensor's name are shown too.
            let issue = try await hub.client.request("POST", "/hooks/lab", json: ["kind": .string(script)])
            #expect(issue.status == 202)
            try await browser.until(
                "the event", "document.querySelector('#last-event').textContent.includes('<script>')")
            _ = try await send(hub, kind: "alarm", text: script)
            try await browser.reload()
            try await browser.until("the text again", "\(text(of: run)) ?? ''")
            #expect(
                try await browser.run("return [window.hurt ?? 0, document.querySelectorAll('#hurt, img, b').length]")
                    == [0, 0])
            #expect(try await browser.run("return document.scripts.length") == 1)
            #expect(try await browser.complaints() == [])
        }
    }

    @Test("all tabs of a browser share one stream; signing out in one signs out all")
    func tabs() async throws {
        try await withPage { hub, browser in
            let first = try await browser.currentTab()
            let run = try await send(hub, kind: "talk", text: Self.words(60))
            try await browser.until("words", "\(text(of: run)) ?? ''")
            let before = try await openStreams(hub)
            let second = try await browser.openTab()
            try await browser.open(hub.url)
            try await browser.until("words in the second tab", "(\(text(of: run)) ?? '').startsWith('word-1 word-2 ')")
            #expect(try await openStreams(hub) == before)

            try await browser.click("#sign-out")
            let isOut = "!document.querySelector('#sign-in').hidden && document.querySelectorAll('.run').length === 0"
            try await browser.until("the sign-in", isOut)
            try await browser.go(to: first)
            try await browser.until("the sign-in of the first tab", isOut)
            #expect(try await browser.complaints() == [])
            try await browser.go(to: second)
            try await browser.type(try hub.adminToken, into: "#token")
            try await browser.click("#sign-in-form button")
            try await browser.until("the run again", "\(text(of: run)) ?? ''")
        }
    }

    private func openStreams(_ hub: HubProcess) async throws -> String {
        let metrics = try await hub.client.request("GET", "/metrics").text
        return metrics.split(separator: "\n").filter { $0.hasPrefix("belfry_streams_open") }.joined(separator: "\n")
    }

    @Test("in a browser without SharedWorker each tab has a feed of its own")
    func withoutSharedWorker() async throws {
        try await withHub(documents: Self.documents) { hub in
            try await Browser.use { browser in
                try await browser.prepare("delete globalThis.SharedWorker")
                try await signIn(browser, to: hub)
                #expect(try await browser.run("return typeof SharedWorker").string == "undefined")
                try await browser.until(
                    "the socket", "document.querySelector('#alerts-state').dataset.state === 'live'")
                let run = try await send(hub, kind: "alarm", text: "one two")
                try await browser.until("its text", "\(text(of: run)) === 'one two'")
                try await browser.until("the alert", "document.querySelector('.alert')?.innerText ?? ''")
                #expect(try await browser.complaints() == [])
            }
        }
    }

    @Test("a link that was used, and a token that is revoked, lead to the sign-in and say why")
    func signedOut() async throws {
        try await withPage { hub, browser in
            let session = try #require(
                try await hub.client.request("GET", "/v1/tokens").json["items"]?.array?
                    .first { $0["name"]?.string?.hasPrefix("session-") == true }?["id"]?.string)
            #expect(try await hub.belfry("tokens", "revoke", session).code == 0)
            try await browser.until("the sign-in", "!document.querySelector('#sign-in').hidden")
            try await browser.open("\(hub.url)/#sign-in=00000000000000000000000000000000")
            try await browser.until(
                "the reason", "document.querySelector('#sign-in-problem').textContent.includes('used before')")
            #expect(try await browser.run("return location.hash").string == "")
        }
    }
}
