import BelfryCore
import BelfrySources
import Testing

struct SampleDeliveryTests {
    @Test("every sample, signed with a fresh secret, is accepted by its preset", arguments: SampleDelivery.names)
    func accepted(name: String) throws {
        let now = Timestamp(seconds: 1_790_000_000)
        let sample = try #require(SampleDelivery.named(name, now: now))
        let source = SourceDefinition(name: "x", preset: sample.preset)
        let secret = sample.preset.makeSecret()
        let headers =
            sample.headers + DeliverySigner.headers(for: source, secret: secret, body: sample.body, id: "d-1", now: now)
        let delivery = Delivery(
            headers: HeaderFields(headers), body: sample.body, remote: "127.0.0.1", isLoopback: true, received: now)
        let verdict = source.judge(delivery, secrets: [NamedSecret(name: "generate", secret: secret)])
        #expect(verdict.error == nil)
        #expect(!verdict.events.isEmpty)
        #expect(SampleDelivery.named(name, now: now)?.body == sample.body)
    }

    @Test(
        "GitHub's samples have the size of real ones",
        arguments: [("github-issues", 7), ("github-push", 7), ("github-pull-request", 15), ("github-ping", 5)])
    func size(name: String, kilobytesMin: Int) throws {
        let count = try #require(SampleDelivery.named(name)).body.count
        #expect((kilobytesMin * 1000...25_000).contains(count), "\(name) has \(count) bytes")
    }

    @Test("the samples say what their names say")
    func types() throws {
        func first(_ name: String) throws -> IncomingEvent {
            let sample = try #require(SampleDelivery.named(name))
            let fixture = SourceFixture(sample.preset)
            // Stripe's and Slack's repeats are known by what stands in the body.
            let later = try #require(SampleDelivery.named(name, now: WallClock.system.now() + .seconds(1)))
            let hasOwnID = [.stripe, .slack].contains(sample.preset)
            #expect(!hasOwnID || sample.body != later.body, "\(name) would always be the same delivery")
            return try #require(
                fixture.judgeSigned(String(decoding: sample.body, as: UTF8.self), sample.headers).events.first)
        }
        #expect(try first("github-issues").type == "issues.opened")
        #expect(try first("github-issues").subject == "harbour/checkout#731")
        #expect(try first("github-push").type == "push")
        #expect(try first("github-pull-request").subject == "harbour/checkout#732")
        #expect(try first("github-ping").type == "ping")
        #expect(try first("alertmanager-firing").type == "alert.firing")
        #expect(try first("alertmanager-resolved").type == "alert.resolved")
        #expect(try first("alertmanager-firing").subject == first("alertmanager-resolved").subject)
        let reading = try first("sensor-reading")
        #expect((reading.data.value["celsius"]?.number?.double ?? 0) > 90)
        #expect(reading.subject == "pump-7")
        #expect(try first("stripe-invoice-failed").type == "invoice.payment_failed")
        #expect(try first("stripe-invoice-paid").type == "invoice.paid")
        #expect(try first("slack-mention").type == "app_mention")
        #expect(try first("slack-mention").subject == "C0ONCALL")
        #expect(try first("slack-command").type == "slash_command")
        #expect(try first("slack-button").type == "block_actions")
        #expect(try first("slack-button").subject == "C0ONCALL")
        #expect(try first("gitlab-issue").type == "issue")
        #expect(try first("gitlab-push").subject == "harbour/checkout")
        #expect(try first("grafana-firing").type == "alert.firing")
        #expect(try first("grafana-resolved").subject == first("grafana-firing").subject)
        #expect(try first("cloudevents-device-alert").type == "example.plant.device.alert")
        #expect(try first("cloudevents-device-alert").key?.hasSuffix(" d-1") == true)
        #expect(try first("cloudevents-batch").subject == "freezer-7")
        #expect(SampleDelivery.named("nothing") == nil)
    }

    @Test("every preset has a sample and a set-up text that names the URL and the secret", arguments: Preset.allCases)
    func setUp(preset: Preset) {
        #expect(!SampleDelivery.names(for: preset).isEmpty)
        let source = SourceDefinition(name: "x", preset: preset, secrets: [.generated])
        let text = source.setUpText(url: "https://hub.example/hooks/x", secret: Secret("s3cret"))
        #expect(text.contains("https://hub.example/hooks/x"))
        #expect(text.contains("s3cret") == preset.needsSecret)
        #expect(!source.setUpText(url: "u", secret: nil).contains("s3cret"))
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }

    @Test(
        "where the sender makes the secret, the set-up text says how it is entered",
        arguments: [Preset.stripe, .slack, .svix])
    func givenSecret(preset: Preset) {
        let source = SourceDefinition(name: "till", preset: preset, secrets: [.generated])
        let text = source.setUpText(url: "https://hub.example/hooks/till", secret: nil)
        #expect(text.contains("belfry sources rotate till --secret-file F"))
    }

    @Test("what a source answers to a GET is said, and that a URL of this machine is of no use elsewhere")
    func challengeAndAddress() {
        var source = SourceDefinition(name: "meta", preset: .hmac, secrets: [.generated])
        source.challenge = ChallengeSettings(parameter: "hub.challenge", tokenParameter: "hub.verify_token")
        let text = source.setUpText(url: "http://127.0.0.1:8420/hooks/meta", secret: nil)
        #expect(text.contains("hub.challenge") && text.contains("hub.verify_token"))
        #expect(text.contains("--public-url"))
        #expect(!source.setUpText(url: "https://hub.example/hooks/meta", secret: nil).contains("--public-url"))
        let local = SourceDefinition(name: "here", preset: .none)
        #expect(!local.setUpText(url: "http://127.0.0.1:8420/hooks/here", secret: nil).contains("--public-url"))
    }
}
