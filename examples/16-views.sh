#!/bin/sh
# What do experts add that see different things? The default (covariances of the regions) beside the preset views (those, covariances
# relative to the whole head's, powers, and what is locked to a window's start) on held-out subjects, with and without training steps,
# plain and adapted; and what each view counted in the first fold.
#
# usage: [SEEDS=1] [FOLDS=9] [STEPS='trained frozen'] [OPTIONS='--set encoder.bands=[4,8,13]'] 16-views.sh [FOLDER [OPTION of moe-split]...]
# FOLDER: windows (*.st) that are taken as they are, or recordings (*.csv) that are cut as by 10-mental-arithmetic.sh. Subjects are dealt
# out to the folds in turn. OPTIONS are for moe-cv. Without FOLDER recordings are made up.
set -eu
# shellcheck source=examples/common.sh
. "$(dirname "$0")/common.sh"
: "${SEEDS:=1}" "${FOLDS:=6}" "${STEPS:=trained frozen}" "${OPTIONS:=}"
take_windows "$@"
OPTIONS="$apart $OPTIONS"
set -- "$windows"/*.st
for preset in default views; do
    for steps in $STEPS; do
        [ "$steps" = trained ] && rate="" || rate="--set train.lr=1e-12 --set train.epochs=1"
        for scale in zscore group; do
            # shellcheck disable=SC2086 # several options
            moe-cv -q --folds "$FOLDS" --interleave --seeds "$SEEDS" ${EPOCHS:+--set train.epochs="$EPOCHS"} --preset $preset \
                --set train.scale=$scale $rate $OPTIONS --keep "$work/kept" -o "$work/lines" "$@"
            score "$preset, $steps, $scale"
        done
    done
done
set -- "$work"/kept/*.safetensors
moe-stats "$1" | jq -r '.views[] | "\(.view) counts \(.weight * 100 | round) %"'
