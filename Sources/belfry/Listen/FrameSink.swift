import BelfryCore

/// What `listen` does with frames: prints them, or starts a program for each.
struct FrameSink: Sendable {
    enum Format: String, Sendable, CaseIterable { case text, json }

    /// Nil prints nothing.
    var format: Format?
    var program: FrameProgram?
    var file: PositionFile?

    /// Handles one frame; returns when its program has ended.
    func take(_ frame: JSONValue) async {
        switch format {
        case .text?: Terminal.write(FrameLine.of(frame) + "\n")
        case .json?: Terminal.write(frame.text + "\n")
        case nil: break
        }
        if let complaint = await program?.run(frame), !Task.isCancelled { Terminal.complain(complaint) }
    }

    /// Frames are gone: whoever reads JSON sees that between the frames, and a person on stderr.
    func gap(_ frame: JSONValue) {
        if format == .json { Terminal.write(frame.text + "\n") }
        Terminal.complain("frames were lost: the hub no longer keeps positions \(frame["data"]?.text ?? "")")
    }

    func keep(_ position: Int64) throws { try file?.write(position) }
}
