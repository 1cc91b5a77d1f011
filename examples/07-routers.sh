#!/bin/sh
# Four routers side by side, expert dropout and shared experts, and the tools that look into a mixture: utilisation, entropy, which
# experts go together, whether they follow the class or the subject, and what is lost without them.
#
# usage: 07-routers.sh [FOLDER [moe-split option...]]
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
    moe-synth --subjects 8 --seconds 120 --effect rest:10@O1+O2 --effect task:20@C3+C4 --snr 0.1 --seed 1 -o "$work/eeg"
    divide "$work/eeg"
    set -- --window 2s
fi
cut_windows --regions 1 --halo 0 "$@"

model() { # model OPTION...: both layers mixtures of eight experts
    train --set bridge.tokens=0 --set encoder.window=0.5 --set encoder.hop=0.25 --set 'encoder.bands=[4,8,10,12,14,16,18,20,22,26,30]' \
        --set moe.layers=all --set moe.num_experts=8 "$@"
}

echo "1. Routers: parameters; accuracy on held-out subjects; of the last layer the smallest and largest share of an expert over the mean one,"
echo "   the share of tokens that no expert took, and the entropy of the probabilities (1 = no preference)."
for router in topk noisy_topk soft expert_choice; do
    model --set moe.router=$router
    usage >"$work/usage"
    printf '   %-14s %s; %s; %s\n' $router "$(size)" "$(accuracy)" "$(jq -r 'def two: . * 100 | round / 100; .layers[-1] |
        "\((.share | min / (add / length)) | two) to \(.max_over_mean | two), \(.unrouted | two), \(.entropy_normalised | two)"' "$work/usage")"
done

echo "2. Top-k, plainly, with a tenth of the experts left out of each training step, and with one shared expert:"
model
echo "   plain: accuracy $(accuracy), with one expert a token $(accuracy_with --force-k 1)"
model --set moe.expert_dropout=0.1
echo "   dropout: accuracy $(accuracy), with one expert a token $(accuracy_with --force-k 1)"
model --set moe.expert_dropout=0.1 --set moe.shared_experts=1
echo "   dropout and shared: accuracy $(accuracy), with one expert a token $(accuracy_with --force-k 1)"

echo "3. Inside the last of these, layer by layer:"
moe-route -m "$work/model.st" "$work/new.st" | moe-stats | jq -r 'def hundredths: map(. * 100 | round) | join(" "); .layers[] |
    (.coselection as $c | [range(8) as $i | range($i) as $j | {pair: "\($j) and \($i)", n: $c[$i][$j]}] | max_by(.n)) as $most |
    "   layer \(.layer): shares in hundredths \(.share | hundredths); lead of the second over the third \(.margin * 100 | round / 100)",
    "      most often together: experts \($most.pair), \($most.n) of \(.tokens) tokens",
    "      information on the class \(.information * 1000 | round / 1000) nats (p \(.information_p // "unknown")), on the subject \(.group_information * 1000 | round / 1000) (p \(.group_information_p // "unknown")); experts that follow the subject only: \(if .flagged == [] then "none" else .flagged | join(" ") end)"'

echo "4. Accuracy lost without an expert, the three most needed (0: the others, and the shared one, do as well without it):"
moe-stats --ablate -m "$work/model.st" "$work/new.st" | jq -r 'def three: . * 1000 | round / 1000; .experts | sort_by(.change)[:3][] |
    "   layer \(.layer), expert \(.expert): \(0 - .change | three)" +
    if .interval[0] then ", between \(.interval | map(0 - . | three) | reverse | join(" and "))" else "" end'
