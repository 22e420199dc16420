import Foundation
import Testing

@Suite struct EventParserCasesTests {
    private struct Cases: Decodable {
        let cases: [Case]
    }

    struct Case: Decodable, CustomTestStringConvertible {
        let id: String
        let stream: Data
        let events: [ParsedStream.Event]
        let retry: Int64?
        let retryAny: Bool?
        let nosplit: Bool?
        let lastEventId: String

        var testDescription: String { id }
        var body: [UInt8] { Array(stream) }

        func check(_ parsed: ParsedStream, _ way: String) {
            #expect(parsed.events == events, "\(id), \(way)")
            #expect(parsed.lastEventID == lastEventId, "\(id), \(way)")
            if retryAny != true { #expect(parsed.retry == retry, "\(id), \(way)") }
        }
    }

    static let cases: [Case] = {
        var root = URL(fileURLWithPath: #filePath)
        while root.path != "/", root.lastPathComponent != "Tests" { root.deleteLastPathComponent() }
        let file = root.appendingPathComponent("Fixtures/sse/cases.json")
        let content = try? Data(contentsOf: file)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return content.flatMap { try? decoder.decode(Cases.self, from: $0) }?.cases ?? []
    }()

    @Test func `the cases are there`() {
        #expect(Self.cases.count == 55)
    }

    @Test(arguments: cases)
    func `a body fed whole yields the algorithm's events`(_ item: Case) throws {
        item.check(try ParsedStream([item.body]), "whole")
    }

    @Test(arguments: cases)
    func `a body fed in small pieces yields the same events`(_ item: Case) throws {
        for size in item.nosplit == true ? [4_096, 997] : [1, 2, 3] {
            let parts = pieces(item.body, of: size).flatMap { [$0, []] }
            item.check(try ParsedStream(parts), "pieces of \(size)")
        }
    }

    @Test(arguments: cases.filter { $0.nosplit != true })
    func `a body cut once at any place yields the same events`(_ item: Case) throws {
        let body = item.body
        for cut in 0..<body.count {
            let parts = [Array(body[..<cut]), Array(body[cut...])]
            item.check(try ParsedStream(parts), "cut at \(cut)")
        }
    }
}
