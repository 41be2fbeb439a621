import BelfryCore
import Testing

struct RunStateTests {
    @Test("nothing leaves an ended state, and every other one has a way on")
    func ends() {
        for state in RunState.allCases {
            let next = RunState.allCases.filter(state.allows)
            #expect(next.isEmpty == state.isEnded)
            #expect(!state.allows(state))
        }
    }

    @Test("a run that has not ended can be stopped, once")
    func stopping() {
        for state in RunState.allCases {
            #expect(state.allows(.stopping) == [.queued, .running, .waiting].contains(state))
            #expect(state.allows(.stopped) == (state == .stopping))
        }
    }

    @Test("success comes from running only; a queued run cannot fail")
    func success() {
        for state in RunState.allCases { #expect(state.allows(.succeeded) == (state == .running)) }
        #expect(!RunState.queued.allows(.failed))
        #expect(!RunState.queued.allows(.waiting))
        #expect(RunState.waiting.allows(.running))
    }

    @Test("a role may do what the roles before it may, and a publisher only publishes")
    func roles() {
        #expect(Role.admin.includes(.publisher))
        #expect(Role.operator.includes(.viewer))
        #expect(!Role.viewer.includes(.operator))
        #expect(!Role.operator.includes(.publisher))
        for role in Role.allCases { #expect(Role.publisher.includes(role) == (role == .publisher)) }
    }

    @Test("a secret shows itself in no description, and references read back")
    func secrets() {
        let secret = NamedSecret(name: "env:A", secret: Secret("s3cret"))
        #expect(!"\(secret)".contains("s3cret"))
        #expect(!String(reflecting: secret).contains("s3cret"))
        var dumped = ""
        dump(secret, to: &dumped)
        #expect(!dumped.contains("s3cret") && !dumped.contains("115"))
        for text in ["env:A", "env:A?", "file:/x", "generate"] { #expect(SecretReference(text)?.description == text) }
        for text in ["", "env:", "env:?", "file:", "A", "generate:x"] { #expect(SecretReference(text) == nil) }
    }
}
