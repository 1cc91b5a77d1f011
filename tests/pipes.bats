#!/usr/bin/env bats
# What a program writes to standard output, and what the next one reads: a model, lines of routing, answers batch by batch.
# shellcheck disable=SC2086,SC2154 # options kept in a variable are split on purpose; variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
    # capacity that binds, experts of some windows only, and regions with names
    moe_model mixed.st moe.top_k=2 encoder.tokens=sample
    moe_model tight.st moe.top_k=2 encoder.tokens=sample moe.capacity_factor_eval=0.5
    moe-split --window 32 --regions lobes --halo 1 eeg/*.csv -o lobes.st 2>/dev/null
    moe-train -q $small --set moe.layers=all --set train.epochs=1 --no-history -o named.st lobes.st
}

@test "without -o a model goes to standard output, as with -o - and as to a file" {
    train file --set train.epochs=2 w.st
    moe-train $small --no-history --set train.epochs=2 w.st >redirected
    cmp file redirected
    moe-train $small --no-history --set train.epochs=2 <w.st | cat >piped
    cmp file piped
    moe-train $small --no-history --set train.epochs=2 -o - w.st | moe-predict -m /dev/stdin w.st | wc -l | grep -qx 64
    [ ! -e - ]
    # the state of a run that is stopped
    moe-train $small --set train.epochs=1000000 --log log.jsonl -q w.st >stopped 2>said &
    for _ in $(seq 1200); do [ -s log.jsonl ] && break; sleep 0.05; done
    kill -TERM $!
    wait $! || [ $? -eq 143 ]
    [ ! -s stopped ]
    [ "$(ask moe-train.state 'm["moe.format"]')" = state/1 ]
    # a reader that is full, or gone, is an error like any
    run bash -c "moe-train $small -q --set train.epochs=1 w.st >/dev/full"
    [ "$status" -eq 74 ]
    moe-train --help | grep -A1 -e '--output' | grep -q 'instead of standard'
}

@test "lines of routing give moe-stats the figures that the file gives, to the last digit" {
    for form in "" --csv --tsv --raw --report "--permutations 0"; do
        moe-route -m mixed.st w.st | moe-stats $form >file
        moe-route -m mixed.st --jsonl w.st | moe-stats $form >lines 2>said
        cmp file lines || { echo "$form"; false; }
        [ "$(grep -c "standard input: JSON Lines contain neither the names of the regions nor the capacities of the experts" said)" -eq 1 ]
    done
    moe-route -m mixed.st --jsonl w.st >l
    head -n 20 l >l1
    tail -n +21 l >l2
    moe-stats -q l1 l2 >joined 2>said # several files, which are one
    [ ! -s said ]
    moe-route -m mixed.st w.st | moe-stats | cmp - joined
    # what lines do not tell is left out, and nothing else
    for model in tight.st named.st; do
        windows=w.st
        [ $model = tight.st ] || windows=lobes.st
        moe-route -m $model $windows | moe-stats | jq -S 'del(.. | .capacity?, .capacity_utilisation?) | del(.. | .name?) |
            .gate |= walk(if type == "object" then del(.largest) else . end) | del(.gate.regions)' >file
        moe-route -m $model --jsonl $windows | moe-stats -q >told
        jq -S 'del(.. | .capacity?, .capacity_utilisation?) | del(.. | .name?) |
            .gate |= walk(if type == "object" then del(.largest) else . end) | del(.gate.regions)' told >lines
        diff file lines
        jq -e '[.layers[].capacity[]] | all(. == null)' told
    done
    jq -e '.gate.regions == [range(.gate.regions | length) | tostring]' told
    [ "$(moe-route -m named.st lobes.st | moe-stats | jq -r '.gate.regions[0]')" = central ]
}

@test "lines that are none of routing are refused by name and number" {
    moe-route -m mixed.st --jsonl w.st | head -n 4 >l
    refused 65 "standard input:1: layers is missing; lines of routing are those of moe-route --jsonl" moe-stats < <(moe-predict -m m.st w.st)
    refused 65 "text, not a routing file" moe-stats eeg/S00_1.csv
    moe-stats -q --raw l >raw
    refused 65 "counts written by --raw are read with --merge" moe-stats raw
    refused 64 "--describe is for safetensors files" moe-stats --describe l
    n=0
    while IFS= read -r change; do
        jq -c "if input_line_number == 3 then $change else . end" l >bad.l
        run ! cmp -s bad.l <(jq -c . l)
        refused 65 "bad.l:3: " moe-stats bad.l
        n=$((n + 1))
    done <<'END'
del(.gate)
.gate = []
.gate[0] = 1.5
.gate[0] = null
.gate += [0.1]
del(.group)
.recording = 5
.label = 5
.layers = {}
.layers = []
.layers[0].region = 2
.layers[0].layer = 0.5
.layers[1] = .layers[0]
.layers[0].expert[4] = [1, 1]
.layers[0].expert[4][0] = 4
.layers[0].expert[4][0] = -2
.layers[0].expert[4][0] = 0.5
.layers[0].expert[4] = [1]
.layers[0].expert |= .[1:]
.layers[0].weight[4][0] = -1
.layers[0].weight |= .[1:]
.layers[0].probability[4][0] = "x"
.layers[0].probability[4] += [0]
.layers |= reverse
[.]
END
    [ $n -eq 25 ]
    (head -n 2 l && echo '{"recording":') >bad.l
    refused 65 "bad.l:3: not JSON" moe-stats bad.l
}

@test "answers to a windows file come batch by batch: those before a damaged window are there, in a file none" {
    moe-predict -m m.st w.st >whole
    for batch in 1 7 16 64; do
        moe-predict -m m.st --batch $batch w.st >lines
        cmp whole lines
        moe-predict -m m.st --batch $batch -o lines w.st
        cmp whole lines
    done
    edit w.st bad.st 'row = t["window.start"][2][60]
d, (rows, W), x = t["expert.0"]
x[row * W:(row + 1) * W] = c.array.array("f", [math.nan] * W)'
    for form in "" --csv; do
        for batch in 1 7 16 60; do
            code=0
            moe-predict -m m.st --batch $batch $form bad.st >lines 2>said || code=$?
            [ $code -eq 65 ]
            grep -q "bad.st" said
            there=$((60 / batch * batch + (${#form} > 0)))
            [ "$(wc -l <lines)" -eq $there ]
            moe-predict -m m.st $form w.st | head -n $there | cmp - lines
            refused 65 bad.st moe-predict -m m.st --batch $batch $form -o never.st bad.st
        done
    done
    # where all windows are needed before the first answer there is none
    run moe-predict -m m.st --per recording bad.st
    [ "$status" -eq 65 ]
    run ! grep -q '^{' <<<"$output"
}
