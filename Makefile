.DEFAULT_GOAL := help
BINARY := target/release/deepspine

# The labelled and unlabelled reports that the reader is made and scored with.
GOLD ?= ../shared/gold
SETS := target/gold
# Sagittal slices with masks, which the segmenter is made and scored with.
SLICES ?= ../shared/mri/spider_space
# Volumes of other scanners, which it is scored with.
VOLUMES ?= ../shared/mri/volumes
# Single slices of others, with masks of discs and vertebrae.
PICTURES ?= ../shared/mri/t2_png

# Most of the time that tests take goes to compiling this crate: where they run quickly it is left as it
# stands. Large texts do not run quickly so, and `make test` reads them.
UNOPTIMIZED := --config profile.dev.package.deepspine.opt-level=0

.PHONY: help demo test bench lint libtorch dist try-dist without-neural sets reader scores segmenter segmenter-scores unseen grader grader-scores grader-tasks loop

help: ## What can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/'

libtorch: ## Find libtorch, or fetch it once, and note where it is
	scripts/libtorch

demo: libtorch ## Build, label the bundled reports, keep and search them, let people read them, grade studies
	cargo build --release --locked
	@mkdir -p out
	$(BINARY) extract fixtures/demo/reports.csv -o out/labels.jsonl
	$(BINARY) extract fixtures/demo/reports.csv --format wide -o out/labels.csv
	$(BINARY) explain fixtures/demo/reports.csv --id D-1 --html out/report.html
	$(BINARY) explain fixtures/demo/reports.csv --id D-1
	$(BINARY) extract fixtures/demo/reports.csv --reader fused -o out/fused.jsonl
	$(BINARY) extract fixtures/demo/reports.csv --reader fused --uncertain -o out/uncertain.csv
	$(BINARY) explain fixtures/demo/reports.csv --id D-6 --reader fused
	@rm -rf out/archive
	$(BINARY) import fixtures/demo/reports.csv --reader fused --data out/archive
	$(BINARY) search 'L4-L5.central>=moderate' --data out/archive
	$(BINARY) search 'finding:extrusion "L5/S1"' --data out/archive
	$(BINARY) search 'impression:stenosis OR age:..50' --facets -n 2 --data out/archive
	$(BINARY) cohort freeze narrow 'modality:MR' 'any.any>=mild' 'any.foraminal>=moderate' --data out/archive
	$(BINARY) cohort show narrow --flow out/cohort.svg --data out/archive
	$(BINARY) cohort export narrow -o out/cohort.csv --deidentify --data out/archive
	$(BINARY) simulate reports --count 60 -o out/simulated.jsonl
	$(BINARY) import out/simulated.jsonl --data out/archive
	$(BINARY) simulate annotators --data out/archive
	$(BINARY) simulate phantom -o out/phantom.nii.gz
	$(BINARY) segment out/phantom.nii.gz --again --store --data out/archive -o out/segmented
	$(BINARY) simulate studies --count 4 --seed 5 --planted 1 -o out/studies
	$(BINARY) import out/studies/reports.csv --data out/archive
	$(BINARY) grade --each out/studies/studies --again --store --data out/archive -o out/graded
	$(BINARY) batch add images modality:MR --order discrepant --mode assisted --annotators 1 \
		--limit 20 --data out/archive
	$(BINARY) link -o out/training --data out/archive
	@rm -rf out/grader
	$(BINARY) train grader out/training --from models/grader --steps 20 --round 20 -o out/grader
	$(BINARY) cohort freeze imaged source:simulated --data out/archive
	$(BINARY) grade --cohort imaged --again --grader out/grader --data out/archive -o out/cohort-graded
	@echo
	@echo "Written:"
	@echo "  out/labels.jsonl  a line a report: cells, opinions, evidence, findings"
	@echo "  out/labels.csv    a row a report, a column a cell"
	@echo "  out/fused.jsonl   the same, read by rules and transformer together"
	@echo "  out/uncertain.csv the cells that they are not sure of"
	@echo "  out/report.html   one report with its evidence; open it in a browser"
	@echo "  out/archive       the reports, stored and searchable"
	@echo "  out/cohort.svg    how the cohort was chosen; open it in a browser"
	@echo "  out/cohort.csv    the cohort without identifiers, and its manifest beside it"
	@echo "  out/segmented     a phantom: levels, measures, masks"
	@echo "  out/studies       invented MRI studies with reports, of which one cell each is wrong"
	@echo "  out/graded        the same, graded; open out/graded/SIM0000000/spine.html in a browser"
	@echo "  out/training      their levels cut out, with the labels of their reports"
	@echo "  out/grader        the bundled grader, which has gone on to learn from these few"
	@echo "  out/cohort-graded a cohort of them graded again by it, out of the archive alone"
	@echo "Next:"
	@echo "  $(BINARY) extract YOUR_EXPORT.csv -o out/yours.jsonl"
	@echo "  $(BINARY) explain YOUR_EXPORT.csv --id YOUR_REPORT"
	@echo "  $(BINARY) segment YOUR_STUDY, a folder or zip of DICOM files"
	@echo "  $(BINARY) import YOUR_EXPORT.csv, then $(BINARY) search --help"
	@echo "  $(BINARY) --help"
	@echo "The annotation server has a half-done batch, and one of reports whose images say something else."
	@echo "It begins now if this is a terminal (Ctrl-C ends it), else with"
	@echo "  $(BINARY) serve --data out/archive"
	@echo "Open one of these links, each good once, and go on with the batch 'images':"
	@for name in anna cora lea; do printf "    %-5s " $$name; $(BINARY) user link $$name --data out/archive; done
	@if [ -t 0 ] && [ -t 1 ]; then $(BINARY) serve --data out/archive; fi

