#!/usr/bin/env bats
# moe-split: what stands beside recordings: files of events, of channels, lists. All data is made here.
# shellcheck disable=SC2086 # commands kept in a variable are split on purpose

load split_helpers

how="--no-history --experts 1 --halo 0 --rate 10 --window 5"

# rows N: row i holds i, -i and 1000 + i
rows() {
    awk -v n="$1" 'BEGIN { print "a,b,c"; for (i = 0; i < n; i++) print i "," (-i) "," 1000 + i }'
}

# windows OPTION...: window.start, the name of each window's class
windows() {
    moe-split $how "$@" -o w.st || return
    python3 - "$(show w.st window.start)" "$(show w.st window.label)" "$(show w.st moe.classes)" <<'PY'
import json, sys
start, label = (s.split('] ')[1].split() for s in sys.argv[1:3])
classes = json.loads(sys.argv[3]) + ['?']
print(*(a + ':' + classes[int(b)] for a, b in zip(start, label)))
PY
}

# spared FILE COMMAND...: it does not write its result over what it reads
spared() {
    cp "$1" before
    run "${@:2}" -o "$1"
    [ "$status" -eq 64 ]
    [ "$output" = "moe-split: $1: is read and would be replaced by the result; write to another file" ]
    cmp "$1" before
}

# table LINE...: lines with tabs for blanks
table() {
    printf '%s\n' "$@" | tr ' ' '\t'
}

@test "BIDS events: each is a trial of its duration, or of one window when it has none" {
    rows 100 >r.csv
    table 'onset duration trial_type' '1.0 1.2 left' '3 0 right' '4.0 n/a left' '5 0.5 n/a' >e.tsv
    [ "$(windows -q --events e.tsv r.csv)" = "10:left 15:left 30:right 40:left" ]
    run moe-split $how --events e.tsv r.csv -o w.st
    [ "$status" -eq 0 ]
    [ "$output" = "moe-split: r.csv: 1 of 4 events ignored: n/a (1)" ]
    [ "$(show w.st moe.classes)" = '["left","right"]' ]
    # value stands in where there is no trial_type; --event-column picks
    table 'onset duration value sample' '1.0 0.5 2.0 10' '2.0 0.5 1 20' >e.tsv
    [ "$(windows --events e.tsv r.csv)" = "10:2 20:1" ]
    [ "$(windows --events e.tsv --map 2=go,1.0=stop r.csv)" = "10:go 20:stop" ]
    [ "$(windows --events e.tsv --event-column sample r.csv)" = "10:10 20:20" ]
}

@test "MNE annotations: text, from the recording's start or from orig_time; bad stretches are no events" {
    rows 100 >r.csv
    printf '# MNE-Annotations\n# orig_time : 2002-12-03 19:01:11.500000\n# onset, duration, description\n1, 0.5, left hand\n2, 0.5, right\n3, 1, BAD_jump\n' >a.txt
    [ "$(windows -q --events a.txt r.csv)" = "10:left hand 20:right" ]
    [ "$(windows -q --events a.txt --map 'left hand=0,BAD_jump=1' r.csv)" = "10:0 30:1 35:1" ]
    # a time column that holds dates: 2002-12-03 19:01:10 is 1038942070
    awk 'BEGIN { print "time,a"; for (i = 0; i < 100; i++) printf "%.1f,%d\n", 1038942070 + i / 10, i }' >dated.csv
    [ "$(windows -q --events a.txt dated.csv)" = "25:left hand 35:right" ]
    sed -i 2d a.txt # without an origin: from the start
    [ "$(windows -q --events a.txt dated.csv)" = "10:left hand 20:right" ]
    sed -i '/onset/d' a.txt
    [ "$(windows -q --events a.txt dated.csv)" = "10:left hand 20:right" ]
}

