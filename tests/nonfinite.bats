#!/usr/bin/env bats
# No class is ever named by numbers that are not finite: one spike of 1e30 in a recording, or a model with huge parameters.
# shellcheck disable=SC2086,SC2154 # options are split; small is from train_helpers
bats_require_minimum_version 1.5.0

load train_helpers

setup_file() {
    make_data
    # shellcheck disable=SC2154
    for tokens in spectral conv; do
        moe-train $small --set encoder.tokens=$tokens --set train.epochs=1 --no-history -q -o $tokens.st w.st || return 1
    done
    moe-train $small --preset spectral --set train.scale=group --set train.epochs=1 --no-history -q -o adapts.st w.st
}

# spiked FROM TO SAMPLE: the recording with 1e30 in one cell
spiked() {
    awk -F, -v OFS=, -v n="$3" 'NR == n + 2 { $2 = "1e30" } { print }' "$1" >"$2"
}

where="the prediction for the window at sample 192 is not a finite number"

@test "prediction: the windows before it have their lines, then the window is named" {
    spiked eeg/S00_1.csv S09_1.csv 200
    for model in spectral conv; do
        run -65 --separate-stderr moe-predict -m $model.st S09_1.csv
        [[ "$stderr" == "moe-predict: S09_1.csv: $where"* ]]
        [ "${#lines[@]}" -eq 6 ]
        [ "$output" = "$(moe-predict -m $model.st eeg/S00_1.csv | sed 's/S00/S09/g' | head -n 6)" ]
        refused 65 "S09_1.csv: $where" moe-predict -m $model.st S09_1.csv -o never.st
        refused 65 "S09_1.csv: $where" moe-predict --per recording -m $model.st S09_1.csv
        refused 65 "S09_1.csv: $where" moe-predict --csv -m m.st -m $model.st S09_1.csv -o never.st
    done
}

@test "--on-nonfinite unanswered: a line without an answer, the others as without the spike" {
    spiked eeg/S00_1.csv S09_1.csv 200
    run -0 --separate-stderr moe-predict --on-nonfinite unanswered -m spectral.st S09_1.csv
    [ "$stderr" = "moe-predict: 1 of 16 windows have no prediction, because it is not a finite number" ]
    printf '%s\n' "$output" >got
    [ "$(jq -c 'select(.class == null) | [.start, .p, .logits, .gate]' got)" = "[192,null,null,null]" ]
    diff <(jq -c 'select(.class)' got) <(moe-predict -m spectral.st eeg/S00_1.csv | sed 's/S00/S09/g' | jq -c 'select(.start != 192)')
    moe-predict -q --on-nonfinite unanswered --csv -m spectral.st S09_1.csv >got.csv
    [ "$(sed -n 8p got.csv)" = "S09_1.csv,S09,192,3,rest,,,,,,," ] || [ "$(sed -n 8p got.csv)" = "S09_1.csv,S09,192,3,task,,,,,,," ]
    # the recording is what its other windows say
    moe-predict -q --on-nonfinite unanswered --per recording -m spectral.st S09_1.csv >voted
    [ "$(jq .windows voted)" -eq 16 ]
    jq -e --slurpfile w got '.p[0] - ([$w[] | select(.p) | .p[0]] | add / length) | fabs < 1e-8' voted
    run -65 moe-score got
    [[ "$output" == *"got:7: the window has no prediction (p is null)"* ]]
    jq -c 'select(.p)' got | moe-score >/dev/null
}

@test "what adapts to a group leaves such a window out of the group's mean" {
    spiked eeg/S00_1.csv S09_1.csv 200
    moe-split --window 32 --experts 2 --halo 1 S09_1.csv -o spiked.st
    edit spiked.st without.st '
at = t["window.sample"][2].index(192)
for k in list(t):
    if k.startswith("window."):
        t[k][2].pop(at)
        t[k][1][0] -= 1'
    moe-predict -q --on-nonfinite unanswered -m adapts.st spiked.st | jq -c 'select(.class)' >got
    moe-predict -m adapts.st without.st | diff got -
}

@test "a model with huge parameters names no class" {
    edit m.st huge.st '
for k in t:
    if k.endswith("weight"):
        t[k] = (t[k][0], t[k][1], type(t[k][2])("f", [x * 1e36 for x in t[k][2]]))'
    for how in "" "--csv" "--per recording"; do refused 65 "at sample 0 is not a finite number" moe-predict $how -m huge.st w.st -o never.st; done
    refused 65 "at sample 0 is not a finite number" moe-route -m huge.st w.st -o never.st
    refused 65 "at sample 0 is not a finite number" moe-stats --ablate -m huge.st w.st
    moe-predict -q --on-nonfinite unanswered --per recording -m huge.st w.st >got
    [ "$(jq -c '[.windows, .class, .p, .gate]' got | sort -u)" = "[16,null,null,null]" ]
}

@test "training, validation, folds, routing, ablation: the window is named" {
    spiked eeg/S00_1.csv S09_1.csv 200
    moe-split --window 32 --experts 2 --halo 1 S09_1.csv eeg/S0[0-3]_1.csv -o spiked.st
    for tokens in spectral conv; do
        no_train 65 "S09_1.csv: $where" $small --set encoder.tokens=$tokens --set train.scale=none spiked.st
        no_train 65 "S09_1.csv: $where" $small --set encoder.tokens=$tokens --valid-groups S09 spiked.st
        refused 65 "S09_1.csv: $where" moe-route -m $tokens.st spiked.st -o never.st
        refused 65 "S09_1.csv: $where" moe-stats --ablate -m $tokens.st spiked.st
        run -65 moe-cv -q $small --set encoder.tokens=$tokens --set train.epochs=1 -o never.st spiked.st
        [[ "$output" == *"S09_1.csv: $where"* ]]
        [ ! -e never.st ]
    done
}
