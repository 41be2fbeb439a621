import BelfryCore
import BelfryHTTP
import Glibc
import Subprocess
import Synchronization

/// One command from its start to its end: three pipes, a deadline, and one reader that meets them in order.
final class CommandSession: Sendable {
    typealias Execution = Subprocess.Execution<CustomWriteInput, SequenceOutput, SequenceOutput>

    private struct State {
        var group: ProcessGroup?
        var lastLog: String?
        var isLate = false
    }

    /// A piece of output on its way to the reader. Whoever read it from the pipe waits until it is taken: a command
    /// that writes faster than its output is stored is held back by its own pipe.
    private struct Piece: Sendable {
        enum Origin { case output, log }
        var origin: Origin
        var bytes: [UInt8]
        var taken: CheckedContinuation<Void, Never>
    }

    private let request: CommandRequest
    private let grace: Duration
    private let state = Mutex(State())

    init(request: CommandRequest, grace: Duration) {
        self.request = request
        self.grace = grace
    }

    /// Nil if the program was not started.
    var group: ProcessGroup? { state.withLock(\.group) }
    /// The last line of standard error, if any.
    var lastLog: String? { state.withLock(\.lastLog) }

    /// Moves bytes until both pipes have ended; leaves the group killed.
    /// - Returns: why it was ended early, if it was.
    func drive(_ execution: Execution, emit: (AgentOutput) async throws -> Void) async -> BelfryError? {
        let group = ProcessGroup(leader: execution.processIdentifier.value)
        state.withLock { $0.group = group }
        let (pieces, sink) = AsyncStream<Piece>.makeStream()
        return await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { await self.feed(execution) }
            tasks.addTask { await self.endLate(group) }
            tasks.addTask {
                await withTaskGroup(of: Void.self) { readers in
                    readers.addTask { await Self.read(execution.standardOutput, .output, group, into: sink) }
                    readers.addTask { await Self.read(execution.standardError, .log, group, into: sink) }
                }
                sink.finish()
            }
            let failure = await take(pieces, group, emit: emit)
            // The leader is not waited for yet: its id, and so its group's, is still its own.
            if Task.isCancelled {
                await group.terminate(grace: grace)
            } else if failure != nil || group.hasLeaderEnded {
                group.send(SIGKILL)
            } else {
                // Both pipes are closed and it works on: it has until the deadline.
                await waitForLeader(group)
                group.send(SIGKILL)
            }
            tasks.cancelAll()
            return state.withLock(\.isLate) ? late : failure
        }
    }

    private var late: BelfryError {
        BelfryError(.agentTimeout, "the command did not end within \(request.timeout.milliseconds) ms and was ended")
    }

    // MARK: The tasks

    private func feed(_ execution: Execution) async {
        // A program need not read its input: a closed pipe is no error.
        if !request.input.isEmpty { _ = try? await execution.standardInputWriter.write(request.input) }
        try? await execution.standardInputWriter.finish()
    }

    private func endLate(_ group: ProcessGroup) async {
        do {
            try await Task.sleep(for: request.timeout)
        } catch {
            return
        }
        state.withLock { $0.isLate = true }
        await group.terminate(grace: grace)
    }

    private static func read(
        _ pipe: SubprocessOutputSequence, _ origin: Piece.Origin, _ group: ProcessGroup,
        into sink: AsyncStream<Piece>.Continuation
    ) async {
        var buffers = pipe.makeAsyncIterator()
        while let buffer = try? await buffers.next() {
            // What a dead leader's children still write would have no end: only what is in the pipe counts.
            if group.hasLeaderEnded { group.send(SIGKILL) }
            let bytes = buffer.withUnsafeBytes { [UInt8]($0) }
            await withCheckedContinuation { taken in
                switch sink.yield(Piece(origin: origin, bytes: bytes, taken: taken)) {
                case .enqueued: break
                default: taken.resume()
                }
            }
        }
    }

    private func waitForLeader(_ group: ProcessGroup) async {
        var pause = Duration.milliseconds(1)
        while !group.hasLeaderEnded, !Task.isCancelled {
            try? await Task.sleep(for: pause)
            pause = min(pause * 2, .milliseconds(50))
        }
        if Task.isCancelled { await group.terminate(grace: grace) }
    }

    // MARK: The reader

    private func take(
        _ pieces: AsyncStream<Piece>, _ group: ProcessGroup, emit: (AgentOutput) async throws -> Void
    ) async -> BelfryError? {
        var output = CommandOutput(outputBytesMax: request.outputBytesMax)
        var failure: BelfryError?
        func pass(_ outputs: [AgentOutput]) async {
            guard failure == nil else { return }
            do {
                for output in outputs { try await emit(output) }
            } catch {
                failure = BelfryError(fromEmit: error)
            }
        }
        await pass([.started(processGroup: group.leader)])
        if failure != nil { group.send(SIGKILL) }
        for await piece in pieces {
            if failure == nil {
                switch piece.origin {
                case .output: await pass(output.text(piece.bytes))
                case .log: await pass(output.log(piece.bytes))
                }
                if failure == nil, output.isTooLarge { failure = .outputTooLarge(request.outputBytesMax) }
                // The rest is read and dropped until the pipes end.
                if failure != nil { group.send(SIGKILL) }
            }
            piece.taken.resume()
        }
        await pass(output.finish())
        state.withLock { $0.lastLog = output.lastLog }
        return failure
    }
}

/// Turns the bytes of a command's two pipes into outputs: pure.
struct CommandOutput {
    private(set) var isTooLarge = false
    private(set) var lastLog: String?
    private let outputBytesMax: Int
    private var outputBytes = 0
    private var logLines = 0
    private var decoder = UTF8Assembler()
    private var lines = LineSplitter(lineBytesMax: Limits.logLineBytesMax, overflow: .cut)

    init(outputBytesMax: Int) { self.outputBytesMax = outputBytesMax }

    mutating func text(_ bytes: [UInt8]) -> [AgentOutput] {
        guard !isTooLarge else { return [] }
        let room = outputBytesMax - outputBytes
        outputBytes += bytes.count
        isTooLarge = bytes.count > room
        let text = decoder.decode(isTooLarge ? Array(bytes.prefix(room)) : bytes)
        return text.isEmpty ? [] : [.text(text)]
    }

    mutating func log(_ bytes: [UInt8]) -> [AgentOutput] {
        // Cutting never throws.
        ((try? lines.split(bytes)) ?? []).compactMap { logLine($0) }
    }

    mutating func finish() -> [AgentOutput] {
        var outputs: [AgentOutput] = []
        let text = decoder.finish()
        if !text.isEmpty { outputs.append(.text(text)) }
        if let line = lines.finish().flatMap({ logLine($0) }) { outputs.append(line) }
        return outputs
    }

    private mutating func logLine(_ bytes: [UInt8]) -> AgentOutput? {
        let line = String(decoding: bytes, as: UTF8.self)
        if !line.isEmpty { lastLog = line }
        logLines += 1
        if logLines == Limits.logLinesMax { return .log("[further lines are not kept]") }
        return logLines < Limits.logLinesMax ? .log(line) : nil
    }
}
