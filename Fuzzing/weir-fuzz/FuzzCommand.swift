import FuzzTargets
import Glibc

/// libFuzzer's loop; it returns when its options say so, and ends the process at a finding.
@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ check: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

enum FuzzCommand {
    /// What libFuzzer's callback, which captures nothing, checks; set before the first call.
    nonisolated(unsafe) private static var target: FuzzTarget?

    /// The command line, held where the leak sanitizer finds it when libFuzzer exits.
    nonisolated(unsafe) private static var words: [UnsafeMutablePointer<CChar>?] = unsafe []

    static func run(_ arguments: [String]) -> Int32 {
        switch arguments.first {
        case "list":
            for target in FuzzTarget.all { print(target.name) }
            return 0
        case "words":
            guard let target = arguments.dropFirst().first.flatMap(FuzzTarget.named) else {
                return usage()
            }
            for word in target.words { print("\"\(escaped(word))\"") }
            return 0
        case let name?:
            guard let target = FuzzTarget.named(name) else { return usage() }
            return fuzz(target, Array(arguments.dropFirst()))
        case nil: return usage()
        }
    }

    private static func usage() -> Int32 {
        print("usage: weir-fuzz list | words TARGET | TARGET [options of libFuzzer] [FOLDER…]")
        return 2
    }

    private static func fuzz(_ target: FuzzTarget, _ arguments: [String]) -> Int32 {
        unsafe Self.target = target
        unsafe words = unsafe (["weir-fuzz"] + arguments).map { unsafe strdup($0) } + [nil]
        var count = Int32(arguments.count + 1)
        return unsafe words.withUnsafeMutableBufferPointer { words in
            var first = words.baseAddress
            return unsafe runDriver(&count, &first) { bytes, count in
                let input = unsafe UnsafeBufferPointer(start: bytes, count: count)
                unsafe FuzzCommand.target?.check(Array(input))
                return 0
            }
        }
    }

    /// As libFuzzer's dictionaries have it.
    private static func escaped(_ word: String) -> String {
        word.utf8.map { byte in
            let isPlain = (0x20...0x7E).contains(byte) && byte != 0x22 && byte != 0x5C
            guard !isPlain else { return String(UnicodeScalar(byte)) }
            let digits = String(byte, radix: 16)
            return "\\x" + (digits.utf8.count == 1 ? "0" : "") + digits
        }.joined()
    }
}
