import BelfryCore

/// Text with places for values: `{{event.data.celsius}}`. A place holds a path and nothing else: no logic, no partials.
///
/// A path begins with a root and goes on with `.name`, `["any key"]` and `[0]`. Names are letters, digits, `_` and `-`;
/// other keys stand in brackets and quotes: `{{event.data.labels["app.kubernetes.io/name"]}}`.
public struct Template: Sendable, Hashable, CustomStringConvertible {
    enum Segment: Sendable, Hashable {
        case literal(String)
        case value(TemplatePath)
    }

    /// As it was written.
    public let text: String
    let segments: [Segment]

    /// What a rule's templates may begin a path with. `data` is short for `event.data`.
    public static let stepRoots: Set<String> = ["event", "data", "group", "params", "rule", "run", "steps", "source"]

    /// What the templates of an agent's `body` and `inputs` may begin a path with: the step's own name and its
    /// rendered prompt too.
    public static let agentRoots = stepRoots.union(["prompt", "step"])

    /// What the body of a message may begin a path with: `{{links.STEP}}` is a link by which whoever has it decides what the
    /// step asks. Where models and logs can read it, it has no place.
    public static let messageRoots = stepRoots.union(["links"])

    /// - Throws: where and why the text is no template.
    public init(parsing text: String, roots: Set<String> = Template.stepRoots) throws(TemplateError) {
        self.text = text
        var segments: [Segment] = []
        var rest = text[...]
        while let open = rest.firstRange(of: "{{") {
            if open.lowerBound > rest.startIndex { segments.append(.literal(String(rest[..<open.lowerBound]))) }
            guard let close = rest[open.upperBound...].firstRange(of: "}}") else {
                throw TemplateError(place: rest[open.lowerBound...], reason: "'{{' without '}}'")
            }
            let place = rest[open.lowerBound..<close.upperBound]
            let path: TemplatePath
            do throws(PatternIssue) {
                path = try TemplatePath(rest[open.upperBound..<close.lowerBound])
                try Self.check(path, roots: roots)
            } catch {
                throw TemplateError(place: place, reason: error.message)
            }
            segments.append(.value(path))
            rest = rest[close.upperBound...]
        }
        if !rest.isEmpty { segments.append(.literal(String(rest))) }
        self.segments = segments
    }

    private static func check(_ path: TemplatePath, roots: Set<String>) throws(PatternIssue) {
        guard roots.contains(path.root) else { throw unknownRoot(path.root, roots: roots) }
    }

    static func unknownRoot(_ root: String, roots: Set<String>) -> PatternIssue {
        let known = roots.sorted()
        let nearest = NearestName.of(root, among: known).map { "did you mean '\($0)'?" }
        return PatternIssue(
            "unknown root '\(root.prefix(80))'", hint: nearest ?? "known: \(known.joined(separator: ", "))")
    }

    /// Whether the text has no places for values.
    public var isLiteral: Bool { !segments.contains { if case .value = $0 { true } else { false } } }

    /// The paths of all places, in their order.
    var paths: [TemplatePath] {
        segments.compactMap { if case .value(let path) = $0 { path } else { nil } }
    }

    /// The path of a text that is one place and nothing else.
    var onlyPlace: TemplatePath? {
        guard segments.count == 1, case .value(let path)? = segments.first else { return nil }
        return path
    }

    /// Whether the text asks for something below a root (``stepRoots``).
    public func asksFor(root: String) -> Bool { paths.contains { $0.root == root } }

    public var description: String { text }
}

/// Why a text is no template.
public struct TemplateError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The place, as it was written: `{{#if event}}`.
    public var place: String
    public var reason: String

    init(place: Substring, reason: String) {
        self.place = String(place).cut(toBytes: 80)
        self.reason = reason
    }

    public var description: String { "\(place): \(reason)" }
}
