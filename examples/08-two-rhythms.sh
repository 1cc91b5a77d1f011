#!/bin/sh
# Do experts come to know a rhythm? Two classes that differ in two rhythms at different places, a mixture that gives each token to one
# of four experts, and the mutual information of expert and rhythm on held-out subjects, against 100 permutations.
# The same without the rhythms shows what chance does.
#
# usage: [SEEDS='1 2 3'] 08-two-rhythms.sh
set -eu
# shellcheck source=examples/common.sh
. "$(dirname "$0")/common.sh"
: "${SEEDS:=1 2 3 4 5 6 7 8 9 10}" "${EPOCHS:=10}"

experiment() { # experiment SNR: a line for each seed
    for seed in $SEEDS; do
        moe-synth --subjects 8 --seconds 60 --effect rest:10@O1+O2 --effect task:22@C3+C4 --snr "$1" --seed "$seed" --force -o "$work/eeg"
        divide "$work/eeg"
        cut_windows --window 1s --regions 1 --halo 0
        train --seed "$seed" --set bridge.tokens=0 --set 'moe.layers=[1]' --set moe.num_experts=4 --set moe.top_k=1
        moe-route -m "$work/model.st" "$work/new.st" | moe-stats --permutations 100 --seed "$seed" |
            jq -r --arg seed "$seed" --arg accuracy "$(accuracy)" 'def hundredths: map(. * 100 | round) | join(" "); .layers[0] |
            "\($seed): information \(.information * 1000 | round / 1000) of \(2 | log * 1000 | round / 1000) nats, above \(101 - .information_p * 101 | round) of 100 permutations; accuracy \($accuracy); experts in percent: rest \(.by_class.rest.share | hundredths), task \(.by_class.task.share | hundredths)"'
    done | tee "$work/lines"
    echo "   above every one: $(grep -c 'above 100 of' "$work/lines") of $(wc -l <"$work/lines") seeds"
}
echo "Rhythms of 10 Hz at O1 and O2 and of 22 Hz at C3 and C4, half as strong as everything else. By seed:"
experiment 0.5
echo "No rhythms:"
experiment 0
