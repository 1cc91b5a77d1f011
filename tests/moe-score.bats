#!/usr/bin/env bats
# moe-score: figures against those of a second implementation (tests/reference/score.py), how lines go together, bad input.

bats_require_minimum_version 1.5.0

setup() {
    PATH=$(realpath "${MOE_BIN:-build/bin}"):$PATH
    golden=$BATS_TEST_DIRNAME/golden
    cd "$BATS_TEST_TMPDIR" || exit 1
    export TMPDIR=$BATS_TEST_TMPDIR
}

refused() { # refused STATUS WORDS COMMAND...
    local status_wanted=$1 words=$2
    shift 2
    run --separate-stderr "$@"
    echo "status $status: $output $stderr"
    [ "$status" -eq "$status_wanted" ]
    [ -z "$output" ]
    [[ $stderr == moe-score:* ]]
    [[ $stderr == *"$words"* ]]
    [ "$(wc -l <<<"$stderr")" -eq 1 ]
}

check() { # check NAME [OPTIONS]: the figures of tests/golden/score-NAME.json
    moe-score "${@:2}" "$golden/score-$1.jsonl" >got
    python3 -B "$BATS_TEST_DIRNAME/reference/score.py" --check got "$golden/score-$1.json"
}

# line GROUP START LABEL CLASS P...: one line; LABEL and CLASS as JSON
line() {
    local p
    p=$(printf ',%s' "${@:5}")
    printf '{"recording":"%s_1.csv","group":"%s","start":%s,"time":0,"label":%s,"class":%s,"p":[%s]}\n' "$1" "$1" "$2" "$3" "$4" "${p#,}"
}

# four: two groups of two windows, the classes a and b, three of four right
four() {
    line S0 0 '"a"' '"a"' 0.9 0.1
    line S0 10 '"b"' '"b"' 0.2 0.8
    line S1 0 '"a"' '"b"' 0.4 0.6
    line S1 10 '"b"' '"b"' 0.3 0.7
}

near() { # near FILTER VALUE FILE: to 1e-8
    jq -e --argjson want "$2" "($1) as \$got | (\$got - \$want) | fabs < 1e-8" "$3" >/dev/null || {
        echo "$1 of $(cat "$3") is not $2"
        return 1
    }
}

# --- figures

@test "two classes: figures are those of a second implementation" {
    check two 2>said
    [ "$(cat said)" = "moe-score: 3 windows without a label are not counted" ]
}

@test "three classes, two seeds, windows not answered: figures are those of a second implementation" { check three; }

@test "a paired comparison: p is that of a second implementation" {
    for metric in acc logloss; do
        moe-score -q "$golden/score-other.jsonl" --compare "$golden/score-two.jsonl" --metric $metric >got
        near .compare.difference "$(jq .$metric.difference "$golden/score-other.json")" got
        near .compare.p "$(jq .$metric.p "$golden/score-other.json")" got
        [ "$(jq -c '.compare | [.exact, .flips]' got)" = '[true,256]' ]
    done
    near .accuracy "$(jq .accuracy "$golden/score-other.json")" got
    moe-score -q "$golden/score-two.jsonl" --compare "$golden/score-other.jsonl" --metric logloss >back
    near .compare.difference "$(jq '0 - .compare.difference' got)" back
    near .compare.p "$(jq .compare.p got)" back
    moe-score -q "$golden/score-two.jsonl" --compare "$golden/score-two.jsonl" >same
    [ "$(jq -c '.compare | [.difference, .p]' same)" = '[0,1]' ]
}

@test "more than 20 groups: signs are drawn" {
    for i in $(seq 25); do
        line "S$i" 0 '"a"' '"a"' 0.9 0.1
        line "S$i" 5 '"b"' '"b"' 0.1 0.9
    done >good
    sed 's/"class":"a","p":\[0.9,0.1\]/"class":"b","p":[0.3,0.7]/' good >worse
    moe-score good --compare worse --seed 3 >got
    near .compare.difference 0.5 got
    [ "$(jq -c '.compare | [.groups, .exact, .flips]' got)" = '[25,false,10000]' ]
    near .compare.p 0.0000999900010 got # none of the draws is as large: 1 / 10001
    # half the groups better, half worse: chance does as much, nearly always
    { head -n 24 worse && tail -n 26 good; } >left
    { head -n 24 good && tail -n 26 worse; } | awk 'NR > 48' >tail_of
    { head -n 24 good && awk 'NR > 24 && NR <= 48' worse && cat tail_of; } >right
    moe-score left --compare right --seed 3 >got
    jq -e '.compare.p > 0.8' got
    moe-score left --compare right --seed 3 | cmp - got
}

