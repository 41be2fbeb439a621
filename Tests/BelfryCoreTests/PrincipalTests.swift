import BelfryCore
import Testing

/// What a token may, by its role and its scopes.
@Suite struct PrincipalTests {
    private func token(_ role: Role, _ scopes: String...) -> Principal {
        Principal(token: nil, name: "ci", role: role, scopes: scopes)
    }

    private let run = RunID("run_01h455vb4pex5vsknk084sn02q")

    @Test("a publisher publishes to what its scopes name and to nothing else, and sees nothing")
    func publisher() throws {
        let build = token(.publisher, "custom/build", "source/plant")
        #expect(build.mayPublish(to: .custom("build")) && build.mayPublish(to: .source("plant")))
        for topic in [Topic.custom("other"), .custom("build.2"), .source("github"), .everySource, .runs, .alerts] {
            #expect(!build.mayPublish(to: topic), "\(topic)")
        }
        #expect(!build.maySubscribe(to: .custom("build")))
        #expect(token(.publisher, "custom/*").mayPublish(to: .custom("other")))
        #expect(!token(.publisher, "custom/*").mayPublish(to: .source("plant")))
    }

    @Test("a publisher without scopes may nothing, and is told how to get one that may")
    func unscopedPublisher() throws {
        let old = token(.publisher)
        #expect(!old.mayPublish(to: .custom("build")) && !old.mayPublish(to: .source("plant")))
        #expect {
            try old.checkPublish(to: .custom("build"))
        } throws: { error in
            "\(error)".contains("--scope custom/build") && "\(error)".contains("ci has no scopes")
        }
    }

    @Test("without scopes a role does what it always did")
    func unscoped() {
        #expect(token(.operator).mayPublish(to: .custom("a")) && token(.admin).mayPublish(to: .source("a")))
        #expect(!token(.viewer).mayPublish(to: .custom("a")))
        #expect(!token(.admin).mayPublish(to: .runs), "only events and custom frames are published")
        #expect(token(.viewer).maySubscribe(to: .everyRun) && !token(.publisher).maySubscribe(to: .runs))
    }

    @Test("a scoped viewer sees its topics; a star stands for every topic of its kind and for no other")
    func scopedViewer() throws {
        let run = try #require(run)
        let runs = token(.viewer, "run/*", "custom/build")
        #expect(runs.maySubscribe(to: .run(run)) && runs.maySubscribe(to: .everyRun))
        #expect(runs.maySubscribe(to: .custom("build")))
        for topic in [Topic.runs, .alerts, .rule("a"), .source("plant"), .everySource, .custom("other")] {
            #expect(!runs.maySubscribe(to: topic), "\(topic)")
        }
        let one = token(.viewer, "run/\(run)", "source/plant")
        #expect(one.maySubscribe(to: .run(run)) && one.maySubscribe(to: .source("plant")))
        #expect(!one.maySubscribe(to: .everyRun) && !one.maySubscribe(to: .everySource))
        #expect(token(.viewer, "source/*").maySubscribe(to: .source("plant")))
        #expect(!token(.viewer, "custom/build").mayPublish(to: .custom("build")))
        #expect(token(.operator, "custom/build").mayPublish(to: .custom("build")))
        #expect {
            try one.checkSubscribe(to: .alerts)
        } throws: { error in
            "\(error)".contains("may not see alerts") && "\(error)".contains("source/plant")
        }
    }

    @Test("a scope is a topic or custom/*", arguments: ["custom/*", "source/*", "run/*", "alerts", "rule/a"])
    func scopes(text: String) { #expect(Principal.scope(text) == text) }

    @Test("anything else is none", arguments: ["", "*", "rule/*", "custom/", "custom/A", "source/a/b", "run/x"])
    func noScopes(text: String) { #expect(Principal.scope(text) == nil) }
}
