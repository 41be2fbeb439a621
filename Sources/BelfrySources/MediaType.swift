import BelfryCore

/// What a `Content-Type` header says, as far as the presets tell apart.
enum MediaType: Equatable, CustomStringConvertible {
    case absent
    case json
    /// Newline-delimited JSON.
    case lines
    /// `application/x-www-form-urlencoded`.
    case form
    /// `multipart/form-data`: read by no preset.
    case multipart
    case other(String)

    init(_ header: String?) {
        // What almost every sender says, and takes apart at a cost.
        if header == "application/json" {
            self = .json
            return
        }
        let type = (header ?? "").split(separator: ";", maxSplits: 1).first.map { $0.lowercased() } ?? ""
        switch type.filter({ $0 != " " && $0 != "\t" }) {
        case "": self = .absent
        case "application/json", "text/json": self = .json
        case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/json-lines",
            "application/x-jsonlines", "application/jsonlines":
            self = .lines
        case "application/x-www-form-urlencoded": self = .form
        case "multipart/form-data": self = .multipart
        case let type where type.hasSuffix("+json"): self = .json
        case let type: self = .other(String(type.prefix(64)))
        }
    }

    var description: String {
        switch self {
        case .absent: "of no stated type"
        case .json: "JSON"
        case .lines: "newline-delimited JSON"
        case .form: "a form"
        case .multipart: "a multipart form"
        case .other(let type): type
        }
    }

    /// Whether a header leaves text to be UTF-8: it names no charset, or one that is.
    static func isUTF8(_ header: String?) -> Bool {
        for parameter in (header ?? "").split(separator: ";").dropFirst() {
            let parts = parameter.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased().filter({ $0 != " " && $0 != "\t" }) == "charset" else {
                continue
            }
            let charset = parts[1].lowercased().filter { $0 != " " && $0 != "\"" && $0 != "\t" }
            return ["utf-8", "utf8", "us-ascii", "ascii"].contains(charset)
        }
        return true
    }

    /// How a sender says that a body is of this kind.
    static func example(of kind: BodyKind) -> String {
        switch kind {
        case .json: "application/json"
        case .form: "application/x-www-form-urlencoded"
        case .ndjson: "application/x-ndjson"
        case .text: "text/plain"
        }
    }
}
