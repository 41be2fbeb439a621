import BelfryCore
import Foundation
import Testing

@testable import belfry

struct RulesTestTests {
    private func value(_ text: String) throws -> JSONValue {
        let folder = try TemporaryFolder()
        return try RulesTest.eventValue(try folder.write(text, to: "reading.json"))
    }

    @Test("a payload alone is no event, and is said to be none")
    func payload() {
        let failure = #expect(throws: Failure.self) { try value(#"{"sensor": "pump-7", "celsius": 96}"#) }
        #expect(failure?.code == .usage)
        #expect(
            failure?.message.hasSuffix(
                "reading.json has neither source nor data: this looks like a payload, not an event "
                    + "(belfry events show prints one)") == true)
        #expect(throws: Failure.self) { try value("[1]") }
        #expect(throws: Failure.self) { try value("{") }
        let missing = #expect(throws: Failure.self) { try RulesTest.eventValue("evt_x") }
        #expect(missing?.message.hasPrefix("evt_x is no file, and no id of an event") == true)
    }

    @Test("a byte order mark is said to be one")
    func byteOrderMark() {
        let failure = #expect(throws: Failure.self) { try value("\u{FEFF}{}") }
        #expect(failure?.message.contains("a byte order mark") == true)
    }

    @Test("a field that no event has is told, offline too")
    func unknownFields() async throws {
        let folder = try TemporaryFolder()
        let rule = try folder.write(
            "rule: r\nwhen: {source: [a], celsius: [1]}\nrun: {steps: [{step: s, command: [x]}]}\n", to: "rule.yaml")
        let event = try folder.write(#"{"source": "a", "data": {"celsius": 1}}"#, to: "event.json")
        let ran = try await CommandResult.of(["rules", "test", rule, "--event", event], in: folder)
        #expect(ran.code == 1 && ran.errors.contains("when: no event has a field 'celsius'"), "\(ran)")
    }

    @Test("the help of rules show lists --version once; belfry --version is the program's")
    func version() async throws {
        let folder = try TemporaryFolder()
        let help = try await CommandResult.of(["rules", "show", "--help"], in: folder)
        #expect(help.output.components(separatedBy: "\n  --version").count == 2, "\(help)")
        let version = try await CommandResult.of(["--version"], in: folder)
        #expect(version.code == 0 && version.output == "belfry \(Version.text)\n", "\(version)")
        let bare = try await CommandResult.of([], in: folder)
        #expect(bare.code == 0 && bare.output.contains("EXIT CODES"), "\(bare)")
    }

    @Test("what is written as a file and is not there is no rule's name")
    func mean() throws {
        let folder = try TemporaryFolder()
        #expect(try DocumentFiles.mean(folder.write("x", to: "hot")))
        #expect(try !DocumentFiles.mean("hot-pump.v2"))
        for path in ["./hot", "rules/hot", "hot.yaml", "hot.json"] {
            #expect(#expect(throws: Failure.self) { try DocumentFiles.mean(path) }?.message == "\(path) does not exist")
        }
    }

    @Test("an event, a part of one, and an id are taken", arguments: [#"{"source": "a"}"#, #"{"data": {}}"#])
    func events(text: String) throws {
        #expect(try value(text).object != nil)
        #expect(try RulesTest.eventValue("evt_01h455vb4pex5vsknk084sn02q").string != nil)
    }

    private static let two = """
        rule: hot
        when: { source: [plant], data: { celsius: [{ numeric: [">", 90] }] } }
        run: { steps: [{ step: a, agent: elsewhere, prompt: x }] }
        ---
        rule: any
        when: { source: [plant] }
        run: { steps: [{ step: a, agent: elsewhere, prompt: x }] }
        """

    @Test("files are tested without a hub: all rules of a file, or one; agents may be elsewhere")
    func local() throws {
        let event: JSONValue = ["source": "plant", "data": ["celsius": 71]]
        func test(_ text: String = Self.two, only: String? = nil) throws -> JSONValue {
            try RulesTest.test([(path: "two.yaml", text: text)], only: only, event: event)
        }
        let all = try test()
        #expect(all["matched"]?.bool == true)
        #expect(all["rules"]?.array?.map { $0["rule"]?.string } == ["hot", "any"])
        #expect(try test(only: "hot")["matched"]?.bool == false)
        let other = #expect(throws: Failure.self) { try test(only: "cold") }
        #expect(other?.code == .usage && other?.message == "no rule cold in two.yaml, but hot, any")
        let wrong = #expect(throws: Failure.self) { try test(Self.two.replacing("when:", with: "whem:")) }
        #expect(wrong?.code == .usage)
        #expect(wrong?.message.hasPrefix("not valid:\n  two.yaml:1: when: ") == true, "\(wrong?.message ?? "")")
        #expect(#expect(throws: Failure.self) { try test("agent: a\nkind: echo") }?.message == "no rule in two.yaml")
    }

    @Test("of an event as the API shows it, what stands beside the event is not looked at")
    func shown() throws {
        let rule = Self.two.replacing("data: { celsius", with: "status: [matched], data: { celsius")
        var event: JSONObject = ["source": "plant", "data": ["celsius": 96], "status": "matched"]
        func matches() throws -> Bool? {
            try RulesTest.test([(path: "a", text: rule)], only: "hot", event: .object(event))["matched"]?.bool
        }
        #expect(try matches() == true)
        event["id"] = "evt_01h455vb4pex5vsknk084sn02q"
        event["ruleset_version"] = 3
        #expect(try matches() == false)
    }

    @Test("a folder is read through a link to it, without what is hidden in it")
    func folders() throws {
        let folder = try TemporaryFolder()
        for name in ["a.yaml", "sub/b.json", ".git/c.yaml", "..data/a.yaml", "notes.txt"] {
            try folder.write("x", to: "real/\(name)")
        }
        let link = folder.path + "/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path + "/real")
        #expect(try DocumentFiles.list(link) == ["\(link)/a.yaml", "\(link)/sub/b.json"])
    }
}
