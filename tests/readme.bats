#!/usr/bin/env bats
# The README's pipeline is run as it stands there, and what it promises is there.

setup() {
    readme=$BATS_TEST_DIRNAME/../README.md
    PATH=$MOE_BIN:$PATH
    cd "$BATS_TEST_TMPDIR" || exit 1
}

block() { # block N: the N-th fenced sh block
    awk -v n="$1" '/^```/ { if (inside) inside = 0; else { inside = 1; if ($0 == "```sh") i++; else i += 0; shell = $0 == "```sh" } next }
        inside && shell && i == n' "$readme"
}

@test "the two commands are targets of the Makefile" {
    block 1 | grep -q "make deps demo"
    block 1 | grep -q "make deps test"
    cd "$BATS_TEST_DIRNAME/.."
    for target in deps demo test; do grep -q "^$target:" Makefile; done
}

@test "the pipeline runs, line by line" {
    block 2 >pipeline.sh
    [ "$(wc -l <pipeline.sh)" -ge 4 ]
    run bash -eu -o pipefail pipeline.sh
    echo "$output"
    [ "$status" -eq 0 ]
    tail -n 2 <<<"$output" >lines
    jq -es '.[0] | length == 4 and (add | . > 0.999 and . < 1.001)' lines
    jq -es '.[1] | .class == "rest" or .class == "task"' lines
}

@test "it is one page, and the tables of the benchmark are where make bench-results writes them" {
    [ "$(wc -l <"$readme")" -le 110 ]
    cd "$BATS_TEST_DIRNAME/bench"
    for part in model training-run; do
        [ "$(grep -cxF -e "<!-- bench $part -->" -e "<!-- /bench $part -->" RESULTS.md)" -eq 2 ]
    done
    cp RESULTS.md "$BATS_TEST_TMPDIR/results.md"
    cat >"$BATS_TEST_TMPDIR/lines" <<'END'
{"what":"machine","cpu":"a processor","cores":2,"blas":"a library","compiler":"cc","peers":{},"threads":2,"rounds":1,"time":""}
{"what":"others","share":0}
{"what":"reach","part":"training-run","row":"a row","ours":1,"peer":2,"who":"another","unit":"s","score":2,"less":false,"least":null,"aim":null,"verdict":""}
END
    ./table.py "$BATS_TEST_TMPDIR/lines" --write "$BATS_TEST_TMPDIR/results.md"
    grep -qxF '| a row | 1.00 s | 2.00 s, another | 2.00 |' "$BATS_TEST_TMPDIR/results.md"
    diff <(sed '/<!-- bench training-run -->/,/<!-- .bench training-run -->/d' RESULTS.md) \
        <(sed '/<!-- bench training-run -->/,/<!-- .bench training-run -->/d' "$BATS_TEST_TMPDIR/results.md")
}

@test "there are no further commands, and every file it points to exists" {
    [ -z "$(block 3)" ]
    cd "$BATS_TEST_DIRNAME/.."
    grep -oE '\]\([^)#]+\)' README.md | tr -d '()]' | while read -r target; do
        case $target in
        http*) ;;
        *) [ -e "$target" ] || { echo "$target is missing"; exit 1; } ;;
        esac
    done
}
