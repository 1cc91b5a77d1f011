#!/bin/sh
# Can regions find what none of them sees alone? The front and the back of the head have bursts of a rhythm in both classes, together
# while the class is "rest" and by turns while it is "task"; each for itself behaves in the same way in both (moe-synth(1), A relation).
# With bridge.sync=layer the regions' global tokens are averaged between the layers, so that one can learn of the other.
#
# usage: [SEEDS='1 2'] 09-relation.sh
#
# Prints accuracy on held-out subjects; 0.5 is chance. The gate is another place where regions meet, since it reads what
# all have found: so it is drowned in noise in training, which makes one region, drawn at random, answer alone. Last comes a
# gate without noise and no exchange: it can be right in three of the four cases that the two places make.
set -eu
# shellcheck source=examples/common.sh
. "$(dirname "$0")/common.sh"
: "${SEEDS:=1 2 3 4 5}" "${EPOCHS:=36}"
front=Fp1,Fp2,F3,F4 back=P3,P4,O1,O2

learn() { # learn OPTION...: tokens of band power around the rhythm; the loss stands still for many epochs before it falls
    train --seed "$seed" --set 'encoder.bands=[18,22]' --set encoder.dropout=0 --set train.lr=0.003 --set train.batch_size=16 \
        --set train.schedule=constant --set train.patience=0 "$@"
    accuracy
}

printf 'seed\tfront\tback\tnone\tend\tlayer\tnone, gate without noise\n'
for seed in $SEEDS; do
    moe-synth --subjects 10 --seconds 240 --channels $front,$back --relation Fp1+Fp2,O1+O2 --seed "$seed" --force -o "$work/eeg"
    divide "$work/eeg"
    printf '%s' "$seed"
    for alone in $front $back; do
        cut_windows --window 2s --regions 1 --channels "$alone"
        printf '\t%s' "$(learn)"
    done
    cut_windows --window 2s --regions 2 --halo 1
    for sync in none end layer; do
        printf '\t%s' "$(learn --set bridge.sync=$sync --set gate.noise_std=1000)"
    done
    printf '\t%s\n' "$(learn --set bridge.sync=none)"
done
