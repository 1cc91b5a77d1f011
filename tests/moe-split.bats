#!/usr/bin/env bats
# moe-split: every option, every promise, every bad input. All data is made here.
# shellcheck disable=SC2086 # commands kept in a variable are split on purpose

load split_helpers

@test "a plain recording becomes windows" {
    ramp 10 x y >S01_1.csv
    run moe-split --window 4 --stride 1 --experts 2 --halo 1 --rate 100 S01_1.csv -o w.st
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ "$(show w.st moe.format)" = windows/1 ]
    [ "$(show w.st expert.0)" = "F32 [10, 4] 0 0 0 0 0 1 -1 0.5 0 2 -2 1 0 3 -3 1.5 0 4 -4 2 0 5 -5 2.5 0 6 -6 3 0 7 -7 3.5 0 8 -8 4 0 9 -9 4.5" ]
    [ "$(show w.st expert.1 | cut -c1-29)" = "F32 [10, 3] 0 0 0 -1 0.5 0 -2" ]
    [ "$(show w.st region.0.channel)" = "I32 [4] -1 0 1 2" ]
    [ "$(show w.st region.0.core)" = "U8 [4] 0 1 1 0" ]
    [ "$(show w.st region.1.channel)" = "I32 [3] 1 2 -1" ]
    [ "$(show w.st window.start)" = "I64 [4] 0 1 5 6" ]
    [ "$(show w.st window.sample)" = "I64 [4] 0 1 5 6" ]
    [ "$(show w.st window.label)" = "I32 [4] 0 0 1 1" ]
    [ "$(show w.st window.recording)" = "I32 [4] 0 0 0 0" ]
    [ "$(show w.st moe.length),$(show w.st moe.stride),$(show w.st moe.rate),$(show w.st moe.unit),$(show w.st moe.halo)" = 4,1,100,uV,1 ]
    [ "$(show w.st moe.channels)" = '["a","b","c"]' ]
    [ "$(show w.st moe.classes)$(show w.st moe.groups)$(show w.st moe.recordings)" = '["x","y"]["S01"]["S01_1.csv"]' ]
    [[ "$(show w.st moe.history)" == *'"program":"moe-split"'*'"--window"'* ]]
}

@test "--last keep: the rest of a run is a window that ends early" {
    ramp 18 x y >S01_1.csv # runs of nine
    how="--no-history --window 4 --experts 1 --halo 0 --rate 100"
    moe-split $how S01_1.csv -o w.st
    [ "$(show w.st window.valid)" = absent ]
    [ "$(show w.st window.start)" = "I64 [4] 0 4 9 13" ]
    moe-split $how --last keep S01_1.csv -o w.st # one row is left: less than half a window
    [ "$(show w.st window.valid)" = absent ]
    moe-split $how --last keep --window 6 S01_1.csv -o w.st
    [ "$(show w.st window.start)" = "I64 [4] 0 6 9 15" ]
    [ "$(show w.st window.valid)" = "I32 [4] 6 3 6 3" ]
    moe-split $how --last keep --window 8 --align grid --label-rule last S01_1.csv -o w.st # two rows are left
    [ "$(show w.st window.valid)" = absent ]
    moe-split $how --last keep --window 10 --align grid --label-rule last S01_1.csv -o w.st
    [ "$(show w.st window.start)$(show w.st window.valid)$(show w.st window.label)" = "I64 [2] 0 10I32 [2] 10 8I32 [2] 1 1" ]
    moe-split $how --last keep --window 18 --align grid --stride 3 --label-rule last S01_1.csv -o w.st # only the first of the rest
    [ "$(show w.st window.start)$(show w.st window.valid)" = "I64 [2] 0 3I32 [2] 18 15" ]
    refused 64 "--last keep needs the end" moe-split --live --last keep --rate 100 S01_1.csv
    moe-split $how --last keep --window 6 - <S01_1.csv | cat >piped.st # never sent live
    [ "$(show piped.st window.valid)" = "I32 [4] 6 3 6 3" ]
}

@test "no channel is lost when they do not divide, and a halo may be wider than a region" {
    ramp 4 >r.csv
    moe-split --window 2 --experts 2 --halo 5 --rate 1 r.csv -o w.st
    [ "$(show w.st region.0.core)" = "U8 [12] 0 0 0 0 0 1 1 0 0 0 0 0" ]
    [ "$(show w.st region.1.channel)" = "I32 [11] -1 -1 -1 0 1 2 -1 -1 -1 -1 -1" ]
    refused 64 "4 regions" moe-split --window 2 --rate 1 r.csv
}

