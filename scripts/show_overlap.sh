#!/usr/bin/env bash
# scripts/show_overlap.sh [RESULT.json]: what overlap is worth. Measures compute alone, emulates a link on which communication alone
# takes half as long, and runs configs/overlap.json on it: a ring on 2 ranks, with overlap on and off.
set -euo pipefail
cd "$(dirname "$0")/.."
result=${1:-results/overlap.json}
program=${CPBENCH_PROGRAM:-build/cpbench}
probe=$(mktemp --suffix=.json)
trap 'rm -f "$probe" "${probe%.json}.jsonl"' EXIT

scripts/launch.sh 2 "$program" run --config configs/overlap.json --overlap on --threads 1 --check off -n 3 -w 1 \
  --json "$probe" --overwrite >/dev/null
link=$(python3 - "$probe" <<'PYTHON'
import json, sys
point = json.load(open(sys.argv[1]))["points"][0]
print("%.4f" % (point["comm"]["bytes_sent_per_rank"] / (0.5 * point["timing"]["compute_only"]["median_s"]) / 1e9))
PYTHON
)
echo "# link emulated at $link GB/s"
scripts/launch.sh 2 "$program" run --config configs/overlap.json --threads 1 --emulate-link "$link" -n 5 -w 1 \
  --json "$result" --trace "${result%.json}.trace.json" --overwrite
