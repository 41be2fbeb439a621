import BelfryCore
import Foundation
import Glibc

/// A real, headless Chromium with a profile of its own, driven by W3C WebDriver through Debian's chromedriver.
final class Browser: Sendable {
    private static let driver = "/usr/bin/chromedriver"
    /// Whether this machine has Chromium and its driver.
    static let isInstalled = [driver, "/usr/bin/chromium"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    private let process: ChildProcess
    private let client: RawClient
    private let session: String
    private let folder: TemporaryFolder

    private init(process: ChildProcess, client: RawClient, session: String, folder: TemporaryFolder) {
        self.process = process
        self.client = client
        self.session = session
        self.folder = folder
    }

    /// Starts a browser, gives it to `body`, and ends all its processes, however `body` ends.
    static func use(_ body: (Browser) async throws -> Void) async throws {
        let folder = try TemporaryFolder()
        let process = try ChildProcess(
            driver, ["--port=0"], environment: ["HOME": folder.path, "TMPDIR": folder.path],
            outputPath: "\(folder.path)/driver.out",
            errorPath: "\(folder.path)/driver.err"
        )
        defer { endFamily(of: process) }
        let port = try await eventually(within: .seconds(30), "chromedriver") {
            process.output.firstMatch(of: /started successfully on port (\d+)/).flatMap { Int($0.output.1) }
        }
        let client = RawClient(port: port, token: nil)
        let capabilities: JSONValue = [
            "capabilities": [
                "alwaysMatch": [
                    "goog:loggingPrefs": ["browser": "ALL"],
                    "goog:chromeOptions": [
                        "args": [
                            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                            "--no-first-run", "--hide-scrollbars", "--window-size=1280,800",
                            .string("--user-data-dir=\(folder.path)/profile"),
                        ]
                    ],
                ]
            ]
        ]
        let answer = try await client.request(
            "POST", "/session", headers: [("Content-Type", "application/json")], body: capabilities.encoded(),
            within: .seconds(60))
        guard let session = answer.json["value"]?["sessionId"]?.string else {
            throw Timeout(what: "a browser: \(answer.text.prefix(600))")
        }
        try await body(Browser(process: process, client: client, session: session, folder: folder))
    }

    private static func endFamily(of process: ChildProcess) {
        // Chromium does not end with its driver. First the family is written down, then it is ended, each by its id.
        var family = [process.id]
        var next = 0
        while next < family.count {
            family += children(of: family[next])
            next += 1
        }
        for id in family { kill(id, SIGKILL) }
    }

    private static func children(of parent: pid_t) -> [pid_t] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(parent)/task")) ?? []
        return tasks.flatMap { task in
            let path = "/proc/\(parent)/task/\(task)/children"
            return ((try? String(contentsOfFile: path, encoding: .utf8)) ?? "").split(separator: " ").compactMap {
                pid_t($0)
            }
        }
    }

    // MARK: - WebDriver

    private func call(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue {
        let answer = try await client.request(
            method, "/session/\(session)\(path)", headers: [("Content-Type", "application/json")],
            body: body?.encoded() ?? [], within: .seconds(30))
        guard answer.status == 200 else { throw Timeout(what: "\(path): \(answer.text.prefix(400))") }
        return answer.json["value"] ?? .null
    }

    func open(_ url: String) async throws { _ = try await call("POST", "/url", ["url": .string(url)]) }

    /// Runs a script in every page that is opened from now on, before its own.
    func prepare(_ script: String) async throws {
        try await devTools("Page.addScriptToEvaluateOnNewDocument", ["source": .string(script)])
    }

    func reload() async throws { _ = try await call("POST", "/refresh", [:]) }

    /// Runs a function body in the page; its `return` value.
    @discardableResult
    func run(_ script: String, _ arguments: JSONValue...) async throws -> JSONValue {
        try await call("POST", "/execute/sync", ["script": .string(script), "args": .array(arguments)])
    }

    /// Clicks as a person does: fails on what is covered or not shown.
    func click(_ selector: String) async throws {
        _ = try await call("POST", "/element/\(try await find(selector))/click", [:])
    }

    func type(_ text: String, into selector: String) async throws {
        _ = try await call("POST", "/element/\(try await find(selector))/value", ["text": .string(text)])
    }

    private func find(_ selector: String) async throws -> String {
        let found = try await call("POST", "/element", ["using": "css selector", "value": .string(selector)])
        guard let element = found.object?.members.first?.value.string else { throw Timeout(what: selector) }
        return element
    }

    /// Opens another tab of the same browser and goes there. - Returns: its handle.
    func openTab() async throws -> String {
        let handle = try await call("POST", "/window/new", ["type": "tab"])["handle"]?.string ?? ""
        try await go(to: handle)
        return handle
    }

    func currentTab() async throws -> String { try await call("GET", "/window").string ?? "" }

    func go(to tab: String) async throws { _ = try await call("POST", "/window", ["handle": .string(tab)]) }

    /// Lets the page see a screen of this size, and a system that is dark or light.
    func look(width: Int, height: Int, isDark: Bool) async throws {
        try await devTools(
            "Emulation.setDeviceMetricsOverride",
            ["width": .int(width), "height": .int(height), "deviceScaleFactor": 1, "mobile": .bool(width < 600)])
        try await devTools(
            "Emulation.setEmulatedMedia",
            ["features": [["name": "prefers-color-scheme", "value": .string(isDark ? "dark" : "light")]]])
    }

    private func devTools(_ command: String, _ parameters: JSONValue) async throws {
        _ = try await call("POST", "/goog/cdp/execute", ["cmd": .string(command), "params": parameters])
    }

    /// What the tab shows, as PNG.
    func picture() async throws -> Data {
        Data(base64Encoded: try await call("GET", "/screenshot").string ?? "") ?? Data()
    }

    /// What the console has said since the last time: errors, also of the content security policy.
    func complaints() async throws -> [String] {
        (try await call("POST", "/se/log", ["type": "browser"]).array ?? [])
            .filter { ["SEVERE", "WARNING"].contains($0["level"]?.string) }
            .compactMap { $0["message"]?.string }
    }

    // MARK: - Waiting

    /// Asks the page until it answers with something.
    @discardableResult
    func until(_ what: String, within deadline: Duration = .seconds(20), _ script: String) async throws -> JSONValue {
        do {
            return try await eventually(within: deadline, what) { () -> JSONValue? in
                let value = try await run("return \(script)")
                return [.null, false, ""].contains(value) ? JSONValue?.none : value
            }
        } catch {
            let page = try? await run("return document.body.innerText").string
            throw Timeout(what: "\(error); the page shows:\n\(page ?? "nothing")")
        }
    }
}
