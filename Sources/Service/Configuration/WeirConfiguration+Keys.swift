/// The key of each value; `Config/weir.yaml` says what they mean.
extension WeirConfiguration {
    static var section: Section<WeirConfiguration> {
        Section(
            .list("listen", \.listen, .address, allowsEmpty: false),
            .value("admin", \.admin, .address),
            .oneOrMore("tls", \.tls, CertificateFiles.section) { CertificateFiles() },
            .value("hsts", \.hsts, .duration(.zero...(.seconds(730 * 86_400)))),
            .section("data", \.data, Section(.value("directory", \.directory, .filePath))),
            .section("redis", \.redis, RedisConfiguration.section),
            .section("ledger", \.ledger, Section(.optional("url", \.url, .ledger))),
            .section("access", \.access, Section(.value("open", \.open, .flag))),
            .section("cors", \.cors, Section(.list("origins", \.origins, .origin))),
            .sections("accounts", \.accounts, AccountConfiguration.section) {
                AccountConfiguration()
            },
            .sections("providers", \.providers, ProviderConfiguration.section) {
                ProviderConfiguration()
            },
            .sections("models", \.models, ModelConfiguration.section) { ModelConfiguration() },
            .section("stream", \.stream, StreamConfiguration.section),
            .section("sealing", \.sealing, SealingConfiguration.section),
            .section("timeouts", \.timeouts, TimeoutConfiguration.section),
            .section("limits", \.limits, LimitConfiguration.section),
            .section("metering", \.metering, MeteringConfiguration.section),
            .section("billing", \.billing, BillingKeys.section),
            .section("alerts", \.alerts, AlertConfiguration.section),
            .section(
                "drain",
                \.drain,
                Section(
                    .value("deadline", \.deadline, .duration(.zero...(.seconds(86_400))))
                )
            ),
            .list("prices", \.prices, .filePath, allowsEmpty: false)
        )
    }
}

extension CertificateFiles {
    fileprivate static var section: Section<CertificateFiles> {
        Section(
            .required("certificate", \.certificate, .filePath),
            .required("key", \.key, .filePath)
        )
    }
}

extension RedisConfiguration {
    fileprivate static var section: Section<RedisConfiguration> {
        Section(
            .optional("url", \.url, .redisURL),
            .optional("authorityFile", \.authorityFile, .filePath),
            .optional("certificate", \.certificate, .filePath),
            .optional("key", \.key, .filePath)
        )
    }
}

extension AccountConfiguration {
    fileprivate static var section: Section<AccountConfiguration> {
        Section(
            .required("id", \.id, .id),
            .value("country", \.country, .letters(2, "a country's two capital letters")),
            .value("currency", \.currency, .letters(3, "a currency's three capital letters")),
            .value("fx", \.fx, .positiveDecimal),
            .value("vatIdValid", \.vatIdValid, .flag),
            .value("discountMode", \.discountMode, .word),
            .sections(
                "quotas",
                \.quotas,
                Section(
                    .required("kind", \.kind, .word),
                    .required("limit", \.limit, .positiveDecimal)
                )
            ) { QuotaConfiguration() },
            .sections(
                "keys",
                \.keys,
                Section(
                    .required("id", \.id, .id),
                    .required("sha256", \.sha256, .digest)
                )
            ) { KeyConfiguration() },
            .absentOrValue("sealingPassword", \.sealingPassword, .password),
            .optional("sealingPasswordFile", \.sealingPasswordFile, .filePath)
        )
    }
}

extension ProviderConfiguration {
    fileprivate static var section: Section<ProviderConfiguration> {
        Section(
            .required("name", \.name, .id),
            .required("dialect", \.dialect, .word),
            .required("baseURL", \.baseURL, .webURL),
            .absentOrValue("apiKey", \.apiKey, .secret),
            .optional("apiKeyFile", \.apiKeyFile, .filePath),
            .optional("authorityFile", \.authorityFile, .filePath),
            .value("http2", \.http2, .word),
            .value("onDisconnect", \.onDisconnect, .word),
            .value("includeUsage", \.includeUsage, .flag),
            .section(
                "timeouts",
                \.timeouts,
                Section(
                    .optional("connect", \.connect, TimeoutConfiguration.form),
                    .optional("firstByte", \.firstByte, TimeoutConfiguration.form),
                    .optional("silence", \.silence, TimeoutConfiguration.form)
                )
            )
        )
    }
}

