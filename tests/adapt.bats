#!/usr/bin/env bats
# Models that adapt to people (train.scale=group), and evidence (encoder.evidence): through every program, on files and on pipes.
# shellcheck disable=SC2002,SC2086,SC2154 # pipes are what is meant; options kept in a variable are split on purpose

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
    how="--no-history -q --set train.epochs=2"
    moe-train $small $how --set train.scale=group -o bands.st w.st
    moe-train $small $how --set train.scale=group --set encoder.window=0.25 --set encoder.hop=0.125 -o hops.st w.st
    moe-train $small $how --set train.scale=group --set encoder.tokens=sample -o samples.st w.st
    moe-train $small $how --set train.scale=group --set moe.layers=all -o mixtures.st w.st
    for i in 0 1 2 3; do moe-split -q --like m.st eeg/S0${i}_1.csv -o S0$i.st; done
}

# all of the models, by the names of their files
models="bands hops samples mixtures"

# some IN OUT FROM TO: windows FROM to TO - 1 of a file, as a file of their own
some() {
    edit "$1" "$2" "
for n in list(t):
    if n.startswith('window.'): t[n] = c.tensor(t[n][0], [$4 - $3], list(t[n][2])[$3:$4])"
}

# said FILE: what lines say, without the names that standard input does not have
said() {
    jq -c '[.start, .class, .p, .logits, .gate, .adapted]' "$1"
}

