import BelfryCore

/// A table of text: columns as wide as their widest cell, the last one as it is.
struct Table {
    /// Columns that may be cut where a line would not fit, named as in the header.
    private static let cuttable: Set = ["about", "type", "subject", "reason", "message"]
    private static let cutWidthMin = 8

    private let header: [String]
    private var rows: [[String]] = []

    init(_ header: String...) { self.header = header }

    /// A row for each item, its cells by `cells`.
    init(_ header: [String], _ items: [JSONValue], _ cells: (JSONValue) -> [String]) {
        self.header = header
        rows = items.map { cells($0).map(Self.line) }
    }

    mutating func add(_ cells: String...) { rows.append(cells.map(Self.line)) }

    /// The text, as wide as the terminal at most; in a pipe nothing is cut.
    var text: String { text(width: Terminal.width) }

    /// The text; a header alone says that there is nothing.
    /// - Parameter width: characters that a line may have; nil for any number.
    func text(width: Int?) -> String {
        guard !rows.isEmpty else { return "nothing to show\n" }
        let widths = widths(within: width)
        func line(_ cells: [String]) -> String {
            let padded = cells.enumerated().map { index, cell in
                let shown = cell.count > widths[index] ? cell.prefix(widths[index] - 1) + "…" : cell[...]
                let isLast = index == cells.count - 1
                return isLast ? String(shown) : shown + String(repeating: " ", count: widths[index] - shown.count)
            }
            return padded.joined(separator: "  ") + "\n"
        }
        return Terminal.faint(line(header.map { $0.uppercased() })) + rows.map(line).joined()
    }

    /// The width of each column: what its cells need, less what has to be cut from the widest that may be.
    private func widths(within width: Int?) -> [Int] {
        var widths = header.map(\.count)
        for row in rows {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], cell.count) }
        }
        guard let width else { return widths }
        var excess = widths.reduce(0, +) + 2 * (widths.count - 1) - width
        while excess > 0 {
            let candidates = widths.indices.filter { index in
                Self.cuttable.contains(header[index]) && widths[index] > max(Self.cutWidthMin, header[index].count)
            }
            guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
            widths[widest] -= 1
            excess -= 1
        }
        return widths
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

    /// A list as its first member and how many more there are, where room is scarce; else all of it.
    func firstCell(_ key: String, isShort: Bool = Terminal.isInteractive) -> String {
        guard isShort, let elements = self[key]?.array, elements.count > 1 else { return cell(key) }
        return "\(elements[0].cell) +\(elements.count - 1)"
    }

    /// `2026-01-02T03:04:05.678Z` as `2026-01-02 03:04:05Z`.
    func timeCell(_ key: String) -> String {
        guard let text = self[key]?.string, text.count >= 19 else { return cell(key) }
        return text.prefix(19).replacing("T", with: " ") + "Z"
    }
}

/// What follows a list that has more.
enum Continuation {
    static func hint(_ answer: JSONValue) -> String {
        answer["next"]?.string.map { Terminal.faint("more: --cursor \($0)") + "\n" } ?? ""
    }
}
