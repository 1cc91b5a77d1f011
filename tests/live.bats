#!/usr/bin/env bats
# Live streams: each window as a file of its own as soon as its last row is there, and the answer to it. Nothing here depends
# on how long something takes: what must not wait for the end of the input is read before the input ends.
# shellcheck disable=SC2002 # a pipe is what is meant
load train_helpers

setup_file() {
    make_data
}

files() { # files FILE: the number of containers in it
    python3 -c '
import json, struct, sys
raw, at, n = open(sys.argv[1], "rb").read(), 0, 0
while at < len(raw):
    k = struct.unpack("<Q", raw[at:at + 8])[0]
    head = json.loads(raw[at + 8:at + 8 + k])
    at += 8 + k + max(t["data_offsets"][1] for name, t in head.items() if name != "__metadata__")
    n += 1
assert at == len(raw)
print(n)' "$1"
}

unlabelled() { # unlabelled FILE: the recording without its label and its times
    cut -d, -f2-5 "$1"
}

@test "the windows of a live stream are those of the file made at once" {
    for how in "--window 32 --stride 10" "--window 32 --stride 50" "--window 20 --stride 7 --align grid --label-rule majority" \
        "--window 40 --align grid --label-rule last" "--window 0.5s --stride 0.1s --align grid"; do
        # shellcheck disable=SC2086
        moe-split $how --experts 2 --halo 1 -o whole.st eeg/*.csv
        # shellcheck disable=SC2086
        moe-split $how --experts 2 --halo 1 --live eeg/*.csv | cat >live.st
        pieces whole.st >whole
        pieces live.st >live
        cmp whole live
        [ "$(wc -l <live)" -gt 20 ]
        [ "$(files live.st)" -eq "$(wc -l <live)" ]
    done
}

@test "a live stream has the answers of the file made at once, line for line" {
    moe-split --like m.st eeg/S00_1.csv | moe-predict -m m.st >whole
    [ "$(wc -l <whole)" -gt 10 ]
    moe-split --like m.st --live eeg/S00_1.csv | moe-predict -m m.st >live
    cmp whole live
    moe-split --like m.st --live eeg/S00_1.csv | moe-predict -m m.st --batch 1 >live
    cmp whole live
    moe-predict -m m.st <eeg/S00_1.csv >whole
    cat eeg/S00_1.csv | moe-predict -m m.st >live
    cmp whole live
    cat eeg/S00_1.csv | moe-predict -m m.st --batch 3 >live
    cmp whole live
    cat eeg/S00_1.csv | moe-predict -m m.st --per recording >live
    moe-predict -m m.st --per recording <eeg/S00_1.csv | cmp - live
    moe-route -m m.st --jsonl <eeg/S00_1.csv >whole
    cat eeg/S00_1.csv | moe-route -m m.st --jsonl >live
    cmp whole live
}

@test "one call joins a live stream to one routing" {
    moe-route -m m.st --no-history -o whole.st <eeg/S00_1.csv
    cat eeg/S00_1.csv | moe-route -m m.st --no-history -o piped.st
    cat eeg/S00_1.csv | moe-route -m m.st --no-history | moe-stats >piped
    moe-stats whole.st | cmp - piped
    [ "$(ask whole.st 't["gate.weight"][1]')" = "$(ask piped.st 't["gate.weight"][1]')" ]
}

@test "a pipe into a pipe is live unasked, unless there are labels" {
    unlabelled eeg/S00_1.csv >plain.csv
    cat plain.csv | moe-split --experts 2 --window 32 --rate 64 | cat >live.st
    [ "$(files live.st)" -eq 16 ]
    cat plain.csv | moe-split --experts 2 --window 32 --rate 64 --no-live | cat >one.st
    [ "$(files one.st)" -eq 1 ]
    [ "$(pieces one.st)" = "$(pieces live.st)" ]
    cat plain.csv | moe-split --experts 2 --window 32 --rate 64 >one.st
    [ "$(files one.st)" -eq 1 ]
    cat plain.csv | moe-split --experts 2 --window 32 --rate 64 -o one.st
    [ "$(files one.st)" -eq 1 ]
    moe-split --experts 2 --window 32 --rate 64 plain.csv | cat >one.st
    [ "$(files one.st)" -eq 1 ]
    cat eeg/S00_1.csv | moe-split --experts 2 --window 32 | cat >one.st
    [ "$(files one.st)" -eq 1 ]
    cat plain.csv | moe-split --experts 2 --window 32 --rate 64 --missing interp | cat >one.st
    [ "$(files one.st)" -eq 1 ]
    mkfifo pipe
    cat pipe >live.st &
    cat plain.csv | moe-split --experts 2 --window 32 --rate 64 -o pipe
    wait
    [ "$(files live.st)" -eq 16 ]
}

@test "classes that are not given are numbered as they appear, and matched by name" {
    { echo a,label && printf '1,no\n2,no\n3,go\n4,go\n5,no\n6,no\n'; } >S1.csv
    moe-split --experts 1 --halo 0 --window 2 --rate 10 --live S1.csv | cat >live.st
    [ "$(pieces live.st | cut -d' ' -f1,2 | xargs)" = "0 no 2 go 4 no" ]
    grep -aoE '"moe.classes":"[^:]*",' live.st >classes
    [ "$(sort classes | uniq -c | awk '{ print $1 }' | xargs)" = "2 1" ] # no,go twice, no alone at first
    head -n 1 classes | grep -vF go
    moe-split --experts 1 --halo 0 --window 2 --rate 10 --live --classes go,no S1.csv | cat >live.st
    [ "$(grep -aoE '"moe.classes":"[^:]*go[^:]*no[^:]*",' live.st | wc -l)" -eq 3 ]
}

@test "what contradicts a live stream is refused" {
    refused 64 "--live writes one file after another, and a regular file holds only one" moe-split --live -o never.st eeg/S00_1.csv
    run bash -c 'moe-split --live eeg/S00_1.csv >out.st'
    [ "$status" -eq 64 ]
    [[ $output == "moe-split: standard output: --live writes one file after another"* ]]
    [ ! -s out.st ]
    refused 64 "--explain needs the end of the recording" moe-split --live --explain eeg/S00_1.csv
    refused 64 "--missing interp needs the values after a missing one" moe-split --live --missing interp eeg/S00_1.csv
    refused 64 "--live and --no-live cannot be used together" moe-split --live --no-live eeg/S00_1.csv
}

@test "a live stream without a window, or damaged, ends with an error behind what was good" {
    run bash -o pipefail -c 'printf "a\n1\n2\n" | moe-split --experts 1 --window 3 --rate 10 | cat'
    [ "$status" -eq 65 ]
    [[ $output == "moe-split: no window: stdin: no window: its longest segment of one label without a gap has 2 rows, and a window needs 3"* ]]
    run bash -o pipefail -c '{ head -100 eeg/S00_1.csv; echo 1,2; } | moe-predict -m m.st 2>&1'
    [ "$status" -eq 65 ]
    [ "$(grep -c '"start"' <<<"$output")" -ge 1 ]
    [[ $output == *"standard input:101: 2 cells, but the first row has"* ]]
    run bash -o pipefail -c '{ moe-split --like m.st --live eeg/S00_1.csv; echo rubbish; } | moe-predict -m m.st 2>&1'
    [ "$status" -eq 65 ]
    [ "$(grep -c '"start"' <<<"$output")" -eq "$(moe-predict -m m.st eeg/S00_1.csv | wc -l)" ]
}

@test "cells without a value: their windows are left out and counted, in a live stream too" {
    { echo a && printf '%s\n' 1 2 3 4 NA 6 7 8 9; } >S1.csv
    run bash -c 'moe-split --experts 1 --halo 0 --window 2 --rate 10 --missing drop-window --live S1.csv 2>said | cat >live.st; cat said'
    [ "$output" = "moe-split: S1.csv: 1 window left out because 1 cell has no value" ]
    [ "$(pieces live.st | cut -d' ' -f1 | xargs)" = "0 2 6" ]
}

# talk RECORDING COMMAND...: runs it between two pipes and asks for an answer while its input is still open, window by window
talk() {
    local line i recording=$1
    shift
    mkfifo in out
    "$@" <in >out 3>&- &
    exec 8>in 9<out
    head -n 1 "$recording" >&8
    for i in 0 1 2 3 4; do
        sed -n "$((2 + 32 * i)),$((33 + 32 * i))p" "$recording" >&8
        read -r -t 60 line <&9 || { echo "no answer to window $i" && return 1; }
        echo "$line"
    done
    exec 8>&-
    [ -z "$(cat <&9)" ]
    exec 9<&-
    wait $!
    rm in out
}

@test "an answer comes as soon as its window is whole, while the input is open" {
    cut -d, -f1-5 eeg/S01_1.csv >S01_1.csv # without labels
    moe-predict -m m.st S01_1.csv | sed 's/S01_1.csv/stdin/' | head -n 5 >want
    talk S01_1.csv moe-predict -m m.st >got
    sed 's/"group":"S01"/"group":"stdin"/' want | cmp - got
    talk S01_1.csv bash -o pipefail -c 'moe-split --like m.st --group-name S01 | moe-predict -m m.st' >got
    cmp want got
    talk S01_1.csv moe-route -m m.st --jsonl >got
    [ "$(wc -l <got)" -eq 5 ]
}
