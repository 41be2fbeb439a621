import BelfryCore

/// What `listen` does with frames: prints them, or starts a program for each.
struct FrameSink: Sendable {
    enum Format: String, Sendable, CaseIterable { case text, json }

    /// Nil prints nothing.
    var format: Format?
    var program: FrameProgram?
    var file: PositionFile?
    /// A program that fails is the end, instead of a complaint.
    var stopsOnFailure = false

    /// Handles one frame; returns when its program has ended.
    /// - Throws: a ``Failure`` if it failed and that is the end.
    func take(_ frame: JSONValue) async throws(Failure) {
        switch format {
        case .text?: Terminal.write(FrameLine.of(frame) + "\n")
        case .json?: Terminal.write(frame.text + "\n")
        case nil: break
        }
        guard let complaint = await program?.run(frame), !Task.isCancelled else { return }
        if stopsOnFailure { throw Failure(.negative, complaint) }
        Terminal.complain(complaint)
    }

    /// Frames are gone: whoever reads JSON sees that between the frames, and a person on stderr.
    func gap(_ frame: JSONValue) {
        if format == .json { Terminal.write(frame.text + "\n") }
        Terminal.complain("frames were lost: the hub no longer keeps positions \(frame["data"]?.text ?? "")")
    }

    func keep(_ position: Int64) throws { try file?.write(position) }
}
