#!/usr/bin/env bats
# Recordings as recorders write them, read without options: which columns are channels, the rate, the unit, the values. Every
# file is made here from the description of its dialect.
# shellcheck disable=SC2016,SC2086,SC2154 # awk and jq have dollars of their own; options are split on purpose

load split_helpers

# make ROWS AWK: rows 0 .. ROWS-1 as i, written by AWK
make() {
    awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++) { '"$2"' } }'
}

# told FILE [OPTIONS]: dialect, rate and where it is from, unit, rows, channels
told() {
    local file=$1
    shift
    moe-split --explain --experts 1 --window 4 "$@" "$file" >told.json
    jq -r '[.dialect,.rate,.rate_from,.unit,.rows,(.channels|join(" "))]|map(. // "-"|tostring)|join(",")' told.json
}

# ask JQ: of what was told last
ask() {
    jq -c "$1" told.json
}

# why NAME: why the column is no channel
why() {
    jq -r --arg name "$1" '.ignored[]|select(.name==$name)|.why' told.json
}

# values FILE [OPTIONS]: the samples of its windows of two rows
values() {
    local file=$1
    shift
    moe-split -q --experts 1 --halo 0 --window 2 "$@" "$file" -o values.st
    show values.st expert.0
}

# alike FILE [OPTIONS]: a live stream has the windows of the file
alike() {
    local file=$1
    shift
    values "$file" "$@" >/dev/null
    moe-split -q --live --experts 1 --halo 0 --window 2 "$@" - <"$file" | cat >live.st
    samples values.st >whole
    samples live.st >live
    [ -s whole ]
    cmp whole live
}

