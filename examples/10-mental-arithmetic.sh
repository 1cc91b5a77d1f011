#!/bin/sh
# Rest or mental arithmetic, on held-out subjects: six folds of subjects in order of name, windows that overlap to
# train, windows apart to test, once without any data of the test subjects and once adapted to each with their unlabelled windows.
#
# usage: [SEEDS=1..3] 10-mental-arithmetic.sh [FOLDER [OPTION of moe-split]...]
# FOLDER: the recordings of EEGMAT as CSV (PhysioNet, doi 10.13026/C2JQ1P; 125 Hz, labels 1 and 2, 0 for neither), for which the
# options are --rate 125 --drop A2-A1,ECG. Without it synthetic recordings are used.
set -eu
# shellcheck source=examples/common.sh
. "$(dirname "$0")/common.sh"
: "${SEEDS:=1..3}"
cut_arithmetic "$@"
for scale in zscore group; do
    cross_validate --folds 6 --seeds "$SEEDS" --set train.scale=$scale
    score $scale
done
