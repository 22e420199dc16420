import Pricing

/// The streams of a batch, in the order in which they came.
struct OpenStreams {
    private var rows: [StreamRow] = []
    private var places: [StreamKey: Int] = [:]
    /// So many come first, which are stored already.
    private var storedCount = 0
    private var touchedPlaces: Set<Int> = []

    /// Remembers a stream that is stored; before any is added to.
    mutating func load(_ row: StreamRow) {
        precondition(storedCount == rows.count, "what is stored comes first")
        places[row.key] = rows.count
        rows.append(row)
        storedCount += 1
    }

    /// Adds a stream of one record to what is known of it.
    mutating func add(_ stream: StreamRow) {
        guard let place = places[stream.key] else {
            places[stream.key] = rows.count
            rows.append(stream)
            return
        }
        rows[place].add(stream)
        if place < storedCount { touchedPlaces.insert(place) }
    }

    /// Writes what has come since the last time.
    mutating func write(to engine: any LedgerEngine) throws(LedgerFailure) {
        var fresh = LedgerRows(StreamRow.table)
        for row in rows[storedCount...] { fresh.append(row) }
        try engine.write(.insert(fresh))
        var changed = LedgerRows(StreamRow.table)
        for place in touchedPlaces.sorted() { changed.append(rows[place]) }
        try engine.write(.put(changed))
        storedCount = rows.count
        touchedPlaces = []
    }
}
