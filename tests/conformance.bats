#!/usr/bin/env bats
# Cases of the conformance list that tests/reference/README names, those that take whole programs. The others are cases of
# tests/unit that carry their number.
# shellcheck disable=SC2086,SC2154 # options kept in a variable are split on purpose; variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
}

# losses LOG: the lines of the log without what a clock says
losses() {
    jq -c 'del(.windows_per_s)' "$1"
}

@test "case 12: what an expert may take is told, never more than the tokens there are, and more than them is no trouble" {
    n=$(ask m.st 't["experts.0.pos_embedding"][1][1]')
    told() { ask r.st '[list(t[k][2]) for k in sorted(t) if k.endswith("capacity")]'; }
    for more in "moe.capacity_factor_eval=100" "moe.router=expert_choice --set moe.capacity_factor=100" \
        "moe.capacity_factor_eval=0.1 --set moe.capacity_min=1000"; do
        mix m.out --set train.epochs=2 --set $more
        moe-route -m m.out w.st -o r.st
        [ "$(told)" = "[[$n, $n, $n, $n], [$n, $n, $n, $n]]" ]
        moe-stats r.st | jq -es '[.[].layers[] | .overflow == 0 or .k == 4] | all' # experts that choose leave nothing either
        moe-stats r.st | jq -es '[.[].layers[] | .unrouted == 0 and .fewest_experts >= 2 and .capacity_utilisation >= 0.5] | all'
    done
    mix m.out --set train.epochs=1 --set encoder.tokens=sample --set moe.capacity_factor_eval=0.5
    moe-route -m m.out w.st -o r.st
    [ "$(told)" = "[[9, 9, 9, 9], [9, 9, 9, 9]]" ] # 0.5 x 2 x 33 / 4, rounded up
    moe-stats r.st | jq -es '[.[].layers[] | .capacity == [9, 9, 9, 9] and .capacity_utilisation <= 1 and .overflow > 0 and
        ((.share | add) * 2 * 33 - .capacity_utilisation * 36 | fabs < 1e-5)] | all'
    mix m.out --set train.epochs=1 # without a capacity nothing is told
    moe-route -m m.out w.st -o r.st
    [ "$(told)" = "[]" ]
}

@test "case 16: more experts for a token than there are, all of them, one that takes all, no auxiliary loss, no room" {
    no_train 78 'moe.top_k: 5 of 4 experts' --set moe.layers=all --set moe.top_k=5 w.st
    no_train 78 'moe.top_k' --set moe.layers=all --set moe.top_k=0 w.st
    no_train 78 'moe.top_k: 3 of 2 experts' --set moe.layers=all --set encoder.layers=2 --set 'moe.num_experts=[4,2]' --set moe.top_k=3 w.st
    mix all.out --set train.epochs=1 --set moe.top_k=4
    moe-route -m all.out --jsonl w.st | jq -es '[.[].layers[].expert[] | sort == [0, 1, 2, 3]] | all'
    mix one.out --set train.epochs=1 --set moe.num_experts=1 --set moe.top_k=1
    moe-route -m one.out w.st | moe-stats | jq -e '[.layers[] | .share == [1] and .overflow == 0 and .weight_min == 1] | all'
    # without a weight the balance loss is told, and no part of the loss; with one it is
    mix off.out --set train.epochs=1 --set moe.load_balance_weight=0 --log off.log
    jq -es '[.[] | .loss - .task | fabs < 1e-7] | all' off.log
    mix on.out --set train.epochs=1 --set moe.load_balance_weight=0.5 --log on.log
    jq -es '[.[] | .loss - .task - 0.5 * .aux | fabs < 1e-6] | all' on.log
    # a capacity of 0 is none; the least there can be is one token of a window
    wide="--set train.epochs=1 --set encoder.tokens=sample"
    mix zero.out $wide --set moe.capacity_factor=0 --set moe.capacity_factor_eval=0
    mix free.out $wide
    cmp zero.out free.out
    mix least.out $wide --set moe.capacity_factor=0.001 --set moe.capacity_factor_eval=0.001
    moe-route -m least.out --jsonl w.st | jq -es '[.[].layers[] | .expert | flatten | map(select(. >= 0)) | group_by(.) | map(length == 1) | all] | all'
}