@test "separators, quotes, line ends, marks and comments give the same windows" {
    ramp 8 x y >plain.csv
    tr , ';' <plain.csv >semicolon.csv
    tr , '\t' <plain.csv >tab.csv
    sed 's/$/\r/' plain.csv >crlf.csv
    { printf '\xef\xbb\xbf# made by hand; with, separators\n%% and more\n' && cat plain.csv; } >bom.csv
    sed 's/,/ , /g; s/a/"a"/; s/[xy]/"&"/' plain.csv >quoted.csv
    printf %s "$(cat plain.csv)" >unended.csv
    printf '%s\r' "$(cat plain.csv)" >loneCR.csv
    for f in plain semicolon tab crlf bom quoted unended loneCR; do
        moe-split --no-history --window 2 --experts 1 --rate 1 --group-name g - <$f.csv >$f.st
        cmp plain.st $f.st
    done
    moe-split --no-history --window 2 --experts 1 --rate 1 --group-name g --delim semicolon - <semicolon.csv >forced.st
    cmp plain.st forced.st
    refused 64 "is not one of comma" moe-split --delim x --rate 1 plain.csv
}

@test "without a header channels are C0, C1, ...; --header says otherwise" {
    printf '1,2,3\n4,5,6\n7,8,9\n' >r.csv
    moe-split --window 1 --experts 1 --rate 1 r.csv -o w.st
    [ "$(show w.st moe.channels)" = '["C0","C1","C2"]' ]
    [ "$(show w.st window.start)" = "I64 [3] 0 1 2" ]
    moe-split --header yes --window 1 --experts 1 --rate 1 r.csv -o w.st
    [ "$(show w.st moe.channels)" = '["1","2","3"]' ]
    moe-split --label-column C2 --window 1 --experts 1 --rate 1 r.csv -o w.st
    [ "$(show w.st moe.classes)" = '["3","6","9"]' ]
    printf 'a,b\n1,2\n' >r.csv
    refused 65 'r.csv:1: column "C0": "a" is not a number' moe-split --header no --window 1 --experts 1 --rate 1 r.csv
}

@test "the label column: default, named, absent" {
    ramp 6 x y >r.csv
    sed '1s/label/kind/' r.csv >k.csv
    moe-split --window 1 --experts 1 --rate 1 --label-column kind k.csv -o w.st
    [ "$(show w.st window.label)" = "I32 [6] 0 0 0 1 1 1" ]
    refused 65 'there is no label column "mood"; its columns are: a, b, c, kind' \
        moe-split --window 1 --experts 1 --rate 1 --label-column mood k.csv
    refused 65 'k.csv:2: column "kind": "x" is not a number; --drop' moe-split --window 1 --experts 1 --rate 1 k.csv
    ramp 6 >u.csv
    moe-split --window 2 --experts 1 --rate 1 u.csv -o w.st
    [ "$(show w.st window.label)$(show w.st moe.classes)" = "I32 [3] -1 -1 -1[]" ]
}

@test "classes are sorted as numbers or by bytes, or as --classes says" {
    ramp 4 10 9 -1 2.0 >n.csv
    moe-split --window 1 --experts 1 --rate 1 n.csv -o w.st
    [ "$(show w.st moe.classes)$(show w.st window.label)" = '["-1","2","9","10"]I32 [4] 3 2 0 1' ]
    ramp 3 b 10 A >t.csv
    moe-split --window 1 --experts 1 --rate 1 t.csv -o w.st
    [ "$(show w.st moe.classes)$(show w.st window.label)" = '["10","A","b"]I32 [3] 2 0 1' ]
    moe-split --window 1 --experts 1 --rate 1 --classes b,A,10,more t.csv -o w.st
    [ "$(show w.st moe.classes)$(show w.st window.label)" = '["b","A","10","more"]I32 [3] 0 2 1' ]
    refused 65 't.csv:4: label "A" is not one of --classes' moe-split --window 1 --experts 1 --rate 1 --classes b,10 t.csv
    refused 64 'class "b" is listed twice' moe-split --window 1 --experts 1 --rate 1 --classes b,b t.csv
    refused 65 "t.csv:4: more than 2 different labels" moe-split --window 1 --experts 1 --rate 1 --max-classes 2 t.csv
}