@test "a figure by group: its own accuracy, its own limit; the mean counts groups alike" {
    { four && line S1 20 '"a"' '"b"' 0.1 0.9; } | moe-score >got
    [ "$(jq -c '.by_group[] | [.group, .windows, .accuracy, .balanced_accuracy]' got | tr -d '\n')" = \
        '["S0",2,1,1]["S1",3,0.333333333,0.5]' ]
    near .accuracy 0.6 got
    near .over_groups.accuracy 0.666666667 got
    [ "$(jq -c .confusion got)" = '[[1,2],[0,2]]' ]
}

@test "intervals: over groups, the same for the same seed; none for one group or no draws" {
    moe-score -q "$golden/score-two.jsonl" >a
    moe-score -q "$golden/score-two.jsonl" | cmp - a
    moe-score -q --seed 2 "$golden/score-two.jsonl" | jq -e --slurpfile a a '.accuracy_interval != $a[0].accuracy_interval and .accuracy == $a[0].accuracy'
    jq -e '.accuracy_interval[0] < .accuracy and .accuracy < .accuracy_interval[1]' a
    moe-score -q --resamples 0 "$golden/score-two.jsonl" | jq -e '.accuracy_interval == [null, null]'
    grep '"P0"' "$golden/score-two.jsonl" | moe-score -q | jq -e '.accuracy_interval == [null, null] and .over_groups.accuracy_interval == [null, null] and (.notes | length) == 2'
    four | moe-score | jq -e '.accuracy_interval == [0.5, 1]' # groups are right in 1 and in 0.5 of their windows
}

@test "the order of the lines and their distribution over files do not matter" {
    moe-score -q "$golden/score-three.jsonl" >whole
    sort "$golden/score-three.jsonl" | moe-score -q | jq 'del(.by_run)' | cmp - <(jq 'del(.by_run)' whole)
    split -n l/3 "$golden/score-three.jsonl" part.
    moe-score -q part.* | cmp - whole
    moe-score -q part.aa - part.ac <part.ab | cmp - whole
}

@test "a class without windows is left out of balanced accuracy and AUROC, and said" {
    {
        line S0 0 '"a"' '"a"' 0.5 0.4 0.1
        line S0 1 '"b"' '"b"' 0.3 0.4 0.3
        line S1 0 '"b"' '"a"' 0.5 0.2 0.3
        line S1 1 '"a"' '"c"' 0.2 0.2 0.6
    } >three
    moe-score three >got 2>said
    grep -q "no window has the label c" said
    [ "$(jq -r '.notes[0]' got)" = "no window has the label c: balanced accuracy and AUROC are those of the other classes" ]
    near .balanced_accuracy 0.5 got
    near .auroc 0.4375 got # of a .5 .2 against .3 .5: 1.5 of 4; of b .4 .2 against .4 .2: 2 of 4
}

@test "windows of one class only: what cannot be said is null" {
    { line S0 0 '"a"' '"a"' 0.9 0.1 && line S0 1 '"a"' '"b"' 0.4 0.6 && line S0 2 null '"b"' 0.4 0.6; } | moe-score -q >got
    jq -e '.auroc == null and .kappa == 0 and .accuracy == 0.5 and .balanced_accuracy == 0.5 and .confusion == [[1, 1], [0, 0]]' got
    { line S0 0 '"a"' '"a"' 0.9 0.1 && line S1 1 null '"b"' 0.4 0.6; } | moe-score -q | jq -e '.kappa == null and .groups == 1 and .unlabelled == 1'
}

