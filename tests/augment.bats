#!/usr/bin/env bats
# train.augment: what it does to training and to nothing else; resuming; what is refused. The properties of each change are those of
# tests/unit/test_augment.c; that each changes the model's bytes is in moe-train.bats by keys.table.
# shellcheck disable=SC2086,SC2154 # options are split; variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
}

everything='train.augment=["shift:0.1s","flip:0.5","noise:0.2","mask:0.1s","channels:0.2","mixup:0.4"]'

@test "each change, alone and together, gives other bytes with every tokeniser that sees it" {
    for tokens in sample patch spectral covariance conv; do
        options="--set encoder.tokens=$tokens --set train.epochs=2"
        train plain $options w.st
        for a in shift:0.1s noise:0.2 mask:0.1s channels:0.2 mixup:0.4 flip:0.5; do
            [[ $tokens$a != @(spectral|covariance|conv)flip:0.5 ]] || continue
            train x $options --set train.augment=$a w.st
            run ! cmp -s <(tensors plain) <(tensors x)
        done
        train y $options --set "$everything" w.st
        run ! cmp -s <(tensors x) <(tensors y)
    done
}

@test "the bytes do not depend on the threads, but on the seed" {
    for threads in 1 2 5; do
        train $threads.out --set encoder.tokens=patch --set train.batch_size=24 --set train.epochs=2 --set "$everything" --threads $threads w.st
        cmp 1.out $threads.out
    done
    train other --set encoder.tokens=patch --set train.batch_size=24 --set train.epochs=2 --set "$everything" --seed 9 w.st
    run ! cmp -s 1.out other
}

@test "a run that was stopped, within an epoch too, ends as one that was not" {
    options="--set train.epochs=30 --set train.batch_size=8 --set encoder.tokens=sample --valid-groups S02"
    train whole $options --set "$everything" w.st
    for try in 1 2 3; do
        rm -f part.state
        timeout -s TERM 0.0$((try * 4 + 3)) moe-train $small --no-history $options --set "$everything" --state part.state -q -o part w.st && continue
        while [ -e part.state ] && ! moe-train --resume --state part.state --no-history --valid-groups S02 -q -o part w.st; do :; done
        [ ! -e part.state ] || cmp whole part
    done
    train part ${options/epochs=30/epochs=3} --set "$everything" --state s --set train.schedule=constant w.st
    train all ${options/epochs=30/epochs=6} --set "$everything" --set train.schedule=constant w.st
    moe-train --resume --state s --no-history --valid-groups S02 --set train.epochs=6 -o part w.st
    cmp all part
}

@test "windows that validate, and answers, are left alone" {
    still="--set train.lr=1e-12 --set encoder.dropout=0 --set train.epochs=2 --set encoder.tokens=sample --valid-groups S02 --seed 4"
    train a $still --log a.log w.st
    train b $still --set "$everything" --log b.log w.st
    paste -d' ' <(jq .valid_loss a.log) <(jq .valid_loss b.log) | awk '{ d = $1 - $2; if (d < -1e-6 || d > 1e-6) bad = 1 } END { exit bad || NR != 2 }'
    paste -d' ' <(jq .loss a.log) <(jq .loss b.log) | awk '{ d = $1 - $2; if (d > -1e-5 && d < 1e-5) bad = 1 } END { exit bad || NR != 2 }'
    jq -es '.[0].loss != .[1].loss' b.log # each epoch draws anew
    edit b other 'k = json.loads(m["moe.config"]); k["train"]["augment"] = []; m["moe.config"] = json.dumps(k)'
    moe-predict -m b w.st >said
    moe-predict -m other w.st | cmp - said
}

@test "mixup mixes samples: it counts, too, where all labels are the same" {
    edit w.st rest.st 'l = t["window.label"][2]
for i in range(len(l)): l[i] = 0 if l[i] == 0 else -1'
    moe-train --init m.st --set train.epochs=1 --no-history -o x rest.st
    moe-train --init m.st --set train.epochs=1 --no-history --set train.augment=mixup:1 -o y rest.st
    run ! cmp -s <(tensors x) <(tensors y)
}

@test "the list is kept in the model and told in the order in which it is done" {
    moe-train --set train.augment=mixup:0.20,noise:.1 --print-config | grep -qx $'train.augment\t\\["noise:0.1","mixup:0.2"\\]\t--set'
    moe-train --print-config | grep -qx $'train.augment\t\\[\\]\tpreset default'
    train x --set train.epochs=1 --set 'train.augment=["mask:0.1s","shift:0.05s"]' w.st
    [ "$(ask x 'json.loads(m["moe.config"])["train"]["augment"]')" = "['shift:0.05s', 'mask:0.1s']" ]
    moe-train --init x --print-config | grep -qx $'train.augment\t\\["shift:0.05s","mask:0.1s"\\]\tmodel'
    moe-train --init x --set train.augment=[] --print-config | grep -qx $'train.augment\t\\[\\]\t--set'
}

@test "what is no such change is refused, and what would change nothing" {
    no_train 78 '"warp:0.1" is no NAME:AMOUNT, such as noise:0.1; names are shift, flip, noise, mask, channels, mixup' --set train.augment=warp:0.1 w.st
    no_train 78 '"noise" is no NAME:AMOUNT' --set train.augment=noise w.st
    no_train 78 'noise takes a number' --set train.augment=noise:much w.st
    no_train 78 'noise takes a number' --set train.augment=noise:0.1s w.st
    no_train 78 'mask takes a number of seconds with an s behind it, such as 0.2s' --set train.augment=mask:0.2 w.st
    no_train 78 '"noise:0" is outside' --set train.augment=noise:0 w.st
    no_train 78 '"noise:-1" is outside' --set train.augment=noise:-1 w.st
    no_train 78 '"flip:1.5" is outside 0.001 to 1' --set train.augment=flip:1.5 w.st
    no_train 78 'noise stands there twice' --set train.augment=noise:0.1,noise:0.2 w.st
    no_train 78 'is not a list of words' --set train.augment=[0.1] w.st
    no_train 78 'is not a list of words' --set train.augment=3 w.st
    no_train 78 'mask:0.001s has no effect: at 64 Hz it is shorter than one sample' --set train.augment=mask:0.001s w.st
    no_train 78 'shift:0.5s is not shorter than a window (0.5 s)' --set train.augment=shift:0.5s w.st
    no_train 78 'flip has no effect: powers and covariances (encoder.tokens) have no sign' --set train.augment=flip:0.5 w.st
    train x --set train.epochs=1 --set train.augment=flip:0.5,mixup:0.2 w.st # mixed with others it has
    no_train 78 'mixup has no effect: train.batch_size is 1' --set train.augment=mixup:0.2 --set train.batch_size=1 w.st
}
