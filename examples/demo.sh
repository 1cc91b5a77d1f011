#!/bin/sh
# `make demo`: from nothing to figures with recordings whose truth is known, in a few seconds.
# Everything is written to build/demo; MOE_BIN is where the programs are (else they are looked for in PATH).
set -eu
[ -z "${MOE_BIN:-}" ] || PATH=$MOE_BIN:$PATH
folder=${DEMO_FOLDER:-build/demo}
epochs=${EPOCHS:-20}
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"

run() { # shows a command line and runs it
    printf '\n$ %s\n' "$1"
    eval "$1"
}

echo "Ten subjects, two sessions of a minute each. While the class is \"task\", a 20 Hz rhythm is present in region 2 of the scalp,"
echo "with a fifth of the power of everything else there. The programs are not told which region it is."
run 'moe-synth --subjects 10 --sessions 2 --channels 16 --where 2 --snr 0.2 --seed 1 --truth truth.json -o eeg'

echo
echo "Windows of one second in four regions. Eight subjects are for training; the other two are held out."
run 'moe-split --window 1s --regions 4 --halo 1 -o train.st eeg/S0[0-7]_*.csv'
run 'moe-split --window 1s --regions 4 --halo 1 -o held-out.st eeg/S0[89]_*.csv'

echo
echo "Training. The windows of two of the eight subjects (validation) decide which epoch was best."
run "moe-train -q --valid-groups S06,S07 --set train.epochs=$epochs --log log.jsonl --seed 1 -o model.st train.st"
jq -rs 'map(select(.best)) | last | "best epoch \(.epoch): loss \(.valid_loss), accuracy \(.valid_accuracy) on S06 and S07"' log.jsonl

run 'moe-route -m model.st held-out.st | moe-stats >stats.json'
run 'moe-predict -m model.st held-out.st >answers.jsonl'
run 'head -n 2 answers.jsonl'

printf '\nWhat came out\n\n'
# shellcheck disable=SC2016  # the dollars are jq's
jq -r --slurpfile truth truth.json '
    def two: . * 100 | round / 100;
    ($truth[0].effects[0]) as $effect | .gate.importance as $mean | ($mean | index(max)) as $found |
    "  The class was put into region \($effect.region): channels \($effect.channels | join(" ")).",
    "  The gate gave the four regions these mean weights:  \($mean | map(two) | join("  ")).",
    if $found == $effect.region then "  The largest is that of region \($found): the gate found it."
    else "  The largest is that of region \($found): the gate did not find it." end,
    "  (Equal weights would be \(1 / ($mean | length) | two). Neighbouring regions see the rhythm too: through the halo and by volume conduction.)"' \
    stats.json
jq -rn '
    def three: . * 1000 | round / 1000;
    [inputs | select(.label != null)] | length as $n | (map(select(.label == .class)) | length) as $right |
    (group_by(.label) | map(length) | max) as $most |
    "  Of \($n) windows of the two held-out subjects, \($right) are classified correctly:",
    "  accuracy \($right / $n | three), where always naming the more frequent class would reach \($most / $n | three)."' answers.jsonl
