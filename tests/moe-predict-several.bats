#!/usr/bin/env bats
# moe-predict with several models: the mean of their probabilities; classes, channels and regions by name; what is refused.
# shellcheck disable=SC2154 # variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
    train b.st --preset seed --seed 2 --set train.epochs=2 --set encoder.tokens=patch w.st
    moe-train -q --set encoder.hidden_dim=8 --set encoder.tokens=patch --set gate.combine=answers --set train.epochs=2 --no-history -o c.st w.st
    train one.model.st --seed 3 --set train.epochs=2 one.st
}

no_answer() { # no_answer STATUS WORDS ARGUMENTS...
    local wanted=$1 words=$2
    shift 2
    refused "$wanted" "$words" moe-predict "$@" -o never.st
}

@test "several models answer with the mean of their probabilities and gates" {
    for m in m b c; do moe-predict -m $m.st w.st >$m.said; done
    moe-predict -m m.st -m b.st -m c.st w.st >said
    python3 - <<'END'
import json, math
read = lambda name: [json.loads(line) for line in open(name)]
several = read("said")
assert len(several) == 64
assert list(several[0]) == ["recording", "group", "start", "time", "label", "class", "p", "logits", "gate"]
differ = 0
for a, *each in zip(several, *(read(m + ".said") for m in "mbc")):
    for key in "p", "gate":
        for i, x in enumerate(a[key]):
            assert abs(x - sum(e[key][i] for e in each) / 3) < 1e-8, (key, x)
    for p, z in zip(a["p"], a["logits"]):
        assert abs(math.log(p) - z) < 1e-6, (p, z)
    assert a["class"] == ("rest", "task")[a["p"][1] > a["p"][0]]
    for key in "recording", "group", "start", "time", "label":
        assert a[key] == each[0][key], key
    differ += len({e["class"] for e in each}) > 1
assert differ
END
    for n in 1 7; do
        moe-predict -m m.st -m b.st -m c.st --batch $n --threads $n w.st | cmp - said
    done
    moe-predict -m m.st -m b.st -m c.st <w.st | cmp - said
    moe-predict -m m.st -m b.st --csv w.st | sed -n 1p >first
    [ "$(cat first)" = "recording,group,start,time,label,class,p_rest,p_task,logit_rest,logit_task,gate_0,gate_1" ]
    moe-predict -m m.st -m b.st -m c.st --per recording w.st >votes
    [ "$(jq -c keys_unsorted votes | sort -u)" = '["recording","group","windows","label","class","p","gate"]' ]
    jq -s 'group_by(.recording)[] | map(.p[0]) | add / length' said >means
    jq '.p[0]' votes >p
    near 1e-8 means p
}

@test "one model given twice is itself" {
    moe-predict -m m.st w.st | jq -c '[.p, .gate, .class]' >once
    moe-predict -m m.st -m m.st w.st | jq -c '[.p, .gate, .class]' | cmp - once
}

