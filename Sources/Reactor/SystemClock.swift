import CLinux
import StreamBytes

extension MonotonicTime {
    /// The monotonic clock, read now; a reactor's own `now` is cheaper.
    package static var now: MonotonicTime { MonotonicTime(nanoseconds: CLinux_monotonic_ns()) }
}

extension WallTime {
    /// The wall clock, read now.
    package static var now: WallTime { WallTime(milliseconds: CLinux_wall_ms()) }
}
