/// One page that watches a run: its connection, and the account of the tokens that came over it.
struct Dashboard: Sendable {
    enum State: Sendable { case connecting, asked, open, closed }

    let socket: Int32
    /// Counts from 0.
    let run: Int
    var state = State.connecting
    /// Of the answer; 0 as long as there is none.
    private(set) var status = 0
    /// Each token comes once and in order.
    var account = DeliveryAccount(first: 0)
    private var parser = ResponseParser()
    private var scanner = DeltaScanner()

    init(socket: Int32, run: Int) { (self.socket, self.run) = (socket, run) }

    /// Takes what came.
    /// - Parameter marks: gets those of the tokens.
    mutating func receive(
        _ bytes: UnsafeRawBufferPointer, _ format: FanoutMark.Format, _ marks: inout [FanoutMark]
    ) {
        // Taken out and put back, so that the parser may call what changes the others.
        var (isOver, status, scanner) = (false, status, DeltaScanner())
        swap(&scanner, &self.scanner)
        let isHTTP = parser.feed(bytes) { part in
            switch part {
            case .head(let head): status = head.status
            case .body(let piece): if status == 200 { scanner.feed(piece, format, &marks) }
            case .end: isOver = true
            }
        }
        swap(&scanner, &self.scanner)
        self.status = status
        if !isHTTP || isOver || status != 0 && status != 200 {
            state = .closed
        } else if status == 200, state == .asked {
            state = .open
        }
    }
}