@test "rejected windows: figures count them, answered does not" {
    four | sed '3s/"class":"b"/"class":"unsure"/' | moe-score >got
    jq -e '.accuracy == 0.75 and .answered.accuracy == 1 and .answered.balanced_accuracy == 1 and .answered.coverage == 0.75' got
    four | sed '3s/"class":"b"/"class":null/' | moe-score | cmp - got
    four | moe-score | jq -e 'has("answered") | not'
    # nobody is answered
    four | sed 's/"class":"."/"class":null/' | moe-score --classes a,b | jq -e '.answered.coverage == 0 and .answered.accuracy == null and .accuracy == 0.75'
    # a class may be called so
    four | sed 's/"b"/"unsure"/g' | moe-score --classes a,unsure | jq -e '.classes[1] == "unsure" and .accuracy == 0.75 and (has("answered") | not)'
}

# --- the order of p

@test "the order of the classes comes from the lines" {
    four | moe-score | jq -e '.classes == ["a", "b"]'
    { line S0 0 '"z"' '"z"' 0.9 0.1 && line S0 1 '"b"' '"b"' 0.1 0.9; } | moe-score -q | jq -e '.classes == ["z", "b"]'
    # never the answer: the label that is left
    { line S0 0 '"z"' '"z"' 0.9 0.1 && line S0 1 '"b"' '"z"' 0.8 0.2; } | moe-score -q | jq -e '.classes == ["z", "b"] and .confusion == [[1, 0], [1, 0]]'
    # equal probabilities do not tell
    { line S0 0 '"a"' '"b"' 0.5 0.5 && four | tail -n 3; } | moe-score -q | jq -e '.classes == ["a", "b"] and .accuracy == 0.5'
    four | sed 's/"p"/"classes":["a","b"],"p"/' | moe-score | cmp - <(four | moe-score)
    four | moe-score --classes 'a, b' | cmp - <(four | moe-score)
}

@test "classes that cannot be told, or do not agree, are refused" {
    { line S0 0 '"a"' '"a"' 0.9 0.1 && line S0 1 '"a"' '"a"' 0.8 0.2; } >a
    refused 65 "number 2 of p is never the largest, so its class is not known" moe-score a
    moe-score -q --classes a,b a | jq -e '.accuracy == 1 and .confusion == [[2, 0], [0, 0]]'
    { line S0 0 '"a"' '"a"' 0.9 0.05 0.05 && line S0 1 '"b"' '"a"' 0.8 0.1 0.1 && line S0 2 '"c"' '"a"' 0.8 0.1 0.1; } >b
    refused 65 "--classes" moe-score b
    { four && line S9 0 '"a"' '"a"' 0.1 0.9; } >c
    refused 65 "c:5: number 2 of p is the largest and the class is a" moe-score c
    four >d
    refused 65 "d:1: the class is a, but with the classes b, a the largest p belongs to b" moe-score --classes b,a d
    refused 65 "the list of classes has 3 names" moe-score --classes a,b,c d
    refused 65 "class a occurs twice" moe-score --classes a,a d
    refused 65 "d:1: label a is not a class of the model (b, c)" moe-score --classes b,c d
    sed 's/"label":"."/"label":null/' d >n
    refused 65 "n:1: class a is not among b, c" moe-score --classes b,c n
    sed 's/"p"/"classes":["a","b"],"p"/' d >e
    refused 64 "--classes b,a: the predictions name other classes" moe-score --classes b,a e
    sed '2s/\["a","b"\]/["b","a"]/' e >f
    refused 65 "f:2: the classes, or their order, differ from those before" moe-score f
    { cat d && line S9 0 '"x"' '"a"' 0.9 0.1; } >g
    refused 65 "g:5: label x is not a class of the model (a, b)" moe-score g
}

# --- what goes together

