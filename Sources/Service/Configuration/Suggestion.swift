/// Guesses what was meant by a word that nobody knows.
enum Suggestion {
    /// Returns the nearest of `words`, if one is near enough to have been meant.
    static func nearest(to word: String, among words: [String]) -> String? {
        let limit = max(1, word.count / 3 + 1)
        let scored = words.map {
            (word: $0, distance: distance(word.lowercased(), $0.lowercased()))
        }
        let best = scored.min { ($0.distance, $0.word) < ($1.distance, $1.word) }
        guard let best, best.distance <= limit, best.distance < best.word.count else { return nil }
        return best.word
    }

    /// Returns how many letters must be added, dropped, replaced, or swapped with their neighbour.
    static func distance(_ left: String, _ right: String) -> Int {
        let left = Array(left.prefix(64))
        let right = Array(right.prefix(64))
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for row in left.indices {
            var current = [row + 1]
            for column in right.indices {
                let replaced = last[column] + (left[row] == right[column] ? 0 : 1)
                var best = min(replaced, last[column + 1] + 1, current[column] + 1)
                let isSwap =
                    row > 0 && column > 0 && left[row] == right[column - 1]
                    && left[row - 1] == right[column]
                if isSwap { best = min(best, beforeLast[column - 1] + 1) }
                current.append(best)
            }
            beforeLast = last
            last = current
        }
        return last[right.count]
    }
}
