# `make run` starts Weir, `make test` proves it. CONTRIBUTING.md says more.

SWIFT ?= swift
# Release builds, the standard library linked in. Tests build elsewhere, so that they never
# replace a binary that figures come from.
STATIC := --configuration release --static-swift-stdlib --scratch-path .build-static
CHECKED := --scratch-path .build-test --explicit-target-dependency-import-check error
# Suites that talk to servers: one test at a time, so that what they wait for is not held up by others.
SERIAL := Reactor|HTTPServer|Providers|RedisStreams|Billing|Ledger|MeterLog|Service|ReplayProvider
SERIAL := $(SERIAL)|TransportSecurity|StreamLoad|HTTP2|BenchmarkSuite
# A test that hangs fails; none of the three parts takes minutes more than this on two busy cores.
RUN_TESTS = timeout --signal ABRT --kill-after 10 1100 $(SWIFT) test --skip-build $(CHECKED)
FOLDERS := $(wildcard Package.swift Sources Tests Benchmarks LoadTests Fuzzing)

.PHONY: run build test bench bench-ledger loadtest faults scan fuzz format lint clean

# ARGS are passed on: make run ARGS="--set listen=127.0.0.1:9090"
run: build
	@exec .build-static/release/weir up $(ARGS)

build:
	@Config/setup run
	$(SWIFT) build $(STATIC)

test:
	@Config/setup test
	$(SWIFT) build --build-tests $(CHECKED)
	$(RUN_TESTS) --skip '^($(SERIAL)|EndToEnd)Tests\.'
	$(RUN_TESTS) --no-parallel --filter '^($(SERIAL))Tests\.'
	@# Alone: they keep the machine busy with browsers, servers and a thousand clients.
	$(RUN_TESTS) --filter '^EndToEndTests\.'

bench:
	@Config/setup run
	$(SWIFT) run --configuration release --scratch-path .build-bench weir-bench $(ARGS)

# Stores records in both databases: make bench-ledger ARGS="--records 1000000"
bench-ledger: build
	@Config/setup test
	Benchmarks/ledger .build-static/release $(ARGS)

# ARGS replaces the options: make loadtest ARGS="-n 5000 --duration 60s"
loadtest: build
	LoadTests/loadtest .build-static/release $(or $(ARGS),-n 1000 --duration 20s --expect 'lost=0,failed=0')

# Hundreds of faults, some twenty minutes: make faults ARGS="--seed 7 --faults 50 --ledger postgresql"
faults: build
	@Config/setup test
	python3 LoadTests/faults --binaries .build-static/release $(ARGS)

# Has testssl.sh look for weaknesses in the public listener.
scan: build
	@Config/setup scan
	Tests/TLSScan/scan .build-static/release

# A minute of every fuzzer; ARGS: make fuzz ARGS="600", make fuzz ARGS="600 yaml json"
fuzz:
	@Config/setup fuzz
	Fuzzing/fuzz $(ARGS)

format:
	$(SWIFT) format -i -r $(FOLDERS)

lint:
	$(SWIFT) format lint --strict -r $(FOLDERS)

clean:
	rm -rf .build .build-static .build-test .build-bench .build-fuzz .fuzz
