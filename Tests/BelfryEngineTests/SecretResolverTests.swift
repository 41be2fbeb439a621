import BelfryCore
import BelfryEngine
import Foundation
import Testing

@Suite struct SecretResolverTests {
    private let folder: TestFolder
    private let resolver: SecretResolver

    init() throws {
        folder = try TestFolder()
        try FileManager.default.createDirectory(at: folder.appending("in"), withIntermediateDirectories: true)
        try Data("from a file\n".utf8).write(to: folder.appending("in/key"))
        try Data("outside".utf8).write(to: folder.appending("out"))
        resolver = SecretResolver(
            allowedEnvironment: ["ALLOWED", "PREFIX_*"],
            allowedFiles: [folder.appending("in").path],
            environment: { ["ALLOWED": "a", "PREFIX_X": "x", "HOME": "/root", "EMPTY": ""][$0] }
        )
    }

    private func resolve(_ text: String) throws -> Secret? {
        try resolver.resolve(try #require(SecretReference(text)))
    }

    @Test("names that the configuration allows are read")
    func allowed() throws {
        #expect(try resolve("env:ALLOWED")?.text == "a")
        #expect(try resolve("env:PREFIX_X")?.text == "x")
        #expect(try resolve("file:\(folder.path)/in/key")?.text == "from a file")
    }

    @Test("an optional variable may be absent")
    func optional() throws {
        #expect(try resolve("env:PREFIX_ABSENT?") == nil)
    }

    @Test(
        "what is not allowed or not there is refused, by name and without a value",
        arguments: [
            "env:HOME", "env:PREFIX_ABSENT", "file:/etc/passwd", "file:FOLDER/in/../out", "file:FOLDER/in/absent",
        ])
    func refused(reference: String) throws {
        let error = #expect(throws: BelfryError.self) {
            try resolve(reference.replacing("FOLDER", with: folder.path))
        }
        #expect(error?.code == .secretUnavailable)
        #expect(error?.message.contains("/root") == false)
    }

    @Test("a link that leads out of the allowed folder is not followed")
    func link() throws {
        let link = folder.appending("in/link")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: folder.appending("out"))
        #expect(throws: BelfryError.self) { try resolve("file:\(link.path)") }
    }

    @Test("a secret shows itself neither in text nor to a dump")
    func redaction() throws {
        let secret = try #require(try resolve("env:ALLOWED"))
        var dumped = ""
        dump(secret, to: &dumped)
        #expect("\(secret)" == "<secret>")
        #expect(!dumped.contains("97"))
    }
}
