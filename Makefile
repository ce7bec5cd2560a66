# What a stranger needs: `make demo` shows the main job, `make test` runs all tests.
# Long runs take MINUTES, or SECONDS; those without a time take PART=2/4, the second fourth. All tell how far they are.
seconds = $(or $(SECONDS),$(if $(MINUTES),$(shell echo $$(($(MINUTES) * 60)))),$(1))
.PHONY: setup build release demo test crash faults soak fuzz format lint bench bench-serving bench-kernels bench-blocks \
  bench-peers bench-search bench-model bench-transfer bench-store deb completions python conformance conformance-meaning \
  conformance-kernels lint-python operators sanitize sanitize-samples sanitized-hosts integrations

setup:
	@.ci/setup

build: setup
	swift build

release: setup
	swift build -c release

demo: release
	@integrations/demo/run

test: setup
	@# PyTorch judges the operators and calls kernels; where PyPI cannot be reached, what needs it is left out.
	$(MAKE) python || echo "No PyTorch: the tests that need it are left out." >&2
	swift build --build-tests
	.ci/test --parallel --skip $(alone)
	@# What is timed, other tests would disturb.
	.ci/test --filter $(alone)
	$(MAKE) sanitize-samples
	@# One sample of each operator against PyTorch.
	[ ! -x $(python) ] || $(MAKE) conformance-meaning SAMPLE=1 DTYPES=f32,bf16,i64 CONFIGURATION=debug

alone = 'PairedTimerTests|CeilingsMeasurementTests'

# 200 kills, or ROUNDS, or as many as there is time for.
crash: setup
	swift build --build-tests
	GRANARY_CRASH_ROUNDS=$(or $(ROUNDS),$(if $(MINUTES)$(SECONDS),1000000,200)) \
	  $(if $(MINUTES)$(SECONDS),GRANARY_CRASH_SECONDS=$(call seconds)) .ci/test --filter CrashLoopTests

# Every system call of a publication, a collection and an import fails in turn, or is the last before a kill, or before
# the power goes. PART=1/4 takes a fourth of them.
faults: setup
	swift build --build-tests
	GRANARY_FAULT_SWEEP=all GRANARY_POWER_SWEEP=all $(if $(PART),GRANARY_PART=$(PART)) .ci/test --filter 'FaultSweepTests|PowerLossTests'

# 256 clients, searches, collections and two restarts, for ten minutes, MINUTES or SECONDS.
soak: setup
	swift build --build-tests
	GRANARY_SOAK_CLIENTS=256 GRANARY_SOAK_SECONDS=$(call seconds,600) .ci/test --filter SoakTests

# Random changes of what others may send or leave behind, for an hour, MINUTES or SECONDS; every kind of input has as long, at once. What
# ends the process stays in .build/fuzz.
fuzz: setup
	swift build --build-tests
	GRANARY_FUZZ_SECONDS=$(call seconds,3600) .ci/test --filter 'FuzzTests|RequestParserTests'

# Every golden case, and every sketch under several schedules, with the generated C built under AddressSanitizer and
# UndefinedBehaviorSanitizer, by each compiler that is there: minutes. The samples are a case of each operator.
sanitize: setup sanitized-hosts
	swift build --build-tests
	GRANARY_GOLDEN_KERNELS=all $(sanitized) CodeGenerationTests

sanitize-samples: sanitized-hosts
	$(sanitized) "GoldenKernelTests|SanitizedHostTests"

sanitized = GRANARY_SANITIZED_HOSTS="$$PWD/.build/sanitized" .ci/test --filter

sanitized-hosts:
	@mkdir -p .build/sanitized
	@for compiler in gcc clang; do \
	  [ ! -x /usr/bin/$$compiler ] || $$compiler -g -O1 -fsanitize=address,undefined \
	    -fno-sanitize-recover=all -I Sources/CKernelHost/include -o .build/sanitized/$$compiler \
	    Tests/CodeGenerationTests/Sanitized/host.c Sources/CKernelHost/granary_pool.c -ldl -lpthread \
	    || exit 1; \
	done

# PyTorch and the package, in .build/python.
python:
	integrations/python/setup

# Every sample of PyTorch's own operator tests: what specs mean, and two kernels of each operator and dtype.
# SAMPLE=N takes N samples of each, OPERATORS a regular expression, DTYPES a list such as f32,bf16.
conformance: python conformance-meaning conformance-kernels

python := .build/python/bin/python
CONFIGURATION ?= release
conform = $(python) Tests/Conformance/run.py --jobs $$(nproc) --operators '$(OPERATORS)' \
  --evaluator "$$(swift build -c $(CONFIGURATION) --show-bin-path)/granary-evaluate" \
  $(if $(DTYPES),--dtypes $(DTYPES))

conformance-meaning: setup
	swift build -c $(CONFIGURATION) --product granary-evaluate
	$(conform) $(if $(SAMPLE),--sample $(SAMPLE)) --json .build/conformance-meaning.json
	$(conform) --part as-written --sample $(or $(SAMPLE),8) --json .build/conformance-written.json
	$(conform) --part gradients --sample $(or $(SAMPLE),8) --json .build/conformance-gradients.json

