import BelfryEngine
import Testing

struct LayeredDictionaryTests {
    @Test("it holds what a dictionary holds, and a copy keeps what it held")
    func sameAsDictionary() {
        var generator = SystemRandomNumberGenerator()
        var layered = LayeredDictionary<Int, Int>()
        var plain: [Int: Int] = [:]
        for round in 0..<6000 {
            let key = Int.random(in: 0..<3000, using: &generator)
            let value = Bool.random(using: &generator) ? round : nil
            layered[key] = value
            plain[key] = value
        }
        let (copy, held) = (layered, plain)
        layered[-1] = 1
        layered[held.keys.first ?? 0] = nil
        #expect(copy.count == held.count && copy.isEmpty == held.isEmpty && copy[-1] == nil)
        #expect(Array(copy.keys).sorted() == held.keys.sorted())
        #expect(Array(copy.values).sorted() == held.values.sorted())
        #expect(held.allSatisfy { copy[$0.key] == $0.value })
    }
}