# samples FILE: a line for each window of each of its containers: the first sample, and all values
samples() {
    python3 - "$1" <<'PY'
import json, struct, sys
raw, at = open(sys.argv[1], 'rb').read(), 0
while at < len(raw):
    n = struct.unpack('<Q', raw[at:at + 8])[0]
    head = json.loads(raw[at + 8:at + 8 + n])
    head.pop('__metadata__')
    def numbers(name, code, size):
        b, e = head[name]['data_offsets']
        return struct.unpack('<%d%s' % ((e - b) // size, code), raw[at + 8 + n + b:at + 8 + n + e])
    x, width = numbers('expert.0', 'f', 4), head['expert.0']['shape'][1]
    for start, sample in zip(numbers('window.start', 'q', 8), numbers('window.sample', 'q', 8)):
        print(sample, *('%g' % v for v in x[start * width:(start + 2) * width]))
    at += 8 + n + max(t['data_offsets'][1] for t in head.values())
PY
}

@test "D1 plain: a header of names, seconds" {
    make 40 'if (!i) print "time,Fp1,Fp2"; printf "%.3f,%d,%.1f\n", i / 250, i, -i / 2' >r.csv
    [ "$(told r.csv)" = "plain,250,time column,uV,40,Fp1 Fp2" ]
    [ "$(ask '.time')$(ask '.header_rows')" = '{"column":"time","kind":"seconds"}1' ]
    [[ "$(values r.csv)" == "F32 [40, 2] 0 -0 1 -0.5 2 -1 3 -1.5 4 -2 5 "* ]]
    alike r.csv
}

@test "D1 times: milliseconds, since 1970, date and time, time of day past midnight, timedelta" {
    make 40 'if (!i) print "time,a"; printf "%d,%d\n", 1000 + 4 * i, i' >r.csv
    [ "$(told r.csv) $(ask .time.kind)" = 'plain,250,time column,uV,40,a "milliseconds"' ]
    make 40 'if (!i) print "time,a"; printf "%.3f,%d\n", 1533222559.839 + i / 250, i' >r.csv
    [ "$(told r.csv) $(ask .time.kind)" = 'plain,250,time column,uV,40,a "epoch seconds"' ]
    make 40 'if (!i) print "time,a"; printf "%.0f,%d\n", 1533222559839 + i, i' >r.csv # steps of 1, but certainly ms
    [ "$(told r.csv) $(ask .time.kind)" = 'plain,1000,time column,uV,40,a "epoch milliseconds"' ]
    make 40 'if (!i) print "time,a"; t = 58 + i / 10; printf "2024-02-%s:%06.3f,%d\n", t < 60 ? "28T23:59" : "29T00:00", t < 60 ? t : t - 60, i' >r.csv
    [ "$(told r.csv) $(ask .time.kind) $(ask .gaps)" = 'plain,10,time column,uV,40,a "date and time" []' ]
    sed 's/T/ /; s/,/Z,/; 1s/Z//' r.csv >z.csv
    [ "$(told z.csv) $(ask .gaps)" = 'plain,10,time column,uV,40,a []' ]
    cut -c1-5,12- r.csv | sed '1s/.*/time,a/; s/^2024-//' >day.csv
    [ "$(told day.csv) $(ask .time.kind) $(ask .gaps)" = 'plain,10,time column,uV,40,a "time of day" []' ]
    alike day.csv
    make 40 'if (!i) print "time,a"; if (i) printf "0 days 00:00:%09.6f,%d\n", i / 250, i; else print "0 days 00:00:00,0"' >r.csv
    [ "$(told r.csv) $(ask .time.kind)" = 'plain,250,time column,uV,40,a "timedelta"' ]
    sed '20s/.*/noon,1/' day.csv >text.csv
    refused 65 'text.csv:20: column "time": "noon" is not a number or a time like those before it' \
        moe-split --window 4 --experts 1 text.csv
}

@test "D2 pandas with its index, D3 muse-lsl: milliseconds at 256 Hz, the auxiliary input and markers left out" {
    make 600 'if (!i) print ",TP9,AF7,AF8,TP10,Right AUX,timestamps"; printf "%d,%d,%.1f,3,4,5,%.3f\n", i, i, i / 2, 1533222559.839 + i / 256' >r.csv
    [ "$(told r.csv)" = "muse,256,time column,uV,600,TP9 AF7 AF8 TP10" ]
    [ "$(ask '[.ignored[].name]')$(ask .gaps)" = '["","Right AUX","timestamps"][]' ]
    [[ "$(values r.csv)" == "F32 [600, 4] 0 0 3 4 1 0.5 3 4 2 1 "* ]]
    [ "$(told r.csv --channels 'Right AUX,TP9' | cut -d, -f6)" = "Right AUX TP9" ]
    make 600 'if (!i) print "timestamps,TP9,AF7,AF8,TP10,Right AUX,Marker0"; printf "%.3f,%d,1,2,3,4,0\n", 1533222559.839 + i / 256, i' >r.csv
    [ "$(told r.csv)" = "muse,256,time column,uV,600,TP9 AF7 AF8 TP10" ]
    [ "$(why Marker0)" = "marks events" ]
    { head -300 r.csv && tail -n +301 r.csv | sed 's/$/,0/'; } >wide.csv # a marker column that came later
    refused 65 "wide.csv:301: 8 cells, but the first row has 7; --ragged drop" moe-split --experts 1 --window 4 wide.csv
    [ "$(told wide.csv --ragged pad | cut -d, -f5)$(ask '.notes[0]')" = '600"rows with too few or too many cells, filled up or cut off: 301"' ]
    [ "$(told wide.csv --ragged drop | cut -d, -f5)$(ask '.notes[0]')" = '299"rows with too few or too many cells, left out: 301"' ]
}

mindmonitor() { # mindmonitor ROWS: bursts of 48 rows, a message first and amid them
    make "$1" 'if (!i) { print "TimeStamp,Delta_TP9,RAW_TP9,RAW_AF7,AUX_RIGHT,Accelerometer_X,HeadBandOn,HSI_TP9,Battery,Elements"
            print "2017-11-02 12:33:05.000,,,,,,,,,/muse/event/connected MuseS-84AC" }
        if (i == 7) print "2017-11-02 12:33:05.001,,,,,,,,,/muse/elements/blink"
        t = int(i / 48) * 48 / 256
        printf "2017-11-02 12:%02d:%06.3f,-inf,%d.5,%d,1,0.1,1,1,17.41\n", 33 + int(t / 60), t % 60, 800 + i % 50, 850 - i % 50'
}

@test "D4 Mind Monitor: rows a cell shorter than the header, messages, bursts" {
    mindmonitor 1000 >r.csv
    [ "$(told r.csv)" = "mindmonitor,256,dialect,uV,1000,RAW_TP9 RAW_AF7" ]
    [ "$(ask '[.gaps,.missing,.notes]')" = '[[],0,["rows that contain only a message, skipped: 2"]]' ]
    [ "$(why Delta_TP9),$(why Elements),$(why Battery)" = "band power,messages,battery level" ]
    [[ "$(values r.csv)" == "F32 [1000, 2] 800.5 850 801.5 849 802.5 848 "* ]]
    alike r.csv
    { head -520 r.csv && tail -n +800 r.csv; } >lost.csv # a second is missing
    told lost.csv
    [ "$(ask '.gaps|length')" = 1 ]
    [ "$(ask '.gaps[0].seconds > 0.8 and .gaps[0].seconds < 1.2')" = true ]
    sed '500s/.*/&,1,2/' r.csv >ragged.csv
    refused 65 "ragged.csv:500: 11 cells" moe-split --experts 1 --window 4 ragged.csv
    make 30 'if (!i) print "TimeStamp,RAW_TP9,Elements"; printf "2017-11-02 12:33:%02d.000,%d\n", i, 800 + i' >slow.csv
    [ "$(told slow.csv | cut -d, -f2)$(ask '.notes[0]')" = '1"1 rows per second from a device that records 256 samples per second: this is not the whole signal"' ]
}

@test "D5 Emotiv: the first line's rate, a counter, samples that are made up" {
    make 300 'if (!i) { print "title:foo, start timestamp:1623658701.491566, headset:EPOCX, sampling rate:eeg_128;mot_64, samples:300 , version:2.1,"
            print "Timestamp,EEG.Counter,EEG.Interpolated,EEG.AF3,EEG.T7,EEG.RawCq,EEG.Battery,MOT.Q0,POW.AF3.Theta,MarkerIndex,MarkerType" }
        k = i < 200 ? i : i + 3
        printf "%.6f,%d,%d,%d.25,%d,0,50,%s,,,\n", 1623658701.491566 + k / 128, k % 128, (i == 5), 4200 + i, 4100 - i, i % 2 ? "" : "0.5"' >r.csv
    [ "$(told r.csv)" = "emotiv,128,first line,uV,300,EEG.AF3 EEG.T7" ]
    [ "$(ask '.gaps')" = '[{"row":200,"seconds":0.0234375}]' ]
    [ "$(ask '.facts["sampling rate"]')" = '"eeg_128;mot_64"' ]
    [ "$(why EEG.Interpolated)" = "marks which samples are interpolated" ]
    [ "$(ask '.notes[0]')" = '"samples that the recorder marks as lost or interpolated (--missing drop-window leaves out the windows that contain them): 1"' ]
    [[ "$(values r.csv)" == "F32 [300, 2] 4200.25 4100 4201.25 4099 "* ]]
    moe-split -q --experts 1 --window 2 --missing drop-window r.csv -o w.st
    [ "$(show w.st window.start | cut -c1-20)" = "I64 [149] 0 2 6 8 10" ]
    alike r.csv --missing drop-window
}

