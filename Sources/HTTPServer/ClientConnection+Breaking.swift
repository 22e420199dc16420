import Reactor

extension ClientConnection {
    nonisolated func breakOff(sending bytes: [UInt8], resets: Bool, exchange: UInt64) {
        assumeIsolated { connection in
            guard connection.number == exchange, connection.phase == .streaming else { return }
            if !bytes.isEmpty { connection.transmit(bytes, from: 0) }
            connection.end(.closedHere, resets: resets)
        }
    }
}
