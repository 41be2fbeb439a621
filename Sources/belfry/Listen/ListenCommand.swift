import ArgumentParser
import BelfryCore
import UnixSignals

/// `belfry listen`
struct ListenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "listen",
        abstract: "Follow topics over the WebSocket, and print each frame or start a program for it.",
        discussion: """
            Begins now, behind --after, or where --state left off. A lost connection is resumed behind the last frame \
            that was handled. Ends with 0 on Ctrl-C or SIGTERM, with 3 if the hub cannot be reached at the start \
            (--wait waits for it), with 4 as soon as the token is refused.

            --exec takes the rest of the line: a program and its arguments, started once for each frame, one after the \
            other and never through a shell. It gets the frame as JSON on its standard input, and BELFRY_POSITION, \
            BELFRY_TIME, BELFRY_TOPIC, BELFRY_TYPE, BELFRY_RUN, BELFRY_RULE, BELFRY_SOURCE, BELFRY_EVENT, and of a \
            notice BELFRY_KIND, BELFRY_SEVERITY, BELFRY_TITLE, BELFRY_TEXT and BELFRY_LINK in its environment. They \
            hold what senders wrote: quote them. While it works nothing more is taken from the hub than fits into \
            memory set aside for it, and nothing is lost. A program that fails is reported, and the next frame comes; \
            with --stop-on-failure this ends with 1 instead, and with --state the frame comes again next time. One that \
            is not there ends this with 2 before the first frame.

            EXAMPLE
              belfry listen --topic alerts
              belfry listen --topic runs --topic 'run/*' -o json > frames.ndjson
              belfry listen --topic alerts --state ~/.belfry-alerts --wait --exec \\
                sh -c 'notify-send "$BELFRY_TITLE" "$BELFRY_TEXT"'
            """
    )

    @OptionGroup var hub: HubOptions

    @Option(help: ArgumentHelp("What to follow: alerts, runs, run/ID, source/NAME, … Repeatable.", valueName: "topic"))
    var topic: [String]

    @Option(help: "Begin behind this position of the log; 0 is everything kept.")
    var after: Int64?

    @Option(help: ArgumentHelp("Keep the position here over restarts; it wins over --after.", valueName: "file"))
    var state: String?

    @Flag(help: "Wait for a hub that cannot be reached at the start.")
    var wait = false

    @Option(name: [.short, .long], help: "A line per frame: text or json (default text; with --exec none).")
    var output: FrameSink.Format?

    @Option(help: ArgumentHelp("Seconds that a program of --exec may work.", valueName: "seconds"))
    var execTimeout: Int = Int(Limits.listenProgramTimeout.components.seconds)

    @Flag(help: "End with 1 as soon as a program of --exec fails.")
    var stopOnFailure = false

    @Option(
        parsing: .remaining,
        help: ArgumentHelp("Start this for each frame; takes the rest of the line.", valueName: "program [arg…]"))
    var exec: [String] = []

    func validate() throws {
        guard !topic.isEmpty else { throw ValidationError("--topic says what to follow, for example --topic alerts") }
        do {
            _ = try Topic.list(topic)
        } catch {
            throw ValidationError(error.message)
        }
        guard after ?? 0 >= 0 else { throw ValidationError("--after is a position: 0 or more") }
        guard !stopOnFailure || !exec.isEmpty else { throw ValidationError("--stop-on-failure goes with --exec") }
        guard (1...86400).contains(execTimeout) else { throw ValidationError("--exec-timeout is 1 to 86400 seconds") }
    }

    func run() async throws {
        let url = hub.baseURL
        guard let address = HubAddress(url) else {
            throw Failure(.usage, "\(url) is no hub's address; it begins with http:// or https://")
        }
        let program = exec.first.map {
            FrameProgram(
                $0, arguments: Array(exec.dropFirst()), timeout: .seconds(execTimeout), hub: url)
        }
        try await program?.check()
        let file = state.map { PositionFile(path: $0, hub: url) }
        let sink = FrameSink(
            format: output ?? (program == nil ? .text : nil), program: program, file: file,
            stopsOnFailure: stopOnFailure)
        let state = ListenStateMachine(topics: topic, position: try file?.read() ?? after, isPatient: wait)
        let listener = Listener(hub: url, address: address, token: try hub.foundToken(), sink: sink, state: state)
        if Terminal.isInteractive {
            Terminal.writeError("listening to \(topic.joined(separator: ", ")) at \(url); Ctrl-C ends it\n")
        }
        try await untilSignal { [listener] in
            var listener = listener
            try await listener.run()
        }
    }

    /// Runs `body` until it ends, or SIGINT or SIGTERM comes, or the terminal goes away: a program at work has a process
    /// group of its own and would hear of none of them.
    private func untilSignal(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm, .sighup)
            tasks.addTask { for await _ in signals { return } }
            tasks.addTask {
                do {
                    try await body()
                } catch is CancellationError {
                    // The signal came during a pause.
                }
            }
            defer { tasks.cancelAll() }
            try await tasks.next()
        }
    }
}

extension FrameSink.Format: ExpressibleByArgument {}
