/// `weir check`.
struct ConfigurationCheck {
    let console: Console

    func run(_ options: CommandOptions) -> Int32 { 1 }
}
