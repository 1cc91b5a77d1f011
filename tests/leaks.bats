#!/usr/bin/env bats
# What is tested on must be new to what was trained on: moe-stats --leak-check, and what moe-train refuses or drops.

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
    moe-split -q --window 32 --experts 2 --halo 1 -o train.st eeg/S0[01]_1.csv
    moe-split -q --window 32 --experts 2 --halo 1 -o test.st eeg/S0[23]_1.csv
}

# leak STATUS FILTER TRAIN TEST: the status, and that the filter is true of the result
leak() {
    run --separate-stderr moe-stats --leak-check "$3" "$4"
    echo "status $status: $output $stderr"
    [ "$status" -eq "$1" ]
    jq -e "$2" <<<"$output" >/dev/null
}

@test "other people, other recordings: no leak" {
    leak 0 '.leak == false and .train_windows == 32 and .test_windows == 32 and .shared_groups == [] and .equal.windows == 0 and .overlapping.windows == 0' train.st test.st
    [ -z "$stderr" ]
    moe-stats --leak-check train.st - < <(cat test.st) | jq -e '.test == "standard input" and .leak == false'
}

@test "a group on both sides is named, also when its windows are others" {
    head -n 257 eeg/S01_1.csv >S01_1.csv
    { head -n 1 eeg/S01_1.csv && tail -n 256 eeg/S01_1.csv; } >S01_2.csv
    moe-split -q --window 32 -o first.st S01_1.csv
    moe-split -q --window 32 -o second.st S01_2.csv
    leak 1 '.leak and .shared_groups == ["S01"] and .equal.windows == 0 and .overlapping.windows == 0' first.st second.st
    [ "$stderr" = "moe-stats: second.st is not independent of first.st: 1 group in both (S01)" ]
}

@test "equal windows are found under another name, in another order of channels and regions" {
    awk -F , -v OFS=, '{ t = $2; $2 = $4; $4 = t; print }' eeg/S00_1.csv >copy_1.csv
    moe-split -q --window 32 --experts 1 --halo 0 -o copy.st copy_1.csv eeg/S02_1.csv
    leak 1 '.shared_groups == [] and .equal.windows == 16 and (.equal.first | length) == 5 and .overlapping.windows == 0 and
        .equal.first[1] == {"test": {"recording": "copy_1.csv", "group": "copy", "start": 32}, "train": {"recording": "S00_1.csv", "group": "S00", "start": 32}}' train.st copy.st
    [ "$stderr" = "moe-stats: copy.st is not independent of train.st: 16 identical windows" ]
    # one sample of one channel changed: one window fewer
    awk -F , -v OFS=, 'NR == 40 { $3 = $3 + 1 } { print }' copy_1.csv >near_1.csv
    moe-split -q --window 32 -o near.st near_1.csv
    leak 1 '.equal.windows == 15' train.st near.st
    # only the channels both have are compared
    cut -d , -f 1-4,6 copy_1.csv >fewer_1.csv
    moe-split -q --window 32 --experts 1 -o fewer.st fewer_1.csv
    leak 1 '.equal.windows == 16' train.st fewer.st
}

@test "windows that overlap in time are found whatever the group is called" {
    moe-split -q --group-name other --align grid --window 32 --stride 20 -o shifted.st eeg/S00_1.csv
    leak 1 '.shared_groups == [] and .overlapping.windows == .test_windows and .equal.windows < .test_windows' train.st shifted.st
    # parts of one recording that have no sample in common are none (the group's name keeps the two apart)
    moe-split -q --group-name late --align grid --window 32 -o late.st eeg/S00_1.csv
    moe-split -q --group-name early --align grid --window 32 -o early.st eeg/S01_1.csv
    leak 0 '.same_name == []' early.st late.st
}

@test "a recording of the same name with other samples is another one" {
    mkdir other
    cp eeg/S02_1.csv other/S00_1.csv
    moe-split -q --group-name S02 --window 32 -o other.st other/S00_1.csv
    leak 0 '.same_name == ["S00_1.csv"] and .overlapping.windows == 0' train.st other.st
}

