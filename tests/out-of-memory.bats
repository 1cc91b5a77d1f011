#!/usr/bin/env bats
# Out of memory: always status 71, one sentence that bears the program's name and says what would need less, and nothing left behind.
# Where it can be foreseen, training is refused before it begins.
# shellcheck disable=SC2086,SC2154 # $small is several words; status and output are those of run

load train_helpers

setup_file() {
    sanitized && return
    make_data
    head -n 2 eeg/S00_1.csv | sed '2s/^[^,]*/"&"/' >quoted.csv
    tail -n +3 eeg/S00_1.csv >>quoted.csv
    moe-train $small --set moe.layers=all --set train.epochs=1 --no-history -q -o mix.st w.st
    moe-route -m mix.st w.st -o r.st
    moe-predict -m mix.st w.st | sed -n '1p;40p' >two.jsonl
    # calls of malloc and its kin that fail one by one
    "${CC:-cc}" -std=c11 -O1 -shared -fPIC -o no_memory.so "$BATS_TEST_DIRNAME/shim/no_memory.c" -ldl
}

sanitized() {
    ldd "$(command -v "${MOE_BIN:-build/bin}/moe-split")" | grep -q 'asan\|tsan'
}

# once more, since the helper's setup does not skip
eval "helpers_$(declare -f setup)"
setup() {
    sanitized && skip "a sanitizer takes memory of its own"
    helpers_setup
    cp "$BATS_FILE_TMPDIR"/{no_memory.so,two.jsonl,quoted.csv} .
    export MOE_THREADS=1
}

# calls COMMAND...: how often it asks for memory
calls() {
    FAIL_COUNT=count LD_PRELOAD=$PWD/no_memory.so "$@" >/dev/null 2>&1
    cat count
}

# exhausted STEP COMMAND...: one call fails in each run, every STEPth of them in turn, and the command ends as it should
exhausted() {
    local step=$1 n i got
    shift
    n=$(calls "$@")
    [ "$n" -gt 20 ]
    rm -rf whole
    [ ! -e result ] || mv result whole
    echo "$n calls: $*"
    for ((i = 1; i <= n; i += step)); do
        got=0
        FAIL_ONCE=1 FAIL_AT=$i LD_PRELOAD=$PWD/no_memory.so "$@" >/dev/null 2>err || got=$?
        echo "call $i: $got: $(cat err)"
        [ "$got" -eq 71 ]
        [ "$(wc -l <err)" -eq 1 ]
        grep -q "^$1: out of memory.*; .*, or raise the limit (ulimit -v, ulimit -d)$" err
        [ ! -e result ] || [ -d result ] || cmp result whole # memory that was missing after it was in place
        [ -z "$(find . -name '.*.tmp*')" ]
    done
}

@test "in JSON and in quoted cells of CSV: the libraries take memory as all do" {
    # by themselves they would ask for it behind our back, and say what we cannot tell from damage
    FAIL_OF=libcjson
    export FAIL_OF
    [ "$(calls moe-score --resamples 0 two.jsonl)" -eq 0 ]
    [ "$(calls moe-predict -m mix.st w.st)" -eq 0 ]
    FAIL_OF=libcsv
    [ "$(calls moe-split --window 32 --experts 2 --group 'S0.|q' -o result quoted.csv)" -eq 0 ]
    unset FAIL_OF
    rm result
    exhausted 2 moe-score --resamples 0 two.jsonl
    exhausted 5 moe-split --window 32 --experts 2 --group 'S0.|q' -o result quoted.csv
}

@test "in every program" {
    exhausted 150 moe-predict -m mix.st -o result w.st
    exhausted 170 moe-route -m mix.st -o result w.st
    exhausted 40 moe-stats -o result r.st
    exhausted 15 moe-synth --subjects 1 --seconds 2 --force -o result
    exhausted 80 moe-train -q $small --set train.epochs=1 -o result w.st
    exhausted 150 moe-cv -q $small --set train.epochs=1 -o result w.st
}

@test "on several threads one sentence is said" {
    n=$(calls moe-cv -q $small --threads 3 --set train.epochs=1 -o result w.st)
    for part in 3 4 5 6 7; do
        got=0
        FAIL_AT=$((n * part / 8)) LD_PRELOAD=$PWD/no_memory.so \
            moe-cv -q $small --threads 3 --set train.epochs=1 -o result2 w.st 2>err || got=$?
        [ "$got" -eq 71 ]
        [ "$(wc -l <err)" -eq 1 ]
        [ ! -e result2 ] && [ -z "$(find . -name '.*.tmp*')" ]
    done
}