@test "--ignore-label and empty cells mean unlabelled, and may not occur" {
    ramp 8 0 1 0 2 >r.csv
    moe-split --window 2 --experts 1 --rate 1 --ignore-label 0 --ignore-label 77 r.csv -o w.st
    [ "$(show w.st moe.classes)$(show w.st window.label)" = '["1","2"]I32 [4] -1 0 -1 1' ]
    moe-split --window 2 --experts 1 --rate 1 --ignore-label 77 r.csv -o w.st
    [ "$(show w.st moe.classes)" = '["0","1","2"]' ]
    sed 's/,0$/,/' r.csv >e.csv
    moe-split --window 2 --experts 1 --rate 1 e.csv -o w.st
    [ "$(show w.st moe.classes)$(show w.st window.label)" = '["1","2"]I32 [4] -1 0 -1 1' ]
    sed 's/,0$/,0.0/' r.csv >f.csv
    moe-split --window 2 --experts 1 --rate 1 --ignore-label 0 f.csv -o w.st
    [ "$(show w.st window.label)" = 'I32 [4] -1 0 -1 1' ]
}

@test "run: no window crosses a change of label, unlabelled stretches have a grid of their own" {
    { echo a,label && for l in x x x "" "" "" "" y y y y y; do echo "1,$l"; done; } >r.csv
    moe-split --window 2 --experts 1 --halo 0 --rate 1 r.csv -o w.st
    [ "$(show w.st window.start)" = "I64 [5] 0 3 5 7 9" ]
    [ "$(show w.st window.label)" = "I32 [5] 0 -1 -1 1 1" ]
}

@test "grid: one grid, and the label by the rule" {
    { echo a,label && for l in x x x y y y y y x ""; do echo "1,$l"; done; } >r.csv
    moe-split --align grid --window 4 --stride 2 --experts 1 --halo 0 --rate 1 r.csv -o w.st
    [ "$(show w.st window.start)" = "I64 [4] 0 2 4 6" ]
    [ "$(show w.st window.label)" = "I32 [4] -1 -1 1 -1" ] || show w.st window.label
    moe-split --align grid --label-rule majority --window 4 --stride 2 --experts 1 --halo 0 --rate 1 r.csv -o w.st
    [ "$(show w.st window.label)" = "I32 [4] 0 1 1 1" ]
    moe-split --align grid --label-rule last --window 4 --stride 2 --experts 1 --halo 0 --rate 1 r.csv -o w.st
    [ "$(show w.st window.label)" = "I32 [4] 1 1 1 -1" ]
    refused 64 "needs --align grid" moe-split --label-rule last --window 4 --rate 1 r.csv
}

@test "grid: of equal majorities the first, and unlabelled rows vote too" {
    { echo a,label && for l in y y x x "" "" "" x; do echo "1,$l"; done; } >r.csv
    moe-split --align grid --label-rule majority --window 4 --experts 1 --halo 0 --rate 1 r.csv -o w.st
    [ "$(show w.st window.label)" = "I32 [2] 1 -1" ]
}

@test "window and stride in seconds" {
    ramp 100 >r.csv
    moe-split --window 0.2s --stride 0.1s --experts 1 --rate 50 r.csv -o w.st
    [ "$(show w.st moe.length),$(show w.st moe.stride)" = 10,5 ]
    refused 64 "--window: 0.001s is 0 samples at 50 Hz" moe-split --window 0.001s --experts 1 --rate 50 r.csv
}

@test "a time column gives the rate and the gaps, in seconds, milliseconds, or as said" {
    times %.3f 0.004 "" >s.csv
    times %d 4 "" TimeStamp >ms.csv
    times %.4f 0.00390625 "" timestamps >muse.csv
    times %d 4000 "" time_us >us.csv
    awk 'BEGIN { print "timestamps,a"; for (i = 0; i < 4000; i++) printf "%.3f,1\n", 100 + i / 256 }' >rounded.csv
    head -41 rounded.csv >start.csv
    for f in s ms us; do
        moe-split --window 4 --experts 1 --halo 0 $f.csv -o w.st
        [ "$(show w.st moe.rate)" = 250 ]
        [ "$(show w.st moe.channels)" = '["a"]' ]
    done
    moe-split --window 4 --experts 1 --halo 0 muse.csv -o w.st
    [ "$(show w.st moe.rate)" = 256 ]
    moe-split --window 1000 --experts 1 --halo 0 rounded.csv start.csv -qo w.st
    [ "$(show w.st moe.rate),$(show w.st window.start)" = "256,I64 [4] 0 1000 2000 3000" ]
    times %.3f 0.004 "7 25" >g.csv
    moe-split --window 4 --experts 1 --halo 0 g.csv -o w.st
    [ "$(show w.st window.start)" = "I64 [8] 0 7 11 15 19 25 29 33" ]
    moe-split --align grid --window 4 --experts 1 --halo 0 g.csv -o w.st
    [ "$(show w.st window.start)" = "I64 [8] 0 8 12 16 20 28 32 36" ]
    [[ "$(moe-split --explain --window 4 --experts 1 g.csv)" == *'"gaps":[{"row":7,"seconds":0.04},{"row":25,"seconds":0.04}]'* ]]
}

