#!/bin/sh
# Which of three lights does a subject look at, or none? Each subject is held out in turn. The tokens are covariances at the very
# frequencies of the lights and their first harmonics: no taper, which would blur them, and a floor that keeps what has little power
# small.
#
# usage: [SEEDS=1..3] 11-ssvep.sh [FOLDER [OPTION of moe-split]...]
# FOLDER: recordings as CSV (Kalunga, Chevallier 2014; lights of 13, 17 and 21 Hz, labels 1 to 4, 0 for neither), for which the
# option is --rate 256. Without it synthetic recordings are used.
set -eu
# shellcheck source=examples/common.sh
. "$(dirname "$0")/common.sh"
: "${SEEDS:=1..3}"
if [ $# -eq 0 ]; then
    moe-synth --subjects 6 --channels O1,Oz,O2,POz,PO3,PO4,PO7,PO8 --rate 256 --seconds 80 --classes none,13,21,17 --effect 13:13@O1+Oz \
        --effect 21:21@Oz+O2 --effect 17:17@POz+Oz --snr 0.05 --seed 1 -o "$work/eeg"
    set -- "$work/eeg"
fi
cut_overlapping "$@"
for scale in zscore group; do
    cross_validate --folds loso --seeds "$SEEDS" --set 'encoder.bands=[[13,13],[17,17],[21,21],[26,26],[34,34],[42,42]]' \
        --set encoder.tapers=0 --set encoder.floor=1 --set train.scale=$scale
    score $scale
done
