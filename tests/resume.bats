#!/usr/bin/env bats
# Training that goes on from its state: which windows it knows again, and which options may stand on the line once more.
# shellcheck disable=SC2086,SC2154 # options kept in a variable are split on purpose; variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
    train trained.model --set train.epochs=1 --set train.schedule=constant --state trained.st w.st
}

again="moe-train --resume -o never.st"

@test "a state knows its windows by every sample, in every channel, on both sides, in part windows too" {
    moe-split --window 48 --align grid --label-rule majority --last keep --experts 1 --halo 0 eeg/*.csv -o short.st
    [ "$(ask short.st 'min(t["window.valid"][2])')" -eq 32 ]
    train a --set encoder.tokens=sample --set train.epochs=1 --valid-groups S03 --state s short.st
    moe-train --resume --state s --valid-groups S03 -o b short.st
    n=0
    # a sample; the last one, of a window that validates and ends early; all but one channel; all but the first of each window
    for where in 'i == 17' 'i == len(x) - 1' 'i % W > 0' 'i // W not in starts'; do
        edit short.st other.st '(rows, W), x = t["expert.0"][1:]
starts = set(t["window.start"][2])
for i in range(len(x)):
    if '"$where"': x[i] = -x[i] - 1'
        refused 65 "belongs to other windows" $again --state s --valid-groups S03 other.st
        n=$((n + 1))
    done
    [ $n -eq 4 ]
}

@test "and by their labels, places, groups, conditions and number, which is told" {
    n=0
    for change in 't["window.label"][2][3] ^= 1' 't["window.group"][2][3] = 1' 't["window.condition"][2][3] = 1' 't["window.condition"][2][3] = -1' \
        't["window.start"][2][3] += 1' 't["window.recording"][2][3] = 1' \
        't["window.sample"] = ("I64", t["window.start"][1], c.array.array("q", [x + 7 for x in t["window.start"][2]]))'; do
        edit w.st other.st "$change"
        refused 65 "belongs to other windows" $again --state trained.st other.st
        n=$((n + 1))
    done
    [ $n -eq 7 ]
    refused 65 "(64 for training and 0 for validation, here 48 and 16)" $again --state trained.st --valid-groups S00 w.st
    refused 65 "use --init MODEL" $again --state trained.st --valid-groups S00 w.st
    moe-train --resume --state trained.st -o m w.st # and it is these
    for i in 0 1 2 3; do moe-split --window 32 --experts 2 --halo 1 --condition 'S0.' eeg/S0${i}_1.csv; done >joined
    # shellcheck disable=SC2002 # a pipe is what is tried
    cat joined | moe-train --resume --state trained.st -o m - # which may come in several files
}

@test "what train.scale=ems reads between the windows belongs to them; elsewhere nobody asks" {
    for scale in ems zscore; do
        moe-split --window 16 --stride 32 --experts 2 --halo 1 eeg/*.csv -o gaps.st
        train a --set train.epochs=1 --set train.scale=$scale --state s gaps.st
        moe-train --resume --state s -o b gaps.st
        edit gaps.st other.st 'for k in "01":
    d, (rows, W), x = t["expert." + k]
    for i in range(20 * W, 30 * W): x[i] = -x[i]'
        if [ $scale = ems ]; then
            refused 65 "belongs to other windows" $again --state s other.st
        else
            moe-train --resume --state s -o b other.st
        fi
    done
}

@test "a state of old, which knows the first sample of each window, is resumed, and knows all of them from then on" {
    options="--set train.schedule=constant"
    train whole $options --set train.epochs=4 one.st
    train a $options --set train.epochs=2 --state s one.st
    edit s old '
import struct
def mix(h, data):
    for b in data: h = (h ^ b) * 0x100000001b3 % 2**64
    return h
def number(h, x): return mix(h, struct.pack("<q", x))
def name(h, s):
    for b in s.encode(): h = number(h, b)
    return h
w, n = c.load("one.st")
x, W, place, h = w["expert.0"][2], w["expert.0"][1][1], list(w["region.0.channel"][2]), 0xcbf29ce484222325
for i, start in enumerate(w["window.start"][2]):
    h = number(number(h, w["window.label"][2][i]), w["window.sample"][2][i])
    h = name(name(h, json.loads(n["moe.recordings"])[w["window.recording"][2][i]]), json.loads(n["moe.groups"])[w["window.group"][2][i]])
    for channel in range(W):
        h = (h ^ struct.unpack("<I", struct.pack("<f", x[start * W + place.index(channel)]))[0]) * 0x100000001b3 % 2**64
h = number(h, len(w["window.start"][2]))
d = json.loads(m["moe.train"])
assert d["fingerprint"].startswith("windows:")
d["fingerprint"] = "%016x" % h
del d["trains"], d["valids"]
m["moe.train"] = json.dumps(d)'
    cp old kept
    moe-train --resume --state old --set train.epochs=4 --no-history -o b one.st
    cmp whole b
    ask old 'json.loads(m["moe.train"])["fingerprint"]' | grep -q '^windows:'
    edit one.st other.st 't["expert.0"][2][0] += 1' # the first sample
    refused 65 "belongs to other windows" $again --state kept other.st
    edit s other 'm["moe.train"] = m["moe.train"].replace("windows:", "moons:")'
    refused 65 "belongs to other windows" $again --state other one.st
}

@test "a line that resumes can be repeated: equal seed, preset, keys and file are accepted, and change nothing" {
    printf '%s' '{"preset": "spectral", "encoder": {"hidden_dim": 8, "heads": 2}, "train": {"batch_size": 24, "schedule": "constant"}}' >c.json
    line="--preset spectral --config c.json --set encoder.layers=1 --set encoder.ffn_dim=8 --set train.epochs=3 --seed 3 --valid-groups S01 --no-history -q"
    moe-train $line -o whole w.st
    moe-train $line --set train.epochs=1 --state s -o part w.st
    moe-train --resume --state s $line --log log -o part w.st # goes on
    cmp whole part
    [ "$(wc -l <log)" -eq 2 ]
    cp s before
    moe-train --resume --state s $line --log log -o part w.st # has nothing left to do
    cmp whole part
    [ "$(wc -l <log)" -eq 2 ]
    cmp s before
}

@test "what differs from the state is refused, with both values" {
    r="$again --state trained.st"
    refused 64 "--seed 3 has no effect with --resume: training continues with the seed of the state, 1" $r --seed 3 w.st
    refused 64 "--preset seed: the state has its configuration, of preset default, which stays" $r --preset seed w.st
    refused 78 "encoder.hidden_dim=16: the state that is continued (--resume) has 8, which stays" $r --set encoder.hidden_dim=16 w.st
    echo '{"preset": "seed"}' >c.json
    refused 78 "c.json: preset=seed: what is continued has default, which stays" $r --config c.json w.st
    echo '{"encoder": {"heads": 4}}' >c.json
    refused 78 "encoder.heads=4: the state that is continued (--resume) has 2, which stays" $r --config c.json w.st
    refused 64 "--init uses the configuration of the model" moe-train --init m.st --preset default -o never.st w.st
    moe-train --resume --state trained.st --seed 1 --preset default --set encoder.hidden_dim=8 -o m w.st
    cmp <(ask m t) <(ask "$BATS_FILE_TMPDIR/trained.model" t)
}

@test "resume=auto begins where there is no state yet, resume alone does not" {
    line="moe-train $small --seed 3 --set train.epochs=2 --valid-groups S00 --no-history"
    $line -o whole w.st
    refused 66 "none: there is no such state to resume; start without --resume, or with --resume=auto" $line --resume --state none -o never.st w.st
    $line --resume=auto --state s -v -o m w.st 2>said
    grep -q "moe-train: s: there is no state yet, so training starts" said
    cmp whole m
    rm m
    $line --resume=auto --state s -v -o m w.st 2>said
    run ! grep -q "no state" said
    run ! grep -q "epoch 1 of 2" said # it was done already
    cmp whole m
    refused 64 "--seed 4 has no effect" $line --resume=auto --state s --seed 4 -o never.st w.st
    echo damaged >bad
    refused 65 bad $line --resume=auto --state bad -o never.st w.st
    refused 64 "needs --state" $line --resume=auto -o never.st w.st
    run moe-train --resume=always --state none -o m w.st
    [ "$status" -eq 66 ]
}