extension ModelConfiguration {
    fileprivate static var section: Section<ModelConfiguration> {
        Section(
            .required("name", \.name, .name),
            .required("price", \.price, .price),
            .sections(
                "route",
                \.route,
                Section(
                    .required("provider", \.provider, .id),
                    .required("model", \.model, .name)
                ),
                isRequired: true
            ) { RouteStep() }
        )
    }
}

extension StreamConfiguration {
    fileprivate static var section: Section<StreamConfiguration> {
        let sizes = ByteCount(kibibytes: 1)...ByteCount(kibibytes: 1_024 * 1_024)
        return Section(
            .value("heartbeat", \.heartbeat, .duration(.milliseconds(100)...(.seconds(3_600)))),
            .value("heartbeatForm", \.heartbeatForm, .word),
            .value("lifetime", \.lifetime, .duration(.seconds(1)...(.seconds(604_800)))),
            .value("resumeWindow", \.resumeWindow, .duration(.zero...(.seconds(86_400)))),
            .section(
                "log",
                \.log,
                Section(
                    .value("perStream", \.perStream, .size(sizes)),
                    .value(
                        "total",
                        \.total,
                        .size(ByteCount(kibibytes: 1)...ByteCount(bytes: 1 << 40))
                    )
                )
            ),
            .section(
                "buffer",
                \.buffer,
                Section(
                    .value("bytes", \.bytes, .size(sizes)),
                    .value("delay", \.delay, .duration(.zero...(.seconds(10)))),
                    .value("limit", \.limit, .size(sizes)),
                    .value("stuck", \.stuck, .duration(.milliseconds(100)...(.seconds(3_600))))
                )
            ),
            .list("compression", \.compression, .word),
            .value(
                "compressionBudget",
                \.compressionBudget,
                .size(ByteCount(bytes: 0)...ByteCount(bytes: 1 << 40))
            )
        )
    }
}

extension TimeoutConfiguration {
    fileprivate static var form: ValueForm<Duration> {
        .duration(.milliseconds(1)...(.seconds(3_600)))
    }

    fileprivate static var section: Section<TimeoutConfiguration> {
        Section(
            .value("connect", \.connect, form),
            .value("firstByte", \.firstByte, form),
            .value("silence", \.silence, form)
        )
    }
}

extension LimitConfiguration {
    fileprivate static var section: Section<LimitConfiguration> {
        Section(
            .value("streams", \.streams, .number(1...10_000_000)),
            .value(
                "body",
                \.body,
                .size(ByteCount(kibibytes: 1)...ByteCount(kibibytes: 1_024 * 1_024))
            ),
            .value("head", \.head, .size(ByteCount(kibibytes: 1)...ByteCount(kibibytes: 1_024))),
            .value("streamsPerConnection", \.streamsPerConnection, .number(1...100_000))
        )
    }
}

extension MeteringConfiguration {
    fileprivate static var section: Section<MeteringConfiguration> {
        Section(
            .value("interval", \.interval, .duration(.seconds(1)...(.seconds(86_400)))),
            .value("partitions", \.partitions, .number(1...1_024)),
            .value("slots", \.slots, .filePath),
            .value("durability", \.durability, .durability),
            .value(
                "spoolLimit",
                \.spoolLimit,
                .size(ByteCount(kibibytes: 1_024)...ByteCount(bytes: 1 << 44))
            ),
            .value("acknowledge", \.acknowledge, .word),
            .list("groups", \.groups, .id, allowsEmpty: false),
            .value("retain", \.retain, .duration(.zero...(.seconds(366 * 86_400))))
        )
    }
}
