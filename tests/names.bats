#!/usr/bin/env bats
# Names out of files and options: they steer no terminal, break no line, run in no spreadsheet, lead out of no folder.
# shellcheck disable=SC2086,SC2154 # $small is several words; status and output are those of run

load train_helpers

steer=$'\e]0;title\a\e[31m\n\u009b1m\u202e'

setup_file() {
    PATH=$(realpath "${MOE_BIN:-build/bin}"):$PATH
    cd "$BATS_FILE_TMPDIR" || exit 1
    moe-synth --subjects 2 --channels 4 --rate 64 --seconds 8 --seed 5 -o eeg
    # hostile channels, classes, groups, files
    for i in 0 1; do
        awk -F, -v OFS=, -v s="\"$(printf %s "$steer")" 'NR == 1 { $2 = s "F1\"" } NR > 1 && $NF == "rest" { $NF = s "rest\"" } { print }' \
            eeg/S0${i}_1.csv >"eeg/S$i${steer}_1.csv"
        cp eeg/S0${i}_1.csv "eeg/=S${i}_1.csv"
    done
    rm eeg/S0[01]_1.csv
    moe-split --window 32 --experts 2 eeg/S*.csv -o evil.st
    moe-train $small --set moe.layers=all --set train.epochs=1 --no-history -q -o evil-m.st evil.st
    moe-route -m evil-m.st -o evil-r.st evil.st
    moe-split --window 32 --experts 2 eeg/=*.csv -o formula.st
    moe-train $small --set train.epochs=1 --no-history -q -o formula-m.st formula.st
}

# clean FILE: it has no byte that is not seen but ends of lines (and tabs)
clean() {
    ! LC_ALL=C grep -qaP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xff' "$1" || {
        echo "not clean:"
        cat -v "$1"
        return 1
    }
}

# says STATUS COMMAND...: it ends so, and what it says is one clean line that begins with its name
says() {
    local expected=$1 got=0
    shift
    "$@" >out 2>err || got=$?
    [ "$got" -eq "$expected" ] || { echo "$got: $(cat -v err)" && return 1; }
    clean err
    clean out
    [ "$(wc -l <err)" -eq 1 ]
    grep -q "^$1: " err
}

@test "messages show what names hold, in one line" {
    says 66 moe-split "no${steer}such.csv"
    grep -qF 'no\e]0;title\x07\e[31m\n\u009b1m\u202esuch.csv' err
    printf 'a,b\n' >"eeg${steer}"
    says 65 moe-split "eeg${steer}"
    printf 'a,b\n1,2\n3,x\e\177\n' >cell.csv
    says 65 moe-split --rate 64 cell.csv
    grep -qF 'x\e\x7f' err
    says 65 moe-predict -m formula-m.st eeg/S*.csv # a missing channel: lists those there are
    says 64 moe-predict "--no$steer"
    says 64 moe-split --dialect "$steer" cell.csv
    says 78 moe-train --set "x$steer=1" -o x formula.st
    says 78 moe-train --set "encoder.norm=$steer" -o x formula.st
    says 64 moe-synth --classes "$steer" -o x
    says 64 moe-score --metric "$steer" cell.csv
    moe-split --window 32 --experts 2 --group-name "$steer" eeg/=S0_1.csv -o one.st
    says 65 moe-cv $small one.st
    printf '{"recording":"%s"}\n' '\u001b' >bad.jsonl
    says 65 moe-score bad.jsonl
    printf '\n\e[1m{\n' >bad.jsonl
    says 65 moe-score bad.jsonl
    edit formula-m.st bad.st 'm["moe.config"] = "{\"\\u001b[31m\": 1}"'
    says 65 moe-predict -m bad.st formula.st
    name=$'\xff\xfe_1.csv'
    cp eeg/=S0_1.csv "$name"
    says 64 moe-split "$name"
    grep -qF '\xff\xfe_1.csv' err
}

@test "notes, verbose words and reports show them too, and keep their lines" {
    moe-train $small -v --set train.epochs=1 --log log -o x.st evil.st 2>err
    moe-predict -m evil-m.st evil.st >p.jsonl
    moe-score --report p.jsonl >score
    moe-score --report --compare p.jsonl p.jsonl >compare
    cp p.jsonl "p$steer"
    moe-score --report --compare "p$steer" "p$steer" >compare2
    moe-stats --report evil-r.st >stats
    moe-stats -v --report evil-r.st >stats2 2>err2
    moe-stats --ablate --report -m evil-m.st evil.st >ablate
    moe-split --explain=text --window 32 --experts 2 eeg/S*.csv >explain
    moe-split --explain=text --window 32 --experts 2 --condition-name "$steer" eeg/S*.csv >explain2 2>err3
    for f in err log score compare compare2 stats stats2 err2 ablate explain explain2 err3; do clean $f; done
    grep -qF '\e]0;title\x07\e[31m\n\u009b1m\u202erest' score
    grep -qF '\e]0;title\x07\e[31m\n\u009b1m\u202eF1' explain
    # a line for each, though names hold line ends
    [ "$(grep -c '^S[01]\\e' score)" -eq 2 ]
    [ "$(sed -n '/^Mean over groups/,$p' score | sed 1d | grep -vc '^S[01]\\e\|^Note')" -eq 0 ]
    [ "$(grep -c '^  [a-z]\|^   \|^eeg\|^S[01]\\e\|^$' explain)" -eq "$(wc -l <explain)" ]
}