@test "a file, the recordings it was cut from and the file through a pipe have the same answers, in any company" {
    for m in $models; do
        moe-predict -m $m.st w.st >whole
        [ "$(wc -l <whole)" -eq 64 ]
        cat w.st | moe-predict -m $m.st | cmp - whole
        moe-predict -m $m.st - <w.st | cmp - whole
        moe-predict -m $m.st eeg/*.csv | cmp - whole
        moe-predict -m $m.st S00.st S01.st S02.st S03.st | cmp - whole
        cat S00.st S01.st S02.st S03.st | moe-predict -m $m.st | cmp - whole
        # other people's windows change nothing
        grep '"group":"S02"' whole >third
        moe-predict -m $m.st S02.st | cmp - third
        moe-predict -m $m.st S03.st S02.st S00.st | grep '"group":"S02"' | cmp - third
        cat S03.st S02.st | moe-predict -m $m.st | grep '"group":"S02"' | cmp - third
        # the person's own do
        some S02.st less.st 0 7
        moe-predict -m $m.st less.st >less
        run ! cmp -s less <(head -n 7 third)
    done
}

@test "what came later in a stream has no say, and what came before has" {
    some S00.st first.st 0 6
    some S00.st second.st 6 16
    for m in $models; do
        moe-predict -m $m.st first.st >first
        moe-predict -m $m.st S00.st | tail -n 10 >second
        cat first.st second.st | moe-predict -m $m.st >stream
        cat first second | cmp - stream
        for b in 1 6 7; do cat first.st second.st | moe-predict -m $m.st --batch $b | cmp - stream; done
        # at rest they are one
        moe-predict -m $m.st S00.st >whole
        moe-predict -m $m.st first.st second.st | cmp - whole
        run ! cmp -s stream whole
        # a person between them is another matter
        cat first.st S01.st second.st | moe-predict -m $m.st | grep '"group":"S00"' | cmp - stream
        # without a group of their own they would be another person's
        cat first.st S01.st | moe-predict -m $m.st | tail -n 16 | cmp - <(moe-predict -m $m.st S01.st)
    done
}

@test "a recording that arrives is answered window by window, each by the windows so far" {
    for m in $models; do
        cat eeg/S00_1.csv | moe-predict -m $m.st >live
        for b in 1 3; do cat eeg/S00_1.csv | moe-predict -m $m.st --batch $b | cmp - live; done
        [ "$(wc -l <live)" -eq 16 ]
        for n in 1 2 9 16; do
            some S00.st part.st 0 $n
            moe-predict -m $m.st part.st | tail -n 1 >want
            cmp <(said want) <(said live | sed -n ${n}p)
        done
        moe-predict -m $m.st S00.st >whole # the first is not the last word
        run ! cmp -s <(said whole | head -n 1) <(said live | head -n 1)
        cmp <(said whole | tail -n 1) <(said live | tail -n 1)
    done
    # moe-split --live makes a file of each window: each adds to those before
    for m in $models; do
        cat eeg/S00_1.csv | moe-predict -m $m.st >live
        moe-split --like m.st --live eeg/S00_1.csv | moe-predict -m $m.st >pieces
        cmp <(said live) <(said pieces)
    done
}

@test "the answers do not depend on threads, nor on the batch" {
    for m in $models; do
        moe-predict -m $m.st --threads 1 --batch 1 w.st >one
        for t in 1 2 3; do
            for b in 1 5 32; do
                moe-predict -m $m.st --threads $t --batch $b w.st | cmp - one
            done
            cat eeg/S00_1.csv | moe-predict -m $m.st --threads $t >live.$t
        done
        cmp live.1 live.2
        cmp live.1 live.3
    done
    for scale in group zscore; do
        for t in 1 2 3; do train $t.x --set train.scale=$scale --set train.epochs=2 --threads $t w.st; done
        cmp 1.x 2.x
        cmp 1.x 3.x
    done
}

@test "moe-route has the gate of moe-predict, and moe-stats --ablate its accuracy" {
    for m in $models; do
        moe-predict -m $m.st w.st | jq -c '[.recording, .start, .gate, .adapted]' >want
        moe-route -m $m.st --jsonl w.st | jq -c '[.recording, .start, .gate, .adapted]' | cmp - want
        cat w.st | moe-route -m $m.st --jsonl --batch 3 | jq -c '[.recording, .start, .gate, .adapted]' | cmp - want
        cat eeg/S00_1.csv | moe-predict -m $m.st | jq -c .gate >want
        cat eeg/S00_1.csv | moe-route -m $m.st --jsonl | jq -c .gate | cmp - want
        moe-route -m $m.st --no-history -o r.st w.st
        [ "$(ask r.st 'm["moe.adapted"]')" = group ]
        ask r.st '"\n".join("%.9g" % x for x in t["gate.weight"][2])' >got
        moe-predict -m $m.st w.st | jq '.gate[]' | paste got - | awk '{ d = $1 - $2; exit !(d < 1e-8 && d > -1e-8) }'
        # a file is made of all there is, whatever way it comes
        cat S00.st S01.st S02.st S03.st | moe-route -m $m.st --no-history -o piped.st
        [ "$(ask piped.st 'list(t["gate.weight"][2])')" = "$(ask r.st 'list(t["gate.weight"][2])')" ]
        want=$(moe-predict -m $m.st w.st | moe-score | jq .accuracy)
        moe-stats --ablate -m $m.st --resamples 0 w.st >ablated
        jq -e --argjson want "$want" '.adapted == "group" and (.accuracy - $want | fabs) < 1e-6' ablated
    done
    moe-stats --ablate -m m.st --resamples 0 w.st | jq -e 'has("adapted") | not'
    moe-route -m m.st --no-history -o r.st w.st
    [ "$(ask r.st '"moe.adapted" in m')" = False ]
    moe-route -m m.st --jsonl w.st | jq -se 'all(has("adapted") | not)'
}

@test "answers that are adapted say so, and are not scored with others" {
    moe-predict -m bands.st w.st >adapted
    moe-predict -m m.st w.st >plain
    jq -se 'all(.adapted == "group")' adapted
    jq -se 'all(has("adapted") | not)' plain
    jq -se 'all(.adapted == "group")' <(moe-predict -m bands.st --per recording w.st)
    jq -se 'all(.adapted == "group")' <(moe-predict -m m.st -m bands.st w.st) # one of several is enough
    moe-predict -m bands.st --csv w.st | awk -F, 'NR == 1 { exit $NF != "adapted" }'
    moe-predict -m bands.st --csv w.st | awk -F, 'NR > 1 && $NF != "group" { exit 1 }'
    moe-predict -m bands.st --tsv --per recording w.st | awk -F'\t' '$NF != (NR == 1 ? "adapted" : "group") { exit 1 }'
    run ! grep -q adapted <(moe-predict -m m.st --csv w.st)
    moe-score adapted | jq -e '.adapted == "group"'
    moe-score plain | jq -e '.adapted == false'
    { head -n 20 adapted && tail -n 44 plain; } >mixture
    run moe-score mixture
    [ "$status" -eq 65 ]
    [[ $output == "moe-score: mixture:21: "*adapt* ]]
}

@test "what comes before damage in a stream has its answer, and a whole that is damaged has none" {
    edit S01.st nan.st 'x = t["expert.0"][2]
for i in range(len(x)): x[i] = math.nan if i > len(x) / 2 else x[i]'
    moe-predict -m bands.st S00.st >want
    echo rubbish >rubbish
    for broken in nan.st rubbish; do
        cp $broken bad
        run -65 --separate-stderr bash -o pipefail -c 'cat S00.st bad | moe-predict -m bands.st'
        [ "$output" = "$(cat want)" ]
        [[ $stderr == "moe-predict: "* ]]
        run -65 --separate-stderr moe-predict -m bands.st S00.st bad
        [ -z "$output" ]
    done
    run -65 --separate-stderr bash -o pipefail -c '{ head -100 eeg/S00_1.csv; echo 1,2; } | moe-predict -m bands.st'
    [ "$(wc -l <<<"$output")" -ge 1 ]
    cmp <(said <(echo "$output")) <(cat eeg/S00_1.csv | moe-predict -m bands.st | head -n "$(wc -l <<<"$output")" >some && said some)
}

@test "numbers beyond any amplifier, flat channels and flat windows are answered for" {
    edit w.st wild.st 'for n in ("expert.0", "expert.1"):
    x = t[n][2]
    for i in range(0, len(x), 97): x[i] = 1e30
    for i in range(32 * t[n][1][1]): x[i] = 0
    for i in range(len(x) // 2, len(x), t[n][1][1]): x[i] = 5'
    for m in $models m; do
        moe-predict -m $m.st wild.st | jq -se 'length == 64 and all(.p | add | . > 0.999 and . < 1.001)'
    done
    for scale in zscore group none window; do
        train x.st --set train.epochs=1 --set train.scale=$scale wild.st
        [ "$(ask x.st 'all(math.isfinite(x) for n in t for x in t[n][2])')" = True ]
    done
    edit w.st empty.st 'x = t["region.1.channel"][2]
for i in range(len(x)): x[i] = -1'
    no_train 65 "region 1: has padding and no channel" empty.st
}

@test "training with evidence that was stopped and resumed, on windows or on a model, ends in the same bytes" {
    how="--set train.schedule=constant --set train.batch_size=7"
    n=0
    for options in "" "--valid-groups S02" "--valid-tail 0.3" "--set train.scale=group --valid-tail 0.3" "--set train.scale=group" \
        "--set train.scale=group --set encoder.tokens=sample" "--set train.scale=group --init bands.st" "--init m.st" \
        "--init m.st --valid-groups S01"; do
        train whole $how $options --set train.epochs=3 w.st
        train part $how $options --set train.epochs=1 --state s w.st
        again=
        [[ $options != *--valid* ]] || again="--valid${options#*--valid}"
        moe-train --resume --state s $again --set train.epochs=3 --no-history -q -o part w.st
        cmp whole part || { echo "$options"; false; }
        n=$((n + 1))
    done
    [ $n -eq 9 ]
}

@test "--init keeps evidence, means and scale, and whether the model adapts" {
    moe-train --init bands.st --set train.epochs=1 --no-history -o on.st w.st
    for name in experts.0.evidence.weight experts.1.tokens.mean experts.1.tokens.std experts.0.tokens.scale evidence.bias; do
        [ "$(ask on.st "list(t['$name'][2])")" = "$(ask bands.st "list(t['$name'][2])")" ]
    done
    run ! cmp -s on.st bands.st
    moe-predict -m on.st w.st | jq -se 'all(.adapted == "group")'
    no_train 78 "train.scale: the model that is continued was trained on windows standardised group by group; set train.scale=group" \
        --init bands.st --set train.scale=zscore w.st
    no_train 78 "train.scale: the model that is continued was trained on windows that were not standardised group by group; set train.scale=zscore" \
        --init m.st --set train.scale=group w.st
    no_train 78 "train.scale: the model that is continued was trained on windows standardised group by group" --init samples.st --set train.scale=zscore w.st
}

@test "moe-cv tests its folds as moe-predict does with the models it keeps" {
    for options in "--set train.scale=group" "" "--set train.scale=group --set encoder.tokens=sample"; do
        rm -rf kept
        mkdir kept
        moe-cv -q $small --set train.epochs=1 $options --keep kept -o lines w.st
        for fold in 0 1 2 3; do
            jq -c "select(.fold == $fold) | del(.fold)" lines >want
            [ "$(wc -l <want)" -eq 16 ]
            moe-predict -m kept/fold-$fold.safetensors S0$fold.st | jq -c . | cmp - want
        done
    done
}

@test "a model that has not learnt yet says what its evidence says, whatever its encoders are" {
    # the least rate there is: nothing moves
    still="--set train.lr=1e-12 --set train.epochs=1 --set encoder.dropout=0"
    train a $still w.st
    # what is beside the evidence is next to nothing, of deviation 0.01
    [ "$(ask a 'all(0 < max(map(abs, t[n][2])) < 0.05 for n in ("classifier.weight", "gate.fc2.weight"))')" = True ]
    moe-predict -m a w.st >want
    for other in "--seed 7" "--set encoder.norm=post" "--set gate.type=linear" "--set encoder.activation=relu"; do
        train b $still $other w.st
        run ! cmp -s a b
        moe-predict -m b w.st >got
        jq .logits[] got | paste - <(jq .logits[] want) | awk '{ d = $1 - $2; if (d > 0.1 || d < -0.1) exit 1 }'
        jq .gate[] got | paste - <(jq .gate[] want) | awk '{ d = $1 - $2; if (d > 0.01 || d < -0.01) exit 1 }'
        [ "$(ask b 'list(t["experts.0.evidence.weight"][2])')" = "$(ask a 'list(t["experts.0.evidence.weight"][2])')" ]
    done
    jq -se 'map(.logits[1] - .logits[0] | fabs) | max > 2' want # it says something
    # the larger the ridge the less is said
    run ! cmp -s <(train c $still --set train.ridge=100 w.st && ask c 'list(t["experts.0.evidence.weight"][2])') \
        <(ask a 'list(t["experts.0.evidence.weight"][2])')
    # and the query of pooling learns, though at first the classifier passes next to nothing back
    train d --set encoder.pool=attention --set train.epochs=2 w.st
    [ "$(ask d 'max(abs(x) for x in t["experts.0.pool.query"][2]) > 1e-6')" = True ]
}

@test "evidence alone tells the classes of people it has not seen, and a whole model, too" {
    moe-synth -q --subjects 10 --channels 8 --rate 64 --seconds 30 --snr 1 --seed 11 --where 1 --experts 2 -o ten
    moe-split -q --window 64 --experts 2 --halo 1 ten/S0[0-6]*.csv -o train.st
    moe-split -q --window 64 --experts 2 --halo 1 ten/S0[7-9]*.csv -o test.st
    moe-train -q $small --set train.lr=1e-12 --set train.epochs=1 -o alone.st train.st
    moe-train -q $small --set train.epochs=10 -o model.st train.st
    moe-train -q $small --set train.epochs=10 --set train.scale=group -o group.st train.st
    for m in alone model group; do
        moe-predict -m $m.st test.st | moe-score | jq .accuracy >$m
        echo "$m $(cat $m)"
        jq -e '. > 0.9' $m
    done
}

@test "what people are told in training comes from others: evidence does not know them by heart" {
    # labels drawn by lot: a map of its own windows would know them, that of others does not
    edit w.st lot.st 'l = t["window.label"][2]
for i in range(len(l)): l[i] = (i * 2654435761 >> 7) % 2'
    train a --set train.ridge=1e-6 --set train.epochs=1 --set train.lr=1e-12 --log log lot.st
    jq -e '.task > 0.6' log # of two classes, ln 2 is nothing
    # so that the factor is small, and the map says little of the windows it was solved with
    [ "$(moe-predict -m a lot.st | jq '.p | max' | sort -g | tail -n 1 | awk '{ print $1 < 0.99 }')" -eq 1 ]
}

@test "keys of evidence that have no effect are refused" {
    no_train 78 "train.ridge has no effect: no region gives evidence (encoder.evidence)" --set encoder.evidence=none --set train.ridge=2 w.st
    no_train 78 "train.ridge has no effect" --set encoder.tokens=sample --set train.ridge=2 w.st
    no_train 78 "encoder.evidence has no effect: encoder.tokens is neither spectral nor covariance" \
        --set encoder.tokens=sample --set encoder.evidence=ridge w.st
    no_train 78 "train.expert_loss_weight has no effect: gate.combine is not answers" --set train.expert_loss_weight=1 w.st
    no_train 78 "encoder.floor has no effect: encoder.tokens is not covariance" --set encoder.tokens=spectral --set encoder.floor=1 w.st
}
