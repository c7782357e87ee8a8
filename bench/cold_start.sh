#!/usr/bin/env bash
# Decodes a model that is larger than the memory it may use, from a cold start, and tells which share of the disk's rate
# it reached. cold_start.sh MODEL LIMIT [FATHOM]   (LIMIT as "1500M"; needs root for the control group, v1 or v2)
set -euo pipefail
model=$1 limit=$2 fathom=${3:-build/release/fathom}

if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  group=/sys/fs/cgroup/fathom_cold_$$ file=memory.max
else
  group=/sys/fs/cgroup/memory/fathom_cold_$$ file=memory.limit_in_bytes
fi
mkdir "$group"
trap 'rmdir "$group"' EXIT
echo "$limit" > "$group/$file"

# What is left of the files in the page cache goes.
for f in "$model"/*.safetensors; do dd if="$f" iflag=nocache count=0 status=none; done

# An independent look at the disk: four readers past the page cache.
first=$(ls "$model"/*.safetensors | head -n 1)
begin=$(date +%s%N)
for i in 0 1 2 3; do
  dd if="$first" of=/dev/null bs=1M skip=$((i * 256)) count=256 iflag=direct status=none &
  pids="${pids:-} $!"
done
for pid in $pids; do wait "$pid"; done
echo "dd, 4 readers of 1 MiB pieces: $((1073741824 * 1000 / (($(date +%s%N) - begin) / 1000))) KB/s"

( echo $BASHPID > "$group/cgroup.procs"
  exec "$fathom" bench "$model" --prefill 0 --batch 1 --depth 1 --steps 32 --pairs 5 --threads 2 )
