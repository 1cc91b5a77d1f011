# shellcheck shell=sh
# What the experiments 03 to 16 share; they read it, it is not run by itself.
#
# The programs are looked for in MOE_BIN, if that is set, and in PATH. What is made on the way lies in a temporary folder, $work.
# EPOCHS is the number of passes of every training.
[ -z "${MOE_BIN:-}" ] || PATH=$MOE_BIN:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# divide FOLDER: its recordings into $work/known and $work/new, which gets the last quarter of the subjects by name. The subject is
# what stands before the first _ or . of a file's name.
divide() {
    if ! ls "$1"/*.csv >/dev/null 2>&1; then
        echo "$1: there are no recordings (*.csv) in it" >&2
        exit 66
    fi
    folder=$(cd "$1" && pwd)
    mkdir -p "$work/known" "$work/new"
    rm -f "$work/known"/*.csv "$work/new"/*.csv
    for f in "$folder"/*.csv; do basename "$f" | sed 's/[_.].*//'; done | sort -u >"$work/people"
    if [ "$(wc -l <"$work/people")" -lt 2 ]; then
        echo "$1: recordings of one subject only ($(cat "$work/people")), and others are needed for testing" >&2
        exit 65
    fi
    tail -n $((($(wc -l <"$work/people") + 3) / 4)) "$work/people" >"$work/new-people"
    for f in "$folder"/*.csv; do
        if basename "$f" | sed 's/[_.].*//' | grep -qxF -f "$work/new-people"; then to=new; else to=known; fi
        ln -s "$f" "$work/$to/"
    done
}

# cut_windows OPTION...: both parts into windows, known.st and new.st
cut_windows() {
    moe-split -q "$@" -o "$work/known.st" "$work/known"/*.csv
    moe-split -q "$@" -o "$work/new.st" "$work/new"/*.csv
}

# cut_overlapping FOLDER [OPTION...]: its recordings into $work/windows.st; label 0 is no class
cut_overlapping() {
    folder=$1
    shift
    moe-split -q --window 300 --stride 100 --ignore-label 0 "$@" -o "$work/windows.st" "$folder"/*.csv
}

# cut_arithmetic [FOLDER [OPTION...]]: what 10-mental-arithmetic.sh looks at, and its negative control
cut_arithmetic() {
    if [ $# -eq 0 ]; then
        moe-synth --subjects 12 --seconds 60 --snr 0.1 --seed 1 -o "$work/eeg"
        set -- "$work/eeg"
    fi
    folder=$1
    shift
    cut_overlapping "$folder" --reference average "$@"
}

# take_windows [FOLDER [OPTION...]]: the windows (*.st) of the folder as they are, or its recordings cut as by cut_arithmetic; sets
# $windows, and $apart to the option that tests on windows which do not overlap, where those that were cut do
# shellcheck disable=SC2034 # for the scripts that read this
take_windows() {
    apart=""
    if [ $# -gt 0 ] && ls "$1"/*.st >/dev/null 2>&1; then
        windows=$(cd "$1" && pwd)
    else
        cut_arithmetic "$@"
        mkdir "$work/windows"
        mv "$work/windows.st" "$work/windows/"
        windows=$work/windows
        apart="--test-stride 300"
    fi
}

# train OPTION...: a model of the known subjects, of whom a fifth chooses the epoch; $work/model.st and $work/log.jsonl. Its encoders
# learn by themselves: these experiments are about what encoders, gate and mixtures learn.
train() {
    moe-train -q --preset "${PRESET:-spectral}" --valid-fraction 0.2 ${EPOCHS:+--set train.epochs="$EPOCHS"} "$@" --log "$work/log.jsonl" \
        -o "$work/model.st" "$work/known.st"
}

# accuracy: the fraction of the held-out subjects' windows that the model classifies correctly; accuracy_with OPTION...: the same with experts left out
right() {
    jq -nr '[inputs | select(.label != null) | .label == .class] | (map(select(.)) | length) / length * 1000 | round / 1000'
}
accuracy() {
    moe-predict -m "$work/model.st" "$work/new.st" | right
}
accuracy_with() {
    moe-predict -m "$work/model.st" "$@" "$work/new.st" | right
}

# size: parameters of the model, in all and active for a token
size() {
    moe-train --print-config --init "$work/model.st" | awk -F'\t' '$1 == "parameters" { printf "%s%s %s", sep, $2, $3; sep = ", " }'
}

# cross_validate OPTION...: of $work/windows.st, tested on windows that do not overlap; answers to $work/lines, figures of all runs to
# $work/summary
cross_validate() {
    moe-cv -q --test-stride 300 ${EPOCHS:+--set train.epochs="$EPOCHS"} --summary "$work/summary" "$@" -o "$work/lines" "$work/windows.st"
}

# usage: how gate and mixtures of the model are used by the held-out subjects' windows
usage() {
    moe-route -m "$work/model.st" "$work/new.st" | moe-stats --permutations 0
}

# score WHAT: the figures of the cross-validation, one line
score() {
    moe-score -q "$work/lines" | jq -r --arg what "$1" 'def three: . * 1000 | round / 1000;
        "\($what): accuracy \(.accuracy | three)" +
        (if .by_run then " (by seed \([.by_run[].accuracy | three] | join(" "))" + ")" else "" end) +
        (if .accuracy_interval[0] then ", \(.accuracy_interval | map(three) | join(" to ")) (95 % interval)" else "" end) +
        ", chance \(.chance.level | three), up to \(.chance.limit_95 | three); kappa \(.kappa | three), log loss \(.log_loss | three), calibration error \(.ece | three)"'
}
