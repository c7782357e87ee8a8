#!/usr/bin/env bash
# make test-large: what takes minutes or gigabytes (16 GB model, soak), official clients, the page in a browser and ten
# minutes of made-up requests. test_large.sh CASES
set -euo pipefail
cmake --preset release -DFATHOM_CASES="$1" -DFATHOM_LARGE_TESTS=ON >/dev/null
cmake --build --preset release -- --quiet
status=0
ctest --preset release -L large --verbose || status=$?
cmake --preset release -DFATHOM_LARGE_TESTS=OFF >/dev/null
tools/test_server.sh build/release/fathom "$1" 600 || status=$?
exit $status
