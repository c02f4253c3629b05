#!/bin/sh
# Compiles models with and without recognition of attention, runs both, and compares: `attention.sh BINARIES FOLDER COUNT MODEL...`.
# COUNT is how many attentions every one of the models has. Inputs are random; those that an npz beside a model has are not used.
set -eu
binaries=$1 folder=$2 count=$3
shift 3
mkdir -p "$folder"
for model in "$@"; do
  found=$("$binaries/pygraph-opt" --stop-after=tensor --elide-constants "$model" | grep -c '"pyg.attention"' || true)
  [ "$found" = "$count" ] || { echo "$model: $found attentions, not $count" >&2; exit 1; }
  "$binaries/pygraph-compile" "$model" -o "$folder/one.pyg"
  "$binaries/pygraph-compile" --no-recognize "$model" -o "$folder/apart.pyg"
  "$binaries/pygraph-run" "$folder/apart.pyg" --init random:3 --outputs "$folder/apart.npz" > "$folder/apart.txt"
  "$binaries/pygraph-run" "$folder/one.pyg" --init random:3 --expect "$folder/apart.npz" || { echo "in $model" >&2; exit 1; }
done
