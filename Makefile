# The two ways in: `make run` starts the chat, `make test` checks everything. `make help` lists the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Further flags for `make run`, such as ARGS='--listen 127.0.0.1:9000'.
ARGS ?=
# Where `make run` keeps messages: DATA=folder keeps them across restarts, STORE=dynamodb in the DynamoDB at AWS_ENDPOINT_URL_DYNAMODB.
DATA ?=
STORE ?=
# The folder of functions that `make run` runs instead of its own code, such as target/lambda, where `make package` puts them.
LAMBDA ?=
# The WebSocket URL that `make load` and `make idle` use. `make e2e` takes the http:// URL of the web page instead.
URL ?= ws://127.0.0.1:8080/prod

# How many schedules `make prove` runs over the simulator's stores, how many over those of AWS, and on how many threads.
SEEDS ?= 1000000
DYNAMODB_SEEDS ?= 100000
THREADS ?= $(shell nproc)
# How long `make fuzz` tries each target.
FUZZ_SECONDS ?= 60

# The architecture that `make package` builds for: x86_64 or arm64.
ARCH ?= x86_64

.PHONY: fuzz mutants mutants-changed web web-test help run run-check test check unit sim prove docs-check deny test-dynamodb-local generate package package-twice deploy-check package-here deployed-check e2e e2e-local e2e-deployed budget bench bench-lambda load idle export-user erase-user suspend resume disconnect release replay-erasures settle reports fmt

help: ## lists the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 30

run: ## builds and starts the chat, and prints its URL and two users to sign in as
	@dev/require.sh
	@dev/web.sh build
	@cargo build --release --package chat-local $(if $(DATA)$(STORE)$(LAMBDA),--features aws)
	@CHAT_WEB=$${CHAT_WEB:-web/out} exec "$$(dev/target-dir.sh)/release/chat-local" \
	  $(if $(DATA),--data "$(DATA)") $(if $(STORE),--store "$(STORE)") $(if $(LAMBDA),--lambda "$(LAMBDA)") $(ARGS)

test: ## runs everything that CI runs: style, dependencies, licences, tests, documentation
	@dev/require.sh test
	@$(MAKE) --no-print-directory check deny unit sim docs-check web-test deploy-check e2e-local e2e-deployed deployed-check
	@echo 'Everything holds.'

run-check: ## checks `make run`: the page, a sign-in, a clean stop
	dev/check-run.sh

check: ## checks formatting, style, lints, and what each crate may depend on
	cargo fmt --all -- --check
	dev/check-style.py
	dev/check-circles.py
	dev/check-purity.sh
	dev/check-msrv.py
	cargo metadata --locked --format-version 1 > /dev/null
	cargo metadata --locked --format-version 1 --manifest-path proof/fuzz/Cargo.toml > /dev/null
	cargo clippy --workspace --all-targets --all-features -- --deny warnings
	cargo check --quiet --package chat-admin  # by itself, as it is run
	cargo clippy --quiet --locked --manifest-path proof/fuzz/Cargo.toml --no-default-features --all-targets --target-dir "$$(dev/target-dir.sh)" -- --deny warnings

unit: ## runs the tests of all crates
	cargo test --package chat-domain --quiet
	cargo test --workspace --all-features --quiet

sim: ## simulates small cases completely, the bugs that the checker must catch, 20,000 schedules with every fault, 2,000 over the stores of AWS, and 2,000 in three regions
	cargo build --profile prove --quiet --package chat-sim
	"$$(dev/target-dir.sh)/prove/chat-sim" explore
	"$$(dev/target-dir.sh)/prove/chat-sim" bugs
	"$$(dev/target-dir.sh)/prove/chat-sim" run --seeds 20000 --threads $(THREADS)
	"$$(dev/target-dir.sh)/prove/chat-sim" run --seeds 2000 --threads $(THREADS) --stores dynamodb
	"$$(dev/target-dir.sh)/prove/chat-sim" run --seeds 2000 --threads $(THREADS) --stores three-regions

prove: ## simulates SEEDS schedules, by default a million, and DYNAMODB_SEEDS over the stores of AWS, by default 100,000, in one region and in three
	cargo build --profile prove --quiet --package chat-sim
	"$$(dev/target-dir.sh)/prove/chat-sim" run --seeds $(SEEDS) --threads $(THREADS)
	"$$(dev/target-dir.sh)/prove/chat-sim" run --seeds $(DYNAMODB_SEEDS) --threads $(THREADS) --stores dynamodb
	"$$(dev/target-dir.sh)/prove/chat-sim" run --seeds $(DYNAMODB_SEEDS) --threads $(THREADS) --stores three-regions

docs-check: ## builds the documentation, and checks that what it links to and names is there
	RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --no-deps --all-features --quiet
	dev/check-links.py
	dev/cost.py --check
	dev/abuse.py --check
	dev/check-security.py

deny: ## checks licences, sources and security advisories of all dependencies
	dev/tool.sh cargo-deny 0.20.2 check --hide-inclusion-graph licenses bans sources
	dev/advisories.py

mutants: ## plants one bug after the other in chat-domain, and sees whether its tests notice; about an hour
	dev/mutants.sh

mutants-changed: ## does the same where the last commit (or all since MUTANTS_SINCE=commit) changed something
	dev/mutants.sh --changed

fuzz: ## fuzzes each target for FUZZ_SECONDS (60); needs a C++ compiler
	dev/fuzz.sh "$(FUZZ_SECONDS)"

web: ## builds the web page into web/out
	dev/web.sh build

