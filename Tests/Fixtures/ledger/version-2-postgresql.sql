-- A ledger of schema version 2 in PostgreSQL, as that version's program wrote it.
SELECT pg_catalog.set_config('search_path', '', false);
CREATE SCHEMA weir;
CREATE TABLE weir.accounts (
    account_id text NOT NULL COLLATE pg_catalog."C",
    batches bigint NOT NULL,
    events bigint NOT NULL,
    chain bytea NOT NULL,
    seal bytea NOT NULL
);
CREATE TABLE weir.alerts (
    account_id text NOT NULL COLLATE pg_catalog."C",
    period text NOT NULL COLLATE pg_catalog."C",
    rule text NOT NULL COLLATE pg_catalog."C",
    "limit" text NOT NULL COLLATE pg_catalog."C",
    repetition bigint NOT NULL,
    level bigint NOT NULL,
    raised_at_ms bigint NOT NULL,
    severity text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    message text NOT NULL COLLATE pg_catalog."C",
    cleared_at_ms bigint,
    seal bytea NOT NULL
);
CREATE TABLE weir.charges (
    number bigint NOT NULL,
    account_id text NOT NULL COLLATE pg_catalog."C",
    period text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    is_late bigint NOT NULL,
    price_list text NOT NULL COLLATE pg_catalog."C",
    stream_time_nano bigint NOT NULL,
    stream_bytes_nano bigint NOT NULL,
    bandwidth_premium_nano bigint NOT NULL,
    tokens_in_nano bigint NOT NULL,
    tokens_out_nano bigint NOT NULL,
    infra_base_nano bigint NOT NULL,
    infra_time_nano bigint NOT NULL,
    subtotal_nano bigint NOT NULL,
    sla_breaches text NOT NULL COLLATE pg_catalog."C",
    penalty_bp bigint NOT NULL,
    posted_tier bigint NOT NULL,
    charge_0_nano bigint,
    penalty_0_nano bigint,
    charge_1_nano bigint,
    penalty_1_nano bigint,
    charge_2_nano bigint,
    penalty_2_nano bigint,
    charge_3_nano bigint,
    penalty_3_nano bigint,
    charge_4_nano bigint,
    penalty_4_nano bigint,
    charge_5_nano bigint,
    penalty_5_nano bigint,
    charge_6_nano bigint,
    penalty_6_nano bigint,
    charge_7_nano bigint,
    penalty_7_nano bigint,
    charge_8_nano bigint,
    penalty_8_nano bigint,
    CONSTRAINT charges_check CHECK ((subtotal_nano = ((((((stream_time_nano + stream_bytes_nano) + bandwidth_premium_nano) + tokens_in_nano) + tokens_out_nano) + infra_base_nano) + infra_time_nano)))
);
CREATE TABLE weir.graduated_charges (
    account_id text NOT NULL COLLATE pg_catalog."C",
    period text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    ended_at_ms bigint NOT NULL,
    record_id text NOT NULL COLLATE pg_catalog."C",
    model text NOT NULL COLLATE pg_catalog."C",
    tokens bigint NOT NULL,
    subtotal_nano bigint NOT NULL,
    penalty_bp bigint NOT NULL,
    discount_nano bigint NOT NULL,
    penalty_nano bigint NOT NULL,
    charge_nano bigint NOT NULL,
    CONSTRAINT graduated_charges_check CHECK ((subtotal_nano = ((discount_nano + penalty_nano) + charge_nano)))
);
CREATE TABLE weir.period_providers (
    account_id text NOT NULL COLLATE pg_catalog."C",
    period text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    tokens bigint NOT NULL,
    tier bigint NOT NULL,
    discount_bp bigint NOT NULL
);
CREATE TABLE weir.records (
    number bigint NOT NULL,
    record_id text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    connection_id text NOT NULL COLLATE pg_catalog."C",
    segment bigint NOT NULL,
    model text NOT NULL COLLATE pg_catalog."C",
    ended_at_ms bigint NOT NULL,
    duration_ms bigint NOT NULL,
    bytes_out bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    downtime_ms bigint NOT NULL,
    busy_ms bigint NOT NULL,
    latency_us bigint,
    sla_excluded bigint,
    gateway text COLLATE pg_catalog."C",
    key_id text COLLATE pg_catalog."C",
    "user" text COLLATE pg_catalog."C",
    purpose text COLLATE pg_catalog."C",
    provider text COLLATE pg_catalog."C",
    usage_source text COLLATE pg_catalog."C",
    coding text COLLATE pg_catalog."C",
    sealing text COLLATE pg_catalog."C",
    "end" text COLLATE pg_catalog."C",
    epoch bigint,
    seq bigint,
    started_at_ms bigint,
    events bigint,
    bytes_raw bigint,
    ttft_us bigint,
    latency_min_us bigint,
    latency_p95_us bigint,
    latency_p99_us bigint,
    latency_max_us bigint,
    stall_provider_ms bigint,
    stall_client_ms bigint,
    cached_input_tokens bigint,
    cache_write_tokens bigint,
    reasoning_tokens bigint,
    estimated bigint,
    attempts bigint,
    rtt_us bigint,
    retransmits bigint,
    lost bigint,
    entry_id text NOT NULL COLLATE pg_catalog."C",
    received_at_ms bigint NOT NULL,
    seal bytea NOT NULL
);
CREATE VIEW weir.charge_list AS
 SELECT listed.record_id,
    listed.account_id,
    listed.connection_id,
    listed.segment,
    listed.model,
    listed.period,
    listed.is_late,
    to_char((to_timestamp(((listed.ended_at_ms / 1000))::double precision) AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD"T"HH24:MI:SS"Z"'::text) AS ended_at,
    listed.duration_ms,
    listed.bytes_out,
    listed.input_tokens,
    listed.output_tokens,
    ((((listed.subtotal_nano / 1000000000))::text || '.'::text) || substr(('000000000'::text || ((listed.subtotal_nano % (1000000000)::bigint))::text), (length(((listed.subtotal_nano % (1000000000)::bigint))::text) + 1))) AS subtotal_usd,
    listed.discount_bp,
    ((((((listed.subtotal_nano - listed.penalty_nano) - listed.charge_nano) / 1000000000))::text || '.'::text) || substr(('000000000'::text || ((((listed.subtotal_nano - listed.penalty_nano) - listed.charge_nano) % (1000000000)::bigint))::text), (length(((((listed.subtotal_nano - listed.penalty_nano) - listed.charge_nano) % (1000000000)::bigint))::text) + 1))) AS discount_usd,
    listed.sla_breaches,
    ((((listed.penalty_nano / 1000000000))::text || '.'::text) || substr(('000000000'::text || ((listed.penalty_nano % (1000000000)::bigint))::text), (length(((listed.penalty_nano % (1000000000)::bigint))::text) + 1))) AS sla_penalty_usd,
    ((((listed.charge_nano / 1000000000))::text || '.'::text) || substr(('000000000'::text || ((listed.charge_nano % (1000000000)::bigint))::text), (length(((listed.charge_nano % (1000000000)::bigint))::text) + 1))) AS charge_usd,
    listed.price_list
   FROM ( SELECT records.number,
            records.record_id,
            records.account_id,
            records.connection_id,
            records.segment,
            records.model,
            records.ended_at_ms,
            records.duration_ms,
            records.bytes_out,
            records.input_tokens,
            records.output_tokens,
            records.downtime_ms,
            records.busy_ms,
            records.latency_us,
            records.sla_excluded,
            records.gateway,
            records.key_id,
            records."user",
            records.purpose,
            records.provider,
            records.usage_source,
            records.coding,
            records.sealing,
            records."end",
            records.epoch,
            records.seq,
            records.started_at_ms,
            records.events,
            records.bytes_raw,
            records.ttft_us,
            records.latency_min_us,
            records.latency_p95_us,
            records.latency_p99_us,
            records.latency_max_us,
            records.stall_provider_ms,
            records.stall_client_ms,
            records.cached_input_tokens,
            records.cache_write_tokens,
            records.reasoning_tokens,
            records.estimated,
            records.attempts,
            records.rtt_us,
            records.retransmits,
            records.lost,
            records.entry_id,
            records.received_at_ms,
            records.seal,
            charges.period,
            charges.is_late,
            charges.subtotal_nano,
            charges.sla_breaches,
            charges.price_list,
                CASE
                    WHEN (graduated_charges.record_id IS NULL) THEN period_providers.discount_bp
                    ELSE NULL::bigint
                END AS discount_bp,
            COALESCE(graduated_charges.charge_nano,
                CASE period_providers.tier
                    WHEN 0 THEN charges.charge_0_nano
                    WHEN 1 THEN charges.charge_1_nano
                    WHEN 2 THEN charges.charge_2_nano
                    WHEN 3 THEN charges.charge_3_nano
                    WHEN 4 THEN charges.charge_4_nano
                    WHEN 5 THEN charges.charge_5_nano
                    WHEN 6 THEN charges.charge_6_nano
                    WHEN 7 THEN charges.charge_7_nano
                    WHEN 8 THEN charges.charge_8_nano
                    ELSE NULL::bigint
                END) AS charge_nano,
            COALESCE(graduated_charges.penalty_nano,
                CASE period_providers.tier
                    WHEN 0 THEN charges.penalty_0_nano
                    WHEN 1 THEN charges.penalty_1_nano
                    WHEN 2 THEN charges.penalty_2_nano
                    WHEN 3 THEN charges.penalty_3_nano
                    WHEN 4 THEN charges.penalty_4_nano
                    WHEN 5 THEN charges.penalty_5_nano
                    WHEN 6 THEN charges.penalty_6_nano
                    WHEN 7 THEN charges.penalty_7_nano
                    WHEN 8 THEN charges.penalty_8_nano
                    ELSE NULL::bigint
                END) AS penalty_nano
           FROM (((weir.records
             JOIN weir.charges ON ((charges.number = records.number)))
             JOIN weir.period_providers ON (((period_providers.account_id = charges.account_id) AND (period_providers.period = charges.period) AND (period_providers.provider = charges.provider))))
             LEFT JOIN weir.graduated_charges ON (((graduated_charges.account_id = charges.account_id) AND (graduated_charges.period = charges.period) AND (graduated_charges.provider = charges.provider) AND (graduated_charges.ended_at_ms = records.ended_at_ms) AND (graduated_charges.record_id = records.record_id))))) listed;
CREATE TABLE weir.day_models (
    day text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    period text NOT NULL COLLATE pg_catalog."C",
    model text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    records bigint NOT NULL,
    breached_records bigint NOT NULL,
    streams bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    bytes_out bigint NOT NULL,
    duration_ms bigint NOT NULL,
    subtotal_nano bigint NOT NULL,
    charge_0_nano bigint,
    penalty_0_nano bigint,
    charge_1_nano bigint,
    penalty_1_nano bigint,
    charge_2_nano bigint,
    penalty_2_nano bigint,
    charge_3_nano bigint,
    penalty_3_nano bigint,
    charge_4_nano bigint,
    penalty_4_nano bigint,
    charge_5_nano bigint,
    penalty_5_nano bigint,
    charge_6_nano bigint,
    penalty_6_nano bigint,
    charge_7_nano bigint,
    penalty_7_nano bigint,
    charge_8_nano bigint,
    penalty_8_nano bigint,
    graduated_charge_nano bigint NOT NULL,
    graduated_penalty_nano bigint NOT NULL
);
CREATE TABLE weir.events (
    number bigint NOT NULL,
    account_id text NOT NULL COLLATE pg_catalog."C",
    account_number bigint NOT NULL,
    at_ms bigint NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    subject text NOT NULL COLLATE pg_catalog."C",
    detail text NOT NULL COLLATE pg_catalog."C",
    seal bytea NOT NULL
);
CREATE TABLE weir.graduated_boundaries (
    account_id text NOT NULL COLLATE pg_catalog."C",
    period text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    tier bigint NOT NULL,
    tokens bigint NOT NULL,
    pivot_ended_at_ms bigint,
    pivot_record_id text COLLATE pg_catalog."C",
    tokens_before bigint NOT NULL
);
CREATE TABLE weir.journal (
    number bigint NOT NULL,
    kind text NOT NULL COLLATE pg_catalog."C",
    account_id text NOT NULL COLLATE pg_catalog."C",
    period text NOT NULL COLLATE pg_catalog."C",
    provider text NOT NULL COLLATE pg_catalog."C",
    accrued_nano bigint NOT NULL,
    discount_nano bigint NOT NULL,
    sla_penalty_nano bigint NOT NULL,
    revenue_nano bigint NOT NULL,
    receivable_nano bigint NOT NULL,
    seal bytea NOT NULL,
    CONSTRAINT journal_check CHECK ((((((accrued_nano + discount_nano) + sla_penalty_nano) + revenue_nano) + receivable_nano) = 0))
);
CREATE TABLE weir.ledger_version (
    version bigint NOT NULL
);
CREATE SEQUENCE weir.numbers
    START WITH 1
    INCREMENT BY 1048576
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE weir.periods (
    account_id text NOT NULL COLLATE pg_catalog."C",
    period text NOT NULL COLLATE pg_catalog."C",
    discount_mode text NOT NULL COLLATE pg_catalog."C",
    records bigint NOT NULL,
    accrued_nano bigint NOT NULL,
    discount_nano bigint NOT NULL,
    sla_penalty_nano bigint NOT NULL,
    revenue_nano bigint NOT NULL,
    receivable_nano bigint NOT NULL,
    closed_at_ms bigint,
    seal bytea NOT NULL,
    CONSTRAINT periods_check CHECK ((((((accrued_nano + discount_nano) + sla_penalty_nano) + revenue_nano) + receivable_nano) = 0))
);
CREATE VIEW weir.postings AS
 SELECT charges.number,
    'charge'::text AS kind,
    charges.account_id,
    charges.period,
    charges.provider,
    'accrued'::text AS book,
        CASE charges.posted_tier
            WHEN 0 THEN charges.charge_0_nano
            WHEN 1 THEN charges.charge_1_nano
            WHEN 2 THEN charges.charge_2_nano
            WHEN 3 THEN charges.charge_3_nano
            WHEN 4 THEN charges.charge_4_nano
            WHEN 5 THEN charges.charge_5_nano
            WHEN 6 THEN charges.charge_6_nano
            WHEN 7 THEN charges.charge_7_nano
            WHEN 8 THEN charges.charge_8_nano
            ELSE NULL::bigint
        END AS amount_nano
   FROM weir.charges
UNION ALL
 SELECT charges.number,
    'charge'::text AS kind,
    charges.account_id,
    charges.period,
    charges.provider,
    'sla_penalty'::text AS book,
        CASE charges.posted_tier
            WHEN 0 THEN charges.penalty_0_nano
            WHEN 1 THEN charges.penalty_1_nano
            WHEN 2 THEN charges.penalty_2_nano
            WHEN 3 THEN charges.penalty_3_nano
            WHEN 4 THEN charges.penalty_4_nano
            WHEN 5 THEN charges.penalty_5_nano
            WHEN 6 THEN charges.penalty_6_nano
            WHEN 7 THEN charges.penalty_7_nano
            WHEN 8 THEN charges.penalty_8_nano
            ELSE NULL::bigint
        END AS amount_nano
   FROM weir.charges
UNION ALL
 SELECT charges.number,
    'charge'::text AS kind,
    charges.account_id,
    charges.period,
    charges.provider,
    'discount'::text AS book,
    ((charges.subtotal_nano -
        CASE charges.posted_tier
            WHEN 0 THEN charges.charge_0_nano
            WHEN 1 THEN charges.charge_1_nano
            WHEN 2 THEN charges.charge_2_nano
            WHEN 3 THEN charges.charge_3_nano
            WHEN 4 THEN charges.charge_4_nano
            WHEN 5 THEN charges.charge_5_nano
            WHEN 6 THEN charges.charge_6_nano
            WHEN 7 THEN charges.charge_7_nano
            WHEN 8 THEN charges.charge_8_nano
            ELSE NULL::bigint
        END) -
        CASE charges.posted_tier
            WHEN 0 THEN charges.penalty_0_nano
            WHEN 1 THEN charges.penalty_1_nano
            WHEN 2 THEN charges.penalty_2_nano
            WHEN 3 THEN charges.penalty_3_nano
            WHEN 4 THEN charges.penalty_4_nano
            WHEN 5 THEN charges.penalty_5_nano
            WHEN 6 THEN charges.penalty_6_nano
            WHEN 7 THEN charges.penalty_7_nano
            WHEN 8 THEN charges.penalty_8_nano
            ELSE NULL::bigint
        END) AS amount_nano
   FROM weir.charges
UNION ALL
 SELECT charges.number,
    'charge'::text AS kind,
    charges.account_id,
    charges.period,
    charges.provider,
    'revenue'::text AS book,
    (- charges.subtotal_nano) AS amount_nano
   FROM weir.charges
UNION ALL
 SELECT journal.number,
    journal.kind,
    journal.account_id,
    journal.period,
    journal.provider,
    'accrued'::text AS book,
    journal.accrued_nano AS amount_nano
   FROM weir.journal
  WHERE (journal.accrued_nano <> 0)
UNION ALL
 SELECT journal.number,
    journal.kind,
    journal.account_id,
    journal.period,
    journal.provider,
    'discount'::text AS book,
    journal.discount_nano AS amount_nano
   FROM weir.journal
  WHERE (journal.discount_nano <> 0)
UNION ALL
 SELECT journal.number,
    journal.kind,
    journal.account_id,
    journal.period,
    journal.provider,
    'sla_penalty'::text AS book,
    journal.sla_penalty_nano AS amount_nano
   FROM weir.journal
  WHERE (journal.sla_penalty_nano <> 0)
UNION ALL
 SELECT journal.number,
    journal.kind,
    journal.account_id,
    journal.period,
    journal.provider,
    'revenue'::text AS book,
    journal.revenue_nano AS amount_nano
   FROM weir.journal
  WHERE (journal.revenue_nano <> 0)
UNION ALL
 SELECT journal.number,
    journal.kind,
    journal.account_id,
    journal.period,
    journal.provider,
    'receivable'::text AS book,
    journal.receivable_nano AS amount_nano
   FROM weir.journal
  WHERE (journal.receivable_nano <> 0);
CREATE TABLE weir.price_lists (
    version text NOT NULL COLLATE pg_catalog."C",
    effective_from_ms bigint,
    sha256 text NOT NULL COLLATE pg_catalog."C",
    body text NOT NULL COLLATE pg_catalog."C",
    added_at_ms bigint NOT NULL,
    seal bytea NOT NULL
);
CREATE TABLE weir.rejected (
    number bigint NOT NULL,
    entry_id text NOT NULL COLLATE pg_catalog."C",
    received_at_ms bigint NOT NULL,
    record_id text NOT NULL COLLATE pg_catalog."C",
    reason text NOT NULL COLLATE pg_catalog."C",
    field text NOT NULL COLLATE pg_catalog."C",
    fields text NOT NULL COLLATE pg_catalog."C",
    seal bytea NOT NULL
);
CREATE TABLE weir.sequences (
    gateway text NOT NULL COLLATE pg_catalog."C",
    epoch bigint NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    seal bytea NOT NULL
);
CREATE TABLE weir.streams (
    number bigint NOT NULL,
    account_id text NOT NULL COLLATE pg_catalog."C",
    connection_id text NOT NULL COLLATE pg_catalog."C",
    key_id text COLLATE pg_catalog."C",
    "user" text COLLATE pg_catalog."C",
    model text NOT NULL COLLATE pg_catalog."C",
    provider text COLLATE pg_catalog."C",
    purpose text COLLATE pg_catalog."C",
    started_at_ms bigint NOT NULL,
    first_token_us bigint,
    ended_at_ms bigint NOT NULL,
    "end" text COLLATE pg_catalog."C",
    first_segment bigint NOT NULL,
    last_segment bigint NOT NULL,
    records bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    bytes_out bigint NOT NULL
);
INSERT INTO weir.accounts VALUES ('', 0, 1, '\xc8abdecd702c725936569ef3fb10cc67e8aa87f200ea7601000001c647f092677d597d7274726c04065d005434326664613063376561383532663932353834343335393063373463363836613637383638366533346362666137313030323363363665', '\x91d059c5cb5f00420e6210dbc37e7a89379987b60100000063c8abdecc702c725936569ef3fb10cc67e8aa87f200ea7601000001c647f092677d597d7274726c04065d005434326664613063376561383532663932353834343335393063373463363836613637383638366533346362666137313030323363363665');
INSERT INTO weir.accounts VALUES ('account-23', 1, 2, '\x32178ecd500f0be02a784952acfb22d27f9625ab14da0e01000001bd5810733d7823443227380f0c4b6770742d332e352d747572626f2c206b6579206b323638', '\x431885bbd0434984d951c566693ab70dda382554010000004a5374eda125617fcd184b4952acfb22d27f9625ab14da0e01000001bd5810733d7823443227380f0c4b6770742d332e352d747572626f2c206b6579206b323638');
INSERT INTO weir.accounts VALUES ('account-26', 1, 2, '\xdc45fbb050da3184281c84ef2b7393a7437125c99c9ddb01000001911f07e05f78665f2b5e59736564', '\x9ebb0d06ed5a50c2fe68101c926c237bb53825c30100000023bd2698dc25b445a91a2a84ef2b7393a7437125c99c9ddb01000001911f07e05f78665f2b5e59736564');
INSERT INTO weir.accounts VALUES ('account-24', 1, 1, '\xb82b6224b16f78414d60b451d12e1d30483587679c3cdb010000019144cb006978665f2b5e5b736564', '\x16ff7883d77e155bd60073692a5a40b6793887820100000023d948014bc4010c6c7f54b451d12e1d30483587679c3cdb010000019144cb006978665f2b5e5b736564');
INSERT INTO weir.accounts VALUES ('account-21', 1, 3, '\x7b3067f8446ebf1fdff2fce41182cd23f85ac42d9c61db0100000196c8afa05478665f2b5e5e736564', '\x262922b59a7346f50a8f1e50a33f2f329e38c47301000000231a5304953100cb32edc3fce41182cd23f85ac42d9c61db0100000196c8afa05478665f2b5e5e736564');
INSERT INTO weir.charges VALUES (1048577, 'account-21', '2026-01', 'google', 0, '2026-01-01', 564960, 0, 0, 0, 0, 0, 15693, 580653, '', 0, 0, 580653, 0, 510975, 0, 435490, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO weir.charges VALUES (1048580, 'account-24', '2026-02', 'google', 0, '2026-01-01', 560400, 0, 0, 0, 0, 0, 15567, 575967, '', 0, 0, 575967, 0, 506851, 0, 431975, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO weir.charges VALUES (1048586, 'account-21', '2026-01', 'anthropic', 0, '2026-01-01', 3430950, 0, 0, 0, 0, 1500000, 95304, 5026254, 'bandwidth', 1200, 0, 4423104, 603150, 4069256, 554898, 3626945, 494583, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO weir.charges VALUES (1048589, 'account-26', '2026-01', 'google', 0, '2026-01-01', 86400, 0, 0, 0, 0, 1000000, 2400, 1088800, '', 0, 0, 1088800, 0, 958144, 0, 816600, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO weir.charges VALUES (1048592, 'account-24', '2026-02', 'google', 0, '2026-01-01', 1272240, 1245920, 0, 2235000, 898500, 0, 35340, 5687000, 'bandwidth', 800, 0, 5232040, 454960, 4604195, 400365, 3924030, 341220, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO weir.charges VALUES (1048595, 'account-26', '2026-01', 'google', 0, '2026-01-01', 800960, 0, 0, 0, 0, 0, 22249, 823209, 'bandwidth', 800, 0, 757352, 65857, 666470, 57954, 568014, 49393, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO weir.charges VALUES (1048598, 'account-23', '2026-02', 'openai', 0, '2026-01-01', 1168100, 832000, 0, 2316000, 640000, 0, 32447, 4988547, 'bandwidth', 1000, 0, 4489692, 498855, 4040723, 448969, 3591754, 399084, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO weir.charges VALUES (1048604, 'account-21', '2026-01', 'anthropic', 0, '2026-01-01', 4010250, 0, 0, 0, 0, 0, 111396, 4121646, 'bandwidth', 1200, 0, 3627048, 494598, 3336884, 455030, 2974180, 405570, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO weir.charges VALUES (1048607, 'account-23', '2026-02', 'openai', 0, '2026-01-01', 323200, 0, 0, 0, 0, 0, 8978, 332178, '', 0, 0, 332178, 0, 298960, 0, 265742, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO weir.charges VALUES (1048610, 'account-21', '2026-01', 'google', 0, '2026-01-01', 975520, 0, 0, 0, 0, 1000000, 27098, 2002618, 'bandwidth', 800, 0, 1842409, 160209, 1621320, 140984, 1381806, 120157, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO weir.charges VALUES (1048613, 'account-26', '2026-02', 'google', 0, '2026-01-01', 267120, 1181440, 0, 1208000, 852000, 0, 7420, 3515980, '', 0, 0, 3515980, 0, 3094062, 0, 2636985, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO weir.charges VALUES (1048616, 'account-23', '2026-02', 'openai', 0, '2026-01-01', 551100, 0, 0, 0, 0, 1200000, 15308, 1766408, '', 0, 0, 1766408, 0, 1589767, 0, 1413126, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO weir.charges VALUES (1048619, 'account-21', '2026-01', 'google', 0, '2026-01-01', 1742960, 1297920, 0, 414000, 936000, 0, 48416, 4439296, 'bandwidth', 800, 0, 4084152, 355144, 3594054, 312526, 3063114, 266358, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO weir.day_models VALUES ('2026-02-18', 'account-23', '2026-02', 'openai/gpt-3.5-turbo', 'openai', 1, 1, 0, 1544, 320, 83200, 11681, 4988547, 4489692, 498855, 4040723, 448969, 3591754, 399084, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0);
INSERT INTO weir.day_models VALUES ('2026-02-13', 'account-23', '2026-02', 'openai/gpt-3.5-turbo', 'openai', 1, 0, 1, 0, 0, 0, 5511, 1766408, 1766408, 0, 1589767, 0, 1413126, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0);
INSERT INTO weir.day_models VALUES ('2026-02-07', 'account-24', '2026-02', 'google/gemini-pro', 'google', 1, 0, 0, 0, 0, 0, 7005, 575967, 575967, 0, 506851, 0, 431975, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 575967, 0);
INSERT INTO weir.day_models VALUES ('2026-01-12', 'account-21', '2026-01', 'google/gemini-pro', 'google', 1, 1, 1, 0, 0, 0, 12194, 2002618, 1842409, 160209, 1621320, 140984, 1381806, 120157, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0);
INSERT INTO weir.day_models VALUES ('2026-02-10', 'account-24', '2026-02', 'google/gemini-pro', 'google', 1, 1, 0, 2235, 599, 155740, 15903, 5687000, 5232040, 454960, 4604195, 400365, 3924030, 341220, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 5232040, 454960);
INSERT INTO weir.day_models VALUES ('2026-01-17', 'account-21', '2026-01', 'google/gemini-pro', 'google', 1, 1, 0, 414, 624, 162240, 21787, 4439296, 4084152, 355144, 3594054, 312526, 3063114, 266358, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0);
INSERT INTO weir.day_models VALUES ('2026-01-28', 'account-26', '2026-01', 'google/gemini-pro', 'google', 1, 0, 1, 0, 0, 0, 1080, 1088800, 1088800, 0, 958144, 0, 816600, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0);
INSERT INTO weir.day_models VALUES ('2026-01-14', 'account-21', '2026-01', 'google/gemini-pro', 'google', 1, 0, 0, 0, 0, 0, 7062, 580653, 580653, 0, 510975, 0, 435490, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0);
INSERT INTO weir.day_models VALUES ('2026-01-30', 'account-26', '2026-01', 'google/gemini-pro', 'google', 1, 1, 0, 0, 0, 0, 10012, 823209, 757352, 65857, 666470, 57954, 568014, 49393, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0);
INSERT INTO weir.day_models VALUES ('2026-01-20', 'account-21', '2026-01', 'anthropic/claude-3-sonnet', 'anthropic', 1, 1, 1, 0, 0, 0, 22873, 5026254, 4423104, 603150, 4069256, 554898, 3626945, 494583, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0);
INSERT INTO weir.day_models VALUES ('2026-02-15', 'account-23', '2026-02', 'openai/gpt-3.5-turbo', 'openai', 1, 0, 0, 0, 0, 0, 3232, 332178, 332178, 0, 298960, 0, 265742, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0);
INSERT INTO weir.day_models VALUES ('2026-01-22', 'account-21', '2026-01', 'anthropic/claude-3-sonnet', 'anthropic', 1, 1, 0, 0, 0, 0, 26735, 4121646, 3627048, 494598, 3336884, 455030, 2974180, 405570, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0);
INSERT INTO weir.day_models VALUES ('2026-02-02', 'account-26', '2026-02', 'google/gemini-pro', 'google', 1, 0, 0, 1208, 568, 147680, 3339, 3515980, 3515980, 0, 3094062, 0, 2636985, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0);
INSERT INTO weir.events VALUES (1, '', 1, 1767225600000, 'price_list_added', '2026-01-01', 'sha256 6773eb9e042fda0c7ea852f9258443590c74c686a678686e34cbfa710023c66e', '\xc8abdecd702c725936569ef3fb10cc67e8aa87f200ea7601000001c647f092677d597d7274726c04065d005434326664613063376561383532663932353834343335393063373463363836613637383638366533346362666137313030323363363665');
INSERT INTO weir.events VALUES (1048587, 'account-21', 1, 1768867177127, 'stream_opened', 's1', 'model anthropic/claude-3-sonnet, key k122', '\x796c587ed177eadc2e9c1a0cded461e8f55a87db14ff2d01000001b7d4ea57c278234a2c363c1c0a1469632f636c617564652d332d736f6e6e65742c206b6579206b313232');
INSERT INTO weir.events VALUES (1048590, 'account-26', 1, 1769558398920, 'stream_opened', 's2', 'model google/gemini-pro, key k193', '\xe069b70b8fa9e0ba0ecac811b43a30afcf718789149d5e01000001b80dbc22a878234c2d2d3402004b67656d696e692d70726f2c206b6579206b313933');
INSERT INTO weir.events VALUES (1048594, 'account-24', 1, 1770710400000, 'stream_closed', 's3', 'complete', '\xb82b6224b16f78414d60b451d12e1d30483587679c3cdb010000019144cb006978665f2b5e5b736564');
INSERT INTO weir.events VALUES (1048600, 'account-23', 1, 1771401600000, 'stream_closed', 's4', 'complete', '\xc47bcc448f1171adc2c33ab0a35fdf53fe9687939cdadb01000001916d9f206378665f2b5e5c736564');
INSERT INTO weir.events VALUES (1048611, 'account-21', 2, 1768175987806, 'stream_opened', 's0', 'model google/gemini-pro, key k40', '\xecbad8abbc8c595533315c98295cd9eaca5a25d61461f201000001bea3d8191078234c2d2d3302004b67656d696e692d70726f2c206b6579206b3430');
INSERT INTO weir.events VALUES (1048615, 'account-26', 2, 1770019200000, 'stream_closed', 's2', 'complete', '\xdc45fbb050da3184281c84ef2b7393a7437125c99c9ddb01000001911f07e05f78665f2b5e59736564');
INSERT INTO weir.events VALUES (1048617, 'account-23', 2, 1770940794489, 'stream_opened', 's4', 'model openai/gpt-3.5-turbo, key k268', '\x32178ecd500f0be02a784952acfb22d27f9625ab14da0e01000001bd5810733d7823443227380f0c4b6770742d332e352d747572626f2c206b6579206b323638');
INSERT INTO weir.events VALUES (1048621, 'account-21', 3, 1768636800000, 'stream_closed', 's0', 'complete', '\x7b3067f8446ebf1fdff2fce41182cd23f85ac42d9c61db0100000196c8afa05478665f2b5e5e736564');
INSERT INTO weir.graduated_boundaries VALUES ('account-24', '2026-02', 'google', 1, 2000000, NULL, NULL, 2834);
INSERT INTO weir.graduated_boundaries VALUES ('account-24', '2026-02', 'google', 2, 20000000, NULL, NULL, 2834);
INSERT INTO weir.graduated_charges VALUES ('account-24', '2026-02', 'google', 1770480000000, 'gw1:1767225600000:4', 'google/gemini-pro', 0, 575967, 0, 0, 0, 575967);
INSERT INTO weir.graduated_charges VALUES ('account-24', '2026-02', 'google', 1770710400000, 'gw2:1767225600000:4', 'google/gemini-pro', 2834, 5687000, 800, 0, 454960, 5232040);
INSERT INTO weir.ledger_version VALUES (2);
INSERT INTO weir.period_providers VALUES ('account-21', '2026-01', 'google', 1038, 0, 0);
INSERT INTO weir.period_providers VALUES ('account-21', '2026-01', 'anthropic', 0, 0, 0);
INSERT INTO weir.period_providers VALUES ('account-26', '2026-01', 'google', 0, 0, 0);
INSERT INTO weir.period_providers VALUES ('account-24', '2026-02', 'google', 2834, 0, 0);
INSERT INTO weir.period_providers VALUES ('account-26', '2026-02', 'google', 1776, 0, 0);
INSERT INTO weir.period_providers VALUES ('account-23', '2026-02', 'openai', 1864, 0, 0);
INSERT INTO weir.periods VALUES ('account-21', '2026-01', 'whole-volume', 5, 14557366, 0, 1613101, -16170467, 0, NULL, '\x2f5482364ef28678dbc96a21dda89d789ea5865050d8379fc6fe02fffffffedbf4c1b63d7333425e446d65');
INSERT INTO weir.periods VALUES ('account-26', '2026-01', 'whole-volume', 2, 1846152, 0, 65857, -1912009, 0, NULL, '\xcc869b40411fc6492f264dafc2a6ffb7b5a5867545d8f81dc6fe02fffffffedbc4c7c93d7333425e436d65');
INSERT INTO weir.periods VALUES ('account-24', '2026-02', 'graduated', 2, 5808007, 0, 454960, -6262967, 0, NULL, '\x8c33f4025e9d9df6f8edc5c86f37124179431f7596d8572fc6fe02fffffffbcbdf31c12d3f32485634');
INSERT INTO weir.periods VALUES ('account-26', '2026-02', 'whole-volume', 1, 3515980, 0, 0, -3515980, 0, NULL, '\xde2c42e54827dd46f2ef6280252ddb1cb54386d7aad8273cc6fe02fffffffedbc4c1cc3d7330425e436d65');
INSERT INTO weir.periods VALUES ('account-23', '2026-02', 'whole-volume', 3, 6588278, 0, 498855, -7087133, 0, NULL, '\x0c50638051a0213b96d3ba35ebb28391da43861373d88279c6fe02fffffffedbcbfe043d7330425e466d65');
INSERT INTO weir.price_lists VALUES ('2026-01-01', NULL, '6773eb9e042fda0c7ea852f9258443590c74c686a678686e34cbfa710023c66e', '{"alert_levels":[80,95],"currency":"USD","currency_exponents":{"EUR":2,"GBP":2,"JPY":0,"TND":3,"USD":2,"XOF":0},"limits":{"busy_ms":2678400000,"bytes_out":1000000000000000,"downtime_ms":2678400000,"duration_ms":2678400000,"ended_at_ms_max":4102444800000,"ended_at_ms_min":1577836800000,"input_tokens":1000000000000,"latency_us":3600000000,"output_tokens":1000000000000,"segment":2147483647},"models":{"anthropic/claude-3-sonnet":{"infra_base":"0.0015","infra_per_hour":"0.015","input_per_1k":"0.003","output_per_1k":"0.015","premium_per_kb":"0.000004","premium_threshold_bytes":8000000,"provider":"anthropic","sla":{"bandwidth_bytes_per_second":1500000,"latency_ms":400,"penalty_bp":1200,"uptime_bp":9920},"stream_per_mb":"0.015","stream_per_second":"0.00015"},"google/gemini-pro":{"infra_base":"0.001","infra_per_hour":"0.008","input_per_1k":"0.001","output_per_1k":"0.0015","premium_per_kb":"0.000002","premium_threshold_bytes":4000000,"provider":"google","sla":{"bandwidth_bytes_per_second":1000000,"latency_ms":600,"penalty_bp":800,"uptime_bp":9800},"stream_per_mb":"0.008","stream_per_second":"0.00008"},"openai/gpt-3.5-turbo":{"infra_base":"0.0012","infra_per_hour":"0.01","input_per_1k":"0.0015","output_per_1k":"0.002","premium_per_kb":"0.000003","premium_threshold_bytes":5000000,"provider":"openai","sla":{"bandwidth_bytes_per_second":1250000,"latency_ms":500,"penalty_bp":1000,"uptime_bp":9900},"stream_per_mb":"0.01","stream_per_second":"0.0001"},"openai/gpt-4":{"infra_base":"0.002","infra_per_hour":"0.02","input_per_1k":"0.03","output_per_1k":"0.06","premium_per_kb":"0.000005","premium_threshold_bytes":10000000,"provider":"openai","sla":{"bandwidth_bytes_per_second":2000000,"latency_ms":300,"penalty_bp":1500,"uptime_bp":9950},"stream_per_mb":"0.02","stream_per_second":"0.0002"}},"sla_rules":{"min_busy_ms_for_bandwidth":1000},"tax":{"eu_standard_rates":{"AT":[{"from":"2020-01-01","rate_bp":2000}],"BE":[{"from":"2020-01-01","rate_bp":2100}],"BG":[{"from":"2020-01-01","rate_bp":2000}],"CY":[{"from":"2020-01-01","rate_bp":1900}],"CZ":[{"from":"2020-01-01","rate_bp":2100}],"DE":[{"from":"2021-01-01","rate_bp":1900}],"DK":[{"from":"2020-01-01","rate_bp":2500}],"EE":[{"from":"2024-01-01","rate_bp":2200},{"from":"2025-07-01","rate_bp":2400}],"ES":[{"from":"2020-01-01","rate_bp":2100}],"FI":[{"from":"2020-01-01","rate_bp":2400},{"from":"2024-09-01","rate_bp":2550}],"FR":[{"from":"2020-01-01","rate_bp":2000}],"GR":[{"from":"2020-01-01","rate_bp":2400}],"HR":[{"from":"2020-01-01","rate_bp":2500}],"HU":[{"from":"2020-01-01","rate_bp":2700}],"IE":[{"from":"2021-03-01","rate_bp":2300}],"IT":[{"from":"2020-01-01","rate_bp":2200}],"LT":[{"from":"2020-01-01","rate_bp":2100}],"LU":[{"from":"2024-01-01","rate_bp":1700}],"LV":[{"from":"2020-01-01","rate_bp":2100}],"MT":[{"from":"2020-01-01","rate_bp":1800}],"NL":[{"from":"2020-01-01","rate_bp":2100}],"PL":[{"from":"2020-01-01","rate_bp":2300}],"PT":[{"from":"2020-01-01","rate_bp":2300}],"RO":[{"from":"2020-01-01","rate_bp":1900},{"from":"2025-08-01","rate_bp":2100}],"SE":[{"from":"2020-01-01","rate_bp":2500}],"SI":[{"from":"2020-01-01","rate_bp":2200}],"SK":[{"from":"2020-01-01","rate_bp":2000},{"from":"2025-01-01","rate_bp":2300}]},"seller_country":"FR"},"time_rules":{"grace_ms":259200000,"max_age_ms":3024000000,"max_future_ms":300000},"units":{"bytes_per_kb":1000,"bytes_per_mb":1000000,"ms_per_hour":3600000,"ms_per_second":1000,"nano_per_dollar":1000000000,"tokens_per_price":1000},"version":"2026-01-01","volume_discounts":{"anthropic":[{"discount_bp":800,"tokens":800000},{"discount_bp":1800,"tokens":8000000}],"google":[{"discount_bp":1200,"tokens":2000000},{"discount_bp":2500,"tokens":20000000}],"openai":[{"discount_bp":1000,"tokens":1000000},{"discount_bp":2000,"tokens":10000000}]}}', 1767225600000, '\x392e30cfc32c67e76d8aefc525892f371dc68f2d410300000f6f09ffcc692d207c176c604403081212596c5d51140c073b1510564d4646565b5a49410d1636657c144d14544d444a530b504d3c071e11585f555e4640410c4d47455552223a322c22474250223a322c224a5059223a302c22544e44223a332c22555344223a322c22584f46223a307d2c226c696d697473223a7b22627573795f6d73223a323637383430303030302c2262797465735f6f7574223a313030303030303030303030303030302c22646f776e74696d655f6d73223a323637383430303030302c226475726174696f6e5f6d73223a323637383430303030302c22656e6465645f61745f6d735f6d6178223a343130323434343830303030302c22656e6465645f61745f6d735f6d696e223a313537373833363830303030302c22696e7075745f746f6b656e73223a313030303030303030303030302c226c6174656e63795f7573223a333630303030303030302c226f75747075745f746f6b656e73223a313030303030303030303030302c227365676d656e74223a323134373438333634377d2c226d6f64656c73223a7b22616e7468726f7069632f636c617564652d332d736f6e6e6574223a7b22696e6672615f62617365223a22302e30303135222c22696e6672615f7065725f686f7572223a22302e303135222c22696e7075745f7065725f316b223a22302e303033222c226f75747075745f7065725f316b223a22302e303135222c227072656d69756d5f7065725f6b62223a22302e303030303034222c227072656d69756d5f7468726573686f6c645f6279746573223a383030303030302c2270726f7669646572223a22616e7468726f706963222c22736c61223a7b2262616e6477696474685f62797465735f7065725f7365636f6e64223a313530303030302c226c6174656e63795f6d73223a3430302c2270656e616c74795f6270223a313230302c22757074696d655f6270223a393932307d2c2273747265616d5f7065725f6d62223a22302e303135222c2273747265616d5f7065725f7365636f6e64223a22302e3030303135227d2c22676f6f676c652f67656d696e692d70726f223a7b22696e6672615f62617365223a22302e303031222c22696e6672615f7065725f686f7572223a22302e303038222c22696e7075745f7065725f316b223a22302e303031222c226f75747075745f7065725f316b223a22302e30303135222c227072656d69756d5f7065725f6b62223a22302e303030303032222c227072656d69756d5f7468726573686f6c645f6279746573223a343030303030302c2270726f7669646572223a22676f6f676c65222c22736c61223a7b2262616e6477696474685f62797465735f7065725f7365636f6e64223a313030303030302c226c6174656e63795f6d73223a3630302c2270656e616c74795f6270223a3830302c22757074696d655f6270223a393830307d2c2273747265616d5f7065725f6d62223a22302e303038222c2273747265616d5f7065725f7365636f6e64223a22302e3030303038227d2c226f70656e61692f6770742d332e352d747572626f223a7b22696e6672615f62617365223a22302e30303132222c22696e6672615f7065725f686f7572223a22302e3031222c22696e7075745f7065725f316b223a22302e30303135222c226f75747075745f7065725f316b223a22302e303032222c227072656d69756d5f7065725f6b62223a22302e303030303033222c227072656d69756d5f7468726573686f6c645f6279746573223a353030303030302c2270726f7669646572223a226f70656e6169222c22736c61223a7b2262616e6477696474685f62797465735f7065725f7365636f6e64223a313235303030302c226c6174656e63795f6d73223a3530302c2270656e616c74795f6270223a313030302c22757074696d655f6270223a393930307d2c2273747265616d5f7065725f6d62223a22302e3031222c2273747265616d5f7065725f7365636f6e64223a22302e30303031227d2c226f70656e61692f6770742d34223a7b22696e6672615f62617365223a22302e303032222c22696e6672615f7065725f686f7572223a22302e3032222c22696e7075745f7065725f316b223a22302e3033222c226f75747075745f7065725f316b223a22302e3036222c227072656d69756d5f7065725f6b62223a22302e303030303035222c227072656d69756d5f7468726573686f6c645f6279746573223a31303030303030302c2270726f7669646572223a226f70656e6169222c22736c61223a7b2262616e6477696474685f62797465735f7065725f7365636f6e64223a323030303030302c226c6174656e63795f6d73223a3330302c2270656e616c74795f6270223a313530302c22757074696d655f6270223a393935307d2c2273747265616d5f7065725f6d62223a22302e3032222c2273747265616d5f7065725f7365636f6e64223a22302e30303032227d7d2c22736c615f72756c6573223a7b226d696e5f627573795f6d735f666f725f62616e647769647468223a313030307d2c22746178223a7b2265755f7374616e646172645f7261746573223a7b224154223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323030307d5d2c224245223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323130307d5d2c224247223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323030307d5d2c224359223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a313930307d5d2c22435a223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323130307d5d2c224445223a5b7b2266726f6d223a22323032312d30312d3031222c22726174655f6270223a313930307d5d2c22444b223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323530307d5d2c224545223a5b7b2266726f6d223a22323032342d30312d3031222c22726174655f6270223a323230307d2c7b2266726f6d223a22323032352d30372d3031222c22726174655f6270223a323430307d5d2c224553223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323130307d5d2c224649223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323430307d2c7b2266726f6d223a22323032342d30392d3031222c22726174655f6270223a323535307d5d2c224652223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323030307d5d2c224752223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323430307d5d2c224852223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323530307d5d2c224855223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323730307d5d2c224945223a5b7b2266726f6d223a22323032312d30332d3031222c22726174655f6270223a323330307d5d2c224954223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323230307d5d2c224c54223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323130307d5d2c224c55223a5b7b2266726f6d223a22323032342d30312d3031222c22726174655f6270223a313730307d5d2c224c56223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323130307d5d2c224d54223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a313830307d5d2c224e4c223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323130307d5d2c22504c223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323330307d5d2c225054223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323330307d5d2c22524f223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a313930307d2c7b2266726f6d223a22323032352d30382d3031222c22726174655f6270223a323130307d5d2c225345223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323530307d5d2c225349223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323230307d5d2c22534b223a5b7b2266726f6d223a22323032302d30312d3031222c22726174655f6270223a323030307d2c7b2266726f6d223a22323032352d30312d3031222c22726174655f6270223a323330307d5d7d2c2273656c6c65725f636f756e747279223a224652227d2c2274696d655f72756c6573223a7b2267726163655f6d73223a3235393230303030302c226d61785f6167655f6d73223a333032343030303030302c226d61785f6675747572655f6d73223a3330303030307d2c22756e697473223a7b2262797465735f7065725f6b62223a313030302c2262797465735f7065725f6d62223a313030303030302c226d735f7065725f686f7572223a333630303030302c226d735f7065725f7365636f6e64223a313030302c226e616e6f5f7065725f646f6c6c6172223a313030303030303030302c22746f6b656e735f7065725f7072696365223a313030307d2c2276657273696f6e223a22323032362d30312d3031222c22766f6c756d655f646973636f756e7473223a7b22616e7468726f706963223a5b7b22646973636f756e745f6270223a3830302c22746f6b656e73223a3830303030307d2c7b22646973636f756e745f6270223a313830302c22746f6b656e73223a383030303030307d5d2c22676f6f676c65223a5b7b22646973636f756e745f6270223a313230302c22746f6b656e73223a323030303030307d2c7b22646973636f756e745f6270223a323530302c22746f6b656e73223a32303030303030307d5d2c226f70656e6169223a5b7b22646973636f756e745f6270223a313030302c22746f6b656e73223a313030303030307d2c7b22646973636f756e745f6270223a323030302c22746f6b656e73223a31303030303030307d5d7d7d');
INSERT INTO weir.records VALUES (1048577, 'gw1:1767225600000:1', 'account-21', 's0', 1, 'google/gemini-pro', 1768406400000, 7062, 0, 0, 0, 7, 784, 10219, 0, 'gw1', 'k40', 'user-2435', 'summary', 'openai', 'provider', 'gzip', 'none', 'interval', 1767225600000, 1, 1768406392938, 0, 0, 415451, 21, 400, 800, 2100, 12, 0, 0, 0, 0, 0, 1, 30294, 0, 0, '1768406400020-1', 1768406400020, '\xb51a61bf7b66a3462b88ffaff2dfb4cac782266c26712f26c61665083cfea3637c851a47e0a3dac278ac26adfce296b1c8e5442978c8176755c355a5afa9000000000d9db0e6792a371264605e6c6a693071425f3a31');
INSERT INTO weir.records VALUES (1048580, 'gw1:1767225600000:4', 'account-24', 's3', 1, 'google/gemini-pro', 1770480000000, 7005, 0, 0, 0, 14, 778, 92423, 0, 'gw1', 'k1', 'user-2051', 'summary', 'openai', 'provider', 'gzip', 'none', 'interval', 1767225600000, 4, 1770479992995, 0, 0, 364985, 21, 400, 800, 2100, 12, 0, 0, 0, 0, 0, 1, 7883, 0, 0, '1770480000020-10', 1770480000020, '\x02dc94422092e2f212f8507e61354042a1a70147267185d0c616655c8761a363892f1a47e0a3dac27887b6adfc2896b1c8e5442978c81767557955a5a4fe0000000014185cd6732a3f1066645b6c6a693071725f3a34');
INSERT INTO weir.records VALUES (1048586, 'gw0:1767225600000:2', 'account-21', 's1', 0, 'anthropic/claude-3-sonnet', 1768867200000, 22873, 0, 0, 0, 14, 2541, 199466, 0, 'gw0', 'k122', 'user-4498', 'code', 'openai', 'provider', 'gzip', 'none', 'interval', 1767225600000, 2, 1768867177127, 0, 0, 382027, 21, 400, 800, 2100, 12, 0, 0, 0, 0, 0, 1, 7074, 0, 0, '1768867200020-3', 1768867200020, '\x264e0f91750b1415fe7587f855722e4257d6260b88740ca1c616655ceee1a3c5f0905b47e0a3dac2784a00adfcca96b1c8e5442978c81767559255a54a850000000001ee207f16594f35666b1c6668616867551d091f736f6e6e6574');
INSERT INTO weir.records VALUES (1048589, 'gw0:1767225600000:3', 'account-26', 's2', 0, 'google/gemini-pro', 1769558400000, 1080, 0, 0, 0, 7, 120, 244428, 0, 'gw0', 'k193', 'user-3679', 'search', 'openai', 'provider', 'gzip', 'none', 'interval', 1767225600000, 3, 1769558398920, 0, 0, 302146, 21, 400, 800, 2100, 12, 0, 0, 0, 0, 0, 1, 39935, 0, 0, '1769558400020-6', 1769558400020, '\xebccb4024e0ccb876816a576b7bef91831383ea98871122ec61665082eb4a3c5710a7a47e0a3dac278e8adadfcd896b1c8e5442978c81767556855a5c38b000000000c217c3228292967606c596c6a693076425f3a33');
INSERT INTO weir.records VALUES (1048592, 'gw2:1767225600000:4', 'account-24', 's3', 2, 'google/gemini-pro', 1770710400000, 15903, 155740, 2235, 599, 7, 1767, 362087, 0, 'gw2', 'k1', 'user-2051', 'summary', 'openai', 'provider', 'gzip', 'none', 'complete', 1767225600000, 4, 1770710384097, 599, 179700, 347079, 21, 400, 800, 2100, 12, 0, 0, 0, 0, 0, 1, 32019, 0, 0, '1770710400020-11', 1770710400020, '\xdbedafd30a06f21189b5197fb9fe2b480c140147c47156cd80e09c081f68a301892f1a47e0a3da507887e1e49ecb96b1c8e5442978c8176755e755a5c8cf00000000146c1d91403725056b645b6c6a693071735f3a34');
INSERT INTO weir.records VALUES (1048595, 'gw1:1767225600000:3', 'account-26', 's2', 1, 'google/gemini-pro', 1769788800000, 10012, 0, 0, 0, 14, 1112, 323373, 0, 'gw1', 'k193', 'user-3679', 'search', 'openai', 'provider', 'gzip', 'none', 'interval', 1767225600000, 3, 1769788789988, 0, 0, 288727, 21, 400, 800, 2100, 12, 0, 0, 0, 0, 0, 1, 557, 0, 0, '1769788800020-7', 1769788800020, '\x59fa62d4fc556098cdac615776687584e7be3ea92671c113c616655c83d7a363710a7a47e0a3dac278e84fadfc5b96b1c8e5442978c81767556455a5d73a000000000c2f3ca1b02b24676c6c596c6a693077425f3a33');
INSERT INTO weir.records VALUES (1048598, 'gw2:1767225600000:5', 'account-23', 's4', 2, 'openai/gpt-3.5-turbo', 1771401600000, 11681, 83200, 1544, 320, 7, 1297, 218052, 0, 'gw2', 'k268', 'user-2195', 'search', 'openai', 'provider', 'gzip', 'none', 'complete', 1767225600000, 5, 1771401588319, 320, 96000, 131194, 21, 400, 800, 2100, 12, 0, 0, 0, 0, 0, 1, 6278, 0, 0, '1771401600020-14', 1771401600020, '\xae761ebff1e5ee62a37b6ade901f4d0bc17663e5c49d812a42b1ba0868fca3015bb07a47e0a3da5078254f02986e96b1c8e5442978c81767557d55a5c8fa00000000164d44b80e3b327c65754528372e282c704548576f');
INSERT INTO weir.records VALUES (1048604, 'gw1:1767225600000:2', 'account-21', 's1', 1, 'anthropic/claude-3-sonnet', 1769097600000, 26735, 0, 0, 0, 0, 2970, 330445, 0, 'gw1', 'k122', 'user-4498', 'code', 'openai', 'provider', 'gzip', 'none', 'interval', 1767225600000, 2, 1769097573265, 0, 0, 276219, 21, 400, 800, 2100, 12, 0, 0, 0, 0, 0, 1, 30646, 0, 0, '1769097600020-4', 1769097600020, '\xf5036fc90487fc464c85e1c729f36284765c260b2674dee2c61665b5be05a363f0905b47e0a3dac2784a3badfc8796b1c8e5442978c81767553555a5df570000000001d0fa523a514035626b1c6668616860551d091f736f6e6e6574');
INSERT INTO weir.records VALUES (1048607, 'gw1:1767225600000:5', 'account-23', 's4', 1, 'openai/gpt-3.5-turbo', 1771171200000, 3232, 0, 0, 0, 7, 359, 89984, 0, 'gw1', 'k268', 'user-2195', 'search', 'openai', 'provider', 'gzip', 'none', 'interval', 1767225600000, 5, 1771171196768, 0, 0, 350282, 21, 400, 800, 2100, 12, 0, 0, 0, 0, 0, 1, 4234, 0, 0, '1771171200020-13', 1771171200020, '\xc43dd0e96349790a44e9b38a13010f59510963e5269d3575c6166508e5e9a3635bb07a47e0a3dac27825fcadfcc096b1c8e5442978c8176755bf55a533ae00000000164a846d2920266968754528372e282c774548576f');
INSERT INTO weir.records VALUES (1048610, 'gw0:1767225600000:1', 'account-21', 's0', 0, 'google/gemini-pro', 1768176000000, 12194, 0, 0, 0, 0, 1354, 450420, 0, 'gw0', 'k40', 'user-2435', 'summary', 'openai', 'provider', 'gzip', 'none', 'interval', 1767225600000, 1, 1768175987806, 0, 0, 270976, 21, 400, 800, 2100, 12, 0, 0, 0, 0, 0, 1, 10177, 0, 0, '1768176000020-0', 1768176000020, '\x5eb88bbadc9ddbeca329af07891273622cfb266c8871f956c61665b5a372a3c57c851a47e0a3dac278acfbadfc4b96b1c8e5442978c81767554955a54072000000000d8f0845552f301260605e6c6a693070425f3a31');
INSERT INTO weir.records VALUES (1048613, 'gw2:1767225600000:3', 'account-26', 's2', 2, 'google/gemini-pro', 1770019200000, 3339, 147680, 1208, 568, 14, 371, 1555, 0, 'gw2', 'k193', 'user-3679', 'search', 'openai', 'provider', 'gzip', 'none', 'complete', 1767225600000, 3, 1770019196661, 568, 170400, 202714, 21, 400, 800, 2100, 12, 0, 0, 0, 0, 0, 1, 35180, 0, 0, '1770019200020-8', 1770019200020, '\xf20f70359acf70a5c134b6a95c715fe2062b3ea9c471b75d37b28f5c50bba301710a7a47e0a3da5078e824d7f22d96b1c8e5442978c8176755ad55a52630000000000c37c2033e323e736f6c596c6a693078425f3a33');
INSERT INTO weir.records VALUES (1048616, 'gw0:1767225600000:5', 'account-23', 's4', 0, 'openai/gpt-3.5-turbo', 1770940800000, 5511, 0, 0, 0, 7, 612, 110981, 0, 'gw0', 'k268', 'user-2195', 'search', 'openai', 'provider', 'gzip', 'none', 'interval', 1767225600000, 5, 1770940794489, 0, 0, 92884, 21, 400, 800, 2100, 12, 0, 0, 0, 0, 0, 1, 29091, 0, 0, '1770940800020-12', 1770940800020, '\x17d3f6259c24ff7ddca5d66fe3198232e18363e5889d0600c61665084434a3c55bb07a47e0a3dac27825d0adfcb796b1c8e5442978c81767550555a5eb7f00000000167ccb639128256862754528372e282c764548576f');
INSERT INTO weir.records VALUES (1048619, 'gw2:1767225600000:1', 'account-21', 's0', 2, 'google/gemini-pro', 1768636800000, 21787, 162240, 414, 624, 14, 2420, 171064, 0, 'gw2', 'k40', 'user-2435', 'summary', 'openai', 'provider', 'gzip', 'none', 'complete', 1767225600000, 1, 1768636778213, 624, 187200, 248877, 21, 400, 800, 2100, 12, 0, 0, 0, 0, 0, 1, 17984, 0, 0, '1768636800020-2', 1768636800020, '\xb4fe7e574e98ecdff848a584aea0b4f9bcef266cc4711c34bb830f5c26e5a3017c851a47e0a3da5078ac2a57e1c496b1c8e5442978c8176755dd55a5fe95000000000de07daf0736270761605e6c6a693072425f3a31');
INSERT INTO weir.rejected VALUES (1048583, '1770249600020-9', 1770249600020, 'gw0:1767225600000:4', 'unknown_model', 'model', 'account_id=account-24
attempts=1
busy_ms=644
bytes_out=0
bytes_raw=0
cache_write_tokens=0
cached_input_tokens=0
coding=gzip
connection_id=s3
downtime_ms=14
duration_ms=5798
end=interval
ended_at_ms=1770249600000
epoch=1767225600000
estimated=0
events=0
gateway=gw0
input_tokens=0
key_id=k1
latency_max_us=2100
latency_min_us=21
latency_p95_us=400
latency_p99_us=800
latency_us=55852
lost=0
model=nobody/nothing
output_tokens=0
provider=openai
purpose=summary
reasoning_tokens=0
record_id=gw0:1767225600000:4
retransmits=0
rtt_us=24196
sealing=none
segment=0
seq=4
sla_excluded=0
stall_client_ms=0
stall_provider_ms=12
started_at_ms=1770249594202
ttft_us=272614
usage_source=provider
user=user-2051
v=1
', '\xf5f6960f6fd2f2bb6298af6b203b34377c28d2f7a584150200000336042b577d751a150106095c000f7e66455e4e1932340a617474656d7074733d310a627573795f6d733d3634340a62797465735f6f75743d300a62797465735f7261773d300a63616368655f77726974655f746f6b656e733d300a6361636865645f696e7075745f746f6b656e733d300a636f64696e673d677a69700a636f6e6e656374696f6e5f69643d73330a646f776e74696d655f6d733d31340a6475726174696f6e5f6d733d353739380a656e643d696e74657276616c0a656e6465645f61745f6d733d313737303234393630303030300a65706f63683d313736373232353630303030300a657374696d617465643d300a6576656e74733d300a676174657761793d6777300a696e7075745f746f6b656e733d300a6b65795f69643d6b310a6c6174656e63795f6d61785f75733d323130300a6c6174656e63795f6d696e5f75733d32310a6c6174656e63795f7039355f75733d3430300a6c6174656e63795f7039395f75733d3830300a6c6174656e63795f75733d35353835320a6c6f73743d300a6d6f64656c3d6e6f626f64792f6e6f7468696e670a6f75747075745f746f6b656e733d300a70726f76696465723d6f70656e61690a707572706f73653d73756d6d6172790a726561736f6e696e675f746f6b656e733d300a7265636f72645f69643d6777303a313736373232353630303030303a340a72657472616e736d6974733d300a7274745f75733d32343139360a7365616c696e673d6e6f6e650a7365676d656e743d300a7365713d340a736c615f6578636c756465643d300a7374616c6c5f636c69656e745f6d733d300a7374616c6c5f70726f76696465725f6d733d31320a737461727465645f61745f6d733d313737303234393539343230320a747466745f75733d3237323631340a75736167655f736f757263653d70726f76696465720a757365723d757365722d323035310a763d310a');
INSERT INTO weir.rejected VALUES (1048601, '1769328000020-5', 1769328000020, 'gw2:1767225600000:2', 'unknown_model', 'model', 'account_id=account-21
attempts=1
busy_ms=321
bytes_out=26520
bytes_raw=30600
cache_write_tokens=0
cached_input_tokens=0
coding=gzip
connection_id=s1
downtime_ms=0
duration_ms=2897
end=complete
ended_at_ms=1769328000000
epoch=1767225600000
estimated=0
events=102
gateway=gw2
input_tokens=984
key_id=k122
latency_max_us=2100
latency_min_us=21
latency_p95_us=400
latency_p99_us=800
latency_us=452933
lost=0
model=nobody/nothing
output_tokens=102
provider=openai
purpose=code
reasoning_tokens=0
record_id=gw2:1767225600000:2
retransmits=0
rtt_us=3785
sealing=none
segment=2
seq=2
sla_excluded=0
stall_client_ms=0
stall_provider_ms=12
started_at_ms=1769327997103
ttft_us=154249
usage_source=provider
user=user-4498
v=1
', '\x7846e12117e07d6bc68f21c9969820959c01caa0a5840d0200000345db18d46a741c140706095c000f7e6a455e4e1f32310a617474656d7074733d310a627573795f6d733d3332310a62797465735f6f75743d32363532300a62797465735f7261773d33303630300a63616368655f77726974655f746f6b656e733d300a6361636865645f696e7075745f746f6b656e733d300a636f64696e673d677a69700a636f6e6e656374696f6e5f69643d73310a646f776e74696d655f6d733d300a6475726174696f6e5f6d733d323839370a656e643d636f6d706c6574650a656e6465645f61745f6d733d313736393332383030303030300a65706f63683d313736373232353630303030300a657374696d617465643d300a6576656e74733d3130320a676174657761793d6777320a696e7075745f746f6b656e733d3938340a6b65795f69643d6b3132320a6c6174656e63795f6d61785f75733d323130300a6c6174656e63795f6d696e5f75733d32310a6c6174656e63795f7039355f75733d3430300a6c6174656e63795f7039395f75733d3830300a6c6174656e63795f75733d3435323933330a6c6f73743d300a6d6f64656c3d6e6f626f64792f6e6f7468696e670a6f75747075745f746f6b656e733d3130320a70726f76696465723d6f70656e61690a707572706f73653d636f64650a726561736f6e696e675f746f6b656e733d300a7265636f72645f69643d6777323a313736373232353630303030303a320a72657472616e736d6974733d300a7274745f75733d333738350a7365616c696e673d6e6f6e650a7365676d656e743d320a7365713d320a736c615f6578636c756465643d300a7374616c6c5f636c69656e745f6d733d300a7374616c6c5f70726f76696465725f6d733d31320a737461727465645f61745f6d733d313736393332373939373130330a747466745f75733d3135343234390a75736167655f736f757263653d70726f76696465720a757365723d757365722d343439380a763d310a');
INSERT INTO weir.sequences VALUES ('gw0', 1767225600000, 1, 5, '\xc030cce7e068d00027efaa9b2e6a10f868538750030000019811ad9804');
INSERT INTO weir.sequences VALUES ('gw1', 1767225600000, 1, 5, '\x6a03f2ae71bc90db8d6189ffca7f703706538750030000019811ad9904');
INSERT INTO weir.sequences VALUES ('gw2', 1767225600000, 1, 5, '\x06366f49d54fb16110f3fdbaec71b2d6a4538750030000019811ad9a04');
INSERT INTO weir.streams VALUES (1048586, 'account-21', 's1', 'k122', 'user-4498', 'anthropic/claude-3-sonnet', 'openai', 'code', 1768867177127, 276219, 1769097600000, 'interval', 0, 1, 2, 0, 0, 0);
INSERT INTO weir.streams VALUES (1048598, 'account-23', 's4', 'k268', 'user-2195', 'openai/gpt-3.5-turbo', 'openai', 'search', 1770940794489, 92884, 1771401600000, 'complete', 0, 2, 3, 1544, 320, 83200);
INSERT INTO weir.streams VALUES (1048577, 'account-21', 's0', 'k40', 'user-2435', 'google/gemini-pro', 'openai', 'summary', 1768175987806, 248877, 1768636800000, 'complete', 0, 2, 3, 414, 624, 162240);
INSERT INTO weir.streams VALUES (1048589, 'account-26', 's2', 'k193', 'user-3679', 'google/gemini-pro', 'openai', 'search', 1769558398920, 202714, 1770019200000, 'complete', 0, 2, 3, 1208, 568, 147680);
INSERT INTO weir.streams VALUES (1048580, 'account-24', 's3', 'k1', 'user-2051', 'google/gemini-pro', 'openai', 'summary', 1770479992995, 347079, 1770710400000, 'complete', 1, 2, 2, 2235, 599, 155740);
SELECT pg_catalog.setval('weir.numbers', 1048577, true);
ALTER TABLE ONLY weir.accounts
    ADD CONSTRAINT accounts_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY weir.alerts
    ADD CONSTRAINT alerts_pkey PRIMARY KEY (account_id, period, rule, "limit", repetition, level, raised_at_ms);
ALTER TABLE ONLY weir.charges
    ADD CONSTRAINT charges_pkey PRIMARY KEY (number);
ALTER TABLE ONLY weir.day_models
    ADD CONSTRAINT day_models_pkey PRIMARY KEY (day, account_id, period, model);
ALTER TABLE ONLY weir.events
    ADD CONSTRAINT events_pkey PRIMARY KEY (number);
ALTER TABLE ONLY weir.graduated_boundaries
    ADD CONSTRAINT graduated_boundaries_pkey PRIMARY KEY (account_id, period, provider, tier);
ALTER TABLE ONLY weir.graduated_charges
    ADD CONSTRAINT graduated_charges_pkey PRIMARY KEY (account_id, period, provider, ended_at_ms, record_id);
ALTER TABLE ONLY weir.journal
    ADD CONSTRAINT journal_pkey PRIMARY KEY (number, kind);
ALTER TABLE ONLY weir.period_providers
    ADD CONSTRAINT period_providers_pkey PRIMARY KEY (account_id, period, provider);
ALTER TABLE ONLY weir.periods
    ADD CONSTRAINT periods_pkey PRIMARY KEY (account_id, period);
ALTER TABLE ONLY weir.price_lists
    ADD CONSTRAINT price_lists_pkey PRIMARY KEY (version);
ALTER TABLE ONLY weir.records
    ADD CONSTRAINT records_pkey PRIMARY KEY (number);
ALTER TABLE ONLY weir.rejected
    ADD CONSTRAINT rejected_pkey PRIMARY KEY (number);
ALTER TABLE ONLY weir.sequences
    ADD CONSTRAINT sequences_pkey PRIMARY KEY (gateway, epoch, first);
ALTER TABLE ONLY weir.streams
    ADD CONSTRAINT streams_pkey PRIMARY KEY (number);
CREATE INDEX alerts_in_time ON weir.alerts USING btree (raised_at_ms);
CREATE INDEX charges_of_account ON weir.charges USING btree (account_id, period);
CREATE INDEX day_models_of_period ON weir.day_models USING btree (account_id, period);
CREATE UNIQUE INDEX records_of_id ON weir.records USING btree (record_id);
CREATE UNIQUE INDEX rejected_once ON weir.rejected USING btree (entry_id, record_id, reason);
CREATE UNIQUE INDEX streams_of_connection ON weir.streams USING btree (connection_id, account_id);
CREATE INDEX streams_of_end ON weir.streams USING btree ("end");
CREATE INDEX streams_of_model ON weir.streams USING btree (model);
CREATE INDEX streams_of_purpose ON weir.streams USING btree (purpose);
