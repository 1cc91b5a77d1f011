#!/usr/bin/env bats
# The temperature of a model's answers: fitted to the validation windows, kept, applied by moe-predict.
# shellcheck disable=SC2086,SC2154 # options kept in a variable are split on purpose; variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
}

temperature() {
    ask "$1" 't["calibration.temperature"][2][0] if "calibration.temperature" in t else None'
}

@test "the temperature is that of the least log loss on the validation windows, and divides the logits" {
    for combine in features answers; do
        train x --set train.epochs=20 --set train.lr=0.02 --set gate.combine=$combine --set train.calibrate=temperature --valid-groups S02,S03 w.st
        moe-predict -m x w.st >said
        python3 - "$(temperature x)" <<'END'
import json, math, sys
T = float(sys.argv[1])
assert 0.05 < T < 20 and abs(T - 1) > 0.02, T
answers = [json.loads(line) for line in open("said")]
def softmax(z, T):
    e = [math.exp((x - max(z)) / T) for x in z]
    return [x / sum(e) for x in e]
for a in answers:
    for p, q in zip(a["p"], softmax(a["logits"], T)):
        assert abs(p - q) < 1e-6, (p, q)
held = [a for a in answers if a["group"] in ("S02", "S03")]
def loss(T):
    return -sum(math.log(softmax(a["logits"], T)[("rest", "task").index(a["label"])]) for a in held) / len(held)
assert loss(T) < loss(1)
for other in 0.99, 0.999, 1.001, 1.01:
    assert loss(T) < loss(T * other), (T, other)
END
    done
}

@test "it changes p alone: not logits, gate, class, nor routing" {
    train x --set train.epochs=3 --set moe.layers=all --set train.calibrate=temperature --valid-groups S03 w.st
    train y --set train.epochs=3 --set moe.layers=all --valid-groups S03 w.st
    [ "$(temperature y)" = None ]
    [ "$(temperature x)" != None ]
    for m in x y; do
        moe-predict -m $m w.st | jq -c 'del(.p)' >$m.rest
        moe-predict -m $m w.st | jq -c .p >$m.p
        moe-route -m $m --no-history w.st -o $m.routing
    done
    cmp x.rest y.rest
    run ! cmp -s x.p y.p
    [ "$(tensors x.routing)" = "$(tensors y.routing)" ]
    moe-stats x | jq -e '.tensors["calibration.temperature"] == {"type":"F32","shape":[1]}'
    [ "$(moe-stats x | jq -c .parameters)" = "$(moe-stats y | jq -c .parameters)" ]
}

@test "it is the same for any number of threads and after a stop" {
    options="--set train.calibrate=temperature --set train.epochs=4 --valid-groups S01"
    train a $options --threads 1 w.st
    train b $options --threads 3 w.st
    cmp a b
    train c ${options/epochs=4/epochs=2} --state s w.st
    moe-train --resume --state s --no-history --set train.epochs=4 --valid-groups S01 -o c w.st
    cmp a c
}

@test "without validation there is none, and to ask for it is an error" {
    [ "$(temperature m.st)" = None ]
    no_train 78 "train.calibrate=temperature has no effect without validation windows" --set train.calibrate=temperature w.st
    no_train 78 "train.calibrate" --set train.calibrate=platt w.st
}

@test "a model that is continued keeps its temperature, fits it anew, or loses it" {
    train x --set train.epochs=20 --set train.lr=0.02 --set train.calibrate=temperature --valid-groups S02,S03 w.st
    moe-train --init x --set train.epochs=1 --no-history -o kept w.st
    [ "$(temperature kept)" = "$(temperature x)" ]
    moe-train --init x --set train.epochs=1 --set train.lr=0.1 --no-history --valid-groups S02,S03 -o anew w.st
    [ "$(temperature anew)" != "$(temperature x)" ]
    moe-train --init x --set train.epochs=1 --set train.calibrate=none --no-history -o lost w.st
    [ "$(temperature lost)" = None ]
}

@test "several models answer with the mean of their calibrated probabilities" {
    train x --set train.epochs=2 --set train.calibrate=temperature --valid-groups S03 w.st
    moe-predict -m m.st -m x w.st | jq -c '.p[0]' >both
    paste <(moe-predict -m m.st w.st | jq '.p[0]') <(moe-predict -m x w.st | jq '.p[0]') both |
        awk '{ d = ($1 + $2) / 2 - $3; if (d < -1e-8 || d > 1e-8) bad = 1 } END { exit bad || NR != 64 }'
}

@test "a temperature that is none is refused, and any other is taken" {
    for value in 0.0 -1.0 math.nan math.inf; do
        edit m.st bad.st "import array; t[\"calibration.temperature\"] = (\"F32\", [1], array.array(\"f\", [$value]))"
        refused 65 "bad.st: tensor calibration.temperature: " moe-predict -m bad.st w.st -o never.st
    done
    edit m.st bad.st 'import array; t["calibration.temperature"] = ("F32", [2], array.array("f", [1, 1]))'
    refused 65 "bad.st: tensor calibration.temperature" moe-predict -m bad.st w.st -o never.st
    edit m.st two.st 'import array; t["calibration.temperature"] = ("F32", [1], array.array("f", [2]))'
    moe-predict -m two.st w.st | jq -es 'all((.p[0] / .p[1] | log) * 2 - (.logits[0] - .logits[1]) | fabs < 1e-6)'
}
