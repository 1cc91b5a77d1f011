#!/usr/bin/env bats
# Keys that would mislead: routers that nothing teaches, a warm-up longer than the run, a capacity that never binds.
# shellcheck disable=SC2086,SC2154 # options kept in a variable are split on purpose; variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
}

# moved KEYS...: by how much training moves the routers of a model whose weights do not decay, from where they start
moved() {
    for rate in 1e-12 0.01; do
        mix $rate.out "${@/#/--set=}" --set train.weight_decay=0 --set train.warmup_steps=0 --set train.lr=$rate
    done
    python3 -B -c '
import sys
sys.path.insert(0, sys.argv[1])
import container as c
a, b = (c.load(f)[0] for f in ("1e-12.out", "0.01.out"))
print(sum(abs(x - y) for n in a if ".router." in n and n.endswith("weight") for x, y in zip(a[n][2], b[n][2])))' "$reference"
}

@test "routers whose single choice weighs 1 and that no balance loss teaches are refused, of every kind" {
    n=0
    for keys in "moe.top_k=1" "moe.top_k=1 moe.router=noisy_topk" "moe.top_k=1 moe.router=cosine" "moe.top_k=1 moe.router=condition" \
        "moe.top_k=1 moe.score=sigmoid" "moe.top_k=1 moe.num_experts=8 moe.groups=2" "moe.top_k=1 moe.router=hierarchical" \
        "moe.top_k=2 moe.router=hierarchical moe.levels=[4,4]"; do
        for untaught in moe.load_balance_weight=0 moe.load_balance_form=cv2 "moe.balance=bias moe.score=sigmoid"; do
            [[ $untaught != *bias* || $keys != *hierarchical* ]] || continue
            [[ $untaught != *bias* || $keys != *score* ]] || continue
            all="moe.layers=all moe.renormalise=yes $keys $untaught"
            words="moe.top_k=1 with moe.renormalise=yes"
            [[ $keys != *moe.top_k=2* ]] || words="moe.top_k_groups=1 with moe.renormalise=yes"
            no_train 78 "$words: a router chooses one for each token, its weight is 1 whatever the router says" ${all//moe./--set moe.} w.st
            n=$((n + 1))
        done
    done
    [ $n -eq 21 ]
    no_train 78 "moe.top_p=0.25: a router chooses one" --set moe.layers=all --set moe.top_p=0.25 --set moe.load_balance_weight=0 w.st
    # each way out that is named teaches them
    for keys in "moe.top_k=1" "moe.top_k=1 moe.renormalise=yes moe.load_balance_weight=0.01" "moe.top_k=2 moe.renormalise=yes"; do
        [[ $keys == *load_balance* ]] || keys+=" moe.load_balance_weight=0"
        [ "$(jq -n "$(moved $keys) > 0.1")" = true ] || { echo "$keys"; false; }
    done
}

@test "a single expert, and a model of old that is continued or resumed, may be as they are" {
    mix one.out --set moe.num_experts=1 --set moe.top_k=1 --set moe.renormalise=yes --set train.epochs=1
    mix old.out --set moe.top_k=1 --set train.epochs=1 --state s
    for f in old.out s; do
        edit $f $f 'd = json.loads(m["moe.config"])
d["moe"].update(renormalise="yes", load_balance_weight=0)
m["moe.config"] = json.dumps(d)'
    done
    moe-predict -m old.out w.st | wc -l | grep -qx 64
    moe-train --init old.out --set train.epochs=1 -q -o on.out w.st
    moe-train --resume --state s --set train.epochs=2 -q -o on.out w.st
    no_train 78 "a router chooses one" --init old.out --set moe.load_balance_form=cv2 w.st
}

@test "presets are not refused, whatever the windows" {
    moe-train --help=keys | sed -n '/Presets/,$s/^.It Cm //p' >presets
    [ "$(wc -l <presets)" -ge 12 ]
    while read -r preset; do moe-train --preset $preset --print-config >said; done <presets
}

@test "a warm-up that the run does not get through is told, when somebody chose it" {
    options="--set train.epochs=2 --set train.batch_size=16" # 8 steps
    words="train.warmup_steps=8, and the whole run has 8 steps: the learning rate reaches 0.89 of train.lr at most"
    train m $options --set train.warmup_steps=8 w.st 2>said
    grep -q "^moe-train: $words" said
    [ "$(wc -l <said)" -eq 1 ]
    echo '{"train": {"warmup_steps": 8}}' >c.json
    train m $options --config c.json w.st 2>said
    grep -q "$words" said
    for silent in "--set train.warmup_steps=7" "--set train.warmup_steps=8 -q" ""; do # 20 is the default's
        train m $options $silent w.st 2>said
        [ ! -s said ] || { cat said; false; }
    done
    train m $options -v w.st 2>said
    grep -q "train.warmup_steps=20, and the whole run has 8 steps" said
    # of a run that goes on the steps are all of them; a model that is continued has chosen, too
    train m $options --set train.warmup_steps=8 --state s w.st 2>said
    moe-train --resume --state s --set train.epochs=3 -o m w.st 2>said
    [ ! -s said ]
    moe-train --init m --set train.epochs=2 -o m2 w.st 2>said
    grep -q "$words" said
    moe-train --init m.st -o m2 w.st 2>said # whose 20 are the default's
    [ ! -s said ]
    moe-cv $small $options --set train.warmup_steps=6 -o lines w.st 2>said # 48 windows train a fold
    grep -q "^moe-cv: fold 0: train.warmup_steps=6, and the whole run has 6 steps" said
    [ "$(grep -c warmup said)" -eq 1 ]
    moe-cv $small $options --set train.warmup_steps=5 -o lines w.st 2>said
    run ! grep -q warmup said
}

@test "a preset's warm-up of a document is a tenth of the run at most, and that is said; the user's is never scaled" {
    moe-train --preset multimind $small --print-config | grep -qx $'train.warmup_steps\t1000\tpreset multimind, at most a tenth of the run'
    options="--preset multimind $small --set train.batch_size=2"
    moe-train $options --print-config w.st | grep -qx $'train.warmup_steps\t32\tpreset multimind, scaled to a tenth of the run' # of 10 x 32
    moe-train $options --set train.epochs=3 --valid-groups S01 --print-config w.st |
        grep -qx $'train.warmup_steps\t7\tpreset multimind, scaled to a tenth of the run' # of 3 x 24
    moe-train $options --set train.epochs=400 --print-config w.st | grep -qx $'train.warmup_steps\t1000\tpreset multimind'
    moe-train $options --set train.warmup_steps=1000 --print-config w.st | grep -qx $'train.warmup_steps\t1000\t--set'
    moe-train --preset seed --print-config w.st | grep -qx $'train.warmup_steps\t0\tpreset seed'
    moe-train --print-config w.st | grep -qx $'train.warmup_steps\t20\tpreset default'

    steps() { ask "$1" 'json.loads(m["moe.config"])["train"]["warmup_steps"]'; }
    options+=" --set train.epochs=2 --set train.schedule=constant --threads 1 --no-history"
    moe-train $options --log log --log-every 1 -o scaled w.st 2>said # 64 steps
    run ! grep -q warmup said
    [ "$(steps scaled)" -eq 6 ]
    [ "$(jq -s '[.[] | select(.at_epoch) | .lr] | (index(max), max)' log | tr '\n' ' ')" = "6 0.0001 " ]
    moe-train $options --set train.warmup_steps=6 -o given w.st -q
    cmp scaled given
    moe-train $options --set train.warmup_steps=1000 -o long w.st 2>said
    grep -q "train.warmup_steps=1000, and the whole run has 64 steps" said
    [ "$(steps long)" -eq 1000 ]
    # a run that goes on keeps what it began with, also when it is to be longer
    moe-train $options --state s --valid-groups S02 -o part w.st -q
    moe-train --resume --state s --preset multimind --valid-groups S02 --set train.epochs=3 -o part w.st -q
    [ "$(steps part)" -eq 4 ] # of 48
    moe-train --init scaled --set train.epochs=1 -o on w.st -q
    [ "$(steps on)" -eq 6 ]
    moe-cv $options --keep kept -o lines w.st 2>said # 48 steps a fold
    run ! grep -q warmup said
    for i in 0 1 2 3; do [ "$(steps kept/fold-$i.safetensors)" -eq 4 ]; done
}

@test "a capacity that follows the load drops little of an even load, much of an uneven one, and is refused where it never binds" {
    dynamic="--set encoder.tokens=sample --set train.epochs=12 --set moe.capacity=dynamic"
    lost() { jq -s 'map(.layers[].overflow) | .[-4:] | max' log; }
    for even in "moe.top_k=2" "moe.top_k=1" "moe.num_experts=8 --set moe.capacity_min=1"; do
        mix m.out $dynamic --set moe.router=random --set $even --log log
        [ "$(jq -n "$(lost) > 0 and $(lost) < 0.05")" = true ] || { echo "$even: $(lost)"; false; }
    done
    mix m.out $dynamic --set moe.router=random --set moe.capacity_max=6 --log log
    [ "$(jq -n "$(lost) > 0.5")" = true ]
    no_train 78 "moe.capacity=dynamic has no effect: an expert takes 33 of a window's tokens at least (moe.capacity_min), and 33 are routed" \
        --set moe.layers=all $dynamic --set moe.capacity_min=33 w.st
    mix m.out $dynamic --set moe.capacity_min=32
    no_train 78 "an expert takes 4 of a window's tokens at least" --set moe.layers=all $dynamic --set moe.route_unit=patch --set encoder.patch=20 w.st
    no_train 78 "every expert is given every token" --set moe.layers=all $dynamic --set moe.top_k=4 w.st
    mix m.out $dynamic --set moe.top_k=4 --set moe.capacity_max=6
}

@test "head.type names a head of the table; where gate.combine chooses it nothing speaks of it" {
    both="$small --set train.epochs=1 -q --no-history"
    for head in classifier answers; do
        combine=features
        [ $head = classifier ] || combine=answers
        moe-train $both --set gate.combine=$combine -o by-gate w.st
        moe-train $both --set head.type=$head -o by-name w.st
        [ "$(moe-predict -m by-gate w.st | md5sum)" = "$(moe-predict -m by-name w.st | md5sum)" ]
        [ "$(ask by-name 'json.loads(m["moe.config"])["head"]["type"]')" = $head ]
        [ "$(ask by-gate '"head" in json.loads(m["moe.config"])')" = False ]
    done
    run ! grep -q '^head' <(moe-train --print-config | cut -f1)
    moe-train --set head.type=answers --print-config | grep -qx $'head.type\t"answers"\t--set'
    moe-train --init by-name --print-config | grep -qx $'head.type\t"answers"\tmodel'
    no_train 78 "head.type=\"classifier\": the model that is continued (--init) has \"answers\", which stays" --init by-name --set head.type=classifier w.st
    no_train 78 "gate.combine has no effect: head.type is not auto" --set head.type=answers --set gate.combine=features w.st
    no_train 78 'head.type: "mask" is none of auto|classifier|answers' --set head.type=mask w.st
}

@test "tokenisers with keys of their own: each key changes the model, is kept in it, and is refused with other tokens" {
    while read -r tokens key value besides; do
        own="--set encoder.tokens=$tokens ${besides:+--set $besides} --set train.epochs=1"
        train a $own w.st
        train b $own --set $key=$value w.st
        [ "$(tensors a)" != "$(tensors b)" ] || { echo "$key=$value changes nothing"; false; }
        moe-train --init b --print-config | grep -qx "$key"$'\t'"$value"$'\tmodel'
        no_train 78 "$key has no effect: encoder.tokens is not $tokens" --set encoder.tokens=spectral --set $key=$value w.st
        run ! grep -q "^$key" <(moe-train --print-config)
    done <<'END'
evoked encoder.block 0.05
relative encoder.relative_floor 0.5
relative encoder.whole_low 2
relative encoder.whole_high 30 encoder.bands=[4,8,20]
harmonic encoder.harmonic_floor 1 encoder.bands=[8,12,20]
END
}

@test "models of every view: the same for any number of threads, and the same answers from standard input as from a file" {
    for tokens in evoked power relative cca harmonic; do
        keys="--set encoder.tokens=$tokens --set train.epochs=1"
        [ $tokens = evoked ] || keys+=" --set encoder.bands=[4,12,20]"
        for threads in 1 3; do
            train $threads.out $keys --threads $threads w.st
        done
        cmp 1.out 3.out
        moe-predict -m 1.out eeg/S00_1.csv | jq -c '[.start, .p]' >file
        moe-predict -m 1.out - <eeg/S00_1.csv | jq -c '[.start, .p]' >stream
        [ "$(wc -l <file)" -gt 5 ]
        cmp file stream
    done
}
