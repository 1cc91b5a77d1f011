#!/usr/bin/env bats
# Real recordings through the five programs, from CSV to figures, without a special case. They are not part of the project: the
# archives are looked for in $MOE_DATA, else in ../shared/data, and the tests are skipped where they are absent.

setup_file() {
    export DATA=${MOE_DATA:-$BATS_TEST_DIRNAME/../../shared/data}
}

setup() {
    PATH=$MOE_BIN:$PATH
    cd "$BATS_TEST_TMPDIR" || exit 1
}

unpack() {
    [ -f "$DATA/$1.tar.xz" ] || skip "no $1.tar.xz in $DATA"
    tar xJf "$DATA/$1.tar.xz"
}

# accuracy FILE: share of the labelled predictions that are right
accuracy() {
    jq -n '[inputs | select(.label != null) | .label == .class] | (map(select(.)) | length) / length' "$1"
}

# figures NAME REGIONS CHANCE: routing and predictions of held-out.st by model.st; accuracy must be above chance
figures() {
    moe-route -m model.st held-out.st | moe-stats >stats.json
    jq -e --argjson k "$2" '.gate.importance | length == $k and (add > 0.999 and add < 1.001)' stats.json
    moe-predict -m model.st held-out.st >answers
    echo "# $1: accuracy $(accuracy answers) on $(jq -r .label answers | grep -cv null) windows, gate $(jq -c .gate.importance stats.json)" >&3
    [ "$(jq -n "$(accuracy answers) > $3")" = true ]
}

@test "eyes open and closed: one person, one class a file, the last part of each kept for validation" {
    unpack eegmmidb_eyes
    moe-split --rate 160 --window 1s -o all.st eegmmidb_eyes/*.csv
    moe-train -q --valid-tail 0.3 --set train.epochs=10 --log log --seed 1 -o model.st all.st
    # the same cut again, seen from outside: windows whose start lies in the last 30 % of their recording
    moe-predict -m model.st all.st | jq -c 'select(.time >= 0.7 * (if .label == "1" then 61 else 60 end))' >answers
    [ "$(wc -l <answers)" -ge 20 ]
    moe-route -m model.st all.st | moe-stats | jq -e '.gate.importance | length == 4'
    echo "# eegmmidb_eyes: accuracy $(accuracy answers) on $(wc -l <answers) windows" >&3
    [ "$(jq -n "$(accuracy answers) > 0.6")" = true ]
}

@test "rest and mental arithmetic: 24 people, four of them left out" {
    unpack eegmat
    moe-split --rate 125 --drop ECG,A2-A1 --window 300 -o train.st eegmat/S[01]*.csv
    moe-split --rate 125 --drop ECG,A2-A1 --window 300 -o held-out.st eegmat/S2[0-3]*.csv
    moe-train -q --valid-groups S16,S17,S18,S19 --set train.epochs=10 --seed 1 -o model.st train.st
    figures eegmat 4 0.5
}

@test "flicker of three frequencies and rest: label 0 is no class, two people left out" {
    unpack ssvep
    moe-split --rate 256 --ignore-label 0 --experts 2 --window 2s -o train.st ssvep/S0[1-6]_*.csv
    moe-split --rate 256 --ignore-label 0 --experts 2 --window 2s -o held-out.st ssvep/S0[78]_*.csv
    jq -e '.classes == ["1","2","3","4"]' <(moe-stats held-out.st)
    # who knows the flicker's frequencies says so: narrow bands around them and their doubles
    moe-train -q --valid-groups S05,S06 --set encoder.window=2 --seed 1 -o model.st train.st \
        --set 'encoder.bands=[6,10,12.5,13.5,16.5,17.5,20.5,21.5,25.5,26.5,33.5,34.5,41.5,42.5]'
    figures ssvep 2 0.25
}
