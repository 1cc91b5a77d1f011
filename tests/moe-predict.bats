#!/usr/bin/env bats
# moe-predict: recordings and windows, channels by name, voting, tables, and what it refuses. Independence of batch, order and
# threads, pipes and full disks are in contracts.bats.
# shellcheck disable=SC2154 # variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
}

# columns FILE PYTHON: a CSV with its rows r changed; the header is rows[0]
columns() {
    python3 -c '
import csv, sys
rows = list(csv.reader(open(sys.argv[1])))
rows = [eval(sys.argv[2]) for r in rows]
csv.writer(sys.stdout, lineterminator="\n").writerows(rows)' "$1" "$2"
}

no_answer() { # no_answer STATUS WORDS ARGUMENTS...
    local wanted=$1 words=$2
    shift 2
    refused "$wanted" "$words" moe-predict "$@" -o never.st
}

@test "a recording is answered as the windows cut from it" {
    moe-split --like m.st eeg/S01_1.csv -o s.st
    moe-predict -m m.st s.st >windows
    moe-predict -m m.st eeg/S01_1.csv >recording
    cmp windows recording
    [ "$(wc -l <recording)" -eq 16 ]
    (cd eeg && moe-predict -m ../m.st S01_1.csv) | cmp - windows
    moe-predict -m m.st eeg/S01_1.csv eeg/S02_1.csv w.st >mixed # kinds may be mixed
    [ "$(wc -l <mixed)" -eq 96 ]
    head -16 mixed | cmp - windows
}

@test "channels in another order, and more of them, give the same bytes" {
    columns eeg/S01_1.csv '[r[3], r[0], r[5], r[2], r[4], r[1]]' >S01_1.csv
    moe-predict -m m.st eeg/S01_1.csv >plain
    moe-predict -m m.st S01_1.csv | cmp - plain
    columns eeg/S01_1.csv 'r[:2] + [rows[0] is r and "EOG" or "12.5"] + r[2:]' >S01_1.csv
    grep -q EOG S01_1.csv
    moe-predict -m m.st S01_1.csv | cmp - plain
    columns eeg/S01_1.csv 'r[:5]' >S01_1.csv # nor does the label
    moe-predict -m m.st S01_1.csv | jq -c 'select(.start < 200) | [.p, .gate]' >unlabelled
    jq -c 'select(.start < 200) | [.p, .gate]' plain | cmp - unlabelled
    moe-predict -m m.st S01_1.csv | jq -e -s 'all(.label == null)'
}

@test "JSON: keys in their order, probabilities and gates that add up, nine digits" {
    moe-predict -m m.st w.st >said
    [ "$(jq -c keys_unsorted said | sort -u)" = '["recording","group","start","time","label","class","p","logits","gate"]' ]
    [ "$(jq -c '[.p, .logits, .gate | length]' said | sort -u)" = "[2,2,2]" ]
    jq -es 'all((.p | add - 1 | fabs) < 1e-8 and (.gate | add - 1 | fabs) < 1e-6)' said
    jq -es 'all(.time == .start / 64)' said
    jq -es 'all(.class == (if .p[0] >= .p[1] then "rest" else "task" end))' said
    jq -es 'all((.p[0] / .p[1] | log) - (.logits[0] - .logits[1]) | fabs < 1e-6)' said
    [ "$(jq -r '[.recording, .group, .label] | @tsv' said | sort | uniq -c | wc -l)" -eq 8 ]
    [ "$(jq -r .start said | sort -n | tail -1)" -eq 480 ]
    grep -qE '"p":\[0\.[0-9]{8,9},' said
}

