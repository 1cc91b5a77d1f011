#!/usr/bin/env bats
# Mixtures of experts through moe-train and moe-predict: every router, same bytes for any number of threads and after a stop, keys
# that do what they say, refusals.
# shellcheck disable=SC2086,SC2154

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
}

# mix NAME ARGUMENTS...: a model NAME of two epochs whose layer is a mixture; quick, the same for the same arguments
mix() {
    local out=$1
    shift
    moe-train $small --set moe.layers=all --set train.epochs=2 --set train.batch_size=24 --no-history -q "$@" -o "$out" w.st
}

@test "every router trains, and its bytes do not depend on the number of threads" {
    for router in topk noisy_topk soft soft_moe expert_choice cosine random uniform; do
        for threads in 1 2 3; do
            mix $threads.out --set moe.router=$router --threads $threads
        done
        cmp 1.out 2.out
        cmp 1.out 3.out
        moe-predict -m 1.out w.st >answers
        [ "$(wc -l <answers)" -eq 64 ]
        mix other.out --set moe.router=$router --seed 2
        run ! cmp -s 1.out other.out
    done
}

@test "every loss trains, with any number of threads, and is another" {
    for form in switch sum first cv2; do
        for threads in 1 2; do
            mix $threads.out --set moe.load_balance_form=$form --set moe.load_balance_weight=0.1 --set moe.z_loss_weight=0.01 \
                --threads $threads
        done
        cmp 1.out 2.out
        mv 1.out $form.out
    done
    run ! cmp -s switch.out first.out
    run ! cmp -s switch.out cv2.out
    run ! cmp -s sum.out cv2.out
}

@test "training that was stopped goes on to the same bytes" {
    for router in topk noisy_topk random; do
        steady="--set moe.router=$router --set train.schedule=constant"
        mix whole.out $steady --set train.epochs=4
        mix half.out $steady --state s
        run ! cmp -s whole.out half.out
        moe-train --resume --state s --set train.epochs=4 --no-history -q -o half.out w.st
        cmp <(tensors whole.out) <(tensors half.out)
        rm s
    done
}

@test "evaluation does not depend on company" {
    for router in topk noisy_topk soft soft_moe expert_choice cosine random uniform; do
        mix m.out --set moe.router=$router
        moe-predict -m m.out --batch 64 w.st >whole
        moe-predict -m m.out --batch 3 w.st >parts
        cmp whole parts
    done
}

@test "capacity in evaluation: fewer experts answer, and a window still does not depend on company" {
    wide="--set encoder.tokens=sample --set moe.top_k=2"
    mix free.out $wide
    mix tight.out $wide --set moe.capacity_factor_eval=0.5
    cmp <(tensors free.out) <(tensors tight.out) # in training nothing was dropped
    moe-predict -m free.out w.st >free
    moe-predict -m tight.out w.st >tight
    moe-predict -m tight.out --batch 5 w.st >parts
    run ! cmp -s free tight
    cmp tight parts
    for policy in choice probability position priority random; do
        for threads in 1 2 3; do
            mix $threads.out $wide --set moe.capacity_factor=0.5 --set moe.drop_policy=$policy --threads $threads
        done
        cmp 1.out 2.out
        cmp 1.out 3.out
    done
}

@test "without a gating network experts are drawn as by the router random" {
    mix a.out --set moe.use_gating_network=false
    mix b.out --set moe.router=random
    cmp <(tensors a.out) <(tensors b.out)
    no_train 78 "moe.router has no effect" --set moe.layers=all --set moe.use_gating_network=false --set moe.router=soft w.st
}

@test "jitter and expert dropout: training only, the same bytes for any number of threads" {
    for key in jitter expert_dropout; do
        for threads in 1 2 3; do
            mix $threads.out --set moe.$key=0.4 --set moe.num_experts=6 --threads $threads
        done
        cmp 1.out 2.out
        cmp 1.out 3.out
        edit 1.out without 'k = json.loads(m["moe.config"]); k["moe"]["'$key'"] = 0; m["moe.config"] = json.dumps(k)'
        cmp <(moe-predict -m 1.out w.st) <(moe-predict -m without w.st)
    done
}

# balance FILE: the balance numbers of a model
balance() {
    ask "$1" '[list(t[n][2]) for n in sorted(t) if n.endswith("moe.router.balance")]'
}

@test "balanced without a loss: saved, the same for any number of threads and after a stop, refused where it makes no sense" {
    for kind in "bias --set moe.balance_rate=0.03" "quantile --set moe.score=sigmoid"; do
        steady="--set train.schedule=constant --set moe.balance=$kind"
        for threads in 1 2 3; do
            mix $threads.out $steady --set train.epochs=4 --threads $threads
        done
        cmp 1.out 2.out
        cmp 1.out 3.out
        mix half.out $steady --state s
        moe-train --resume --state s --set train.epochs=4 --no-history -q -o half.out w.st
        cmp <(tensors 1.out) <(tensors half.out)
        rm s
        [ "$(balance 1.out | tr -d '[]0., \n')" != "" ]
        moe-predict -m 1.out w.st >with
        edit 1.out none 'for n in t:
    if n.endswith("moe.router.balance"): t[n] = c.tensor("F32", t[n][1], [5.0, 0, 0, -5.0])'
        moe-predict -m none w.st >without
        run ! cmp -s with without
    done
    for bad in moe.capacity_factor=1 moe.capacity_factor_eval=1 moe.groups=2 moe.top_k=4; do
        no_train 78 "moe.balance: quantile does not go with ${bad%%=*}" --set moe.layers=all --set moe.balance=quantile \
            --set moe.score=sigmoid --set $bad w.st
    done
    no_train 78 "moe.load_balance_weight has no effect" --set moe.layers=all --set moe.balance=bias \
        --set moe.load_balance_weight=0.1 w.st
}

@test "capacity that follows the load is saved, applied, and the same for any number of threads and after a stop" {
    steady="--set train.schedule=constant --set encoder.tokens=sample --set moe.capacity=dynamic --set moe.capacity_max=12"
    for threads in 1 2 3; do
        mix $threads.out $steady --set train.epochs=4 --threads $threads
    done
    cmp 1.out 2.out
    cmp 1.out 3.out
    mix half.out $steady --state s
    moe-train --resume --state s --set train.epochs=4 --no-history -q -o half.out w.st
    cmp <(tensors 1.out) <(tensors half.out)
    [ "$(ask 1.out 'all(4 <= v <= 12 for n in t if n.endswith("moe.router.capacity") for v in t[n][2])')" = True ]
    [ "$(ask 1.out 'len({v for n in t if n.endswith("moe.router.capacity") for v in t[n][2]}) > 1')" = True ]
    edit 1.out none 'for n in t:
    if n.endswith("moe.router.capacity"): t[n] = c.tensor("F32", t[n][1], [1.0] * 4)'
    run ! cmp -s <(moe-predict -m 1.out w.st) <(moe-predict -m none w.st)
    no_train 78 "moe.drop_policy: random" --set moe.layers=all --set moe.capacity=dynamic --set moe.drop_policy=random w.st
}