@test "classes and regions go by name, in the first model's order" {
    edit b.st turned.st 'm["moe.classes"] = "[\"task\",\"rest\"]"
m["moe.regions"] = json.dumps(json.loads(m["moe.regions"])[::-1])
def turn(name):
    kind, shape, x = t[name]
    t[name] = (kind, shape, x[len(x) // 2:] + x[:len(x) // 2])
for name in "classifier.weight", "classifier.bias", "gate.fc2.weight", "gate.fc2.bias":
    turn(name)
for name in list(t):
    if name.startswith("experts.0."):
        other = "experts.1." + name[10:]
        t[name], t[other] = t[other], t[name]'
    moe-predict -m b.st w.st | jq -c '[.p[0], .gate[0]]' >plain
    moe-predict -m turned.st w.st | jq -c '[.p[1], .gate[1]]' >turned
    near 1e-6 plain turned
    moe-predict -m m.st -m b.st w.st | jq -c '.p + .logits + .gate' >said
    moe-predict -m m.st -m turned.st w.st | jq -c '.p + .logits + .gate' >said.turned
    near 1e-6 said said.turned
}

@test "models of other regions answer together, without a gate" {
    run --separate-stderr moe-predict -m m.st -m one.model.st w.st
    [ "$status" -eq 0 ]
    [ "$(jq -c keys_unsorted <<<"$output" | sort -u)" = '["recording","group","start","time","label","class","p","logits"]' ]
    [[ "$stderr" == "moe-predict: the models have different regions, so the lines have no gate" ]]
    moe-predict -q -m m.st -m one.model.st --tsv w.st 2>said | sed -n 1p | tr '\t' ' ' >first
    [ "$(cat first)" = "recording group start time label class p_rest p_task logit_rest logit_task" ]
    [ ! -s said ]
    moe-predict -q -m m.st -m one.model.st --per recording w.st | jq -es 'all(has("gate") | not)'
}

@test "each model finds its channels, those the first does not know, too" {
    last=$(ask w.st 'json.loads(m["moe.channels"])[3]')
    moe-split --window 32 --experts 2 --halo 0 --drop "$last" eeg/*.csv -o fewer.windows
    train fewer.st --set train.epochs=2 fewer.windows
    moe-predict -m fewer.st -m m.st eeg/S01_1.csv >said
    moe-split --like m.st eeg/S01_1.csv | moe-predict -m fewer.st -m m.st | cmp - said
    moe-predict -m m.st -m fewer.st eeg/S01_1.csv | jq -c .p >turned
    jq -c .p said | cmp - turned
    for m in fewer m; do moe-predict -m $m.st eeg/S01_1.csv | jq '.p[0]' >$m.p; done
    paste fewer.p m.p | awk '{ printf "%.12g\n", ($1 + $2) / 2 }' >means
    jq '.p[0]' said >p
    near 1e-8 means p
}

@test "a recording is answered as its windows, also while it arrives" {
    moe-predict -m m.st -m b.st eeg/S01_1.csv >said
    moe-split --like m.st eeg/S01_1.csv | moe-predict -m m.st -m b.st | cmp - said
    # shellcheck disable=SC2002 # a pipe is meant
    cat eeg/S01_1.csv | moe-predict -m m.st -m b.st | jq -c '[.start, .p, .gate]' >live
    jq -c '[.start, .p, .gate]' said | cmp - live
}

@test "models that do not fit each other, or the input, are refused by name" {
    edit b.st other.st 'm["moe.classes"] = "[\"rest\",\"sleep\"]"'
    no_answer 65 "other.st: has the classes rest, sleep, but m.st has rest, task" -m m.st -m other.st w.st
    edit b.st slow.st 'm["moe.rate"] = "96"'
    no_answer 65 "slow.st: needs windows of 32 samples at 96 Hz in uV, but m.st needs 32 samples at 64 Hz" -m m.st -m slow.st w.st
    edit b.st wide.st 'm["moe.stride"] = "16"'
    moe-predict -m m.st -m wide.st w.st >said
    moe-predict -m m.st -m b.st w.st | cmp - said
    no_answer 65 "eeg/S01_1.csv: m.st and wide.st were trained with different strides" -m m.st -m wide.st eeg/S01_1.csv
    no_answer 66 "none.st" -m m.st -m none.st w.st
    no_answer 65 "w.st" -m m.st -m w.st w.st
    mix moe.st
    no_answer 64 "b.st: " -m moe.st -m b.st --omit 0 w.st
    edit b.st stranger.st 'm["moe.channels"] = json.dumps(["X%d" % i for i in range(4)])'
    no_answer 65 "stranger.st: w.st: missing channels X0, X1, X2, X3" -m m.st -m stranger.st w.st
    no_answer 65 "X0" -m m.st -m stranger.st eeg/S01_1.csv
}

@test "what was answered before damaged or other windows stands" {
    moe-split --like m.st eeg/S01_1.csv -o a.st
    run --separate-stderr bash -c '(cat a.st; echo rubbish that is no file) | moe-predict -m m.st -m b.st'
    [ "$status" -eq 65 ]
    [ "${#lines[@]}" -eq 16 ]
    edit b.st more.st 'm["moe.channels"] = json.dumps(json.loads(m["moe.channels"])[:3] + ["X"])'
    edit a.st renamed.st 'm["moe.channels"] = json.dumps(json.loads(m["moe.channels"])[:3] + ["X"])'
    edit a.st both.st 'm["moe.channels"] = json.dumps(json.loads(m["moe.channels"]) + ["X"])
x = t["region.0.channel"][2]
x[0] = 4 # was padding'
    run --separate-stderr bash -c 'cat both.st renamed.st | moe-predict -m more.st -m m.st'
    [ "$status" -eq 65 ]
    [[ "$stderr" == *"m.st: "*"missing channel "* ]]
    [ "${#lines[@]}" -eq 16 ]
}
