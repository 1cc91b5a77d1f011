#!/usr/bin/env bats
# Regions from where the electrodes sit: moe-split --regions, --halo, --halo-mm, --electrodes. All data is made here.
# shellcheck disable=SC2086,SC2016,SC2001 # commands kept in a variable are split on purpose; $ is sed's, and so is the pattern

load split_helpers

old19=Fp1,Fp2,F3,F4,F7,F8,T3,T4,C3,C4,T5,T6,P3,P4,O1,O2,Fz,Cz,Pz

# columns NAMES: a recording of four rows, its columns of these names holding 0, 1, 2, ...
columns() {
    echo "$1"
    for _ in 1 2 3 4; do awk -F, '{ for (i = 0; i < NF; i++) printf "%s%d", i ? "," : "", i; print "" }' <<<"$1"; done
}

# regions ARGUMENTS...: of r.csv, one a line: name: own channels | halo
regions() {
    moe-split --explain --window 2 --rate 1 r.csv "$@" |
        jq -r '.regions[] | .name + ": " + (.core | join(" ")) + (.halo | if . == [] then "" else " | " + join(" ") end)'
}

# said TEXT ARGUMENTS...: the regions are these
said() {
    local want=$1 got
    shift
    got=$(regions "$@")
    [ "$got" = "$want" ] || { echo "$got" && return 1; }
}

