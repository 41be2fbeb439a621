import BelfryCore

/// The body of a response as it comes, with backpressure: while nobody reads, at most
/// ``Limits/responseBufferBytesMax`` bytes are taken from the socket.
///
/// It has one reader. When the last copy of it is gone, or the reader's task is cancelled, the socket is closed; after
/// a cancelled `next` or ``cancel()`` it is closed already.
public struct HTTPBody: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    public typealias Failure = HTTPFailure

    private let lease: Lease

    init(_ transfer: Transfer, client: HTTPClient) {
        lease = Lease(transfer, client)
    }

    public func makeAsyncIterator() -> Iterator { Iterator(lease: lease) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let lease: Lease

        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(HTTPFailure) -> [UInt8]? {
            try await lease.next(isolation: actor)
        }
    }

    /// Ends the exchange if it has not ended; returns when the socket is closed.
    public func cancel() async { await lease.cancel() }

    /// The whole body.
    /// - Throws: `.tooLarge` as soon as it is longer than `bytesMax`; the socket is closed then.
    public func collect(upTo bytesMax: Int) async throws(HTTPFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try await lease.next() {
            bytes += piece
            guard bytes.count <= bytesMax else {
                await lease.cancel()
                throw HTTPFailure(.tooLarge, "the answer is longer than \(bytesMax) bytes")
            }
        }
        return bytes
    }

    /// Keeps the exchange alive, and its client with it.
    fileprivate final class Lease: Sendable {
        private let transfer: Transfer
        private let client: HTTPClient

        init(_ transfer: Transfer, _ client: HTTPClient) {
            self.transfer = transfer
            self.client = client
        }

        deinit {
            if !transfer.hasEnded { client.loop.submit(.cancel(transfer)) }
        }

        func next(isolation actor: isolated (any Actor)? = #isolation) async throws(HTTPFailure) -> [UInt8]? {
            if Task.isCancelled { await cancel() }
            let piece = await withTaskCancellationHandler {
                await transfer.nextPiece()
            } onCancel: {
                client.loop.submit(.cancel(transfer))
            }
            if Task.isCancelled {
                await cancel()
                throw .cancelled
            }
            switch piece {
            case .bytes(let bytes, let unpauses):
                if unpauses { client.loop.submit(.resume(transfer)) }
                return bytes
            case .end: return nil
            case .failed(let failure): throw failure
            }
        }

        func cancel() async {
            if transfer.hasEnded { return }
            // A loop that has ended, ends every transfer: there is something to wait for either way.
            client.loop.submit(.cancel(transfer))
            await transfer.waitForEnd()
        }
    }
}
