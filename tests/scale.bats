#!/usr/bin/env bats
# train.scale: what samples are scaled by, in training and in all that looks at a model later. zscore is in moe-train.bats.
# shellcheck disable=SC2154 # variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
    train window.st --set train.scale=window --set train.epochs=2 --set encoder.tokens=sample w.st
}

# near TOLERANCE A B: files of equally many numbers a line are the same within it
near() {
    python3 - "$@" <<'END'
import re, sys
a, b = ([[float(x) for x in re.findall(r"[-+.\deE]+", line)] for line in open(f)] for f in sys.argv[2:])
assert len(a) == len(b) > 0
for x, y in zip(a, b):
    assert len(x) == len(y) > 0 and all(abs(i - j) <= float(sys.argv[1]) for i, j in zip(x, y)), (x, y)
END
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
        no_train 78 "train.scale: the model that is continued was trained on windows scaled by themselves" --init window.st --set train.scale=$scale w.st
    done
    no_train 78 "train.scale: the model that is continued has a scaler" --init m.st --set train.scale=window w.st
    edit m.st both.st 'k = json.loads(m["moe.config"]); k["train"]["scale"] = "window"; m["moe.config"] = json.dumps(k)'
    refused 65 "both.st: tensor scale.mean: with train.scale=window a model has no scaler" moe-predict -m both.st w.st -o never.st
}