@test "a time column that cannot be told, that goes back, that is no number, that contradicts" {
    times %d 1 "" >one.csv
    refused 65 "which may be seconds or milliseconds; give --time-unit" moe-split --window 4 --experts 1 one.csv
    moe-split --window 4 --experts 1 --halo 0 --time-unit ms one.csv -o w.st
    [ "$(show w.st moe.rate)" = 1000 ]
    moe-split --window 4 --experts 1 --halo 0 --rate 1000 one.csv -o w.st
    [ "$(show w.st moe.rate)" = 1000 ]
    moe-split --window 4 --experts 1 --halo 0 --rate 250 --drop time one.csv -o w.st
    [ "$(show w.st moe.rate)$(show w.st moe.channels)" = '250["a"]' ]
    times %.3f 0.004 "" >s.csv
    refused 65 'the time column gives 250 Hz, but --rate gives 128 Hz' moe-split --window 4 --experts 1 --rate 128 s.csv
    sed '20s/.*/0.5,1/' s.csv >back.csv
    refused 65 "back.csv: row 19 of the data: the time goes back" moe-split --window 4 --experts 1 back.csv
    sed '20s/.*/12:00:01,1/' s.csv >text.csv
    refused 65 'text.csv:20: column "time": "12:00:01" is not a number' moe-split --window 4 --experts 1 text.csv
    sed '1s/time/clock/' s.csv >c.csv
    moe-split --window 4 --experts 1 --halo 0 --time-column clock c.csv -o w.st
    [ "$(show w.st moe.rate)" = 250 ]
    refused 65 'no time column "clock"' moe-split --window 4 --experts 1 --time-column clock s.csv
}

@test "without a time column the rate must be given" {
    ramp 10 >r.csv
    refused 65 "r.csv: the sampling rate is not known: there is no time column; give --rate" moe-split --window 4 --experts 1 r.csv
    refused 64 "outside" moe-split --window 4 --experts 1 --rate 0 r.csv
}

@test "units become microvolts" {
    printf 'a,b\n1.5,-2\n' >r.csv
    for u in "uV 1.5 -2" "mV 1500 -2000" "V 1.5e+06 -2e+06" "nV 0.0015 -0.002"; do
        set -- $u
        moe-split --unit "$1" --window 1 --experts 1 --halo 0 --rate 1 r.csv -o w.st
        [ "$(show w.st expert.0)" = "F32 [1, 2] $2 $3" ]
        [ "$(show w.st moe.unit)" = uV ]
    done
}

@test "--channels picks and orders, --drop leaves out" {
    ramp 3 >r.csv
    moe-split --channels c,a --window 1 --experts 1 --halo 0 --rate 1 r.csv -o w.st
    [ "$(show w.st moe.channels)$(show w.st expert.0)" = '["c","a"]F32 [3, 2] 0 0 0.5 1 1 2' ]
    moe-split --drop b --window 1 --experts 1 --halo 0 --rate 1 r.csv -o w.st
    [ "$(show w.st moe.channels)" = '["a","c"]' ]
    refused 65 'there is no column (--channels) "z"; its columns are: a, b, c' moe-split --channels a,z --window 1 --rate 1 r.csv
    refused 65 'there is no column (--drop) "z"' moe-split --drop z --window 1 --rate 1 r.csv
    refused 64 'is in both --channels and --drop' moe-split --channels a --drop a --window 1 --rate 1 r.csv
    refused 64 'is listed twice' moe-split --channels a,a --window 1 --rate 1 r.csv
    refused 65 'none of its columns is used as a channel' moe-split --drop a,b,c --window 1 --rate 1 r.csv
}

