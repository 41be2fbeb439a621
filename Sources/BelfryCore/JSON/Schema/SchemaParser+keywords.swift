extension SchemaParser {
    /// Keywords that say nothing about a value.
    private static let annotations = [
        "title", "description", "default", "examples", "$schema", "$id", "$comment", "format", "deprecated", "readOnly",
        "writeOnly",
    ]
    private static let assertions = [
        "type", "enum", "const", "properties", "required", "additionalProperties", "minProperties", "maxProperties",
        "items", "prefixItems", "minItems", "maxItems", "uniqueItems", "minLength", "maxLength", "pattern", "minimum",
        "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "allOf", "anyOf", "oneOf", "not", "$ref",
        "$defs",
    ]
    /// What to write instead of some keywords of JSON Schema that are not read here.
    private static let instead = [
        "definitions": "write '$defs'", "additionalItems": "write 'prefixItems' and 'items'",
        "if": "write 'anyOf' of two schemas", "patternProperties": "name the members in 'properties'",
        "dependentRequired": "write 'anyOf' of two schemas", "$anchor": "refer to '#/$defs/NAME'",
    ]

    mutating func parseObject(_ object: JSONObject, into node: Int, at path: SchemaPath) {
        var checks: [SchemaCheck] = []
        var keywords = object
        keywords["$defs"] = node == 0 ? nil : object["$defs"]
        let members = keywords.effectiveMembers
        for member in members { refuse(member.key, of: member.value, isTop: node == 0, at: path) }
        if let types = types(object["type"], at: path) { checks.append(.types(types)) }
        if let values = values(of: object, at: path) { checks.append(values) }
        checks += numberAndStringChecks(of: object, at: path)
        if let shape = arrayShape(of: object, at: path) { checks.append(.array(shape)) }
        if let shape = objectShape(of: object, at: path) { checks.append(.object(shape)) }
        if let reference = object["$ref"] {
            let place = path.appending("$ref")
            if let text = reference.string {
                if let target = target(of: text, at: place) { checks.append(.reference(target)) }
            } else {
                issue(place.text, "must be a string such as '#/$defs/NAME'; is \(reference.typeTold)")
            }
        }
        if let schemas = schemas("allOf", of: object, at: path) { checks.append(.allOf(schemas)) }
        if let schemas = schemas("anyOf", of: object, at: path) { checks.append(.anyOf(schemas)) }
        if let schemas = schemas("oneOf", of: object, at: path) { checks.append(.oneOf(schemas)) }
        if let schema = object["not"] { checks.append(.not(parse(schema, at: path.appending("not").deeper))) }
        nodes[node].checks = checks
        nodes[node].sameValue = checks.flatMap(\.sameValue)
    }

    /// Refuses a keyword that is not read, or not at this place.
    private mutating func refuse(_ keyword: String, of value: JSONValue, isTop: Bool, at path: SchemaPath) {
        let place = path.appending(keyword).text
        switch keyword {
        case "$defs" where !isTop:
            issue(place, "may stand at the top of the schema only; move the schemas there")
        case "$id" where !isTop:
            issue(place, "may stand at the top of the schema only; leave it out")
        case _ where Self.annotations.contains(keyword) || Self.assertions.contains(keyword): break
        default:
            if let hint = Self.instead[keyword] {
                issue(place, "this keyword is not supported; \(hint)")
            } else if let nearest = NearestName.of(keyword, among: Self.assertions + Self.annotations) {
                issue(place, "unknown keyword; did you mean '\(nearest)'?")
            } else {
                issue(place, "this keyword is not supported; supported are \(Self.assertions.joined(separator: ", "))")
            }
        }
    }

    // MARK: - Any value

    private mutating func types(_ json: JSONValue?, at path: SchemaPath) -> [SchemaType]? {
        guard let json else { return nil }
        let place = path.appending("type").text
        let named = json.array ?? [json]
        let types = named.compactMap { name in
            name.string.flatMap { text in SchemaType.allCases.first { $0.rawValue.hasSameBytes(as: text) } }
        }
        guard types.count == named.count, !types.isEmpty, types.count <= SchemaType.allCases.count else {
            let known = SchemaType.allCases.map(\.rawValue)
            let nearest = json.string.flatMap { NearestName.of($0, among: known) }
            let hint = nearest.map { "; did you mean '\($0)'?" } ?? ""
            issue(place, "must be one of \(known.joined(separator: ", ")), or a list of them\(hint)")
            return nil
        }
        return types
    }

    /// `enum` and `const`; a value must satisfy both.
    private mutating func values(of object: JSONObject, at path: SchemaPath) -> SchemaCheck? {
        var listed: [JSONValue]?
        if let json = object["enum"] {
            let place = path.appending("enum")
            if let elements = json.array, !elements.isEmpty {
                guard count(elements.count, at: place) else { return nil }
                listed = elements
            } else {
                issue(place.text, "must be a list of the values that are allowed, at least one")
            }
        }
        if let constant = object["const"] {
            let comparable = constant.comparable
            listed = listed.map { $0.filter { $0.comparable == comparable } } ?? [constant]
            if listed?.isEmpty == true {
                issue(path.appending("const").text, "is not among the values of 'enum': no value would do")
            }
        }
        guard let listed else { return nil }
        var told = listed.prefix(20).map { $0.text.plain(bytesMax: Limits.schemaFaultValueBytesMax) }.joined(
            separator: ", ")
        if listed.count > 20 { told += " and \(listed.count - 20) more" }
        return .values(Set(listed.map(\.comparable)), told: told)
    }

    private mutating func schemas(_ keyword: String, of object: JSONObject, at path: SchemaPath) -> [Int]? {
        guard let json = object[keyword] else { return nil }
        guard let elements = json.array, !elements.isEmpty else {
            issue(path.appending(keyword).text, "must be a list of schemas, at least one")
            return nil
        }
        return elements.enumerated().map { index, schema in
            parse(schema, at: path.appending(keyword).appending(index).deeper)
        }
    }

    // MARK: - Numbers and texts

    private mutating func numberAndStringChecks(of object: JSONObject, at path: SchemaPath) -> [SchemaCheck] {
        var checks: [SchemaCheck] = []
        var bounds = NumberBounds()
        bounds.minimum = bound("minimum", of: object, at: path)
        bounds.maximum = bound("maximum", of: object, at: path)
        bounds.exclusiveMinimum = bound("exclusiveMinimum", of: object, at: path)
        bounds.exclusiveMaximum = bound("exclusiveMaximum", of: object, at: path)
        if let divisor = bound("multipleOf", of: object, at: path) {
            if divisor.number.isDivisor {
                bounds.multipleOf = divisor
            } else {
                let digits = Limits.schemaDivisorDigitsMax
                issue(path.appending("multipleOf").text, "must be greater than 0 and have at most \(digits) digits")
            }
        }
        if !bounds.isEmpty { checks.append(.number(bounds)) }
        if let lengths = counts("minLength", "maxLength", of: object, at: path) { checks.append(.lengths(lengths)) }
        if let json = object["pattern"] {
            let place = path.appending("pattern").text
            guard let text = json.string else {
                issue(place, "must be a regular expression as a string; is \(json.typeTold)")
                return checks
            }
            do throws(LinearPattern.Issue) {
                checks.append(.pattern(try LinearPattern(text), told: text.plain(bytesMax: 200)))
            } catch {
                issue(place, error.reason)
            }
        }
        return checks
    }

    private mutating func bound(_ keyword: String, of object: JSONObject, at path: SchemaPath) -> NumberBounds.Bound? {
        guard let json = object[keyword] else { return nil }
        guard let number = json.number else {
            issue(path.appending(keyword).text, "must be a number; is \(json.typeTold)")
            return nil
        }
        guard let exact = DecimalNumber(number.text) else {
            issue(path.appending(keyword).text, "the number's exponent is too large")
            return nil
        }
        return NumberBounds.Bound(number: exact, text: json.told)
    }

    /// `minX` and `maxX`; nil if neither is there.
    private mutating func counts(
        _ least: String, _ most: String, of object: JSONObject, at path: SchemaPath
    ) -> ClosedRange<Int>? {
        let bounds = [least, most].map { keyword -> Int? in
            guard let json = object[keyword] else { return nil }
            guard let count = json.number?.normalized.int64, count >= 0 else {
                issue(path.appending(keyword).text, "must be a whole number from 0 on; is \(json.told)")
                return nil
            }
            return Int(count)
        }
        guard bounds[0] != nil || bounds[1] != nil else { return nil }
        let (lower, upper) = (bounds[0] ?? 0, bounds[1] ?? Int.max)
        guard lower <= upper else {
            issue(path.appending(least).text, "is greater than '\(most)': no value would do")
            return nil
        }
        return lower...upper
    }

    // MARK: - Arrays and objects

    private mutating func arrayShape(of object: JSONObject, at path: SchemaPath) -> ArrayShape? {
        var shape = ArrayShape()
        let counts = counts("minItems", "maxItems", of: object, at: path)
        if let counts { shape.counts = counts }
        if let schemas = schemas("prefixItems", of: object, at: path) { shape.prefix = schemas }
        if let json = object["items"] {
            let place = path.appending("items").deeper
            if json.array != nil {
                issue(place.text, "must be one schema; schemas of the first elements stand in 'prefixItems'")
            } else {
                shape.items = parse(json, at: place)
            }
        }
        if let json = object["uniqueItems"] {
            if let isUnique = json.bool {
                shape.isUnique = isUnique
            } else {
                issue(path.appending("uniqueItems").text, "must be true or false; is \(json.typeTold)")
            }
        }
        let isAsked = counts != nil || !shape.prefix.isEmpty || shape.items != nil || shape.isUnique
        return isAsked ? shape : nil
    }

    private mutating func objectShape(of object: JSONObject, at path: SchemaPath) -> ObjectShape? {
        var shape = ObjectShape()
        if let counts = counts("minProperties", "maxProperties", of: object, at: path) { shape.counts = counts }
        if let json = object["properties"] {
            let place = path.appending("properties")
            if json.object == nil { issue(place.text, "must be an object of schemas by name; is \(json.typeTold)") }
            for member in json.object?.effectiveMembers ?? [] {
                let schema = parse(member.value, at: place.appending(member.key).deeper)
                shape.members[ByteText(member.key)] = ObjectShape.Member(schema: schema)
                shape.known.append(member.key)
            }
        }
        if let json = object["required"] { addRequired(json, to: &shape, at: path.appending("required")) }
        switch object["additionalProperties"] {
        case nil, .bool(true): break
        case .bool(false): shape.others = .none
        case let json?: shape.others = .schema(parse(json, at: path.appending("additionalProperties").deeper))
        }
        let isAsked = ["minProperties", "maxProperties", "properties", "required", "additionalProperties"]
            .contains { object[$0] != nil }
        return isAsked ? shape : nil
    }

    private mutating func addRequired(_ json: JSONValue, to shape: inout ObjectShape, at path: SchemaPath) {
        guard let elements = json.array, elements.allSatisfy({ $0.string != nil }) else {
            let hint = json.bool == nil ? "" : "; it stands beside 'properties', not in a property's own schema"
            issue(path.text, "must be a list of names\(hint)")
            return
        }
        guard count(elements.count, at: path) else { return }
        for name in elements.compactMap(\.string) {
            let key = ByteText(name)
            guard shape.members[key]?.requiredIndex == nil else { continue }
            shape.members[key, default: ObjectShape.Member()].requiredIndex = shape.required.count
            shape.required.append(name)
        }
    }
}