openbci() { # openbci ROWS: with four packets lost before row 300, the clock in bursts, a railed channel
    make "$1" 'if (!i) { printf "%%OpenBCI Raw EXG Data\r\n%%Number of channels = 4\r\n%%Sample Rate = 250 Hz\r\n%%Board = OpenBCI_GUI$BoardCytonSerial\r\n"
            printf "Sample Index, EXG Channel 0, EXG Channel 1, EXG Channel 2, EXG Channel 3, Accel Channel 0, Not Used, Other, Not Used, Other, Timestamp, Marker Channel, Timestamp (Formatted)\r\n" }
        k = i < 300 ? i : i + 4
        printf "%d, %d.36, %d.5, -187500.02, %d.36, 0.1, 0,0, 0,0, %.0f,0, 12:00:%02d.328\r\n", k % 256, 61379 + i % 7, -i, 61379 + i % 7, 1557936053329 + int(k / 12) * 48, int(k / 250)'
}

@test "D6 OpenBCI GUI 5: comments with facts, commas with and without blanks, names that come twice, lost packets" {
    openbci 600 >r.csv
    [ "$(told r.csv)" = "openbci,250,comment,uV,600,EXG Channel 0 EXG Channel 1 EXG Channel 2 EXG Channel 3" ]
    [ "$(ask '[.facts["Number of channels"],.facts["Sample Rate"],.delimiter,.header_rows]')" = '["4","250 Hz",",",1]' ]
    [ "$(ask '[.ignored[].name]')" = '["Sample Index","Accel Channel 0","Not Used","Other","Not Used#2","Other#2","Timestamp","Marker Channel","Timestamp (Formatted)"]' ]
    [ "$(ask .time)$(ask .gaps)" = '{"column":"Timestamp","kind":"epoch milliseconds"}[{"row":300,"seconds":0.016}]' ]
    [ "$(ask '[.suspicious[]|select(.channel=="EXG Channel 2" or .channel=="EXG Channel 3")|.why]')" = '["railed (187500.02 uV) in all rows","identical to EXG Channel 0","median amplitude 6.14e+04 uV: perhaps the values are nanovolts (--unit nV), or have an offset"]' ]
    [[ "$(values r.csv)" == "F32 [600, 4] 61379.4 0.5 -187500 61379.4 61380.4 -1.5 -187500 "* ]]
    alike r.csv
    make 600 'if (!i) print "%OpenBCI Raw EXG Data\n%Sample Rate = 125 Hz\nSample Index, EXG Channel 0, Timestamp"; printf "%d, %d.0, 1.557936%06.0fE9\n", i * 2 % 256, i, i * 8' >daisy.csv
    [ "$(told daisy.csv)$(ask .gaps)" = "openbci,125,comment,uV,600,EXG Channel 0[]" ] # counts in twos, and Java's exponents
}

@test "a counter of one byte cannot tell 2 lost packets from 258: the time can" {
    make 600 'if (!i) print "%Sample Rate = 250 Hz\nSample Index, EXG Channel 0, Timestamp"; k = i < 100 ? i : i + 258; printf "%d, %d, %.3f\n", k % 256, i, 1557936053 + k / 250' >r.csv
    told r.csv
    [ "$(ask .gaps)" = '[{"row":100,"seconds":1.032}]' ]
    sed 's/, [0-9.]*$//; 2s/, Timestamp//' r.csv >no-time.csv
    told no-time.csv
    [ "$(ask .gaps)" = '[{"row":100,"seconds":0.008}]' ]
    alike no-time.csv
}

@test "D7 OpenBCI GUI before 5: no names, a clock past midnight in bursts" {
    make 400 'if (!i) print "%OpenBCI Raw EEG Data\n%\n%Sample Rate = 250.0 Hz\n%First Column = SampleIndex\n%Last Column = Timestamp "
        t = 86399 + int(i / 12) * 0.048; if (t >= 86400) t -= 86400
        printf "%d, %d.05, %d.38, -187500.02, 4, 5, 6, 7, 8, 0.1, 0.2, 0.3, %02d:%02d:%06.3f\n", i % 256, 75561 - i, i, int(t / 3600), int(t / 60) % 60, t % 60' >r.csv
    [ "$(told r.csv)" = "openbci,250,comment,uV,400,$(echo EXG\ Channel\ {0..7})" ]
    [ "$(ask .time)$(ask .gaps)$(ask .header_rows)" = '{"column":"C12","kind":"time of day"}[]0' ]
    [ "$(why C0),$(why C9)" = "counts the samples,movement, not EEG" ]
    [[ "$(values r.csv)" == "F32 [400, 8] 75561 0.38 -187500 4 5 6 7 8 75560 "* ]]
    alike r.csv
}