@test "training says what it is at" {
    n=$(calls moe-train -q $small --set train.epochs=1 -o result w.st)
    FAIL_AT=$((n - 200)) LD_PRELOAD=$PWD/no_memory.so run moe-train -q $small --set train.epochs=1 -o result w.st
    [ "$status" -eq 71 ]
    [[ $output == "moe-train: out of memory"*" while training a model of "*" parameters in batches of 32 windows; use fewer --threads,"* ]]
}

# limited KILOBYTES COMMAND...: with so much address space
limited() {
    local kilobytes=$1
    shift
    run bash -c 'ulimit -v "$1" && shift && exec "$@"' bash "$kilobytes" "$@"
}

@test "a model that cannot fit is refused before it is made, with its size and the way out" {
    limited 1500000 moe-train --preset multimind -o x.st w.st
    [ "$status" -eq 71 ]
    size=$(moe-train --preset multimind --print-config w.st | awk -F'\t' '$1 == "parameters" && $3 == "in all" { print $2 }')
    [ "$size" -gt 500000000 ]
    [[ $output == "moe-train: the model has $size parameters in 2 regions: training it needs at least "*" GB "*" GB are available (ulimit -v); cut the windows in one region (moe-split --regions 1 --halo 0), "*encoder.hidden_dim*moe.num_experts* ]]
    # parameters, gradient, two moments are the least there can be
    gigabytes=${output#* at least }
    gigabytes=${gigabytes%% GB*}
    awk -v g="$gigabytes" -v n="$size" 'BEGIN { exit !(g * 1e9 > n * 16 && g * 1e9 < n * 80) }'
    [ ! -e x.st ]
    limited 1500000 moe-train --preset multimind -o x.st one.st
    [ "$status" -eq 71 ]
    [[ $output != *regions* && $output != *'one region'* && $output == *'or make it smaller'* ]]
    # the best parameters so far are kept, too
    limited 1500000 moe-train --preset multimind --valid-groups S00 -o x.st one.st
    [[ $output == *'best parameters so far'* ]]
    limited 1500000 moe-cv --threads 3 --preset multimind -o x.st w.st
    [ "$status" -eq 71 ]
    [[ $output == "moe-cv: the model has $size parameters in 2 regions: training folds at the same time needs "*"use fewer --threads"* ]]
    [ ! -e x.st ]
    run bash -c 'ulimit -d 1000000 && exec moe-train --preset multimind -o x.st one.st'
    [ "$status" -eq 71 ]
    [[ $output == *'GB are available (ulimit -d)'* ]]
    # what fits is trained
    limited 1500000 moe-train -q $small --set train.epochs=1 -o x.st w.st
    [ "$status" -eq 0 ]
}

@test "a large preset for one region says so where there are several" {
    large="--preset transformer --set encoder.layers=8 --threads 1"
    run moe-train $large -o nowhere/x.st w.st
    [ "$status" -eq 73 ]
    size=$(moe-train $large --print-config w.st | awk -F'\t' '$1 == "parameters" && $3 == "in all" { print $2 }')
    [[ ${lines[0]} == "moe-train: preset transformer is meant for windows of one region: with 2 regions it has $size parameters, and training needs at least 0."*" GB; moe-split --regions 1 --halo 0 cuts windows of one region" ]]
    run moe-cv $large -o nowhere/x.jsonl w.st
    [[ ${lines[0]} == "moe-cv: preset transformer is meant for windows of one region: "* ]]
    # not where it was asked to be quiet, where there is one region, where it is small, where the preset has regions
    for quietly in "-q $large -o nowhere/x.st w.st" "$large -o nowhere/x.st one.st" \
        "$large --set encoder.hidden_dim=32 -o nowhere/x.st w.st" "--set encoder.hidden_dim=512 --set encoder.layers=6 --threads 1 -o nowhere/x.st w.st"; do
        run moe-train $quietly
        [ "$status" -eq 73 ]
        [ "${#lines[@]}" -eq 1 ]
    done
}