@test "MNE annotations: CSV with seconds, milliseconds, or dates against the origin or the time column" {
    rows 100 >r.csv
    printf 'onset,duration,description\n1.0,0.5,"left, both"\n2.0,0.5,right\n' >a.csv
    [ "$(windows --events a.csv r.csv)" = "10:left, both 20:right" ]
    [ "$(windows --events a.csv --map '"left, both=l",right=r' r.csv)" = "10:l 20:r" ]
    printf 'onset,duration,description\n1000,500,left\n2000,500,right\n' >a.csv
    [ "$(windows --event-unit ms --events a.csv r.csv)" = "10:left 20:right" ]
    printf 'onset,duration,description\n1970-01-01 00:00:01.0,0.5,left\n1970-01-01 00:00:02,0.5,right\n' >a.csv
    [ "$(windows --events a.csv r.csv)" = "10:left 20:right" ]
    printf 'onset,duration,description\n2002-12-03 19:01:12.5,0.5,left\n2002-12-03T20:01:13+01:00,0.5,right\n' >dates.csv
    refused 65 "dates.csv: its onsets are dates, but neither a comment" moe-split $how --events dates.csv r.csv
    { echo '# orig_time : 2002-12-03 19:01:10+00:00' && cat dates.csv; } >a.csv
    [ "$(windows --events a.csv r.csv)" = "25:left 30:right" ]
    awk 'BEGIN { print "time_ms,a"; for (i = 0; i < 100; i++) printf "%.0f,%d\n", 1038942071000 + i * 100, i }' >dated.csv
    [ "$(windows --events dates.csv dated.csv)" = "15:left 20:right" ]
    [ "$(windows --events a.csv dated.csv)" = "15:left 20:right" ] # the time column knows better
    sed -i '2s/.*/1.0,0.5,left/' dates.csv
    refused 65 "dates.csv:3: some onsets are dates and others are not" moe-split $how --events dates.csv r.csv
}

@test "EEGLAB events: the unit must be known; samples count from 1" {
    rows 100 >r.csv
    table 'Latency Type Position' '11 target 1' '20.6 response 2' >l.txt
    refused 65 "l.txt:1: it is not known whether the latencies are seconds, milliseconds or samples; give --event-unit" \
        moe-split $how --events l.txt r.csv
    [ "$(windows --event-unit samples --events l.txt r.csv)" = "10:target 20:response" ]
    sed '1s/Latency/latency_samples/' l.txt >named.txt
    [ "$(windows --events named.txt r.csv)" = "10:target 20:response" ]
    table 'latency type duration' '1.5 a 1' '3000 b 500' >l.txt
    [ "$(windows --event-unit ms --events l.txt --map b=b r.csv 2>notes)" = "30:b" ]
    [ "$(cat notes)" = "moe-split: r.csv: 1 of 2 events ignored: a (1)" ]
    sed -i 2d l.txt
    [ "$(windows --event-unit s --outside drop --events l.txt r.csv 2>&1)" = \
        "moe-split: no window, because no event makes a trial: r.csv: 1 of 1 events left out, as their trials lie outside the recording" ]
}

@test "--map names classes, ignores the rest, and says what no event is called" {
    rows 100 >r.csv
    table 'onset duration trial_type' '1 0.5 left' '2 0.5 rest' '3 0.5 right' '4 0.5 rest' '5 0.5 foot' >e.tsv
    [ "$(windows -q --events e.tsv --map left=hand,right=hand,foot=foot r.csv)" = "10:hand 30:hand 50:foot" ]
    run moe-split $how --events e.tsv --map left=0,rihgt=1 r.csv -o w.st
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "moe-split: r.csv: 4 of 5 events ignored: rest (2), right (1), foot (1)" ]
    [ "${lines[1]}" = 'moe-split: --map names the event "rihgt", but there is none; the events are: left, rest, right, foot' ]
    refused 65 'no window, because no event makes a trial: --map names the event "x"' moe-split $how --events e.tsv --map x=1 r.csv
    [ "$(windows -q --events e.tsv --ignore-label rest r.csv)" = "10:left 30:right 50:foot" ]
    [ "$(windows -q --events e.tsv --map left=1,right=0 --classes 1,0 r.csv)" = "10:1 30:0" ]
    [ "$(show w.st moe.classes)" = '["1","0"]' ]
    refused 65 'e.tsv:3: label "rest" is not one of --classes' moe-split $how --events e.tsv --classes left,right r.csv
    refused 64 '--map: "left" is not EVENT=CLASS' moe-split $how --events e.tsv --map left r.csv
    refused 64 '--map: event "left" is listed twice' moe-split $how --events e.tsv --map left=1,left=2 r.csv
}

