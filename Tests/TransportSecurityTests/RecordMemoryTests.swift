import COpenSSL
import Testing
import TransportSecurity

@Suite("The memory of records")
struct RecordMemoryTests {
    /// What OpenSSL 3.0 asks for to read a record; to write one it asks for less.
    private static let record = 16_712

    private func allocate(_ count: Int) -> UnsafeMutableRawPointer? {
        unsafe COpenSSL_allocate(count, "", 0)
    }

    private func release(_ memory: UnsafeMutableRawPointer?) {
        unsafe COpenSSL_release(memory, "", 0)
    }

    @Test("a record's memory is that of the thread's record before")
    func recordIsKept() {
        let first = unsafe allocate(Self.record)
        unsafe release(first)
        let small = unsafe allocate(64)
        let large = unsafe allocate(40_000)
        let second = unsafe allocate(Self.record + 300)
        #expect(unsafe first != nil && first == second)
        let third = unsafe allocate(Self.record)
        #expect(unsafe third != nil && third != second)
        unsafe release(small)
        unsafe release(large)
        unsafe release(second)
        unsafe release(third)
    }

    @Test(
        "memory of other sizes never becomes a record's",
        arguments: [1, 1_032, 16_384, 18_500, 100_000]
    )
    func otherSizesAreNotKept(count: Int) {
        let kept = unsafe allocate(Self.record)
        unsafe release(allocate(count))
        let next = unsafe allocate(Self.record)
        #expect(unsafe (17_408..<17_472).contains(malloc_usable_size(next)))
        unsafe release(kept)
        unsafe release(next)
    }

    @Test("the memory of one record is kept, not of more")
    func oneIsKept() {
        let first = unsafe allocate(Self.record)
        let second = unsafe allocate(Self.record)
        unsafe release(first)
        unsafe release(second)
        let next = unsafe allocate(Self.record)
        #expect(unsafe next == first)
        unsafe release(next)
    }

    @Test("memory is resized with what is in it, and no memory is none")
    func resizes() {
        #expect(unsafe allocate(0) == nil)
        unsafe release(nil)
        let memory = unsafe COpenSSL_resize(nil, Self.record, "", 0)
        unsafe memory?.storeBytes(of: 0x5745_4952, as: UInt32.self)
        let more = unsafe COpenSSL_resize(memory, 1 << 20, "", 0)
        #expect(unsafe more?.load(as: UInt32.self) == 0x5745_4952)
        #expect(unsafe COpenSSL_resize(more, 0, "", 0) == nil)
    }

    @Test("once OpenSSL was used its memory stays what it is")
    func tooLate() {
        let context = unsafe SSL_CTX_new(TLS_server_method())
        unsafe SSL_CTX_free(context)
        #expect(!RecordMemory.keepForNextRecord())
    }
}