@test "row numbers and columns without a name are no channels, unless they are asked for" {
    printf ',Sample,a,b,Time (ms),\n0,0,1,2,0,\n1,1,3,4,4,\n' >r.csv
    moe-split --window 1 --experts 1 --halo 0 r.csv -o w.st
    [ "$(show w.st moe.channels)$(show w.st moe.rate)" = '["a","b"]250' ]
    moe-split --explain --window 1 --experts 1 r.csv >one
    [ "$(jq -c '[.ignored[]|[.name,.why]]' one)" = '[["","has no name, taken as row numbers"],["Sample","row numbers"],["Time (ms)","holds the times"]]' ]
    moe-split --channels Sample,b --window 1 --experts 1 --halo 0 r.csv -o w.st
    [ "$(show w.st expert.0)" = 'F32 [2, 2] 0 2 1 4' ]
    ramp 4 x y >l.csv
    moe-split --drop label --window 1 --experts 1 --rate 1 l.csv -o w.st
    [ "$(show w.st moe.classes)$(show w.st window.label)" = '[]I32 [4] -1 -1 -1 -1' ]
}

@test "--regions reads a file" {
    ramp 3 >r.csv
    printf 'region\tchannel\trole\n# the front\nfront\tb\tcore\nfront\ta\thalo\nback\tc\tcore\nback\ta\tcore\n' >regions.tsv
    run moe-split --regions regions.tsv --window 1 --rate 1 r.csv -o w.st
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ "$(show w.st moe.regions)$(show w.st moe.halo)" = '["front","back"]0' ]
    [ "$(show w.st region.0.channel)$(show w.st region.0.core)" = 'I32 [2] 1 0U8 [2] 1 0' ]
    [ "$(show w.st expert.1)" = 'F32 [3, 2] 0 0 0.5 1 1 2' ]
    printf 'front\tb\tcore\n' >part.tsv
    run moe-split --regions part.tsv --window 1 --rate 1 r.csv -o w.st
    [ "$status" -eq 0 ]
    [ "$output" = "moe-split: channels a, c are in no region and are left out" ]
    moe-split -q --regions part.tsv --window 1 --rate 1 r.csv -o w.st 2>said
    [ ! -s said ]
    printf 'front\tb\tcore\nfront\tc\thalo\n' >part.tsv
    run moe-split --regions part.tsv --window 1 --rate 1 r.csv -o w.st
    [ "$output" = "moe-split: channel a is in no region and is left out" ]
}

@test "--regions: what is wrong is named with file and line" {
    ramp 3 >r.csv
    s="moe-split --window 1 --rate 1 r.csv --regions bad.tsv"
    printf 'front\tb\tcore\nfront\tz\tcore\n' >bad.tsv
    refused 65 'bad.tsv:2: there is no channel "z"; the channels are: a, b, c' $s
    printf 'front\tb\tcore\nfront\tb\thalo\n' >bad.tsv
    refused 65 'bad.tsv:2: channel "b" is listed twice in region "front"' $s
    printf 'front\tb\tmiddle\n' >bad.tsv
    refused 65 'bad.tsv:1: the third column is "middle", not core or halo' $s
    printf 'front\tb\n' >bad.tsv
    refused 65 'bad.tsv:1: 2 columns' $s
    printf 'front\tb\tcore\nback\ta\thalo\n' >bad.tsv
    refused 65 'bad.tsv: region "back" has no core channel' $s
    printf 'region\tchannel\trole\n' >bad.tsv
    refused 65 'bad.tsv: there is no region in it' $s
    printf '\tb\tcore\n' >bad.tsv
    refused 65 'bad.tsv:1: the region has no name' $s
    rm bad.tsv
    refused 66 'bad.tsv: No such file' $s
    refused 64 'is the older name of --regions' $s --experts 2
}

@test "groups come from the file's name" {
    mkdir d
    for f in S01_a S01_b S02.x plain; do ramp 2 >d/$f.csv; done
    moe-split --window 1 --experts 1 --rate 1 d/S01_a.csv d/S01_b.csv d/S02.x.csv d/plain.csv -o w.st
    [ "$(show w.st moe.groups)$(show w.st window.group)" = '["S01","S02","plain"]I32 [8] 0 0 0 0 1 1 2 2' ]
    [ "$(show w.st moe.recordings)" = '["S01_a.csv","S01_b.csv","S02.x.csv","plain.csv"]' ]
    [ "$(show w.st window.sample)$(show w.st window.start)" = 'I64 [8] 0 1 0 1 0 1 0 1I64 [8] 0 1 2 3 4 5 6 7' ]
    moe-split --group '^S0([0-9])' --window 1 --experts 1 --rate 1 d/S0*.csv -o w.st
    [ "$(show w.st moe.groups)" = '["1","2"]' ]
    moe-split --group 'S0[0-9]' --window 1 --experts 1 --rate 1 d/S0*.csv -o w.st
    [ "$(show w.st moe.groups)" = '["S01","S02"]' ]
    refused 65 'plain.csv: --group "^S" does not match' moe-split --group '^S' --window 1 --experts 1 --rate 1 d/plain.csv
    refused 64 'not a regular expression' moe-split --group '(' --window 1 --experts 1 --rate 1 d/plain.csv
    refused 64 'cannot be used together' moe-split --group a --group-name b --window 1 --experts 1 --rate 1 d/plain.csv
}

@test "standard input, and recordings of the same name" {
    ramp 2 >r.csv
    mkdir x && cp r.csv x
    bash -o pipefail -c 'cat r.csv | moe-split --window 1 --experts 1 --rate 1 | cat >w.st'
    [ "$(show w.st moe.recordings)$(show w.st moe.groups)" = '["stdin"]["stdin"]' ]
    moe-split --window 1 --experts 1 --rate 1 --group-name S07 - <r.csv >w.st
    [ "$(show w.st moe.groups)" = '["S07"]' ]
    moe-split --window 1 --experts 1 --rate 1 r.csv x/r.csv -o w.st
    [ "$(show w.st moe.recordings)" = '["r.csv","x/r.csv"]' ]
    refused 64 "given twice" moe-split --window 1 --experts 1 --rate 1 r.csv r.csv
    ln r.csv again.csv # under another name, the same file
    refused 64 "again.csv: this recording is given twice (it is the same file as r.csv); name it once, or make a copy" \
        moe-split --window 1 --experts 1 --rate 1 r.csv again.csv
}

@test "several recordings agree in channels by name and in rate" {
    printf 'a,b\n1,2\n' >one.csv
    printf 'b,a\n2,1\n' >two.csv
    moe-split --window 1 --experts 1 --halo 0 --rate 1 one.csv two.csv -o w.st
    [ "$(show w.st expert.0)" = "F32 [2, 2] 1 2 1 2" ]
    printf 'a,c\n1,2\n' >three.csv
    refused 65 'three.csv: channel "c" is not in the earlier recordings' moe-split --window 1 --experts 1 --rate 1 one.csv three.csv
    printf 'a\n1\n' >four.csv
    refused 65 'four.csv: channel "b" of the earlier recordings is missing' moe-split --window 1 --experts 1 --rate 1 one.csv four.csv
    times %.3f 0.004 "" >s.csv
    times %.3f 0.005 "" >t.csv
    refused 65 't.csv: the rate is 200 Hz, but the earlier recordings have 250 Hz' moe-split --window 1 --experts 1 s.csv t.csv
}

@test "--like takes everything from the model, channels by name in any order" {
    model m.st b,a,c 100
    ramp 8 task rest >r.csv
    moe-split --like m.st r.csv -o w.st
    [ "$(show w.st moe.channels)$(show w.st moe.length)$(show w.st moe.stride)$(show w.st moe.rate)" = '["b","a","c"]42100' ]
    [ "$(show w.st moe.regions)$(show w.st moe.classes)" = '["left","right"]["rest","task"]' ]
    [ "$(show w.st region.1.channel)$(show w.st region.1.core)" = 'I32 [4] 0 1 2 -1U8 [4] 0 1 1 0' ]
    [ "$(show w.st expert.0 | cut -c1-31)" = 'F32 [8, 3] 0 0 0 0 -1 1 0 -2 2 ' ]
    [ "$(show w.st window.label)" = "I32 [2] 1 0" ]
    ramp 8 zeal >z.csv
    moe-split --like m.st z.csv -o w.st
    [ "$(show w.st moe.classes)$(show w.st window.label)" = '["rest","task","zeal"]I32 [3] 2 2 2' ]
    ramp 8 >u.csv
    sed '1s/a/extra/; 1s/^/a,/; 2,$s/^/5,/' u.csv >e.csv
    moe-split --like m.st e.csv -o w.st
    [ "$(show w.st moe.channels)" = '["b","a","c"]' ]
}

