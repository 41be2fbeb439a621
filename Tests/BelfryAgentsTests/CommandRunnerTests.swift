import BelfryCore
import BelfryHTTP
import Glibc
import Synchronization
import Testing

@testable import BelfryAgents

/// Real programs, well-behaved and not. After each, nothing that carries the hub's marker is left. Their children end
/// by themselves after a minute, lest a broken runner leaves a machine full of them.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct CommandRunnerTests {
    /// A hub of its own per test: what is found under it was left by this test.
    private let hub = "test-\(UInt64.random(in: 0 ... .max))"

    private func sh(
        _ script: String,
        arguments: [String] = [],
        input: String = "{}",
        timeout: Duration = .seconds(50),
        outputBytesMax: Int = Limits.stepOutputBytesMax,
        grace: Duration = .milliseconds(200),
        emit: @escaping @Sendable (AgentOutput) async throws -> Void = { _ in }
    ) async -> (collected: Collected, error: BelfryError?) {
        var collected = Collected()
        var failure: BelfryError?
        do throws(BelfryError) {
            try await CommandRunner(hub: hub, grace: grace).run(
                CommandRequest(
                    program: "/bin/sh", arguments: ["-c", script, "sh"] + arguments, input: Array(input.utf8),
                    run: RunID(at: Timestamp(seconds: 1)), step: "fix", timeout: timeout, outputBytesMax: outputBytesMax
                )
            ) { output in
                collected.items.append(output)
                try await emit(output)
            }
        } catch {
            failure = error
        }
        #expect(leftovers().isEmpty)
        return (collected, failure)
    }

    private func leftovers() -> [Int32] {
        let marker = Array("BELFRY_HUB=\(hub)".utf8)
        return ProcessTable.processes().filter { process in
            ProcessTable.environment(of: process).contains { $0.elementsEqual(marker) }
        }
    }

    @Test("input in, text and log lines out, the group first")
    func plain() async {
        let (collected, error) = await sh(
            #"cat; echo "arg: $1"; printf 'one\ntwo' >&2"#, arguments: ["a b"], input: #"{"x":"ä"}"#
        )
        #expect(error == nil)
        #expect(collected.text == #"{"x":"ä"}"# + "arg: a b\n")
        #expect(collected.logs == ["one", "two"])
        guard case .started(let group) = collected.items.first else {
            Issue.record("the first output is not the start")
            return
        }
        #expect(group > 1)
    }

    @Test("a program gets a session of its own, the markers, and none of the hub's environment")
    func environment() async {
        setenv("BELFRY_TEST_SECRET", "leaked", 1)
        let (collected, error) = await sh("env; ps -o pid=,pgid=,sid= -p $$; ls -l /proc/self/fd | wc -l")
        #expect(error == nil)
        let lines = collected.text.split(separator: "\n").map(String.init)
        let run = RunID(at: Timestamp(seconds: 1)).description.prefix(14)
        #expect(lines.contains("BELFRY_HUB=\(hub)"))
        #expect(lines.contains("BELFRY_HOPS=0"))
        #expect(lines.contains { $0.hasPrefix("BELFRY_RUN=\(run)") })
        #expect(lines.contains { $0.hasPrefix("BELFRY_STEP=\(run)") && $0.hasSuffix("/fix") })
        let names = Set(lines.compactMap { $0.contains("=") ? String($0.prefix { $0 != "=" }) : nil })
        #expect(
            names.isSubset(of: [
                "PATH", "HOME", "LANG", "TZ", "BELFRY_HUB", "BELFRY_RUN", "BELFRY_STEP", "BELFRY_HOPS", "PWD",
                "OLDPWD", "SHLVL", "_",
            ]))
        let ids = lines.first { $0.split(separator: " ").count == 3 && !$0.contains("=") }?.split(separator: " ") ?? []
        #expect(Set(ids).count == 1)
    }

    @Test("a large input is fed while output is read, and one that nobody reads is no error")
    func input() async {
        let large = String(repeating: "0123456789", count: 50_000)
        let (collected, error) = await sh("cat", input: large)
        #expect(error == nil && collected.text == large)
        let (ignored, ignoredError) = await sh("exec <&-; echo done", input: large)
        #expect(ignoredError == nil && ignored.text == "done\n")
    }

    @Test("output comes as it is written, UTF-8 cut in the middle is mended, what is none becomes U+FFFD")
    func text() async {
        let (collected, error) = await sh(
            #"printf 'a\303'; sleep 0.1; printf '\244b\377c'; sleep 0.1; printf '\342\202'"#)
        #expect(error == nil)
        #expect(collected.text == "aäb\u{FFFD}c\u{FFFD}")
        #expect(collected.items.count > 2)
    }

    @Test("an exit code is an error with the last line of standard error; a signal is named")
    func failures() async {
        let (_, error) = await sh("echo first >&2; echo 'cannot open valve' >&2; exit 3")
        #expect(error?.code == .commandFailed)
        #expect(error?.message == "the command ended with exit code 3: cannot open valve")
        let (_, signalled) = await sh("kill -SEGV $$")
        #expect(signalled?.message == "the command was ended by SIGSEGV")
        let (_, missing) = await sh("nonesuch-program")
        #expect(missing?.message.contains("127") == true)
    }

    @Test("a program that is not there cannot be started, and the message says which")
    func notThere() async {
        let error = await #expect(throws: BelfryError.self) {
            try await CommandRunner(hub: hub).run(
                CommandRequest(program: "/nonesuch/program", run: RunID(at: Timestamp(seconds: 1)), step: "x")
            ) { _ in }
        }
        #expect(error?.code == .commandFailed && error?.message.contains("/nonesuch/program cannot be started") == true)
    }

    @Test("an argument with a NUL is refused, not cut")
    func nul() async {
        let (collected, error) = await sh("echo \"$1\"", arguments: ["a\u{0}b"])
        #expect(error?.code == .commandFailed && collected.items.isEmpty)
    }

    @Test("at the deadline it is ended, also when it and its children ignore SIGTERM")
    func deadline() async {
        let began = ContinuousClock.now
        let (collected, error) = await sh(
            "trap '' TERM; (trap '' TERM; sleep 60) & echo up; while :; do sleep 1; done", timeout: .milliseconds(300)
        )
        #expect(error?.code == .agentTimeout)
        #expect(collected.text == "up\n")
        #expect(.now - began < .seconds(30))
    }

    @Test("SIGTERM comes first, and what is said before the end still counts")
    func gracefully() async {
        let (collected, error) = await sh(
            "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done", timeout: .milliseconds(300),
            grace: .seconds(5)
        )
        #expect(error?.code == .agentTimeout)
        #expect(collected.text == "up\nbye\n")
    }

    @Test(
        "a cancelled command is gone when run throws",
        arguments: [
            "trap '' TERM; echo up; sleep 60 & sleep 60",
            "echo up; setsid sh -c \"trap '' TERM; sleep 60\" & sleep 60",
            "echo up; setsid setsid sleep 60; sleep 60",
            "exec >&- 2>&-; sleep 60",
            "echo up; yes >&2",
        ])
    func cancelled(script: String) async throws {
        let started = Mutex(false)
        let task = Task {
            await sh(script) { output in
                if case .started = output { started.withLock { $0 = true } }
            }
        }
        while !started.withLock({ $0 }) { try await Task.sleep(for: .milliseconds(5)) }
        try await Task.sleep(for: .milliseconds(100))
        let began = ContinuousClock.now
        task.cancel()
        #expect(await task.value.error?.code == .cancelled)
        #expect(.now - began < .seconds(30))
    }

    @Test(
        "children that outlive a normal end are ended, in their group, out of it, and holding the pipe",
        arguments: [
            "sleep 60 & echo done", "setsid sleep 60 & echo done", "(setsid sh -c 'sleep 60 & sleep 60' &) ; echo done",
            "sh -c \"trap '' TERM HUP; sleep 60\" & echo done", "setsid timeout 60 yes >/dev/null & echo done",
            "echo done; yes >&2 &",
            "setsid sh -c 'for i in $(seq 200); do setsid sleep 60 & sleep 0.01; done' & sleep 0.2; echo done",
        ])
    func normalEnd(script: String) async {
        let began = ContinuousClock.now
        let (collected, error) = await sh(script)
        #expect(error == nil)
        #expect(collected.text == "done\n")
        #expect(.now - began < .seconds(30))
    }

    @Test("a full pipe of standard error does not block it; its lines are capped and cut")
    func fullStandardError() async {
        let (collected, error) = await sh(
            "i=0; while [ $i -lt 3000 ]; do echo \"line $i\" >&2; i=$((i+1)); done;"
                + " head -c 300000 /dev/zero | tr '\\0' x >&2; echo done"
        )
        #expect(error == nil && collected.text == "done\n")
        #expect(collected.logs.count == Limits.logLinesMax)
        let (cut, _) = await sh("head -c 300000 /dev/zero | tr '\\0' x >&2")
        #expect(cut.logs.map(\.utf8.count) == [Limits.logLineBytesMax])
    }

    @Test("output without end is cut at the cap and the program ended")
    func tooMuch() async {
        let (collected, error) = await sh("yes 0123456", outputBytesMax: 10_000)
        #expect(error?.code == .outputTooLarge)
        #expect(collected.text.utf8.count == 10_000)
    }

    @Test("a taker that throws ends the program, and its error comes back")
    func takerThrows() async {
        let (_, error) = await sh("echo x; sleep 60") { output in
            if case .text = output { throw BelfryError(.storageFull, "full") }
        }
        #expect(error?.code == .storageFull)
    }

    @Test("a slow taker holds the program back instead of gathering its output")
    func backpressure() async throws {
        let (collected, error) = await sh("head -c 3000000 /dev/zero | tr '\\0' x", outputBytesMax: 4_000_000) {
            output in
            if case .text(let text) = output {
                #expect(text.utf8.count <= 1 << 20)
                try await Task.sleep(for: .milliseconds(2))
            }
        }
        #expect(error == nil && collected.text.utf8.count == 3_000_000)
    }

    @Test("orphans are found by hub and step, and nothing else is")
    func reaper() async throws {
        let run = RunID(at: Timestamp(seconds: 1))
        let other = "other-\(hub)"
        for (hub, step) in [(hub, "a"), (hub, "b"), (other, "a")] {
            let variables = ["BELFRY_HUB=\(hub)", "BELFRY_STEP=\(run)/\(step)", "PATH=/usr/bin:/bin"]
            #expect(spawn("/usr/bin/setsid", ["setsid", "sleep", "60"], variables) > 0)
        }
        while leftovers().count < 2 { try await Task.sleep(for: .milliseconds(5)) }
        let one = await OrphanReaper.reap(hub: hub, steps: ["\(run)/a"])
        #expect(one.killed >= 1 && one.survivors.isEmpty)
        #expect(leftovers().count == 1)
        let rest = await OrphanReaper.reap(hub: hub)
        #expect(rest.killed >= 1 && rest.survivors.isEmpty)
        #expect(leftovers().isEmpty)
        #expect(await OrphanReaper.reap(hub: other).killed >= 1)
        #expect(await OrphanReaper.reap(hub: other).killed == 0)
    }

    /// What an earlier life of the hub could have left: a process nobody waits for.
    private func spawn(_ program: String, _ arguments: [String], _ environment: [String]) -> Int32 {
        var process: pid_t = 0
        var arguments = arguments.map { strdup($0) } + [nil]
        var environment = environment.map { strdup($0) } + [nil]
        posix_spawn(&process, program, nil, nil, &arguments, &environment)
        for pointer in arguments + environment { free(pointer) }
        return process
    }
}
