import BelfryCore
import Foundation
import Testing

extension Browser {
    /// Saves how the page looks: light, dark, wide and on a phone; nothing of it may stand beyond the right edge.
    /// - Parameter selector: what is to be seen of it.
    func savePictures(named name: String, of selector: String = "header") async throws {
        for (suffix, width, height, isDark) in [
            ("", 1180, 700, false), ("-dark", 1180, 700, true), ("-phone", 390, 844, false),
            ("-phone-dark", 390, 844, true),
        ] {
            try await look(width: width, height: height, isDark: isDark)
            try await run("document.querySelector(arguments[0]).scrollIntoView({ block: 'end' })", .string(selector))
            try Self.save(try await picture(), as: name + suffix)
            let tooWide = """
                return [...document.querySelectorAll("body *")].filter((element) =>
                    element.getBoundingClientRect().right > arguments[0]).map((element) => element.outerHTML)
                """
            #expect(try await run(tooWide, .int(width)) == [], "\(name)\(suffix)")
        }
    }

    /// Beside the build; the README's also where `BELFRY_PICTURES` says.
    private static func save(_ picture: Data, as name: String) throws {
        let program = URL(fileURLWithPath: try BuildProducts.belfry())
        var folders = [program.deletingLastPathComponent().appending(path: "pictures")]
        if name == "page", let folder = ProcessInfo.processInfo.environment["BELFRY_PICTURES"] {
            folders.append(URL(fileURLWithPath: folder))
        }
        for folder in folders {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try picture.write(to: folder.appending(path: "\(name).png"))
        }
        #expect(picture.count > 10_000)
    }
}
