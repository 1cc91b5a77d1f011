#!/bin/sh
# Negative control: the same evaluation with the classes of each person exchanged at random has to come out at chance. What does
# better has leaked.
#
# usage: [PERMUTATIONS=20] 13-chance.sh [FOLDER [OPTION of moe-split]...]
# FOLDER and options as for 10-mental-arithmetic.sh.
set -eu
# shellcheck source=examples/common.sh
. "$(dirname "$0")/common.sh"
: "${PERMUTATIONS:=20}"
cut_arithmetic "$@"
moe-cv -q --folds 6 --test-stride 300 --permute-labels group --permutations "$PERMUTATIONS" --summary "$work/summary" \
    -o "$work/lines" "$work/windows.st"
jq -r '"of \(.runs | length) permutations: mean accuracy \(.accuracy * 1000 | round / 1000)"' "$work/summary"
