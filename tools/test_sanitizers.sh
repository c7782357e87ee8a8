#!/usr/bin/env bash
# make test-sanitizers: the suite under the address and undefined sanitizers, what has threads under the thread sanitizer,
# and the fuzzers for a minute each. test_sanitizers.sh CASES
set -euo pipefail
cases=$1
jobs=$(nproc)
say() { printf '\n== %s\n' "$*"; }

tools/packages.sh clang-16 libclang-rt-16-dev

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