test: libtorch ## Run every test
	scripts/test-setup
	cargo test --locked --test it --test rules
	cargo test --locked --lib $(UNOPTIMIZED)
	cargo test --locked --doc

bench: libtorch ## Measure speed and memory as ratios in one run
	cargo bench --locked --bench extract --bench reader --bench segment --bench grade --bench million --bench archive --bench serve

lint: libtorch ## Check format, lints and docs
	cargo fmt --check
	cargo clippy --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --locked

without-neural: ## Check the build that has no transformer, and that it extracts as the other does
	cargo clippy --all-targets --locked --no-default-features -- -D warnings
	cargo test --locked --no-default-features --test rules $(UNOPTIMIZED) -- --skip large_and_odd_texts

dist: libtorch ## Pack binary, libraries and licences as one archive that runs anywhere on Linux x86-64
	scripts/dist

try-dist: dist ## Try that archive in a root that holds nothing else and sees no network
	scripts/try-dist "$$(ls -t target/dist/deepspine-*.tar.gz | head -1)"

# Told before anything is fetched or built. What the folders hold, CONTRIBUTING.md says.
has-%:
	@[ -d "$($*)" ] || { echo "make: there is no folder \`$($*)\`; name one with $*=FOLDER," \
		"which holds what CONTRIBUTING.md says" >&2; exit 1; }

sets: has-GOLD libtorch ## Write the reports that the reader learns from and is scored on
	cargo build --release --locked
	@mkdir -p $(SETS)
	for set in develop check paraphrase blind; do \
		scripts/cases fixtures/reports/en/$$set > $(SETS)/$$set.jsonl || exit 1; done
	$(BINARY) extract $(GOLD)/real_unlabelled.jsonl --format gold -o $(SETS)/silver.jsonl
	$(BINARY) simulate reports --wording held-out --count 1000 --seed 1001 \
		-o $(SETS)/dictated-reports.jsonl --labels $(SETS)/dictated.jsonl
	$(BINARY) simulate reports --wording free --count 20000 -o $(SETS)/free.jsonl

reader: sets ## Train the transformer, in two hours on two cores; stopped, it goes on from its last round
	[ -d target/minilm ] || scripts/minilm target/minilm
	nice $(BINARY) train reader $(SETS)/develop.jsonl $(GOLD)/authored_labelled.jsonl \
		$(SETS)/silver.jsonl --check $(SETS)/check.jsonl --base target/minilm -o target/reader

segmenter: has-SLICES libtorch ## Train the segmenter, for hours on two cores; stopped, it goes on from its last round
	cargo build --release --locked
	OMP_WAIT_POLICY=passive nice $(BINARY) train segmenter $(SLICES) --seed 9 --steps 2600 --side 352 \
		-o target/segmenter-begun
	OMP_WAIT_POLICY=passive nice $(BINARY) train segmenter $(SLICES) --seed 9 --steps 2000 --side 352 \
		--from target/segmenter-begun -o target/segmenter

segmenter-scores: has-SLICES has-VOLUMES has-PICTURES libtorch ## Score the segmenter on subjects it has not seen, and on other scanners
	cargo build --release --locked
	@mkdir -p $(SETS)
	$(BINARY) evaluate segmenter $(SLICES) --pictures out/worst
	scripts/volumes $(VOLUMES) > $(SETS)/volumes.csv
	$(BINARY) evaluate segmenter $(SETS)/volumes.csv
	scripts/slices $(PICTURES) $(SETS)/slices
	$(BINARY) evaluate segmenter $(SETS)/slices/table.csv

