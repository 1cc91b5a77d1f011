#!/bin/sh
# Both fists or both feet, of one subject: each run is held out in turn.
#
# usage: [SEEDS=1..3] 12-fists-or-feet.sh [FOLDER [OPTION of moe-split]...]
# FOLDER: runs 5, 6, 9, 10, 13 and 14 of EEG Motor Movement/Imagery as CSV (Schalk 2004, PhysioNet; labels 1 and 2, 0 for rest), for
# which the option is --rate 160. Without it synthetic recordings are used.
set -eu
# shellcheck source=examples/common.sh
. "$(dirname "$0")/common.sh"
: "${SEEDS:=1..3}"
if [ $# -eq 0 ]; then
    moe-synth --subjects 1 --sessions 6 --seconds 60 --where C3,C4 --snr 0.1 --seed 1 -o "$work/eeg"
    set -- "$work/eeg"
fi
cut_overlapping "$@"
cross_validate --folds loso --by recording --seeds "$SEEDS" --set 'encoder.bands=[4,8,13,20,30]'
score zscore
