/// Finds which of many literals a text holds, in one pass (Aho and Corasick, 1975). For wildcards that begin and end with a
/// star: what stands between two stars must be in the text.
///
/// One automaton for all paths: each has a root of its own.
struct LiteralAutomaton: Sendable {
    private struct State: Sendable {
        /// Where to go on when no transition fits: the longest end of this state's text that is a state too.
        var failure: Int32
        /// The list of the literal that ends here; -1: none does.
        var list: Int32 = -1
        /// The next state on the way of failures at which a literal ends; -1: there is none.
        var shorter: Int32 = -1
    }

    private struct Transition: Sendable {
        var state: Int32 = -1
        var byte: UInt8 = 0
        var next: Int32 = -1
    }

    private var states: [State] = []
    /// Open addressing, by state and byte; at most half full.
    private var transitions = [Transition](repeating: Transition(), count: 16)
    private var transitionCount = 0

    var byteCount: Int {
        states.count * MemoryLayout<State>.stride + transitions.count * MemoryLayout<Transition>.stride
    }

    // MARK: Building

    /// Adds the literals of one path, each with its list. - Returns: the path's root.
    mutating func append(_ literals: [(text: [UInt8], list: Int32)]) -> Int32 {
        let root = addState(failure: Int32(states.count))
        var edges: [(state: Int32, byte: UInt8, next: Int32)] = []
        for literal in literals {
            var state = root
            for byte in literal.text {
                var next = self.next(state, byte)
                if next < 0 {
                    next = addState(failure: root)
                    insert(Transition(state: state, byte: byte, next: next))
                    edges.append((state, byte, next))
                }
                state = next
            }
            states[Int(state)].list = literal.list
        }
        // Failures by growing depth: those of shorter texts are needed for longer ones.
        var children: [Int32: [(byte: UInt8, next: Int32)]] = [:]
        for edge in edges { children[edge.state, default: []].append((edge.byte, edge.next)) }
        var level: [Int32] = [root]
        while !level.isEmpty {
            var deeper: [Int32] = []
            for state in level {
                for child in children[state] ?? [] {
                    setFailure(of: child.next, above: state, child.byte, root)
                    deeper.append(child.next)
                }
            }
            level = deeper
        }
        return root
    }

    private mutating func setFailure(of state: Int32, above parent: Int32, _ byte: UInt8, _ root: Int32) {
        guard parent != root else { return }
        var failure = states[Int(parent)].failure
        var next = self.next(failure, byte)
        while next < 0, failure != root {
            failure = states[Int(failure)].failure
            next = self.next(failure, byte)
        }
        let target = next < 0 ? root : next
        states[Int(state)].failure = target
        states[Int(state)].shorter = states[Int(target)].list >= 0 ? target : states[Int(target)].shorter
    }

    private mutating func addState(failure: Int32) -> Int32 {
        states.append(State(failure: failure))
        return Int32(states.count - 1)
    }

    private mutating func insert(_ transition: Transition) {
        if transitionCount * 2 >= transitions.count {
            let old = transitions
            transitions = [Transition](repeating: Transition(), count: old.count * 2)
            for transition in old where transition.next >= 0 { place(transition) }
        }
        place(transition)
        transitionCount += 1
    }

    private mutating func place(_ transition: Transition) {
        var index = slot(transition.state, transition.byte)
        while transitions[index].next >= 0 { index = (index + 1) & (transitions.count - 1) }
        transitions[index] = transition
    }

    // MARK: Searching

    private func slot(_ state: Int32, _ byte: UInt8) -> Int {
        let key = UInt64(UInt32(bitPattern: state)) << 8 | UInt64(byte)
        return Int(truncatingIfNeeded: key &* 0x9E37_79B9_7F4A_7C15 >> 32) & (transitions.count - 1)
    }

    private func next(_ state: Int32, _ byte: UInt8) -> Int32 {
        var index = slot(state, byte)
        while transitions[index].next >= 0 {
            if transitions[index].state == state, transitions[index].byte == byte { return transitions[index].next }
            index = (index + 1) & (transitions.count - 1)
        }
        return -1
    }

    var stateCount: Int { states.count }

    /// The literals that the text holds, each as its state and its list, some perhaps more than once. Where `body` says false, those
    /// that end with this one are left out.
    func forEachList(in text: UnsafeBufferPointer<UInt8>, from root: Int32, _ body: (Int32, Int32) -> Bool) {
        var state = root
        for byte in text {
            var next = self.next(state, byte)
            while next < 0, state != root {
                state = states[Int(state)].failure
                next = self.next(state, byte)
            }
            guard next >= 0 else { continue }
            state = next
            var ending = states[Int(state)].list >= 0 ? state : states[Int(state)].shorter
            while ending >= 0, body(ending, states[Int(ending)].list) {
                ending = states[Int(ending)].shorter
            }
        }
    }
}
