#!/bin/sh
# Train again at night on what has come in, and keep the old model unless the new one is better on recordings that neither has seen.
#
# usage: [CUT='moe-split options'] 02-cron.sh RECORDINGS HELD-OUT MODEL [moe-split option...]
#
# RECORDINGS and HELD-OUT are folders of labelled CSV recordings of different people; MODEL is the model in use (made when it is
# missing). The options say how to read the recordings (--rate, --drop, --label-column, ...); those in CUT, how to cut them for
# training (--window, --experts, ...); what is held out is cut as the model in question wants it. Says nothing when all went well,
# so that cron sends a mail only when something needs a person:
#
#     15 3 * * *  sh /usr/local/share/doc/moe-tools/examples/02-cron.sh /data/eeg /data/held-out /data/model.safetensors --rate 125
#
# Exit status: 0 done, whichever model was kept; 75 another run holds the lock; else that of the program that failed, the old model
# being untouched. MODEL.log gets one line a run: when, both accuracies, which was kept.
set -eu
if [ "${MOE_LOCKED:-}" != "${3:?usage: 02-cron.sh RECORDINGS HELD-OUT MODEL [moe-split option...]}" ]; then
    MOE_LOCKED=$3 exec flock -n -E 75 "$3.lock" sh "$0" "$@"
fi
recordings=$1 held_out=$2 model=$3
shift 3
work=$(mktemp -d "$(dirname "$model")/.retrain-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# share of the labelled windows of HELD-OUT that a model gets right
accuracy() {
    moe-split -q "$@" --like "$candidate" -o "$work/held-out" "$held_out"/*.csv
    moe-predict -m "$candidate" "$work/held-out" >"$work/answers"
    jq -n '[inputs | select(.label != null) | .label == .class] | if length == 0 then error("no labelled windows") else
        (map(select(.)) | length) / length end' "$work/answers"
}

# shellcheck disable=SC2086  # CUT is a list of options
moe-split -q "$@" ${CUT:-} -o "$work/windows" "$recordings"/*.csv
moe-train -q ${EPOCHS:+--set train.epochs="$EPOCHS"} --valid-fraction 0.2 -o "$work/model" "$work/windows"
candidate=$work/model
new=$(accuracy "$@")
old=none kept=new
if [ -e "$model" ]; then
    candidate=$model
    old=$(accuracy "$@")
    [ "$(jq -n "$new > $old")" = true ] || kept=old
fi
[ $kept = old ] || mv "$work/model" "$model" # a rename: whoever opens MODEL finds the old one or the new one, whole
echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) new $new old $old kept $kept" >>"$model.log"
