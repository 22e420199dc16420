import Gateway
import TestSupport
import Testing

struct StreamPageTests {
    @Test func `pages one after the other show every stream once, in the order of the ids`() {
        var chance = SeededChance(seed: 7)
        let ids = (0..<250).map { "s\(1_000 + $0)" }
        let shuffled = ids.shuffled(using: &chance)

        var shown: [String] = []
        var after = ""
        var pageCount = 0
        while pageCount < 10 {
            var page = StreamPage<String>(after: after, limit: 60)
            var other = StreamPage<String>(after: after, limit: 60)
            for id in shuffled.prefix(100) { page.add(id, id) }
            for id in shuffled.dropFirst(100) { other.add(id, id) }
            page.add(other)
            shown += page.streams
            pageCount += 1
            guard let next = page.next else { break }
            #expect(next == page.streams.last)
            after = next
        }

        #expect(shown == ids)
        #expect(pageCount == 5)
    }

    @Test func `a page that shows all streams names no next one`() {
        var page = StreamPage<Int>(after: "", limit: 2)
        page.add("b", 2)
        page.add("a", 1)

        #expect(page.streams == [1, 2])
        #expect(page.next == nil)
    }

    @Test func `what is shown is asked only for streams that belong to the page`() {
        var asked = 0
        func ask() -> Int {
            asked += 1
            return asked
        }
        var page = StreamPage<Int>(after: "k", limit: 1)
        for id in ["a", "k", "l", "m", "z", "y"] { page.add(id, ask()) }

        #expect(asked == 2)
    }
}
