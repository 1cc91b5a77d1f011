#!/usr/bin/env bats
# moe-train: what joins the regions, the gate and the exchange of global tokens.
# shellcheck disable=SC2086,SC2154 # options kept in a variable are split on purpose; variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
}

@test "each form of gate, head and pooling brings its tensors, and the model goes through every program" {
    three="--set encoder.layers=3 --set bridge.sync=layer --set bridge.tokens=2"
    train x $three --set gate.type=linear --set gate.combine=answers --set encoder.tokens=patch --set encoder.pool=attention w.st
    [ "$(ask x 't["gate.fc1.weight"][1] + t["gate.fc1.bias"][1]')" = "[2, 8, 2]" ]
    [ "$(ask x '"gate.fc2.weight" in t or "classifier.weight" in t')" = False ]
    [ "$(ask x '[t["heads.%d.weight" % k][1] + t["heads.%d.bias" % k][1] for k in (0, 1)]')" = "[[2, 8, 2], [2, 8, 2]]" ]
    [ "$(ask x 't["experts.1.pool.query"][1]')" = "[1, 8]" ]
    [ "$(ask x 'any(t["experts.1.pool.query"][2])')" = True ] # it learnt
    moe-predict -m x w.st >said
    jq -es 'all(.p | add > 0.999999 and add < 1.000001)' said
    jq -es 'all([.p, .logits] | transpose | all((.[0] | log) - .[1] | fabs < 1e-5))' said # logits are logarithms
    moe-route -m x w.st | moe-stats | jq -e '.gate.importance | length == 2'
    moe-stats x | jq -e '.parameters["heads.0"] == 18 and .parameters["heads.1"] == 18'
    moe-train --init x --no-history --set train.epochs=1 -o on w.st
    moe-predict -m on eeg/S01_1.csv | jq -es 'length == 16'
}

@test "a single region with a classifier of its own is trained: its weight is 1" {
    train x --set head.type=answers --set train.epochs=2 --set train.lr=0.01 one.st
    train y --set head.type=answers --set train.epochs=1 --set train.lr=1e-12 one.st
    run ! cmp -s <(ask x 't["heads.0.weight"][2]') <(ask y 't["heads.0.weight"][2]')
    moe-predict -m x one.st | jq -es 'length == 64 and all(.p | add > 0.999999 and add < 1.000001)'
}

@test "the bytes do not depend on the number of threads, nor a window's answer on its company" {
    moe-split --window 64 --stride 4 --experts 3 eeg/*.csv -o many.st
    for keys in "bridge.sync=layer encoder.layers=3 bridge.tokens=2 bridge.sync_every=2" \
        "bridge.sync=layer encoder.layers=2 gate.combine=answers gate.load_balance_weight=1 gate.noise_std=0.5" \
        "gate.top_k=2 gate.type=linear encoder.pool=attention"; do
        set=""
        for key in $keys; do set+=" --set $key"; done
        for threads in 1 2 3; do
            train $threads.out --preset seed --set train.epochs=1 --set train.batch_size=100 $set --threads $threads \
                --valid-groups S01 many.st
        done
        cmp 1.out 2.out
        cmp 1.out 3.out
        moe-predict -m 1.out --batch 1 --threads 1 many.st >alone
        moe-predict -m 1.out --batch 50 --threads 3 many.st | cmp - alone
        moe-route -m 1.out --jsonl many.st | jq -es 'all(.gate | add > 0.99999 and add < 1.00001)'
    done
}

@test "gate.top_k: the other regions weigh nothing" {
    moe-split --window 64 --experts 3 eeg/*.csv -o three.st
    for k in 1 2; do
        train x --set gate.top_k=$k --set train.epochs=2 three.st
        moe-predict -m x three.st | jq -es "all(.gate | (map(select(. > 0)) | length == $k) and (add > 0.99999 and add < 1.00001))"
    done
    train all --set train.epochs=1 three.st # of a model of all, the two largest
    edit all two 'o = json.loads(m["moe.config"]); o["gate"]["top_k"] = 2; m["moe.config"] = json.dumps(o)'
    paste <(moe-predict -m all three.st | jq -c .gate) <(moe-predict -m two three.st | jq -c .gate) | jq -es '
        [range(0; length; 2) as $i | .[$i] as $all | .[$i + 1] as $two | ($all | min) as $least | ($all | add - $least) as $rest
         | range(3) | if $all[.] == $least then $two[.] == 0 else $all[.] / $rest - $two[.] | fabs < 1e-5 end] | all'
}

@test "the gate's balance loss is logged apart and keeps the weights even" {
    for weight in 0 5; do
        train $weight.m --set gate.load_balance_weight=$weight --set train.epochs=30 --set train.lr=0.01 --log $weight.log w.st
        moe-route -m $weight.m w.st | moe-stats | jq '.gate.importance | max' >$weight.most
    done
    jq -es 'all(.aux == 0 and .loss == .task)' 0.log
    jq -es 'all(.aux > 0.9 and .aux <= 2.001 and (.loss - .task - 5 * .aux | fabs < 1e-4))' 5.log
    jq -es '.[1] < .[0] and .[1] < 0.6' 0.most 5.most
}

@test "noise on the gate is for training alone, may be changed for a model that is continued, and follows seed and step" {
    train x --set train.epochs=1 --set gate.noise_std=2 w.st
    [ "$(moe-predict -m x w.st | cksum)" = "$(moe-predict -m x w.st | cksum)" ]
    moe-train --init m.st --no-history --set train.epochs=1 --set gate.noise_std=2 -o a w.st
    moe-train --init m.st --no-history --set train.epochs=1 --set gate.noise_std=2 -o b w.st
    moe-train --init m.st --no-history --set train.epochs=1 --set gate.noise_std=2 --seed 2 --set train.shuffle=false \
        --set encoder.dropout=0 -o c w.st
    moe-train --init m.st --no-history --set train.epochs=1 --set gate.noise_std=2 --seed 3 --set train.shuffle=false \
        --set encoder.dropout=0 -o d w.st
    cmp a b
    run ! cmp -s c d # nothing but the noise is random there
    no_train 78 "gate.top_k=1: the model that is continued" --init m.st --set gate.top_k=1 w.st
    no_train 78 "bridge.sync=\"none\": the model that is continued" --init m.st --set bridge.sync=none w.st
}

@test "a run stopped between epochs goes on to the same bytes, with noise, balance and exchange" {
    keys="--set encoder.layers=2 --set bridge.sync=layer --set gate.noise_std=1 --set gate.load_balance_weight=1"
    train whole $keys --set train.schedule=constant --set train.epochs=4 --log whole.log w.st
    train part $keys --set train.schedule=constant --set train.epochs=2 --state s --log part.log w.st
    moe-train --resume --state s --no-history --set train.epochs=4 --log part.log -o part w.st
    cmp whole part
    diff <(jq -c 'del(.windows_per_s)' whole.log) <(jq -c 'del(.windows_per_s)' part.log)
}
