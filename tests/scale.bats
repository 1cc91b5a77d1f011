#!/usr/bin/env bats
# train.scale: what samples are scaled by, in training and in all that looks at a model later. zscore is in moe-train.bats.
# shellcheck disable=SC2086,SC2154 # options are split; variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
    train window.st --set train.scale=window --set train.epochs=2 --set encoder.tokens=sample w.st
}

# louder IN OUT: every channel of a CSV with a gain and an offset of its own
louder() {
    python3 -c '
import csv, sys
rows = list(csv.reader(open(sys.argv[1])))
out = csv.writer(sys.stdout, lineterminator="\n")
out.writerow(rows[0])
for r in rows[1:]:
    out.writerow(r[:1] + [repr((2 + i) * float(x) + 100 * i) for i, x in enumerate(r[1:-1])] + r[-1:])' "$1" >"$2"
}

@test "window: nothing is stored, and a gain or an offset of a channel does not matter" {
    [ "$(ask window.st 'any(n.startswith("scale.") for n in t), json.loads(m["moe.config"])["train"]["scale"]')" = "(False, 'window')" ]
    louder eeg/S01_1.csv loud.csv
    moe-predict -m window.st eeg/S01_1.csv | jq -c '.p + .gate' >plain
    moe-predict -m window.st loud.csv | jq -c '.p + .gate' >loud
    near 1e-5 plain loud
    train z.st --set train.epochs=2 --set encoder.tokens=sample w.st # to a scaler of training it does
    moe-predict -m z.st eeg/S01_1.csv | jq -c '.p + .gate' >plain
    moe-predict -m z.st loud.csv | jq -c '.p + .gate' >loud
    run ! near 1e-3 plain loud
}

@test "window: routing, several models and a live recording scale alike" {
    moe-predict -m window.st eeg/S01_1.csv >said
    moe-split --like window.st eeg/S01_1.csv -o s.st
    moe-predict -m window.st s.st | cmp - said
    # shellcheck disable=SC2002 # a pipe is meant
    cat eeg/S01_1.csv | moe-predict -m window.st | jq -c '[.start, .p]' >live
    jq -c '[.start, .p]' said | cmp - live
    moe-route -m window.st --jsonl s.st | jq -c .gate >gates
    jq -c .gate said >said.gates
    near 1e-7 gates said.gates
    moe-predict -m window.st -m window.st s.st | jq -c .p >p
    jq -c .p said | cmp - p
    moe-predict -m window.st w.st | jq -s 'map(select(.class == .label)) | length / 64' >right
    moe-stats --ablate -m window.st w.st | jq .accuracy | cmp - right
}

@test "a model that is continued keeps its scale" {
    moe-train --init window.st --set train.epochs=1 --no-history -o on w.st
    [ "$(ask on '"scale.mean" in t, json.loads(m["moe.config"])["train"]["scale"]')" = "(False, 'window')" ]
    for scale in zscore none; do
        no_train 78 "train.scale: the model that is continued was trained on windows standardised one by one" --init window.st --set train.scale=$scale w.st
    done
    no_train 78 "train.scale: the model that is continued was trained on standardised channels" --init m.st --set train.scale=window w.st
    edit m.st both.st 'k = json.loads(m["moe.config"]); k["train"]["scale"] = "window"; m["moe.config"] = json.dumps(k)'
    refused 65 "both.st: tensor scale.mean: with train.scale=window or ems a model has no scaler" moe-predict -m both.st w.st -o never.st
}