@test "--start-offset and --stop-offset say where trials lie; all have the same length" {
    rows 100 >r.csv
    table 'onset duration trial_type' '2.04 0.1 a' '4.06 3 b' >e.tsv
    [ "$(windows --events e.tsv --start-offset -0.5s --stop-offset 1s r.csv)" = "15:a 20:a 25:a 36:b 41:b 46:b" ]
    [ "$(windows --events e.tsv --start-offset -5 --stop-offset 5 --stride 2 r.csv)" = "15:a 17:a 19:a 36:b 38:b 40:b" ]
    [ "$(windows --events e.tsv --start-offset 1s --stop-offset 1.5s r.csv)" = "30:a 51:b" ]
    [ "$(windows -q --events e.tsv --start-offset 0.5s --map b=b r.csv)" = "46:b 51:b 56:b 61:b 66:b" ]
    refused 65 'e.tsv:2: the trial of event "a" ends 0.4 s before it begins (the event lasts 0.1 s); change --start-offset' \
        moe-split $how --events e.tsv --start-offset 0.5s r.csv
    refused 65 'e.tsv:2: the trial of event "a" ends 2 s before it begins' \
        moe-split $how --events e.tsv --start-offset 1s --stop-offset -1s r.csv
    # one window is the trial of an event without a duration, wherever it begins
    table 'onset trial_type' '2 a' '4 b' >e.tsv
    [ "$(windows --events e.tsv --start-offset -0.5s r.csv)" = "15:a 35:b" ]
    [ "$(windows --events e.tsv --start-offset -0.5s --window 0.8s r.csv; show w.st moe.length)" = "15:a 35:b
8" ]
}

@test "windows never cross a trial, not even into one of the same class behind it" {
    rows 100 >r.csv
    table 'onset duration trial_type' '0 1.3 a' '1.3 1.3 a' '2.6 1.3 b' >e.tsv
    [ "$(windows --events e.tsv r.csv)" = "0:a 5:a 13:a 18:a 26:b 31:b" ]
    [ "$(show w.st window.valid)" = absent ]
    [ "$(windows --events e.tsv --last keep r.csv)" = "0:a 5:a 10:a 13:a 18:a 23:a 26:b 31:b 36:b" ]
    [ "$(show w.st window.valid)" = "I32 [9] 5 5 3 5 5 3 5 5 3" ]
    [ "$(windows --events e.tsv --last keep --window 8 r.csv)" = "0:a 8:a 13:a 21:a 26:b 34:b" ]
    [ "$(show w.st window.valid)" = "I32 [6] 8 5 8 5 8 5" ]
    [ "$(windows --events e.tsv --last keep --window 11 r.csv)" = "0:a 13:a 26:b" ] # two rows are less than half a window
}

@test "a trial too short for a window is counted" {
    rows 100 >r.csv
    table 'onset duration trial_type' '1 0.4 a' '2 0.5 a' >e.tsv
    run moe-split $how --events e.tsv r.csv -o w.st
    [ "$status" -eq 0 ]
    [ "$output" = "moe-split: r.csv: 1 of 2 trials give no window: they are shorter than a window, or interrupted by a gap or by missing values" ]
    [ "$(show w.st window.start)" = "I64 [1] 20" ]
    refused 65 "its longest segment of a trial without a gap has 5 rows, and a window needs 6" moe-split $how --window 6 --events e.tsv r.csv
}

@test "overlapping trials are an error that names both events; a row of rounding is none" {
    rows 100 >r.csv
    table 'onset duration trial_type' '3 1 b' '1 2.5 a' >e.tsv
    refused 65 'e.tsv:2: the trial of event "b" begins at 3 s, within that of event "a" of line 3, 1 to 3.5 s; choose events with --map' \
        moe-split $how --events e.tsv r.csv
    [ "$(windows -q --events e.tsv --map b=b r.csv)" = "30:b 35:b" ] # what does not count does not overlap
    [ "$(windows --events e.tsv --stop-offset 1s r.csv)" = "10:a 15:a 30:b 35:b" ]
    table 'onset duration trial_type' '1 1 a' '1 1 b' >e.tsv
    refused 65 'within that of event "a" of line 2' moe-split $how --events e.tsv r.csv
    table 'onset duration trial_type' '1.05 0.5 a' '1.54 0.5 b' >e.tsv # rows 10.5 to 15.5 and 15.4 to 20.4
    [ "$(windows --events e.tsv r.csv)" = "11:a 15:b" ]
    table 'onset duration trial_type' '1 0.5 a' '1.44 0.5 b' >e.tsv
    refused 65 'begins at 1.4 s, within that of event "a"' moe-split $how --events e.tsv r.csv
}

@test "an event outside the recording is an error that names it, or is dropped and counted" {
    rows 100 >r.csv
    table 'onset duration trial_type' '0.2 0.5 a' '5 0.5 b' '9.5 1 a' >e.tsv
    refused 65 'e.tsv:4: event "a" at 9.5 s: its trial, 9.5 to 10.5 s, lies outside r.csv, which is 10 s long; --outside drop leaves such events out' \
        moe-split $how --events e.tsv r.csv
    refused 65 'e.tsv:2: event "a" at 0.2 s: its trial, -0.3 to 0.5 s, lies outside r.csv' \
        moe-split $how --events e.tsv --start-offset -0.5s --stop-offset 0.3s r.csv
    [ "$(windows --events e.tsv --outside drop r.csv 2>notes)" = "2:a 50:b" ]
    [ "$(cat notes)" = "moe-split: r.csv: 1 of 3 events left out, as their trials lie outside the recording" ]
    table 'onset duration trial_type' '-3 1 a' '99 1 a' '5 0.5 b' >e.tsv
    refused 65 'e.tsv:2: event "a" at -3 s' moe-split $how --events e.tsv r.csv
    [ "$(windows -q --events e.tsv --outside drop r.csv)" = "50:b" ]
    table 'onset duration trial_type' '9.45 0.55 a' >e.tsv # rows 94.5 to 100: the end counts
    [ "$(windows --window 6 --events e.tsv r.csv)" = "94:a" ]
    table 'onset duration trial_type' '9.5 0.6 a' >e.tsv
    refused 65 'lies outside r.csv' moe-split $how --events e.tsv r.csv
}

@test "gaps: onsets are times, so rows behind a gap are found by time, and a gap cuts a trial" {
    # rows 12 .. 15 are missing
    awk 'BEGIN { print "time,a"; for (i = 0; i < 100; i++) if (i < 12 || i > 15) printf "%.1f,%d\n", i / 10, i }' >gap.csv
    table 'onset duration trial_type' '0.5 1.7 a' '3 0.5 b' >e.tsv
    [ "$(windows --events e.tsv gap.csv)" = "5:a 12:a 26:b" ]
    [ "$(show w.st expert.0 | tr ' ' '\n' | sed -n 30p)" = 30 ] # row 26 holds what was sampled at 3 s
    table 'onset duration trial_type' '1.3 0.8 a' >e.tsv # begins within the gap
    [ "$(windows --events e.tsv gap.csv)" = "12:a" ]
    table 'latency type' '13 a' >l.txt # samples count rows
    [ "$(windows --event-unit samples --events l.txt gap.csv)" = "12:a" ]
    table 'onset duration trial_type' '9.5 0.5 a' >e.tsv # the recording ends at 10 s
    [ "$(windows --events e.tsv gap.csv)" = "91:a" ]
}

@test "missing values within trials" {
    rows 100 | sed 's/^12,/,/' >r.csv
    table 'onset duration trial_type' '1 1 a' '3 0.5 b' >e.tsv
    refused 65 'r.csv:14: column "a" has no value' moe-split $how --events e.tsv r.csv
    [ "$(windows -q --missing drop-window --events e.tsv r.csv)" = "15:a 30:b" ]
    [ "$(windows -q --missing interp --events e.tsv r.csv)" = "10:a 15:a 30:b" ]
}

@test "a label column is ignored when there are events, and --explain tells of both" {
    awk 'BEGIN { print "a,b,label"; for (i = 0; i < 100; i++) print i "," (-i) "," (i < 50 ? "x" : "y") }' >r.csv
    table 'onset duration trial_type' '1 1.2 left' '3 0.4 right' '4 1 rest' '20 1 left' >e.tsv
    moe-split $how --explain --events e.tsv --map left=0,right=1 --outside drop r.csv >told
    [ "$(jq -c .ignored told)" = '[{"name":"label","why":"holds labels, but those of the events are used"}]' ]
    [ "$(jq -c .labels told)" = '{"0":12,"1":4}' ]
    [ "$(jq -c .events told)" = '{"file":"e.tsv","format":"bids","events":4,"trials":{"0":1,"1":1},"ignored":{"rest":1},"outside":1,"without_window":1}' ]
    [ "$(jq -c '[.windows,.windows_by_class]' told)" = '[2,{"0":2}]' ]
    [ "$(windows -q --events e.tsv --map left=0,right=1 --outside drop r.csv)" = "10:0 15:0" ]
    sed -i s/label/what/ r.csv # called otherwise it would be a channel
    [ "$(moe-split $how --explain --label-column what --events e.tsv --outside drop r.csv | jq -c '[.channels,.ignored[].name]')" = '[["a","b"],"what"]' ]
}

@test "several recordings: one file of events each, or a name with {}, for any number of threads" {
    mkdir sub-01
    for i in 1 2 3 4; do
        rows $((44 + i)) >sub-01/run-${i}_eeg.csv
        table 'onset duration trial_type' "1 0.5 c$((5 - i))" "$((i / 2 + 2)) 0.5 a" >sub-01/run-${i}_events.tsv
    done
    [ "$(windows --events '{}_events.tsv' sub-01/*_eeg.csv)" = "10:c4 20:a 55:c3 75:a 101:c2 121:a 148:c1 178:a" ]
    mv w.st all.st
    for threads in 1 2 3; do
        moe-split $how --threads $threads --events '{}_events.tsv' sub-01/*_eeg.csv -o w.st
        cmp w.st all.st
    done
    moe-split $how --events sub-01/run-1_events.tsv --events sub-01/run-2_events.tsv --events sub-01/run-3_events.tsv \
        --events sub-01/run-4_events.tsv sub-01/*_eeg.csv -o w.st
    cmp w.st all.st
    refused 64 "--events: given 2 times for 4 recordings" \
        moe-split $how --events e.tsv --events e.tsv sub-01/*_eeg.csv
    cp sub-01/run-1_eeg.csv plain.csv
    cp sub-01/run-1_events.tsv plain.tsv
    [ "$(windows --events '{}.tsv' plain.csv)" = "10:c4 20:a" ]
    [ "$(windows --events plain.tsv - <plain.csv)" = "10:c4 20:a" ]
    rm sub-01/run-3_events.tsv
    refused 66 "sub-01/run-3_events.tsv: No such file" moe-split $how --events '{}_events.tsv' sub-01/*_eeg.csv
}

@test "events that say what a label column says give the same file, byte for byte" {
    moe-synth --subjects 2 --channels 4 --seconds 20 --rate 64 --seed 5 -o eeg
    for f in eeg/*.csv; do # from the runs of the column
        awk -F, -v OFS='\t' 'NR == 1 { print "onset", "duration", "trial_type"; next }
            NR == 2 || $NF != last { if (NR > 2) print from / 64, (NR - 2 - from) / 64, last; from = NR - 2; last = $NF }
            END { print from / 64, (NR - 1 - from) / 64, last }' "$f" >"${f%.csv}.tsv"
        [ "$(wc -l <"${f%.csv}.tsv")" -ge 3 ]
    done
    for more in "--last drop" "--last keep --stride 7"; do
        moe-split --no-history --window 30 --experts 2 $more eeg/*.csv -o labels.st
        moe-split --no-history --window 30 --experts 2 $more --events '{}.tsv' eeg/*.csv -o events.st
        cmp labels.st events.st
    done
}

@test "bad files of events are named with their line" {
    rows 100 >r.csv
    s="moe-split $how --events e.tsv r.csv"
    table 'time kind' '1 a' >e.tsv
    refused 65 "e.tsv:1: there is no column onset or latency among: time, kind; events are read from BIDS" $s
    table 'onset duration' '1 1' >e.tsv
    refused 65 "e.tsv:1: no column describes the events" $s
    refused 65 'e.tsv:1: there is no column "kind" (--event-column)' $s --event-column kind
    table 'onset duration trial_type' 'x 1 a' >e.tsv
    refused 65 'e.tsv:2: the onset "x" is neither a number nor a date' $s
    table 'onset duration trial_type' 'n/a 1 a' >e.tsv
    refused 65 "e.tsv:2: the event has no onset" $s
    table 'onset duration trial_type' '1 -1 a' >e.tsv
    refused 65 'e.tsv:2: the duration "-1" is not a number of 0 or more' $s
    table 'onset duration trial_type' '1 1' >e.tsv
    refused 65 "e.tsv:2: 2 cells, but the first row has 3" $s
    table 'onset duration trial_type' >e.tsv
    refused 65 "no window, because no event makes a trial: r.csv: there is no event in e.tsv" $s
    printf '# onset, duration, description\n1,2\n' >e.tsv
    refused 65 "e.tsv:2: the row has 2 cells, but the header has 3" $s
    printf 'onset\tduration\ttrial_type\n1\t0.5\t\xff\n' >e.tsv
    refused 65 "e.tsv:2: the description is not UTF-8 text" $s
    : >e.tsv
    refused 65 "e.tsv: the file is empty" $s
    table 'onset duration trial_type' '1 0.5 a' >e.tsv
    run moe-split --explain --events e.tsv r.csv
    [ "$status" -eq 65 ]
    [ "$output" = "moe-split: e.tsv: events need a sampling rate; give --rate" ]
}

@test "options of events that have no place are refused" {
    rows 100 >r.csv
    table 'onset duration trial_type' '1 0.5 a' >e.tsv
    for option in "--map a=b" "--start-offset 1s" "--stop-offset 1s" "--event-column x" "--event-unit s" "--outside drop"; do
        refused 64 "${option%% *} needs --events" moe-split $how $option r.csv
    done
    refused 64 "--align grid cannot be used with --events" moe-split $how --align grid --events e.tsv r.csv
    refused 64 "--events needs whole recordings; leave --live out" moe-split $how --live --events e.tsv r.csv
    moe-split $how --events e.tsv - <r.csv | cat >piped.st # never sent live unasked
    [ "$(show piped.st window.start)" = "I64 [1] 10" ]
    spared e.tsv moe-split $how --events e.tsv r.csv
}

@test "--channels-file: bad channels and other types are left out, units become microvolts" {
    rows 100 >r.csv
    table 'name type units status' 'b EEG mV good' 'a EEG uV n/a' 'c EEG V bad' >c.tsv
    [ "$(moe-split $how --explain --channels-file c.tsv r.csv | jq -c '[.channels,.ignored,.unit]')" = \
        '[["a","b"],[{"name":"c","why":"marked bad in c.tsv"}],"mixed"]' ]
    moe-split $how --channels-file c.tsv r.csv -o w.st
    [ "$(show w.st expert.0 | tr ' ' '\n' | sed -n '8,9p' | tr '\n' ' ')" = "2 -2000 " ]
    table 'name type units' 'a EEG V' 'b EOG furlong' >c.tsv # c is not in it
    [ "$(moe-split $how --explain --channels-file c.tsv r.csv | jq -c '[.channels,[.ignored[].why],.unit]')" = \
        '[["a"],["of type EOG in c.tsv","not in the channels file"],"V"]' ]
    table 'name' 'a' 'b' 'c' >c.tsv
    moe-split $how --unit mV --channels-file c.tsv r.csv -o w.st
    moe-split $how --unit mV r.csv -o plain.st
    cmp w.st plain.st
    for unit in uV µV μV microV microvolts; do
        table 'name units' "a $unit" 'b n/a' "c $unit" >c.tsv
        moe-split $how --channels-file c.tsv r.csv -o w.st
        moe-split $how r.csv -o plain.st
        cmp w.st plain.st
    done
}

@test "--channels-file: what is wrong is named; one file may be for all recordings" {
    rows 100 >S1.csv
    rows 100 >S2.csv
    s="moe-split $how --channels-file c.tsv S1.csv"
    table 'name type' 'a EEG' 'Fz EEG' >c.tsv
    refused 65 'c.tsv:3: channel "Fz" is not a column of S1.csv' $s
    table 'name units' 'a uV' 'b Ohm' >c.tsv
    refused 65 'c.tsv:3: channel "b": the unit "Ohm" is not one of uV, mV, V, nV' $s
    table 'name status' 'a fine' >c.tsv
    refused 65 'c.tsv:2: the status "fine" is neither good nor bad' $s
    table 'name status' 'a good' 'a bad' >c.tsv
    refused 65 'c.tsv:3: channel "a" is listed twice' $s
    table 'channel' 'a' >c.tsv
    refused 65 'c.tsv:1: there is no column "name"' $s
    table 'name status' 'a bad' 'b bad' 'c bad' >c.tsv
    refused 65 'S1.csv: none of its columns is used as a channel' $s
    table 'name status' 'a good' 'b bad' 'c good' >c.tsv
    refused 65 'S1.csv: channel "b" of --channels is left out here: marked bad in c.tsv' $s --channels a,b
    moe-split $how --channels-file c.tsv S1.csv S2.csv -o w.st
    [ "$(show w.st moe.channels)" = '["a","c"]' ]
    cp c.tsv S1_channels.tsv
    table 'name status' 'a good' 'b good' 'c bad' >S2_channels.tsv
    refused 65 'S2.csv: channel "b" is not in the earlier recordings' moe-split $how --channels-file '{}_channels.tsv' S1.csv S2.csv
    table 'name status' 'a good' 'b bad' 'c bad' >S2_channels.tsv
    refused 65 'S2.csv: channel "c" of the earlier recordings is left out here: marked bad in S2_channels.tsv' \
        moe-split $how --channels-file '{}_channels.tsv' S1.csv S2.csv
    moe-split $how --live --channels-file c.tsv S1.csv | cat >live.st
    [ "$(grep -aoF '"moe.channels":"[\"a\",\"c\"]"' live.st | wc -l)" = 20 ] # a file for each window
}

@test "--list: recordings with group, session, label and rate" {
    mkdir -p data/x
    rows 20 >data/x/a.csv
    rows 20 >data/b.csv
    rows 20 >data/c.csv
    table 'id path group session label rate age' '1 x/a.csv old one rest 10 33' '2 b.csv n/a two task n/a n/a' \
        '3 c.csv young one n/a 10 5' >data/list.tsv
    how="--no-history --experts 1 --halo 0 --rate 10 --window 10"
    [ "$(windows --list data/list.tsv)" = "0:rest 10:rest 20:task 30:task 40:? 50:?" ]
    [ "$(show w.st moe.groups)$(show w.st moe.conditions)$(show w.st moe.recordings)" = \
        '["old","2","young"]["one","two"]["a.csv","b.csv","c.csv"]' ]
    [ "$(show w.st window.group)$(show w.st window.condition)" = "I32 [6] 0 0 1 1 2 2I32 [6] 0 0 1 1 0 0" ]
    mv w.st all.st
    for threads in 1 3; do
        moe-split $how --threads $threads --list data/list.tsv -o w.st
        cmp w.st all.st
    done
    run moe-split $how -v --list data/list.tsv -o w.st
    [ "$output" = 'moe-split: data/list.tsv: column "age" is ignored' ]
    # only paths: groups are of the names; the rate of a line comes before --rate
    table 'path rate' 'S1_1.csv 10' 'S2_1.csv 10' >list.tsv
    rows 20 >S1_1.csv
    rows 20 >S2_1.csv
    moe-split --no-history --experts 1 --rate 99 --window 1s --list list.tsv -o w.st
    [ "$(show w.st moe.rate)$(show w.st moe.groups)$(show w.st moe.length)$(show w.st moe.conditions)" = '10["S1","S2"]10absent' ]
    [ "$(moe-split --explain --experts 1 --list list.tsv | jq -r .rate_from | uniq)" = "the list" ]
    # events of the listed recordings
    table 'onset duration trial_type' '1 1 a' >S1_1_events.tsv
    table 'onset duration trial_type' '0 1 b' >S2_1_events.tsv
    [ "$(windows --list list.tsv --events '{}_events.tsv')" = "10:a 20:b" ]
}

@test "--list: the label of a line takes the place of a label column" {
    awk 'BEGIN { print "a,b,label"; for (i = 0; i < 20; i++) print i "," (-i) "," (i < 10 ? "x" : "y") }' >r.csv
    table 'path label' 'r.csv 1.0' >list.tsv
    [ "$(windows --list list.tsv)" = "0:1 5:1 10:1 15:1" ]
    [ "$(moe-split $how --explain --list list.tsv | jq -c '[.labels,.ignored]')" = \
        '[{"1":20},[{"name":"label","why":"holds labels, but those of the list are used"}]]' ]
    table 'path' 'r.csv' >list.tsv
    [ "$(windows --list list.tsv)" = "0:x 5:x 10:y 15:y" ]
}

@test "--list: bad lines are named" {
    rows 20 >r.csv
    s="moe-split $how --list l.tsv"
    table 'id file' '1 r.csv' >l.tsv
    refused 65 'l.tsv:1: there is no column "path"' $s
    echo id,path >l.tsv
    echo 1,r.csv >>l.tsv
    refused 65 'l.tsv:1: there is no column "path"; a list has a header with path' $s
    table 'id path' '1 r.csv' '2 n/a' >l.tsv
    refused 65 'l.tsv:3: there is no path' $s
    table 'id path' '1 absent.csv' >l.tsv
    refused 65 'l.tsv:2: absent.csv: cannot be read' $s
    table 'id path' 'n/a r.csv' >l.tsv
    refused 65 'l.tsv:2: there is neither a group nor an id' $s
    table 'id path rate' '1 r.csv fast' >l.tsv
    refused 65 'l.tsv:2: the rate "fast" is not a number' $s
    table 'id path rate' '1 r.csv 0' >l.tsv
    refused 65 'l.tsv:2: the rate "0" is not a number' $s
    table 'id path session' '1 r.csv n/a' >l.tsv
    refused 65 'l.tsv:2: there is no session' $s
    table 'id path' '1 r.csv' '2 r.csv' >l.tsv
    refused 64 'r.csv: this recording is given twice' $s
    table 'id path' '1 r.csv' '2' >l.tsv
    refused 65 'l.tsv:3: 1 cells, but the first row has 2' $s
    table 'id path label' '1 r.csv rest' >l.tsv
    refused 65 'l.tsv:2: label "rest" is not one of --classes' $s --classes task
    refused 64 'l.tsv: the list has a label for each recording, and --events gives others' $s --events e.tsv
    table 'id path session' '1 r.csv one' >l.tsv
    refused 64 'l.tsv: the sessions of the list are the conditions' $s --condition-name x
    refused 64 '--list names the recordings; give no others' $s r.csv
    refused 64 '--list needs whole recordings; leave --live out' $s --live
    spared l.tsv $s
    spared r.csv $s
    table 'id path' >l.tsv
    refused 65 'l.tsv:2: there is a header but no recording' $s
}
