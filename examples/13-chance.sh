#!/bin/sh
# Negative control: the same evaluation with the classes of each subject permuted at random has to come out at chance, in the mean of
# many permutations: within two or three standard errors of it. What does better has leaked.
#
# usage: [PERMUTATIONS=20] 13-chance.sh [FOLDER [OPTION of moe-split]...]
# FOLDER and options as for 10-mental-arithmetic.sh.
set -eu
# shellcheck source=examples/common.sh
. "$(dirname "$0")/common.sh"
: "${PERMUTATIONS:=20}"
cut_arithmetic "$@"
cross_validate --folds 6 --permute-labels group --permutations "$PERMUTATIONS"
jq -r 'def three: . * 1000 | round / 1000; (.runs | length) as $n | .accuracy as $mean |
    "of \($n) permutations: mean accuracy \($mean | three), chance \(1 / (.classes | length) | three)" +
    if $n > 1 then ", standard error of the mean \([.runs[].accuracy - $mean | . * .] | add / ($n - 1) / $n | sqrt | three)" else "" end' \
    "$work/summary"
