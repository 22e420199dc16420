import Metering
import StreamBytes
import Telemetry

/// What a spool holds and what happened to it; a copy, as of its last change.
package struct SpoolStatus: Sendable {
    package var byteCount = 0
    package var byteLimit = 0
    /// Stored records that are not released.
    package var waitingCount: Int64 = 0
    /// When the oldest of them was stored.
    package var oldestAt: WallTime?
    package var level = SpoolLevel.normal
    /// Why records cannot be stored, or read, now.
    package var problem: String?
    /// Records stored by this run.
    package var storedCount: Int64 = 0
    /// Damaged places that were found, and put into the quarantine.
    package var damagedCount = 0
    /// How often storing failed.
    package var failureCount = 0
    /// How long each group took to be stored.
    package var storeTimes = LatencyBuckets()

    package init() {}
}
