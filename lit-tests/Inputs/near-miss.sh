#!/bin/sh
# Compiles a model with and without recognition of attention, runs both at every position that a caller may give, negative and
# overlong ones too, and compares: `near-miss.sh BINARIES NPZ MODEL`. Argument `pos` is the position; all others are random. Prints
# the remarks on caches.
set -eu
binaries=$1 npz=$2 model=$3
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
"$binaries/pygraph-compile" --remarks "$model" -o "$folder/one.pyg" 2>&1 | grep -E 'remark: (choice: (@kv|argument)|refusal: state)'
"$binaries/pygraph-compile" --no-recognize "$model" -o "$folder/apart.pyg"
for pos in -9 -8 -1 0 1 3 7 8 20 2147483647; do
  /usr/bin/python3 "$npz" "$folder/pos.npz" "pos=i4:${SHAPE-}:$pos"
  "$binaries/pygraph-run" "$folder/apart.pyg" --init random:5 --inputs "$folder/pos.npz" --outputs "$folder/apart.npz" > "$folder/txt"
  "$binaries/pygraph-run" "$folder/one.pyg" --init random:5 --inputs "$folder/pos.npz" --expect "$folder/apart.npz" > "$folder/txt" ||
    { cat "$folder/txt"; echo "at position $pos of $model"; exit 1; }
done
