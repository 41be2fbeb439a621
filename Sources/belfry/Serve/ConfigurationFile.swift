import Yams

/// The keys of a YAML configuration file with the lines they stand in, to refuse the unknown ones: the configuration
/// library ignores them, and a misspelt limit must not be silently absent.
struct ConfigurationFile {
    private let path: String
    /// Dotted paths of all keys that lead to a value.
    private var keys: [(path: String, line: Int)] = []
    private(set) var targets: TargetSection?

    init(text: String, path: String) throws {
        self.path = path
        do {
            guard let root = try Yams.compose(yaml: text) else { return }
            guard let mapping = root.mapping else {
                throw Failure(.usage, "\(path):1: the file must hold `key: value` lines")
            }
            try collect(mapping, below: "", depth: 0)
        } catch let error as YamlError {
            throw Failure(.usage, Self.line(of: error, in: path))
        }
    }

    /// `belfry.yaml:3: not valid YAML: mapping values are not allowed in this context`
    private static func line(of error: YamlError, in path: String) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "\(path):\(mark.line): not valid YAML: \(problem)"
        case .duplicatedKeysInMapping(let duplicates, let context):
            "\(path):\(context.mark.line): the key \(duplicates.joined(separator: ", ")) stands there twice"
        case .reader(let problem, _, _, _), .writer(let problem), .emitter(let problem), .representer(let problem):
            "\(path): not valid YAML: \(problem)"
        case .dataCouldNotBeDecoded, .memory, .no:
            "\(path): not valid YAML"
        }
    }

    private mutating func collect(_ mapping: Node.Mapping, below prefix: String, depth: Int) throws {
        for (key, value) in mapping {
            let line = key.mark?.line ?? 1
            guard let name = key.string, depth < 8 else {
                throw Failure(.usage, "\(path):\(line): not a key of the configuration")
            }
            if name == "targets", prefix.isEmpty {
                targets = TargetSection(value, line: line, path: path)
            } else if let inner = value.mapping, !inner.isEmpty {
                try collect(inner, below: prefix + name + ".", depth: depth + 1)
            } else if value.scalar?.string.isEmpty != true {
                // A key whose keys are all commented out says nothing.
                keys.append((prefix + name, line))
            }
        }
    }

    /// Refuses keys that are not in `known`; those below one of `maps` are the operator's own names.
    /// - Returns: the names below each of `maps`.
    func checkKeys(known: [String], maps: [String]) throws -> [String: [String]] {
        var names: [String: [String]] = [:]
        var unknown: [String] = []
        for (key, line) in keys where !known.contains(key) {
            if let map = maps.first(where: { key.hasPrefix($0 + ".") }) {
                names[map, default: []].append(String(key.dropFirst(map.count + 1)))
            } else {
                let nearest = known.min { Spelling.distance($0, key) < Spelling.distance($1, key) } ?? ""
                unknown.append("\(path):\(line): unknown key \(key); did you mean \(nearest)?")
            }
        }
        guard unknown.isEmpty else { throw Failure(.usage, unknown.joined(separator: "\n  ")) }
        return names
    }
}

/// How far two words are apart.
enum Spelling {
    /// Levenshtein's distance: single letters added, dropped or changed.
    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (index, byte) in left.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = index + 1
            for column in right.indices {
                let change = diagonal + (right[column] == byte ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(change, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
