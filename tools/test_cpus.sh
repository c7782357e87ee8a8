#!/usr/bin/env bash
# The program on processors that are not here, under qemu-user: a Haswell runs it, an older one is refused in one line.
set -euo pipefail
fathom=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

set +e
line=$(qemu-x86_64 -cpu Nehalem "$fathom" --version 2>&1)
code=$?
set -e
[ $code -eq 2 ] && [ "$(printf '%s\n' "$line" | grep -c '^fathom:')" -eq 1 ] || { echo "Nehalem: exit $code: $line"; exit 1; }
echo "Nehalem: refused: $line"

qemu-x86_64 -cpu Haswell "$fathom" init --config tools/random_model.json --seed 1 --dtype fp8 --out "$work/model" >/dev/null
emulated=$(qemu-x86_64 -cpu Haswell "$fathom" generate "$work/model" --ids "3 4 5" --max-tokens 4 --temperature 0 --mode faithful --json)
native=$("$fathom" generate "$work/model" --ids "3 4 5" --max-tokens 4 --temperature 0 --mode faithful --isa avx2 --json)
ids() { grep -o '"ids":\[[^]]*\]' <<<"$1"; }
[ -n "$(ids "$emulated")" ] && [ "$(ids "$emulated")" = "$(ids "$native")" ] || { echo "Haswell: $emulated; here: $native"; exit 1; }
echo "Haswell: the same ids as here with --isa avx2: $(ids "$native")"
