#!/usr/bin/env bats
# moe-train: every option and every key. Presets are in moe-train-presets.bats, refusals in moe-train-refusals.bats; threads,
# stops, pipes and full disks in contracts.bats.
# shellcheck disable=SC2086,SC2154 # options kept in a variable are split on purpose; variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
}

@test "the keys of this table are the keys there are, and each changes the model or is refused" {
    edit w.st unbalanced.st 'l = t["window.label"][2]
for i in range(0, len(l), 3): l[i] = 0
t["window.condition"] = c.tensor("I32", [len(l)], [i % 3 for i in range(len(l))])
m["moe.conditions"] = "[\"a\",\"b\",\"c\"]"'
    # key, other value, what both runs have besides ("=" refused instead of changing, "~" to be without effect on the tensors)
    cp "$BATS_TEST_DIRNAME/keys.table" table
    diff <(moe-train --print-config | cut -f1 | grep -vx preset) <(cut -d' ' -f1 table | uniq)
    while read -r key value besides; do
        what="--set $key=$value"
        base="--set train.epochs=2"
        for b in ${besides#[=~]}; do base+=" --set $b"; done
        if [ "${besides:0:1}" = = ]; then
            refused 78 "$key" moe-train $small $base $what -o never.st w.st
            continue
        fi
        case $key in train.patience | train.calibrate) base+=" --valid-groups S01" ;; esac
        train a $base unbalanced.st || { echo "$base"; false; }
        train b $base $what unbalanced.st || { echo "$base $what"; false; }
        if [ "${besides:0:1}" = "~" ]; then
            [ "$(tensors a)" = "$(tensors b)" ] || { echo "$key=$value changes the model"; false; }
            continue
        fi
        [ "$(tensors a)" != "$(tensors b)" ] || { echo "$key=$value changes nothing"; false; }
    done <table
}

