runReplayCommand(Array(CommandLine.arguments.dropFirst()))
