import FoundationEssentials
import Metering
import TestSupport
import Testing

/// The schema that others read records by, against the records that are written.
struct RecordSchemaTests {
    private struct Schema: Decodable {
        struct Form: Decodable {
            let required: [String]
            let properties: [String: Field]
        }

        struct Field: Decodable {
            let `enum`: [String]?
        }

        let forms: Forms

        struct Forms: Decodable { let record: Form }

        enum CodingKeys: String, CodingKey { case forms = "$defs" }
    }

    private func form() throws -> Schema.Form {
        let path = repositoryRoot() + "/Examples/meter_record.schema.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        return try JSONDecoder().decode(Schema.self, from: Data(text.utf8)).forms.record
    }

    @Test func `it describes every field that a record may have, and no other`() throws {
        var record = UsageRecord()
        record.usage = TokenUsage()
        record.latency = LatencySummary(mean: 3, minimum: 1, p95: 4, p99: 5, maximum: 6)
        record.firstTokenMicroseconds = 1
        record.roundTripMicroseconds = 1
        record.inFlightBytes = 1
        (record.keyID, record.user, record.purpose, record.provider) = ("k", "u", "p", "o")
        #expect(Set(try form().properties.keys) == Set(record.fields.map(\.name)))
    }

    @Test func `it requires what every record has`() throws {
        #expect(Set(try form().required) == Set(UsageRecord().fields.map(\.name)))
    }

    @Test func `it lists the ends that there are`() throws {
        let ends = try #require(try form().properties["end"]?.enum)
        #expect(ends.compactMap(StretchEnd.init(rawValue:)).count == ends.count)
        #expect(ends.count == StretchEnd.allCases.count)
    }
}