@test "flat windows are no evidence" {
    for name in p q; do
        { echo Fp1,Fp2,label && for _ in $(seq 64); do echo 0,0,a; done && for i in $(seq 64); do echo "$i,$name,b"; done | sed 's/p/1/;s/q/2/'; } >"$name"_1.csv
        moe-split -q --rate 64 --window 32 --experts 1 --halo 0 -o "$name".st "$name"_1.csv
    done
    leak 0 '.flat == 2 and .test_windows == 4 and .equal.windows == 0' p.st q.st
}

@test "of a model the groups are known, and it is said that no more is" {
    leak 0 '.train_windows == null and .equal == null and .overlapping == null' m.st <(moe-split --window 32 --group-name new eeg/S00_1.csv)
    [[ $stderr == *"from a model only the groups are known"* ]]
    leak 1 '.shared_groups == ["S02", "S03"]' m.st test.st
    moe-train -q --valid-groups S03 --set encoder.hidden_dim=8 --set encoder.ffn_dim=8 --set train.epochs=1 -o held.st w.st
    leak 1 '.shared_groups == ["S02"]' held.st test.st
    edit m.st silent.st 'del m["moe.train_groups"]'
    refused 65 "does not say which groups it was trained on" moe-stats --leak-check silent.st test.st
}

@test "what cannot be compared is refused" {
    refused 64 "needs two operands" moe-stats --leak-check train.st
    refused 64 "needs two operands" moe-stats --leak-check train.st test.st w.st
    refused 64 "cannot be combined with other modes" moe-stats --leak-check --csv train.st test.st
    refused 66 "none.st" moe-stats --leak-check none.st test.st
    cat m.st train.st >joined.st
    run bash -c 'cat joined.st | moe-stats --leak-check - test.st'
    [ "$status" -eq 65 ]
    [[ $output == *"a model and windows; give one of the two"* ]]
    refused 65 "text, not a windows file" moe-stats --leak-check train.st eeg/S00_1.csv
    refused 65 "m.st" moe-stats --leak-check train.st m.st
    sed '1s/[A-Z][A-Za-z0-9]*/X&/g' eeg/S02_1.csv >X_1.csv
    moe-split -q --window 32 -o x.st X_1.csv
    refused 65 "no channel in common" moe-stats --leak-check train.st x.st
    edit test.st fast.st 'm["moe.rate"] = "100"'
    refused 65 "train.st has a sampling rate of 64 Hz, but fast.st has 100 Hz" moe-stats --leak-check train.st fast.st
}

@test "training refuses validation on samples it trains on, whatever the groups are called" {
    moe-split -q --window 32 --experts 2 --halo 1 --condition 'S0.' --group-name again --align grid --stride 24 -o again.st eeg/S01_1.csv
    cat w.st again.st >both.st
    train x --set train.epochs=1 - < <(cat both.st) # both train
    rm x
    run train x --set train.epochs=1 --valid-groups again - < <(cat both.st)
    [ "$status" -eq 65 ]
    [[ $output == "moe-train: 20 validation windows share samples with training windows: S01_1.csv belongs to group again at sample 0 and to group S01 at sample 0; "* ]]
    run train x --set train.epochs=1 --valid again.st w.st
    [ "$status" -eq 65 ]
    [[ $output == *"belongs to group again at sample 0 and to group S01 at sample 0"* ]]
    [ ! -e x ]
    train x --set train.epochs=1 --valid-groups again,S01 - < <(cat both.st) # both validate
}

@test "the examples of the page run" {
    train model.safetensors -q --set train.epochs=1 train.st
    cp train.st train.safetensors
    cp test.st test.safetensors
    grep '^moe-stats --leak-check' "$BATS_TEST_DIRNAME/../man/moe-stats.1" >examples
    [ "$(wc -l <examples)" -eq 2 ]
    run bash -eu -o pipefail examples
    [ "$status" -eq 0 ]
    [[ $output == *'"equal":null'*false ]]
}
