#!/usr/bin/env bats
# What is said to learn does: on recordings made up so that a closed form, a constant gate or a random router cannot answer, the model
# beats the control without that part (moe-cv --fail-if-idle), and does not when its steps are too small to move anything.
# shellcheck disable=SC2086 # options kept in a variable are split on purpose

bats_require_minimum_version 1.5.0

setup_file() {
    PATH=$(realpath "${MOE_BIN:-build/bin}"):$PATH
    cd "$BATS_FILE_TMPDIR" || exit 1
    moe-synth --subjects 6 --channels 4 --rate 64 --seconds 40 --snr 0.3 --seed 1 -o rhythm
    moe-split -q --window 1s --regions 2 --halo 1 -o rhythm.st rhythm/*.csv
    # the classes differ in how front and back go together, and in neither alone
    local both=Fp1,Fp2,F3,F4,P3,P4,O1,O2
    moe-synth --subjects 10 --seconds 240 --rate 64 --channels $both --relation Fp1+Fp2,O1+O2 --seed 1 -o long
    moe-split -q --window 2s --regions 2 --halo 1 -o apart.st long/*.csv
    moe-synth --subjects 8 --seconds 120 --rate 64 --channels $both --relation Fp1+Fp2,O1+O2 --seed 1 -o short
    moe-split -q --window 2s --regions 1 --halo 0 -o joined.st short/*.csv
}

setup() {
    PATH=$(realpath "${MOE_BIN:-build/bin}"):$PATH
    cd "$BATS_FILE_TMPDIR" || exit 1
}

# earns STATUS CONTROL OPTION...: whether the model beats the control, on the folds of the options
earns() {
    local wanted=$1 control=$2
    shift 2
    run moe-cv --preset spectral --fail-if-idle "$control" -o /dev/null "$@"
    echo "$output"
    [ "$status" -eq "$wanted" ]
}

idle="--set train.lr=1e-12"
relation="--set encoder.bands=[18,22] --set encoder.dropout=0 --set train.lr=0.003 --set train.batch_size=16 --set train.schedule=constant
    --folds 2"
experts="--set encoder.layers=1 --set encoder.hidden_dim=4 --set encoder.heads=1 --set encoder.ffn_dim=4 --set bridge.tokens=0
    --set moe.layers=all --set moe.top_k=1 --set train.epochs=4 --seeds 1..6"

@test "training steps: they find a rhythm that start values do not; steps that move nothing do not" {
    local options="--set train.epochs=12 --folds 3 rhythm.st"
    earns 0 frozen --set train.lr=0.003 $options
    earns 0 chance --set train.lr=0.003 $options
    earns 1 frozen $idle $options
}

@test "the gate: by weighing the regions of each window it finds a relation that constant weights do not" {
    earns 0 constant-gate $relation --set train.epochs=15 apart.st
    earns 1 constant-gate $relation --set train.epochs=1 $idle apart.st
    # weights that are much the same for every window are as good as constant ones
    earns 1 constant-gate $relation --set train.epochs=15 --set gate.temperature=1000 apart.st
}

@test "the router: experts that are chosen by what they read learn faster than experts drawn at random" {
    earns 0 random-router $relation $experts joined.st
    earns 0 frozen $relation $experts joined.st
    earns 1 random-router $relation $experts $idle joined.st
}
