#!/bin/sh
# What carries the accuracy? The same folds and seeds once more, each time without one thing: training steps, the gate's view of the
# window, a router that reads, the mixture, regions, the meaning of the labels. Where the interval of the difference is not above 0, the
# part that the control does without is not shown to add anything.
#
# usage: [SEEDS=1..3] [FOLDS=9] [CONTROLS=frozen,linear] [OPTIONS='--set moe.layers=all'] 15-controls.sh [FOLDER [OPTION of moe-split]...]
# FOLDER: windows (*.st) that are taken as they are, or recordings (*.csv) that are cut as by 10-mental-arithmetic.sh. Subjects are dealt
# out to the folds in turn; FOLDS=loso holds out each by itself. OPTIONS are for moe-cv (with windows that overlap: --test-stride).
# Without FOLDER recordings are made up.
set -eu
# shellcheck source=examples/common.sh
. "$(dirname "$0")/common.sh"
: "${SEEDS:=1..3}" "${FOLDS:=6}" "${CONTROLS:=all}" "${OPTIONS=--set moe.layers=all}"
take_windows "$@"
OPTIONS="$apart $OPTIONS"
set -- "$windows"/*.st
[ "$FOLDS" = loso ] || OPTIONS="--interleave $OPTIONS"
# shellcheck disable=SC2086 # several options
moe-cv -q --folds "$FOLDS" --seeds "$SEEDS" ${EPOCHS:+--set train.epochs="$EPOCHS"} --controls="$CONTROLS" $OPTIONS \
    --summary "$work/summary" -o "$work/lines" "$@"
jq -r 'def four: . * 10000 | round / 10000;
    ["control", "accuracy", "balanced", "log loss", "model less control", "95 %, from", "to", "better", "worse"],
    (.controls[] | [.name // "(the model)", (.accuracy, .balanced_accuracy, .log_loss | four)] +
        (if .name then .difference.accuracy | [.mean, .interval[0], .interval[1] | four] + [.above, .below] else [] end)) | @tsv' \
    "$work/summary"
jq -r '.controls_left_out[] | "left out: \(.name): \(.why)"' "$work/summary"