@test "--csv and --tsv hold what the JSON holds, awkward names included" {
    edit w.st odd.st 'm["moe.recordings"] = json.dumps(["a,b \"c\"\n.csv", "tab\there", "", "\u00e9"])
m["moe.groups"] = json.dumps(["", "x,y", "line\nend", "z"])'
    edit m.st odd.model 'm["moe.classes"] = json.dumps(["re,st", "t\"k"])
r = json.loads(m["moe.regions"]); r[0]["name"] = "le,ft"; m["moe.regions"] = json.dumps(r)'
    moe-predict -m odd.model odd.st >said.json
    moe-predict -m odd.model --csv odd.st >said.csv
    moe-predict -m odd.model --tsv odd.st >said.tsv
    python3 - <<'END'
import csv, json
answers = [json.loads(line) for line in open("said.json")]
names = ["recording", "group", "start", "time", "label", "class", "p_re,st", 'p_t"k', "logit_re,st", 'logit_t"k', "gate_le,ft", "gate_1"]
rows = list(csv.reader(open("said.csv", newline="")))
assert rows[0] == names, rows[0]
assert len(rows) == len(answers) + 1
for r, a in zip(rows[1:], answers):
    assert len(r) == 12, r
    assert r[:2] == [a["recording"], a["group"]] and r[4:6] == [a["label"] or "", a["class"]], r
    assert [float(x) for x in r[2:4] + r[6:]] == [a["start"], a["time"]] + a["p"] + a["logits"] + a["gate"], r
lines = open("said.tsv").read().split("\n")
assert lines.pop() == "" and lines[0].split("\t") == names, lines[0]
assert len(lines) == len(answers) + 1
for line, a in zip(lines[1:], answers):
    r = line.split("\t")
    assert len(r) == 12 and r[0] == a["recording"].replace("\t", " ").replace("\n", " "), r
END
    no_answer 64 "exclude each other" -m m.st --csv --tsv w.st
}

