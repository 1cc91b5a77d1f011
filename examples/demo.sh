#!/bin/sh
# `make demo`: from nothing to figures with recordings whose truth is known, in about a minute.
# Everything is written to build/demo; MOE_BIN is where the programs are (else they are looked for in PATH).
set -eu
[ -z "${MOE_BIN:-}" ] || PATH=$MOE_BIN:$PATH
folder=${DEMO_FOLDER:-build/demo}
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

run() { # shows a command and runs it
    printf '\n$ %s\n' "$*"
    "$@"
}

echo "Ten people, two sessions of a minute each. While the class is \"task\", a rhythm of 20 Hz runs in region 2 of the scalp;"
echo "everything else is background. The programs are not told which region it is."
run moe-synth --subjects 10 --sessions 2 --channels 16 --where 2 --snr 1 --seed 1 --truth truth.json -o eeg

echo
echo "Windows of 128 samples (one second) from eight people; two are left out entirely."
run moe-split --window 128 --experts 4 --halo 1 -o train.st eeg/S0[0-7]_*.csv
run moe-split --window 128 --experts 4 --halo 1 -o held-out.st eeg/S0[89]_*.csv

echo
echo "Training; two of the eight people decide which epoch was best."
run moe-train -q --valid-groups S06,S07 --set train.epochs="${EPOCHS:-20}" --log log.jsonl --seed 1 -o model.st train.st
tail -n 1 log.jsonl

printf '\n$ moe-route -m model.st held-out.st | moe-stats >stats.json\n'
moe-route -m model.st held-out.st | moe-stats >stats.json
printf '\n$ moe-predict -m model.st held-out.st >answers.jsonl\n'
moe-predict -m model.st held-out.st >answers.jsonl
head -n 2 answers.jsonl

printf '\nWhat came out\n\n'
# shellcheck disable=SC2016  # the dollars are jq's
jq -r --slurpfile truth truth.json '
    def two: . * 100 | round / 100;
    ($truth[0].effects[0].region) as $where |
    .gate.importance as $mean | ($mean | index(max)) as $found |
    "  The gate gave the four regions these mean weights:  \($mean | map(two) | join("  "))",
    "  The class was put into region \($where) (\($truth[0].effects[0].channels | join(" "))).",
    if $found == $where then "  The largest weight is that of region \($found): the gate found it."
    else "  The largest weight is that of region \($found): the gate did not find it by its mean weight." end' stats.json
# shellcheck disable=SC2016
jq -rn '
    def two: . * 100 | round / 100;
    [inputs | select(.label != null)] | length as $n | (map(select(.label == .class)) | length) as $right |
    (group_by(.label) | map(length) | max) as $most |
    "  Of \($n) windows of the two people it has never seen, it names the class of \($right):",
    "  accuracy \($right / $n | two), where always saying the commoner class would reach \($most / $n | two)."' answers.jsonl