@test "D8 OpenBCI SD card: the accelerometer on some rows only" {
    make 600 'printf "%d,%d.492,%d,3,4,5,6,7,-8.246%s\n", (i + 7) % 256, -63526 + i, i, i % 10 == 1 ? ",0.004,0.91,0.404" : ""' >r.csv
    [ "$(told r.csv)" = "openbci,250,dialect,uV,600,$(echo EXG\ Channel\ {0..7})" ]
    [ "$(ask '.notes')" = '["rows with more cells than the header, whose extra cells are ignored: 60"]' ]
    [[ "$(values r.csv)" == "F32 [600, 8] -63526.5 0 3 4 5 6 7 -8.246 -63525.5 1 3 4 5 6 "* ]]
    alike r.csv
    tail -n +2 r.csv >motion-first.csv
    [ "$(told motion-first.csv)" = "openbci,250,dialect,uV,599,$(echo EXG\ Channel\ {0..7})" ]
    [ "$(told r.csv --rate 500 | cut -d, -f2,3)" = "500,--rate" ]
    sed '30s/$/,1/' r.csv >other.csv
    refused 65 "other.csv:2: 12 cells, but the first row has 9" moe-split --rate 250 --experts 1 --window 4 other.csv
}

@test "D9 BrainFlow: tabs, no names, what is known of the board's width" {
    make 300 'printf "%.6f\t%.6f\t%.6f\t%.6f\n", i % 256, i + 0.5, -i, 1557936053.329 + i / 250' >r.csv
    [ "$(told r.csv)" = "brainflow,250,time column,uV,300,C1 C2" ]
    [ "$(ask .time)$(ask .delimiter)$(why C0)" = '{"column":"C3","kind":"epoch seconds"}"\t"counts the samples' ]
    [[ "$(values r.csv)" == "F32 [300, 2] 0.5 -0 1.5 -1 2.5 -2 "* ]]
    alike r.csv
    tr . , <r.csv >comma.csv
    [ "$(told comma.csv)$(ask .decimal)" = 'brainflow,250,time column,uV,300,C1 C2","' ]
    [ "$(values comma.csv)" = "$(values r.csv)" ]
    make 300 'printf "%.6f", i % 256; for (c = 1; c < 22; c++) printf "\t%.6f", i + c; printf "\t%.6f\t0.000000\n", 1557936053.329 + i / 250' >cyton.csv
    [ "$(told cyton.csv)" = "brainflow,250,time column,uV,300,C1 C2 C3 C4 C5 C6 C7 C8" ]
    [ "$(why C9),$(why C23)" = "not an EEG channel of this board,marks events" ]
}

@test "D10: commas as decimal signs and separators are refused, and read with --decimal ," {
    make 20 'printf "%d,50, -%d,25, 0,00\n", i, i' >r.csv
    refused 65 'r.csv:2: "1,50, -1,25, 0,00": commas seem to be decimal signs and separators at once; --decimal , reads them as both' \
        moe-split --rate 250 --experts 1 --window 4 r.csv
    [ "$(told r.csv --decimal , --rate 250)" = "plain,250,--rate,uV,20,C0 C1 C2" ]
    [[ "$(values r.csv --decimal , --rate 250)" == "F32 [20, 3] 0.5 -0.25 0 1.5 -1.25 0 2.5 -2.25 0 "* ]]
    alike r.csv --decimal , --rate 250
    tr -d ' ' <r.csv >tight.csv
    refused 65 "commas seem to be decimal signs" moe-split --rate 250 --experts 1 --window 4 tight.csv
    [ "$(values tight.csv --decimal , --rate 250)" = "$(values r.csv --decimal , --rate 250)" ]
    { echo "a,b,c" && cat tight.csv; } >named.csv
    [ "$(values named.csv --decimal , --rate 250)" = "$(values r.csv --decimal , --rate 250)" ]
    sed '5s/,25//' tight.csv >bad.csv
    refused 65 "bad.csv:5: 5 cells, but the first row has 3" moe-split --decimal , --rate 250 --experts 1 --window 4 bad.csv
    printf '0, 61379, -5, 0,0, 1557936053,0\n1, 61379, -5, 0,0, 1557936053,0\n' >whole.csv # no commas in numbers
    [ "$(told whole.csv --rate 250 | cut -d, -f5)" = 2 ]
}