@test "--per recording votes with the mean of the probabilities" {
    moe-predict -m m.st w.st >windows
    moe-predict -m m.st --per recording w.st >votes
    [ "$(jq -c keys_unsorted votes | sort -u)" = '["recording","group","windows","label","class","p","gate"]' ]
    [ "$(jq -r .recording votes | tr '\n' ' ')" = "S00_1.csv S01_1.csv S02_1.csv S03_1.csv " ]
    [ "$(jq -r .windows votes | sort -u)" -eq 16 ]
    [ "$(jq -r .label votes | sort -u)" = null ] # both classes are in each
    python3 - <<'END'
import json
windows = [json.loads(line) for line in open("windows")]
for v in (json.loads(line) for line in open("votes")):
    mine = [w for w in windows if w["recording"] == v["recording"]]
    for key in "p", "gate":
        for i, x in enumerate(v[key]):
            assert abs(x - sum(w[key][i] for w in mine) / len(mine)) < 1e-8, (key, x)
    assert v["class"] == ("rest", "task")[v["p"][1] > v["p"][0]]
END
    edit w.st half.st 'l = t["window.label"][2]; s = t["window.sample"][2]
for i in range(len(l)): l[i] = -1 if s[i] >= 256 else l[i]'
    moe-predict -m m.st --per recording half.st >half # labelled windows agree
    [ "$(jq -r '.label | type' half | sort -u)" = string ]
    moe-predict -m m.st --per recording --csv w.st >votes.csv
    [ "$(head -1 votes.csv)" = "recording,group,windows,label,class,p_rest,p_task,gate_0,gate_1" ]
    [ "$(sed 1d votes.csv | wc -l)" -eq 4 ]
    [ "$(sed -n 2p votes.csv | cut -d, -f1-4)" = "S00_1.csv,S00,16," ]
    moe-split --like m.st eeg/S00_1.csv -o a.st # pieces of one recording are one
    cat a.st a.st | moe-predict -m m.st --per recording >twice
    [ "$(jq -c .windows twice)" -eq 32 ]
    moe-predict -m m.st --per recording eeg/*.csv | cmp - votes
}

@test "--reject answers unsure where the largest probability is small, and changes nothing else" {
    moe-predict -m m.st w.st >plain
    between() { sort -g | sed -n "$1,$(($1 + 1))p" | jq -s 'add / 2'; }
    bar=$(jq '.p | max' plain | between 32) # half of the 64
    moe-predict -m m.st --reject "$bar" w.st >said
    jq -e -s --argjson bar "$bar" 'all(if (.p | max) < $bar then .class == "unsure" else .class != "unsure" end)' said
    n=$(jq -r .class said | grep -cx unsure)
    [ "$n" -gt 16 ] && [ "$n" -lt 48 ]
    jq -c 'del(.class)' said >said.rest
    jq -c 'del(.class)' plain | cmp - said.rest
    jq -c 'select(.class != "unsure")' said >sure
    run ! grep -qFxv -f plain sure
    for form in csv tsv; do
        moe-predict -m m.st --reject "$bar" --$form w.st | sed 1d | grep -cw unsure | grep -qx "$n"
    done
    moe-predict -m m.st --per recording w.st >votes
    bar=$(jq '.p | max' votes | between 2)
    moe-predict -m m.st --per recording --reject "$bar" w.st >unsure
    [ "$(jq -r .class unsure | grep -cx unsure)" -eq 2 ]
    [ "$(jq -c .p unsure)" = "$(jq -c .p votes)" ]
    moe-predict -m m.st --per recording --reject "$bar" --csv w.st | grep -c ,unsure, | grep -qx 2
}

@test "--reject: a bar out of reach, and a class named unsure, are refused" {
    no_answer 64 "--reject 0.5 has no effect: the largest of 2 probabilities is never below 1/2" -m m.st --reject 0.5 w.st
    no_answer 64 "--reject" -m m.st --reject 1.5 w.st
    no_answer 64 "--reject" -m m.st --reject much w.st
    edit m.st odd.model 'm["moe.classes"] = "[\"rest\",\"unsure\"]"'
    no_answer 64 'a class named "unsure"' -m odd.model --reject 0.9 w.st
    moe-predict -m odd.model w.st | jq -r .class | sort -u | grep -qxE 'rest|unsure' # without the option it is a name like others
}

@test "labels the model does not know are told as they are" {
    edit w.st other.st 'm["moe.classes"] = "[\"sleep\",\"rest\"]"'
    moe-predict -m m.st other.st >said
    [ "$(jq -r .label said | sort -u | tr '\n' ' ')" = "rest sleep " ]
    [ "$(jq -r .class said | sort -u | grep -c sleep)" -eq 0 ]
    moe-predict -m m.st w.st | jq -c .p >p
    jq -c .p said | cmp - p
}

@test "a missing channel is an error that lists what is there, unless asked otherwise" {
    columns eeg/S01_1.csv '[r[0]] + r[2:]' >S01_1.csv
    first=$(head -1 eeg/S01_1.csv | cut -d, -f2) rest=$(head -1 eeg/S01_1.csv | cut -d, -f3-5 | sed 's/,/, /g')
    no_answer 65 "$first" -m m.st S01_1.csv
    [[ "$output" == *"$rest"* ]]
    moe-predict -m m.st --missing-channel zero S01_1.csv | jq -c .p >zero.p
    moe-predict -m m.st --missing-channel interp S01_1.csv | jq -c .p >interp.p
    moe-predict -m m.st eeg/S01_1.csv | jq -c .p >whole
    run ! cmp -s zero.p interp.p
    run ! cmp -s zero.p whole
    # zero is a channel of zeros; interp the mean of the region's other channels (one has the channel at all, the first)
    columns eeg/S01_1.csv 'r if r is rows[0] else [r[0], "0"] + r[2:]' >zeros.csv
    moe-predict -m m.st zeros.csv | jq -c .p | cmp - zero.p
    [ "$(ask m.st '[c for c in json.loads(m["moe.regions"])[1]["channel"]]')" = "[1, 2, 3, -1]" ]
    [ "$(ask m.st '[c for c in json.loads(m["moe.regions"])[0]["channel"]]')" = "[-1, 0, 1, 2]" ]
    columns eeg/S01_1.csv 'r if r is rows[0] else [r[0], repr((float(r[2]) + float(r[3])) / 2)] + r[2:]' >means.csv
    moe-predict -m m.st means.csv | jq -c '.p[]' >means
    paste -d' ' <(jq '.[]' interp.p) means | awk '{ d = $1 - $2; if (d < -1e-5 || d > 1e-5) bad = 1 } END { exit bad }'
    columns eeg/S01_1.csv '[r[0], rows[0] is r and "other" or "1"] + r[5:]' >none.csv
    for way in error interp zero; do
        no_answer 65 "other" -m m.st --missing-channel $way none.csv
    done
    no_answer 64 "error|interp|zero" -m m.st --missing-channel guess S01_1.csv
}

@test "a missing channel of a windows file, too" {
    first=$(ask w.st 'json.loads(m["moe.channels"])[0]')
    moe-split --window 32 --experts 1 --halo 0 --drop "$first" eeg/*.csv -o fewer.st
    no_answer 65 "fewer.st: missing channel $first; the file has" -m m.st fewer.st
    moe-split --window 32 --experts 1 --halo 0 eeg/*.csv -o all.st
    edit all.st zeros.st 'x = t["expert.0"][2]
for i in range(0, len(x), 4): x[i] = 0'
    moe-predict -m m.st --missing-channel zero fewer.st >a
    moe-predict -m m.st zeros.st | cmp - a
}

@test "recordings and windows of another rate, length or kind are refused" {
    columns eeg/S01_1.csv 'r if r is rows[0] else ["%.9f" % (float(r[0]) / 2)] + r[1:]' >fast.csv
    no_answer 65 "128" -m m.st fast.csv
    moe-split --window 16 --experts 2 --halo 1 eeg/S01_1.csv -o short.st
    no_answer 65 "windows of 16 samples instead of 32" -m m.st short.st
    edit w.st rate.st 'm["moe.rate"] = "128"'
    no_answer 65 "sampled at 128 Hz instead of 64 Hz" -m m.st rate.st
    head -20 eeg/S01_1.csv >brief.csv
    no_answer 65 "brief.csv" -m m.st brief.csv
    no_answer 65 "not a windows file" -m m.st m.st
    columns eeg/S01_1.csv 'r[1:]' >untimed.csv # without times the model's rate is taken
    moe-predict -m m.st untimed.csv | jq -c .p >a
    moe-predict -m m.st eeg/S01_1.csv | jq -c .p | cmp - a
}

@test "bad input is named, and nothing is written" {
    no_answer 64 "-m MODEL is missing" w.st
    no_answer 66 none.st -m none.st w.st
    no_answer 65 "not a model" -m w.st w.st
    no_answer 65 eeg/S01_1.csv -m eeg/S01_1.csv w.st
    no_answer 66 none.csv -m m.st none.csv
    no_answer 66 eeg -m m.st eeg
    : >empty.csv
    no_answer 65 "empty.csv" -m m.st empty.csv
    head -1 eeg/S01_1.csv >header.csv
    no_answer 65 "header.csv" -m m.st header.csv
    sed '7s/,[^,]*,/,/' eeg/S01_1.csv >ragged.csv
    no_answer 65 "ragged.csv:7" -m m.st ragged.csv
    sed '9s/,[^,]*,/,loud,/' eeg/S01_1.csv >text.csv
    no_answer 65 "text.csv:9" -m m.st text.csv
    sed '9s/,[^,]*,/,nan,/' eeg/S01_1.csv >nan.csv
    no_answer 65 "nan.csv:9" -m m.st nan.csv
    sed '5s/,/,"/' eeg/S01_1.csv >quote.csv
    no_answer 65 "quote.csv" -m m.st quote.csv
    sed '5s/,/,\x00/' eeg/S01_1.csv >nul.csv
    no_answer 65 "nul.csv" -m m.st nul.csv
    echo '<!DOCTYPE html><html></html>' >page.csv
    no_answer 65 "page.csv" -m m.st page.csv
    gzip -c eeg/S01_1.csv >packed.csv
    no_answer 65 "gzip" -m m.st packed.csv
    printf 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n' >pointer.csv
    no_answer 65 "LFS" -m m.st pointer.csv
    printf '0       %248s' x >edf.csv
    no_answer 65 "EDF" -m m.st edf.csv
    head -c 4000 w.st >cut.st
    no_answer 65 "cut.st" -m m.st cut.st
    head -c 3000 m.st >cut.model
    no_answer 65 "cut.model" -m cut.model w.st
    edit w.st nan.st 't["expert.0"][2][4 * 700 + 1] = math.nan'
    no_answer 65 "recording S01_1.csv: channel" -m m.st nan.st
    [[ "$output" == *"sample 188 is not a finite number"* ]]
    no_answer 64 "--batch" -m m.st --batch 0 w.st
    no_answer 65 "larger" -m m.st --max-header 1024 w.st || no_answer 65 "header" -m m.st --max-header 1024 w.st
}

@test "what was answered before a damaged file stands, and the status tells" {
    moe-split --like m.st eeg/S01_1.csv -o a.st
    run --separate-stderr bash -c '(cat a.st; echo rubbish that is no file) | moe-predict -m m.st'
    [ "$status" -eq 65 ]
    [ "${#lines[@]}" -eq 16 ]
    [[ "$stderr" == "moe-predict: standard input"* ]]
}

@test "a state file is a model, too" {
    # shellcheck disable=SC2086
    moe-train $small --no-history --set train.epochs=1 --state s.state -o x w.st
    moe-predict -m x w.st >a
    moe-predict -m s.state w.st | cmp - a
}

@test "-q holds back what is no error" {
    columns eeg/S01_1.csv '[r[0]] + r[2:]' >S01_1.csv
    moe-predict -m m.st --missing-channel interp S01_1.csv >a 2>said
    grep -q "moe-predict: S01_1.csv: channel .* is missing" said
    moe-predict -m m.st --missing-channel interp -q S01_1.csv 2>said | cmp - a
    [ ! -s said ]
}

@test "experts left out: as in moe-route, and the answers change" {
    moe_model mix.st
    moe-predict -m mix.st w.st >whole
    moe-predict -m mix.st --omit 0 w.st >cut.jsonl
    run ! cmp -s whole cut.jsonl
    moe-predict -m mix.st --only 1,2,3 w.st | cmp - cut.jsonl
    moe-predict -m mix.st --omit 0 --layer 0,1 --region 0,1 --batch 3 --threads 3 w.st | cmp - cut.jsonl
    jq -c .gate cut.jsonl >a
    moe-route -m mix.st --omit 0 --jsonl w.st | jq -c .gate | cmp - a
    # an expert without effect can be left out without effect
    moe_model one.model moe.top_k=1
    edit one.model silent.st '
for k in (0, 1):
    for l in (0, 1):
        at = "experts.%d.transformer.layers.%d.moe.experts.linear2." % (k, l)
        for i in range(64): t[at + "weight"][2][i] = 0.0
        for i in range(8): t[at + "bias"][2][i] = 0.0'
    moe-predict -m silent.st w.st >whole
    moe-predict -m silent.st --omit 0 w.st | cmp - whole
    refused 64 "--layer has no effect without --only" moe-predict -m mix.st --layer 0 w.st
    refused 64 "no expert 9" moe-predict -m mix.st --only 9 w.st
}

@test "the manual's examples run" {
    cp m.st model.safetensors
    cp m.st other.safetensors
    cp w.st windows.st
    cp eeg/S0[12]_1.csv .
    cp eeg/S03_1.csv new.csv
    columns new.csv '[r[0]] + r[2:]' >loose.csv
    run_examples moe-predict.1 4
}
