#!/usr/bin/env bats
# moe-split: bad input, bad output, bad usage. Each is named, with its exit status, and leaves no file behind.
# shellcheck disable=SC2086 # commands kept in a variable are split on purpose

load split_helpers

@test "bad input: not there, a folder, empty, header only" {
    mkdir folder
    : >empty.csv
    echo a,b,label >header.csv
    printf '# nothing\n' >comment.csv
    refused 66 "absent.csv: No such file" moe-split --rate 1 absent.csv
    refused 66 "folder: is a folder" moe-split --rate 1 folder
    refused 65 "empty.csv: the file is empty" moe-split --rate 1 empty.csv
    refused 65 "header.csv: there is a header but no rows of data" moe-split --rate 1 header.csv
    refused 65 "comment.csv: no rows" moe-split --rate 1 comment.csv
    refused 65 "standard input" moe-split --rate 1 - </dev/null
}

@test "bad input: ragged, text, open quote, NUL, empty line, too long, too wide" {
    s="moe-split --window 1 --experts 1 --rate 1 bad.csv"
    printf 'a,b\n1,2\n3\n' >bad.csv
    refused 65 "bad.csv:3: 1 cells, but the first row has 2" $s
    printf 'a,b\n1,2\n3,4,5\n' >bad.csv
    refused 65 "bad.csv:3: 3 cells, but the first row has 2" $s
    printf 'a,Fz\n1,2\n3,abc\n' >bad.csv
    refused 65 'bad.csv:3: column "Fz": "abc" is not a number' $s
    printf 'a;Fz\n1;2.5\n3;1,5\n' >bad.csv
    refused 65 'bad.csv:3: column "Fz": "1,5" is not a number; decimal commas are read with --decimal ,' $s
    printf 'a;Fz\n1;2,5\n3;1.5\n' >bad.csv
    refused 65 'bad.csv:3: column "Fz": "1.5" is not a number; the decimal sign of this file was taken to be a comma' $s
    refused 65 'bad.csv:2: column "Fz": "2,5" is not a number; decimal commas are read with --decimal ,' $s --decimal .
    printf 'a,b\n1,2\n3,"4\n5,6\n' >bad.csv
    refused 65 "bad.csv:3: a quote is opened and never closed" $s
    { ramp 40 && printf '1,2,\0003\n'; } >bad.csv
    refused 65 "bad.csv:42: there is a NUL byte" $s
    printf 'a,b\n1,2\n\n3,4\n' >bad.csv
    refused 65 "bad.csv:3: there is an empty line" $s
    printf 'a,b\n1,1e39\n' >bad.csv
    refused 65 'bad.csv:2: column "b": 1e39 is too large' $s
    { echo a && head -c 5000 /dev/zero | tr '\0' 1; } >bad.csv
    refused 65 "bad.csv:2: the row is longer than 4000 bytes" $s --max-row 4000
    printf 'a,b,c\n1,2,3\n' >bad.csv
    refused 65 "more columns than --max-columns" $s --max-columns 2
}

@test "bad input: what is not a table is named" {
    s="moe-split --rate 1 bad.csv"
    printf '<!DOCTYPE html>\n<html></html>\n' >bad.csv
    refused 65 "bad.csv: this is a web page" $s
    ramp 3 | gzip >bad.csv
    refused 65 "bad.csv: this is a gzip archive" $s
    printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n' >bad.csv
    refused 65 "bad.csv: this is a git-LFS pointer" $s
    printf '0       X X X X                                          ' >bad.csv
    refused 65 "bad.csv: this is an EDF recording" $s
    ramp 3 >r.csv
    moe-split --window 1 --experts 1 --rate 1 r.csv -o bad.csv
    refused 65 "bad.csv: this is a safetensors file" $s
}

@test "output: nothing binary to a terminal" {
    ramp 9 >r.csv
    script -qec true /dev/null || skip "no terminal can be opened here"
    run script -qec "moe-split --window 4 --experts 1 --rate 1 r.csv" /dev/null
    [ "$status" -eq 64 ]
    [[ "$output" == *"terminal"* ]]
}

@test "output: missing folder, full disk, an old file is kept" {
    ramp 9 >r.csv
    run moe-split --window 4 --experts 1 --rate 1 r.csv -o nowhere/w.st
    [ "$status" -eq 73 ]
    [[ "$output" == *"nowhere/w.st: cannot create it"* ]]
    run moe-split --window 4 --experts 1 --rate 1 r.csv -o /dev/full
    [ "$status" -eq 74 ]
    [[ "$output" == *"/dev/full: cannot write"* ]]
    run bash -c 'moe-split --window 4 --experts 1 --rate 1 r.csv >/dev/full'
    [ "$status" -eq 74 ]
    run bash -c 'moe-split --explain --window 4 --experts 1 --rate 1 r.csv >/dev/full'
    [ "$status" -eq 74 ]
    echo old >w.st
    run moe-split --window 99 --experts 1 --rate 1 r.csv -o w.st
    [ "$status" -eq 65 ]
    [ "$(cat w.st)" = old ]
}

@test "usage: unknown options, values out of range, help and version" {
    refused 64 "did you mean --window?" moe-split --windwo 3
    refused 64 "outside" moe-split --halo -1
    refused 64 "neither a number of samples" moe-split --window x
    run moe-split --help
    [ "$status" -eq 0 ]
    [[ "$output" == *"--label-rule"* ]]
    run moe-split --version
    [ "$status" -eq 0 ]
    [[ "$output" == "moe-split (moe-tools) "* ]]
}
