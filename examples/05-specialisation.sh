#!/bin/sh
# A neural mixture with its extras, turned on one after the other: noisy gating, specialisation embeddings, capacity that follows the
# load; with warm-up and clipping. Then who uses which expert, and what each expert is worth.
#
# usage: 05-specialisation.sh [FOLDER [moe-split option...]]
#
# FOLDER holds recordings of your own (see 01-own-recordings.sh); without it they are made with bursts of a rhythm at the front and at
# the back of the head, together while the class is "rest" and by turns while it is "task".
set -eu
# shellcheck source=examples/common.sh
. "$(dirname "$0")/common.sh"
: "${EPOCHS:=12}"
if [ $# -gt 0 ]; then
    divide "$1"
    shift
else
    moe-synth --subjects 8 --seconds 160 --relation Fp1+Fp2,O1+O2 --snr 0.05 --seed 1 -o "$work/eeg"
    divide "$work/eeg"
    set -- --window 2s
fi
cut_windows --regions 1 --halo 0 "$@"

echo "Eight experts, two a token, in both layers. Entropy 1 and deviation 0 are an even load; dropped is the share of places for"
echo "which an expert had no room."
variant() { # variant WHAT OPTION...
    what=$1
    shift
    train --set bridge.tokens=0 --set encoder.window=0.5 --set encoder.hop=0.25 --set 'encoder.bands=[8,12,18,22]' \
        --set train.lr=0.005 --set train.patience=0 --set moe.layers=all --set moe.num_experts=8 --set moe.top_k=2 --set train.warmup_steps=20 --set train.clip_norm=1 "$@"
    usage >"$work/usage"
    printf '   %-24s accuracy %s; by layer: %s\n' "$what" "$(accuracy)" "$(jq -r 'def two: . * 100 | round / 100;
        [.layers[] | "entropy \(.entropy_normalised | two), deviation \(.cv | two), dropped \(.overflow | two)"] | join("; ")' "$work/usage")"
}
variant "top-k"
set -- --set moe.router=noisy_topk
variant "+ noisy gate" "$@"
set -- "$@" --set moe.specialisation=true
variant "+ specialisation" "$@"
set -- "$@" --set moe.capacity=dynamic --set moe.capacity_min=1 --set moe.capacity_max=6 --set moe.drop_policy=probability
variant "+ capacity by the load" "$@"

echo "Use of the eight experts of the last layer in percent, in total and by class:"
jq -r 'def hundredths: map(. * 100 | round) | join(" "); .layers[-1] |
    "   share        \(.share | hundredths)", "   importance   \(.importance | hundredths)",
    (.by_class | to_entries[] | "   share, \(.key): \(.value.share | hundredths)")' "$work/usage"
echo "Accuracy with all experts, with the first choice of each token, and with a single expert in each layer, the other tokens getting"
echo "nothing from it:"
echo "   all $(accuracy); first choice $(accuracy_with --force-k 1); expert 0 to 7$(for e in 0 1 2 3 4 5 6 7; do printf ' %s' "$(accuracy_with --only $e)"; done)"
