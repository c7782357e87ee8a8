#!/usr/bin/env bash
# A request's answer is the same alone, in company, in chunks of any size, with drafts and without, with its
# beginning remembered and not, on one thread and on two; in both modes and on every instruction set here.
# Asks the program itself: check_invariance.sh FATHOM MODEL [ISA...]; MODEL needs a tokenizer and a chat format.
set -euo pipefail
fathom=$1 model=$2
shift 2
isas=("$@")
if [ ${#isas[@]} = 0 ]; then
  # An instruction set that does not exist makes the program name those that do.
  read -ra isas < <("$fathom" generate "$model" --ids 5 --isa none 2>&1 | sed -n 's/.*this machine has //p' | tr -d ',')
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

words=(garden river forelock harbor kernel window bridge letter)
long='The following example shows how to use the command to list the files of a directory and their sizes. '
for ((i = 0; i < 200; ++i)); do
  word=${words[i % 8]} a=$((100 + i * 37 % 899)) b=$((100 + i * 91 % 899))
  case $((i / 2 % 4)) in
    0) ask="\"chat\": \"What is $a + $b?\", \"thinking\": true" ;;
    1) ask="\"chat\": \"Reverse the word \\\"$word\\\".\"" ;;
    2) ask="\"prompt\": \"The $word provides $a options to\"" ;;
    3) ask="\"messages\": [{\"role\": \"system\", \"content\": \"$long$long$long$long$long$long\"}, {\"role\": \"user\", \"content\": \"What does \\\"$word\\\" mean?\"}]" ;;
  esac
  if ((i % 2)); then
    how="\"temperature\": 0.8, \"top_p\": 0.95, \"seed\": $i, \"repetition_penalty\": 1.$((i % 3))"
  else
    how='"temperature": 0'
  fi
  echo "{$ask, $how, \"max_tokens\": 32, \"logprobs\": 2}"
done >"$work/requests"

# What must not change: everything but times, drafts and what was remembered.
answers() {
  "$fathom" generate "$model" --jsonl "$@" 2>"$work/errors" |
    sed -E 's/"usage":\{[^{}]*(\{[^{}]*\})?[^{}]*\}/"usage":0/; s/"timing":\{[^{}]*\}/"timing":0/'
}

status=0
expect() {
  if cmp -s "$work/alone" "$1"; then
    echo "equal: $2"
  else
    echo "DIFFERENT: $2, first in line $(cmp "$work/alone" "$1" 2>&1 | sed 's/.*line //')"
    status=1
  fi
}

for mode in faithful fast; do
  for isa in "${isas[@]}"; do
    common=(--mode "$mode" --isa "$isa")
    answers "${common[@]}" --concurrency 1 --threads 1 --mtp 0 <"$work/requests" >"$work/alone"
    [ "$(grep -c '"ids"' "$work/alone")" = 200 ] || { echo "not every request was answered: $(cat "$work/errors")"; exit 1; }
    for try in '--concurrency 1 --threads 2 --mtp 1' '--concurrency 16 --prefill-chunk 16 --threads 1 --mtp 1' \
      '--concurrency 16 --prefill-chunk 64 --threads 2 --mtp 0' '--concurrency 16 --prefill-chunk 512 --threads 2 --mtp 1'; do
      read -ra options <<<"$try"
      answers "${common[@]}" "${options[@]}" <"$work/requests" >"$work/other"
      expect "$work/other" "$mode $isa $try"
    done
    # Sent twice: the second time every beginning is remembered.
    cat "$work/requests" "$work/requests" | answers "${common[@]}" --concurrency 16 --threads 2 | tail -n 200 >"$work/other"
    expect "$work/other" "$mode $isa remembered"
  done
done
exit $status
