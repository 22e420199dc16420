import FuzzTargets
import Glibc

// weir-fuzz list                  names the targets
// weir-fuzz words TARGET          prints libFuzzer's dictionary of a target
// weir-fuzz TARGET OPTIONS…       fuzzes it: options and folders of libFuzzer
exit(FuzzCommand.run(Array(CommandLine.arguments.dropFirst())))
