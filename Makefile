# The two ways in: `make run` starts the chat, `make test` checks everything. `make help` lists the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# Further flags for `make run`, such as ARGS='--listen 127.0.0.1:9000'.
ARGS ?=
# Where `make run` keeps messages: DATA=folder across restarts, STORE=dynamodb at AWS_ENDPOINT_URL_DYNAMODB.
DATA ?=
STORE ?=
# What `make run` runs instead of code of its own: the functions in LAMBDA=folder, as `make package` leaves them in target/lambda.
LAMBDA ?=
# The WebSocket URL that `make load` and `make idle` drive; for `make e2e` the http:// one that its web page is at.
URL ?= ws://127.0.0.1:8080/prod

# How many schedules `make prove` runs, and on how many threads.
SEEDS ?= 1000000
THREADS ?= $(shell nproc)
# How long `make fuzz` tries each target.
FUZZ_SECONDS ?= 60

# The architecture that `make package` builds for: x86_64 or arm64.
ARCH ?= x86_64

.PHONY: fuzz mutants mutants-changed web web-test help run run-check test check unit sim prove docs-check deny test-dynamodb-local generate package deploy-check package-here deployed-check e2e e2e-local e2e-deployed budget bench bench-lambda load idle export-user erase-user fmt

help: ## lists the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## /  make \1\t/' | expand -t 24

run: ## builds and starts the chat, prints its URL and two users to chat as
	@dev/require.sh
	@dev/web.sh build
	@cargo build --release --package chat-local $(if $(DATA)$(STORE)$(LAMBDA),--features aws)
	@CHAT_WEB=$${CHAT_WEB:-web/out} exec "$$(dev/target-dir.sh)/release/chat-local" \
	  $(if $(DATA),--data "$(DATA)") $(if $(STORE),--store "$(STORE)") $(if $(LAMBDA),--lambda "$(LAMBDA)") $(ARGS)

test: ## everything CI runs: style, purity, licences, tests, documentation
	@dev/require.sh test
	@$(MAKE) --no-print-directory check deny unit sim docs-check web-test deploy-check e2e-local e2e-deployed deployed-check
	@echo 'Everything holds.'

run-check: ## `make run` as a newcomer says it: the page, a sign-in, a clean stop
	dev/check-run.sh

check: ## formatting, lints, the domain's purity
	cargo fmt --all -- --check
	dev/check-style.py standins chat-admin chat-local/data-folder examples proof/chat-bench proof/fuzz
	dev/check-circles.py standins chat-admin chat-local/data-folder chat-adapters-aws chat-adapters-memory chat-lambda chat-wire examples proof/chat-bench proof/fuzz
	dev/check-purity.sh
	dev/check-msrv.py
	cargo clippy --workspace --all-targets --all-features -- --deny warnings
	cargo check --quiet --package chat-admin  # by itself, as it is run
	cargo clippy --quiet --locked --manifest-path proof/fuzz/Cargo.toml --no-default-features --all-targets --target-dir "$$(dev/target-dir.sh)" -- --deny warnings

unit: ## the tests
	cargo test --package chat-domain --quiet
	cargo test --workspace --all-features --quiet

sim: ## small cases completely, the bugs that the checker must catch, 20,000 simulated schedules in which everything goes wrong
	cargo build --profile prove --quiet --package chat-sim
	"$$(dev/target-dir.sh)/prove/chat-sim" explore
	"$$(dev/target-dir.sh)/prove/chat-sim" bugs
	"$$(dev/target-dir.sh)/prove/chat-sim" run --seeds 20000 --threads $(THREADS)

prove: ## SEEDS simulated schedules, a million if not said otherwise
	cargo build --profile prove --quiet --package chat-sim
	"$$(dev/target-dir.sh)/prove/chat-sim" run --seeds $(SEEDS) --threads $(THREADS)

docs-check: ## the documentation builds, and every link in it leads somewhere
	RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --no-deps --all-features --quiet
	dev/check-links.py
	dev/cost.py --check

deny: ## licences and sources of everything that is depended on
	dev/tool.sh cargo-deny 0.20.2 check --hide-inclusion-graph licenses bans sources

