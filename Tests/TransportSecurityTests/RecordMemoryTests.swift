import COpenSSL
import Testing
import TransportSecurity

@Suite("The memory of records")
struct RecordMemoryTests {
    /// What OpenSSL 3.0 asks for to write a record.
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

    @Test("one record's memory is kept, and memory of no other size")
    func otherSizesAreNotKept() {
        let kept = unsafe allocate(Self.record)
        let other = unsafe allocate(Self.record)
        unsafe release(kept)
        unsafe release(other)
        for count in [1, 1_032, 16_384, 17_409, 18_500, 100_000] {
            let memory = unsafe allocate(count)
            #expect(unsafe memory != kept && malloc_usable_size(memory) >= count)
            unsafe release(memory)
        }
        let next = unsafe allocate(Self.record)
        #expect(unsafe next == kept)
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
