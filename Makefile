# make build | run | serve | test | test-quick | test-large | format | clean
# MODEL=DIR names the model for `make run` and `make serve`; CASES=DIR the reference sets for the tests.
.DEFAULT_GOAL := build
BUILD := build/release
CASES ?=
MODEL ?=
PROMPT ?= What is 12 + 30?

.PHONY: packages build run serve test test-quick test-large format clean

packages:
	@tools/packages.sh

build: packages
	@cmake --preset release -DFATHOM_CASES="$(CASES)" > build-configure.log 2>&1 || { cat build-configure.log; rm -f build-configure.log; exit 1; }
	@rm -f build-configure.log
	@cmake --build --preset release --target fathom

run: build
	@tools/run.sh "$(BUILD)/fathom" "$(MODEL)" "$(PROMPT)"

serve: build
	@exec "$(BUILD)/fathom" serve "$$(tools/default_model.sh "$(BUILD)/fathom" "$(MODEL)")" $(FLAGS)

test-quick: packages
	@tools/test.sh "$(CASES)"

test: test-quick
	@tools/test_clients.sh "$(BUILD)/fathom" "$(CASES)"
	@tools/test_sanitizers.sh "$(CASES)"

test-large: build
	@tools/test_large.sh "$(CASES)"

format:
	@git ls-files 'src/*.h' 'src/*.cc' 'tests/*.h' 'tests/*.cc' 'fuzz/*.cc' | xargs clang-format -i

clean:
	@rm -rf build
