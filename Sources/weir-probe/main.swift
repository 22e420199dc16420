import Glibc

switch CommandLine.arguments.dropFirst().first {
case "sse": SSEProbe.run()
case "dialect": DialectProbe.run()
default:
    print("usage: weir-probe sse|dialect")
    exit(2)
}
