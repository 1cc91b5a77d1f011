#!/bin/sh
# One encoder over all channels: a plain transformer, one with a mixture of experts in every layer, and one with mixtures in chosen
# layers; parameters in all and active for a token, accuracy, and the losses apart.
#
# usage: 04-transformer.sh [FOLDER [moe-split option...]]
#
# FOLDER holds recordings of your own (see 01-own-recordings.sh); without it they are made with a rhythm of 10 Hz at the back while
# the class is "rest" and one of 20 Hz at the sides while it is "task".
set -eu
# shellcheck source=examples/common.sh
. "$(dirname "$0")/common.sh"
: "${EPOCHS:=12}"
if [ $# -gt 0 ]; then
    divide "$1"
    shift
else
    moe-synth --subjects 8 --seconds 60 --rate 64 --effect rest:10@O1+O2 --effect task:20@C3+C4 --seed 1 -o "$work/eeg"
    divide "$work/eeg"
    set -- --window 1s
fi
cut_windows --regions 1 --halo 0 "$@"

echo "1. What the presets would be on these windows (parameters in all and active):"
for preset in transformer transformer-moe; do
    moe-train --print-config --preset $preset "$work/known.st" | awk -F'\t' -v name=$preset \
        '$1 == "parameters" { n[++i] = $2 } END { printf "   %-16s %s, %s\n", name, n[1], n[2] }'
done

echo "2. The same narrower and on patches of four samples, trained; layers are numbered from 0:"
narrow() { # narrow WHAT PRESET OPTION...
    what=$1 preset=$2
    shift 2
    train --preset "$preset" --set encoder.hidden_dim=32 --set encoder.layers=4 --set encoder.heads=4 --set encoder.ffn_dim=64 \
        --set encoder.tokens=patch --set encoder.patch=4 "$@"
    printf '   %-28s %s; accuracy %s; losses %s\n' "$what" "$(size)" "$(accuracy)" \
        "$(jq -sr 'last | "task \(.task * 1000 | round / 1000), balance \((.aux // 0) * 1000 | round / 1000)"' "$work/log.jsonl")"
}
narrow "plain" transformer
narrow "mixtures in all layers" transformer-moe
narrow "in layers 1 and 3" transformer-moe --set 'moe.layers=[1,3]'

echo "3. Positions, with mixtures in layers 1 and 3:"
for positional in learned none; do
    narrow $positional transformer-moe --set 'moe.layers=[1,3]' --set encoder.positional=$positional
done

echo "4. How evenly the four experts were used (1 = perfectly, in entropy; the largest share over the mean one):"
usage | jq -r '.layers[] | "   layer \(.layer): \(.entropy_normalised * 100 | round / 100), \(.max_over_mean * 100 | round / 100)"'
