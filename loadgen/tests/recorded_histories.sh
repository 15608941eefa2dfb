#!/usr/bin/env bash
# Holds check-history to histories that others recorded, with known verdicts: FOLDER/expected.tsv has a line for each,
# "file TAB true|false". Where there is no such folder, it says that this was left out.
#   loadgen/tests/recorded_histories.sh FOLDER LOADGEN
set -euo pipefail
folder=$1 loadgen=$2
if [[ ! -f $folder/expected.tsv ]]; then
  echo "LEFT OUT: there are no recorded histories in $folder."
  exit 0
fi
pictures=$(mktemp -d)
trap 'rm -rf "$pictures"' EXIT
checked=0 wrong=0
while IFS=$'\t' read -r file linearizable; do
  [[ $linearizable == linearizable || -z $file ]] && continue
  case $file in etcd/*) format=jepsen-register ;; *) format=kv ;; esac
  code=0
  "$loadgen" check-history --format "$format" --out "$pictures" "$folder/$file" >"$pictures/said" 2>&1 || code=$?
  case $linearizable in true) expected=0 ;; *) expected=1 ;; esac
  checked=$((checked + 1))
  if [[ $code != "$expected" ]]; then
    wrong=$((wrong + 1))
    echo "$file: exit code $code, expected $expected"
    cat "$pictures/said"
  fi
done <"$folder/expected.tsv"
echo "$checked recorded histories, $((checked - wrong)) with the expected verdict."
[[ $wrong == 0 && $checked -gt 0 ]]