# positions FORMAT SCALE [SHIFT [AXES]]: electrodes.tsv of eight electrodes on a sphere; AXES ras or als
positions() {
    python3 - "$@" <<'PY'
import math, sys
scale, shift = float(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else 0
at = {'Fp1': (72, 18), 'Fp2': (72, -18), 'C3': (36, 90), 'C4': (36, -90), 'Cz': (0, 0), 'O1': (72, 162), 'O2': (72, -162), 'Pz': (36, 180)}
print('name\tx\ty\tz\ttype')
for name, (down, left) in at.items():
    down, left = math.radians(down), math.radians(left)
    x, y, z = -math.sin(down) * math.sin(left), math.sin(down) * math.cos(left), math.cos(down)
    if sys.argv[3:] == ['als']:
        x, y = y, -x
    print(name, *('%.6g' % (scale * v + s) for v, s in zip((x, y, z), (shift, -shift, 2 * shift))), 'EEG', sep='\t')
PY
}

@test "--regions K makes K index regions, --experts K is its older spelling" {
    columns "$old19" >r.csv
    for k in 1 2 4 19; do
        moe-split --no-history --regions $k --halo 1 --window 2 --rate 1 r.csv -o new.st
        moe-split --no-history --experts $k --halo 1 --window 2 --rate 1 r.csv -o old.st
        cmp new.st old.st
    done
    moe-split --no-history --window 2 --rate 1 r.csv -o unsaid.st
    moe-split --no-history --regions 4 --window 2 --rate 1 r.csv -o said.st
    cmp unsaid.st said.st
    moe-split --regions 2 --window 2 --rate 1 r.csv -o w.st
    moe-stats w.st | jq -c '.history[-1].argv' | grep -q -e --regions
    printf 'region\tchannel\tcore\nall\tCz\tcore\n' >./4 # a file of that name is still to be had
    [ "$(regions --regions ./4 | cut -d: -f1)" = all ]
    refused 64 '--regions 0: the number of regions must be from 1 to 4096' moe-split --regions 0 --rate 1 r.csv
    refused 64 '--regions 4097: the number of regions must be' moe-split --regions 4097 --rate 1 r.csv
    refused 64 '20 regions (--regions) for 19 channels' moe-split --regions 20 --rate 1 r.csv
    refused 64 '--experts is the older name of --regions' moe-split --regions 4 --experts 4 --rate 1 r.csv
}

@test "lobes and hemispheres of the old 10-20 names, with the nearest channels around them" {
    columns $old19 >r.csv
    said 'frontal: Fp1 Fp2 F3 F4 F7 F8 Fz | T3 T4
central: C3 C4 Cz | F3 F4
temporal: T3 T4 T5 T6 | P3 P4
parietal: P3 P4 Pz | T5 T6
occipital: O1 O2 | P3 P4' --regions lobes
    said 'left: Fp1 F3 F7 T3 C3 T5 P3 O1
midline: Fz Cz Pz
right: Fp2 F4 F8 T4 C4 T6 P4 O2' --regions hemispheres --halo 0
    said 'left: Fp1 F3 F7 T3 C3 T5 P3 O1 | Fz
midline: Fz Cz Pz | F3
right: Fp2 F4 F8 T4 C4 T6 P4 O2 | Fz' --regions hemispheres --halo 1
    columns "EEG Fp1-REF,Fc5.,C4..,EEG O2-LE" >r.csv
    said 'frontal: EEG Fp1-REF
central: Fc5 C4
occipital: EEG O2-LE' --regions lobes --halo 0
}

@test "regions without a channel are left out, and it is said" {
    columns Oz,O1,O2,PO3,POz,PO7,PO8,PO4 >r.csv
    run moe-split --regions lobes --window 2 --rate 1 r.csv -o w.st
    [ "$status" -eq 0 ]
    [ "$(show w.st moe.regions)" = '["occipital"]' ]
    [ "$(grep -c 'has no channel and is left out' <<<"$output")" -eq 4 ]
    [ "$(moe-split --explain --regions lobes --window 2 --rate 1 r.csv | jq -c '[.empty_regions,.head_mm]')" = '[["frontal","central","temporal","parietal"],95]' ]
    said 'left: O1 PO3 PO7
midline: Oz POz
right: O2 PO8 PO4' --regions hemispheres --halo 0
    columns C3,C4 >r.csv
    said 'left: C3
right: C4' --regions hemispheres --halo 0
}

@test "auto:K: K regions of neighbours that differ by one channel at most" {
    columns $old19 >r.csv
    # the least there is: exchanges from forty random divisions found nothing less
    said 'frontal-Fp2: Fp1 Fp2 F4 F8 Fz | F3 F7
frontal-F7: F3 F7 T3 C3 | Fp1 Fz
central-C4: T4 C4 T6 P4 Cz | O2 Pz
occipital-O1: T5 P3 O1 O2 Pz | T3 P4' --regions auto:4
    said "central-Cz: ${old19//,/ }" --regions auto:1
    [ "$(regions --regions auto:19 --halo 0 | grep -c ': [A-Z][a-z0-9]*$')" -eq 19 ]
    # the same set in another order: the same channels together
    head -1 r.csv | tr , '\n' | tac | paste -sd, >back
    together() { regions --regions auto:4 --halo 0 | sed 's/.*: //' | while read -r l; do tr ' ' '\n' <<<"$l" | sort | paste -sd' '; done | sort; }
    together >one
    columns "$(cat back)" >r.csv
    together | cmp - one
    refused 64 '20 regions (--regions auto:20) for 19 channels' moe-split --window 2 --rate 1 r.csv --regions auto:20
    for bad in auto auto: auto:0 auto:-1 auto:x auto:5000; do
        refused 64 "--regions $bad: the number of regions is missing" moe-split --window 2 --rate 1 r.csv --regions $bad
    done
    refused 64 "did you mean hemispheres?" moe-split --window 2 --rate 1 r.csv --regions hemisphere
}

@test "the windows hold the regions' columns, and no padding" {
    columns $old19 | sed '1s/$/,label/; 2,$s/$/,x/' >r.csv
    moe-split --regions lobes --halo 2 --window 2 --rate 1 r.csv -o w.st
    [ "$(show w.st moe.regions)$(show w.st moe.halo)" = '["frontal","central","temporal","parietal","occipital"]2' ]
    [ "$(show w.st region.1.channel)$(show w.st region.1.core)" = 'I32 [5] 8 9 17 2 3U8 [5] 1 1 1 0 0' ]
    [ "$(show w.st expert.1)" = 'F32 [4, 5] 8 9 17 2 3 8 9 17 2 3 8 9 17 2 3 8 9 17 2 3' ]
    moe-split --no-history --threads 1 --regions auto:4 --window 2 --rate 1 r.csv -o a.st
    moe-split --no-history --threads 3 --regions auto:4 --window 2 --rate 1 r.csv -o b.st
    cmp a.st b.st
    moe-split --regions auto:6 --halo 50 --window 2 --rate 1 r.csv -o w.st # more than there are: all of them
    for k in 0 1 2 3 4 5; do
        [ "$(show w.st region.$k.channel | cut -d' ' -f3- | tr ' ' '\n' | sort -n | paste -sd' ')" = "$(seq -s' ' 0 18)" ]
    done
}

@test "--halo-mm takes what is within an arc of the head, also around index regions" {
    columns $old19 >r.csv
    # 18 degrees on a sphere of 95 mm are 29.8 mm; C3 and Cz are twice as far apart
    said 'frontal: Fp1 Fp2 F3 F4 F7 F8 Fz
central: C3 C4 Cz
temporal: T3 T4 T5 T6
parietal: P3 P4 Pz
occipital: O1 O2' --regions lobes --halo-mm 40
    [ "$(regions --regions hemispheres --halo-mm 59.5 | sed -n 2p)" = "midline: Fz Cz Pz | F3 F4 P3 P4" ]
    [ "$(regions --regions hemispheres --halo-mm 59.7 | sed -n 2p)" = "midline: Fz Cz Pz | F3 F4 C3 C4 P3 P4" ]
    columns Cz,C1,C3,Oz >r.csv # 18 degrees between the first three
    said '0: Cz C1 | C3
1: C3 Oz | C1' --experts 2 --halo-mm 29.9
    said '0: Cz C1
1: C3 Oz' --experts 2 --halo-mm 29.8
    moe-split --experts 2 --halo-mm 29.9 --window 2 --rate 1 r.csv -o w.st
    [ "$(show w.st region.0.channel)$(show w.st region.1.channel)$(show w.st moe.halo)" = 'I32 [3] 0 1 2I32 [3] 2 3 10' ]
    moe-split --experts 2 --halo 1 --window 2 --rate 1 r.csv -o w.st
    [ "$(show w.st region.0.channel)$(show w.st region.1.channel)$(show w.st moe.halo)" = 'I32 [4] -1 0 1 2I32 [4] 1 2 3 -11' ]
    refused 64 '--halo and --halo-mm cannot be used together' moe-split --halo 1 --halo-mm 3 --window 2 --rate 1 r.csv
}

@test "an unknown electrode is named with what to do, where its place is needed" {
    columns C3,C4,A2-A1,ECG >r.csv
    s="moe-split --window 2 --rate 1 r.csv"
    for how in "--regions lobes" "--regions auto:2" "--experts 2 --halo-mm 30"; do
        refused 65 'r.csv: no position is known for channels A2-A1, ECG, which the 10-05 system does not have; give a file that says where they are with --electrodes, or --drop A2-A1,ECG to leave them out' $s $how
    done
    $s --experts 2 -o w.st
    said 'central: C3 C4' --regions lobes --drop A2-A1,ECG
    positions 0.09 | sed 's/^Fp1/ECG/; s/^C4.*/C4\tn\/a\tn\/a\tn\/a\tEEG/' >e.tsv
    refused 65 'r.csv: e.tsv has no position for channels C4, A2-A1; add them there, or leave them out (--drop C4,A2-A1)' $s --regions lobes --electrodes e.tsv
    said 'frontal: ECG
central: C3' --regions lobes --halo 0 --electrodes e.tsv --drop C4,A2-A1
    refused 64 '--electrodes has no effect' $s --electrodes e.tsv
    printf 'a\tC3\tcore\n' >f.tsv
    refused 64 '--electrodes has no effect' $s --regions f.tsv --electrodes e.tsv
    refused 64 '--experts is the older name of --regions' $s --regions lobes --experts 2
}

@test "a regions file gets a halo by position, unless it has one" {
    columns Cz,C1,C3,ECG,Oz >r.csv
    printf 'top\tCz\tcore\nback\tOz\tcore\nback\tC3\tcore\n' >f.tsv
    said 'top: Cz
back: Oz C3' --regions f.tsv
    said 'top: Cz | C1
back: Oz C3 | C1' --regions f.tsv --halo 1 --drop ECG
    said 'top: Cz | C1
back: Oz C3 | C1' --regions f.tsv --halo-mm 29.9 --drop ECG
    refused 65 'channel ECG' moe-split --window 2 --rate 1 r.csv --regions f.tsv --halo 1
    printf 'top\tC1\thalo\n' >>f.tsv
    said 'top: Cz | C1
back: Oz C3' --regions f.tsv
    for halo in "--halo 1" "--halo-mm 1"; do
        refused 65 "f.tsv: its regions already have halo channels; leave out ${halo% *}" moe-split --window 2 --rate 1 r.csv --drop ECG --regions f.tsv $halo
    done
    printf 'top\tCz\tcore\nempty\tOz\thalo\n' >f.tsv
    refused 65 'region "empty" has no core channel' moe-split --window 2 --rate 1 r.csv --regions f.tsv
}

@test "electrodes.tsv in any unit, about any centre, along either axes" {
    columns Fp1,Fp2,C3,C4,Cz,O1,O2,Pz >r.csv
    want='frontal: Fp1 Fp2
central: C3 C4 Cz | Pz
parietal: Pz | Cz
occipital: O1 O2'
    mm=57 # 36 degrees of 90 mm are 56.5
    for how in "0.09 0.02" "9 -3" "90 40" "0.09 0 als" "90 40 als"; do
        positions $how >e.tsv
        said "$want" --regions lobes --halo-mm $mm --electrodes e.tsv || { echo "$how" && false; }
        [ "$(moe-split --explain --window 2 --rate 1 r.csv --regions lobes --electrodes e.tsv | jq .head_mm)" = 90 ]
        said "$(sed 's/ |.*//' <<<"$want")" --regions lobes --halo-mm 56 --electrodes e.tsv
    done
    run moe-split --window 2 --rate 1 r.csv --regions lobes --electrodes e.tsv -o w.st
    [[ "$output" == *"e.tsv: 8 positions in mm (by their size), the radius of the head is 90.0 mm"* ]]
    positions 1 >e.tsv # no unit: the usual head
    [ "$(moe-split --explain --window 2 --rate 1 r.csv --regions lobes --electrodes e.tsv | jq .head_mm)" = 95 ]
    # names that say nothing: by position alone, the axes from the file beside it
    positions 90 5 | sed '2,$s/^/X/' >ras.tsv
    positions 90 5 als | sed '2,$s/^/X/' >sub-1_electrodes.tsv
    echo '{"EEGCoordinateSystem":"CTF","EEGCoordinateUnits":"mm"}' >sub-1_coordsystem.json
    columns XFp1,XFp2,XC3,XC4,XCz,XO1,XO2,XPz >r.csv
    for e in ras.tsv sub-1_electrodes.tsv; do
        said 'frontal: XFp1 XFp2
central: XC3 XC4 XCz
parietal: XPz
occipital: XO1 XO2' --regions lobes --halo 0 --electrodes $e
        said 'left: XFp1 XC3 XO1
midline: XCz XPz
right: XFp2 XC4 XO2' --regions hemispheres --halo 0 --electrodes $e
    done
}

@test "electrodes.tsv: what is wrong is named" {
    columns Fp1,Fp2,C3,C4,Cz,O1,O2,Pz >r.csv
    s="moe-split --window 2 --rate 1 r.csv --regions lobes --electrodes e_electrodes.tsv"
    refused 66 'e_electrodes.tsv: No such file' $s
    e() { positions "${@:2}" | sed "$1" >e_electrodes.tsv; }
    e 's/^name/label/' 90
    refused 65 'there is no column "name"' $s
    e '3s/Fp2/Fp1/' 90
    refused 65 'e_electrodes.tsv:3: electrode "Fp1" is listed twice' $s
    e '3s/^Fp2/\t/' 90
    refused 65 'e_electrodes.tsv:3' $s
    e 's/^Fp2\t[^\t]*/Fp2\tfar/' 90
    refused 65 'e_electrodes.tsv:3: x of "Fp2" is "far", neither a number nor n/a' $s
    e '5,$d' 90
    refused 65 '3 positions do not determine a head' $s
    e 's/^\([^\t]*\t[^\t]*\t[^\t]*\t\)[^\t]*/\15/; 1s/5/z/' 90
    refused 65 'not in one plane' $s
    e '' 3000
    refused 65 "the radius of the head would be 3000, which is not plausible in m, cm or mm" $s
    e '' 90
    echo '{"EEGCoordinateUnits":"m"}' >e_coordsystem.json
    refused 65 "the radius of the head would be 90 m, in the unit that e_coordsystem.json gives" $s
    echo '{"EEGCoordinateUnits":"inch"}' >e_coordsystem.json
    refused 65 'e_coordsystem.json: EEGCoordinateUnits is not one of m, cm, mm, n/a' $s
    echo '{' >e_coordsystem.json
    refused 65 'e_coordsystem.json' $s
    rm e_coordsystem.json
    e '' -90 # left and right, front and back, top and bottom exchanged
    refused 65 'positions and names do not agree' $s
}

@test "a model keeps the regions: --like, a live stream, predictions from a raw recording" {
    moe-synth --subjects 2 --channels 19 --rate 64 --seconds 8 --seed 3 -q -o eeg
    moe-split --regions auto:3 --halo-mm 40 --window 32 eeg/*.csv -o w.st
    moe-train --set encoder.hidden_dim=8 --set encoder.heads=2 --set encoder.layers=1 --set encoder.ffn_dim=8 --set train.epochs=1 -o m.st w.st
    moe-split --regions auto:3 --halo-mm 40 --window 32 eeg/S00_1.csv -o one.st
    moe-split --like m.st eeg/S00_1.csv -o like.st
    for what in moe.regions region.0.channel region.2.core expert.1; do
        [ "$(show one.st $what)" = "$(show like.st $what)" ]
    done
    moe-predict -m m.st one.st >whole
    moe-predict -m m.st eeg/S00_1.csv | cmp - whole
    moe-split --live --regions auto:3 --halo-mm 40 --window 32 eeg/S00_1.csv | moe-predict -m m.st | cmp - whole
    # channels in another order
    python3 -c '
import csv, sys
for r in csv.reader(open("eeg/S00_1.csv")): print(",".join([r[0]] + r[1:-1][::-1] + [r[-1]]))' >S00_1.csv
    moe-predict -m m.st S00_1.csv | cmp - whole
    for fixed in "--regions lobes" "--halo 1" "--halo-mm 1" "--electrodes e.tsv"; do
        refused 64 "${fixed% *} is fixed by the model" moe-split --like m.st $fixed eeg/S00_1.csv
    done
}
