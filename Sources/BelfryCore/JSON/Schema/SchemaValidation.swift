/// The checking of one value. What it may cost is counted in ``stepsLeft``; once that is spent, the value is refused, also where
/// a fault would have let it pass (`not`).
struct SchemaValidation {
    private let nodes: [SchemaNode]
    private let name: String
    private var way: [Place] = []
    private var stepsLeft: Int
    /// Why the checking was given up.
    private var refusal: String?
    /// Whether faults are only counted: most alternatives that do not fit are nobody's fault, and words cost time.
    private var isProbing = false

    private enum Place {
        case key(String)
        case index(Int)
    }

    /// A fault, and how deep in the value it was found.
    private struct Finding {
        var fault: SchemaFault
        var depth: Int
    }

    init(nodes: [SchemaNode], name: String, stepsMax: Int) {
        stepsLeft = stepsMax
        self.nodes = nodes
        self.name = name
    }

    mutating func faults(in value: JSONValue, root: Int) -> [SchemaFault] {
        var findings: [Finding] = []
        check(value, root, calls: 0, &findings)
        if let refusal { return [SchemaFault(path: name, message: refusal)] }
        return findings.map(\.fault)
    }

    private mutating func check(_ value: JSONValue, _ node: Int, calls: Int, _ findings: inout [Finding]) {
        guard calls < Limits.schemaCallsMax else {
            refusal = "can't be checked: the value is nested too deep for this schema"
            return
        }
        for check in nodes[node].checks {
            guard spend(1), findings.count < Limits.schemaFaultsMax else { return }
            apply(check, to: value, calls: calls + 1, &findings)
        }
    }

    /// - Returns: false once the checking is given up.
    private mutating func spend(_ steps: Int) -> Bool {
        stepsLeft -= steps
        if stepsLeft < 0, refusal == nil { refusal = "can't be checked: the value is too large for this schema" }
        return refusal == nil
    }

    private func add(_ message: @autoclosure () -> String, _ findings: inout [Finding]) {
        guard findings.count < Limits.schemaFaultsMax else { return }
        let fault = isProbing ? SchemaFault(path: "", message: "") : SchemaFault(path: path, message: message())
        findings.append(Finding(fault: fault, depth: way.count))
    }

    private var path: String {
        var path = name
        for place in way {
            switch place {
            case .key(let key): path = path.appendingPath(key: key)
            case .index(let index): path += "[\(index)]"
            }
        }
        return path.plain(bytesMax: Limits.schemaFaultPathBytesMax)
    }

    private mutating func apply(
        _ check: SchemaCheck, to value: JSONValue, calls: Int, _ findings: inout [Finding]
    ) {
        switch check {
        case .never: add("must not be there: the schema allows no value here", &findings)
        case .types(let types): checkTypes(types, of: value, &findings)
        case .values(let values, let told):
            let comparable = value.comparable
            guard spend(comparable.count / 8) else { return }
            if values.contains(comparable) { break }
            add(
                values.count == 1 ? "must be \(told); is \(value.told)" : "must be one of \(told); is \(value.told)",
                &findings)
        case .number(let bounds): if case .number(let number) = value { checkNumber(number, bounds, &findings) }
        case .lengths(let lengths):
            guard case .string(let text) = value, spend(text.utf8.count / 8) else { return }
            checkCount(text.unicodeScalars.count, lengths, of: "character", "is", &findings)
        case .pattern(let pattern, let told):
            guard case .string(let text) = value else { return }
            let isFound = pattern.isFound(in: text, stepsLeft: &stepsLeft)
            if spend(0), !isFound { add("must match the pattern \(told); is \(value.told)", &findings) }
        case .array(let shape):
            if case .array(let elements) = value { checkArray(elements, shape, calls: calls, &findings) }
        case .object(let shape):
            if case .object(let object) = value { checkObject(object, shape, calls: calls, &findings) }
        case .reference(let schema): self.check(value, schema, calls: calls, &findings)
        case .allOf(let schemas): for schema in schemas { self.check(value, schema, calls: calls, &findings) }
        case .anyOf(let schemas): checkAlternatives(value, schemas, "anyOf", calls: calls, &findings)
        case .oneOf(let schemas): checkAlternatives(value, schemas, "oneOf", calls: calls, &findings)
        case .not(let schema):
            let inner = probe(value, schema, calls: calls)
            if refusal == nil, inner.isEmpty {
                add("must not satisfy the schema of 'not'; is \(value.told)", &findings)
            }
        }
    }

