/// One thing that is wrong with a document: where it stands, and what to do about it.
public struct Diagnostic: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file as it was named to the loader.
    public var file: String
    /// From 1; 0 where the text has no lines (a document from the store).
    public var line: Int
    /// The keys that lead there: `run.steps[0].prompt`. Empty for the document as a whole.
    public var path: String
    public var message: String

    public init(file: String, line: Int, path: String, message: String) {
        self.file = file
        self.line = line
        self.path = path
        self.message = message
    }

    /// `file:line: path: message`; what is not known is left out.
    public var description: String {
        [line > 0 ? "\(file):\(line)" : file, path, message].filter { !$0.isEmpty }.joined(separator: ": ")
    }
}

/// Everything that is wrong with a set of documents. Nothing of the set was loaded.
public struct DocumentErrors: Error, Sendable, CustomStringConvertible {
    /// In the order of the files and lines; never empty.
    public var diagnostics: [Diagnostic]

    public init(_ diagnostics: [Diagnostic]) { self.diagnostics = diagnostics }

    /// One line per diagnostic.
    public var description: String { diagnostics.map(\.description).joined(separator: "\n") }
}