web-test: ## checks the web page: style, types, tests, size, and end-to-end tests in a browser
	dev/web.sh test

test-dynamodb-local: ## runs the DynamoDB tests against Amazon's own DynamoDB Local; needs Java
	dev/test-dynamodb-local.sh

deploy-check: ## checks the template of the deployed chat: form, permissions, policy
	dev/check-deploy.sh

e2e: ## runs the end-to-end tests against the chat at URL=http://... (see proof/e2e/README.md)
	URL=$(filter http%,$(URL)) "$$(dev/python-tool.sh e2e)/pytest" --quiet -p no:cacheprovider proof/e2e

e2e-local: package-here ## runs them against chat-local in each of its modes
	python=$$(dev/python-tool.sh e2e)/python; \
	data=$$(mktemp -d); trap 'rm -r "$$data"' EXIT; \
	"$$python" proof/e2e/local.py; \
	"$$python" proof/e2e/local.py --data "$$data"; \
	"$$python" proof/e2e/local.py --lambda "$$(dev/target-dir.sh)/lambda"

e2e-deployed: package-here ## runs them against the template and the functions on an emulated AWS
	"$$(dev/python-tool.sh e2e)/python" proof/e2e/deployed.py "$$(dev/target-dir.sh)/lambda"

package-here:
	dev/package.sh "$$(uname -m | sed s/aarch64/arm64/)"

budget: ## measures what each action uses of AWS, and writes it to docs/budget.toml and docs/cost.md
	WRITE_BUDGET=1 cargo test --workspace --all-features --quiet --test budget every_action_uses_exactly_its_budget
	dev/cost.py

generate: ## writes the files that are generated from the wire types
	cargo run --quiet --package chat-wire --features schema --example generate

package: ## builds the four Lambda functions as target/lambda/<name>.zip, and lists of what is in them and in the page; ARCH=arm64
	dev/package.sh "$(ARCH)"

package-twice: ## checks that two builds of the last commit make the same zips; a quarter of an hour
	dev/package-twice.sh "$(ARCH)"

deployed-check: package-here ## checks that a deployed function holds nothing that is for development
	dev/check-deployed.sh

bench: ## counts the instructions of a send, a history page and a read mark, by the length of the room
	cargo bench --package chat-bench --bench domain

bench-lambda: package ## measures the shipped send beside the same in JavaScript: cold start, warm requests, memory, size
	dev/build-node-send.sh
	cargo build --release --package chat-bench --features lambda
	"$$(dev/target-dir.sh)/release/chat-bench" lambda --lambda-dir "$$(dev/target-dir.sh)/lambda"
	"$$(dev/target-dir.sh)/release/chat-bench" lambda --lambda-dir "$$(dev/target-dir.sh)/lambda" --tls

load: ## finds the highest sustained rate of a running chat, and its latency at half of that
	cargo run --release --package chat-bench -- load --url $(URL) --find-max

idle: ## measures memory and latency of a running chat that holds 10,000 connections
	cargo run --release --package chat-bench -- idle --url $(URL) --connections 10000 --pid "$$(pgrep -nx chat-local)"

# The user that `make export-user`, `make erase-user`, `make suspend` and so on are about. CONFIRM=yes erases.
EMAIL ?=
CONFIRM ?=
# The account that `make release` gives an address to.
TO ?=
# The folder that `make export-user` saves the images in.
OBJECTS ?=

export-user: ## exports the data of EMAIL=... as JSON, and its images into OBJECTS=folder; from DATA=folder, or else from AWS
	@dev/admin.sh export "$(EMAIL)" $(if $(OBJECTS),--objects "$(OBJECTS)") $(if $(DATA),--data "$(DATA)")

erase-user: ## counts the data of EMAIL=..., and with CONFIRM=yes erases it
	@dev/admin.sh erase "$(EMAIL)" $(if $(filter yes,$(CONFIRM)),--confirm) $(if $(DATA),--data "$(DATA)")

suspend: ## refuses the user EMAIL=... from now on, and ends their connections
	@dev/admin.sh suspend "$(EMAIL)" $(if $(DATA),--data "$(DATA)")

resume: ## admits the suspended user EMAIL=... again
	@dev/admin.sh resume "$(EMAIL)" $(if $(DATA),--data "$(DATA)")

disconnect: ## ends the connections of EMAIL=...
	@dev/admin.sh disconnect "$(EMAIL)" $(if $(DATA),--data "$(DATA)")

release: ## takes the address EMAIL=... from its account, for the next one that comes with it or for the account TO=sub
	@dev/admin.sh release "$(EMAIL)" $(if $(TO),--to "$(TO)") $(if $(DATA),--data "$(DATA)")

replay-erasures: ## erases again what a restored backup has brought back
	@cargo build --quiet --package chat-admin
	@"$$(dev/target-dir.sh)/debug/chat-admin" replay-erasures $(if $(DATA),--data "$(DATA)")

settle: ## makes the rows of messages say all that the heads of their rooms know, in DATA=folder or else in AWS
	@cargo build --quiet --package chat-admin
	@"$$(dev/target-dir.sh)/debug/chat-admin" settle $(if $(DATA),--data "$(DATA)")

reports: ## lists what people have reported, from DATA=folder or else from AWS; REMOVE=id removes a report first
	@cargo build --quiet --package chat-admin
	@"$$(dev/target-dir.sh)/debug/chat-admin" reports $(if $(REMOVE),--remove "$(REMOVE)") $(if $(DATA),--data "$(DATA)")

fmt: ## formats everything
	cargo fmt --all
