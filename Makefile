.DEFAULT_GOAL := help
BINARY := target/release/deepspine

.PHONY: help demo test bench lint

help: ## What can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/'

demo: ## Build, and label the bundled reports
	cargo build --release --locked
	@mkdir -p out
	$(BINARY) extract fixtures/demo/reports.csv -o out/labels.jsonl
	$(BINARY) extract fixtures/demo/reports.csv --format wide -o out/labels.csv
	$(BINARY) explain fixtures/demo/reports.csv --id D-1 --html out/report.html
	$(BINARY) explain fixtures/demo/reports.csv --id D-1
	@echo
	@echo "Written:"
	@echo "  out/labels.jsonl  a line a report: cells, opinions, evidence, findings"
	@echo "  out/labels.csv    a row a report, a column a cell"
	@echo "  out/report.html   one report with its evidence; open it in a browser"
	@echo "Next:"
	@echo "  $(BINARY) extract YOUR_EXPORT.csv -o out/yours.jsonl"
	@echo "  $(BINARY) explain YOUR_EXPORT.csv --id YOUR_REPORT"
	@echo "  $(BINARY) --help"

test: ## Run every test
	cargo test --locked

bench: ## Measure speed and memory as ratios in one run
	cargo bench --locked --bench extract --bench million --bench archive

lint: ## Check format, lints and docs
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked
