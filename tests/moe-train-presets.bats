#!/usr/bin/env bats
# moe-train: what the presets are, and that each trains.
# shellcheck disable=SC2086,SC2154 # options kept in a variable are split on purpose; variables come from the helpers

load train_helpers

setup_file() {
    make_data
}

@test "every preset trains, with the same bytes for any number of threads, and tells its size" {
    cut=$(moe-train --help=keys | sed -n '/^\.Ss Presets/,$s/^\.It Cm //p')
    [ "$(wc -w <<<"$cut")" -ge 4 ]
    for preset in $cut; do
        few="--preset $preset --set train.epochs=2 --set train.warmup_steps=0 --set train.batch_size=8"
        case $preset in # wide ones made narrow; everything else is as it is
        transformer*) few+=" --set encoder.layers=2" ;;
        large | attention | switch | hierarchical | multimind) few+=" --set encoder.hidden_dim=16 --set encoder.ffn_dim=32 --set encoder.layers=1" ;;
        vision) few+=" --set encoder.hidden_dim=16 --set encoder.layers=1" ;;
        esac
        for threads in 1 2 3; do
            moe-train $few --threads $threads --no-history --log $threads.log -o $threads.out few.st
        done
        cmp 1.out 2.out
        cmp 1.out 3.out
        jq -se 'length == 2 and all(.loss | . > 0 and . < 100) and .[0].loss != .[1].loss' 1.log >/dev/null
        moe-predict -m 1.out few.st | jq -se 'length == 16 and all(.p | add | . > 0.999 and . < 1.001)' >/dev/null
        # the size that is told is that of the file
        moe-train $few --print-config few.st >said
        [ "$(sed -n $'s/^parameters\t\\(.*\\)\tin all$/\\1/p' said)" -eq "$(ask 1.out 'sum(len(t[k][2]) for k in t if not k.startswith("scale."))')" ]
        active=$(sed -n $'s/^parameters\t\\(.*\\)\tactive$/\\1/p' said)
        routed=$(ask 1.out 'sum(len(t[k][2]) for k in t if ".moe.experts." in k)')
        [ "$active" -gt 0 ]
        if [ "$routed" -eq 0 ]; then grep -qx $'parameters\t'"$active"$'\tin all' said; fi
    done
}

@test "of the routed experts those of a token are active" {
    active() { # active SETTINGS...: parameters in all less active ones
        local s=""
        for a in "$@"; do s+=" --set $a"; done
        [[ "$s" == *moe.levels* ]] || s+=" --set moe.num_experts=8"
        moe-train $small --set moe.layers=all $s --print-config one.st |
            awk -F'\t' '$1 == "parameters" { n = $2 - n; } END { print -n }'
    }
    one=$((8 * 8 + 8 + 8 * 8 + 8)) # of an expert: two maps from 8 to 8
    [ "$(active moe.top_k=2)" -eq $((6 * one)) ]
    [ "$(active moe.top_k=1 moe.shared_experts=2)" -eq $((7 * one)) ]
    [ "$(active moe.router=hierarchical moe.levels=[4,2] moe.top_k_groups=3 moe.top_k=1)" -eq $((5 * one)) ]
    [ "$(active moe.router=soft)" -eq 0 ]
    [ "$(active moe.router=soft_moe)" -eq 0 ]
    [ "$(active moe.router=expert_choice)" -eq $((6 * one)) ]
    moe-train --init m.st --print-config | grep -qx $'parameters\t'"$(ask m.st 'sum(len(t[k][2]) for k in t if not k.startswith("scale."))')"$'\tactive'
}

@test "presets transformer and transformer-moe have the values written down for them" {
    moe-train --preset transformer-moe --print-config | cut -f1,2 >said
    for line in encoder.hidden_dim=256 encoder.layers=6 encoder.heads=8 encoder.ffn_dim=1024 encoder.dropout=0.1 \
        'encoder.positional="sinusoidal"' encoder.max_seq_length=512 'moe.layers="all"' moe.num_experts=4 moe.top_k=2 \
        moe.temperature=1 moe.load_balance_weight=0.01; do
        grep -qxF "${line%%=*}	${line#*=}" said || { echo "$line"; false; }
    done
    moe-train --preset transformer --print-config | cut -f1,2 | diff - said | grep '^[<>]' |
        grep -vE '^. (preset|moe\.)' && false
    moe-train --preset transformer --print-config | grep -qx $'moe.layers\t"none"\tpreset transformer'
}

