import BelfryCore
import BelfryEngine
import Yams

/// The section `targets:`. It stands in the file alone: where messages may go is no matter of a variable or a flag.
struct TargetSection {
    private(set) var targets: [String: SendTarget] = [:]
    /// One line each, with the file's.
    private(set) var problems: [String] = []
    private let path: String

    /// - Parameter line: of its key.
    init(_ section: Node, line: Int, path: String) {
        self.path = path
        guard let mapping = section.mapping else {
            // A key whose keys are all commented out says nothing.
            if section.scalar?.string.isEmpty != true { complain(line, "targets", "must be names with their settings") }
            return
        }
        if mapping.count > Limits.targetsMax {
            complain(line, "targets", "there are \(mapping.count); at most \(Limits.targetsMax) are taken")
        }
        for (key, value) in mapping {
            let name = key.string ?? ""
            let place = "targets.\(name)"
            let line = key.mark?.line ?? line
            if !Name.isValid(name) { complain(line, place, "a name is \(Name.form)") }
            if let settings = value.mapping {
                targets[name] = target(settings, at: place, line: line)
            } else {
                complain(line, place, "must hold `url: https://…`, and what else there is to say")
            }
        }
    }

    private mutating func complain(_ line: Int, _ place: String, _ message: String) {
        problems.append("\(path):\(line): \(place): \(message)")
    }

    private static let keys = ["url", "secret", "headers", "allow_private", "plain"]

    private mutating func target(_ settings: Node.Mapping, at place: String, line: Int) -> SendTarget? {
        var address: SendTarget.Address?
        var target = SendTarget(.url(""))
        for (key, value) in settings {
            let line = key.mark?.line ?? line
            let name = key.string ?? ""
            let place = "\(place).\(name)"
            switch name {
            case "url": address = url(value, at: place, line: line)
            case "secret": target.secret = reference(value, at: place, line: line)
            case "headers": target.headers = headers(value, at: place, line: line)
            case "allow_private": target.allowsPrivateAddresses = flag(value, at: place, line: line)
            case "plain": target.isPlain = flag(value, at: place, line: line)
            default:
                let nearest = Self.keys.min { Spelling.distance($0, name) < Spelling.distance($1, name) } ?? ""
                complain(line, place, "unknown key; did you mean \(nearest)?")
            }
        }
        if !settings.keys.contains(where: { $0.string == "url" }) {
            complain(line, place, "url is missing: where to post, https://…, or env:NAME if the URL is a secret")
        }
        guard let address else { return nil }
        target.address = address
        return target
    }

    private mutating func url(_ value: Node, at place: String, line: Int) -> SendTarget.Address? {
        let text = value.string ?? ""
        if text.hasPrefix("env:") || text.hasPrefix("file:") {
            return reference(value, at: place, line: line).map { .reference($0) }
        }
        let isURL = text.hasPrefix("https://") || text.hasPrefix("http://")
        let authority =
            text.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: true).dropFirst().first ?? ""
        guard isURL, !authority.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            complain(line, place, "must begin with https:// or http:// and hold no space; or env:NAME or file:PATH")
            return nil
        }
        guard !authority.contains("@") else {
            complain(line, place, "must hold no user name or password: use headers")
            return nil
        }
        return .url(text)
    }

    /// A secret never stands in the file itself.
    private mutating func reference(_ value: Node, at place: String, line: Int) -> SecretReference? {
        switch value.string.flatMap({ SecretReference($0) }) {
        case .environment(let name, isOptional: false): return .environment(name, isOptional: false)
        case .file(let path): return .file(path)
        case .environment(_, isOptional: true):
            complain(line, place, "must not be optional (`?`): without it messages would go out unsigned")
        case .generated, nil:
            complain(line, place, "must be env:NAME or file:PATH: where the secret is, not the secret")
        }
        return nil
    }

    private mutating func headers(_ value: Node, at place: String, line: Int) -> [String: SecretReference] {
        guard let mapping = value.mapping, mapping.count <= Limits.targetHeadersMax else {
            complain(
                line, place, "must be names of headers (at most \(Limits.targetHeadersMax)) and where their values are")
            return [:]
        }
        var headers: [String: SecretReference] = [:]
        for (key, value) in mapping {
            let name = key.string ?? ""
            let line = key.mark?.line ?? line
            let isToken =
                !name.isEmpty
                && name.utf8.allSatisfy { byte in
                    UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20
                        || UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte
                        || "-_".utf8.contains(byte)
                }
            if !isToken { complain(line, "\(place).\(name)", "a header's name is letters, digits, - and _") }
            if Self.isOurs(name.lowercased()) { complain(line, "\(place).\(name)", "the hub sets this header itself") }
            headers[name] = reference(value, at: "\(place).\(name)", line: line)
        }
        return headers
    }

    private static func isOurs(_ name: String) -> Bool {
        let ours = [
            "host", "content-type", "content-length", "transfer-encoding", "connection", "user-agent", "expect",
        ]
        return ours.contains(name) || name == Hops.header || name.hasPrefix("webhook-")
    }

    private mutating func flag(_ value: Node, at place: String, line: Int) -> Bool {
        if let flag = value.bool { return flag }
        complain(line, place, "must be true or false")
        return false
    }
}

extension SendTarget {
    /// With files within a folder, where their paths are relative.
    func withFiles(in folder: String) -> SendTarget {
        func absolute(_ reference: SecretReference) -> SecretReference {
            guard case .file(let path) = reference, !path.hasPrefix("/") else { return reference }
            return .file("\(folder)/\(path)")
        }
        var target = self
        if case .reference(let reference) = address { target.address = .reference(absolute(reference)) }
        target.secret = secret.map(absolute)
        target.headers = headers.mapValues(absolute)
        return target
    }

    /// As its lines of the file say it.
    func text(named name: String) -> String {
        func quoted(_ text: String) -> String { JSONValue.string(text).text }
        let url =
            switch address {
            case .url(let text): text
            case .reference(let reference): reference.description
            }
        var lines = ["  \(name):", "    url: \(quoted(url))"]
        if let secret { lines.append("    secret: \(quoted(secret.description))") }
        if !headers.isEmpty { lines.append("    headers:") }
        lines += headers.sorted { $0.key < $1.key }.map { "      \($0.key): \(quoted($0.value.description))" }
        lines += ["    allow_private: \(allowsPrivateAddresses)", "    plain: \(isPlain)"]
        return lines.joined(separator: "\n")
    }
}