@test "JSON escapes them: every line is JSON, clean, and the names are the names" {
    moe-predict -m evil-m.st evil.st >p.jsonl
    moe-stats evil.st >windows
    moe-stats evil-m.st >model
    moe-stats evil-r.st >routing
    moe-stats --ablate -m evil-m.st evil.st >ablate
    moe-route -m evil-m.st --jsonl evil.st >route
    moe-score p.jsonl >score
    moe-split --explain --window 32 --experts 2 eeg/S*.csv >explain
    for f in p.jsonl windows model routing ablate route score explain; do
        clean $f
        jq . $f >/dev/null
    done
    [ "$(jq -r '.channels[0] | @json' windows)" = "$(jq -nc --arg s "${steer}F1" '$s')" ]
    [ "$(jq -s '.[0].group | @json' p.jsonl)" = "$(jq -n --arg s "S0$steer" '$s | @json')" ]
    # metadata of others, with bytes that JSON lets stand
    edit evil-m.st raw.st 'm["moe.history"] = "[{\"program\":\"a\x7f\u009b1m\"}]"'
    moe-stats raw.st >model
    clean model
    [ "$(jq -c '.history[0].program' model)" = "$(jq -nc --arg s $'a\177\u009b1m' '$s')" ]
}

# formula FILE: whether a cell that is no number begins as a formula does
formula() {
    python3 - "$1" "$2" <<'END'
import csv, re, sys
for row in csv.reader(open(sys.argv[1], newline=""), delimiter={"csv": ",", "tsv": "\t"}[sys.argv[2]]):
    for cell in row:
        if cell[:1] in tuple("=+-@\t\r") and cell and not re.fullmatch(r"[-+]?[0-9.]+(e[-+]?[0-9]+)?", cell):
            sys.exit("a formula: " + repr(cell))
END
}

@test "tables: no cell is a formula, numbers stay numbers, usual names stay as they are" {
    for form in csv tsv; do
        moe-predict -m formula-m.st --$form formula.st >predict.$form
        moe-predict -m formula-m.st --$form --per recording formula.st >recordings.$form
        moe-predict -m formula-m.st formula.st | moe-score --$form >score.$form
        moe-predict -m formula-m.st formula.st >p
        moe-score --compare p --$form p >compare.$form
        moe-route -m formula-m.st formula.st | moe-stats --$form >stats.$form
        moe-stats --ablate -m formula-m.st --$form formula.st >ablate.$form
        for f in predict recordings score compare stats ablate; do formula $f.$form $form; done
    done
    # the apostrophe is all there is to take away; what follows is what JSON says
    jq -r '[.recording, .group, .start, .class] | @csv' p | tr -d '"' >names
    sed 1d predict.csv | cut -d, -f1,2,3,6 | sed "s/^'//; s/,'/,/" | cmp - names
    grep -q "^'=S0_1.csv,'=S0,0,0," predict.csv
    grep -q ',-[0-9]' predict.csv # logits
    for f in predict recordings score compare stats; do
        [ "$(grep -c "'" $f.csv)" -gt 1 ]
        clean $f.csv
    done
    moe-predict -m evil-m.st --csv evil.st >evil.csv
    tr '\n' ' ' <evil.csv >evil.flat
    clean evil.flat
    run grep -q '\\e\|'\' evil.csv
    [ "$status" -eq 1 ]
}

@test "files made in a folder stay in it" {
    moe-split -q --window 32 --experts 2 --group-name ../../x eeg/=S0_1.csv -o a.st
    moe-split -q --window 32 --experts 2 --group-name /x/y eeg/=S1_1.csv -o b.st
    mkdir in out
    echo mine >out/file
    ln -s ../out/file in/fold-1.safetensors
    ln -s ../out/none in/fold-0.safetensors
    moe-cv -q $small --set train.epochs=1 --keep in -o cv.jsonl a.st b.st
    [ "$(ls -A in)" = $'fold-0.safetensors\nfold-1.safetensors' ]
    [ ! -L in/fold-0.safetensors ] && [ ! -L in/fold-1.safetensors ]
    moe-stats in/fold-1.safetensors | jq -e '.format == "model/1"'
    ln -s ../out/file in/S00_1.csv
    ln -s ../out/none in/S01_1.csv
    run moe-synth --subjects 2 --seconds 2 -o in
    [ "$status" -eq 73 ]
    moe-synth --force --subjects 2 --seconds 2 -o in
    [ ! -L in/S00_1.csv ] && [ ! -L in/S01_1.csv ]
    [ "$(ls -A out)" = file ] && [ "$(cat out/file)" = mine ]
}
