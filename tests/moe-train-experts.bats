#!/usr/bin/env bats
# moe-train: types and forms of experts, units of routing.
# shellcheck disable=SC2086,SC2089,SC2090,SC2102,SC2154 # options kept in a variable are split on purpose, lists in brackets are
# JSON; variables come from the helpers

load train_helpers

setup_file() {
    make_data
}

mixed='--set moe.layers=all --set moe.expert_types=["ffn*3","attention*2","conv*2"]'

@test "experts of every kind: the same bytes for any number of threads" {
    for settings in "--set moe.ffn=swiglu --set moe.layers=all" "$mixed --set moe.route_unit=window" \
        "$mixed --set moe.route_unit=patch --set encoder.tokens=sample --set encoder.patch=4" \
        "$mixed --set moe.route_unit=patch --set encoder.tokens=sample --set encoder.patch=3 --set moe.capacity_factor=0.5 --set moe.expert_dropout=0.3" \
        "--set moe.layers=all --set moe.expert_types=attention --set moe.residual_expert=true"; do
        for threads in 1 2 3; do
            moe-train $small --set train.epochs=2 --set train.batch_size=24 $settings --threads $threads --no-history -o $threads.out w.st
        done
        cmp 1.out 2.out
        cmp 1.out 3.out
        moe-train --init 1.out --set train.epochs=1 -o more.st w.st # what was written is read
    done
}

@test "a window's answer does not depend on its company, whatever the experts" {
    for unit in "--set moe.route_unit=window" "--set moe.route_unit=patch --set encoder.tokens=sample --set encoder.patch=4"; do
        moe-train $small --set train.epochs=1 $mixed $unit -o a.model w.st
        moe-predict -m a.model --batch 1 w.st >alone
        moe-predict -m a.model --batch 64 w.st | cmp - alone
    done
}

@test "tensors are stacked type by type" {
    moe-train $small --set train.epochs=1 $mixed --set moe.route_unit=window --set moe.ffn=geglu -o a.model one.st
    at=experts.0.transformer.layers.0.moe.experts
    [ "$(ask a.model "t['$at.linear_gate.weight'][1]")" = "[3, 8, 8]" ]
    [ "$(ask a.model "t['$at.attention.in_proj_weight'][1]")" = "[2, 24, 8]" ]
    [ "$(ask a.model "t['$at.conv.depthwise.weight'][1]")" = "[2, 8, 3]" ]
    [ "$(ask a.model "t['experts.0.transformer.layers.0.moe.router.weight'][1]")" = "[7, 8]" ]
    moe-train $small --set encoder.layers=3 --set moe.layers=[0,2] --set moe.num_experts=[3,6] --set train.epochs=1 -o b.model one.st
    [ "$(ask b.model "[t['experts.0.transformer.layers.%d.moe.experts.linear1.weight' % l][1][0] for l in (0, 2)]")" = "[3, 6]" ]
    [ "$(ask b.model 'json.loads(m["moe.config"])["moe"]["num_experts"]')" = "[3, 6]" ]
}

@test "types and numbers that do not fit are refused" {
    all="--set moe.layers=all"
    no_train 78 'is not a list of "TYPE*NUMBER", each type once; types are ffn, attention, conv' $all --set 'moe.expert_types=["fnn*2"]' w.st
    no_train 78 'TYPE*NUMBER' $all --set 'moe.expert_types=["ffn*2","ffn*1"]' w.st
    no_train 78 'TYPE*NUMBER' $all --set 'moe.expert_types=["ffn*0"]' w.st
    no_train 78 'TYPE*NUMBER' $all --set 'moe.expert_types=["ffn","attention*2"]' w.st
    no_train 78 'moe.expert_types: conv needs neighbours in time' $all --set moe.expert_types=conv w.st
    no_train 78 'moe.router=soft_moe gives it means' $all --set moe.expert_types=attention --set moe.router=soft_moe w.st
    no_train 78 'moe.num_experts: 3 numbers for 2 mixtures' $all --set moe.num_experts=[2,3,4] w.st
    no_train 78 'moe.top_k: 3 of 2 experts' $all --set moe.num_experts=[2,3] --set moe.top_k=3 w.st
    no_train 78 'moe.num_experts has no effect' $all --set 'moe.expert_types=["ffn*2"]' --set moe.num_experts=2 w.st
    no_train 78 'moe.inner_norm has no effect' $all --set moe.ffn=glu --set moe.inner_norm=true w.st
    no_train 78 'moe.ffn has no effect' $all --set moe.expert_types=attention --set moe.ffn=glu w.st
    no_train 78 'moe.kernel has no effect' $all --set moe.kernel=5 w.st
}
