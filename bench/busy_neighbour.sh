#!/usr/bin/env bash
# Decodes in turn alone and beside one process that never sleeps: median tokens/s of both and their ratio.
# busy_neighbour.sh MODEL [THREADS [FATHOM]]
set -euo pipefail
model=$1 threads=${2:-2} fathom=${3:-build/release/fathom}

decode() {
  "$fathom" bench "$model" --prefill 0 --batch 1 --depth 64 --steps 24 --pairs 1 --threads "$threads" --json |
    sed -n 's/.*"tokens_per_second":\([0-9.]*\).*/\1/p'
}
busy_decode() {
  ( while :; do :; done ) &
  local neighbour=$!
  decode
  kill "$neighbour"
  wait "$neighbour" 2>/dev/null || true
}
median() { sort -g | sed -n 3p; }

for _ in 1 2 3 4 5; do
  quiet+=("$(decode)")
  busy+=("$(busy_decode)")
done
q=$(printf '%s\n' "${quiet[@]}" | median) b=$(printf '%s\n' "${busy[@]}" | median)
echo "quiet: ${quiet[*]}"
echo "beside a busy process: ${busy[*]}"
awk -v q="$q" -v b="$b" 'BEGIN { printf "median %.2f and %.2f tokens/s: %.0f %%\n", q, b, 100 * b / q }'