@test "several seeds: means over them, and each" {
    four | sed 's/"p"/"seed":7,"p"/' >one
    four | sed -e 's/"class":"a","p":\[0.9,0.1\]/"class":"b","p":[0.1,0.9]/' -e 's/"p"/"seed":8,"p"/' >two
    cat one two | moe-score >got
    jq -e '.windows == 4 and .accuracy == 0.625 and .by_run[0].accuracy == 0.75 and .by_run[1].accuracy == 0.5' got
    jq -e '[.by_run[].seed] == ["7", "8"] and .confusion == [[1, 3], [0, 4]] and .by_group[0].accuracy == 0.75' got
    near .chance.limit_95 1 got # of 4 windows
    four | sed 's/"p"/"seed":"7","p"/' | cat - two | moe-score | cmp - got
    { four | sed 's/"p"/"permutation":0,"p"/' && four | sed 's/"p"/"permutation":1,"p"/'; } | moe-score |
        jq -e '[.by_run[].permutation] == ["0", "1"] and .accuracy == 0.75 and .windows == 4'
    { sed 's/"p"/"permutation":0,"p"/' one && sed 's/"p"/"permutation":1,"p"/' one; } | moe-score |
        jq -e '[.by_run[] | [.seed, .permutation]] == [["7", "0"], ["7", "1"]]'
    { cat one && tail -n 3 two; } >fewer
    refused 65 "seed 7 and seed 8 do not have the same windows" moe-score fewer
    { tail -n 3 one && cat two; } >longer
    refused 65 "seed 7 and seed 8 do not have the same windows" moe-score longer
    { cat one && four; } >half
    refused 65 "half:5: the line has no seed or permutation, unlike those before it" moe-score half
    cat one one >twice
    refused 65 "twice:5: the window of S0_1.csv (S0) at sample 0 is also at twice:1 in this run" moe-score twice
    sed 's/"label":"a"/"label":null/' two | cat one - >unlike
    refused 65 "the same labelled windows" moe-score unlike
}

@test "a window that stands there twice is refused" {
    four >a
    refused 65 "a:1: the window of S0_1.csv (S0) at sample 0 is also at a:1" moe-score a a
    { four && line S1 10 '"b"' '"b"' 0.3 0.7; } >b
    refused 65 "b:5: the window of S1_1.csv (S1) at sample 10 is also at b:4" moe-score b
}

@test "adapted predictions are marked, and not scored together with others" {
    four | sed 's/"p"/"adapted":"group","p"/' >adapted
    moe-score adapted | jq -e '.adapted == "group"'
    four | sed 's/"p"/"adapted":true,"p"/' | moe-score | jq -e '.adapted == true'
    four | sed 's/"p"/"adapted":false,"p"/' | moe-score | jq -e '.adapted == false'
    four | sed 's/S/T/g' >plain
    refused 65 "plain:1: the prediction is not adapted to the subjects it is tested on, unlike those before it" moe-score adapted plain
    refused 65 "adapted:1: the prediction is adapted to the subjects it is tested on, unlike" moe-score plain adapted
    sed 's/"adapted":"group"/"adapted":true/' adapted | sed 's/S/T/g' >by
    refused 65 "by:1: the prediction is adapted to the subjects" moe-score adapted by
    four >other
    moe-score adapted --compare other | jq -e '.adapted == "group" and .compare.other_adapted == false'
    moe-score adapted --compare other --report | grep -q "Only adapted is adapted"
}

@test "a comparison wants the same windows and labels, and says what differs" {
    four >a
    { four | head -n 3 && line S7 0 '"a"' '"a"' 0.9 0.1 && line S8 0 '"a"' '"a"' 0.9 0.1; } >b
    refused 65 "a and b do not have the same labelled windows: 1 only in a (the first: S1_1.csv of S1 at 10), 2 only in b (the first: S7_1.csv of S7 at 0)" \
        moe-score a --compare b
    four | sed '2s/"label":"b"/"label":"a"/' >c
    refused 65 "1 with another label (the first: S0_1.csv of S0 at 10)" moe-score a --compare c
    refused 64 "--metric has no effect without --compare" moe-score a --metric acc
    refused 64 "there is no metric \"speed\"" moe-score a --compare a --metric speed
    four | sed 's/"label":"b"/"label":null/' >d
    refused 65 "AUROC is not defined for any single group" moe-score -q d --compare d --metric auroc
}

@test "recordings: the mean of p decides, as with moe-predict" {
    moe-synth --subjects 6 --channels 4 --rate 64 --seconds 6 --seed 5 -o eeg
    for f in eeg/*; do for c in rest task; do { head -n 1 "$f" && grep ",$c" "$f"; } >"${f%.csv}-$c.csv"; done && rm "$f"; done
    moe-split -q --window 32 --experts 2 --halo 1 eeg/*.csv -o w.st
    moe-train -q --set encoder.hidden_dim=8 --set encoder.ffn_dim=8 --set train.epochs=2 -o m.st w.st
    moe-predict -m m.st w.st | moe-score --per recording >got
    moe-predict -m m.st --per recording w.st >votes
    [ "$(jq -s 'map(select(.label == .class)) | length / 12' votes)" = "$(jq .accuracy got)" ]
    jq -e '.per == "recording" and .windows == 12 and .groups == 6 and .mixed == 0' got
    digits='walk(if type == "number" then . * 1e6 | round else . end) | del(.per, .mixed)' # p was printed with nine
    cmp <(moe-score votes | jq -S "$digits") <(jq -S "$digits" got)
    near .log_loss "$(jq -s 'map(-((if .label == "rest" then .p[0] else .p[1] end) | log)) | add / 12' votes)" got
    moe-predict -m m.st w.st | moe-score | jq -e '.windows > 12'
}

@test "recordings of several labels are left out, and said" {
    four >a
    refused 65 "every recording has windows of several labels" moe-score --per recording a
    { four && line S2 0 '"a"' '"a"' 0.9 0.1 && line S2 1 '"a"' '"b"' 0.4 0.6; } | moe-score --per recording >got 2>said
    grep -q "2 recordings with windows of several labels are not counted" said
    jq -e '.windows == 1 and .mixed == 2 and .unlabelled == 0 and .accuracy == 1' got
    # one is not answered when none of its windows is
    { line S2 0 '"a"' null 0.9 0.1 && line S2 1 '"a"' '"a"' 0.9 0.1 && line S3 0 '"b"' null 0.4 0.6; } >b
    moe-score -q --per recording --classes a,b b | jq -e '.answered.coverage == 0.5 and .accuracy == 1'
}

# --- thresholds, tables, words

@test "thresholds: exit status 1, one line, the result all the same" {
    four >a
    moe-score a >want
    run --separate-stderr moe-score a --fail-under bacc=0.75 --fail-under acc=0.5 --fail-over ece=0.9
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    run --separate-stderr moe-score a --fail-under bacc=0.8 --fail-under accuracy=0.5 --fail-over logloss=0.1
    [ "$status" -eq 1 ]
    [ "$output" = "$(cat want)" ]
    [[ $stderr == "moe-score: balanced accuracy 0.75 is below 0.8; log loss "*" is above 0.1" ]]
    run --separate-stderr moe-score -q <(head -n 1 a) --classes a,b --fail-under auroc=0
    [ "$status" -eq 1 ]
    [ "$stderr" = "moe-score: AUROC is not defined for these predictions" ]
    refused 64 "--fail-under bacc: not of the form NAME=X" moe-score a --fail-under bacc
    refused 64 "not of the form" moe-score a --fail-under bacc=high
    refused 64 "--fail-over: there is no metric \"loss\"; choose one of acc, bacc, kappa, f1, auroc, logloss, brier, ece" moe-score a --fail-over loss=1
}

@test "tables: all, groups, seeds; a comparison" {
    { four && line 'S,2' 0 '"a"' '"a"' 0.9 0.1; } >a
    moe-score a --csv >got
    python3 - got <<'END'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1])))
assert [(r["part"], r["name"]) for r in rows] == [("all", ""), ("over_groups", ""), ("group", "S,2"), ("group", "S0"), ("group", "S1")], rows
assert [r["windows"] for r in rows] == ["5", "5", "1", "2", "2"]
assert rows[0]["accuracy"] == "0.8" and rows[2]["auroc"] == "" and rows[3]["accuracy_low"] == "" and rows[0]["limit_95"]
assert all(None not in r and None not in r.values() for r in rows)
END
    moe-score a --tsv | awk -F '\t' 'NF != 17 { exit 1 }'
    moe-score -q --tsv "$golden/score-three.jsonl" | cut -f 1,2 | grep -c 'answered\|run.seed [01]' | grep -qx 3
    moe-score a --compare a --csv | sed -n 2p | grep -qx 'all,,accuracy,0.8,0.8,0,0,0,1'
    refused 64 "exclude each other" moe-score a --csv --report
}

@test "in words: accuracy, chance, confusion, groups" {
    moe-score --report "$golden/score-three.jsonl" >got
    grep -q "^90 windows of 8 groups, mean of 2 runs; adapted" got
    grep -q "^Guessing among 3 classes gets 0.333 right on average; its 95th and 99th percentiles for 90 windows are 0.411 and 0.456: this is above chance (99 %)" got
    grep -q "^Naming right, the most frequent class, gets 0.444 right on average.*within chance" got
    grep -q "^77.8 % were not rejected" got
    grep -q "^left  *25  *16  *11$" got
    grep -c "^P[0-7] " got | grep -qx 8
    moe-score --report "$golden/score-two.jsonl" --compare "$golden/score-two.jsonl" | grep -q "p = 1 of all 256 sign flips"
}

# --- bad input

@test "damaged lines are named" {
    bad() { # bad LINE WORDS SED...
        four | sed "${@:3}" >bad.jsonl
        refused 65 "bad.jsonl:$1: $2" moe-score bad.jsonl
    }
    bad 2 "not JSON" '2s/}$//'
    bad 2 "not JSON" '2s/.*//'
    bad 2 "the line is not an object" '2s/.*/[1]/'
    bad 4 "recording is missing" '4s/"recording"/"file"/'
    bad 3 "group is not a string" '3s/"group":"S1"/"group":1/'
    bad 1 "start is missing" '1s/"start":0,//'
    bad 1 "start is not a whole number" '1s/"start":0/"start":-1/'
    bad 1 "start is not a whole number" '1s/"start":0/"start":0.5/'
    bad 2 "label is missing" '2s/"label":"b",//'
    bad 2 "class is not a string" '2s/"class":"b"/"class":1/'
    bad 3 "p is missing" '3s/"p"/"q"/'
    bad 3 "p is not a list of two or more" '3s/\[.*\]/[1]/'
    bad 3 "p is not a list of probabilities" '3s/\[.*\]/["a","b"]/'
    bad 3 "p is not a list of probabilities" '3s/\[.*\]/[-0.4,1.4]/'
    bad 3 "p has 3 numbers, but 2 in the lines before" '3s/\[.*\]/[0.2,0.2,0.6]/'
    bad 3 "p adds up to 0.7" '3s/\[.*\]/[0.1,0.6]/'
    bad 1 "classes is not a list of names" '1s/"p"/"classes":[1],"p"/'
    bad 1 "adapted is neither" '1s/"p"/"adapted":1,"p"/'
    bad 1 "seed is neither a number nor a string" '1s/"p"/"seed":[],"p"/'
    head -c 100 bad.jsonl >cut.jsonl
    refused 65 "cut.jsonl:1: not JSON" moe-score cut.jsonl
    four | sed 's/$/\r/' | moe-score | cmp - <(four | moe-score) # line ends of another system
    printf %s "$(four)" | moe-score | cmp - <(four | moe-score)  # no line end after the last
}

