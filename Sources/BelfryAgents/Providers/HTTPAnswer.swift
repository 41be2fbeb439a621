import BelfryCore
import BelfryHTTP

/// Reads an answer as an agent's document describes it: items of an event stream, lines of JSON, one JSON, or text.
struct HTTPAnswer: ProviderAnswer {
    private enum Reader {
        case sse(SSEDecoder)
        case ndjson(LineSplitter)
        /// One document, gathered whole.
        case json([UInt8])
        case text(UTF8Assembler)
    }

    private let settings: AgentDefinition.HTTPSettings
    private var reader: Reader
    private(set) var isDone = false
    private var hasText = false
    private var items = 0

    init(_ settings: AgentDefinition.HTTPSettings, as format: AgentDefinition.HTTPSettings.Format) {
        self.settings = settings
        switch format {
        case .sse: reader = .sse(SSEDecoder())
        case .ndjson: reader = .ndjson(LineSplitter(overflow: .fail))
        case .json: reader = .json([])
        case .text: reader = .text(UTF8Assembler())
        }
    }

    mutating func read(_ bytes: [UInt8], into output: inout [AgentOutput]) throws(ProviderFailure) {
        for item in try split(bytes, into: &output) where !isDone { try read(item: item, into: &output) }
    }

    mutating func finish(into output: inout [AgentOutput]) throws(ProviderFailure) {
        switch reader {
        case .sse: break
        case .ndjson(var splitter):
            if let line = splitter.finish() { try read(item: line, into: &output) }
        case .json(let document):
            if !document.isEmpty { try read(item: document, into: &output) }
        case .text(var assembler): say(assembler.finish(), into: &output)
        }
        guard !isDone else { return }
        guard !expectsDone else { throw .endedEarly }
        try complete(into: &output)
    }

    /// The items that a piece completes; text has none, it is said at once.
    private mutating func split(
        _ bytes: [UInt8], into output: inout [AgentOutput]
    ) throws(ProviderFailure) -> [[UInt8]] {
        // Not held twice while it grows: each piece would copy all that is gathered.
        switch reader {
        case .sse(var decoder):
            reader = .json([])
            defer { reader = .sse(decoder) }
            do { return try decoder.decode(bytes).map(\.data) } catch { throw .lineTooLong(error) }
        case .ndjson(var splitter):
            reader = .json([])
            defer { reader = .ndjson(splitter) }
            do { return try splitter.split(bytes) } catch { throw .lineTooLong(error) }
        case .json(var document):
            reader = .json([])
            document += bytes
            guard document.count <= Limits.streamEventBytesMax else {
                throw ProviderFailure(
                    .outputTooLarge, "the answer is longer than \(Limits.streamEventBytesMax) bytes of JSON")
            }
            reader = .json(document)
            return []
        case .text(var assembler):
            say(assembler.decode(bytes), into: &output)
            reader = .text(assembler)
            return []
        }
    }

    // MARK: Items

    private var isEventStream: Bool { if case .sse = reader { true } else { false } }
    private var isLines: Bool { if case .ndjson = reader { true } else { false } }
    /// Only items can say that they are the last one.
    private var expectsDone: Bool { settings.done != nil && (isEventStream || isLines) }

    private mutating func read(item: [UInt8], into output: inout [AgentOutput]) throws(ProviderFailure) {
        if isEventStream, item.elementsEqual("[DONE]".utf8) { return try complete(into: &output) }
        if isLines, item.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return }
        items += 1
        guard settings.delta != nil || settings.done != nil || settings.error != nil else {
            return say(String(decoding: item, as: UTF8.self) + (isLines ? "\n" : ""), into: &output)
        }
        let value = try ProviderEvents.value(item)
        if let error = settings.error.flatMap({ value.value(at: $0) }), error.isSet {
            throw error.object == nil
                ? ProviderFailure("the provider broke off: \(ProviderMessage.cut(error.string ?? error.text))")
                : ProviderFailure(reportedIn: error)
        }
        if let path = settings.delta {
            switch value.value(at: path) {
            case .string(let text): say(text, into: &output)
            case .null, nil: break
            case let other?: say(other.text, into: &output)
            }
        } else {
            say(String(decoding: item, as: UTF8.self) + (isLines ? "\n" : ""), into: &output)
        }
        if let done = settings.done.flatMap({ value.value(at: $0) }), !done.isNull, done.bool != false {
            try complete(into: &output)
        }
    }

    private mutating func say(_ text: String, into output: inout [AgentOutput]) {
        guard !text.isEmpty else { return }
        hasText = true
        output.append(.text(text))
    }

    private mutating func complete(into output: inout [AgentOutput]) throws(ProviderFailure) {
        isDone = true
        guard hasText else {
            throw ProviderFailure(
                items == 0 || settings.delta == nil
                    ? "the answer was empty"
                    : "no text in the answer: nothing stood at `delta` in any of its \(items.counted("item"))")
        }
        output.append(.finished(.stop))
    }
}

extension JSONValue {
    /// The value that keys and indexes lead to.
    fileprivate func value(at path: [EventPath.Part]) -> JSONValue? {
        path.reduce(Optional(self)) { value, part in
            switch part {
            case .key(let key): value?[key]
            case .index(let index): value?.array.flatMap { $0.indices.contains(index) ? $0[index] : nil }
            }
        }
    }

    /// Whether it says something: not null, false or "".
    fileprivate var isSet: Bool { !isNull && bool != false && string != "" }
}
