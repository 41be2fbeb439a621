import BelfryCore

/// Rules and events that lead each of many rules to each of many values of an array.
enum HostileSamples {
    struct Sample: Sendable {
        var event: MatchMeter.Event
        var patterns: [RawJSON]
    }

    /// As many rules as asked for, against an event with as many values.
    static func all(_ count: Int) -> [Sample] {
        let numbers = list(count) { "\($0)" }
        let objects = list(count) { #"{"b": \#($0), "c": \#($0)}"# }
        return [
            sample("excluded", count, #"{"id": \#(numbers), "t": \#(list(count) { $0 % 2 == 0 ? "1" : "2" })}"#) {
                #"{"id": [\#($0)], "t": [{"anything-but": [1, 2, -\#($0)]}]}"#
            },
            sample("elements", count, #"{"a": \#(objects)}"#) { #"{"a": {"b": [\#($0)], "c": [\#($0 + 1)]}}"# },
            sample("ranges", count, #"{"id": \#(numbers), "t": 0}"#) {
                #"{"id": [{"numeric": [">", -\#($0 + 1)]}], "t": [1]}"#
            },
            sample("halves", count, #"{"a": \#(list(count) { #"{"b": \#($0 % 2), "c": \#(1 - $0 % 2)}"# })}"#) {
                #"{"a": {"b": [1, -\#($0 + 1)], "c": [1, -\#($0 + 1)]}}"#
            },
        ]
    }

    private static func sample(_ name: String, _ count: Int, _ event: String, _ pattern: (Int) -> String) -> Sample {
        Sample(
            event: MatchMeter.Event(name: name, bytes: Array(event.utf8)),
            patterns: (0..<count).map { RawJSON(trusted: Array(pattern($0).utf8)) })
    }

    private static func list(_ count: Int, _ element: (Int) -> String) -> String {
        "[" + (0..<count).map(element).joined(separator: ",") + "]"
    }
}
