import BelfryCore

/// What a program that is started for a frame finds in its environment: a fixed list of names, whatever a sender put
/// into the frame. The whole frame is on its standard input.
enum FrameVariables {
    /// Members of the frame, then of its data. The first that is there counts.
    private static let frameMembers = ["position", "time", "topic", "type", "run", "rule", "source"]
    private static let dataMembers = ["kind", "severity", "title", "text", "link", "event", "run", "rule", "source"]

    /// A value for each name; nil takes away one that this process has itself.
    /// - Parameter hub: where the hub is, for links, which are relative to it.
    static func of(_ frame: JSONValue, hub: String) -> [String: String?] {
        var variables = [String: String?]()
        for (object, names) in [(frame["data"], dataMembers), (frame, frameMembers)] {
            for name in names {
                let key = "BELFRY_" + name.uppercased()
                switch object?[name] {
                case .string(let text)?:
                    variables[key] = .some(bounded(name == "link" && text.hasPrefix("/") ? hub + text : text))
                case .number(let number)?: variables[key] = .some(bounded(number.text))
                default: if variables[key] == nil { variables[key] = .some(nil) }
                }
            }
        }
        return variables
    }

    /// Without control characters but line feeds and tabs (a NUL would end it), cut between two characters.
    private static func bounded(_ text: String) -> String {
        var rest = Limits.listenVariableBytesMax
        return String(
            Terminal.harmless(text).prefix { character in
                rest -= character.utf8.count
                return rest >= 0
            })
    }
}
