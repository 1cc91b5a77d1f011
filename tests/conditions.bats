#!/usr/bin/env bats
# Conditions of windows, from moe-split to the router that reads them: names that hold whatever their order, unknown ones.
# shellcheck disable=SC2086,SC2154

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
    for i in 0 1 2 3; do cp eeg/S0${i}_1.csv eeg/S0${i}_$((i % 2 + 1))x.csv; rm eeg/S0${i}_1.csv; done # two sites: 1x, 2x
    moe-split --window 32 --experts 2 --halo 1 --condition '_(.)x' eeg/*.csv -o w.st
    moe-split --window 32 --experts 2 --halo 1 eeg/*.csv -o plain.st
}

# mix OUT ARGUMENTS...: a model of two epochs whose router reads the windows' conditions
mix() {
    local out=$1
    shift
    train $out --set moe.layers=all --set moe.router=condition --set train.epochs=2 --set train.batch_size=24 --set train.lr=0.02 \
        --set train.schedule=constant --set train.warmup_steps=0 -q "$@"
}

@test "moe-split names conditions by a pattern or for all, and without either there are none" {
    [ "$(ask w.st 'm["moe.conditions"], list(t["window.condition"][2]), t["window.condition"][0]')" = \
        "$(python3 -c 'print(("[\"1\",\"2\"]", [0] * 16 + [1] * 16 + [0] * 16 + [1] * 16, "I32"))')" ]
    moe-split --window 32 --condition-name eyes eeg/*.csv -o all.st
    [ "$(ask all.st 'm["moe.conditions"], set(t["window.condition"][2])')" = "('[\"eyes\"]', {0})" ]
    [ "$(ask plain.st '"moe.conditions" in m or "window.condition" in t')" = False ]
    for threads in 1 2 3; do
        moe-split --no-history --window 32 --condition '_.' --threads $threads eeg/*.csv -o $threads.out
    done
    cmp 1.out 2.out
    cmp 1.out 3.out
    [ "$(ask 1.out 'm["moe.conditions"]')" = '["_1","_2"]' ]
    moe-split --explain --condition '_(.)x' eeg/*.csv | jq -r .condition | tr -d '\n' | grep -qx 1212
    [ "$(moe-split --explain eeg/S00*.csv | jq 'has("condition")')" = false ]
    refused 64 "--condition and --condition-name cannot be used together" moe-split --condition a --condition-name b eeg/*.csv -o never.st
    refused 64 "--condition: \"(\" is not a regular expression" moe-split --condition '(' eeg/*.csv -o never.st
    refused 65 "S00_1x.csv: --condition \"_3\" does not match this file name" moe-split --condition _3 eeg/*.csv -o never.st
}

@test "live windows carry the condition, too" {
    mix m.st w.st
    moe-split --live --like m.st --condition-name 2 - <eeg/S01_2x.csv | moe-predict -m m.st >live
    [ "$(wc -l <live)" -eq 16 ]
    moe-predict -m m.st w.st | sed -n 17,32p >whole
    cmp <(jq -c '[.start,.p,.logits]' live) <(jq -c '[.start,.p,.logits]' whole)
}

@test "windows whose conditions do not count, or are none, are refused; those without them load as ever" {
    edit w.st far.st 't["window.condition"][2][3] = 2'
    refused 65 "tensor window.condition: window 3: 2 of 2 conditions" moe-predict -m m.st far.st
    edit w.st few.st 't["window.condition"] = c.tensor("I32", [3], [0] * 3)'
    refused 65 window.condition moe-predict -m m.st few.st
    edit w.st nameless.st 'del m["moe.conditions"]'
    refused 65 "metadata moe.conditions is missing" moe-predict -m m.st nameless.st
    edit w.st none.st 'del m["moe.conditions"]; del t["window.condition"]'
    cmp <(ask none.st t) <(ask plain.st t)
    cmp <(moe-predict -m m.st none.st) <(moe-predict -m m.st w.st)
    refused 65 "no window has a condition" moe-train $small --set moe.layers=all --set moe.router=condition -o never.st none.st
    refused 78 "moe.condition" moe-train $small --set moe.layers=all --set moe.router=condition --set moe.condition=class -o never.st w.st
}

@test "the model keeps the names, and the order in which windows list them does not matter" {
    mix m.st w.st
    [ "$(ask m.st 'm["moe.conditions"]')" = '["1","2"]' ]
    [ "$(ask m.st '[t[n][1] for n in sorted(t) if n.endswith("moe.router.condition.weight")]')" = "[[2, 8], [2, 8]]" ]
    moe-predict -m m.st w.st >answers
    edit w.st turned.st 'm["moe.conditions"] = "[\"absent\",\"2\",\"1\"]"
x = t["window.condition"][2]
for i in range(len(x)): x[i] = 2 - x[i]'
    cmp <(moe-predict -m m.st turned.st) answers
    edit m.st swapped.out 'm["moe.conditions"] = "[\"2\",\"1\"]"
for n in t:
    if n.endswith("condition.weight"):
        x = t[n][2]; x[:8], x[8:] = x[8:], x[:8]'
    cmp <(moe-predict -m swapped.out w.st) answers
    edit w.st exchanged.st 'x = t["window.condition"][2]
for i in range(len(x)): x[i] = 1 - x[i]'
    run ! cmp -s <(moe-predict -m m.st exchanged.st) answers
    cmp <(moe-predict -m m.st --batch 5 w.st) answers
    edit m.st nameless.out 'del m["moe.conditions"]'
    refused 65 "nameless.out: moe.router=condition, and no condition has a name" moe-predict -m nameless.out w.st
    edit m.st twice.out 'm["moe.conditions"] = "[\"1\",\"1\"]"'
    refused 65 '"1" stands there twice' moe-predict -m twice.out w.st
    edit m.st three.out 'm["moe.conditions"] = "[\"1\",\"2\",\"3\"]"'
    refused 65 condition.weight moe-predict -m three.out w.st
}

@test "recordings by name: in another order the same answers, renamed ones unknown" {
    mix m.st --set moe.condition=recording w.st
    [ "$(ask m.st 'm["moe.conditions"]')" = '["S00_1x.csv","S01_2x.csv","S02_1x.csv","S03_2x.csv"]' ]
    moe-split --like m.st eeg/S03*.csv eeg/S00*.csv eeg/S02*.csv eeg/S01*.csv -o turned.st
    cmp <(moe-predict -m m.st turned.st | sort) <(moe-predict -m m.st w.st | sort)
    moe-predict -m m.st eeg/S02_1x.csv >csv
    cmp csv <(moe-predict -m m.st w.st | grep S02)
    cp eeg/S02_1x.csv T.csv
    refused 65 "T.csv: recording T.csv: the model does not know recording T.csv, only S00_1x.csv, S01_2x.csv, S02_1x.csv, S03_2x.csv" \
        moe-predict -m m.st T.csv
}

@test "an embedding changes the choice of experts" {
    mix m.st w.st
    edit m.st other.out 'for n in t:
    if n.endswith("condition.weight"): t[n] = c.tensor("F32", [2, 8], [0.0] * 8 + [9.0, -9.0] * 4)'
    moe-route -m m.st w.st --jsonl >before
    moe-route -m other.out w.st --jsonl >after
    run ! cmp -s <(grep S01 before | jq -c '.layers[].expert') <(grep S01 after | jq -c '.layers[].expert')
    edit m.st zero.out 'for n in t:
    if n.endswith("condition.weight"): t[n] = c.tensor("F32", [2, 8], [0.0] * 16)'
    cmp <(moe-route -m zero.out w.st --jsonl | grep S00) <(grep S00 <after) # the other's embedding is not seen
    edit zero.out topk.out 'for n in list(t):
    if n.endswith("condition.weight"): del t[n]
del m["moe.conditions"]
k = json.loads(m["moe.config"]); k["moe"]["router"] = "topk"; m["moe.config"] = json.dumps(k)'
    cmp <(moe-predict -m zero.out w.st) <(moe-predict -m topk.out w.st)
}

@test "an unknown name is refused by name, and has an embedding where one was trained" {
    moe-split --window 32 --experts 2 --halo 1 --condition-name 3 eeg/S00*.csv -o third.st
    mix m.st w.st
    refused 65 "recording S00_1x.csv: the model does not know condition 3, only 1, 2; a model trained with moe.condition_unknown above 0 accepts others" \
        moe-predict -m m.st third.st
    refused 65 "does not know condition 3" moe-route -m m.st -o never.st third.st
    refused 65 "does not know condition 3" moe-stats --ablate -m m.st third.st
    refused 65 "recording S00_1x.csv has no condition; the model knows 1, 2; name the condition when cutting the recording" \
        moe-predict -m m.st plain.st
    mix u.st --set moe.condition_unknown=0.5 w.st
    [ "$(ask u.st '[t[n][1] for n in t if n.endswith("condition.weight")]')" = "[[3, 8], [3, 8]]" ]
    [ "$(ask u.st 'm["moe.conditions"]')" = '["1","2"]' ]
    [ "$(ask u.st 'all(any(t[n][2][16:]) for n in t if n.endswith("condition.weight"))')" = True ] # it has learned
    [ "$(ask u.st 'all(any(t[n][2][:8]) and any(t[n][2][8:16]) for n in t if n.endswith("condition.weight"))')" = True ]
    mix never.out --set moe.condition_unknown=1e-12 w.st # none is drawn: a row of zeros more, and nothing else is another
    edit never.out without.out 'for n in t:
    if n.endswith("condition.weight"):
        assert not any(t[n][2][16:])
        t[n] = c.tensor("F32", [2, 8], t[n][2][:16])'
    cmp <(ask m.st t) <(ask without.out t)
    moe-predict -m u.st third.st >unknown
    cmp unknown <(moe-predict -m u.st plain.st | head -16) # without a name as with an unknown one
    run ! cmp -s unknown <(moe-predict -m u.st w.st | head -16)
    moe-route -m u.st third.st | moe-stats >stats
    moe-stats --ablate -m u.st w.st >stats
    [ "$(moe-stats --describe u.st w.st plain.st | jq -c '[.conditions, .windows_by_condition]' | tr '\n' ' ')" = \
        '[["1","2"],null] [null,{"1":32,"2":32}] [null,null] ' ]
}

@test "recordings as CSV get the names that moe-split would give them; windows have theirs" {
    mix m.st w.st
    moe-predict -m m.st --condition '_(.)x' eeg/S03_2x.csv >csv
    cmp csv <(moe-predict -m m.st w.st | grep S03)
    cmp csv <(moe-predict -m m.st --condition-name 2 eeg/S03_2x.csv)
    cmp <(moe-route -m m.st --jsonl --condition '_(.)x' eeg/*.csv) <(moe-route -m m.st --jsonl w.st)
    refused 65 "has no condition" moe-predict -m m.st eeg/S03_2x.csv
    refused 64 "w.st: a file of windows, and --condition-name is for recordings only" moe-predict -m m.st --condition-name 2 w.st
    mix g.st --set moe.condition=group w.st
    cmp <(moe-predict -m g.st --group '^(S03)' eeg/S03_2x.csv) <(moe-predict -m g.st w.st | grep S03)
    refused 65 "does not know group 03, only S00, S01, S02, S03" moe-predict -m g.st --group '^S(..)' eeg/S03_2x.csv
    refused 64 "--group and --group-name cannot be used together" moe-predict -m g.st --group a --group-name b eeg/S03_2x.csv
}

@test "validation on other groups takes an embedding for unknown ones" {
    group="--set moe.layers=all --set moe.router=condition --set moe.condition=group"
    refused 65 "validation: w.st: recording S01_2x.csv: the model does not know group S01, only S00, S02, S03; a model trained with moe.condition_unknown above 0" \
        moe-train $small $group --valid-groups S01 -o never.st w.st
    moe-split --window 32 --experts 2 --halo 1 eeg/S00*.csv -o one.out
    moe-split --window 32 --experts 2 --halo 1 eeg/S0[123]*.csv -o rest.out
    refused 65 "validation: one.out: recording S00_1x.csv: the model does not know group S00" \
        moe-train $small $group --valid one.out -o never.st rest.out
    for way in "--valid-groups S01 w.st" "--valid one.out rest.out"; do
        mix u.st --set moe.condition=group --set moe.condition_unknown=0.3 $way
        [ "$(ask u.st 'len(json.loads(m["moe.conditions"]))')" = 3 ]
    done
    mix v.st --valid-groups S01 w.st # the condition of the group held out is known
}

@test "the same bytes for any number of threads, and after a stop" {
    for options in "" "--set moe.condition=recording --set moe.condition_unknown=0.4"; do
        for threads in 1 2 3; do
            mix $threads.out $options --set train.epochs=4 --threads $threads w.st
        done
        cmp 1.out 2.out
        cmp 1.out 3.out
        mix half.out $options --state s w.st
        moe-train --resume --state s --set train.epochs=4 --no-history -q -o half.out w.st
        cmp <(tensors 1.out) <(tensors half.out)
        cmp <(ask 1.out 'm["moe.conditions"]') <(ask half.out 'm["moe.conditions"]')
        rm s
    done
    mix a.out --state s w.st
    edit w.st exchanged.st 'm["moe.conditions"] = "[\"2\",\"1\"]"'
    refused 65 "belongs to other windows" moe-train --resume --state s -o never.st exchanged.st
}

@test "a model that is continued keeps its names and its row for unknown ones" {
    mix m.st w.st
    mix u.st --set moe.condition_unknown=0.3 w.st
    edit w.st turned.st 'm["moe.conditions"] = "[\"2\",\"1\"]"
x = t["window.condition"][2]
for i in range(len(x)): x[i] = 1 - x[i]'
    for windows in w turned; do
        moe-train --init m.st --no-history -q -o $windows.out $windows.st
        [ "$(ask $windows.out 'm["moe.conditions"]')" = '["1","2"]' ]
    done
    cmp w.out turned.out
    moe-split --like m.st --condition-name 3 eeg/S0[01]*.csv -o third.st
    refused 65 "the model does not know condition 3" moe-train --init m.st -o never.st third.st
    moe-train --init u.st --no-history -q -o more.out third.st
    [ "$(ask more.out 'm["moe.conditions"]')" = '["1","2"]' ]
    moe-train --init u.st --no-history --set train.weight_decay=0 -q -o more.out third.st # all of it unknown: only that row learns
    known='[list(t[n][2])[:16] for n in sorted(t) if n.endswith("condition.weight")]'
    [ "$(ask u.st "$known")" = "$(ask more.out "$known")" ]
    [ "$(ask u.st "${known/:16/16:}")" != "$(ask more.out "${known/:16/16:}")" ]
    refused 78 "has no embedding for unknown ones" moe-train --init m.st --set moe.condition_unknown=0.1 -o never.st w.st
    refused 78 "has an embedding for unknown ones" moe-train --init u.st --set moe.condition_unknown=0 -o never.st w.st
    refused 78 'moe.condition="group"' moe-train --init m.st --set moe.condition=group -o never.st w.st
    moe-train --init u.st --set moe.condition_unknown=0.1 --no-history -q -o more.out w.st
}

@test "streams and joined files: each brings its list" {
    for i in 0 1 2 3; do
        moe-split --window 32 --experts 2 --halo 1 --condition '_(.)x' eeg/S0$i*.csv -o $i.out
    done
    mix m.st w.st
    cat 1.out 0.out 3.out 2.out | train joined.out --set moe.layers=all --set moe.router=condition -q -
    [ "$(ask joined.out 'm["moe.conditions"]')" = '["2","1"]' ]
    cat 3.out 1.out 0.out 2.out | moe-predict -m m.st | sort >answers
    cmp answers <(moe-predict -m m.st w.st | sort)
    mix u.st --set moe.condition_unknown=0.3 w.st
    cat 3.out 1.out 0.out 2.out plain.st | moe-predict -m u.st | wc -l | grep -qx 128
    moe-route -m u.st 1.out plain.st -o routing.out
    [ "$(ask routing.out 'm["moe.conditions"], list(t["window.condition"][2])[::16]')" = "('[\"2\"]', [0, -1, -1, -1, -1])" ]
    moe-stats routing.out >stats
    moe-route -m u.st plain.st -o routing.out
    [ "$(ask routing.out '"window.condition" in t')" = False ]
}

@test "parameters are counted with the embeddings of the windows' conditions" {
    all="--set moe.layers=all --set moe.router=condition"
    [ "$(moe-train $small $all --print-config w.st | grep '^parameters.*in all' | cut -f2)" -eq \
        $(($(moe-train $small --set moe.layers=all --print-config w.st | grep '^parameters.*in all' | cut -f2) + 2 * 2 * 8)) ]
}