@test "D11 European: semicolons, decimal commas, a mark, a German time column" {
    make 40 'if (!i) printf "\xef\xbb\xbfZeit;Fp1;Fp2\r\n"; s = sprintf("%.3f;%.1f;%d\r\n", i / 250, -i / 2, i); gsub(/\./, ",", s); printf "%s", s' >r.csv
    [ "$(told r.csv)" = "plain,250,time column,uV,40,Fp1 Fp2" ]
    [ "$(ask .decimal)$(ask .delimiter)" = '","";"' ]
    [[ "$(values r.csv)" == "F32 [40, 2] -0 0 -0.5 1 -1 2 "* ]]
    alike r.csv
    { echo "sep=;" && tail -c +4 r.csv; } >sep.csv
    [ "$(values sep.csv)" = "$(values r.csv)" ]
    refused 65 'r.csv:2: column "Fp1": "-0,0" is not a number; decimal commas are read with --decimal ,' \
        moe-split --decimal . --drop Zeit --rate 250 --experts 1 --window 4 r.csv
    refused 65 "r.csv:2: 3 cells, but the first row has 1; they contain semicolons" \
        moe-split --delim comma --rate 250 --experts 1 --window 4 r.csv
    iconv -f UTF-8 -t UTF-16 r.csv >wide.csv
    refused 65 "wide.csv: this is UTF-16 text; convert it (iconv" moe-split wide.csv
    make 40 'if (!i) print "Zeit;a"; printf "01.02.2024 10:00:%02d,%03d;%d\n", i / 10, i % 10 * 100, i' >clock.csv
    [ "$(told clock.csv) $(ask .time.kind)" = 'plain,10,time column,uV,40,a "date and time"' ]
}

@test "D12 EEGLAB: a tab behind every cell, milliseconds that begin again with each trial, no last line end" {
    make 40 'if (!i) printf "Time\tFp1\tFp2\t"; printf "\n%.4f\t%.4f\t%.4f\t", i % 20 * 4, -12.1 - i, 3 + i' >r.csv
    [ "$(told r.csv)" = "eeglab,250,time column,uV,40,Fp1 Fp2" ]
    [ "$(ask .time.kind)$(ask .gaps)$(ask .windows)" = '"milliseconds"[{"row":20,"seconds":null}]10' ]
    [[ "$(values r.csv)" == "F32 [40, 2] -12.1 3 -13.1 4 -14.1 5 "* ]]
    alike r.csv
    make 40 'if (!i) printf "Time\ta\t"; printf "\n%.4f\t%d\t", i, i' >ms.csv # 1000 Hz, as its milliseconds are known
    [ "$(told ms.csv | cut -d, -f2)" = 1000 ]
    sed '9s/\t$//' r.csv >bad.csv
    refused 65 "bad.csv:9: 3 cells, but the first row has 4" moe-split --experts 1 --window 4 bad.csv
}

@test "D15 rdsamp: single quotes, a row of units, - for what is missing, dots behind names" {
    make 40 'if (!i) print "\047Elapsed time\047,\047Fc5.\047,\047C3..\047,\047Resp\047\n\047seconds\047,\047uV\047,\047mV\047,\047NU\047"
        printf "%.3f,%.3f,%.3f,1.5\n", i / 160, -16 - i, i / 1000' >r.csv
    [ "$(told r.csv)" = "physionet,160,time column,mixed,40,Fc5 C3 Resp" ]
    [ "$(ask .header_rows)$(ask .time)" = '2{"column":"Elapsed time","kind":"seconds"}' ]
    [[ "$(values r.csv)" == "F32 [40, 3] -16 0 1.5 -17 1 1.5 -18 2 1.5 "* ]]
    [[ "$(values r.csv --unit V)" == "F32 [40, 3] -1.6e+07 0 1.5e+06 "* ]]
    alike r.csv
    sed '10s/.*/0.044,-,0.007,1.5/' r.csv >hole.csv
    refused 65 'hole.csv:10: column "Fc5" has no value' moe-split --experts 1 --window 4 hole.csv
    told hole.csv --missing drop-window
    [ "$(ask '[.missing,.windows,.windows_left_out]')" = "[1,9,1]" ]
    sed "3,\$s/^[^,]*/'0:0&'/; 2s/seconds/hh:mm:ss.mmm/; 2s/NU/mmHg/" r.csv >clock.csv
    [ "$(told clock.csv) $(ask .time.kind)" = 'physionet,160,time column,mixed,40,Fc5 C3 "time of day"' ]
    [ "$(why Resp)" = "its unit is not a voltage" ]
    make 40 'if (!i) print "\047sample #\047,\047Fc5.\047\n\047sample #\047,\047uV\047"; printf "%d,%d\n", i, i' >raw.csv
    [ "$(told raw.csv --rate 160)" = "physionet,160,--rate,uV,40,Fc5" ]
}

@test "D16 OpenViBE: the rate in the header, events in cells" {
    make 40 'if (!i) print "Time:8Hz,Epoch,O1,O2,Event Id,Event Date,Event Duration"; printf "%.5f,%d,%d.2,%d,%s\n", i / 8, i / 4, -20 - i, i, i == 2 ? "32000:32010,0.25000:0.25000,0:0" : ",,"' >r.csv
    [ "$(told r.csv)" = "openvibe,8,header,uV,40,O1 O2" ]
    [ "$(ask '[.ignored[].name]')" = '["Time:8Hz","Epoch","Event Id","Event Date","Event Duration"]' ]
    [[ "$(values r.csv)" == "F32 [40, 2] -20.2 0 -21.2 1 -22.2 2 "* ]]
    alike r.csv
    sed '1s/8Hz/16Hz/' r.csv >wrong.csv
    refused 65 "the time column gives 8 Hz, but the header gives 16 Hz" moe-split --experts 1 --window 4 wrong.csv
    tr , ';' <r.csv | sed '1s/.*/Time (s);Epoch;O1;O2;Event Id;Event Date;Event Duration/' >old.csv
    [ "$(told old.csv --rate 8)" = "openvibe,8,time column,uV,40,O1 O2" ]
}

