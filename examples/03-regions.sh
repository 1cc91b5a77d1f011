#!/bin/sh
# Experts by region of the scalp: the halo, the global token, the gate. What each of them is good for, in figures.
#
# usage: 03-regions.sh [FOLDER [moe-split option...]]
#
# FOLDER holds recordings of your own (see 01-own-recordings.sh) for parts 2 and 3; without it they are made with a rhythm in
# region 2 of four while the class is "task".
set -eu
# shellcheck source=examples/common.sh
. "$(dirname "$0")/common.sh"
: "${EPOCHS:=25}"

echo "1. The halo. A class that shows only in whether two neighbours, T8 and P7, are active together or by turns; the border of"
echo "   regions 1 and 2 runs between them. Nothing else tells a region here what lies beyond it: no global token, even weights."
moe-synth --subjects 8 --seconds 160 --relation T8,P7 --seed 2 -o "$work/border"
divide "$work/border"
for halo in 0 1; do
    cut_windows --window 2s --regions 4 --halo $halo
    train --set bridge.tokens=0 --set gate.temperature=1000 --set 'encoder.bands=[18,22]' --set train.lr=0.005 \
        --set train.batch_size=16 --set train.patience=0
    moe-stats "$work/known.st" | jq -r --arg halo $halo --arg accuracy "$(accuracy)" \
        '"   halo \($halo): accuracy \($accuracy) on held-out subjects; region 2 sees \(.regions[2] | (.core + .halo) | join(" "))"'
done

echo "2. The global token: parameters and accuracy on held-out subjects without it, averaged at the end, and also between layers."
if [ $# -gt 0 ]; then
    divide "$1"
    shift
else
    moe-synth --subjects 8 --seconds 60 --where 2 --snr 0.2 --seed 1 -o "$work/eeg"
    divide "$work/eeg"
    set -- --window 1s
fi
cut_windows "$@"
train --set bridge.tokens=0
echo "   none: $(size | sed 's/,.*//'), accuracy $(accuracy)"
for sync in layer end; do
    train --set bridge.sync=$sync
    echo "   one, sync $sync: $(size | sed 's/,.*//'), accuracy $(accuracy)"
done

echo "3. The gate. Its mean weight of each region, by class, and what becomes of the accuracy without a region:"
usage | jq -r '.gate | .regions as $r | "   regions: \($r | join(" "))", (.by_class | to_entries[] |
    "   \(.key): \(.value.importance | map(. * 100 | round / 100) | join(" "))")'
moe-stats --ablate -m "$work/model.st" "$work/new.st" | jq -r 'def three: . * 1000 | round / 1000;
    .regions[] | "   without region \(.name): \(.change | three)" + if .interval[0] then ", between \(.interval | map(three) | join(" and "))" else "" end'
train --set gate.top_k=1 --set gate.load_balance_weight=0.01
echo "   one region a window: accuracy $(accuracy), share of each $(usage | jq -c '.gate.share | map(. * 100 | round / 100)')"
