#!/bin/sh
# Do the gate and the ablation tell the truth? The classes differ in one region of four, by a rhythm so weak that no other region
# answers as well by what reaches it through halo and skull: which region is the one whose removal costs most accuracy on held-out subjects,
# and which has the largest mean weight?
#
# usage: [SEEDS='1 2 3'] [SUBJECTS=24] 14-truth.sh
set -eu
# shellcheck source=examples/common.sh
. "$(dirname "$0")/common.sh"
: "${SEEDS:=1 2 3 4 5 6 7 8 9 10}" "${SUBJECTS:=24}"

printf 'seed\ttrue region\tby ablation\tby the gate\taccuracy\n'
for seed in $SEEDS; do
    moe-synth --subjects "$SUBJECTS" --seconds 60 --where $((seed % 4)) --snr 0.02 --seed "$seed" --force -o "$work/eeg"
    divide "$work/eeg"
    cut_windows --window 2s --stride 1s
    moe-train -q --seed "$seed" ${EPOCHS:+--set train.epochs="$EPOCHS"} -o "$work/model.st" "$work/known.st"
    ablated=$(moe-stats --ablate --resamples 0 -m "$work/model.st" "$work/new.st" | jq -r '.regions | min_by(.change) | .name')
    weighed=$(usage | jq -r '.gate | .regions[.importance | index(max)]')
    printf '%s\t%s\t%s\t%s\t%s\n' "$seed" $((seed % 4)) "$ablated" "$weighed" "$(accuracy)"
done | tee "$work/table"
awk '{ n++; a += $3 == $2; g += $4 == $2 } END { printf "true by ablation in %d of %d, by the gate in %d\n", a, n, g }' "$work/table"