@test "D17 Unicorn: milliseconds since 1970, a counter, samples that are not valid" {
    make 200 'if (!i) print "Timestamp,EEG 1,EEG 2,Accelerometer X,Gyroscope Z,Battery Level,Counter,Validation Indicator"
        k = i < 100 ? i : i + 10; printf "%.0f,%d.333,2,0.1,0.2,93.3,%.1f,%.1f\n", 1687340939292 + 4 * k, -15 - i, 308202 + k, (i != 50)' >r.csv
    [ "$(told r.csv)" = "unicorn,250,time column,uV,200,EEG 1 EEG 2" ]
    [ "$(ask .gaps)$(ask '.notes|length')" = '[{"row":100,"seconds":0.04}]1' ]
    [ "$(why Counter),$(why 'Validation Indicator')" = "counts the samples,marks which samples are valid" ]
    [[ "$(values r.csv)" == "F32 [200, 2] -15.333 2 -16.333 2 "* ]]
    told r.csv --missing drop-window
    [ "$(ask '[.windows,.windows_left_out]')" = "[49,1]" ]
    alike r.csv --missing drop-window
}

@test "D18 Neuroelectrics: nanovolts, trigger and milliseconds last" {
    make 100 'printf "%d\t%d\t0\t%.0f\n", 12345678 + 1000 * i, -2345, 1557936053329 + 2 * i' >S1.easy
    [ "$(told S1.easy)" = "neuroelectrics,500,time column,nV,100,C0 C1" ]
    [ "$(ask .time)$(why C2)" = '{"column":"C3","kind":"epoch milliseconds"}marks events' ]
    [[ "$(values S1.easy)" == "F32 [100, 2] 12345.7 -2.345 12346.7 -2.345 "* ]]
    [[ "$(values S1.easy --unit uV)" == "F32 [100, 2] 1.23457e+07 -2345 "* ]]
    alike S1.easy
    make 100 'for (c = 0; c < 8; c++) printf "%d\t", 1000 * c; printf "1\t2\t9800\t0\t%.0f\n", 1557936053329 + 2 * i' >S2.easy
    [ "$(told S2.easy | cut -d, -f6)$(why C8)" = "C0 C1 C2 C3 C4 C5 C6 C7movement, not EEG" ]
}

@test "D20 a column of keys is no channel, D22 a column of classes holds the labels" {
    make 20 'if (!i) print "id,Fp1,F7"; printf "subj1_series1_%d,%d,363\n", i, -31 - i' >r.csv
    [ "$(told r.csv --rate 500)" = "plain,500,--rate,uV,20,Fp1 F7" ]
    [ "$(why id)" = "identifiers, not numbers" ]
    [[ "$(values r.csv --rate 500)" == "F32 [20, 2] -31 363 -32 363 -33 "* ]]
    sed '1s/id/trial name/' r.csv >named.csv
    [ "$(told named.csv --rate 500 | cut -d, -f6)$(why 'trial name')" = "Fp1 F7identifiers, not numbers" ]
    make 20 'if (!i) print "AF3,F7,AF4,eyeDetection"; printf "%d.23,4009.23,4393.85,%d\n", 4329 + i, (i > 9)' >r.csv
    [ "$(told r.csv --rate 128)" = "plain,128,--rate,uV,20,AF3 F7 AF4" ]
    [ "$(ask .labels)$(why eyeDetection)" = '{"0":10,"1":10}holds the labels' ]
    values r.csv --rate 128 >/dev/null
    [ "$(show values.st window.label)" = "I32 [10] 0 0 0 0 0 1 1 1 1 1" ]
    [ "$(told r.csv --rate 128 --drop eyeDetection)$(ask .labels)" = "plain,128,--rate,uV,20,AF3 F7 AF4{}" ]
    sed '1s/eyeDetection/Cz/' r.csv >none.csv
    [ "$(told none.csv --rate 128 | cut -d, -f6)" = "AF3 F7 AF4 Cz" ]
}

@test "D26: what is no table is named with a remedy" {
    s="moe-split --rate 1 bad.csv"
    printf '{"a": [1, 2]}\n' >bad.csv
    refused 65 "bad.csv: this is JSON; save" $s
    printf '[[1, 2], [3, 4]]\n' >bad.csv
    refused 65 "bad.csv: this is JSON" $s
    printf '@relation eeg\n@data\n1,2\n' >bad.csv
    refused 65 "bad.csv: this is an ARFF file; save it as CSV" $s
    printf '%% by hand\n\n@RELATION eeg\n' >bad.csv
    refused 65 "bad.csv: this is an ARFF file" $s
    printf 'PK\003\004xxxxxxxxxx' >bad.csv
    refused 65 "bad.csv: this is a zip archive or an Excel workbook; unpack it, or save" $s
    printf '\320\317\021\340xxxxxxxx' >bad.csv
    refused 65 "bad.csv: this is an old Excel workbook" $s
    printf 'PAR1xxxxxxxx' >bad.csv
    refused 65 "bad.csv: this is a Parquet file" $s
    printf 'Brain Vision Data Exchange Header File Version 1.0\n' >bad.csv
    refused 65 "bad.csv: this is a BrainVision header" $s
    printf '0        1.5\n1        2.5\n2        3.5\n' >good.csv # blanks, and no EDF
    [ "$(told good.csv --rate 10)$(ask .delimiter)" = 'plain,10,--rate,uV,3,C0 C1" "' ]
}

