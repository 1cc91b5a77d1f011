#!/usr/bin/env bats
# Mixtures of experts through moe-train and moe-predict: every router, same bytes for any number of threads and after a stop, keys
# that do what they say, refusals.
# shellcheck disable=SC2086,SC2154

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
}

# routers: the names of all that are there
routers() {
    moe-train --set moe.router=? --print-config 2>&1 | sed -n 's/.*is none of //p' | tr '|' ' '
}

@test "every router trains, and its bytes do not depend on the number of threads" {
    for router in $(routers); do
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
    for form in switch sum first cv2 cv2_load; do
        for threads in 1 2; do
            mix $threads.out --set moe.router=noisy_topk --set moe.load_balance_form=$form --set moe.load_balance_weight=0.1 --set moe.z_loss_weight=0.01 \
                --threads $threads
        done
        cmp 1.out 2.out
        mv 1.out $form.out
    done
    run ! cmp -s switch.out first.out
    run ! cmp -s switch.out cv2.out
    run ! cmp -s sum.out cv2.out
    run ! cmp -s cv2.out cv2_load.out
}

@test "every scope of a balance loss trains, with any number of threads, and is another" {
    for scope in batch window group running; do
        for threads in 1 2 3; do
            mix $threads.out --set moe.balance_scope=$scope --set moe.load_balance_weight=1 --threads $threads
        done
        cmp 1.out 2.out
        cmp 1.out 3.out
        cksum <(tensors 1.out) >>sums
    done
    [ "$(cut -d' ' -f1 sums | sort -u | wc -l)" -eq 4 ]
    steady="--set train.schedule=constant --set moe.balance_scope=running --set moe.load_balance_weight=1"
    mix whole.out $steady --set train.epochs=4
    mix half.out $steady --state s
    moe-train --resume --state s --set train.epochs=4 --no-history -q -o half.out w.st
    cmp <(tensors whole.out) <(tensors half.out)
    # with everybody a group of one window, or all of one group
    edit w.st alone.st 'n = len(t["window.group"][2])
t["window.group"] = c.tensor("I32", [n], list(range(n))); m["moe.groups"] = json.dumps([str(i) for i in range(n)])'
    edit w.st same.st 't["window.group"][2][:] = t["window.group"][2][:1] * len(t["window.group"][2])'
    shared="$small --set moe.layers=all --set train.epochs=2 --set moe.load_balance_weight=1 --no-history -q"
    moe-train $shared --set moe.balance_scope=group -o a.out alone.st
    moe-train $shared --set moe.balance_scope=window -o b.out alone.st
    cmp <(tensors a.out) <(tensors b.out)
    moe-train $shared --set moe.balance_scope=group -o a.out same.st
    moe-train $shared --set moe.balance_scope=batch -o b.out same.st
    cmp <(tensors a.out) <(tensors b.out)
}

@test "chosen among a whole batch: other bytes, the same for any number of threads, and evaluation by window" {
    for what in "expert_choice" "soft_moe" "topk --set moe.capacity_factor=0.7 --set encoder.tokens=sample"; do
        mix window.out --set moe.router=$what
        for threads in 1 2 3; do
            mix $threads.out --set moe.router=$what --set moe.scope=batch --threads $threads
        done
        cmp 1.out 2.out
        cmp 1.out 3.out
        [ "$(tensors 1.out)" != "$(tensors window.out)" ]
        cmp <(moe-predict -m 1.out --batch 64 w.st) <(moe-predict -m 1.out --batch 3 w.st)
        # a batch of one window is its window
        mix one.out --set moe.router=$what --set moe.scope=batch --set train.batch_size=1
        mix window.out --set moe.router=$what --set train.batch_size=1
        cmp <(tensors one.out) <(tensors window.out)
    done
}

# case 25
@test "layers computed again in backward make the same bytes, with every router, any number of threads, and after a stop" {
    for what in $(routers | sed 's/[a-z0-9_]*/moe.router=&/g') bridge.sync=layer moe.capacity_factor=0.6 moe.expert_dropout=0.3 moe.balance=bias \
        moe.balance_scope=window; do
        deep="--set encoder.layers=3 --set encoder.tokens=sample --set moe.layers=[0,2] --set $what"
        mix kept.out $deep
        for threads in 1 2; do
            mix again.out $deep --set train.recompute=layer --threads $threads
            [ "$(tensors kept.out)" = "$(tensors again.out)" ] || { echo "$what, $threads threads"; false; }
        done
    done
    mix half.out $deep --set train.recompute=layer --set train.schedule=constant --state s
    moe-train --resume --state s --set train.epochs=4 --no-history -q -o half.out w.st
    mix whole.out $deep --set train.schedule=constant --set train.epochs=4
    [ "$(tensors whole.out)" = "$(tensors half.out)" ]
    mix kept.out --set moe.layers=none # and without mixtures
    mix again.out --set moe.layers=none --set train.recompute=layer
    [ "$(tensors kept.out)" = "$(tensors again.out)" ]
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
    for router in $(routers); do
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
    mix neither --set moe.num_experts=6
    for key in jitter expert_dropout; do
        for threads in 1 2 3; do
            mix $threads.out --set moe.$key=0.4 --set moe.num_experts=6 --threads $threads
        done
        cmp 1.out 2.out
        cmp 1.out 3.out
        [ "$(tensors 1.out)" != "$(tensors neither)" ]
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
