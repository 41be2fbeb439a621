import BelfryCore
import Foundation
import Logging
import Testing

@testable import BelfryEngine

/// Targets of the configuration, and what arrives there.
@Suite(.timeLimit(.minutes(2)))
struct TargetTests {
    private static let key = "whsec_" + Base64.encode(Array("shared by two hubs, only".utf8))
    private static let documents = """
        source: peer
        preset: standard-webhooks
        secret: env:PEER_SECRET
        """

    /// A hub that sends, without an edge.
    private func sender(to url: String, secret: String, in folder: TemporaryFolder) async throws -> Hub {
        var configuration = HubConfiguration(
            folder: folder.path,
            secrets: SecretResolver(allowedEnvironment: [], allowedFiles: [], environment: { _ in secret }))
        var target = SendTarget(.url(url))
        target.secret = .environment("KEY", isOptional: false)
        target.allowsPrivateAddresses = true
        configuration.targets = ["peer": target]
        return try await Hub.open(configuration, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    @Test("a message of one hub is a verified event of another, once, however often and from which process it is sent")
    func roundTrip() async throws {
        let environment = ["PEER_SECRET": Self.key, "BELFRY_SECRETS_ENV": "PEER_SECRET"]
        try await withHub(documents: Self.documents, environment: environment) { hub in
            let url = "\(hub.url)/hooks/peer"
            let work = SendWork(
                target: "peer", body: Array(#"{"celsius":96}"#.utf8), webhookID: "msg_run_1_report", type: "pump.hot",
                created: WallClock.system.now(), hops: 1, attempt: 1)
            let folder = try TemporaryFolder()
            // The second is the first after a restart that forgot what came of it.
            for status in [202, 200] {
                let sender = try await sender(to: url, secret: Self.key, in: folder)
                let outcome = await sender.sends.perform(work)
                await sender.close()
                guard case .delivered(status, _) = outcome else {
                    Issue.record("\(status): \(outcome)")
                    return
                }
            }
            let wrong = try await sender(
                to: url, secret: "whsec_" + Base64.encode(Array("of nobody here".utf8)), in: TemporaryFolder())
            guard case .failed(let error) = await wrong.sends.perform(work) else {
                Issue.record("a wrong signature was taken")
                return
            }
            #expect(error.message.hasPrefix("peer answered 401"), "\(error)")
            await wrong.close()
            let events = try await hub.client.request("GET", "/v1/events").json["items"]?.array ?? []
            #expect(events.count == 1)
            #expect(events[0]["type"] == "pump.hot" && events[0]["key"] == "msg_run_1_report", "\(events)")
            #expect(events[0]["hops"]?.number?.int64 == 2, "\(events)")
        }
    }

    @Test("targets stand in the file; doctor and the list say which of them can't be used; no answer tells a URL")
    func listed() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(
            """
            targets:
              ready:
                url: https://ready.example/T0/secret-path
              broken:
                url: env:NO_SUCH_URL
                secret: file:nothing
            """, to: "belfry.yaml")
        try await withHub(arguments: ["--config", file]) { hub in
            let items = try await hub.client.request("GET", "/v1/targets").json["items"]?.array ?? []
            #expect(items.map { $0["name"] } == ["broken", "ready"])
            #expect(items[0]["problem"]?.string?.contains("NO_SUCH_URL is not set") == true, "\(items)")
            #expect(items[1]["problem"] == .null && items[1]["enabled"] == true && items[1]["signed"] == false)
            #expect(!JSONValue.array(items).text.contains("secret-path"))
            let environment = ["BELFRY_URL": hub.url, "BELFRY_DATA": hub.dataFolder]
            let doctor = try await CommandResult.of(["doctor"], environment: environment, in: hub.folder)
            #expect(doctor.output.contains("broken: the environment variable NO_SUCH_URL is not set"), "\(doctor)")
            let listed = try await CommandResult.of(["targets"], environment: environment, in: hub.folder)
            #expect(listed.output.contains("unusable") && listed.output.contains("ready"), "\(listed)")
            let enabled = try await CommandResult.of(
                ["targets", "enable", "ready"], environment: environment, in: hub.folder)
            #expect(enabled.output == "ready gets messages again\n")
            let unknown = try await hub.client.request("POST", "/v1/targets/redy/enable", headers: [], body: [])
            #expect(unknown.status == 404 && unknown.json["code"] == "unknown_target", "\(unknown.text)")
            #expect(unknown.json["detail"]?.string?.contains("did you mean 'ready'?") == true)
        }
    }
}