@test "ems: a recording, its windows and a pipe give the same answers; a gain or an offset does not matter" {
    train ems.st --set train.scale=ems --set train.ems_factor=0.01 --set train.ems_init=100 --set train.epochs=2 --set encoder.tokens=sample w.st
    [ "$(ask ems.st 'any(n.startswith("scale.") for n in t), json.loads(m["moe.config"])["train"]["scale"]')" = "(False, 'ems')" ]
    moe-predict -m ems.st eeg/S01_1.csv eeg/S02_1.csv >said
    moe-split --like ems.st eeg/S01_1.csv eeg/S02_1.csv -o s.st
    moe-predict -m ems.st s.st | cmp - said
    moe-predict -m ems.st --batch 3 --threads 3 s.st | cmp - said
    moe-predict -m ems.st w.st | jq -c 'select(.group == "S01" or .group == "S02")' | cmp - <(jq -c . said)
    # shellcheck disable=SC2002 # a pipe is meant: it is answered at its end
    cat eeg/S01_1.csv | moe-predict -m ems.st | jq -c '[.start, .p]' >piped
    jq -c 'select(.group == "S01") | [.start, .p]' said | cmp - piped
    moe-route -m ems.st --jsonl s.st | jq -c .gate >gates
    jq -c .gate said >said.gates
    near 1e-7 gates said.gates
    # shellcheck disable=SC2002
    cat eeg/S01_1.csv | moe-route -m ems.st --jsonl | jq -c .gate | cmp - <(head -16 gates)
    moe-predict -m m.st -m ems.st eeg/S01_1.csv | jq -c '.p[0]' >both
    paste <(moe-predict -m m.st eeg/S01_1.csv | jq '.p[0]') <(head -16 said | jq '.p[0]') | awk '{ printf "%.12g\n", ($1 + $2) / 2 }' >means
    near 1e-8 both means
    louder eeg/S01_1.csv loud.csv
    moe-predict -m ems.st loud.csv | jq -c '.p + .gate' >loud
    head -16 said | jq -c '.p + .gate' >plain
    near 1e-4 plain loud
    moe-predict -m m.st eeg/S01_1.csv | jq -c .p >z # and it is another model than that behind a scaler
    run ! near 1e-3 <(jq -c .p plain) z
}

@test "ems: windows whose recording is not there are refused with the remedy, a missing channel where it cannot be made up" {
    train ems.st --set train.scale=ems --set train.epochs=1 w.st
    # as a live stream has it after its first windows
    edit w.st late.st 's = t["window.sample"][2]
for i in range(len(s)): s[i] += 1000'
    refused 65 "late.st: recording S00_1.csv does not begin at its first sample, as train.scale=ems needs; give it as CSV" moe-predict -m ems.st late.st -o never.st
    no_train 65 "late.st: recording S00_1.csv does not begin at its first sample" --set train.scale=ems late.st
    first=$(ask w.st 'json.loads(m["moe.channels"])[0]')
    moe-split --window 32 --experts 1 --halo 0 --drop "$first" eeg/*.csv -o fewer.st
    refused 65 "fewer.st: channel $first is missing, and a model with train.scale=ems cannot interpolate it in windows" moe-predict -m ems.st --missing-channel interp fewer.st -o never.st
    [ "$(moe-predict -m ems.st --missing-channel zero fewer.st | wc -l)" -eq 64 ]
    moe-predict -m ems.st --missing-channel interp <(cut -d, -f1,3- eeg/S01_1.csv) | wc -l | grep -qx 16
}

@test "ems: stopped and resumed, continued, on any number of threads" {
    options="--set train.scale=ems --set train.ems_factor=0.02 --set train.ems_init=0 --set train.schedule=constant"
    train whole $options --set train.epochs=4 --threads 1 w.st
    train other $options --set train.epochs=4 --threads 3 w.st
    cmp whole other
    train part $options --set train.epochs=2 --state s w.st
    moe-train --resume --state s --set train.epochs=4 --no-history -o part w.st
    cmp whole part
    moe-train --init whole --set train.epochs=1 --no-history -o on w.st
    [ "$(ask on 'json.loads(m["moe.config"])["train"]["ems_factor"]')" = 0.02 ]
    no_train 78 "train.ems_factor=0.01: the model that is continued (--init) has 0.02, which stays" --init whole --set train.ems_factor=0.01 w.st
    no_train 78 "train.scale: the model that is continued was trained on samples standardised by running means" --init whole --set train.scale=none w.st
    no_train 78 "train.ems_factor has no effect: train.scale is not ems" --set train.ems_factor=0.01 w.st
}
