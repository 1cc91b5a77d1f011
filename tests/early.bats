#!/usr/bin/env bats
# Windows that end early (moe-split --last keep) through every program.
# shellcheck disable=SC2086,SC2154

load train_helpers

setup_file() {
    make_data
    how="--window 48 --align grid --label-rule majority --experts 2 --halo 1"
    moe-split $how --last keep eeg/*.csv -o early.st
    moe-split $how eeg/*.csv -o whole.st
}

mixtures="--set moe.layers=all --set encoder.tokens=sample --set train.epochs=2"

@test "they are trained on and answered for, the same with any number of threads, and the others as without them" {
    [ "$(ask early.st '(len(t["window.valid"][2]), sum(v < 48 for v in t["window.valid"][2]), min(t["window.valid"][2]))')" = "(44, 4, 32)" ]
    for threads in 1 2 3; do
        train $threads.out $mixtures --threads $threads early.st
        train again.out $mixtures --set train.recompute=layer --threads $threads early.st
        [ "$(tensors again.out)" = "$(tensors $threads.out)" ]
    done
    cmp 1.out 2.out
    cmp 1.out 3.out
    moe-predict -m 1.out early.st >lines
    [ "$(wc -l <lines)" -eq 44 ]
    cmp <(moe-predict -m 1.out whole.st) <(python3 -B -c '
import json, sys
sys.path.insert(0, sys.argv[1])
import container as c
t, m = c.load("early.st")
for line, valid in zip(open("lines"), t["window.valid"][2]):
    if valid == 48: sys.stdout.write(line)' "$reference")
    # noise in the rows after their end changes nothing
    edit early.st cut.st 'keep = [i for i, v in enumerate(t["window.valid"][2]) if v < 48]
for n in list(t):
    if n.startswith("window."): t[n] = c.tensor(t[n][0], [len(keep)], [t[n][2][i] for i in keep])'
    moe-predict -m 1.out cut.st >short
    edit cut.st noise.st 'rows = {s + i for s, v in zip(t["window.start"][2], t["window.valid"][2]) for i in range(v)}
for k in range(2):
    kind, shape, x = t["expert.%d" % k]
    for row in range(shape[0]):
        for j in range(shape[1]):
            if row not in rows: x[row * shape[1] + j] = math.nan'
    cmp short <(moe-predict -m 1.out noise.st)
}

@test "tokens that are not there count nowhere in routing" {
    train m.out $mixtures --set bridge.tokens=0 early.st
    moe-route -m m.out early.st -o r.st
    [ "$(ask r.st 'sum(t["window.valid"][2])')" -eq "$(moe-stats r.st | jq .layers[0].tokens)" ]
    moe-stats r.st | jq -e '.layers | all(.overflow == 0 and .unrouted == 0)'
    [ "$(moe-route -m m.out --jsonl early.st | jq -s '[.[].layers[0].expert[] | select(.[0] >= 0)] | length')" -eq "$(moe-stats r.st | jq .layers[0].tokens)" ]
}

@test "they are joined with others, resumed with, and refused where they do not fit" {
    cat early.st whole.st | train both.out $mixtures -
    [ "$(moe-predict -m both.out early.st whole.st | wc -l)" -eq 84 ]
    steady="$mixtures --set train.schedule=constant"
    train whole.out $steady --set train.epochs=4 early.st
    train half.out $steady --state s early.st
    moe-train --resume --state s --set train.epochs=4 --no-history -q -o half.out early.st
    [ "$(tensors whole.out)" = "$(tensors half.out)" ]
    no_train 78 "moe.scope=batch needs whole windows" $mixtures --set moe.router=expert_choice --set moe.scope=batch early.st
    no_train 65 "ends after 32 samples, which is less than one token needs" --set encoder.tokens=patch --set encoder.patch=40 early.st
    for bad in 0 49 -1; do
        edit early.st bad.st "t['window.valid'][2][3] = $bad"
        no_train 65 "window.valid: window 3: $bad of 48 samples" bad.st
    done
    edit early.st bad.st 't["window.valid"] = c.tensor("I32", [2], [48, 48])'
    no_train 65 "window.valid" bad.st
}
