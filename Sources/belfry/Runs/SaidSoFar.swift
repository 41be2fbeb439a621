import BelfryCore

/// What a step has said so far, and what it has called, as snapshots and runs tell it.
enum SaidSoFar {
    enum Part {
        case text(String)
        /// A line of its own, for a person.
        case note(String)
    }

    /// - Parameter step: `{text, calls?, calls_dropped?}`
    /// - Returns: the text with the calls where they were made.
    static func parts(of step: JSONValue) -> [Part] {
        let said = Array((step["text"]?.string ?? "").utf8)
        var parts: [Part] = []
        var begun = 0
        func addText(upTo end: Int) {
            guard end > begun else { return }
            parts.append(.text(String(decoding: said[begun..<end], as: UTF8.self)))
            begun = end
        }
        if let dropped = step["calls_dropped"]?.number?.int64 {
            parts.append(.note("… \(dropped.counted("call")) before"))
        }
        for call in step["calls"]?.array ?? [] {
            addText(upTo: min(Int(call["at"]?.number?.int64 ?? 0), said.count))
            let state = call.cell("state")
            let stands = ["asked", "working", "cut"].contains(state) ? " (\(state))" : ""
            parts.append(.note("→ \(call.cell("toolCallName")) \(head("arguments", of: call))\(stands)"))
            guard call["result"] != nil else { continue }
            parts.append(.note("\(state == "failed" ? "✗" : "←") \(head("result", of: call))"))
        }
        addText(upTo: said.count)
        return parts
    }

    private static func head(_ name: String, of call: JSONValue) -> String {
        (call[name]?.string ?? "") + (call["\(name)_bytes"]?.number?.int64.map { "… (\($0) bytes)" } ?? "")
    }
}
