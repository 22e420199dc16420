import Glibc

switch CommandLine.arguments.dropFirst().first {
case "echo": exit(EchoProbe.run(Array(CommandLine.arguments.dropFirst(2))))
case "sse": SSEProbe.run()
case "dialect": DialectProbe.run()
default:
    print("usage: weir-probe echo|sse|dialect")
    exit(2)
}