@test "empty, missing and foreign files" {
    : >empty
    refused 65 "empty" moe-score empty
    refused 66 "missing.jsonl" moe-score missing.jsonl
    refused 65 "a safetensors file, not predictions" moe-score "$golden/seed.safetensors"
    four | sed 's/"label":"."/"label":null/' >unlabelled
    refused 65 "unlabelled: no line has a label" moe-score unlabelled
    four >a
    refused 66 "missing.jsonl" moe-score a --compare missing.jsonl
    run bash -c 'moe-score a >/dev/full'
    [ "$status" -eq 74 ]
    refused 64 "would be replaced" moe-score -o a a
    moe-score -o out a
    moe-score a | cmp - out
}

@test "the examples of the page run" {
    moe-synth --subjects 6 --channels 4 --rate 64 --seconds 8 --seed 5 -o eeg
    moe-split -q --window 32 --experts 2 --halo 1 eeg/S0[0-3]*.csv -o train.st
    moe-split -q --window 32 --experts 2 --halo 1 eeg/S0[45]*.csv -o test.st
    for seed in 1 2; do
        moe-train -q --seed $seed --set encoder.hidden_dim=8 --set encoder.ffn_dim=8 --set train.epochs=3 -o m$seed.st train.st
    done
    cp m1.st model.safetensors
    cp m2.st other.safetensors
    cp m2.st new.safetensors
    awk '/^\.S[hs] / { on = /^\.Ss Examples/ } on && /^\.Ed/ { in_it = 0 } in_it { print } on && /^\.Bd/ { in_it = 1 }' \
        "$BATS_TEST_DIRNAME/../man/moe-score.1" >examples
    [ "$(grep -c moe-score examples)" -ge 4 ]
    run bash -eu -o pipefail examples
    echo "$output"
    [ "$status" -eq 0 ]
    [ ! -e new.safetensors ]
}