mutants: ## a bug at a time in chat-domain, and whether its tests notice; about an hour
	dev/mutants.sh

mutants-changed: ## the same where the last commit (or all since MUTANTS_SINCE=commit) changed something
	dev/mutants.sh --changed

fuzz: ## each fuzz target for FUZZ_SECONDS (60): needs a C++ compiler
	dev/fuzz.sh "$(FUZZ_SECONDS)"

web: ## builds the web page into web/out
	dev/web.sh build

web-test: ## the web page: style, types, tests, size, and the story in a browser
	dev/web.sh test

test-dynamodb-local: ## the DynamoDB tests against Amazon's own DynamoDB Local (needs Java)
	dev/test-dynamodb-local.sh

deploy-check: ## the template of the deployed chat: form, permissions, policy
	dev/check-deploy.sh

e2e: ## the story of a chat, told of the one at URL=http://... (or see proof/e2e/README.md)
	URL=$(filter http%,$(URL)) "$$(dev/python-tool.sh e2e)/pytest" --quiet -p no:cacheprovider proof/e2e

e2e-local: package-here ## the same, told of chat-local in each of its modes
	python=$$(dev/python-tool.sh e2e)/python; \
	data=$$(mktemp -d); trap 'rm -r "$$data"' EXIT; \
	"$$python" proof/e2e/local.py; \
	"$$python" proof/e2e/local.py --data "$$data"; \
	"$$python" proof/e2e/local.py --lambda "$$(dev/target-dir.sh)/lambda"

e2e-deployed: package-here ## the same, told of the template and the functions on an emulated AWS
	"$$(dev/python-tool.sh e2e)/python" proof/e2e/deployed.py "$$(dev/target-dir.sh)/lambda"

package-here:
	dev/package.sh "$$(uname -m | sed s/aarch64/arm64/)"

budget: ## writes down what each action uses of AWS, in docs/budget.toml and docs/cost.md
	WRITE_BUDGET=1 cargo test --workspace --all-features --quiet --test weather every_action_uses_exactly_its_budget
	dev/cost.py

generate: ## writes the files that are generated from the wire types
	cargo run --quiet --package chat-wire --features schema --example generate

package: ## the four Lambda functions as target/lambda/<name>.zip; ARCH=arm64 for the other architecture
	dev/package.sh "$(ARCH)"

deployed-check: package-here ## a deployed function cannot be built with what is for development
	dev/check-deployed.sh

bench: ## instructions of send, history page and mark read, by the length of the room
	cargo bench --package chat-bench --bench domain

bench-lambda: package ## the shipped send beside the same in JavaScript: cold start, warm requests, memory, size
	dev/build-node-send.sh
	cargo build --release --package chat-bench --features lambda
	"$$(dev/target-dir.sh)/release/chat-bench" lambda --lambda-dir "$$(dev/target-dir.sh)/lambda"
	"$$(dev/target-dir.sh)/release/chat-bench" lambda --lambda-dir "$$(dev/target-dir.sh)/lambda" --tls

load: ## the highest sustained rate of a running chat, and its latency at half of that
	cargo run --release --package chat-bench -- load --url $(URL) --find-max

idle: ## memory and latency of a running chat that holds 10,000 connections
	cargo run --release --package chat-bench -- idle --url $(URL) --connections 10000 --pid "$$(pgrep -nx chat-local)"

# Whose data `make export-user` and `make erase-user` are about, and whether to erase it: CONFIRM=yes.
EMAIL ?=
CONFIRM ?=
# Where `make export-user` saves the images.
OBJECTS ?=

export-user: ## everything there is of EMAIL=..., as JSON, with its images in OBJECTS=folder; of a chat-local's folder with DATA=folder, else of AWS
	@dev/admin.sh export "$(EMAIL)" $(if $(OBJECTS),--objects "$(OBJECTS)") $(if $(DATA),--data "$(DATA)")

erase-user: ## says what there is of EMAIL=..., and with CONFIRM=yes erases it
	@dev/admin.sh erase "$(EMAIL)" $(if $(filter yes,$(CONFIRM)),--confirm) $(if $(DATA),--data "$(DATA)")

fmt: ## formats everything
	cargo fmt --all
