#!/usr/bin/env bats
# Memory that is no mapped file does not grow with the recordings. Nothing is timed: programs that cut are given a limit on
# such memory, and training is stopped at a known point and asked.
# shellcheck disable=SC2086,SC2154 # $small and $train are several words; load train_helpers sets them
load train_helpers

setup_file() {
    PATH=$(realpath "${MOE_BIN:-build/bin}"):$PATH
    sanitized && return
    cd "$BATS_FILE_TMPDIR" || exit 1
    # 4 MB and 64 MB of rows with a class that changes every second, and an empty cell now and then
    moe-synth --subjects 1 --channels 16 --rate 125 --seconds 60 -o eeg
    cut -d, -f2- eeg/S00_1.csv >rows
    {
        head -n 1 rows
        for _ in 1 2 3 4 5; do tail -n +2 rows | awk -F, -v OFS=, 'NR % 500 == 0 { $3 = "" } { print }'; done
    } >4MB.csv
    { head -n 1 4MB.csv && for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do tail -n +2 4MB.csv; done; } >64MB.csv
    for size in 4 64; do
        moe-split -q --missing interp --rate 125 --window 125 --stride 5 --align grid ${size}MB.csv -o ${size}MB.st
    done
    moe-train $small --set train.epochs=1 --no-history -o m.st 4MB.st
    moe-split -q --rate 125 --window 125 eeg/S00_1.csv -o few.st
}

sanitized() {
    ldd "$(command -v moe-split)" | grep -q asan
}

setup() {
    PATH=$(realpath "${MOE_BIN:-build/bin}"):$PATH
    sanitized && skip "a sanitizer takes memory of its own"
    cd "$BATS_FILE_TMPDIR" || exit 1
    export TMPDIR=$BATS_TEST_TMPDIR MOE_THREADS=2
}

# limited KILOBYTES COMMAND: runs a command of bash with so much memory that is no mapped file
limited() {
    bash -o pipefail -c "ulimit -d $1; $2" >/dev/null 2>&1
}

# least COMMAND: the limit it needs, to 16 KB
least() {
    local low=0 high=65536 middle
    limited $high "$1" || { echo "fails with $high KB" >&2 && return 1; }
    while [ $((high - low)) -gt 16 ]; do
        middle=$(((low + high) / 2))
        if limited $middle "$1"; then high=$middle; else low=$middle; fi
    done
    echo $high
}

# flat SMALL LARGE: the large one runs with the memory the small one needs and a tenth
flat() {
    local need
    need=$(least "$1")
    echo "$need KB are enough for $1"
    limited $((need + need / 10)) "$2"
    ! limited $((need / 4)) "$2" # the limit is one (where a second thread finds no room for its stack one does the work)
}

@test "moe-split: one recording, sixteen times as long" {
    for how in "--missing interp --window 125" "--missing drop-window --window 20 --stride 3 --align grid --label-rule majority"; do
        flat "exec moe-split -q $how --rate 125 -o /dev/null 4MB.csv" "exec moe-split -q $how --rate 125 -o /dev/null 64MB.csv"
    done
}

@test "moe-split: a live stream, sixteen times as long" {
    flat "cat 4MB.csv | moe-split -q --missing drop-window --live --rate 125 --stride 30 | cat" \
        "cat 64MB.csv | moe-split -q --missing drop-window --live --rate 125 --stride 30 | cat"
}

@test "moe-split: eighty recordings instead of five" {
    mkdir -p many
    for i in $(seq 80); do cp 4MB.csv "many/S${i}_1.csv"; done
    flat "exec moe-split -q --missing interp --rate 125 -o /dev/null many/S[1-5]_1.csv" \
        "exec moe-split -q --missing interp --rate 125 -o /dev/null many/*.csv"
    rm -r many
}

# anonymous COMMAND...: kilobytes that are no mapped file when the first line of the log named log is there
anonymous() {
    local child
    rm -f log && mkfifo log
    "$@" 3>&- &
    child=$!
    exec 8<log
    read -r -t 300 _ <&8
    kill -STOP $child
    awk '/^Anonymous:/ { print $2 }' /proc/$child/smaps_rollup
    kill -KILL $child
    wait $child || true
    exec 8<&-
}

@test "moe-train: a file of windows, and a stream of many, sixteen times as long" {
    # on one thread: how the first step's work falls to several is worth hundreds of KB either way
    train="moe-train -q $small --set train.epochs=1 --threads 1 --log-every 1 --log log -o x.st"
    few=$(anonymous $train 4MB.st)
    many=$(anonymous $train 64MB.st)
    echo "$few KB, $many KB"
    [ "$few" -gt 500 ]
    [ "$many" -lt $((few + few / 10 + 64)) ]
    # the same windows in pieces that would each fit into memory
    few=$(anonymous bash -c "exec $train - < <(for _ in 1 2 3 4; do cat 4MB.st; done)")
    many=$(anonymous bash -c "exec $train - < <(for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do cat 4MB.st; done)")
    echo "$few KB, $many KB"
    [ "$many" -lt $((few + few / 5 + 64)) ]
}

@test "moe-cv: a fold that holds sixteen times as many windows out, when its lines are written" {
    cv="moe-cv -q $small --set encoder.tokens=patch --set encoder.patch=125 --set train.epochs=1 --threads 1 --by recording -o log"
    few=$(anonymous $cv few.st 4MB.st)
    many=$(anonymous $cv few.st 64MB.st)
    echo "$few KB, $many KB"
    [ "$few" -gt 500 ]
    [ "$many" -lt $((few + few / 10 + 64)) ]
}

@test "moe-train: layers computed again in backward need less" {
    train="moe-train -q $small --set encoder.layers=6 --set encoder.tokens=sample --set train.epochs=1 --log-every 1 --log log -o x.st"
    for mixtures in none all; do
        kept=$(anonymous $train --set moe.layers=$mixtures few.st)
        again=$(anonymous $train --set moe.layers=$mixtures --set train.recompute=layer few.st)
        echo "mixtures in $mixtures: $kept KB, computed again $again KB"
        [ "$again" -lt $((kept * 2 / 3)) ]
    done
}
