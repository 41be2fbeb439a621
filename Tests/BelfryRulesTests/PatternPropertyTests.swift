import BelfryCore
import BelfryRules
import Testing

/// The matcher against a second one that tries every combination of values, on small random patterns and events.
struct PatternPropertyTests {
    private static func event(depth: Int, dotted: Bool, _ generator: inout SeededGenerator) -> JSONValue {
        let keys = dotted ? ["a", "b", "a.b", "a-b"] : ["a", "b", "c", "a-b"]
        switch Int.random(in: 0..<(depth == 0 ? 2 : 6), using: &generator) {
        case 0, 1: return .int(Int.random(in: 0..<3, using: &generator))
        case 2, 3:
            let count = Int.random(in: 1...3, using: &generator)
            return .object(
                JSONObject(
                    keys.shuffled(using: &generator).prefix(count).map {
                        .init(key: $0, value: event(depth: depth - 1, dotted: dotted, &generator))
                    }))
        default:
            let count = Int.random(in: 0...3, using: &generator)
            return .array((0..<count).map { _ in event(depth: depth - 1, dotted: dotted, &generator) })
        }
    }

    private static func pattern(_ generator: inout SeededGenerator) -> [(path: String, value: Int?)] {
        let paths = ["a", "b", "a.a", "a.b", "a.c", "a-b", "a.a.b", "a.b.b", "b.a", "b.b", "a-b.a", "b.a.a"]
        return paths.shuffled(using: &generator).prefix(Int.random(in: 1...4, using: &generator)).map { path in
            (path, Int.random(in: 0..<5, using: &generator) == 0 ? nil : Int.random(in: 0..<3, using: &generator))
        }.sorted { Array($0.path.utf16).lexicographicallyPrecedes(Array($1.path.utf16)) }
    }

    /// Every scalar with its path and the elements it is inside of.
    private static func leaves(
        _ value: JSONValue, _ path: String, _ place: [String: Int], _ arrays: inout Int
    ) -> [(path: String, value: JSONValue, place: [String: Int])] {
        switch value {
        case .object(let object):
            return object.members.flatMap {
                leaves($0.value, path.isEmpty ? $0.key : "\(path).\($0.key)", place, &arrays)
            }
        case .array(let elements):
            let array = "#\(arrays)"
            arrays += 1
            return elements.enumerated().flatMap { index, element in
                var inner = place
                if element.object != nil || element.array != nil { inner[array] = index }
                return leaves(element, path, inner, &arrays)
            }
        default: return [(path, value, place)]
        }
    }

    /// Depth first through every choice of one leaf per clause.
    private static func slowMatch(
        _ clauses: ArraySlice<(path: String, value: Int?)>,
        _ leaves: [(path: String, value: JSONValue, place: [String: Int])],
        _ chosen: [String: Int]
    ) -> Bool {
        guard let clause = clauses.first else { return true }
        func agrees(_ place: [String: Int]) -> Bool { place.allSatisfy { chosen[$0.key] ?? $0.value == $0.value } }
        let here = leaves.filter { $0.path == clause.path && agrees($0.place) }
        guard let wanted = clause.value else {
            return here.isEmpty && slowMatch(clauses.dropFirst(), leaves, chosen)
        }
        return here.contains { leaf in
            leaf.value == .int(wanted)
                && slowMatch(clauses.dropFirst(), leaves, chosen.merging(leaf.place) { $1 })
        }
    }

    @Test("the matcher agrees with trying every combination", arguments: [false, true])
    func differential(dotted: Bool) throws {
        var generator = SeededGenerator(seed: dotted ? 7 : 42)
        var matches = 0
        for round in 0..<5000 {
            let event = JSONValue.object(
                JSONObject(
                    ["a", "b", "a-b"].map { .init(key: $0, value: Self.event(depth: 4, dotted: dotted, &generator)) }))
            let clauses = Self.pattern(&generator)
            let json = JSONValue.object(
                JSONObject(
                    clauses.map { clause in
                        let test: JSONValue = clause.value.map { .int($0) } ?? ["exists": false]
                        return .init(key: clause.path, value: [test])
                    }))
            var arrays = 0
            let expected = Self.slowMatch(clauses[...], Self.leaves(event, "", [:], &arrays), [:])
            let pattern = try EventPattern(json: json)
            #expect(pattern.matches(event) == expected, "round \(round): \(json.text) on \(event.text)")
            #expect(pattern.explain(event).matched == expected)
            if expected { matches += 1 }
        }
        #expect(matches > 300, "the random cases must match often enough to mean something")
    }

    @Test("wildcards agree with trying every split")
    func wildcards() throws {
        func slow(_ pattern: ArraySlice<Character>, _ text: ArraySlice<Character>) -> Bool {
            guard let head = pattern.first else { return text.isEmpty }
            if head == "*" {
                return (0...text.count).contains { slow(pattern.dropFirst(), text.dropFirst($0)) }
            }
            return text.first == head && slow(pattern.dropFirst(), text.dropFirst())
        }
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<5000 {
            let length = Int.random(in: 0...6, using: &generator)
            var pattern = (0..<length).map { _ in ["a", "b", "*"].randomElement(using: &generator) ?? "a" }.joined()
            while pattern.contains("**") { pattern.replace("**", with: "*") }
            let text = (0..<Int.random(in: 0...8, using: &generator)).map { _ in
                Bool.random(using: &generator) ? "a" : "b"
            }
            .joined()
            let compiled = try EventPattern(json: ["f": [["wildcard": .string(pattern)]]])
            #expect(
                compiled.matches(["f": .string(text)]) == slow(Array(pattern)[...], Array(text)[...]),
                "\(pattern) \(text)")
        }
    }
}
