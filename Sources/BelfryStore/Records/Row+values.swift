import BelfryCore
import Foundation
import GRDB

extension String {
    var blob: Blob { .text(self) }
}

extension RawJSON {
    var blob: Blob { .bytes(bytes) }
}

extension [UInt8] {
    var blob: Blob { .bytes(self) }
}

extension Row {
    func bytes(_ column: String) -> [UInt8] { (self[column] as Data?).map { [UInt8]($0) } ?? [] }

    func text(_ column: String) -> String { optionalText(column) ?? "" }

    func optionalText(_ column: String) -> String? {
        (self[column] as Data?).map { String(decoding: $0, as: UTF8.self) }
    }

    func json(_ column: String) -> RawJSON { RawJSON(trusted: bytes(column)) }

    func optionalJSON(_ column: String) -> RawJSON? {
        (self[column] as Data?).map { RawJSON(trusted: [UInt8]($0)) }
    }

    func int(_ column: String) -> Int64 { (self[column] as Int64?) ?? 0 }

    func flag(_ column: String) -> Bool { int(column) != 0 }

    func timestamp(_ column: String) -> Timestamp { Timestamp(milliseconds: int(column)) }

    func optionalTimestamp(_ column: String) -> Timestamp? {
        (self[column] as Int64?).map(Timestamp.init(milliseconds:))
    }

    func identifier<Kind>(_ column: String, of _: Kind.Type = Kind.self) throws(BelfryError) -> Identifier<Kind> {
        guard let id = Identifier<Kind>(bytes: bytes(column)) else { throw damaged(column) }
        return id
    }

    func optionalIdentifier<Kind>(
        _ column: String, of _: Kind.Type = Kind.self
    ) throws(BelfryError) -> Identifier<Kind>? {
        guard (self[column] as Data?) != nil else { return nil }
        return try identifier(column)
    }

    /// A word of a closed set.
    func word<Word: RawRepresentable>(
        _ column: String, of _: Word.Type = Word.self
    ) throws(BelfryError) -> Word where Word.RawValue == String {
        guard let word = Word(rawValue: text(column)) else { throw damaged(column) }
        return word
    }

    private func damaged(_ column: String) -> BelfryError {
        BelfryError(.storageFailed, "the database holds a value it should not: column \(column)")
    }
}
