import Testing

@testable import belfry

/// What finds and counts messages.
struct FanoutPartsTests {
    private let format = FanoutMark.Format(run: 7)

    private func mark(_ number: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        format.append(FanoutMark(number: number, sent: 42), to: &bytes)
        return bytes
    }

    private func scan(_ pieces: [ArraySlice<UInt8>]) -> [Int] {
        var scanner = EventScanner()
        var marks: [FanoutMark] = []
        for piece in pieces { Array(piece).withUnsafeBytes { scanner.feed($0, format, &marks) } }
        return marks.map(\.number)
    }

    @Test(
        "an event counts when it is complete, however its lines end and wherever it is cut",
        arguments: ["\n", "\r\n", "\r"])
    func events(end: String) {
        let text = [
            ": hello", "retry: 1", "id: 1", "data: {\"m\":\"MARK0\"}", "", "event: x", "data:MARK1", "data:MARK2", "",
            "id: 9", "", "comment MARK8", "", "data: MARK3",
        ].joined(separator: end)
        var bytes: [UInt8] = []
        for (index, piece) in text.split(separator: "MARK").enumerated() {
            guard index > 0, let number = piece.first?.wholeNumberValue else {
                bytes += piece.utf8
                continue
            }
            bytes += mark(number) + piece.dropFirst().utf8
        }
        // Of an event's lines the first mark counts; the last event has no end.
        #expect(scan([bytes[...]]) == [0, 1])
        for cut in 1..<bytes.count { #expect(scan([bytes[..<cut], bytes[cut...]]) == [0, 1]) }
        #expect(scan(bytes.map { [$0] }) == [0, 1])
        #expect(scan([bytes[...], Array((end + end).utf8)[...]]) == [0, 1, 3])
    }

    @Test("marks of another run, and what only looks like one, are none")
    func otherMarks() {
        for text in [
            "belfry-bench=8,1,42;", "belfry-bench=7,1,42", "belfry-bench=7,,42;", "belfry-bench=7,x,42;",
            "belfry-bench=7,1111111111111111111,42;", "belfry-benc", "b", "",
        ] {
            #expect(Array(text.utf8).withUnsafeBytes { format.find(in: $0) } == nil, "\(text)")
        }
        let twice = Array("belfry-bench=7,x belfry-bench=7,3,42;".utf8)
        #expect(twice.withUnsafeBytes { format.find(in: $0) } == nil)
        #expect((mark(5) + mark(6)).withUnsafeBytes { format.find(in: $0) } == FanoutMark(number: 5, sent: 42))
    }

    @Test("a WebSocket message counts when its last fragment is whole, wherever it is cut")
    func messages() {
        let long = mark(2) + [UInt8](repeating: 0x2E, count: 70_000)
        let bytes =
            ScriptedHub.frame(mark(0), opcode: 1) + ScriptedHub.frame([1, 2], opcode: 9)
            + ScriptedHub.frame(mark(1), opcode: 2, isLast: false) + ScriptedHub.frame([], opcode: 10)
            + ScriptedHub.frame(Array("rest".utf8), opcode: 0) + ScriptedHub.frame(long, opcode: 1)
            + ScriptedHub.frame([3, 232], opcode: 8) + ScriptedHub.frame(mark(3), opcode: 1)
        for cut in Array(1..<90) + [200, 40_000, bytes.count - 1] {
            var scanner = MessageScanner()
            var marks: [FanoutMark] = []
            for piece in [bytes[..<cut], bytes[cut...]] {
                let isWell = Array(piece).withUnsafeBytes { scanner.feed($0, format, &marks) }
                #expect(isWell)
            }
            #expect(marks.map(\.number) == [0, 1, 2])
            #expect(scanner.count == 3 && scanner.isClosed)
            #expect(scanner.pings == [[1, 2]])
        }
        var scanner = MessageScanner()
        var marks: [FanoutMark] = []
        let isMasked = [UInt8]([0x81, 0x80, 0, 0, 0, 0]).withUnsafeBytes { scanner.feed($0, format, &marks) }
        #expect(!isMasked)
    }

    @Test("each number once and in order; what is missing, twice or late is told apart")
    func account() {
        var account = DeliveryAccount(first: 10)
        for number in [10, 11, 13, 12, 13, 16, 12] { _ = account.take(number) }
        #expect(account.count == 5)
        #expect(account.reordered == 1)
        #expect(account.doubled == 2)
        #expect(account.lost(before: 17) == 2)
        #expect(account.lost(before: 20) == 5)
    }

    @Test("templates are filled in, and padded to the size of a message")
    func template() {
        let values = FanoutTemplate.Values(
            topic: Array("t".utf8), mark: .init(number: 3, sent: 42), format: format, size: 40)
        let text = String(decoding: FanoutTemplate("{topic}/{number} {mark}{pad}{x}").bytes(values), as: UTF8.self)
        #expect(text == "t/3 belfry-bench=7,3,42;" + String(repeating: ".", count: 13) + "{x}")
        #expect(FanoutTemplate("/a/{topic}").hasTopic && !FanoutTemplate("/a").hasTopic)
    }

    @Test("messages take turns at the topics, and each has to reach its topic's subscribers")
    func phase() {
        // Three topics, the first with two subscribers; four messages were published before.
        var phase = FanoutPhase(first: 4, begin: 0, readers: [2, 1, 1])
        #expect((0..<3).map { phase.firstNumber(topic: $0) } == [2, 1, 1])
        for topic in [1, 2, 0] { phase.publish(topic: topic, at: 0) }
        #expect((0..<3).map { phase.endNumber(topic: $0) } == [3, 2, 2])
        #expect(phase.underWay == 3)
        let outcomes = [(1, 1), (2, 0), (1, 0)].map { number, topic in
            phase.deliver(.init(number: number, sent: 0), topic: topic, at: 5)
        }
        // The last one was published before.
        #expect(outcomes == [true, true, false])
        #expect(phase.underWay == 2 && !phase.hasAll)
        _ = phase.deliver(.init(number: 2, sent: 0), topic: 0, at: 5)
        _ = phase.deliver(.init(number: 1, sent: 0), topic: 2, at: 5)
        #expect(phase.underWay == 0 && phase.hasAll && phase.deliveries == 4)
    }

    @Test("what a process uses can be read, with its children")
    func usage() async throws {
        let folder = try TemporaryFolder()
        let shell = try ChildProcess(
            "/bin/sh", ["-c", "sleep 5 & wait"], outputPath: "\(folder.path)/out", errorPath: "\(folder.path)/err")
        defer { shell.send(9) }
        let usage = try await eventually("its child") {
            ServerUsage.of([shell.id]).flatMap { $0.processes == 2 ? $0 : nil }
        }
        #expect(usage.residentBytes > 100_000)
        #expect(ServerUsage.of([]) == nil)
    }
}
