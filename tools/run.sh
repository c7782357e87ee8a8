#!/usr/bin/env bash
# make run: a model's answer on the screen. run.sh FATHOM MODEL PROMPT; an empty MODEL means the default one.
set -euo pipefail
fathom=$1 prompt=$3
model=$(tools/default_model.sh "$fathom" "$2")
echo "> $prompt"
"$fathom" generate "$model" --chat "$prompt" --max-tokens 64