# docs/operators.md, from every sample.
operators: conformance-meaning
	$(python) Tests/Conformance/page.py --output docs/operators.md \
	  --evaluator "$$(swift build -c $(CONFIGURATION) --show-bin-path)/granary-evaluate" \
	  --results .build/conformance-meaning.json --as-written .build/conformance-written.json \
	  --gradients .build/conformance-gradients.json

conformance-kernels: release
	$(MAKE) -C integrations/c build/libgranary.so
	PATH="$$(swift build -c release --show-bin-path):$$PATH" \
	  $(conform) --through daemon --sample $(or $(SAMPLE),2) --json .build/conformance-kernels.json

# Every example of integrations/, and ten models beside eager and Inductor: long. MODELS="bert gpt2" for some.
integrations: release python
	integrations/run $(MODELS)

# Needs ruff and mypy.
lint-python:
	ruff check --config integrations/python/ruff.toml integrations/python Tests/Conformance
	ruff format --check --config integrations/python/ruff.toml integrations/python Tests/Conformance
	cd integrations/python && mypy

format:
	swift format --in-place --recursive Sources Tests cache-schema integrations Package.swift

lint:
	swift format lint --strict --recursive Sources Tests cache-schema integrations Package.swift

# What the daemon reaches as a server; JSON=1 for programs.
bench-serving: release
	@Tests/Benchmarks/serving/run "$$(swift build -c release --show-bin-path)" $(if $(JSON),--json)

# Kernels of common operators on this machine, after a search of SECONDS_EACH seconds each (60 unless told), beside those of
# the libraries that `make bench-peers` installs. QUICK=1 takes ten minutes; the result is in .build/bench-kernels.*.
bench-kernels: bench = kernels
# Whole blocks of models, in the same way; the result is in .build/bench-blocks.*.
bench-blocks: bench = blocks
bench-blocks: what = --blocks
bench-kernels bench-blocks: release
	$(MAKE) -C integrations/c build/libgranary.so
	GRANARY_LIBRARY="$$PWD/integrations/c/build/libgranary.so" PYTHONPATH=integrations/python/src \
	  $(or $(wildcard $(python)),python3) Tests/Benchmarks/kernels/run \
	  "$$(swift build -c release --show-bin-path)" --seconds $(or $(SECONDS_EACH),$(if $(QUICK),10,60)) \
	  $(if $(QUICK),--rounds 15) --json .build/bench-$(bench).json \
	  --markdown .build/bench-$(bench).md --plot .build/bench-$(bench).svg $(what) $(BENCH_OPTIONS)

# PyTorch, ONNX Runtime and OpenVINO, into .build/python.
bench-peers: python
	$(python) -m pip install --quiet --requirement Tests/Benchmarks/kernels/requirements.txt

# How fast misses are answered and candidates are judged. BENCH_OPTIONS="--json --seconds 10", for example.
bench-search: setup
	swift build -c release --product granary-bench-search
	"$$(swift build -c release --show-bin-path)/granary-bench-search" \
	  Tests/Benchmarks/search/specs.txt integrations/demo/specs.jsonl $(BENCH_OPTIONS)

# Searches with the cost model and without, in turns: candidates and seconds until 90 % of the gain, and how well ranks
# agree. About ten minutes; BENCH_OPTIONS="--seconds 60 --repeats 5" for more.
bench-model: setup
	swift build -c release --product granary-bench-search
	"$$(swift build -c release --show-bin-path)/granary-bench-search" \
	  Tests/Benchmarks/search/operators.txt --compare-cost-model --seconds 15 --repeats 2 $(BENCH_OPTIONS)

# How much sooner a search finds what it finds when it knows the results of another shape of its operator.
bench-transfer: setup
	swift build -c release --product granary-bench-search
	"$$(swift build -c release --show-bin-path)/granary-bench-search" \
	  Tests/Benchmarks/search/pairs.txt --transfer $(BENCH_OPTIONS)

# What the store reaches with ENTRIES entries (a million unless told, about 9 GB in FOLDER or TMPDIR). With a FOLDER, which
# stays, MINUTES end it early and the next call goes on; COLLECTED says how many are collected, a tenth unless told.
bench-store: setup
	swift build -c release --product granary-bench-store
	COLLECTED=$(COLLECTED) MINUTES=$(MINUTES) Tests/Benchmarks/store/run \
	  "$$(swift build -c release --show-bin-path)/granary-bench-store" $(or $(ENTRIES),1000000) $(FOLDER)

bench: bench-serving bench-search bench-kernels

# A Debian package with daemon, command line, units, man pages and completions, in .build/deb.
deb: setup
	swift build -c release --static-swift-stdlib
	.ci/deb "$$(swift build -c release --show-bin-path)" .build/deb

# Completion scripts and man pages, into .build/share as an installation lays them out.
completions:
	swift build --product granary
	.ci/completions "$$(swift build --show-bin-path)/granary" .build/share
