import StreamLoad

runLoadCommand(Array(CommandLine.arguments.dropFirst()))
