extension Command {
    /// The commands, in the order of the overview.
    static var all: [Command] {
        let common: [CommandOption] = [.configuration, .override, .data]
        return [
            Command(
                name: "up",
                summary: "runs everything in one process: gateway, billing, Redis",
                details: upDetails,
                options: common + [.secureItself]
            ) { options, _ in runUp(options) },
            Command(
                name: "serve",
                summary: "runs the gateway alone",
                options: common + [.sharePort, .takeOver]
            ) { options, _ in runServe(options) },
            Command(
                name: "bill",
                summary: "runs the billing consumer alone",
                options: common
            ) { options, _ in runBill(options) },
            Command(
                name: "check",
                summary: "reads the configuration and tries what it names",
                details: "Exit status 1 if anything is wrong or does not answer.",
                options: common
            ) { options, console in ConfigurationCheck(console: console).run(options) },
            Command(
                name: "keys",
                operands: "create|list|revoke ID",
                operandCount: 1...2,
                summary: "makes, lists and revokes API keys",
                details: keysDetails,
                options: common + [.account]
            ) { options, console in KeysCommand(console: console).run(options) },
            Command(
                name: "rate",
                operands: "CASES",
                operandCount: 1...1,
                summary: "rates the cases of a file, one JSON object per line",
                options: common
            ) { options, console in runRate(options, console) },
            Command(
                name: "usage",
                summary: "adds up what was used and what it costs",
                details: usageDetails,
                options: common + usageOptions
            ) { options, console in UsageCommand(console: console).run(options) },
            Command(
                name: "explain",
                operands: "RECORD",
                operandCount: 1...1,
                summary: "shows the charge of a meter record as arithmetic",
                details: "RECORD is its record_id. Exit status 1 if the ledger has it otherwise.",
                options: common
            ) { options, console in ExplainCommand(console: console).run(options) },
            Command(
                name: "ledger",
                operands: "verify",
                operandCount: 1...1,
                summary: "works the books out again and names what is not as it was written",
                details: ledgerDetails,
                options: common
            ) { options, console in LedgerCommand(console: console).run(options) },
        ]
    }

    private static let upDetails = """
        Without a redis.url it runs a private redis-server in the data directory; without
        providers it serves the built-in demonstration. SIGTERM and SIGINT drain, a second one
        stops at once; SIGHUP reads the configuration again.
        """

    private static let usageOptions: [CommandOption] = [
        .query("from", "TIME", "records that ended from here on (default: this month's start)"),
        .query("to", "TIME", "and before this (default: now)"),
        .query("group", "WORDS", "provider, model, purpose, account, key, user, day"),
        .query("account", "ID", "of this account alone"),
        .query("limit", "N", "the most rows, up to 1000 (default: 100)"),
        .query("after", "ROW", "go on behind this row, as the page before says"),
        .query("format", "FORM", "table, csv or json (default: table)"),
    ]

    private static let usageDetails = """
        A TIME is a day such as 2026-02-01, a month such as 2026-02, or an instant such as
        2026-02-01T12:00Z. Several WORDS have commas between them. The trend compares with the same
        part of the month before; the projection extends this month's usage to its end and rates it.
        """

    private static let ledgerDetails = """
        Every total is worked out again from the records, every row that follows from nothing else
        is checked by its seal. Reads beside a running weir. Exit status 1 if anything is found.
        """

    private static let keysDetails = """
        weir keys create [--account ID]   makes a key and shows it, once
        weir keys list [--account ID]     lists the keys, never the keys themselves
        weir keys revoke ID               takes a key away
        """
}
