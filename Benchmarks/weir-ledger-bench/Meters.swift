import Glibc

/// What a stretch of work took.
struct Stopwatch {
    private var wall = seconds(CLOCK_MONOTONIC)
    private var processor = seconds(CLOCK_PROCESS_CPUTIME_ID)

    /// Seconds since it was made: by the wall, and of all threads together.
    var elapsed: (wall: Double, processor: Double) {
        (seconds(CLOCK_MONOTONIC) - wall, seconds(CLOCK_PROCESS_CPUTIME_ID) - processor)
    }
}

private func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// Resident memory of this process now, in MiB.
func residentMebibytes() -> Int {
    guard let file = unsafe fopen("/proc/self/statm", "re") else { return 0 }
    defer { unsafe fclose(file) }
    var line = [CChar](repeating: 0, count: 256)
    guard unsafe fgets(&line, 256, file) != nil else { return 0 }
    let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return pages * sysconf(Int32(_SC_PAGESIZE)) / 1_048_576
}

/// Prints a line at once, also into a file.
func say(_ line: String) {
    print(line)
    fflush(nil)
}