@test "blanks, comments, header rows and dialects can be said" {
    printf '# sfreq: 200\n; made by hand\nFp1  Fp2\n 1.5   2\n3\t4\n' >r.csv
    [ "$(told r.csv --window 1)" = "plain,200,comment,uV,2,Fp1 Fp2" ]
    [ "$(values r.csv)" = "F32 [2, 2] 1.5 2 3 4" ]
    [ "$(values r.csv --delim blank)" = "F32 [2, 2] 1.5 2 3 4" ]
    refused 64 "not one of comma, semicolon, tab, blank" moe-split --delim pipe r.csv
    refused 64 '--decimal: "x" is neither . nor ,' moe-split --decimal x r.csv
    printf 'a,b\nleft,right\n1,2\n3,4\n' >two.csv
    [ "$(values two.csv --header 2 --rate 1)" = "F32 [2, 2] 1 2 3 4" ]
    refused 65 'two.csv:2: column "b": "right" is not a number' moe-split --header 1 --rate 1 --experts 1 --window 1 two.csv
    printf '5,6\n1,2\n3,4\n' >n.csv
    [ "$(values n.csv --header none --rate 1 --window 3)$(values n.csv --header 1 --rate 1)" = "F32 [3, 2] 5 6 1 2 3 4F32 [2, 2] 1 2 3 4" ]
    printf 'a\r1\r2\r' >cr.csv
    [ "$(values cr.csv --rate 1)" = "F32 [2, 1] 1 2" ]
    make 20 'if (!i) print "timestamp,EEG.AF3,x"; printf "%.3f,%d,1\n", i / 128, i' >e.csv
    [ "$(told e.csv --dialect emotiv | cut -d, -f1,6)" = "emotiv,EEG.AF3" ]
    [ "$(told e.csv | cut -d, -f1,6)" = "plain,EEG.AF3 x" ]
    make 20 'if (!i) print "a,b,c,d"; printf "1,-1,NaN,n/a\n"' >m.csv
    told m.csv --rate 1
    [ "$(ask .missing)" = 40 ]
}

@test "--explain=text says it in words" {
    openbci 600 >r.csv
    moe-split --explain=text --experts 2 --halo 1 --window 100 r.csv >words
    for line in "r.csv: 600 rows of 4 channels in uV, 250 Hz (comment)" "  dialect      openbci: separated by commas, decimal points, 1 header row" \
        "  comments     Number of channels: 4" "  channels     4: EXG Channel 0, EXG Channel 1, EXG Channel 2, EXG Channel 3" \
        "  no channels  Sample Index: counts the samples" "  time         column Timestamp, epoch milliseconds" "  gaps         1: row 300 (0.016 s)" \
        "  missing      0 cells" "  labels       none" "  group        r" "  windows      6 of 100 samples, one every 100; 0 left out" \
        "               EXG Channel 2: railed (187500.02 uV) in all rows" "  regions      0: EXG Channel 0, EXG Channel 1; halo EXG Channel 2"; do
        grep -qxF -- "$line" words || { echo "no line: $line" && cat words && false; }
    done
    make 40 'if (!i) print "time,Fp1,Fp2"; printf "%.3f,%d,1\n", i / 100, i' >e.csv
    printf 'onset\tduration\ttrial_type\n0.1\t0.1\tgo\n' >e.tsv
    moe-split --explain=text --events e.tsv --regions lobes --halo-mm 20 --window 5 e.csv >words
    grep -qxF "  events       1 in e.tsv (bids); trials of go (1); 0 outside, 0 without a window" words
    grep -q "^  no channel   .: central, " words
    moe-split --explain=json --experts 2 r.csv | cmp - <(moe-split --explain --experts 2 r.csv)
    refused 64 '--explain: "xml" is not one of json|text' moe-split --explain=xml r.csv
    printf 'a\033[31m,b\n1,2\n' >escape.csv
    moe-split --explain=text --experts 1 escape.csv >words
    grep -qF 'channels     2: a\e[31m, b' words
    run grep -q "$(printf '\033')" words
    [ "$status" -eq 1 ]
}

