import BelfryCore
import BelfrySources

/// What is to be sent, before it is signed.
struct DeliveryTemplate {
    var preset: Preset
    var headers: [(name: String, value: String)]
    var body: [UInt8]

    /// A sample by its name, a preset's first sample, or a file.
    init(named name: String, file: String?, headers given: [String]) throws {
        let ofPreset = Preset(rawValue: name).flatMap { SampleDelivery.names(for: $0).first }
        let sample = SampleDelivery.named(ofPreset ?? name)
        guard let preset = Preset(rawValue: name) ?? sample?.preset else {
            let known = SampleDelivery.names.joined(separator: ", ")
            throw Failure(.usage, "no sample or preset \(name); samples are \(known)")
        }
        self.preset = preset
        headers = sample?.headers ?? []
        if let file {
            body = try LocalFile.bytes(at: file)
        } else if let sample {
            body = sample.body
        } else {
            throw Failure(.usage, "preset \(name) has no sample; give the body with --file")
        }
        for header in given {
            guard let colon = header.firstIndex(of: ":") else {
                throw Failure(.usage, "--header \(header) is not 'Name: value'")
            }
            set(String(header[..<colon]), String(header[header.index(after: colon)...].drop { $0 == " " }))
        }
        if !headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            headers.append(("Content-Type", "application/json"))
        }
    }

    private mutating func set(_ name: String, _ value: String) {
        headers.removeAll { $0.name.lowercased() == name.lowercased() }
        headers.append((name, value))
    }
}
