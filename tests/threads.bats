#!/usr/bin/env bats
# Every program that uses threads, on small jobs: the bytes do not depend on how many there are, run after run, and experts that hardly
# any window goes to are no exception. `make tsan` runs this with programs that ThreadSanitizer watches (exit status 66 on a data
# race), so each command here has to succeed.
# shellcheck disable=SC2086,SC2154 # options are split; small is from train_helpers
bats_require_minimum_version 1.5.0

load train_helpers

setup_file() {
    export TSAN_OPTIONS="exitcode=66 ${TSAN_OPTIONS:-}"
    make_data
    moe-synth --subjects 5 --channels 8 --rate 64 --seconds 12 --seed 5 -o eeg2 || return 1
    moe-split --window 40 --stride 9 --align grid --experts 3 --halo 1 --condition 'S0.' --no-history -o wide.st eeg2/*.csv
}

# same_model TIMES ARGUMENTS...: the model does not depend on the number of threads
same_model() {
    local times=$1
    shift
    rm -f ./*.out
    train 1.out -q --threads 1 "$@"
    for threads in 2 3 5 8; do
        for _ in $(seq "$times"); do
            train "$threads.out" -q --threads "$threads" "$@"
            cmp 1.out "$threads.out"
        done
    done
}

@test "experts that hardly a window goes to: preset large" {
    same_model 3 --preset large --set encoder.heads=4 --set encoder.layers=2 --set train.batch_size=200 --set train.epochs=2 --seed 95 wide.st
}

@test "experts that hardly a window goes to: one of 40, two of 16, computed again in backward" {
    mixtures="--set moe.layers=all --set encoder.tokens=sample --set train.batch_size=200 --set train.epochs=1"
    same_model 2 $mixtures --set moe.num_experts=40 --set moe.top_k=1 --set moe.load_balance_weight=0.01 wide.st
    same_model 2 $mixtures --set moe.num_experts=16 --set moe.top_k=2 --set train.recompute=layer wide.st
    same_model 2 $mixtures --set moe.num_experts=17 --set encoder.layers=2 --set bridge.sync=layer wide.st
}

@test "every router" {
    for router in topk noisy_topk soft soft_moe expert_choice cosine hierarchical condition; do
        rm -f ./*.out
        for threads in 1 4; do
            mix $threads.out --threads $threads --set moe.router=$router
        done
        cmp 1.out 4.out
    done
}

@test "training by levels, by groups, with validation, and in folds" {
    for set in train.scale=ems train.scale=group encoder.tokens=conv encoder.tokens=separable encoder.tokens=spectral; do
        rm -f ./*.out
        for threads in 1 4; do train $threads.out -q --set $set --threads $threads --valid-groups S03 w.st; done
        cmp 1.out 4.out
    done
    for threads in 1 4; do
        moe-cv -q $small --set train.epochs=1 --no-history --threads $threads --keep folds.$threads -o $threads.cv w.st
    done
    cmp 1.cv 4.cv
    diff -r folds.1 folds.4
}

@test "cutting, prediction, routing, ablation" {
    mix mix.st
    for threads in 1 4; do
        moe-split --no-history --threads $threads --window 32 --experts 2 -o $threads.cut eeg/*.csv
        moe-predict --threads $threads -m mix.st w.st -o $threads.answers
        moe-predict --threads $threads -m mix.st eeg/*.csv -o $threads.raw
        moe-route --jsonl --threads $threads -m mix.st w.st -o $threads.route
        moe-stats --ablate --threads $threads -m mix.st w.st >$threads.ablation
    done
    for what in cut answers raw route ablation; do cmp 1.$what 4.$what; done
}
