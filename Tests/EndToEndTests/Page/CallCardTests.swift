import BelfryCore
import Foundation
import Testing

/// The card of a tool's call that a person is to decide, in a real browser.
@Suite(
    .timeLimit(.minutes(2)),
    .enabled(if: Browser.isInstalled, "no Chromium here: apt-get install chromium chromium-driver"))
struct CallCardTests {
    private static func documents(_ provider: ScriptedProvider) -> String {
        #"""
        source: plant
        preset: none
        subject: body.sensor
        ---
        agent: mechanic
        kind: openai
        base_url: URL
        model: scripted
        ---
        rule: overheating-pump
        when: { source: [plant] }
        run:
          steps:
            - step: mend
              agent: mechanic
              prompt: "{{event}}"
              tools:
                - tool: set-valve
                  about: Opens or closes a valve.
                  command: [echo, "{{input.valve}} is at {{input.percent}} %"]
                  input:
                    schema:
                      type: object
                      required: [valve, percent, reason]
                      additionalProperties: false
                      properties:
                        valve: { type: string, enum: [bypass-2, coolant-2] }
                        percent: { type: integer, minimum: 0, maximum: 100 }
                        reason: { type: string, maxLength: 400 }
        """#.replacing("URL", with: provider.baseURL)
    }

    private let call: JSONValue = [
        "valve": "bypass-2", "percent": 0,
        "reason": "It was left half open after the filter change at line 2, and pump-7 has read more than 90 °C since.",
    ]

    private func value(_ script: String, in browser: Browser) async throws -> String? {
        try await browser.run("return document.querySelector('.question').querySelector(\(script))").string
    }

    @Test("who comes late sees what led to the call, changes its arguments and is told beside the field what is wrong")
    func decide() async throws {
        let provider = try ScriptedProvider(
            [
                .text("pump-7 runs hot while its coolant flow is normal. The bypass valve of line 2 is half open.\n"),
                ScriptedProvider.calls(("set-valve", call.text)),
            ],
            [.text("The bypass is a quarter open now, and pump-7 cools down.")])
        defer { provider.stop() }
        let folder = try TemporaryFolder()
        let file = try folder.write("commands:\n  echo: /bin/echo\n", to: "belfry.yaml")
        try await HubProcess.start(documents: Self.documents(provider), arguments: ["--config", file]).use { hub in
            let posted = try await hub.client.request(
                "POST", "/hooks/plant", json: ["sensor": "pump-7", "celsius": 97])
            #expect(posted.status == 202)
            _ = try await eventually(within: .seconds(20), "the question") {
                try await hub.client.request("GET", "/v1/approvals?state=open").json["items"]?.array?.first
            }
            try await Browser.use { browser in
                let link = try await hub.belfry("tokens", "sign-in").output
                try await browser.open(link.trimmingCharacters(in: .whitespacesAndNewlines))
                let message = "document.querySelector('.question:not([hidden]) .message')?.textContent"
                try await browser.until("the question", message)
                #expect(
                    try await browser.run("return \(message)").string == "The agent of mend wants to call set-valve")
                let said = try await browser.run("return document.querySelector('.step .text').textContent").string
                #expect(said?.hasSuffix("half open.\n→ set-valve \(call.text)") == true, "\(said ?? "")")
                #expect(
                    try await browser.run(
                        "return document.querySelector('.question textarea').value.split('\\n').length") == 5)
                #expect(
                    try await browser.run(
                        "return document.querySelectorAll('.question time').length === 2 && !document.querySelector('.question .facts').hidden"
                    ) == true)
                try await browser.savePictures(named: "call", of: ".question")

                let problem = "document.querySelector('.question .problem').textContent"
                func change(_ from: String, _ to: String) async throws {
                    let script = """
                        const field = document.querySelector(".question textarea");
                        field.value = field.value.replace(arguments[0], arguments[1]);
                        field.dispatchEvent(new Event("input"));
                        return document.querySelector(".question .approve").textContent;
                        """
                    #expect(try await browser.run(script, .string(from), .string(to)) == "Approve as changed")
                    try await browser.click(".question .approve")
                }
                try await change("0,", "0,,")
                try await browser.until("the complaint", "\(problem).startsWith('This is not JSON')")
                try await change("0,,", "250,")
                try await browser.until(
                    "the refusal", "\(problem).startsWith('the arguments do not fit: arguments.percent')")
                try await browser.savePictures(named: "call-refused", of: ".question")
                try await change("250", "25")
                try await browser.until("the end", "document.querySelector('.run').dataset.state === 'succeeded'")
                let decided = "document.querySelector('.question .decided').textContent"
                #expect(try await browser.run("return \(decided)").string?.hasSuffix(", with other arguments") == true)
                try await browser.click(".run .more")
                try await browser.savePictures(named: "call-decided", of: ".question")
                #expect(
                    try await browser.run(
                        "return JSON.parse(document.querySelector('.question .arguments').textContent).percent") == 25)
                #expect(try await browser.complaints() == [])
            }
        }
    }
}
