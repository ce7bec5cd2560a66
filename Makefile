# What a stranger needs: `make demo` shows the main job, `make test` runs all tests.
.PHONY: setup build release demo test format lint bench-serving

setup:
	@.ci/setup

build: setup
	swift build

release: setup
	swift build -c release

demo: release
	@integrations/demo/run

test: setup
	swift build --build-tests
	swift test --skip-build --parallel

format:
	swift format --in-place --recursive Sources Tests cache-schema Package.swift

lint:
	swift format lint --strict --recursive Sources Tests cache-schema Package.swift

bench-serving: setup
	swift build -c release --product granary-bench-server
	Tests/Benchmarks/serving/run "$$(swift build -c release --show-bin-path)/granary-bench-server"
