#!/bin/sh
# From your own CSV recordings to a model and figures.
#
# usage: 01-own-recordings.sh FOLDER [moe-split option...]
#
# FOLDER holds one CSV per recording: a header of channel names, one row a sample, and a column `label` (or name it with
# --label-column). What stands before the first "_" or "." of a file's name is the group: normally the subject. A group is never
# split between training and validation. Without a time column say --rate HZ; drop what is not EEG with --drop ECG,EOG.
#
#     sh 01-own-recordings.sh recordings --rate 125 --drop ECG
#
# Writes windows.safetensors, model.safetensors, train.jsonl and predictions.csv into the current folder.
set -eu
folder=${1:?usage: 01-own-recordings.sh FOLDER [moe-split option...]}
shift

echo "1. What moe-split understands of these files (nothing is written yet):"
moe-split --explain "$@" "$folder"/*.csv | jq -r \
    '"   \(.file): \(.rows) rows at \(.rate) Hz, \(.channels | length) channels, labels \(.labels | tojson), group \(.group)",
     (.suspicious[]? | "      look at channel \(.channel): \(.why)")'

echo "2. Windows:"
moe-split "$@" -o windows.safetensors "$folder"/*.csv
moe-stats windows.safetensors | jq -r '"   \(.windows) windows of \(.length) samples; by class \(.windows_by_class | tojson), by group \(.windows_by_group | tojson)"'

echo "3. Training; a quarter of the groups is left out to choose the best epoch:"
moe-train ${EPOCHS:+--set train.epochs="$EPOCHS"} --valid-fraction 0.25 --log train.jsonl -o model.safetensors windows.safetensors
jq -rs 'def three: . * 1000 | round / 1000; map(select(.best)) | last |
    "   epoch \(.epoch) was best on the groups left out: accuracy \(.valid_accuracy | three), loss \(.valid_loss | three)"' train.jsonl

echo "4. How much the gate gives to each region, by class:"
moe-route -m model.safetensors windows.safetensors | moe-stats |
    jq -r '.gate | "   all: \(.importance | tojson)", (.by_class | to_entries[] | "   \(.key): \(.value.importance | tojson)")'

echo "5. An answer for each recording (a vote of its windows), to predictions.csv. It says little of recordings that were trained on, and"
echo "   nothing of one that holds several classes (its label is empty here): without --per recording every window is answered."
echo "   A new recording goes in by itself: moe-predict -m model.safetensors new.csv"
moe-predict -m model.safetensors --per recording --csv windows.safetensors >predictions.csv
cat predictions.csv