    // MARK: - Scalars

    private mutating func checkTypes(_ types: [SchemaType], of value: JSONValue, _ findings: inout [Finding]) {
        var isInteger = false
        for type in types {
            switch (type, value) {
            case (.null, .null), (.boolean, .bool), (.number, .number), (.string, .string), (.array, .array),
                (.object, .object):
                return
            case (.integer, .number(let number)):
                guard spend(number.text.utf8.count / 8) else { return }
                isInteger = DecimalNumber(number.text)?.isInteger ?? false
                if isInteger { return }
            default: break
            }
        }
        let is_ = types.contains(.integer) ? value.number.map { _ in value.told } : nil
        add("must be \(types.map(\.told).joined(separator: " or ")); is \(is_ ?? value.typeTold)", &findings)
    }

    private mutating func checkNumber(_ number: JSONNumber, _ bounds: NumberBounds, _ findings: inout [Finding]) {
        guard spend(number.text.utf8.count / 4) else { return }
        guard let exact = DecimalNumber(number.text) else {
            return add("the number's exponent is too large to compare it", &findings)
        }
        let told = JSONValue.number(number).told
        if let bound = bounds.minimum, exact < bound.number {
            add("must be at least \(bound.text); is \(told)", &findings)
        }
        if let bound = bounds.maximum, exact > bound.number {
            add("must be at most \(bound.text); is \(told)", &findings)
        }
        if let bound = bounds.exclusiveMinimum, exact <= bound.number {
            add("must be greater than \(bound.text); is \(told)", &findings)
        }
        if let bound = bounds.exclusiveMaximum, exact >= bound.number {
            add("must be less than \(bound.text); is \(told)", &findings)
        }
        if let bound = bounds.multipleOf, !exact.isMultiple(of: bound.number) {
            add("must be a multiple of \(bound.text); is \(told)", &findings)
        }
    }

    private func checkCount(
        _ count: Int, _ allowed: ClosedRange<Int>, of unit: String, _ verb: String, _ findings: inout [Finding]
    ) {
        if allowed.contains(count) { return }
        let (word, bound) = count < allowed.lowerBound ? ("least", allowed.lowerBound) : ("most", allowed.upperBound)
        let wanted = bound.counted(unit)
        add(
            verb == "is"
                ? "must be at \(word) \(wanted) long; is \(count)" : "must have at \(word) \(wanted); has \(count)",
            &findings)
    }

    // MARK: - Arrays and objects

    private mutating func checkArray(
        _ elements: [JSONValue], _ shape: ArrayShape, calls: Int, _ findings: inout [Finding]
    ) {
        checkCount(elements.count, shape.counts, of: "element", "has", &findings)
        if shape.isUnique { checkUnique(elements, &findings) }
        for (index, element) in elements.enumerated() {
            guard let schema = index < shape.prefix.count ? shape.prefix[index] : shape.items else { return }
            guard spend(1), findings.count < Limits.schemaFaultsMax else { return }
            way.append(.index(index))
            check(element, schema, calls: calls, &findings)
            way.removeLast()
        }
    }

    private mutating func checkUnique(_ elements: [JSONValue], _ findings: inout [Finding]) {
        var places: [[UInt8]: Int] = [:]
        for (index, element) in elements.enumerated() {
            let comparable = element.comparable
            guard spend(2 + comparable.count / 8) else { return }
            if let first = places.updateValue(index, forKey: comparable) {
                return add(
                    "must not have equal elements; [\(first)] and [\(index)] are both \(element.told)", &findings)
            }
        }
    }

