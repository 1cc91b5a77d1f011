#!/usr/bin/env bats
# moe-synth: recordings whose truth is known.

setup() {
    bin=$(realpath "${MOE_BIN:-build/bin}")
    page=$BATS_TEST_DIRNAME/../man/moe-synth.1
    PATH=$bin:$PATH
    cd "$BATS_TEST_TMPDIR" || exit 1
}

refused() { # refused STATUS WORDS COMMAND...: this exit status, these words in the message, nothing but a message
    local status_wanted=$1 words=$2
    shift 2
    run "$@"
    echo "status $status: $output"
    [ "$status" -eq "$status_wanted" ]
    [[ $output == *"$words"* ]]
    [[ $output == moe-synth:* ]]
}

@test "every subject and session is a file with time, channels, label" {
    moe-synth --subjects 3 --sessions 2 --seconds 10 --channels Fz,Cz,Pz --rate 100 -o eeg
    [ "$(ls eeg)" = "$(printf 'S%02d_%d.csv\n' 0 1 0 2 1 1 1 2 2 1 2 2)" ]
    for f in eeg/*.csv; do
        [ "$(head -1 "$f")" = time,Fz,Cz,Pz,label ]
        [ "$(wc -l <"$f")" -eq 1001 ]
        awk -F, 'NR > 1 && (NF != 5 || $2 !~ /^-?[0-9]+\.[0-9][0-9]$/ || $1 < 0 || $1 - (NR - 2) / 100 > 1e-9) { exit 1 }' "$f"
        [ "$(tail -n +2 "$f" | cut -d, -f5 | sort | uniq -c | tr -s ' ')" = "$(printf ' 500 rest\n 500 task')" ]
    done
}

@test "the same seed gives the same bytes, another one does not, and a subject does not depend on the others" {
    moe-synth --subjects 3 --seconds 4 -o a
    moe-synth --subjects 2 --seconds 4 -o b
    moe-synth --subjects 2 --seconds 4 --seed 2 -o c
    cmp a/S00_1.csv b/S00_1.csv
    cmp a/S01_1.csv b/S01_1.csv
    run cmp -s a/S00_1.csv c/S00_1.csv
    [ "$status" -eq 1 ]
    run cmp -s a/S00_1.csv a/S01_1.csv
    [ "$status" -eq 1 ]
}

@test "values are microvolts of a usual size, and subjects differ" {
    moe-synth --seconds 20 -o eeg
    for f in eeg/*.csv; do
        awk -F, 'NR > 1 { for (i = 2; i < NF; i++) { s += $i; q += $i * $i; n++ } }
            END { printf "%.2f\n", sqrt(q / n - (s / n) ^ 2) }' "$f"
    done >deviation
    cat deviation
    awk '$1 < 4 || $1 > 40 { exit 1 }' deviation
    [ "$(sort -u deviation | wc -l)" -gt 4 ]
}

# power FILE COLUMN HZ LABEL: mean power around HZ in the seconds of a label (two sums per second, at three frequencies)
power() {
    awk -F, -v c="$2" -v hz="$3" -v want="$4" '
        NR > 1 { n++; for (d = -1; d <= 1; d++) { a = 6.283185307 * (hz + d) * (n % 128) / 128
            re[d] += $c * cos(a); im[d] += $c * sin(a) }
            same = same && $NF == want
            if (n % 128 == 0) {
                for (d = -1; d <= 1; d++) { if (same) { sum += re[d] ^ 2 + im[d] ^ 2; m++ } re[d] = im[d] = 0 }
                same = 1 } }
        BEGIN { same = 1 } END { print sum / m }' "$1"
}

@test "the class effect is at its place and frequency and not on the other side of the head" {
    moe-synth --subjects 2 --where O1,O2 --channels Fp1,Fp2,C3,C4,O1,O2 -o eeg
    for f in eeg/*.csv; do
        for c in 6 7; do
            awk -v t="$(power "$f" $c 20 task)" -v r="$(power "$f" $c 20 rest)" 'BEGIN { exit !(t > 5 * r) }'
            awk -v t="$(power "$f" $c 40 task)" -v r="$(power "$f" $c 40 rest)" 'BEGIN { exit !(t < 2 * r && r < 2 * t) }'
        done
        for c in 2 3; do
            awk -v t="$(power "$f" $c 20 task)" -v r="$(power "$f" $c 20 rest)" 'BEGIN { exit !(t < 1.6 * r && r < 1.6 * t) }'
        done
    done
}

@test "the truth says what was put in" {
    moe-synth --subjects 2 --seconds 40 --effect rest:10@Oz --effect 1:22.5@0 --snr 0.5 --channels Fpz,Fz,Cz,Oz \
        --artefacts blink,muscle,flat,gap,pause --truth truth.json --seed 12345678901234567 -o eeg
    [ "$(jq -c '.effects' truth.json)" = '[{"class":"rest","hz":10,"region":null,"channels":["Oz"],"snr":0.5},{"class":"task","hz":22.5,"region":0,"channels":["Fpz"],"snr":0.5}]' ]
    [ "$(jq -r '.seed' truth.json)" = 12345678901234567 ]
    [ "$(jq -c '[.rate,.seconds,.unit,.channels,.classes]' truth.json)" = '[128,40,"uV",["Fpz","Fz","Cz","Oz"],["rest","task"]]' ]
    [ "$(jq -c '[.recordings[] | [.file,.subject,.session]]' truth.json)" = '[["S00_1.csv","S00","1"],["S01_1.csv","S01","1"]]' ]
    [ "$(jq -c '[.recordings[].artefacts[].kind] | unique' truth.json)" = '["blink","flat","gap","muscle","pause"]' ]
    # the labels of the file change where the truth says
    for i in 0 1; do
        jq -r ".recordings[$i].blocks[] | \"\(.start) \(.label)\"" truth.json >told
        python3 - "eeg/S0${i}_1.csv" >found <<'END'
import csv, sys
last = None
for row in csv.DictReader(open(sys.argv[1])):
    if row["label"] != last:
        last = row["label"]
        print(row["time"], last)
END
        paste -d' ' told found >both
        cat both
        [ "$(wc -l <told)" -eq "$(wc -l <found)" ]
        awk '$2 != $4 || $3 - $1 > 2.1 || $3 < $1 { exit 1 }' both # a pause may lie over a change
    done
}

@test "two effects: each class has its rhythm at its place and not the other one" {
    moe-synth --subjects 1 --seconds 120 --channels C3,C4,O1,O2 --effect rest:10@O1+O2 --effect task:22@C3+C4 --snr 0.5 -o eeg
    f=eeg/S00_1.csv
    for c in 4 5; do
        awk -v r="$(power $f $c 10 rest)" -v t="$(power $f $c 10 task)" 'BEGIN { exit !(r > 2 * t) }'
        awk -v r="$(power $f $c 22 rest)" -v t="$(power $f $c 22 task)" 'BEGIN { exit !(r < 2 * t) }'
    done
    for c in 2 3; do
        awk -v r="$(power $f $c 22 rest)" -v t="$(power $f $c 22 task)" 'BEGIN { exit !(t > 5 * r) }'
        awk -v r="$(power $f $c 10 rest)" -v t="$(power $f $c 10 task)" 'BEGIN { exit !(t < 2 * r) }'
    done
}

@test "a relation: bursts at both places in both classes, together in the one and by turns in the other" {
    moe-synth --subjects 2 --seconds 120 --channels F3,F4,C3,C4,O1,O2 --relation F3+F4,O1+O2 --snr 2 --truth truth.json -o eeg
    [ "$(jq -c '[.effects, .relation]' truth.json)" = '[[],{"hz":20,"places":[{"region":null,"channels":["F3","F4"]},{"region":null,"channels":["O1","O2"]}],"burst":1,"cycle":2,"later":{"rest":0,"task":1},"snr":2}]' ]
    for f in eeg/*.csv; do
        for c in 2 7; do # one place alone: as strong in either class
            awk -v t="$(power "$f" $c 20 task)" -v r="$(power "$f" $c 20 rest)" 'BEGIN { exit !(t < 1.3 * r && r < 1.3 * t) }'
        done
        # the two together: the product of their powers, second by second, over the product of their means
        awk -F, 'NR > 1 { n++; for (c = 2; c <= 7; c += 5) { a = 6.283185307 * 20 * (n % 128) / 128
                re[c] += $c * cos(a); im[c] += $c * sin(a) }
            if (n % 128 == 0) { for (c = 2; c <= 7; c += 5) { p[c] = re[c] ^ 2 + im[c] ^ 2; sum[$NF, c] += p[c]; re[c] = im[c] = 0 }
                both[$NF] += p[2] * p[7]; m[$NF]++ } }
            END { for (l in m) print l, both[l] * m[l] / sum[l, 2] / sum[l, 7] }' "$f" >product
        cat product
        awk '$1 == "rest" && $2 < 1.4 || $1 == "task" && $2 > 0.6 { exit 1 }' product
    done
    [ "$(jq -c .relation <(moe-synth --subjects 1 --seconds 2 --truth - -o plain))" = null ]
    [ "$(jq -c '[.effects[].class, .relation.places[].region]' <(moe-synth --subjects 1 --seconds 4 --relation 0,3 \
        --effect task:10@P3 --truth - -o both))" = '["task",0,3]' ]
}

@test "without a place the seed draws a region, and the truth tells it" {
    for seed in 1 2 3 4 5 6 7 8; do
        moe-synth --subjects 1 --seconds 2 --seed $seed --truth - -o "s$seed" >"t$seed"
        jq '.effects[0].region' "t$seed"
    done >regions
    [ "$(sort -u regions | wc -l)" -gt 1 ]
    awk '$1 < 0 || $1 > 3 { exit 1 }' regions
    [ "$(jq -c '.effects[0].channels' <(moe-synth --subjects 1 --seconds 2 --where 3 --truth - -o back))" = '["PO7","PO8","O1","O2"]' ]
    [ "$(jq -c '.effects[0].channels' <(moe-synth --subjects 1 --seconds 2 --channels 10 --experts 4 --where 1 --truth - -o ten))" = \
        "$(jq -c '.channels[3:6]' <(moe-synth --subjects 1 --seconds 2 --channels 10 --truth - -o ten2))" ]
}

@test "artefacts: empty cells, missing rows, a channel that stands still, blinks at the front" {
    moe-synth --subjects 1 --seconds 30 --artefacts gap,pause,flat --truth t.json -o eeg
    grep -q ',,' eeg/S00_1.csv
    [ "$(wc -l <eeg/S00_1.csv)" -lt 3841 ]
    c=$(($(jq '(.recordings[0].artefacts[] | select(.kind == "flat")).channel as $c | .channels | index($c)' t.json) + 2))
    awk -F, -v c=$c '$c != "" && $c == last { same++; if (same > most) most = same } $c != last { same = 0 } { last = $c }
        END { exit most < 40 }' eeg/S00_1.csv
    moe-synth --subjects 1 --seconds 30 --artefacts blink -o blinks
    moe-synth --subjects 1 --seconds 30 -o clean
    paste -d, blinks/S00_1.csv clean/S00_1.csv | awk -F, 'NR > 1 { front = $2 - $20 > front ? $2 - $20 : front
        back = $17 - $35 > back ? $17 - $35 : back } END { print front, back; exit !(front > 50 && back < 5) }'
}

@test "recordings that exist are kept unless --force is given" {
    mkdir eeg
    echo precious >eeg/S01_1.csv
    refused 73 'eeg/S01_1.csv: already exists' moe-synth --subjects 2 --seconds 2 -o eeg
    [ "$(ls eeg)" = S01_1.csv ]
    [ "$(cat eeg/S01_1.csv)" = precious ]
    echo mine >eeg/notes.txt
    moe-synth --subjects 2 --seconds 2 --force -o eeg
    [ "$(wc -l <eeg/S01_1.csv)" -eq 257 ]
    [ "$(cat eeg/notes.txt)" = mine ]
    ls eeg # nothing temporary is left
    [ "$(find eeg -type f | wc -l)" -eq 3 ]
}

@test "a folder that cannot be made, a file in its place, no folder at all" {
    touch file
    refused 73 'cannot create this folder' moe-synth -o nowhere/eeg
    refused 73 'is not a folder' moe-synth -o file
    refused 64 '-o FOLDER is missing' moe-synth
    refused 64 'not to standard output' moe-synth -o -
    refused 73 'nowhere/t.json' moe-synth --subjects 1 --seconds 2 --truth nowhere/t.json -o eeg
    [ ! -e eeg ]
    refused 73 'cannot create this folder' moe-synth --truth t.json -o nowhere/eeg
    [ ! -e t.json ]
}

@test "a full disk is an error" {
    refused 74 'No space left' moe-synth --subjects 1 --seconds 2 --truth /dev/full -o eeg
    # a recording that is larger than a file may be
    # shellcheck disable=SC2016 # for the inner shell
    refused 74 'full/S00_1.csv: cannot write' bash -c 'trap "" XFSZ; ulimit -f 1; exec moe-synth --subjects 1 --seconds 9 -o full'
}

@test "what does not fit is refused with a word on what does" {
    refused 64 'unknown option --subject; did you mean --subjects?' moe-synth --subject 3 -o x
    refused 64 '"Q7" is not an electrode' moe-synth --channels Cz,Q7 -o x
    refused 64 '"Cz" is listed twice' moe-synth --channels Cz,Pz,Cz -o x
    refused 64 'give a list of 10-05 names' moe-synth --channels 500 -o x
    moe-synth --subjects 1 --seconds 2 --channels Oz -o one # regions never outnumber channels unless asked for
    [ "$(head -1 one/S00_1.csv)" = time,Oz,label ]
    refused 64 'there is no region 4; --regions 4 makes regions 0 to 3' moe-synth --where 4 -o x
    refused 64 'channel "Oz" is not one of Fp1' moe-synth --where Oz -o x
    refused 64 '5 regions (--regions) for 2 channels' moe-synth --channels 2 --experts 5 -o x
    refused 64 'write CLASS:HZ@PLACE' moe-synth --effect 10@O1 -o x
    refused 64 'class "nap" is not one of rest, task' moe-synth --effect nap:10@O1 -o x
    refused 64 'below half the rate' moe-synth --effect task:64@O1 -o x
    refused 64 '"fast" is not a frequency' moe-synth --effect task:fast@O1 -o x
    refused 64 'leave --where out' moe-synth --effect task:10@O1 --where 2 -o x
    refused 64 'write PLACE,PLACE' moe-synth --relation 0 -o x
    refused 64 'write PLACE,PLACE' moe-synth --relation 0,1,2 -o x
    refused 64 '--relation: there is no region 4; --regions 4' moe-synth --relation 0,4 -o x
    refused 64 '--relation: channel "Oz" is not one of' moe-synth --relation 0,Oz -o x
    refused 64 'channel "Fp2" is in both places' moe-synth --relation 0,Fp2+O1 -o x
    refused 64 'channel "O1" is in both places' moe-synth --relation O1,O1 -o x
    refused 64 'a --rate of 10 or more' moe-synth --relation 0,3 --rate 9 -o x
    refused 64 '--seconds must be at least their square, 4' moe-synth --relation 0,3 --seconds 3 -o x
    refused 64 'at most 10' moe-synth --relation 0,3 --classes 11 --seconds 600 -o x
    refused 64 'leave --where out' moe-synth --relation 0,3 --where 2 -o x
    refused 64 '"hum" is not one of blink' moe-synth --artefacts hum -o x
    refused 64 '--classes 1' moe-synth --classes 1 -o x
    refused 64 'a second each' moe-synth --classes 5 --seconds 3 -o x
    refused 64 'outside' moe-synth --rate 0 -o x
    refused 64 'moe-synth reads no file' moe-synth -o x eeg.csv
    [ ! -e x ]
}

@test "names of classes are the user's" {
    moe-synth --subjects 1 --seconds 6 --classes left,right,feet --truth t.json -o eeg
    [ "$(tail -n +2 eeg/S00_1.csv | sed 's/.*,//' | sort -u | xargs)" = 'feet left right' ]
    [ "$(jq -c '[.effects[] | [.class, .hz]]' t.json)" = '[["right",6],["feet",40]]' ]
}

@test "the examples of the page run" {
    awk '/^\.S[hs] / { on = /^\.Ss Examples/ } on && /^\.Ed/ { in_it = 0 } in_it { sub(/\\e$/, "\\"); print }
        on && /^\.Bd/ { in_it = 1 }' "$page" >examples
    [ "$(grep -c '^moe-synth' examples)" -ge 4 ]
    bash -eu examples
    [ -s truth.json ]
    [ -s two/S07_2.csv ]
    [ "$(head -1 wide/S01_1.csv | tr , '\n' | wc -l)" -eq 66 ]
    [ -s nothing/S07_1.csv ]
}
