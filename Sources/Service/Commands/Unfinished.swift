package func runUp(_ options: CommandOptions) -> Int32 { notThere("up") }
package func runServe(_ options: CommandOptions) -> Int32 { notThere("serve") }
package func runBill(_ options: CommandOptions) -> Int32 { notThere("bill") }

private func notThere(_ command: String) -> Int32 {
    Console.standard.complain("weir: \(command) is not part of this build")
    return 1
}
