#!/usr/bin/env bash
# make test: builds and runs the suite. test.sh CASES; an empty CASES leaves the reference sets out and says so.
# FULL=1 (what .ci/run sets) adds the sanitizers, the fuzzers and the emulated older processors.
set -euo pipefail
cases=$1
full=${FULL:-0}
jobs=$(nproc)

say() { printf '\n== %s\n' "$*"; }

if [ "$full" = 1 ]; then tools/packages.sh clang-16 libclang-rt-16-dev qemu-user; fi

say "release build and suite"
cmake --preset release -DFATHOM_CASES="$cases" >/dev/null
cmake --build --preset release -- --quiet
ctest --preset release -j "$jobs"
[ -n "$cases" ] || echo "left out: the suites named Cases* (give CASES=DIR with golden/, pilot/, chat/, tokenizers/)"
[ "$full" = 1 ] || exit 0

say "older processors (emulated)"
tools/test_cpus.sh build/release/fathom

say "address and undefined sanitizers"
cmake --preset asan -DFATHOM_CASES="$cases" >/dev/null
cmake --build --preset asan -- --quiet
ctest --preset asan -j "$jobs"

say "thread sanitizer"
cmake --preset tsan -DFATHOM_CASES="$cases" >/dev/null
# What has threads (the label `threads` in cmake/tests.cmake).
targets=()
for folder in base net io infer server; do
  compgen -G "tests/$folder/*_test.cc" >/dev/null && targets+=("${folder}_tests")
done
cmake --build --preset tsan --target "${targets[@]}" -- --quiet
ctest --preset tsan -j "$jobs" -L threads

say "fuzzers, 60 seconds each, in pairs"
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz -- --quiet
tools/fuzz.sh build/fuzz 60
