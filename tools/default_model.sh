#!/usr/bin/env bash
# Prints the model directory to use: default_model.sh FATHOM MODEL. An empty MODEL means models/nano, else a small random
# model made on the spot.
set -euo pipefail
fathom=$1 model=$2

if [ -z "$model" ] && [ -f models/nano/config.json ]; then model=models/nano; fi
if [ -z "$model" ]; then
  model=build/random-model
  if [ ! -f "$model/config.json" ]; then
    rm -rf "$model"
    "$fathom" init --config tools/random_model.json --seed 1 --dtype fp8 --out "$model" >/dev/null
  fi
  echo "No MODEL=DIR given: this is a small model with random weights ($model), so its answers are noise." >&2
fi
echo "$model"