@test "the presets of documents have the values of these" {
    has() { # has PRESET KEY=VALUE...
        moe-train --preset "$1" --print-config | cut -f1,2 >said
        shift
        for line in "$@"; do
            grep -qxF "${line%%=*}	${line#*=}" said || { echo "$line"; false; }
        done
    }
    has large encoder.hidden_dim=1024 moe.num_experts=16 moe.top_k=2 'moe.ffn="swiglu"' moe.capacity_factor=1.5 moe.load_balance_weight=0.1
    has attention encoder.hidden_dim=768 encoder.heads=8 moe.num_experts=8 moe.top_k=1 'moe.router="cosine"' moe.router_dim=256 \
        'moe.expert_types=["attention"]' moe.load_balance_weight=0.01 moe.z_loss_weight=0.001 train.lr=0.0001
    has vision moe.num_experts=6 'moe.expert_types=["conv"]' moe.kernel=3 moe.ffn_dim=256 moe.top_k=1 moe.capacity_factor=1
    has switch encoder.hidden_dim=768 moe.num_experts=8 moe.top_k=1 moe.capacity_factor=1.25 moe.capacity_factor_eval=1 moe.drop_residual=true
    has hierarchical encoder.hidden_dim=768 encoder.ffn_dim=3072 'moe.router="hierarchical"' 'moe.levels=[4,4]' moe.top_k_groups=2 moe.top_k=1 \
        moe.expert_dropout=0.1 moe.load_balance_weight=0.01 'moe.load_balance_form="sum"'
    has multimind encoder.hidden_dim=1024 encoder.layers=6 encoder.ffn_dim=4096 encoder.dropout=0.1 'encoder.activation="relu"' \
        'encoder.norm="pre"' moe.num_experts=8 moe.top_k=2 'moe.router="noisy_topk"' 'moe.noise="fixed"' moe.noise_std=0.01 \
        moe.bias=true moe.specialisation=true moe.inner_norm=true 'moe.capacity="dynamic"' moe.capacity_min=4 moe.capacity_max=256 \
        moe.capacity_ema=0.9 moe.load_balance_weight=0.01 train.lr=0.0001 train.weight_decay=0.01 train.warmup_steps=1000 train.clip_norm=1
    has deepseek moe.shared_experts=1 moe.num_experts=63 moe.top_k=7 moe.ffn_dim=64 encoder.ffn_dim=256 'moe.ffn="swiglu"' \
        'moe.renormalise="yes"' 'moe.balance="bias"' moe.balance_rate=0.001 'moe.score="sigmoid"' train.beta2=0.95 \
        train.weight_decay=0.1 train.clip_norm=1
}

@test "preset seed has the values of the first model" {
    moe-train --preset seed --print-config | cut -f1,2 >said
    for line in encoder.hidden_dim=64 encoder.layers=2 encoder.heads=4 encoder.ffn_dim=2048 encoder.dropout=0.1 \
        'encoder.activation="relu"' 'encoder.norm="post"' 'encoder.positional="learned"' 'encoder.tokens="sample"' \
        'encoder.pool="mean"' bridge.tokens=1 'bridge.sync="end"' train.warmup_steps=0 train.label_smoothing=0 \
        'train.class_weight="none"' train.clip_norm=0 'train.schedule="constant"' train.beta1=0.9 train.beta2=0.999 \
        train.eps=1e-08 'train.decay="all"'; do
        grep -qxF "${line%%=*}	${line#*=}" said || { echo "$line"; false; }
    done
    moe-train --preset seed --set train.epochs=1 -o s.st one.st # and its tensors, with a gate for one region, too
    [ "$(ask s.st 't["experts.0.pos_embedding"][1]')" = "[1, 33, 64]" ]
    [ "$(ask s.st 't["global_token"][1]')" = "[1, 1, 64]" ]
    [ "$(ask s.st 't["experts.0.transformer.layers.1.linear1.weight"][1]')" = "[2048, 64]" ]
    [ "$(ask s.st 't["experts.0.transformer.layers.0.self_attn.in_proj_weight"][1]')" = "[192, 64]" ]
    [ "$(ask s.st 't["gate.fc1.weight"][1] + t["gate.fc2.weight"][1]')" = "[32, 64, 1, 32]" ]
    [ "$(ask s.st 't["classifier.weight"][1]')" = "[2, 64]" ]
    moe-train $small -o d.st --set train.epochs=1 one.st
    [ "$(ask d.st '"gate.fc1.weight" in t')" = False ]
}
