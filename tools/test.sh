#!/usr/bin/env bash
# make test-quick, and the first part of make test: builds and runs the suite. test.sh CASES; an empty CASES leaves the reference sets out and says so.
set -euo pipefail
cases=$1
jobs=$(nproc)
# Tests that measure time run alone, after the others.
timed='^CasesTokenizer\.|OpenTime|Speed'

cmake --preset release -DFATHOM_CASES="$cases" >/dev/null
cmake --build --preset release -- --quiet
ctest --preset release -j "$jobs" -E "$timed"
ctest --preset release -R "$timed"
[ -n "$cases" ] || echo "left out: the suites named Cases* (give CASES=DIR with golden/, pilot/, chat/, tokenizers/)"
