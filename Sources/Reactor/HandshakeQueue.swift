/// TLS handshakes that can go on, in two lines that are served in turn: accepted connections, which
/// may come by the thousand, and those to providers, which streams wait for.
package struct HandshakeQueue<Element> {
    private var accepted = Line()
    private var connecting = Line()
    private var nextIsAccepted = true

    package init() {}

    package var isEmpty: Bool { accepted.isEmpty && connecting.isEmpty }

    package mutating func append(_ element: Element, isAccepted: Bool) {
        if isAccepted { accepted.append(element) } else { connecting.append(element) }
    }

    package mutating func next() -> Element? {
        defer { nextIsAccepted.toggle() }
        return nextIsAccepted
            ? accepted.next() ?? connecting.next() : connecting.next() ?? accepted.next()
    }

    package mutating func removeAll() { self = Self() }

    private struct Line {
        private var elements: [Element?] = []
        private var start = 0

        var isEmpty: Bool { start == elements.count }

        mutating func append(_ element: Element) { elements.append(element) }

        mutating func next() -> Element? {
            guard start < elements.count else { return nil }
            let element = elements[start].take()
            start += 1
            if start == elements.count {
                self = Self()
            } else if start > 1_024, start > elements.count / 2 {
                elements.removeFirst(start)
                start = 0
            }
            return element
        }
    }
}
