#!/usr/bin/env bats
# What is done to recordings before they are cut: by moe-split, again by whoever cuts recordings for a model, and live.
# shellcheck disable=SC2002,SC2086,SC2154 # a pipe is what is meant; options kept in a variable are split; variables of the helpers
load train_helpers

setup_file() {
    PATH=$(realpath "${MOE_BIN:-build/bin}"):$PATH
    cd "$BATS_FILE_TMPDIR" || exit 1
    moe-synth --subjects 3 --channels 6 --rate 256 --seconds 6 --seed 11 -o eeg
    moe-split $steps --window 0.5s --experts 2 --halo 1 --no-history eeg/*.csv -o w.st
    moe-train $small --set train.epochs=2 --no-history -q -o m.st w.st
}

steps="--reference average --notch 50 --bandpass 1-45 --resample 128"

slowly() { # slowly FILE: one row at a time
    while IFS= read -r row; do printf '%s\n' "$row"; done <"$1"
}

# sine HZ RATE ROWS: two channels, a sine of amplitude 10 on an offset of 1000, and the offset alone
sine() {
    awk -v hz="$1" -v rate="$2" -v rows="$3" 'BEGIN { print "a,b"; for (i = 0; i < rows; i++)
        printf "%.9f,1000\n", 1000 + 10 * sin(2 * 3.14159265358979 * hz * i / rate) }'
}

# size FILE: of channel a, from the middle on and not up to the end: the largest distance from its mean, with one digit; and the mean, rounded
size() {
    ask "$1" '(lambda x: "%.1f %d" % (max(abs(v - sum(x) / len(x)) for v in x), round(sum(x) / len(x))))(
        t["expert.0"][2][len(t["expert.0"][2]) // 4 * 2:len(t["expert.0"][2]) // 8 * 7:2].tolist())'
}

@test "each step does what it says" {
    cut="moe-split --experts 1 --halo 0 --rate 250 --window 500"
    sine 47 250 2000 >s.csv
    $cut s.csv -o o.st
    [ "$(size o.st)" = "10.0 1000" ]
    $cut --notch 47 s.csv -o o.st
    [ "$(size o.st)" = "0.0 1000" ]
    $cut --notch 60 s.csv -o o.st
    [ "$(size o.st)" = "10.0 1000" ]
    $cut --bandpass 1-20 s.csv -o o.st
    [[ "$(size o.st)" = "0."*" 0" ]]
    $cut --bandpass 1- s.csv -o o.st
    [ "$(size o.st)" = "10.0 0" ]
    $cut --bandpass -20 s.csv -o o.st
    [[ "$(size o.st)" = "0."*" 1000" ]]
    $cut --reference b s.csv --channels a,b -o o.st
    [ "$(size o.st)" = "10.0 0" ]
    $cut --reference average s.csv -o o.st
    [ "$(size o.st)" = "5.0 0" ]
    moe-split --experts 1 --halo 0 --rate 250 --window 100 --resample 80 s.csv -o o.st
    [ "$(size o.st)" = "0.0 1000" ]
    [ "$(ask o.st 'm["moe.rate"], t["expert.0"][1]')" = "('80', [640, 2])" ]
    moe-split --experts 1 --halo 0 --rate 250 --window 100 --resample 200 s.csv -o o.st
    [ "$(size o.st)" = "10.0 1000" ]
    [ "$(ask o.st 't["expert.0"][1]')" = "[1600, 2]" ]
}

@test "what was done is in windows and model; nothing done, nothing there" {
    want='{"reference":["Fp1","Fp2","C3","C4","O1","O2"],"notch":[50],"bandpass":[1,45],"resample":128,"rate_before":256}'
    [ "$(ask w.st 'm["moe.conditioning"]')" = "$want" ]
    [ "$(ask m.st 'm["moe.conditioning"]')" = "$want" ]
    [ "$(ask w.st 'm["moe.rate"], m["moe.length"]')" = "('128', '64')" ]
    [ "$(moe-stats --describe m.st | jq -c .conditioning)" = "$want" ]
    moe-split --reference none --window 64 eeg/S00_1.csv -o o.st
    [ "$(ask o.st '"moe.conditioning" in m')" = False ]
    [ "$(moe-stats --describe o.st | jq -c .conditioning)" = null ]
    moe-split --bandpass 1- --notch 50,100 --window 64 eeg/S00_1.csv -o o.st
    [ "$(ask o.st 'm["moe.conditioning"]')" = '{"notch":[50,100],"bandpass":[1,null]}' ]
    moe-split --bandpass -45 --window 64 eeg/S00_1.csv -o o.st
    [ "$(ask o.st 'm["moe.conditioning"]')" = '{"bandpass":[null,45]}' ]
    moe-route -m m.st --no-history -o r.st w.st
    [ "$(ask r.st 'm["moe.conditioning"]')" = "$want" ]
}

@test "the bytes do not depend on the number of threads" {
    for n in 1 2 5; do
            moe-split $steps --window 0.5s --experts 2 --halo 1 --no-history --threads $n eeg/*.csv -o o.st
        cmp w.st o.st
    done
}

@test "a model does to recordings what was done to its windows" {
    moe-split --like m.st --no-history eeg/*.csv -o o.st
    cmp w.st o.st
    moe-predict -m m.st w.st >want
    [ "$(wc -l <want)" -eq 36 ]
    moe-predict -m m.st eeg/*.csv | cmp want -
    moe-route -m m.st --jsonl w.st >want
    moe-route -m m.st --jsonl eeg/*.csv | cmp want -
    for s in --reference=none --notch=50 --bandpass=1-45 --resample=128; do
        refused 64 "${s%%=*} is fixed by the model (--like); leave it out" moe-split --like m.st "$s" eeg/S00_1.csv -o never.st
    done
}

@test "a live stream has the bytes of the file" {
    moe-predict -m m.st <eeg/S01_1.csv >want
    slowly eeg/S01_1.csv | moe-predict -m m.st | cmp want -
    cat eeg/S01_1.csv | moe-predict -m m.st --batch 5 | cmp want -
    moe-split --like m.st --live eeg/S01_1.csv | moe-predict -m m.st --batch 1 | sed 's/S01_1.csv/stdin/; s/"group":"S01"/"group":"stdin"/' |
        cmp want -
    slowly eeg/S01_1.csv | moe-route -m m.st --jsonl >live
    moe-route -m m.st --jsonl <eeg/S01_1.csv | cmp - live
    for how in "--bandpass 1-45" "--notch 50,100 --resample 128" "--resample 100 --align grid --stride 10 --label-rule majority" \
        "--bandpass -30 --resample 300 --stride 17" "--reference Fp1,O2" "$steps --align grid --label-rule last"; do
        moe-split $how --window 40 --experts 2 --classes rest,task eeg/S00_1.csv -o whole.st
        slowly eeg/S00_1.csv | moe-split $how --window 40 --experts 2 --classes rest,task --live | cat >live.st
        pieces whole.st | sed 's/ S00_1.csv S00 / stdin stdin /' >whole
        pieces live.st | cmp whole -
        [ "$(wc -l <whole)" -gt 12 ]
    done
}

@test "behind a gap and behind cells without a value the filters begin anew, live too" {
    # 1 s, then 2 s later another, of which three rows in the middle have no value; all of it far from 0
    awk 'BEGIN { srand(1); print "time,a,b,label"; for (i = 0; i < 512; i++)
        printf("%.7f,%s,%.3f,%s\n", (i >= 256 ? 2 : 0) + i / 256, i >= 384 && i < 387 ? "" : sprintf("%.3f", 5000 + 100 * rand()),
            9000 + 100 * rand(), i < 400 ? "x" : "y") }' >S1.csv
    awk -F, 'NR == 1 || NR > 388' S1.csv >S2.csv # what comes behind the cells, alone
    awk -F, 'NR == 1 || NR > 257 && NR < 386' S1.csv >S3.csv # what comes behind the gap, up to the cells
    for how in "--bandpass 1-45" "--bandpass 1-45 --resample 128" "--resample 100"; do
        moe-split $how --missing drop-window --experts 1 --halo 0 --window 10 --align grid --label-rule last S1.csv -o whole.st -q
        moe-split $how --missing drop-window --experts 1 --halo 0 --window 10 --align grid --label-rule last --live S1.csv -q | cat >live.st
        pieces whole.st >whole
        pieces live.st | cmp whole -
        [ "$(wc -l <whole)" -gt 15 ]
    done
    cut="moe-split --bandpass 1-45 --experts 1 --halo 0 --window 1 --missing drop-window --no-history -q"
    $cut S1.csv -o o.st
    [ "$(ask o.st 't["expert.0"][1][0], t["window.start"][1][0]')" = "(512, 509)" ]
    $cut S2.csv -o behind.st
    $cut S3.csv -o between.st
    ask o.st 't["expert.0"][2][387 * 2:].tolist()' >want
    ask behind.st 't["expert.0"][2].tolist()' | cmp want -
    ask o.st 't["expert.0"][2][256 * 2:384 * 2].tolist()' >want
    ask between.st 't["expert.0"][2].tolist()' | cmp want -
    [ "$(ask o.st 'max(abs(v) for v in t["expert.0"][2]) < 200')" = True ] # no step at any beginning
    moe-split --bandpass 1-45 --missing interp --experts 1 --halo 0 --window 1 S1.csv -o o.st -q
    [ "$(ask o.st 'len(t["window.start"][2]), max(abs(v) for v in t["expert.0"][2]) < 200')" = "(512, True)" ]
}

@test "resampled rows keep label and place" {
    awk 'BEGIN { print "a,label"; for (i = 0; i < 1000; i++) printf "%d,%s\n", i, i < 501 ? "x" : "y" }' >S1.csv
    moe-split --resample 100 --rate 250 --experts 1 --halo 0 --window 1 S1.csv -o o.st
    [ "$(ask o.st 't["expert.0"][1], t["window.label"][2].index(1)')" = "([400, 1], 201)" ]
    [ "$(ask o.st 'all(abs(t["expert.0"][2][m] - 2.5 * m) < 0.05 for m in range(20, 380))')" = True ] # a ramp stays a ramp
    [ "$(moe-split --resample 100 --rate 250 --experts 1 --halo 0 --window 1 --explain S1.csv |
        jq -c '[.rate, .rows, .labels, .windows, .resampled, .conditioning]')" = \
        '[250,1000,{"x":501,"y":499},400,{"up":2,"down":5,"rows":400,"delay":0.16},{"resample":100,"rate_before":250}]' ]
    moe-split --resample 250 --rate 250 --experts 1 --halo 0 --window 1 S1.csv -o o.st
    [ "$(ask o.st 't["expert.0"][2].tolist() == list(range(1000)), m["moe.conditioning"]')" = \
        "(True, '{\"resample\":250,\"rate_before\":250}')" ]
}

@test "recordings of several rates become one, and a model takes any" {
    for r in 250 256 512; do moe-synth --subjects 1 --channels 4 --rate $r --seconds 4 --seed 2 -o e$r && cp e$r/S00_1.csv S$r.csv; done
    refused 65 "S256.csv: the rate is 256 Hz, but the earlier recordings have 250 Hz; --resample brings all to one rate" \
        moe-split --window 1s --experts 2 S250.csv S256.csv -o never.st
    cp S250.csv T250.csv
    moe-split --resample 128 --window 1s --experts 2 S250.csv T250.csv -o same.st
    moe-split --resample 128 --window 1s --experts 2 S250.csv T250.csv S256.csv -o all.st
    [ "$(ask same.st 'm["moe.conditioning"]')" = '{"resample":128,"rate_before":250}' ]
    [ "$(ask all.st 'm["moe.conditioning"], t["expert.0"][1][0]')" = "('{\"resample\":128,\"rate_before\":null}', 1536)" ]
    train m250.st --set train.epochs=1 -q same.st
    train many.st --set train.epochs=1 -q all.st
    [ "$(moe-predict -m m250.st S512.csv | wc -l)" -eq 4 ]
    cut -d, -f2-5 S256.csv >plain.csv # without times
    [ "$(moe-predict -m m250.st plain.csv | wc -l)" -eq 4 ] # taken for 250 Hz
    refused 65 "plain.csv: the sampling rate is not known: there is no time column; cut it with moe-split --like MODEL --rate HZ" \
        moe-predict -m many.st plain.csv
    [ "$(moe-split --like many.st --rate 256 plain.csv | moe-predict -m many.st | wc -l)" -eq 4 ]
    # windows of different rates, joined: the model knows that it does not know
    moe-split --resample 128 --window 1s --experts 2 S256.csv -o b.st
    cat same.st b.st | train joined.st --set train.epochs=1 -q -
    [ "$(ask joined.st 'm["moe.conditioning"]')" = '{"resample":128,"rate_before":null}' ]
}

@test "the reference: its channels go unless they are named, and what is no EEG has none" {
    { echo a,b,A1,A2,EOG && printf '%s\n' 10,20,1,3,7 30,40,5,7,9; } >S1.csv
    cut="moe-split --experts 1 --halo 0 --rate 10 --window 1"
    $cut --reference A1,A2 S1.csv -o o.st
    [ "$(ask o.st 'm["moe.channels"], t["expert.0"][2].tolist()')" = "('[\"a\",\"b\",\"EOG\"]', [8.0, 18.0, 7.0, 24.0, 34.0, 9.0])" ]
    [ "$(ask o.st 'm["moe.conditioning"]')" = '{"reference":["A1","A2"],"except":["EOG"]}' ]
    [ "$($cut --reference A1,A2 --explain S1.csv | jq -c .ignored)" = \
        '[{"name":"A1","why":"read for the reference"},{"name":"A2","why":"read for the reference"}]' ]
    $cut --reference A1,A2 --channels a,A1 S1.csv -o o.st
    [ "$(ask o.st 'm["moe.channels"], t["expert.0"][2].tolist()')" = "('[\"a\",\"A1\"]', [8.0, -1.0, 24.0, -1.0])" ]
    $cut --reference average --drop A1,A2 S1.csv -o o.st
    [ "$(ask o.st 'm["moe.conditioning"], t["expert.0"][2].tolist()')" = \
        "('{\"reference\":[\"a\",\"b\"],\"except\":[\"EOG\"]}', [-5.0, 5.0, 7.0, -5.0, 5.0, 9.0])" ]
    # a hole in a channel of the reference is one in all
    { echo a,A1 && printf '%s\n' 1,1 2,NA 3,3; } >S2.csv
    $cut --reference A1 --missing drop-window S2.csv -o o.st -q
    [ "$(ask o.st 't["window.start"][2].tolist()')" = "[0, 2]" ]
    refused 65 "S1.csv: there is no channel (--reference) \"M1\"; its columns are: a, b, A1, A2, EOG" $cut --reference M1 S1.csv -o never.st
    refused 65 "S1.csv: none of its columns is used as a channel: a, b, A1, A2, EOG; name those of --reference in --channels to keep them" \
        $cut --reference a,b,A1,A2,EOG S1.csv -o never.st
    refused 64 "--reference average: subtracting the mean of 1 channel leaves no signal" $cut --reference average --channels a,EOG S1.csv -o never.st
    refused 64 "--reference: channel \"A1\" is listed twice" $cut --reference A1,A1 S1.csv -o never.st
}

@test "a model whose reference is not there" {
    { echo time,a,b,A1,label && awk 'BEGIN { srand(4); for (i = 0; i < 80; i++)
        printf "%.2f,%.3f,%.3f,%.3f,%s\n", i / 100, rand(), rand(), rand(), i < 40 ? "x" : "y" }'; } >S1.csv
    moe-split --reference A1,b --experts 1 --halo 0 --window 8 --channels a,b S1.csv -o o.st
    train r.st --set train.epochs=1 -q o.st
    moe-predict -m r.st S1.csv >want
    moe-predict -m r.st o.st | cmp want -
    cut -d, -f1-3,5 S1.csv >S2.csv
    cut -d, -f1-2,5 S1.csv >S3.csv
    refused 65 "S2.csv: there is no channel of the model's reference \"A1\"; its columns are: time, a, b, label" moe-predict -m r.st S2.csv
    [ "$(moe-predict -m r.st --missing-channel zero S2.csv | wc -l)" -eq 10 ] # b is left
    refused 65 "S3.csv: none of the channels of the reference is present: A1, ..." moe-predict -m r.st --missing-channel interp S3.csv
}

@test "a frequency beyond the rate, edges the wrong way round, too many samples: refused with the remedy" {
    cut="moe-split --experts 1 --rate 100 --window 4 -o never.st"
    printf 'a,b\n%s\n%s\n%s\n%s\n' 1,2 3,4 5,6 7,8 >S1.csv
    refused 64 "--bandpass: 45 Hz is not below 1 Hz; write the lower edge first" $cut --bandpass 45-1 S1.csv
    refused 64 "--bandpass: \"45\" is not LOW-HIGH, LOW- or -HIGH in Hz" $cut --bandpass 45 S1.csv
    refused 64 "S1.csv: --bandpass at 50 Hz: a recording with 100 samples per second only contains frequencies below 50 Hz; choose a lower frequency" \
        $cut --bandpass 1-50 S1.csv
    refused 64 "S1.csv: --bandpass at 60 Hz" $cut --bandpass 60- S1.csv
    refused 64 "S1.csv: --notch at 50 Hz" $cut --notch 50 S1.csv
    refused 64 "--notch: \"50,x\" is not a list of frequencies in Hz" $cut --notch 50,x S1.csv
    refused 64 "S1.csv: --resample 201 from 100 Hz would more than double the rate" $cut --resample 201 S1.csv
    refused 64 "S1.csv: --resample 99.999 from 100 Hz is not a ratio of whole numbers up to 10000; give the rate that is meant with --rate" \
        $cut --resample 99.999 S1.csv
    [ "$(moe-split --bandpass 1-45 --window 4 --experts 1 --explain S1.csv | jq -c '[.rate,.conditioning]')" = '[null,{"bandpass":[1,45]}]' ]
    moe-synth --subjects 1 --channels 6 --rate 80 --seconds 2 -o slow
    refused 65 "slow/S00_1.csv: --notch at 50 Hz: a recording with 80 samples per second only contains frequencies below 40 Hz; the model needs \
recordings with a higher rate" moe-predict -m m.st slow/S00_1.csv
}

@test "windows that were conditioned otherwise are refused, by name" {
    moe-split --resample 128 --window 0.5s --experts 2 --halo 1 eeg/*.csv -o o.st
    refused 65 "o.st: its recordings were preprocessed differently: resampled to 128 Hz; expected: reference Fp1 Fp2 C3 C4 O1 O2, notch 50 Hz, \
band pass 1-45 Hz, resampled to 128 Hz; cut them again (moe-split --like MODEL, or with the same options)" moe-predict -m m.st o.st
    refused 65 "w.st: its recordings were preprocessed differently: reference" moe-train -o never.st o.st w.st
    moe-split --window 0.25s --experts 2 --halo 1 eeg/*.csv -o plain.st
    moe-split --bandpass 1- --window 0.25s --experts 2 --halo 1 eeg/*.csv -o band.st
    refused 65 "band.st: its recordings were preprocessed differently: high pass 1 Hz; expected: no preprocessing" moe-train -o never.st plain.st band.st
    edit m.st odd.st 'm["moe.conditioning"] = "{\"median\":3}"'
    refused 65 "odd.st: metadata moe.conditioning: \"median\" is unknown" moe-predict -m odd.st eeg/S00_1.csv
}

# placed OPTION...: window.start and class of each window
placed() {
    moe-split --no-history --experts 1 --halo 0 -q "$@" -o w.st && ask w.st '" ".join("%d:%s" % (a, json.loads(m["moe.classes"])[i])
        for a, i in zip(t["window.start"][2], t["window.label"][2]))'
}

@test "events keep their time at another rate, behind a gap too" {
    # 256 Hz; 2 s are missing before row 513, which is row 257 at 128 Hz; a holds the second, rising
    awk 'BEGIN { print "time,a,b"; for (i = 0; i < 1280; i++) { t = i / 256 + (i < 513 ? 0 : 2); printf "%.9f,%.6f,0\n", t, t } }' >S1.csv
    printf 'onset\tduration\ttrial_type\n0.5\t0.5\tl\n1.25\t0.5\tr\n1.75\t2.75\tl\n5\t0.5\tr\n6.5\t0.5\tl\n' >e.tsv
    [ "$(placed --events e.tsv --window 64 S1.csv)" = "128:l 192:l 320:r 384:r 448:l 513:l 768:r 832:r 1152:l 1216:l" ]
    [ "$(placed --events e.tsv --window 64 --resample 128 S1.csv)" = "64:l 160:r 257:l 385:r 577:l" ]
    # what stands there is what was recorded then, half a sample of the start of the stretch aside
    [ "$(ask w.st 'all(abs(x - (m / 128 if m < 257 else 4 + 1 / 256 + (m - 257) / 128)) < 1e-2
        for s in t["window.start"][2] for m in range(s + 16, s + 48) for x in [t["expert.0"][2][m * 2]])')" = True ]
    # the rate of the list and a ratio that does not divide: as many windows of each trial
    printf 'path\trate\nS2.csv\t250\n' >l.tsv
    cut -d, -f2- S1.csv >S2.csv
    head -n 3 e.tsv >f.tsv
    [ "$(placed --events f.tsv --window 0.25s --resample 100 --list l.tsv)" = "50:l 75:l 125:r 150:r" ]
    # samples count rows as they were recorded, offsets rows of the windows
    printf 'latency_samples\ttype\n129\tl\n514\tr\n' >e.txt
    [ "$(placed --events e.txt --window 32 --resample 128 S1.csv)" = "64:l 257:r" ]
    [ "$(placed --events e.txt --window 32 --resample 128 --start-offset 4 --stop-offset 68 S1.csv)" = "68:l 100:l 261:r 293:r" ]
    [ "$(placed --events e.txt --window 32 --bandpass 1- S1.csv)" = "128:l 513:r" ]
    [ "$(moe-split --events e.txt --window 32 --resample 128 --stop-offset 0.5s --experts 1 --halo 0 --explain S1.csv |
        jq -c '[.rows, .labels, .windows_by_class, .events.trials]')" = '[1280,{"l":128,"r":128},{"l":2,"r":2},{"l":1,"r":1}]' ]
    # by a model
    moe-split --no-history --experts 1 --halo 0 -q --events e.tsv --window 64 --resample 128 S1.csv -o w.st
    train e.st --set train.epochs=1 -q w.st
    moe-split --no-history --like e.st -q --events e.tsv S1.csv | cmp w.st -
}

@test "the reference and a channels file: what is bad or no EEG is not in it" {
    { echo a,b,c,A1,X && printf '%s\n' 10,20,300,1,7 30,40,500,5,9; } >S1.csv
    cut="moe-split --experts 1 --halo 0 --rate 10 --window 1"
    printf 'name\ttype\tunits\tstatus\na\tEEG\tuV\tgood\nb\tEEG\tuV\tgood\nc\tEEG\tuV\tbad\nA1\tMISC\tmV\tgood\nX\tHEOG\tmV\tgood\n' >c.tsv
    $cut --channels-file c.tsv --reference average S1.csv -o o.st
    [ "$(ask o.st 'm["moe.channels"], t["expert.0"][2].tolist()')" = "('[\"a\",\"b\"]', [-5.0, 5.0, -5.0, 5.0])" ]
    $cut --channels-file c.tsv --reference A1 S1.csv -o o.st # in its own unit
    [ "$(ask o.st 'm["moe.channels"], t["expert.0"][2].tolist()')" = "('[\"a\",\"b\"]', [-990.0, -980.0, -4970.0, -4960.0])" ]
    refused 65 'S1.csv: channel "c" of the reference (--reference) is left out here: marked bad in c.tsv' \
        $cut --channels-file c.tsv --reference A1,c S1.csv -o never.st
    sed -i 's/MISC\tmV/MISC\tm/' c.tsv
    refused 65 'c.tsv: channel "A1" is needed for the reference, but its unit is not one of uV, mV, V, nV' \
        $cut --channels-file c.tsv --reference A1 S1.csv -o never.st
    [ "$($cut --channels-file c.tsv S1.csv --explain | jq -c .channels)" = '["a","b"]' ]
}