@test "case 16c: what balancing by quantiles does not go with is refused one by one, and named" {
    for bad in moe.score=softmax moe.capacity_factor=1 moe.capacity_factor_eval=1 moe.capacity=dynamic moe.groups=2 moe.top_k=4; do
        no_train 78 "moe.balance: quantile does not go with ${bad%%=*}" --set moe.layers=all --set moe.balance=quantile \
            --set moe.score=sigmoid --set $bad w.st
    done
    no_train 78 "moe.load_balance_weight has no effect" --set moe.layers=all --set moe.balance=quantile --set moe.score=sigmoid \
        --set moe.load_balance_weight=0.1 w.st
}

@test "case 23: one thread or four: the same gradients of every expert, to the bit" {
    one="--set encoder.evidence=none --set train.epochs=1 --set train.batch_size=64 --set train.schedule=constant --set train.warmup_steps=0"
    for more in moe.top_k=1 'moe.expert_types=["ffn*2","attention*2"]' moe.expert_types=conv moe.shared_experts=1; do
        unit=token
        [ "$more" != moe.expert_types=conv ] || unit=window
        for threads in 1 4; do
            mix $threads.out $one --set "$more" --set moe.route_unit=$unit --threads $threads --state $threads.state
        done
        cmp 1.out 4.out
        # after one step the first moment is a tenth of the gradient
        [ "$(ask 1.state 'any(v for k in t if k.startswith("adam.m.") and ".moe.experts." in k for v in t[k][2])')" = True ]
        [ "$(tensors 1.state)" = "$(tensors 4.state)" ]
        rm ./*.state
    done
}

@test "case 26: the trace of fifty steps is the same for any number of threads" {
    steps="--set train.epochs=10 --set train.batch_size=13 --log-every 1 --set moe.router=noisy_topk --set moe.z_loss_weight=0.001 --set encoder.layers=2 --set encoder.evidence=none --set train.lr=0.001"
    for threads in 1 2 3; do
        mix $threads.out $steps --threads $threads --log $threads.log
        losses $threads.log >$threads.trace
    done
    [ "$(grep -c at_epoch 1.trace)" -eq 50 ]
    cmp 1.trace 2.trace
    cmp 1.trace 3.trace
    cmp 1.out 3.out
    jq -es 'map(select(.at_epoch) | .task) | (.[:10] | add) > (.[-10:] | add) and (map(. > 0 and . < 100) | all) and (unique | length) > 45' 1.trace
    mix other.out $steps --seed 2 --log other.log
    run ! cmp -s 1.trace <(losses other.log)
}

@test "case 27: a temperature of 0 is refused, a tiny one gives finite answers" {
    no_train 78 'moe.temperature: 0 is outside' --set moe.layers=all --set moe.temperature=0 w.st
    mix cold.out --set train.epochs=2 --set moe.temperature=0.001 --log cold.log
    jq -es '[.[] | .loss, .aux, .grad_norm | . > 0 and . < 1e30] | all' cold.log
    moe-route -m cold.out w.st | moe-stats | jq -c '[.layers[].entropy_normalised]' >cold
    mix warm.out --set train.epochs=2 --set moe.temperature=10
    moe-route -m warm.out w.st | moe-stats | jq -c '[.layers[].entropy_normalised]' | jq -e --slurpfile cold cold '[., $cold[0]] | transpose | map(.[0] > .[1]) | all'
}

@test "case 28: three epochs of 32 experts from training to answers, and what is saved answers as what was trained" {
    held="--set train.epochs=3 --set moe.num_experts=32 --set train.patience=0 --set train.scale=none --valid-groups S03 --log m.log"
    mix mine.out $held --set moe.router=noisy_topk --set moe.jitter=0.1 --set moe.load_balance_weight=0.02
    [ "$(jq -s 'length' m.log)" -eq 3 ]
    jq -es '[.[].layers[] | (.share | length) == 32 and .aux >= 0] | all' m.log
    moe-predict -m mine.out w.st >first
    moe-predict -m mine.out w.st | cmp - first # neither noise nor jitter after training
    best=$(jq -s 'min_by(.valid_loss).valid_loss' m.log)
    jq -es --argjson best "$best" 'map(select(.group == "S03") |
        if .label == "rest" then .p[0] elif .label == "task" then .p[1] else error end | -log) | add / length - $best | fabs < 1e-6' first ||
        { jq -c .label first | sort -u; false; }
    # the losses are of training alone: their weights say nothing to an answer
    edit mine.out other.out 'k = json.loads(m["moe.config"]); k["moe"].update(load_balance_weight=7, z_loss_weight=7, jitter=0.9, noise_std=9); m["moe.config"] = json.dumps(k)'
    moe-predict -m other.out w.st | cmp - first
}

@test "case 32: shapes, losses and tensors with mixtures and without, positions, length, no window" {
    moe-train $small --set encoder.layers=3 --set train.epochs=1 --no-history -q --log dense.log -o dense.out w.st
    jq -es '[.[] | .aux == 0 and .z == 0] | all' dense.log
    [ "$(ask dense.out 'any(".moe." in n for n in t)')" = False ]
    for layers in '[0]' '[1,2]' '"every:2"' '"all"'; do
        moe-train $small --set encoder.layers=3 --set "moe.layers=$layers" --set train.epochs=1 --no-history -q --log mixed.log -o mixed.out w.st
        jq -es '[.[] | .aux > 0] | all' mixed.log
        case $layers in
        '[0]') want='[0]' ;;
        '[1,2]') want='[1, 2]' ;;
        '"every:2"') want='[1]' ;;
        *) want='[0, 1, 2]' ;;
        esac
        [ "$(ask mixed.out 'sorted({int(n.split(".")[4]) for n in t if ".moe.experts." in n})')" = "$want" ]
        [ "$(ask mixed.out 'sorted({int(n.split(".")[4]) for n in t if n.split(".")[5:] == ["linear1", "weight"]})')" = \
            "$(python3 -c "print(sorted({0, 1, 2} - set($want)))")" ]
        moe-predict -m mixed.out w.st | jq -es 'length == 64 and all(.p | length == 2)'
    done
    for positions in sinusoidal learned none; do
        mix p.out --set train.epochs=1 --set encoder.positional=$positions
        [ "$(ask p.out 'any("pos_embedding" in n for n in t)')" = "$([ $positions = learned ] && echo True || echo False)" ]
        moe-predict -m p.out w.st | jq -es 'all(.p | add - 1 | fabs < 1e-6)'
    done
    no_train 78 'encoder.max_seq_length allows 8' --set encoder.tokens=sample --set encoder.max_seq_length=8 --set moe.layers=all w.st
    no_train 78 'there is no layer 3' --set encoder.layers=3 --set 'moe.layers=[3]' w.st
    edit w.st none.st 't = {k: (v[0], [0] + v[1][1:], v[2][:0]) if k.startswith("window.") else v for k, v in t.items()}'
    no_train 65 "no labelled window" --set moe.layers=all none.st
    moe-predict -m mixed.out none.st >answers # nothing to answer is no error
    [ ! -s answers ]
}

@test "case 33: regions of 64 channels, halo 4, hidden 32: answers, gates, gradients in every region" {
    moe-synth -q --subjects 4 --channels 64 --rate 64 --seconds 80 --seed 3 -o big
    moe-split --window 300 --experts 4 --halo 4 big/*.csv -o big.st
    n=$(ask big.st 't["window.label"][1][0]')
    [ "$n" -ge 32 ]
    seed="--preset seed --set encoder.hidden_dim=32 --set encoder.ffn_dim=64 --set encoder.layers=1 --set encoder.dropout=0 --set train.epochs=1 --set train.batch_size=$n --no-history -q"
    moe-train $seed --set train.lr=0.001 --state big.state -o big.out big.st
    moe-predict -m big.out big.st >answers
    [ "$(wc -l <answers)" -eq "$n" ]
    jq -es 'all((.logits | length == 2) and (.gate | length == 4 and (add - 1 | fabs < 1e-6)))' answers
    # every tensor of every region, the gate, the token and the classifier had a gradient in this one step
    [ "$(ask big.state '[n for n in t if n.startswith("adam.m.") and not any(t[n][2])]')" = "[]" ]
    [ "$(ask big.state 'sorted({n.split(".")[3] for n in t if n.startswith("adam.m.experts.")})')" = "['0', '1', '2', '3']" ]
}

@test "case 33: no channel is lost, a halo beyond the regions, a halo of nothing, one region" {
    own() { # own FILE: the channels each region has for itself
        ask "$1" '[[c for c, o in zip(t["region.%d.channel" % k][2], t["region.%d.core" % k][2]) if o] for k in range(len(json.loads(m["moe.regions"])))]'
    }
    moe-synth -q --subjects 2 --channels 7 --rate 64 --seconds 8 --seed 3 -o seven
    for halo in 0 1 6 9; do
        moe-split --window 32 --experts 3 --halo $halo seven/*.csv -o s$halo.st
        [ "$(own s$halo.st)" = "[[0, 1, 2], [3, 4], [5, 6]]" ]
    done
    [ "$(ask s0.st '[sum(o == 0 for o in t["region.%d.core" % k][2]) for k in range(3)]')" = "[0, 0, 0]" ]
    moe-split --window 32 --experts 1 --halo 3 seven/*.csv -o whole.st
    [ "$(ask whole.st 'sum(c >= 0 for c in t["region.0.channel"][2])')" -eq 7 ]
    for file in s0 s6 s9 whole; do
        moe-train $small --set train.epochs=1 --no-history -q -o $file.out $file.st
        moe-predict -m $file.out $file.st | jq -es 'length > 0 and all(.gate | add - 1 | fabs < 1e-6)'
    done
    # a gate over one region weighs it with 1: as the encoder without a gate
    moe-train --preset seed $small --set train.epochs=1 --no-history -q -o gated.out whole.st
    edit gated.out plain.out 't = {k: v for k, v in t.items() if not k.startswith("gate.")}'
    cmp <(moe-predict -m gated.out whole.st) <(moe-predict -m plain.out whole.st)
}

@test "case 34: the preset under the file or the model, and --set over all, the last one" {
    # from KEY: value and source
    from() { cut -f1-3 said | sed -n "s/^$1\t//p"; }
    echo '{"moe": {"layers": "all", "num_experts": 6, "top_k": 3}, "train": {"lr": 0.5, "epochs": 7}}' >c.json
    moe-train --preset transformer-moe --config c.json --set train.lr=0.25 --set moe.top_k=1 --set moe.top_k=2 --print-config >said
    [ "$(from encoder.pool)" = $'"mean"\tpreset transformer-moe' ]
    [ "$(from encoder.layers)" = $'6\tpreset transformer-moe' ]
    [ "$(from moe.num_experts)" = $'6\tfile' ]
    [ "$(from train.epochs)" = $'7\tfile' ]
    [ "$(from train.lr)" = $'0.25\t--set' ]
    [ "$(from moe.top_k)" = $'2\t--set' ]
    mix m.out --set train.epochs=1 --set moe.num_experts=6
    moe-train --init m.out --set train.lr=0.25 --print-config >said
    [ "$(from moe.num_experts)" = $'6\tmodel' ]
    [ "$(from train.lr)" = $'0.25\t--set' ]
}
