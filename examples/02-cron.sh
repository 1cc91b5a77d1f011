#!/bin/sh
# Train again at night on what has come in, and keep the old model unless the new one is better on recordings that neither has seen.
#
# usage: [CUT='moe-split options'] [EPOCHS=N] 02-cron.sh RECORDINGS HELD-OUT MODEL [moe-split option...]
#
# RECORDINGS and HELD-OUT are folders of labelled CSV recordings of different subjects; MODEL is the model in use (made when it is
# missing). The options say how to read the recordings (--rate, --drop, --label-column, ...); those in CUT, how to cut them for
# training (--window, --regions, ...); what is held out is cut as the model in question wants it. Says nothing when all went well,
# so that cron sends a mail only when something needs attention:
#
#     15 3 * * *  sh /usr/local/share/doc/moe-tools/examples/02-cron.sh /data/eeg /data/held-out /data/model.safetensors --rate 125
#
# MODEL.log gets one line a run: when, both accuracies, which model was kept. Exit status: 0 done, whichever was kept; 75 another run
# is at work on MODEL; 129, 130, 143 ended by HUP, INT, TERM, and with it what it had started; else that of what failed. Unless it is 0
# MODEL is what it was, and standard error says why (should the log be full, the message says which model was kept).
#
# A MODEL that is a symbolic link stays one, its target is exchanged. The work is done beside the target, in .retrain-NAME, which is
# gone at the end; what is left of a run that was killed with -9 goes with the next one. The empty NAME.lock stays.
set -eu

fail() { # fail STATUS MESSAGE
    printf '02-cron.sh: %s\n' "$2" >&2
    exit "$1"
}

# run COMMAND...: waits until it has ended, and ends the script if it has failed, with its status. It runs in the background, since
# for a command in the foreground a shell would attend to a signal only when that has ended.
ended=none
run() {
    status=0
    "$@" &
    wait "$!" || status=$?
    ended=$!
    [ $status -le 128 ] || fail $status "$1 was ended by a signal ($status); $model is as it was"
    [ $status -eq 0 ] || exit $status
}

# stop STATUS: ends the command that runs, if one does, and the script; by KILL, for all that it has written is in $work and goes
stop() {
    trap '' HUP INT TERM
    if [ "${!-none}" != "$ended" ]; then
        kill -KILL "$!"
        wait "$!" || :
    fi 2>/dev/null
    fail "$1" "ended by a signal ($1); $model is as it was"
}

# accuracy MODEL [moe-split option...]: puts the share of the labelled windows of HELD-OUT that MODEL gets right into $accuracy
accuracy() {
    candidate=$1
    shift
    run moe-split -q "$@" --like "$candidate" -o "$work/held-out" "$held_out"/*.csv
    run moe-predict -m "$candidate" "$work/held-out" >"$work/answers"
    run jq -n '[inputs | select(.label != null) | .label == .class] | if length == 0 then "none" else
        (map(select(.)) | length) / length end' "$work/answers" >"$work/accuracy"
    read -r accuracy <"$work/accuracy"
    [ "$accuracy" != '"none"' ] || fail 65 "$held_out: no window has a label, so models cannot be compared; $model is as it was"
}

# have_recordings FOLDER
have_recordings() {
    set -- "$1" "$1"/*.csv
    [ -e "$2" ] || fail 66 "$1: there are no recordings (*.csv) in it; nothing was done"
}

[ $# -ge 3 ] || fail 64 "usage: 02-cron.sh RECORDINGS HELD-OUT MODEL [moe-split option...]"
recordings=$1 held_out=$2 log=$3.log
model=$(readlink -f -- "$3") || fail 73 "$3: its folder is not there"
[ ! -d "$model" ] || fail 73 "$model: a folder, where a model should be"
shift 3
case $recordings in -*) recordings=./$recordings ;; esac # a name, no option
case $held_out in -*) held_out=./$held_out ;; esac
have_recordings "$recordings"
have_recordings "$held_out"
for file in "$model.lock" "$log"; do
    true >>"$file" || fail 73 "$file: cannot be written; nothing was done"
done

# The lock is held by this shell and all that it starts, so it ends with the last of them.
exec 9>>"$model.lock"
flock -n -E 75 9 || fail $? "$model: another run is at work on it (no lock on $model.lock); nothing was done"
work=$(dirname "$model")/.retrain-$(basename "$model")
trap 'rm -rf "$work"' EXIT
trap 'stop 129' HUP
trap 'stop 130' INT
trap 'stop 143' TERM
rm -rf "$work" # of a run that was ended by force: nobody else holds the lock
mkdir -m 700 "$work"

old=none kept=new
if [ -e "$model" ]; then # first, for a model that cannot be read is better known before the training
    accuracy "$model" "$@"
    old=$accuracy
fi
# shellcheck disable=SC2086  # CUT is a list of options
run moe-split -q "$@" ${CUT:-} -o "$work/windows" "$recordings"/*.csv
run moe-train -q ${EPOCHS:+--set train.epochs="$EPOCHS"} --valid-fraction 0.2 -o "$work/model" "$work/windows"
accuracy "$work/model" "$@"
new=$accuracy

trap '' HUP INT TERM # from here on it is done, in a moment
if [ "$old" != none ]; then
    [ "$(jq -n "$new > $old")" = true ] || kept=old
    cp --attributes-only --preserve=mode,ownership "$model" "$work/model" # who may read the old one may read the new one
fi
[ $kept = old ] || mv -fT "$work/model" "$model" # a rename: whoever opens MODEL finds the old one or the new one, whole
echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) new $new old $old kept $kept" >>"$log" ||
    fail 74 "$log: cannot be written; the $kept model was kept, with accuracy $new (new) and $old (old)"
