import BelfryCore

/// Reads `source:` documents, with the checks that concern several keys.
extension DocumentDecoder {
    private static let sourceKeys = [
        "source", "about", "preset", "secret", "secrets", "body_max", "tolerance", "keep_headers", "signature",
        "token_header", "identity", "type", "subject", "dedupe", "accepts", "redact", "respond", "challenge", "retired",
    ]

    /// Nil if anything is wrong; then the diagnostics say what.
    mutating func source(_ node: DocumentNode) -> SourceDefinition? {
        let errorCount = diagnostics.count
        guard let fields = fields(node, path: "", known: Self.sourceKeys) else { return nil }
        let name = name(fields, "source")
        let preset = choice(fields, "preset", of: Preset.self, isRequired: true)
        let secrets = secrets(fields)
        guard let name, let preset else { return nil }
        var source = SourceDefinition(name: name, preset: preset, secrets: secrets)
        source.about = string(fields, "about")
        source.bodyBytesMax =
            byteCount(fields, "body_max", max: Limits.deliveryBodyBytesCeiling) ?? source.bodyBytesMax
        source.isRetired = bool(fields, "retired") ?? false
        source.signature = signature(fields, preset)
        source.tolerance =
            duration(fields, "tolerance", in: .seconds(1)...Limits.signatureToleranceMax) ?? source.tolerance
        keepHeaders(fields, into: &source)
        places(fields, into: &source)
        dedupe(fields, into: &source)
        intake(fields, into: &source)
        checkKeys(fields, source)
        return diagnostics.count == errorCount ? source : nil
    }

    private mutating func secrets(_ fields: Fields) -> [SecretReference] {
        if fields["secret"] != nil, fields["secrets"] != nil {
            note("write either secret or secrets", in: fields, "secrets")
        }
        var references: [SecretReference] = []
        let key = fields["secret"] == nil ? "secrets" : "secret"
        for text in strings(fields, key, acceptsOne: key == "secret", max: Limits.secretsPerSourceMax) ?? [] {
            guard let reference = SecretReference(text) else {
                // The text may be the secret itself: it is not repeated.
                note(
                    "must be generate, env:NAME, env:NAME? or file:PATH; secrets never stand in documents", in: fields,
                    key)
                continue
            }
            if references.contains(reference) { note("'\(reference)' stands twice", in: fields, key) }
            references.append(reference)
        }
        return references
    }

    private mutating func signature(_ fields: Fields, _ preset: Preset) -> SignatureSettings? {
        guard let member = fields["signature"] else {
            if preset == .hmac {
                note("is missing: preset hmac needs signature: { header: … }", in: fields, "signature")
            }
            return nil
        }
        if preset == .grafana { return grafanaSignature(member, fields) }
        guard preset == .hmac || preset == .sensor else {
            note(
                "preset \(preset.rawValue) has a signature of its own; only hmac, sensor and grafana take one",
                in: fields, "signature")
            return nil
        }
        let known = ["header", "prefix", "algorithm", "encoding", "content", "timestamp", "id"]
        guard let inner = self.fields(member.value, path: fields.path(of: "signature"), known: known),
            let header = self.header(inner, "header", isRequired: true)
        else { return nil }
        var settings = SignatureSettings(header: header)
        settings.prefix = string(inner, "prefix") ?? settings.prefix
        settings.algorithm = choice(inner, "algorithm", of: SignatureSettings.Algorithm.self) ?? settings.algorithm
        settings.encoding = choice(inner, "encoding", of: SignatureSettings.Encoding.self) ?? settings.encoding
        settings.content = string(inner, "content") ?? settings.content
        settings.timestampHeader = self.header(inner, "timestamp")
        settings.idHeader = self.header(inner, "id")
        checkContent(inner, settings)
        return settings
    }

    /// Grafana lets its user choose the names of the two headers, and nothing else.
    private mutating func grafanaSignature(_ member: DocumentNode.Member, _ fields: Fields) -> SignatureSettings? {
        let path = fields.path(of: "signature")
        guard let inner = self.fields(member.value, path: path, known: ["header", "timestamp"]) else { return nil }
        let standard = SignatureSettings.grafana()
        return .grafana(header: header(inner, "header") ?? standard.header, timestampHeader: header(inner, "timestamp"))
    }

    /// What is signed must name the body, and a timestamp or id that is not signed proves nothing.
    private mutating func checkContent(_ fields: Fields, _ settings: SignatureSettings) {
        let content = settings.content
        if !content.contains("{body}") { note("must contain {body}", in: fields, "content") }
        for (placeholder, key, header) in [
            ("{timestamp}", "timestamp", settings.timestampHeader), ("{id}", "id", settings.idHeader),
        ] {
            if content.contains(placeholder), header == nil, fields[key] == nil {
                note("contains \(placeholder), so \(key): HEADER must say where it stands", in: fields, "content")
            } else if !content.contains(placeholder), header != nil {
                note("is not signed: put \(placeholder) into content", in: fields, key)
            }
        }
    }

    private mutating func header(_ fields: Fields, _ key: String, isRequired: Bool = false) -> String? {
        guard let text = string(fields, key, isRequired: isRequired) else { return nil }
        guard Self.isHeaderName(text) else {
            note("'\(text.prefix(80))' is not the name of a header", in: fields, key)
            return nil
        }
        return text
    }

