#!/usr/bin/env bats
# moe-stats --ablate: accuracy without each expert and each region, against moe-predict and models with the part taken out.
# shellcheck disable=SC2154 # variables come from the helpers

load train_helpers

setup_file() {
    make_data
    moe_model mix.st train.epochs=12 train.lr=0.01
}

right() { # right MODEL ARGUMENTS...: the share of w.st whose class moe-predict names
    local model=$1
    shift
    moe-predict -m "$model" "$@" w.st | jq -s 'map(select(.class == .label)) | length / 64'
}

@test "accuracy without an expert is that of moe-predict without it" {
    moe-stats --ablate -m mix.st w.st >a.json
    [ "$(jq -c '[.windows, .groups, .resamples, .seed, (.experts | length), (.regions | length)]' a.json)" = '[64,4,1000,"1",16,2]' ]
    [ "$(jq .accuracy a.json)" = "$(right mix.st)" ]
    for k in 0 1; do
        for l in 0 1; do
            for e in 0 3; do
                [ "$(jq ".experts[] | select(.region == $k and .layer == $l and .expert == $e) | .accuracy" a.json)" = "$(right mix.st --region $k --layer $l --omit $e)" ]
            done
        done
    done
    jq -e '.accuracy as $a | [.experts[], .regions[] | (.accuracy - $a - .change | fabs < 1e-8) and .interval[0] <= .change + 1e-9 and .change <= .interval[1] + 1e-9] | all' a.json
    # an expert that shouts is noticed
    edit mix.st loud.st '
for k in (0, 1):
    x, y = t["experts.%d.transformer.layers.1.moe.experts.linear2.bias" % k][2], t["classifier.weight"][2]
    for i in range(8): x[i] = 1000 * (y[i] - y[8 + i])'
    moe-stats --ablate -m loud.st w.st | jq -e '[.experts[].change] | unique | length > 1'
}

@test "accuracy without a region is that of a model whose gate gives it no weight" {
    moe-stats --ablate -m mix.st w.st >a.json
    for k in 0 1; do
        edit mix.st shut.st "t['gate.fc2.bias'][2][$k] = -1e9"
        [ "$(jq ".regions[$k].accuracy" a.json)" = "$(right shut.st)" ]
    done
    # a region that has no say can be left out; the other cannot
    edit mix.st shut.st "t['gate.fc2.bias'][2][1] = -1e9"
    [ "$(moe-stats --ablate -m shut.st w.st | jq -c '.regions[1] | [.change, .interval]')" = '[0,[0,0]]' ]
    [ "$(moe-stats --ablate -m m.st w.st | jq -c '[(.experts | length), (.regions | length)]')" = '[0,2]' ]
}

@test "an interval is a matter of the groups and the seed" {
    moe-stats --ablate -m mix.st --threads 1 w.st >a.json
    moe-stats --ablate -m mix.st --threads 3 --seed 1 w.st | cmp - a.json
    moe-stats --ablate -m mix.st --seed 2 w.st | jq -c 'del(.seed) | del(.. | .interval?)' >b
    jq -c 'del(.seed) | del(.. | .interval?)' a.json | cmp - b
    [ "$(moe-stats --ablate -m mix.st --resamples 0 w.st | jq -c '[.regions[0].interval]')" = '[[null,null]]' ]
    moe-split --like mix.st eeg/S01_1.csv -o single.st
    [ "$(moe-stats --ablate -m mix.st single.st | jq -c '[.groups, .regions[0].interval]')" = '[1,[null,null]]' ]
    # where all groups are alike there is nothing to resample
    cat single.st >x.st
    edit single.st y.st 'm["moe.groups"] = "[\"other\"]"'
    moe-stats --ablate -m mix.st x.st y.st | jq -e '[.groups == 2, (.experts[] | .interval == [.change, .change])] | all'
}

@test "the same as a table and in words" {
    moe-stats --ablate -m mix.st w.st >a.json
    moe-stats --ablate -m mix.st --csv w.st >a.csv
    [ "$(head -1 a.csv)" = region,name,layer,expert,accuracy,change,low,high ]
    [ "$(wc -l <a.csv)" -eq $((1 + 1 + 2 + 16)) ]
    [ "$(awk -F, '$1 == 1 && $3 == 0 && $4 == 2 { print $5 "," $7 }' a.csv)" = "$(jq -r '.experts[] | select(.region == 1 and .layer == 0 and .expert == 2) | "\(.accuracy),\(.interval[0])"' a.json)" ]
    moe-stats --ablate -m mix.st --tsv w.st | tr '\t' ',' | cmp - a.csv
    moe-stats --ablate -m mix.st --report w.st >words
    [ "$(wc -l <words)" -eq 19 ]
    grep -q '^Without expert 2 of layer 0 in region 1 it is ' words
}

@test "the page's example runs" {
    cp mix.st model.safetensors
    cp w.st windows.safetensors
    grep -e '^moe-stats --ablate' "$BATS_TEST_DIRNAME/../man/moe-stats.1" >example
    run bash -eu -o pipefail example
    echo "$output"
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 16 ]
}

@test "what cannot be judged is refused" {
    refused 64 "--ablate: -m MODEL is missing" moe-stats --ablate w.st
    refused 64 "-m is for --ablate" moe-stats -m m.st w.st
    refused 64 "cannot be combined with --raw" moe-stats --ablate --raw -m m.st w.st
    edit w.st blank.st 't["window.label"][2][:] = type(t["window.label"][2])("i", [-1] * 64)'
    refused 65 "no window has a label that is a class of the model" moe-stats --ablate -m mix.st -o never.st blank.st
    edit w.st nan.st 't["expert.0"][2][4 * 700 + 1] = math.nan'
    refused 65 "is not a finite number" moe-stats --ablate -m mix.st -o never.st nan.st
    refused 66 none.st moe-stats --ablate -m mix.st none.st
}