    private mutating func checkObject(
        _ object: JSONObject, _ shape: ObjectShape, calls: Int, _ findings: inout [Finding]
    ) {
        let members = object.effectiveMembers
        // Sorting compares keys some twenty times each, at most.
        guard spend(members.reduce(2 * object.members.count) { $0 + $1.key.utf8.count / 8 }) else { return }
        checkCount(members.count, shape.counts, of: "member", "has", &findings)
        var isMissing = [Bool](repeating: true, count: shape.required.count)
        guard spend(shape.required.count) else { return }
        for member in members {
            guard findings.count < Limits.schemaFaultsMax, refusal == nil else { return }
            let known = shape.members[ByteText(member.key)]
            if let index = known?.requiredIndex { isMissing[index] = false }
            way.append(.key(member.key))
            defer { way.removeLast() }
            switch (known?.schema, shape.others) {
            case (let schema?, _), (nil, .schema(let schema)): check(member.value, schema, calls: calls, &findings)
            case (nil, .anything): break
            case (nil, .none): add(Self.unknownMember(member.key, of: shape), &findings)
            }
        }
        for (name, isMissing) in zip(shape.required, isMissing) where isMissing {
            add("must have the member \(JSONValue.string(name).told)", &findings)
        }
    }

    private static func unknownMember(_ key: String, of shape: ObjectShape) -> String {
        if let nearest = NearestName.of(key, among: Array(shape.known.prefix(100))) {
            return "is not allowed; did you mean \(JSONValue.string(nearest).told)?"
        }
        if shape.known.isEmpty { return "is not allowed: there must be no such member" }
        let known = shape.known.prefix(10).joined(separator: ", ") + (shape.known.count > 10 ? ", …" : "")
        return "is not allowed; allowed are \(known)"
    }

    // MARK: - Alternatives

    /// What is wrong with a value, without words.
    private mutating func probe(_ value: JSONValue, _ schema: Int, calls: Int) -> [Finding] {
        let wasProbing = isProbing
        isProbing = true
        defer { isProbing = wasProbing }
        var findings: [Finding] = []
        check(value, schema, calls: calls, &findings)
        return findings
    }

    private mutating func checkAlternatives(
        _ value: JSONValue, _ schemas: [Int], _ keyword: String, calls: Int, _ findings: inout [Finding]
    ) {
        var fitting: [Int] = []
        var nearest: (index: Int, findings: [Finding])?
        for (index, schema) in schemas.enumerated() {
            let inner = probe(value, schema, calls: calls)
            guard refusal == nil else { return }
            if inner.isEmpty {
                fitting.append(index)
                if keyword == "anyOf" { return }
                if fitting.count == 2 {
                    let both = "both number \(fitting[0] + 1) and number \(fitting[1] + 1)"
                    return add("must satisfy only one of the schemas of 'oneOf'; satisfies \(both)", &findings)
                }
            } else if nearest.map({ Self.isNearer(inner, than: $0.findings) }) ?? true {
                nearest = (index, inner)
            }
        }
        guard fitting.isEmpty, let nearest else { return }
        if isProbing { return findings += nearest.findings.prefix(1) }
        if schemas.count == 1 { return check(value, schemas[0], calls: calls, &findings) }
        var told: [Finding] = []
        check(value, schemas[nearest.index], calls: calls, &told)
        guard let fault = told.first?.fault else { return }
        let beginning = "must satisfy one of the \(schemas.count) schemas of '\(keyword)'"
        add("\(beginning); the nearest is number \(nearest.index + 1): \(fault)", &findings)
    }

    /// A schema whose faults lie deeper in the value is the one that was meant; then one with fewer of them.
    private static func isNearer(_ left: [Finding], than right: [Finding]) -> Bool {
        let depths = (left.map(\.depth).min() ?? 0, right.map(\.depth).min() ?? 0)
        return depths.0 == depths.1 ? left.count < right.count : depths.0 > depths.1
    }
}
