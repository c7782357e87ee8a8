#!/usr/bin/env bash
# The last part of make test: the suite under the address and undefined sanitizers, what has threads under the thread
# sanitizer, and the fuzzers for a minute each, in pairs. test_sanitizers.sh CASES
# FATHOM_SOAK_SECONDS (120) sets how long the engine's soak runs under the thread sanitizer.
set -euo pipefail
cases=$1
jobs=$(nproc)
say() { printf '\n== %s\n' "$*"; }

tools/packages.sh clang-16 libclang-rt-16-dev

say "address and undefined sanitizers"
cmake --preset asan -DFATHOM_CASES="$cases" >/dev/null
cmake --build --preset asan -- --quiet
# How long opening takes says nothing here.
ctest --preset asan -j "$jobs" -E OpenTime

say "fuzzers, 60 seconds each, in pairs"
tools/fuzz.sh build/asan 60

say "thread sanitizer"
cmake --preset tsan -DFATHOM_CASES="$cases" >/dev/null
# What has threads (the label `threads` in cmake/tests.cmake).
targets=()
for folder in base net io infer server; do
  compgen -G "tests/$folder/*_test.cc" >/dev/null && targets+=("${folder}_tests")
done
cmake --build --preset tsan --target "${targets[@]}" -- --quiet
# The soak keeps every core busy by itself.
# The pilot computes for minutes and takes the same paths as the small models.
ctest --preset tsan -j "$jobs" -L threads -E 'Soak|CasesPilot'
ctest --preset tsan -L threads -R Soak --verbose | grep -E 'answers,|WARNING|FAILED|tests passed|tests failed'
