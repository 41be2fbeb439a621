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
    }

    @Test("an event, a part of one, and an id are taken", arguments: [#"{"source": "a"}"#, #"{"data": {}}"#])
    func events(text: String) throws {
        #expect(try value(text).object != nil)
        #expect(try RulesTest.eventValue("evt_01h455vb4pex5vsknk084sn02q").string != nil)
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