    /// A token of RFC 9110, section 5.6.2.
    private static func isHeaderName(_ text: String) -> Bool {
        text.utf8.count <= Limits.nameBytesMax * 2
            && text.utf8.allSatisfy { byte in
                byte > 0x20 && byte < 0x7F && !#""(),/:;<=>?@[\]{}"#.utf8.contains(byte)
            } && !text.isEmpty
    }

    private mutating func keepHeaders(_ fields: Fields, into source: inout SourceDefinition) {
        for name in strings(fields, "keep_headers", max: Limits.documentListMax) ?? [] {
            let lower = name.lowercased()
            if !Self.isHeaderName(name) {
                note("'\(name.prefix(80))' is not the name of a header", in: fields, "keep_headers")
            } else if Self.isConfidential(lower, source) {
                note("'\(name)' carries a credential and is never kept", in: fields, "keep_headers")
            } else {
                source.keepHeaders.append(lower)
            }
        }
    }

    private static func isConfidential(_ lowerName: String, _ source: SourceDefinition) -> Bool {
        ["authorization", "proxy-authorization", "cookie", "set-cookie"].contains(lowerName)
            || lowerName.contains("signature") || lowerName.contains("token") || lowerName.contains("secret")
            || lowerName == source.signature?.header.lowercased()
    }

    private mutating func places(_ fields: Fields, into source: inout SourceDefinition) {
        source.tokenHeader = header(fields, "token_header")
        source.identity = strings(fields, "identity", acceptsOne: true, max: 16) ?? []
        for place in source.identity { checkPlace(place, fields, "identity") }
        source.typePath = string(fields, "type")
        if let place = source.typePath { checkPlace(place, fields, "type") }
        source.subjectPath = string(fields, "subject")
        if let place = source.subjectPath { checkPlace(place, fields, "subject") }
    }

    private mutating func checkPlace(_ place: String, _ fields: Fields, _ key: String) {
        if place.hasPrefix("header."), Self.isHeaderName(String(place.dropFirst(7))) { return }
        if place.hasPrefix("body."),
            !place.dropFirst(5).split(separator: ".", omittingEmptySubsequences: false)
                .contains(where: \.isEmpty)
        {
            return
        }
        note("'\(place.prefix(80))' is no place: write header.NAME or body.path.to.value", in: fields, key)
    }

    private enum DedupeKey: String, CaseIterable { case body }

    private mutating func dedupe(_ fields: Fields, into source: inout SourceDefinition) {
        guard let member = fields["dedupe"],
            let inner = self.fields(member.value, path: fields.path(of: "dedupe"), known: ["key", "window", "also"])
        else { return }
        let key = choice(inner, "key", of: DedupeKey.self)
        source.refusesSameBody = choice(inner, "also", of: DedupeKey.self) != nil
        let window = duration(inner, "window", in: .seconds(1)...Limits.identityRetention)
        if key != nil {
            if inner["window"] == nil { note("is missing: key: body needs window: 10m", in: inner, "window") }
            source.bodyDedupeWindow = window
        } else if inner["window"] != nil {
            note("has no effect without key: body", in: inner, "window")
        } else if inner["key"] == nil, inner["also"] == nil {
            note("needs key: body or also: body", in: fields, "dedupe")
        }
    }

    /// Keys that have a meaning for some presets only.
    private mutating func checkKeys(_ fields: Fields, _ source: SourceDefinition) {
        let preset = source.preset
        if preset == .none {
            if fields["secret"] != nil || fields["secrets"] != nil {
                note(
                    "preset none verifies nothing and takes no secret", in: fields,
                    fields["secret"] == nil ? "secrets" : "secret")
            }
        } else if fields["secret"] == nil, fields["secrets"] == nil {
            note(
                "is missing: preset \(preset.rawValue) verifies deliveries; write secret: generate", in: fields,
                "secret")
        } else if source.secrets.isEmpty, fields["secrets"] != nil,
            case .array(let list)? = fields["secrets"]?.value.content,
            list.isEmpty
        {
            note("must not be empty: preset \(preset.rawValue) verifies deliveries", in: fields, "secrets")
        }
        let plain: [Preset] = [.hmac, .token, .none]
        only(fields, "token_header", preset, for: [.token, .sensor, .cloudevents])
        only(fields, "identity", preset, for: plain)
        only(fields, "type", preset, for: plain)
        only(fields, "subject", preset, for: plain + [.sensor])
        let signsTime: [Preset] = [.standardWebhooks, .svix, .stripe, .slack]
        if fields["tolerance"] != nil, !signsTime.contains(preset), source.signature?.timestampHeader == nil {
            note("has no effect: preset \(preset.rawValue) signs no timestamp here", in: fields, "tolerance")
        }
    }

    mutating func only(_ fields: Fields, _ key: String, _ preset: Preset, for presets: [Preset]) {
        guard fields[key] != nil, !presets.contains(preset) else { return }
        let names = presets.map(\.rawValue).joined(separator: ", ")
        note("has no meaning for preset \(preset.rawValue), only for \(names)", in: fields, key)
    }
}