@test "learned filters: their tensors, one model for any number of threads, and what they are for is learned" {
    conv="--set encoder.tokens=conv --set encoder.filters=6 --set encoder.kernel=0.2 --set encoder.input_dropout=0"
    conv+=" --set train.lr=0.03 --set train.epochs=12 --set train.patience=0"
    moe-split --window 48 --align grid --label-rule majority --experts 2 --halo 1 --last keep eeg/*.csv -o early.st
    for threads in 1 2 5; do
        train $threads.out $conv --set encoder.window=0.25 --set encoder.hop=0.1 --threads $threads --log log early.st
        cmp 1.out $threads.out
    done
    [ "$(ask 1.out '[t["experts.1." + n][1] for n in ("tokens.temporal.weight", "tokens.spatial.weight", "input_projection.weight")]')" = "[[6, 13], [6, 24], [8, 6]]" ]
    jq -se 'map(select(.loss)) | .[-1].loss < 0.5 * .[0].loss' log
    no_train 78 "encoder.kernel: 13 samples do not fit a token's stretch of 6 (encoder.window)" $conv --set encoder.window=0.1 w.st
}

@test "flag over file over preset, and --print-config tells which" {
    echo '{"preset":"seed","encoder":{"layers":3,"heads":8},"train":{"epochs":7}, "train.lr": 0.5}' >c.json
    moe-train --config c.json --set encoder.heads=2 --print-config >said
    grep -qx $'preset\t"seed"\tfile' said
    grep -qx $'encoder.layers\t3\tfile' said
    grep -qx $'encoder.heads\t2\t--set' said
    grep -qx $'train.epochs\t7\tfile' said
    grep -qx $'train.lr\t0.5\tfile' said
    grep -qx $'encoder.hidden_dim\t64\tpreset seed' said
    grep -q $'^encoder.patch\t.*no effect: encoder.tokens is not patch' said
    moe-train --config c.json --preset default --print-config >said # the command line's preset, under the file's keys
    grep -qx $'preset\t"default"\t--set' said
    grep -qx $'encoder.layers\t3\tfile' said
    moe-train --init m.st --set train.lr=0.25 --print-config >said
    grep -qx $'encoder.hidden_dim\t8\tmodel' said
    grep -qx $'train.lr\t0.25\t--set' said
    moe-train --set train.lr=0.1 --set train.lr=0.2 --print-config | grep -qx $'train.lr\t0.2\t--set' # the last one counts
}

@test "windows without labels, of one class, of none, of a class to be held out" {
    edit w.st none.st 'l = t["window.label"][2]
for i in range(len(l)): l[i] = -1'
    no_train 65 "no labelled window" none.st
    edit w.st rest.st 'l = t["window.label"][2]
for i in range(len(l)): l[i] = 0
m["moe.classes"] = "[\"rest\"]"'
    no_train 65 "all 64 training windows are of one class (rest)" rest.st
    edit w.st half.st 'l = t["window.label"][2]
for i in range(len(l)): l[i] = 0'
    no_train 65 "all 64 training windows are of one class (rest)" half.st
    moe-train --init m.st --set train.epochs=1 -o x half.st # a model that knows both may see one
    moe-train --init m.st --set train.epochs=1 -o x rest.st
    [ "$(ask x 'm["moe.classes"]')" = '["rest","task"]' ]
    edit w.st third.st 'm["moe.classes"] = "[\"rest\",\"task\",\"sleep\"]"'
    no_train 65 "class sleep has no window to train on" third.st
    edit w.st held.st 'l = t["window.label"][2]; g = t["window.group"][2]
for i in range(len(l)): l[i] = 2 if g[i] == 3 else l[i]
m["moe.classes"] = "[\"rest\",\"task\",\"sleep\"]"'
    no_train 65 "class sleep has no window to train on" --valid-groups S03 held.st
    no_train 65 "class sleep is unknown to the model" --init m.st held.st
    moe-split --window 32 --experts 2 --halo 1 eeg/S0[012]*.csv -o some.st
    edit w.st away.st 'l = t["window.label"][2]; g = t["window.group"][2]
for i in range(len(l)): l[i] = 2 if g[i] == 3 else -1
m["moe.classes"] = "[\"rest\",\"task\",\"sleep\"]"'
    no_train 65 "away.st: class sleep does not occur in training" --valid away.st some.st
}

@test "windows without a label are left out, the others are trained on all the same" {
    edit w.st with.st 'l = t["window.label"][2]; g = t["window.group"][2]
for i in range(len(l)): l[i] = -1 if g[i] == 2 else l[i]'
    moe-split --window 32 --experts 2 --halo 1 eeg/S0[013]*.csv -o without.st
    train a --set train.epochs=1 -v with.st 2>said
    grep -q "48 windows for training, 0 for validation, 16 without a label" said
    train b --set train.epochs=1 without.st
    [ "$(tensors a)" = "$(tensors b)" ]
    [ "$(ask a 'm["moe.train_groups"]')" = '["S00","S01","S03"]' ]
}

@test "data that is not finite is named by recording, channel and sample" {
    edit w.st bad.st 'for k in "01":
    if 3 in t["region.%s.channel" % k][2]:
        w = t["expert." + k][1][1]; at = list(t["region.%s.channel" % k][2]).index(3)
        t["expert." + k][2][(512 * 2 + 100) * w + at] = math.nan'
    [ "$(ask bad.st 'json.loads(m["moe.channels"])[3]')" = "$(ask w.st 'json.loads(m["moe.channels"])[3]')" ]
    no_train 65 "bad.st: recording S02_1.csv: channel $(ask w.st 'json.loads(m["moe.channels"])[3]'), sample 100 is not a finite" bad.st
    no_train 65 "recording S02_1.csv" --valid-groups S02 bad.st
    no_train 65 "recording S02_1.csv" --init m.st bad.st
    edit bad.st aside.st 'l = t["window.label"][2]; s = t["window.start"][2]
for i in range(len(l)): l[i] = -1 if s[i] // 512 == 2 else l[i]'
    train x --set train.epochs=1 aside.st # not looked at, not trained on
}

@test "training that diverges names step and tensor, keeps a state that is good, and the old model" {
    cp m.st kept
    for options in "" "--set train.weight_decay=1000"; do
        run moe-train $small --set train.lr=1000 --set train.clip_norm=0 --set train.epochs=500 --set train.schedule=constant \
            --set train.warmup_steps=0 $options -o m.st w.st
        [ "$status" -eq 65 ]
        [[ "$output" =~ "step "[0-9]+": the loss is ".*" in tensor "[a-z_0-9.]+";"|"step "[0-9]+": tensor "[a-z_0-9.]+" would" ]]
        [[ "$output" == *"(state: m.st.state)" ]]
        cmp m.st kept
        [ "$(ask m.st.state 'all(math.isfinite(x) for k in t if t[k][0] == "F32" for x in t[k][2])')" = True ]
        run moe-train --resume --state m.st.state -o on.st w.st # it loads, and comes to the same step
        [ "$status" -eq 65 ]
        [[ "$output" =~ "moe-train: step "[0-9]+": " ]]
    done
}

@test "a step that would leave a tensor not finite is taken back" {
    edit m.st large.st 'b = t["classifier.bias"][2]
for i in range(len(b)): b[i] = 1e34' # equal, so the softmax does not mind
    no_train 65 "step 1: tensor classifier.bias would no longer be finite" --init large.st --set train.lr=1000 \
        --set train.weight_decay=1000 --set train.decay=all --set train.schedule=constant --set train.warmup_steps=0 w.st
    [ "$(ask never.st.state 't["classifier.bias"]')" = "$(ask large.st 't["classifier.bias"]')" ]
    [ "$(ask never.st.state 't["classifier.weight"]')" = "$(ask large.st 't["classifier.weight"]')" ]
}

@test "--valid FILE: the other side must be of other groups" {
    moe-split --window 32 --experts 2 --halo 1 eeg/S0[01]*.csv -o a.st
    moe-split --window 32 --experts 2 --halo 1 eeg/S0[12]*.csv -o b.st
    moe-split --window 32 --experts 2 --halo 1 eeg/S0[23]*.csv -o c.st
    no_train 65 "the same group is in training and validation: S01" --valid b.st a.st
    train x --set train.epochs=2 --valid c.st --log l a.st
    [ "$(jq -s 'map(.valid_loss | type) | unique[]' -r l)" = number ]
    train y --set train.epochs=2 --valid-groups S02,S03 --log l2 w.st # the same two sides out of one file
    [ "$(tensors x)" = "$(tensors y)" ]
    [ "$(jq -c 'del(.windows_per_s)' l)" = "$(jq -c 'del(.windows_per_s)' l2)" ]
    no_train 66 none.st --valid none.st a.st
    no_train 64 "exclude each other" --valid c.st --valid-groups S00 a.st
    no_train 64 "exclude each other" --valid-fraction 0.5 --valid-tail 0.5 a.st
}

@test "--valid FILE matches classes and channels by name" {
    moe-split --window 32 --experts 2 --halo 1 eeg/S0[01]*.csv -o a.st
    python3 - eeg/S02_1.csv S02_1.csv <<'END'
import csv, sys
rows = list(csv.reader(open(sys.argv[1])))
csv.writer(open(sys.argv[2], 'w')).writerows([r[0]] + r[4:0:-1] + r[5:] for r in rows)
END
    moe-split --window 32 --experts 2 --halo 1 --classes task,rest S02_1.csv -o turned.st
    moe-split --window 32 --experts 2 --halo 1 eeg/S02_1.csv -o straight.st
    train x --set train.epochs=2 --valid straight.st --log l a.st
    train y --set train.epochs=2 --valid turned.st --log l2 a.st
    [ "$(tensors x)" = "$(tensors y)" ]
    [ "$(jq -c .valid_loss l)" = "$(jq -c .valid_loss l2)" ]
}

@test "--valid-groups: names that are not there, all of them, none left" {
    no_train 64 "no group S09; there are S00, S01, S02, S03" --valid-groups S01,S09 w.st
    no_train 65 "no window is left to train on" --valid-groups S00,S01,S02,S03 w.st
    train x --set train.epochs=1 --valid-groups S01,S03 -v w.st 2>said
    grep -q "32 windows for training, 32 for validation, 0 without a label" said
    [ "$(ask x 'm["moe.train_groups"]')" = '["S00","S02"]' ]
    edit w.st none.st 'l = t["window.label"][2]; g = t["window.group"][2]
for i in range(len(l)): l[i] = -1 if g[i] == 3 else l[i]'
    no_train 65 "no labelled window is left to validate on" --valid-groups S03 none.st
}

@test "--valid-fraction draws whole groups, by the seed" {
    train x --set train.epochs=1 --valid-fraction 0.25 -v w.st 2>said
    grep -q "48 windows for training, 16 for validation" said
    [ "$(ask x 'len(json.loads(m["moe.train_groups"]))')" -eq 3 ]
    train x --set train.epochs=1 --valid-fraction 0.01 -v w.st 2>said # one at least
    grep -q "48 windows for training, 16 for validation" said
    train x --set train.epochs=1 --valid-fraction 0.9 -v w.st 2>said # and one is left
    grep -q "16 windows for training, 48 for validation" said
    for seed in 1 2 3 4 5 6 7 8; do
        train x --set train.epochs=1 --valid-fraction 0.5 --seed $seed w.st
        ask x 'm["moe.train_groups"]' >>drawn
    done
    [ "$(sort -u drawn | wc -l)" -gt 2 ]
    moe-split --window 32 --experts 2 --halo 1 eeg/S00_1.csv -o one-group.st
    no_train 65 "there is only one (S00)" --valid-fraction 0.5 one-group.st
    no_train 64 valid-fraction --valid-fraction 1.5 w.st
}

@test "--valid-tail cuts each recording by time and drops what crosses the cut" {
    moe-split --align grid --label-rule last --window 32 --stride 16 --experts 2 --halo 1 eeg/S00_1.csv -o a.st
    [ "$(ask a.st 'len(t["window.start"][2])')" -eq 31 ] # of 512 samples
    tail_of() { # tail_of SHARE TRAINS VALIDATES LEFT_OUT
        train x --set train.epochs=1 --valid-tail "$1" -v a.st 2>said
        grep -q "$2 windows for training, $3 for validation" said || { cat said; false; }
        grep -q "moe-train: $4 windows across the border between training and validation are left out" said || { cat said; false; }
    }
    tail_of 0.25 23 7 1 # the cut is 384: 0..352, 368, 384..480
    tail_of 0.3 21 8 2 # 358: up to 320; 336, 352; from 368
    tail_of 0.4 18 11 2 # 307: up to 272; 288, 304; from 320
    tail_of 0.1 27 2 2 # 460: up to 416; 432, 448; 464, 480
    moe-split --align grid --label-rule last --window 32 --stride 8 --experts 2 --halo 1 eeg/S0[01]_1.csv -o b.st
    train x --set train.epochs=1 --valid-tail 0.25 b.st 2>said # each recording has a cut of its own
    grep -q "6 windows across" said
    train x --set train.epochs=1 --valid-tail 0.25 -q b.st 2>said
    [ ! -s said ]
    train x --set train.epochs=1 --valid-tail 0.25 w.st 2>said # whole windows: 512 is cut between two
    [ ! -s said ]
}

@test "the scaler is that of the training windows, and of no others" {
    train x --set train.epochs=1 --valid-groups S03 w.st
    python3 -B - "$reference" w.st x <<'END'
import math, sys
sys.path.insert(0, sys.argv[1])
import container
w, _ = container.load(sys.argv[2])
t, _ = container.load(sys.argv[3])
for channel in range(4):
    k = next(k for k in "01" if channel in w[f"region.{k}.channel"][2])
    at, width = list(w[f"region.{k}.channel"][2]).index(channel), w[f"expert.{k}"][1][1]
    x = [w[f"expert.{k}"][2][(s + i) * width + at]
         for s, g in zip(w["window.start"][2], w["window.group"][2]) if g != 3 for i in range(32)]
    mean = sum(x) / len(x)
    deviation = math.sqrt(sum((v - mean) ** 2 for v in x) / len(x))
    assert abs(t["scale.mean"][2][channel] - mean) < 1e-5 * deviation, channel
    assert abs(t["scale.std"][2][channel] / deviation - 1) < 1e-5, channel
END
    edit w.st louder.st 'for k in "01":
    width = t["expert." + k][1][1]
    for i in range(512 * 3 * width, 512 * 4 * width): t["expert." + k][2][i] *= 5'
    train y --set train.epochs=1 --valid-groups S03 louder.st
    [ "$(ask x 't["scale.mean"], t["scale.std"]')" = "$(ask y 't["scale.mean"], t["scale.std"]')" ]
    [ "$(tensors x)" = "$(tensors y)" ]
    train y --set train.epochs=1 louder.st
    [ "$(ask x 't["scale.std"]')" != "$(ask y 't["scale.std"]')" ]
    train z --set train.epochs=1 --set train.scale=none w.st
    [ "$(ask z '"scale.mean" in t')" = False ]
}

@test "a flat channel trains, and is divided by 1" {
    edit w.st flat.st 'for k in "01":
    of = list(t["region.%s.channel" % k][2]); width = len(of); x = t["expert." + k][2]
    for at in range(width):
        if of[at] == 1:
            for i in range(at, len(x), width): x[i] = 7.5'
    train x --set train.epochs=1 flat.st
    [ "$(ask x 't["scale.mean"][2][1], t["scale.std"][2][1]')" = "(7.5, 1.0)" ]
    moe-predict -m x flat.st >/dev/null
}

@test "the log: one line an epoch with its figures, and lines of steps when asked" {
    train x --set train.epochs=3 --set train.batch_size=10 --valid-groups S00 --log l w.st
    [ "$(wc -l <l)" -eq 3 ]
    keys='"epoch","step","loss","task","aux","z","accuracy","lr","grad_norm","windows_per_s","valid_loss","valid_accuracy","valid_balanced_accuracy","best"'
    [ "$(jq -c keys_unsorted l | sort -u)" = "[$keys]" ]
    [ "$(jq -sc 'map([.epoch, .step])' l)" = "[[1,5],[2,10],[3,15]]" ]
    [ "$(jq -s 'map(.valid_loss) | min' l)" = "$(jq -s 'map(select(.best))[-1].valid_loss' l)" ]
    train x --set train.epochs=2 --set train.batch_size=10 --log l --log-every 3 w.st # started anew
    [ "$(jq -sc 'map([.at_epoch // .epoch, .step])' l)" = "[[1,3],[1,6],[1,7],[2,9],[2,12],[2,14]]" ]
    [ "$(jq -sc 'map(select(.at_epoch)) | map(keys_unsorted)[0]' l)" = '["at_epoch","step","loss","task","aux","z","lr","grad_norm","windows_per_s"]' ]
    [ "$(jq -c 'select(.epoch) | has("valid_loss")' l | sort -u)" = false ]
    train x --set train.epochs=2 --set train.batch_size=10 --state s --log l w.st
    moe-train --resume --state s --set train.epochs=3 --log l -o x w.st # continued
    [ "$(jq -sc 'map(.epoch)' l)" = "[1,2,3]" ]
}

@test "the schedules, as the log has them" {
    lr() { # lr SETTINGS...
        local s=""
        for a in "$@"; do s+=" --set $a"; done
        train x --set train.epochs=1 --set train.batch_size=8 --set train.lr=1 --set train.clip_norm=0.001 $s --log l --log-every 1 w.st
        jq -s 'map(select(.at_epoch).lr * 1000 | round)' -c l
    }
    [ "$(lr train.schedule=constant train.warmup_steps=0)" = "[1000,1000,1000,1000,1000,1000,1000,1000]" ]
    [ "$(lr train.schedule=constant train.warmup_steps=3)" = "[250,500,750,1000,1000,1000,1000,1000]" ]
    [ "$(lr train.schedule=cosine train.warmup_steps=0)" = "[1000,962,854,691,500,309,146,38]" ]
    [ "$(lr train.schedule=cosine train.warmup_steps=4)" = "[200,400,600,800,1000,854,500,146]" ]
    [ "$(lr train.schedule=step train.warmup_steps=0)" = "[1000,1000,1000,1000,100,100,10,10]" ]
    [ "$(lr train.schedule=onecycle train.warmup_steps=0)" = "[40,398,935,972,802,537,256,59]" ] || lr train.schedule=onecycle train.warmup_steps=0
}

@test "without shuffling the order of the windows matters, and the seed does not" {
    plain="--set train.shuffle=false --set encoder.dropout=0 --set train.epochs=1 --set train.batch_size=8"
    moe-train --init m.st --no-history $plain -o a w.st
    moe-train --init m.st --no-history $plain --seed 5 -o b w.st
    [ "$(tensors a)" = "$(tensors b)" ]
    edit w.st turned.st 'for name in t:
    if name.startswith("window."): t[name] = (*t[name][:2], t[name][2][::-1])'
    moe-train --init m.st --no-history $plain -o c turned.st
    [ "$(tensors a)" != "$(tensors c)" ]
    moe-train --init m.st --no-history ${plain/false/true} --seed 1 -o d w.st
    [ "$(tensors a)" != "$(tensors d)" ]
}

@test "--init goes on with a model: structure, scaler, classes; channels by name" {
    moe-train --init m.st --no-history --set train.epochs=1 -o on.st w.st
    [ "$(ask m.st 't["scale.mean"]')" = "$(ask on.st 't["scale.mean"]')" ]
    [ "$(ask m.st 'm["moe.channels"], m["moe.classes"], m["moe.regions"]')" = "$(ask on.st 'm["moe.channels"], m["moe.classes"], m["moe.regions"]')" ]
    [ "$(tensors m.st)" != "$(tensors on.st)" ]
    mkdir turned
    for f in eeg/*.csv; do
        python3 - $f turned/"$(basename $f)" <<'END'
import csv, sys
rows = list(csv.reader(open(sys.argv[1])))
csv.writer(open(sys.argv[2], 'w')).writerows([r[0]] + r[4:0:-1] + r[5:] for r in rows)
END
    done
    moe-split --window 32 --experts 4 --halo 0 --classes task,rest turned/*.csv -o turned.st
    [ "$(ask turned.st 'm["moe.channels"]')" != "$(ask w.st 'm["moe.channels"]')" ]
    moe-train --init m.st --no-history --set train.epochs=1 -o on2.st turned.st
    [ "$(tensors on.st)" = "$(tensors on2.st)" ]
    [ "$(ask on.st 'm["moe.channels"]')" = "$(ask on2.st 'm["moe.channels"]')" ]
    no_train 78 "encoder.hidden_dim=16: the model that is continued" --init m.st --set encoder.hidden_dim=16 w.st
    no_train 78 "train.scale: the model that is continued was trained on standardised channels" --init m.st --set train.scale=none w.st
    no_train 64 "not with --preset or --config" --init m.st --preset seed w.st
    no_train 66 none.st --init none.st w.st
}

@test "--init carries the groups and the history on" {
    moe-split --window 32 --experts 2 --halo 1 eeg/S0[01]*.csv -o a.st
    moe-split --window 32 --experts 2 --halo 1 eeg/S0[12]*.csv -o b.st
    moe-train $small --set train.epochs=1 -o a.model a.st
    moe-train --init a.model --set train.epochs=1 -o b.model b.st
    [ "$(ask b.model 'm["moe.train_groups"]')" = '["S00","S01","S02"]' ]
    [ "$(ask b.model '[h["program"] for h in json.loads(m["moe.history"])]')" = "['moe-split', 'moe-train', 'moe-train']" ]
}

@test "a model written by somebody else, with just the tensors and metadata, loads and is continued" {
    moe-train --preset seed $small --set train.epochs=1 -o s.st w.st
    python3 - s.st theirs.st <<'END'
import json, struct, sys
raw = open(sys.argv[1], "rb").read()
n = struct.unpack("<Q", raw[:8])[0]
head, data = json.loads(raw[8:8 + n]), raw[8 + n:]
meta = head.pop("__metadata__")
keep = ("format", "length", "stride", "rate", "unit", "halo", "channels", "classes", "regions")
meta = {f"moe.{k}": meta[f"moe.{k}"] for k in keep}
meta["moe.config"] = '{ "encoder": {"hidden_dim": 8, "heads": 2, "layers": 1, "ffn_dim": 8},\n "moe": {"top_k": 2}, "gate": {} }'
out, new = b"", {}
for name in sorted(head, reverse=True): # another order, another place, no padding
    b, e = head[name]["data_offsets"]
    new[name] = {"shape": head[name]["shape"], "data_offsets": [len(out), len(out) + e - b], "dtype": "F32"}
    out += data[b:e]
new["__metadata__"] = meta
text = json.dumps(new).encode()
open(sys.argv[2], "wb").write(struct.pack("<Q", len(text)) + text + out)
END
    moe-predict -m s.st w.st >a
    moe-predict -m theirs.st w.st | cmp - a
    moe-train --init s.st --no-history --set train.epochs=1 -o a w.st
    moe-train --init theirs.st --no-history --set train.epochs=1 --set train.lr=0.001 -o b w.st
    [ "$(tensors a)" = "$(tensors b)" ]
}

@test "-v tells of every epoch, -q of nothing" {
    train x --set train.epochs=2 --valid-groups S01 -v w.st 2>said
    grep -q "epoch 1 of 2: loss .*; validation: loss .*, best so far; .* windows/s" said
    grep -q "the model is that of epoch [12], validation loss" said
    train x --set train.epochs=2 --valid-tail 0.3 -q w.st 2>said
    [ ! -s said ]
}

@test "the manual's examples run" {
    cp w.st windows.st
    moe-synth --subjects 4 --channels 4 --rate 64 --seconds 20 -o . # long enough for windows of the default length
    run_examples moe-train.1 8
    [ "$(jq -s length log.jsonl)" -ge 1 ]
    [ -s newer.safetensors ]
}