# What it learns from is cut out by true masks; what it is calibrated on comes about as studies do, by the
# network that finds their levels.
grader: libtorch ## Train the grader on invented studies, in two hours on two cores, with 55 GB of disk; stopped, it goes on
	cargo build --release --locked
	$(BINARY) simulate studies --count 1000 --seed 1 -o target/studies
	$(BINARY) import target/studies/reports.csv --data target/studies-archive
	nice $(BINARY) segment --each target/studies/studies --masks target/studies/truth \
		--store --data target/studies-archive -o target/segmented
	$(BINARY) link --truth target/studies/truth.csv --split 100/0/0 \
		--data target/studies-archive -o target/training
	$(BINARY) simulate studies --count 200 --seed 8 -o target/check
	$(BINARY) import target/check/reports.csv --data target/check/archive
	nice $(BINARY) segment --each target/check/studies --store --data target/check/archive \
		-o target/check/segmented
	$(BINARY) link --truth target/check/truth.csv --split 0/100/0 --data target/check/archive \
		-o target/check/levels
	OMP_WAIT_POLICY=passive nice $(BINARY) train grader target/training --check target/check/levels \
		--single-task --seed 1 --steps 3000 --balance 1 -o target/grader

# Unseen spines, more of them bent, operated on and cut straight; the network finds their levels.
UNSEEN := target/unseen

unseen: libtorch
	cargo build --release --locked
	$(BINARY) simulate studies --count 80 --seed 77 --straight 0.6 --scoliosis 0.15 --laminectomy 0.1 \
		-o $(UNSEEN)
	$(BINARY) import $(UNSEEN)/reports.csv --data $(UNSEEN)/archive
	nice $(BINARY) grade --each $(UNSEEN)/studies --store --data $(UNSEEN)/archive -o $(UNSEEN)/graded
	$(BINARY) link --truth $(UNSEEN)/truth.csv --split 0/0/100 --data $(UNSEEN)/archive -o $(UNSEEN)/levels

grader-scores: unseen ## Score the grader, its halves, the measurement and a second reader on unseen invented studies
	for inputs in both axial sagittal; do \
		$(BINARY) evaluate grader $(UNSEEN)/levels --inputs $$inputs || exit 1; done
	scripts/readings $(UNSEEN)/truth.csv > $(UNSEEN)/second.csv
	$(BINARY) evaluate grader $(UNSEEN)/levels --readings $(UNSEEN)/second.csv
	scripts/readings $(UNSEEN)/truth.csv $(UNSEEN)/graded/levels.csv > $(UNSEEN)/area.csv
	$(BINARY) evaluate grader $(UNSEEN)/levels --readings $(UNSEEN)/area.csv

# Fewer studies and steps than the bundled grader has had, the same for each.
TASKS := target/tasks
LEARN = OMP_WAIT_POLICY=passive nice $(BINARY) train grader $(TASKS)/training --seed 1 --steps 1200 --balance 1

grader-tasks: unseen ## Compare graders of one task, of all, and with the levels next to each, on unseen invented studies
	$(BINARY) simulate studies --count 300 --seed 5 -o $(TASKS)
	$(BINARY) import $(TASKS)/reports.csv --data $(TASKS)/archive
	nice $(BINARY) segment --each $(TASKS)/studies --masks $(TASKS)/truth \
		--store --data $(TASKS)/archive -o $(TASKS)/segmented
	$(BINARY) link --truth $(TASKS)/truth.csv --split 84/16/0 --data $(TASKS)/archive -o $(TASKS)/training
	$(LEARN) -o $(TASKS)/multi-task
	$(LEARN) --single-task -o $(TASKS)/single-task
	$(LEARN) --context -o $(TASKS)/context
	for grader in multi-task single-task context; do \
		$(BINARY) evaluate grader $(UNSEEN)/levels --model $(TASKS)/$$grader || exit 1; done

# Patients of another seed than those that the bundled grader, with which training begins, has learned from.
loop: libtorch ## Close the loop on 200 invented studies, in about ten minutes on two cores with brain floats, up to an hour without: link, correct, train, grade, queue
	cargo build --release --locked
	OMP_WAIT_POLICY=passive nice scripts/loop $(BINARY) out/loop --seed 4 --from models/grader --steps 300

scores: sets ## Score rules, transformer and both together on every set
	for set in $(GOLD)/real_labelled.jsonl $(SETS)/paraphrase.jsonl $(SETS)/blind.jsonl \
		$(SETS)/check.jsonl $(SETS)/dictated.jsonl; do \
		scripts/scores $(BINARY) $$set $(SETS)/free.jsonl || exit 1; done