@test "--like: what does not fit is named" {
    model m.st a,b,d 100
    ramp 8 >r.csv
    refused 65 'r.csv: channel "d" of the model is missing; its columns are: a, b, c' moe-split --like m.st r.csv
    model m.st a,b,c 100
    refused 65 '--rate gives 128 Hz, but the model expects 100 Hz' moe-split --like m.st --rate 128 r.csv
    times %.3f 0.004 "" | sed '1s/$/,b,c/; 2,$s/$/,1,1/' >t.csv
    refused 65 'the time column gives 250 Hz, but the model expects 100 Hz' moe-split --like m.st t.csv
    for fixed in "--window 4" "--stride 2" "--experts 1" "--halo 0" "--channels a" "--classes x" "--regions f"; do
        refused 64 "${fixed% *} is fixed by the model" moe-split --like m.st $fixed r.csv
    done
    refused 66 "absent.st: No such file" moe-split --like absent.st r.csv
    head -c 100 m.st >cut.st
    refused 65 "cut.st: truncated" moe-split --like cut.st r.csv
    refused 65 "above the limit" moe-split --like m.st --max-header 1024 --like r.csv r.csv
}

@test "--explain prints one JSON object per recording and writes nothing" {
    { echo 'time,sample,a,b,same,flat,railed,volts,label' && for i in $(seq 0 19); do
        echo "0.0$((10 + i)),$i,$i,1$i,$i,7,$([ "$i" = 3 ] && echo -187500.02 || echo "$i.5"),0.00000$i,$((i / 10))"
    done; } >S1_x.csv
    cp S1_x.csv S1_y.csv
    moe-split --explain --window 4 --experts 2 --halo 1 S1_x.csv S1_y.csv >out.jsonl
    [ "$(wc -l <out.jsonl)" -eq 2 ]
    [ "$(ls)" = "$(printf 'S1_x.csv\nS1_y.csv\nout.jsonl')" ]
    head -1 out.jsonl >one
    is() { [ "$(jq -c "$1" one)" = "$2" ] || { jq -c "$1" one && return 1; }; }
    is '[.file,.dialect,.delimiter,.decimal,.header_rows]' '["S1_x.csv","plain",",",".",1]'
    is '[.rate,.rate_from,.unit,.rows,.group]' '[1000,"time column","uV",20,"S1"]'
    is .channels '["a","b","same","flat","railed","volts"]'
    is '[.ignored[]|.name+": "+.why]' '["time: holds the times","sample: row numbers","label: holds the labels"]'
    is .time '{"column":"time","kind":"seconds"}'
    is '[.gaps,.missing,.labels]' '[[],0,{"0":10,"1":10}]'
    is '[.windows,.windows_by_class,.windows_of_group,.length,.stride]' '[4,{"0":2,"1":2},8,4,4]'
    is '.regions[0]' '{"name":"0","core":["a","b","same"],"halo":["flat"]}'
    is '[.suspicious[]|.channel+": "+(.why|.[0:9])]' '["same: identical","flat: constant ","railed: railed (1","volts: median am"]'
    refused 64 "writes no windows" moe-split --explain S1_x.csv
}

@test "--explain tells what is not known as null and counts what is missing" {
    printf 'a,b\n1,\n2,nan\n' >r.csv
    moe-split --explain --window 2s --experts 1 r.csv >one
    [ "$(jq -c '[.rate,.rate_from,.time,.length,.windows,.missing]' one)" = '[null,null,null,null,null,2]' ]
    moe-split --explain --window 1 --experts 1 r.csv >one
    [ "$(jq -c '[.windows,.windows_left_out]' one)" = '[0,2]' ]
}

@test "--missing error names line and column" {
    printf 'a,b\n1,2\n3,\n' >r.csv
    refused 65 'r.csv:3: column "b" has no value; --missing' moe-split --window 1 --experts 1 --rate 1 r.csv
    for word in NaN nan NA n/a null - Inf -inf; do
        printf 'a,b\n1,2\n%s,2\n' "$word" >r.csv
        refused 65 'r.csv:3: column "a" has no value' moe-split --window 1 --experts 1 --rate 1 r.csv
    done
}

@test "--missing drop-window leaves out the windows and says how many" {
    printf 'a\n0\n1\n2\n\"\"\n4\n5\n6\n7\n' >r.csv
    run moe-split --missing drop-window --window 2 --stride 1 --experts 1 --halo 0 --rate 1 r.csv -o w.st
    [ "$status" -eq 0 ]
    [ "$output" = "moe-split: r.csv: 2 windows left out because 1 cell has no value" ]
    [ "$(show w.st window.start)" = "I64 [5] 0 1 4 5 6" ]
    run moe-split -q --missing drop-window --window 2 --experts 1 --halo 0 --rate 1 r.csv -o w.st
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    refused 65 "all 1 contain cells without a value" moe-split --missing drop-window --window 8 --experts 1 --rate 1 r.csv
}

