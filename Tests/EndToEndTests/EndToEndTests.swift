import Testing

/// The built programs, driven from outside over real sockets, with a real Redis and real ledgers.
///
/// One test at a time: each of them keeps the machine busy with processes of its own.
@Suite(.serialized, .timeLimit(.minutes(4))) struct EndToEndTests {}
