import BelfryCore

/// A table of text: columns as wide as their widest cell, the last one as it is.
struct Table {
    private let header: [String]
    private var rows: [[String]] = []

    init(_ header: String...) { self.header = header }

    /// A row for each item, its cells by `cells`.
    init(_ header: [String], _ items: [JSONValue], _ cells: (JSONValue) -> [String]) {
        self.header = header
        rows = items.map { cells($0).map(Self.line) }
    }

    mutating func add(_ cells: String...) { rows.append(cells.map(Self.line)) }

    /// The text; a header alone says that there is nothing.
    var text: String {
        guard !rows.isEmpty else { return "nothing to show\n" }
        var widths = header.map(\.count)
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) }
        }
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { index, cell in
                index == cells.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count)
            }
            return padded.joined(separator: "  ") + "\n"
        }
        return Terminal.faint(line(header.map { $0.uppercased() })) + rows.map(line).joined()
    }

    private static func line(_ cell: String) -> String {
        String(Terminal.harmless(cell).map { $0.isNewline || $0 == "\t" ? " " : $0 })
    }
}

extension JSONValue {
    /// The member as a person reads it: a string as it is, `-` for nothing, a list with commas.
    func cell(_ key: String) -> String { self[key]?.cell ?? "-" }

    var cell: String {
        switch self {
        case .null: "-"
        case .string(let text): text.isEmpty ? "-" : text
        case .bool(let value): value ? "yes" : "no"
        case .array(let elements): elements.isEmpty ? "-" : elements.map(\.cell).joined(separator: ", ")
        case .number, .object: text
        }
    }

    /// The list of a list answer.
    var items: [JSONValue] { self["items"]?.array ?? array ?? [] }

    /// `2026-01-02T03:04:05.678Z` as `2026-01-02 03:04:05`.
    func timeCell(_ key: String) -> String {
        guard let text = self[key]?.string, text.count >= 19 else { return cell(key) }
        return String(text.prefix(19).replacing("T", with: " "))
    }
}

/// What follows a list that has more.
enum Continuation {
    static func hint(_ answer: JSONValue) -> String {
        answer["next"]?.string.map { Terminal.faint("more: --cursor \($0)") + "\n" } ?? ""
    }
}