@test "--missing interp draws lines, holds the ends, and says how many cells" {
    printf 'a,b\nNA,0\n2,1\nnan,2\n,3\n8,4\n9,\n' >r.csv
    run moe-split --missing interp --window 6 --experts 1 --halo 0 --rate 1 r.csv -o w.st
    [ "$status" -eq 0 ]
    [ "$output" = "moe-split: r.csv: 4 cells without a value interpolated" ]
    [ "$(show w.st expert.0)" = "F32 [6, 2] 2 0 2 1 4 2 6 3 8 4 9 4" ]
    printf 'a,b\n1,\n2,\n' >r.csv
    refused 65 'r.csv: channel "b" has no value from row 1 to 2; --drop it' moe-split --missing interp --window 1 --experts 1 --rate 1 r.csv
}

@test "--missing interp does not reach across a gap" {
    printf 'time,a\n0,1\n0.01,nan\n1,nan\n1.01,5\n1.02,6\n1.03,6\n1.04,6\n' >r.csv
    moe-split -q --missing interp --window 2 --experts 1 --halo 0 --rate 100 r.csv -o w.st
    [ "$(show w.st expert.0)" = "F32 [7, 1] 1 1 5 5 6 6 6" ]
}

@test "a recording too short for a window is a note, and an error when nothing comes out" {
    ramp 9 >long.csv
    ramp 3 >short.csv
    run moe-split --window 4 --experts 1 --rate 1 long.csv short.csv -o w.st
    [ "$status" -eq 0 ]
    [ "$output" = "moe-split: short.csv: no window: its longest segment of one label without a gap has 3 rows, and a window needs 4" ]
    run moe-split -q --window 4 --experts 1 --rate 1 long.csv short.csv -o w.st
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    refused 65 "no window: short.csv" moe-split --window 4 --experts 1 --rate 1 short.csv
}

@test "equal work gives equal bytes, from files and from pipes" {
    ramp 50 x y >S1.csv
    moe-split --no-history --window 4 --experts 2 --rate 10 S1.csv -o a.st
    moe-split --no-history --window 4 --experts 2 --rate 10 S1.csv >b.st
    bash -o pipefail -c 'moe-split --no-history --window 4 --experts 2 --rate 10 S1.csv | cat >c.st'
    cmp a.st b.st
    cmp a.st c.st
    [ "$(show a.st moe.history)" = absent ]
}

@test "nothing stays behind in the folder for temporary files" {
    ramp 500 x y >S1.csv
    mkdir tmp
    TMPDIR=$PWD/tmp moe-split --window 4 --rate 10 --experts 1 S1.csv -o a.st
    [ -z "$(ls -A tmp)" ]
    TMPDIR=$PWD/nowhere run moe-split --window 4 --rate 10 --experts 1 S1.csv -o b.st
    [ "$status" -eq 73 ]
    [[ "$output" == *"TMPDIR"* ]]
}

@test "the manual's options are the program's" {
    cd "$BATS_TEST_DIRNAME/.."
    MOE_BIN=$(dirname "$(command -v moe-split)") tests/man-options moe-split
}

@test "the manual's examples run" {
    for i in 1 2; do for k in 1 2; do ramp 2000 1 0 2 | sed "s/label/label/" >S0${i}_$k.csv; done; done
    printf 'front\ta\tcore\nfront\tb\thalo\nback\tb\tcore\nback\tc\tcore\n' >regions.tsv
    for i in S01_1 S01_2 S02_1 S02_2; do
        printf 'onset\tduration\ttrial_type\n0.5\t0\tleft\n4.5\t0\tright\n' >${i}_events.tsv
    done
    printf 'id\tpath\tlabel\nS01\tS01_1.csv\trest\nS02\tS02_1.csv\ttask\n' >subjects.tsv
    model model.safetensors a,b,c 250
    sed '1s/a,b,c/C3,Cz,O1/' S01_1.csv >scalp.csv
    sed -n '/^\.Ss Examples/,/^\.S[hs] /p' "$BATS_TEST_DIRNAME/../man/"{moe-split.1,moe-recordings.5} | sed -n 's/^\.Dl \$ //p' | sed 's/\\e/\\/g; s/\\(ti/~/g' >examples
    [ "$(wc -l <examples)" -ge 5 ]
    while IFS= read -r line; do
        run bash -o pipefail -c "$line"
        [ "$status" -eq 0 ] || { echo "$line: $output" && return 1; }
    done <examples
}
