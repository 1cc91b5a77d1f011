#!/usr/bin/env bats
# moe-cv: folds, thinned tests, validation inside, seeds, permuted labels, models kept, threads, and what it refuses.
# shellcheck disable=SC2086,SC2154 # options kept in a variable are split on purpose; variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
    moe-synth --subjects 10 --channels 4 --rate 64 --seconds 8 --seed 3 -o ten
    moe-split --window 32 --stride 8 --experts 2 --halo 1 ten/*.csv -o ten.st # steps of 8: windows overlap
    moe-synth --subjects 2 --sessions 2 --channels 4 --rate 64 --seconds 8 --seed 4 -o twice
    moe-split --window 32 --experts 2 --halo 1 twice/*.csv -o twice.st
}

ten=$BATS_FILE_TMPDIR/ten

# cv ARGUMENTS...: small models of an epoch; the figures go to the file said
cv() {
    moe-cv $small --set train.epochs=1 "$@" 2>said || { cat said && return 1; }
}

no_cv() { # no_cv STATUS WORDS ARGUMENTS...
    local wanted=$1 words=$2
    shift 2
    refused "$wanted" "$words" moe-cv $small --set train.epochs=1 "$@" -o never.st
}

@test "each window is answered once, by the fold that holds its group out; folds are groups in order of name" {
    cv -o loso w.st
    [ "$(jq -c '[.fold, .group]' loso | uniq -c | awk '{ print $1 $2 }' | tr '\n' ' ')" = \
        '16[0,"S00"] 16[1,"S01"] 16[2,"S02"] 16[3,"S03"] ' ]
    cv --folds 3 --summary s.json -o three ten.st
    [ "$(jq -c '[.runs[0].folds[].groups]' s.json)" = \
        '[["S00","S01","S02","S03"],["S04","S05","S06"],["S07","S08","S09"]]' ]
    jq -c '[.fold, .group]' three | sort -u | jq -sc 'group_by(.[0]) | map(map(.[1]))' >composition
    [ "$(cat composition)" = "$(jq -c '[.runs[0].folds[].groups]' s.json)" ]
    [ "$(jq -r '[.recording, .start] | @tsv' three | sort | uniq -d | wc -l)" -eq 0 ]
    [ "$(wc -l <three)" -eq "$(jq .windows s.json)" ]
    # the groups' order is that of their names, not that of the files; lines stay in the order of the input
    moe-split --window 32 --stride 8 --experts 2 --halo 1 $ten/S0[5-9]*.csv -o late.st
    moe-split --window 32 --stride 8 --experts 2 --halo 1 $ten/S0[0-4]*.csv -o soon.st
    cv --folds 3 --summary s2.json -o three late.st soon.st
    [ "$(jq -c '[.runs[0].folds[].groups]' s2.json)" = "$(jq -c '[.runs[0].folds[].groups]' s.json)" ]
    [ "$(jq -r .group three | uniq | tr '\n' ' ')" = "S00 S01 S02 S03 S05 S06 S04 S07 S08 S09 " ]
}

@test "groups that --interleave deals out: the i-th in order of name is held out by fold i modulo K" {
    cv --folds 3 --interleave --summary s.json --keep k -o lines ten.st
    [ "$(jq -c '[.runs[0].folds[].groups]' s.json)" = \
        '[["S00","S03","S06","S09"],["S01","S04","S07"],["S02","S05","S08"]]' ]
    jq -c '[.fold, .group]' lines | sort -u | jq -sc 'group_by(.[0]) | map(map(.[1]))' >composition
    [ "$(cat composition)" = "$(jq -c '[.runs[0].folds[].groups]' s.json)" ]
    [ "$(ask k/fold-1.safetensors 'm["moe.train_groups"]')" = '["S00","S02","S03","S05","S06","S08","S09"]' ]
    grep -q 'moe-cv: fold 1 (S01, S04, S07): ' said
    cv --folds 4 --by recording --interleave --summary s.json -o lines twice.st
    [ "$(jq -c '.runs[0].folds[2].recordings' s.json)" = '["S01_1.csv"]' ]
    no_cv 64 "--interleave needs --folds K" --interleave ten.st
}

@test "the same bytes for any number of threads, fewer and more than folds" {
    cv --seeds 1..2 --valid-fraction 0.3 --threads 1 --keep k1 --no-history -o one w.st
    for threads in 2 3 16; do
        cv --seeds 1..2 --valid-fraction 0.3 --threads $threads --keep k --no-history -o some w.st
        cmp one some
        diff -r k1 k
    done
    cv --seed 2 -o a w.st
    cv --seed 3 -o b w.st
    run ! cmp -s a b
}

@test "a model that is kept gives the same lines to moe-predict, knows who trained it, and is that of moe-train" {
    cv --keep models --no-history --summary s.json -o lines w.st
    [ "$(ls models)" = "$(printf 'fold-%d.safetensors\n' 0 1 2 3)" ]
    for fold in 0 1 2 3; do
        moe-split --window 32 --experts 2 --halo 1 --condition 'S0.' eeg/S0${fold}*.csv -o held.st
        moe-predict -m models/fold-$fold.safetensors held.st | sed "s/}\$/,\"fold\":$fold}/" >>predicted
        moe-split --window 32 --experts 2 --halo 1 --condition 'S0.' eeg/S0[!$fold]*.csv -o others.st
        train m$fold --set train.epochs=1 --seed "$(jq -r ".runs[0].folds[$fold].seed" s.json)" others.st
        cmp m$fold models/fold-$fold.safetensors
        [ "$(ask m$fold 'm["moe.train_groups"]' | grep -c "S0$fold")" -eq 0 ]
        [ "$(ask m$fold 'len(json.loads(m["moe.train_groups"]))')" -eq 3 ]
    done
    cmp predicted lines
    cv --keep half --valid-fraction 0.4 --no-history --summary s.json -o lines w.st # the same groups are drawn, too
    train m3 --set train.epochs=1 --valid-fraction 0.4 --seed "$(jq -r ".runs[0].folds[3].seed" s.json)" others.st
    cmp m3 half/fold-3.safetensors
    cv --keep models --seeds 4,7 -o lines w.st # with its history, and beside the others
    [ "$(printf '%s\n' models/seed-[47]-fold-[0-3].safetensors | wc -l)" -eq 8 ]
    moe-stats models/seed-7-fold-2.safetensors | jq -e '.history[-1].program == "moe-cv"'
}

@test "--by recording: a fold a recording, and the others of its group train" {
    cv --by recording --keep k --summary s.json -o lines twice.st
    [ "$(jq -c '[.fold, .recording]' lines | uniq | tr '\n' ' ')" = \
        '[0,"S00_1.csv"] [1,"S00_2.csv"] [2,"S01_1.csv"] [3,"S01_2.csv"] ' ]
    [ "$(jq -c '.runs[0].folds[1].recordings' s.json)" = '["S00_2.csv"]' ]
    [ "$(ask k/fold-1.safetensors 'm["moe.train_groups"]')" = '["S00","S01"]' ]
    [ "$(jq -c '[.runs[0].folds[].train]' s.json)" = '[48,48,48,48]' ]
    cv --by recording --folds 2 --valid-fraction 0.5 --summary s.json -o lines twice.st # recordings validate, too
    [ "$(jq -c '.runs[0].folds | map([.train, .valid])' s.json)" = '[[16,16],[16,16]]' ]
    cv --summary s.json -o lines twice.st # by group both are held out
    [ "$(jq -c '[.runs[0].folds[] | [.train, .n]]' s.json)" = '[[32,32],[32,32]]' ]
}

@test "--test-stride keeps the windows moe-split cuts with that stride, and trains on all" {
    for align in "--align run" "--align grid --label-rule all" "--align grid --label-rule majority"; do
        moe-split --window 32 --stride 8 --experts 2 --halo 1 $align $ten/S0[0-2]*.csv -o dense.st
        for stride in 8 16 32 40 64; do
            moe-split --window 32 --stride $stride --experts 2 --halo 1 $align $ten/S0[0-2]*.csv -o thin.st
            cv --test-stride $stride --keep k --summary s.json -o lines dense.st
            for m in 0 1 2; do
                moe-predict -m k/fold-$m.safetensors thin.st | jq -c "select(.group == \"S0$m\" and .label) | .fold = $m"
            done | cmp - <(jq -c . lines)
            [ "$(jq .tested s.json)" -eq "$(wc -l <lines)" ]
            moe-predict -m k/fold-0.safetensors dense.st | jq -e -s 'map(select(.label and .group != "S00")) | length' >all
            [ "$(jq '.runs[0].folds[0].train' s.json)" -eq "$(cat all)" ]
        done
    done
    grep -q "moe-cv: --test-stride leaves $(jq .tested s.json) of $(jq .windows s.json) windows to test on" said
    cv --test-stride 0.5s -o seconds ten.st
    cv --test-stride 32 -o samples ten.st
    cmp seconds samples
}

@test "--valid-fraction: groups that train validate, none of them is tested or trains, and patience has an effect" {
    cv --folds 5 --valid-fraction 0.25 --keep k --summary s.json -o lines ten.st
    [ "$(jq -c '.runs[0].folds | map(.valid == .n)' s.json)" = '[true,true,true,true,true]' ] # a quarter of 8 is 2, as many as are held out
    for fold in 0 1 2 3 4; do
        [ "$(ask k/fold-$fold.safetensors 'len(json.loads(m["moe.train_groups"]))')" -eq 6 ]
        ask k/fold-$fold.safetensors 'm["moe.train_groups"]'
    done >trained
    [ "$(sort -u trained | wc -l)" -gt 1 ]
    jq -e '[.runs[0].folds[].best_epoch] | all(. == 1)' s.json
    cv --folds 5 --summary s.json -o lines ten.st
    jq -e '[.runs[0].folds[] | .valid == 0 and (has("best_epoch") | not)] | all' s.json
    no_cv 78 "train.patience has no effect" --set train.patience=2 ten.st
    cv --set train.patience=2 --valid-fraction 0.25 -o lines ten.st
    no_cv 65 "fold 0 (S00, S01): --valid-fraction holds out whole groups, and there is only one" --folds 2 --valid-fraction 0.5 <(moe-split -q \
        --window 32 --experts 2 --halo 1 $ten/S0[0-2]*.csv)
}

@test "several seeds: a line for each window and seed, each as the seed alone gives it; mean and deviation" {
    cv --seeds 3,1..2 --summary s.json -o lines w.st
    grep -q "moe-cv: all 4 folds, mean of 3 seeds: 64 windows, accuracy 0\.[0-9]* (sd 0\.[0-9]*), balanced 0\.[0-9]* (sd" said
    [ "$(jq .seed lines | uniq | tr '\n' ' ')" = "3 1 2 " ]
    for seed in 1 2 3; do
        cv --seed $seed --summary one.json -o one w.st
        grep "\"seed\":$seed}" lines | sed "s/,\"seed\":$seed}/}/" | cmp - one
        jq .accuracy one.json >>accuracies
        diff <(jq "del(.runs[] | select(.seed != \"$seed\")) | .runs[0].folds | map(del(.train_seconds, .test_seconds))" s.json) \
            <(jq '.runs[0].folds | map(del(.train_seconds, .test_seconds))' one.json)
    done
    jq -es --slurpfile s s.json '(add / 3) as $m | ($s[0].accuracy - $m | fabs) < 1e-12 and
        ($s[0].accuracy_sd - (map((. - $m) * (. - $m)) | add / 2 | sqrt) | fabs) < 1e-9' accuracies
}

@test "figures are those of the lines: of each fold, of all, balanced over classes that are not" {
    edit ten.st uneven.st 'l = t["window.label"][2]
for i in range(0, len(l), 3): l[i] = -1 if l[i] == 1 else l[i]'
    cv --folds 5 --summary s.json -o lines uneven.st
    jq -e -s --slurpfile s s.json '
        def acc: (map(select(.label == .class)) | length) / length;
        def bal: group_by(.label) | map(acc) | add / length;
        def near($x): . - $x | fabs < 1e-12;
        (acc | near($s[0].accuracy)) and (bal | near($s[0].balanced_accuracy)) and (acc - bal | fabs > 1e-6) and
        (group_by(.fold) | [., $s[0].runs[0].folds] | transpose | all(
            (.[1].n == (.[0] | length)) and (.[1].accuracy as $a | .[0] | acc | near($a)) and
            (.[1].balanced_accuracy as $a | .[0] | bal | near($a))))' lines
    grep -q "moe-cv: [0-9]* windows without a label are left out" said
    [ "$(jq '.windows + .unlabelled' s.json)" -eq "$(ask uneven.st 'len(t["window.label"][2])')" ]
    [ "$(jq -r .label lines | sort -u | tr '\n' ' ')" = "rest task " ]
    jq -e '.train_seconds > 0 and .test_seconds > 0 and ([.runs[].folds[].train_seconds] | all(. > 0))' s.json
    cv -q -o again uneven.st --folds 5
    cmp again lines
    [ ! -s said ]
}

@test "--permute-labels exchanges the classes of whole groups; the effect is gone" {
    strong="--set train.epochs=5 --set train.lr=0.01"
    cv $strong --folds 5 --summary true.json -o lines ten.st
    cv $strong --folds 5 --permute-labels group --permutations 40 --summary s.json -o permuted ten.st
    jq -e '.accuracy > 0.9' true.json
    jq -e '.accuracy > 0.4 and .accuracy < 0.6' s.json
    [ "$(jq -c '[.runs[].permutation] | . == [range(40)]' s.json)" = true ]
    jq -e '(.accuracy - ([.runs[].accuracy] | add / length) | fabs) < 1e-12' s.json
    # in a permutation every group has its labels, or all of them exchanged
    jq -c '[.recording, .start, .label]' lines | sort >labels
    for p in 0 1 2 3; do
        jq -c "select(.permutation == $p) | [.recording, .start, .label]" permuted | sort | paste labels - |
            jq -sc '[range(0; length; 2) as $i | [.[$i][0], .[$i][2] == .[$i + 1][2], .[$i][:2] == .[$i + 1][:2]]] | unique' >kept
        jq -e 'length == 10 and all(.[2])' kept
        jq -c 'map(.[1])' kept >>patterns
    done
    [ "$(sort -u patterns | wc -l)" -gt 1 ]
    grep -q true patterns && grep -q false patterns
    cv --permute-labels group --seed 8 -o a ten.st
    cv --permute-labels group --seed 9 -o b ten.st
    [ "$(jq .label a)" != "$(jq .label b)" ]
    cv --permute-labels recording --by recording --keep k -o a twice.st
    [ -e k/permutation-0-fold-3.safetensors ]
}

@test "conditions and mixtures: what a fold has not seen is refused, or has its embedding" {
    no_cv 65 "fold 0 (S00): w.st: recording S00_1.csv: the model does not know condition S00" --set moe.layers=all \
        --set moe.router=condition w.st
    cv --set moe.layers=all --set moe.router=condition --set moe.condition_unknown=0.2 --threads 1 -o a w.st
    cv --set moe.layers=all --set moe.router=condition --set moe.condition_unknown=0.2 --threads 4 -o b w.st
    cmp a b
}

@test "a model that adapts to groups: lines and summary say so" {
    for tokens in spectral patch; do
        adapts="--set train.scale=group --set encoder.tokens=$tokens --folds 5"
        cv $adapts --threads 1 --summary s.json -o one ten.st
        cv $adapts --threads 3 -o three ten.st
        cmp one three
        [ "$(jq -c .adapted one | sort -u)" = '"group"' ]
        [ "$(jq -c .adapted s.json)" = '"group"' ]
    done
    cv -o plain ten.st
    jq -e -s 'all(has("adapted") | not)' plain
}

@test "a group alone, fewer groups than folds, a fold without a class, a test of one class, nothing labelled" {
    no_cv 65 "all labelled windows are of one group (S00): nothing is left to train on; name the groups" few.st
    no_cv 65 "all labelled windows are of one recording (S00_1.csv)" --by recording few.st
    no_cv 65 "fewer groups than folds: 5 folds, and 4 groups with labelled windows; --folds 4 or loso" --folds 5 w.st
    edit w.st sleep.st 'l = t["window.label"][2]; g = t["window.group"][2]
for i in range(len(l)): l[i] = 2 if g[i] == 2 and i % 2 else l[i]
m["moe.classes"] = "[\"rest\",\"task\",\"sleep\"]"'
    no_cv 65 "fold 2 (S02): class sleep has no window to train on" sleep.st
    edit w.st one_class.st 'l = t["window.label"][2]; g = t["window.group"][2]
for i in range(len(l)): l[i] = 1 if g[i] == 3 else l[i]'
    cv -o lines one_class.st
    grep -qx "moe-cv: fold 3 (S03): all 16 test windows are of class task" said
    edit w.st none.st 'l = t["window.label"][2]
for i in range(len(l)): l[i] = -1'
    no_cv 65 "no labelled window" none.st
    edit w.st three.st 'l = t["window.label"][2]; g = t["window.group"][2]
for i in range(len(l)): l[i] = -1 if g[i] == 1 else l[i]'
    cv --summary s.json -o lines three.st # a group without a label takes no part
    [ "$(jq -c '[.runs[0].folds[].groups[]]' s.json)" = '["S00","S02","S03"]' ]
    grep -qx "moe-cv: 16 windows without a label are left out" said
}

@test "what does not go together, and files that would be lost, are refused" {
    no_cv 64 "--folds: \"1\" is neither loso nor a number of at least 2" --folds 1 w.st
    no_cv 64 "--folds: \"many\" is neither" --folds many w.st
    no_cv 64 "--seed and --seeds exclude each other" --seed 1 --seeds 1..2 w.st
    for list in "," 1,1 3..1 1..2,2 a 1.. -1 1...3; do no_cv 64 "--seeds: \"" --seeds="$list" w.st; done
    no_cv 64 "--permutations needs --permute-labels" --permutations 3 w.st
    no_cv 64 "--test-stride: 0.001 s are 0 samples at 64 Hz" --test-stride 0.001s w.st
    no_cv 64 "w.st: is given twice; give each file once" w.st w.st
    ln w.st linked.st
    no_cv 64 "linked.st: is given twice: w.st is the same file (a link to it, or another spelling of its path)" w.st linked.st
    no_cv 64 "would be replaced by the result" --summary w.st w.st
    refused 64 "lines and summary cannot be the same" moe-cv --summary x -o x w.st
    cp w.st keep
    no_cv 73 "keep: is not a folder" --keep keep w.st
    cmp keep w.st
    no_cv 73 "no/such: cannot make this folder" --keep no/such w.st
    no_cv 65 "eeg/S00_1.csv: this is text, not windows; cut recordings with moe-split first" eeg/S00_1.csv
    no_cv 66 "No such file" absent.st
    no_cv 78 "train.lrr" --set train.lrr=1 w.st
    edit ten.st back.st 's = t["window.sample"][2]
s[5], s[6] = s[6], s[5]'
    no_cv 65 "--test-stride needs each recording once, with its windows in order" --test-stride 32 back.st
}

@test "lines appear whole or not at all, and an error in a fold leaves none" {
    edit w.st bad.st 'for k in "01":
    if 3 in t["region.%s.channel" % k][2]:
        w = t["expert." + k][1][1]; at = list(t["region.%s.channel" % k][2]).index(3)
        t["expert." + k][2][(512 * 2 + 100) * w + at] = math.nan'
    for threads in 1 3; do
        no_cv 65 "recording S02_1.csv: channel" --threads $threads --summary s.json bad.st
        [ ! -e s.json ]
    done
    no_cv 65 "fold 0 (S00): step " --set train.lr=1000 --set train.clip_norm=0 --set train.epochs=40 w.st
    run timeout -s TERM 1 moe-cv $small --set train.epochs=1000000 -o never.st w.st
    [ "$status" -eq 124 ]
    [ ! -e never.st ]
    [ -z "$(find . -name '.*.tmp*')" ]
}

@test "examples of the manual" {
    cp ten.st windows.st
    run_examples moe-cv.1 6
}
