#!/usr/bin/env bats
# Views (encoder.views): experts that see different things, each weighed by what it is worth on subjects it was not fitted on.
# shellcheck disable=SC2002,SC2086,SC2154 # pipes are what is meant; options kept in a variable are split on purpose

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
    moe-synth --subjects 8 --channels 6 --rate 64 --seconds 60 --snr 0 --seed 3 -o plain || return 1
    mkdir locked
    for f in plain/*.csv; do deflected "$f" >"locked/${f##*/}"; done
    moe-split -q --window 64 --regions 2 --halo 1 locked/*.csv -o locked.st
    moe-train $small -q --preset views --set train.epochs=2 --no-history -o views.st w.st
}

# cv WINDOWS ARGUMENTS...: the accuracy on subjects held out, of what is there before the first step
cv() {
    moe-cv -q --folds 4 $small --set train.epochs=1 --set train.lr=1e-12 "${@:2}" --keep kept --summary s.json --no-history -o lines "$1"
    jq .accuracy s.json
}

# weight MODEL VIEW
weight() {
    moe-stats "$1" | jq --arg v "$2" '.views[] | select(.view == $v).weight'
}

@test "what is locked to the start of a window is found by the view that sees it, which counts most" {
    alone=$(cv locked.st)
    together=$(cv locked.st --preset views)
    jq -en "$alone < 0.6 and $together > 0.9" >/dev/null || { echo "$alone $together"; false; }
    w=$(weight kept/fold-0.safetensors evoked@head)
    jq -en "$w > 0.7" >/dev/null || { echo "$w"; false; }
}

@test "where nothing is locked to it that view is next to silent, and costs nothing" {
    alone=$(cv w.st)
    together=$(cv w.st --preset views)
    jq -en "$together > $alone - 0.05" >/dev/null || { echo "$alone $together"; false; }
    for fold in 0 1 2 3; do
        w=$(weight kept/fold-$fold.safetensors evoked@head)
        jq -en "$w < 0.15" >/dev/null || { echo "fold $fold: $w"; false; }
    done
}

@test "the regions of the model are those of its views, and moe-train and moe-stats say what each counts" {
    [ "$(moe-stats views.st | jq -c '[.regions[].name]')" = '["covariance@0","covariance@1","relative@head","power@head","evoked@head"]' ]
    moe-stats views.st | jq -e '[.views[].weight] | add > 0.999 and add < 1.001' >/dev/null
    [ "$(moe-stats views.st | jq -c '[.views[].view]')" = '["covariance@regions","relative@head","power@head","evoked@head"]' ]
    moe-stats views.st | jq -e 'all(.views[]; .accuracy > 0 and .accuracy <= 1)' >/dev/null
    run moe-train $small -v --preset views --set train.epochs=1 --no-history -o again.st w.st
    [[ $output == *"what each view counts"*"covariance@regions "*"evoked@head "* ]]
    [ "$(moe-stats m.st | jq 'has("views")')" = false ]
}

@test "file, pipe, recordings and any number of threads have the same bytes" {
    moe-predict -m views.st w.st >whole
    [ "$(jq '.gate | length' whole | sort -u)" = 5 ]
    cat w.st | moe-predict -m views.st | cmp - whole
    moe-predict -m views.st eeg/*.csv | cmp - whole
    moe-predict --batch 1 --threads 1 -m views.st w.st | cmp - whole
    moe-predict --batch 7 --threads 3 -m views.st w.st | cmp - whole
    for threads in 1 3; do
        moe-train $small -q --preset views --set train.epochs=2 --threads $threads --no-history -o t.st w.st
        cmp t.st views.st
    done
    moe-split --live --rate 64 --like views.st - <eeg/S01_1.csv | moe-predict -m views.st >live
    moe-predict -m views.st eeg/S01_1.csv >file
    [ "$(jq -c '[.start, .p]' live)" = "$(jq -c '[.start, .p]' file)" ]
}

@test "windows cut for such a model have the regions its first view was made of" {
    moe-split -q --like views.st eeg/*.csv -o like.st
    [ "$(moe-stats like.st | jq -c '[.regions[].name]')" = '["0","1"]' ]
    moe-predict -m views.st like.st | jq -c '[.start, .p]' >a
    moe-predict -m views.st w.st | jq -c '[.start, .p]' | cmp - a
    moe-train $small -q --preset views --set 'encoder.views=power@head,evoked@head' --set train.epochs=1 --no-history -o head.st w.st
    moe-split -q --like head.st eeg/*.csv -o like.st
    [ "$(moe-stats like.st | jq -c '[.regions[].name]')" = '["head"]' ]
    moe-predict -m head.st like.st >/dev/null
}

@test "training goes on from a state and from a model; routing and ablation know the regions" {
    moe-train $small -q --preset views --set train.epochs=1 --state s --no-history -o one.st w.st
    moe-train $small -q --preset views --set train.epochs=2 --set train.schedule=constant --state c --no-history -o straight.st w.st
    moe-train -q --init views.st --set train.epochs=1 --no-history -o more.st w.st
    [ "$(moe-stats more.st | jq -c .views)" = "$(moe-stats views.st | jq -c .views)" ]
    moe-route -m views.st w.st -o r.st
    moe-stats r.st | jq -e '.gate' >/dev/null
    moe-stats --ablate -m views.st w.st | jq -e '[.. | strings] | index("power@head")' >/dev/null
}

@test "a region of windows that is said to see other tokens, and views that are none, are refused" {
    no_train 78 "TOKENISER@PLACE" --set encoder.views=covariance w.st
    no_train 78 "encoder.tokens has no effect: encoder.views says what tokens are" --set encoder.views=power@head --set encoder.tokens=patch w.st
    moe-train $small -q --preset views --set encoder.tokens=spectral --set train.epochs=1 --no-history -o plain.st w.st
    [ "$(moe-stats plain.st | jq -c '[.regions[].name]')" = '["0","1"]' ]
}
