import BelfryCore
import Foundation
import Synchronization
import Testing

/// `belfry listen --exec` and `--state`.
@Suite(.timeLimit(.minutes(2))) struct ListenExecTests {
    /// Notices of these positions, then quiet.
    /// - Parameter caughtUp: hears of each connection that has all of them.
    private func hub(_ positions: ClosedRange<Int>, caughtUp: @escaping @Sendable () -> Void = {}) throws -> ScriptedHub
    {
        try ScriptedHub { peer in
            let after = try peer.upgrade()["params"]?["after"]?.number?.int64 ?? 0
            try peer.send(ScriptedHub.subscribed(0))
            for position in positions where position > after {
                try peer.send(ScriptedHub.notice(position, "\(position); $(touch pwned) `id`"))
            }
            try peer.write(ScriptedHub.frame([], opcode: 9))
            if try peer.frame().opcode == 10 { caughtUp() }
            peer.drain()
        }
    }

    @Test("a program runs for each frame, one after the other, with the frame on its input and in its environment")
    func order() async throws {
        let hub = try hub(1...5)
        let script = #"sleep 0.05; echo "$BELFRY_POSITION $BELFRY_KIND $BELFRY_TITLE $1"; cat"#
        let listening = try Listening.start(hub.url, ["--after", "0", "--exec", "sh", "-c", script, "-", "--flag"])
        let lines = try await listening.lines(10)
        for position in 1...5 {
            #expect(lines[position * 2 - 2] == "\(position) disk \(position); $(touch pwned) `id` --flag")
            #expect(try JSONValue(parsing: lines[position * 2 - 1])["position"]?.number?.int64 == Int64(position))
        }
        #expect(try await listening.terminate() == 0)
        #expect(listening.process.errors == "")
    }

    @Test("a program that fails, does not read or does not end is reported, and the next frame comes")
    func failures() async throws {
        let hub = try hub(1...2)
        for (arguments, complaint) in [
            (["sh", "-c", "exit 7"], "sh …: ended with exit code 7"),
            (["sh", "-c", "kill -9 $$"], "sh …: ended by signal 9"),
            (["sh", "-c", "trap '' TERM; sleep 29.77"], "sh … did not end within 1 s and was ended"),
        ] {
            let listening = try Listening.start(
                hub.url, ["--after", "0", "--exec-timeout", "1", "--exec"] + arguments)
            _ = try await eventually(within: .seconds(20), "two complaints of \(arguments): \(complaint)") {
                listening.process.errors.components(separatedBy: complaint).count == 3 ? true : nil
            }
            #expect(listening.process.isRunning)
            #expect(try await listening.terminate() == 0)
            #expect(listening.lines.isEmpty)
        }
        #expect(!Processes.isSleeping("29.77"))
    }

    @Test(
        "a program that is not there is refused before a frame is passed over",
        arguments: ["/nowhere/program", "nowhere"])
    func missing(program: String) async throws {
        let hub = try hub(1...2)
        let folder = try TemporaryFolder()
        let state = "\(folder.path)/position"
        let listening = try Listening.start(hub.url, ["--after", "0", "--state", state, "--exec", program])
        #expect(try await listening.process.end() == 2)
        #expect(listening.process.errors.contains("--exec: \(program) is no program"))
        #expect(!FileManager.default.fileExists(atPath: state))
    }

    @Test("its end takes the program along; the frame was not handled and comes again")
    func end() async throws {
        let hub = try hub(1...1)
        let folder = try TemporaryFolder()
        let state = ["--after", "0", "--state", "\(folder.path)/position"]
        let hanging = try Listening.start(hub.url, state + ["--exec", "sh", "-c", "echo begun; sleep 29.78"])
        _ = try await hanging.lines(1)
        #expect(try await hanging.terminate() == 0)
        #expect(!Processes.isSleeping("29.78"))
        let next = try Listening.start(hub.url, state + ["--exec", "sh", "-c", "echo $BELFRY_POSITION"])
        #expect(try await next.lines(1) == ["1"])
        #expect(try await next.terminate() == 0)
    }

    @Test("with --stop-on-failure a program that fails is the end; its frame comes again")
    func stopOnFailure() async throws {
        let hub = try hub(1...3)
        let folder = try TemporaryFolder()
        let arguments = ["--after", "0", "--state", "\(folder.path)/position", "--stop-on-failure"]
        let script = #"echo "$BELFRY_POSITION"; test "$BELFRY_POSITION" != 2"#
        let listening = try Listening.start(hub.url, arguments + ["--exec", "sh", "-c", script])
        #expect(try await listening.process.end() == 1)
        #expect(listening.lines == ["1", "2"])
        #expect(listening.process.errors == "belfry: sh …: ended with exit code 1\n")
        let next = try Listening.start(hub.url, arguments + ["--exec", "sh", "-c", #"echo "$BELFRY_POSITION""#])
        #expect(try await next.lines(2) == ["2", "3"])
        #expect(try await next.terminate() == 0)
    }

    @Test("a program that is slow holds the hub back: nothing is lost, and little is kept here")
    func backPressure() async throws {
        let folder = try TemporaryFolder()
        let payload = String(repeating: "x", count: 300_000)
        let sent = Mutex(0)
        // 45 MB: more than fits into sockets and into the frames that wait here.
        let hub = try ScriptedHub { peer in
            _ = try peer.upgrade()
            try peer.send(ScriptedHub.subscribed(0))
            for position in 1...150 {
                try peer.send(ScriptedHub.notice(position, payload))
                sent.withLock { $0 = position }
            }
            peer.drain()
        }
        let script = #"until test -e "$1"; do sleep 0.05; done; printf '%s\n' "$BELFRY_POSITION""#
        let listening = try Listening.start(
            hub.url, ["--after", "0", "--exec", "sh", "-c", script, "-", "\(folder.path)/go"])
        var last = 0
        while case let now = sent.withLock({ $0 }), now == 0 || now > last {
            last = now
            try await Task.sleep(for: .seconds(1))
        }
        #expect(last < 150)
        try folder.write("", to: "go")
        #expect(try await listening.lines(150, within: .seconds(60)) == (1...150).map(String.init))
        #expect(try await listening.terminate() == 0)
    }

    @Test("--state keeps the position: what came while it was down is delivered, what it had is not")
    func state() async throws {
        let folder = try TemporaryFolder()
        let arguments = ["--after", "0", "--state", "\(folder.path)/position"]
        let port: Int
        do {
            let caughtUp = Mutex(0)
            let hub = try hub(1...3) { caughtUp.withLock { $0 += 1 } }
            port = hub.port
            let first = try Listening.start(hub.url, arguments)
            _ = try await first.lines(3)
            _ = try await eventually("the position") {
                try PositionText.read("\(folder.path)/position") == 3 ? true : nil
            }
            #expect(try await first.terminate() == 0)
            let again = try Listening.start(hub.url, arguments)
            _ = try await eventually("the second one to have all") { caughtUp.withLock { $0 } == 2 ? true : nil }
            #expect(try await again.terminate() == 0)
            #expect(again.lines.isEmpty)
        }
        // Another hub's positions say nothing here.
        let other = try Listening.start("http://127.0.0.1:\(port + 1)", arguments)
        #expect(try await other.process.end() == 2)
        #expect(other.process.errors.contains("name another file"))
    }

    @Test("with --exec nothing is printed unless --output says so")
    func printed() async throws {
        let hub = try hub(1...1)
        let listening = try Listening.start(hub.url, ["--after", "0", "-o", "text", "--exec", "echo", "ran"])
        let lines = try await listening.lines(2)
        #expect(lines[0].contains("error"))
        #expect(lines[1] == "ran")
        #expect(try await listening.terminate() == 0)
    }

    private enum PositionText {
        static func read(_ path: String) throws -> Int64? {
            guard let data = FileManager.default.contents(atPath: path) else { return nil }
            return try JSONValue(parsing: Array(data))["position"]?.number?.int64
        }
    }
}