@test "moe-predict and moe-route read every dialect without options, from a file and from a pipe" {
    for k in 0 1 2 3; do
        make 400 'if (!i) print "time,EEG.AF3,EEG.T7,label"; printf "%.4f,%.2f,%.2f,%s\n", i / 128, 40 * sin(i * '$k' / 5), i % 9, i < 200 ? "rest" : "task"' >"S$k.csv"
    done
    moe-split --experts 2 --halo 1 --window 32 S?.csv -o w.st
    moe-train -q --seed 1 --set train.epochs=1 --set encoder.hidden_dim=8 --set encoder.heads=2 --set encoder.layers=1 --valid-groups S3 w.st -o m.st
    moe-predict -m m.st S1.csv | jq -c '[.start,.p]' >plain
    [ "$(wc -l <plain)" -gt 10 ]
    tr ',.' ';,' <S1.csv | sed '1s/EEG,/EEG./g; 1s/time/Zeit/' >european.csv
    { echo "title:x, sampling rate:128, version:2.1," && sed 's/time/Timestamp/; s/^[0-9]/16236587&/; s/,/,0,/; 1s/,0,/,EEG.Interpolated,/' S1.csv; } >emotiv.csv
    sed 's/^\([^,]*\),\([^,]*\),\([^,]*\),\(.*\)/\1\t\2\t\3\t\4\t/' S1.csv >tabs.csv
    for f in european emotiv tabs; do
        moe-predict -m m.st $f.csv | jq -c '[.start,.p]' | cmp - plain
        moe-predict -m m.st <$f.csv | jq -c '[.start,.p]' | cmp - plain
        cat $f.csv | moe-predict -m m.st | jq -c '[.start,.p]' | cmp - plain
        [ "$(moe-route -m m.st --jsonl $f.csv | wc -l)" = "$(wc -l <plain)" ]
    done
    moe-predict -m m.st --decimal , --delim semicolon --time-column Zeit european.csv | jq -c '[.start,.p]' | cmp - plain
    run moe-predict -m m.st --decimal . european.csv
    [ "$status" -eq 65 ]
    [[ "$output" == *'is not a number; decimal commas are read with --decimal ,' ]]
    run moe-predict -m m.st --unit mV w.st
    [ "$status" -eq 64 ]
    [[ "$output" == "moe-predict: w.st: a file of windows, and --unit is for recordings only"* ]]
}

@test "dates, events, conditioning and regions work together, and --explain=text tells of all" {
    # 1 s at 256 Hz before midnight and 2 s behind it, one second between them missing
    awk 'BEGIN { print "TimeStamp,RAW_TP9,RAW_AF7,RAW_AF8,Battery"; for (i = 0; i < 768; i++) { t = i / 256 + (i < 256 ? 0 : 1)
        printf "2024-05-%s.%06d,%d,%d,%d,90\n", t < 1 ? "01 23:59:59" : sprintf("02 00:00:%02d", int(t) - 1), t % 1 * 1e6, 800 + i, 800 - i, 800 } }' >r.csv
    printf 'onset,duration,description\n2024-05-01 23:59:59.5,0.25,l\n2024-05-02 00:00:01.5,0.25,r\n2024-05-02 00:00:02.5,0.25,rest\n' >e.csv
    how="--window 32 --regions lobes --halo 0 --events e.csv --map l=l,r=r --resample 128 --bandpass -40"
    [ "$(moe-split $how --explain r.csv | jq -c '[.dialect, .time.kind, .gaps, .labels, .resampled.rows, .windows, [.regions[].name]]')" = \
        '["mindmonitor","date and time",[{"row":256,"seconds":1}],{"l":64,"r":64},384,2,["frontal","temporal"]]' ]
    moe-split $how --explain=text r.csv >told
    grep -Fx '  preprocessed low pass 40 Hz, resampled to 128 Hz: 384 rows, available 0.125 s late in a live stream' told
    grep -Fx '  events       3 in e.csv (mne); trials of l (1), r (1); ignored: rest (1); 0 outside, 0 without a window' told
    moe-split -q $how r.csv -o w.st
    [ "$(show w.st window.start)" = "I64 [2] 64 192" ]
}

@test "where times begin anew, seconds do not place events; samples do" {
    awk 'BEGIN { print "time_s,a"; for (i = 0; i < 60; i++) printf "%.1f,%d\n", i % 30 / 10, i }' >r.csv
    printf 'onset\tduration\ttrial_type\n3.5\t0.5\tx\n' >e.tsv
    how="--window 5 --experts 1 --halo 0 --events e.tsv"
    refused 65 "r.csv: time begins again at row 31, an unknown time after the row before, so that the events of e.tsv cannot be located by seconds; \
give their onsets in samples (--event-unit samples)" moe-split $how r.csv
    printf 'onset\tduration\ttrial_type\n35\t5\tx\n' >e.tsv
    moe-split $how --event-unit samples r.csv -o w.st
    [ "$(show w.st window.start)" = "I64 [1] 35" ]
}

@test "a channel that is read for the reference has its own unit" {
    printf 'time,Fp1,Fp2,A1\ns,uV,uV,mV\n' >r.csv
    printf '%s\n' 0.00,10,20,0.001 0.01,30,40,0.002 >>r.csv
    moe-split --reference A1 --window 1 --experts 1 --halo 0 r.csv -o w.st
    [ "$(show w.st expert.0)" = "F32 [2, 2] 9 19 28 38" ]
    sed -i 2s/mV/mmHg/ r.csv
    refused 65 'r.csv: channel "A1" is needed for the reference, but its unit is not one of uV, mV, V, nV' \
        moe-split --reference A1 --window 1 --experts 1 --halo 0 r.csv
}
