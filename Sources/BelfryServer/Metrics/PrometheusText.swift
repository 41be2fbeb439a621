import BelfryCore

/// Prometheus' text exposition format, version 0.0.4.
enum PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Samples of one name must stand together, as they do here.
    static func render(_ samples: [MetricSample]) -> String {
        var text = ""
        var last: String?
        for sample in samples {
            if sample.name != last {
                text += "# HELP \(sample.name) \(escaped(sample.help))\n# TYPE \(sample.name) \(sample.kind.rawValue)\n"
                last = sample.name
            }
            let pairs = sample.labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
            let labels = pairs.joined(separator: ",")
            text += "\(sample.name)\(labels.isEmpty ? "" : "{\(labels)}") \(number(sample.value))\n"
        }
        return text
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool = false) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
