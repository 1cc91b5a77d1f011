#!/usr/bin/env bats
# What users may build on: same bytes for any number of threads and after a stop, independence of windows, whole files or none,
# pipes, signals, full disks.
# shellcheck disable=SC2086,SC2154 # options kept in a variable are split on purpose; variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
}

# stop SIGNAL WHEN PROGRAM...: runs the program (not a function: the signal is for it alone) and sends the signal after WHEN
# seconds, or once the file WHEN has a line; sets code
stop() {
    local signal=$1 when=$2 pid
    shift 2
    rm -f log.jsonl
    "$@" &
    pid=$!
    case $when in
    [0-9]*) sleep "$when" ;;
    *) for _ in $(seq 1200); do [ -s "$when" ] && break; sleep 0.05; done ;;
    esac
    kill -"$signal" $pid 2>/dev/null || true
    code=0
    wait $pid || code=$?
}

@test "the model does not depend on the number of threads" {
    for windows in w.st one.st; do
        for preset in default seed; do
            for valid in "" "--valid-groups S01" "--valid-tail 0.25"; do
                for threads in 1 2 3; do
                    train $threads.out --preset $preset --set train.epochs=2 --set train.batch_size=24 $valid \
                        --threads $threads $windows -q
                done
                cmp 1.out 2.out
                cmp 1.out 3.out
                rm ./*.out
            done
        done
    done
}

@test "nor when a batch is cut into many pieces and the validation into many batches" {
    moe-split --window 64 --stride 4 --experts 3 eeg/*.csv -o many.st
    for threads in 1 2 3; do
        MOE_THREADS=$threads train $threads.out --preset seed --set train.epochs=1 --set train.batch_size=100 \
            --set encoder.ffn_dim=300 --valid-groups S01 many.st
    done
    cmp 1.out 2.out
    cmp 1.out 3.out
}

@test "the same seed gives the same bytes, another seed gives others" {
    train a --set train.epochs=1 w.st
    train b --set train.epochs=1 --seed 1 w.st
    train c --set train.epochs=1 --seed 2 w.st
    cmp a b
    run ! cmp -s a c
    train d --set train.epochs=1 --set encoder.dropout=0 w.st
    train e --set train.epochs=1 --set encoder.dropout=0 --seed 2 w.st
    run ! cmp -s d e
}

@test "the history holds what was done, and leaving it out is all that --no-history does" {
    moe-train $small --set train.epochs=1 --seed 9 -o a w.st
    train b --set train.epochs=1 --seed 9 w.st
    [ "$(ask a '[h["program"] for h in json.loads(m["moe.history"])]')" = "['moe-split', 'moe-train']" ]
    [ "$(ask a 'json.loads(m["moe.history"])[1]["seed"]')" = 9 ]
    edit a c 'del m["moe.history"]'
    edit b d 'pass'
    cmp c d
}

@test "stopped by SIGTERM at any moment and resumed: the bytes of a run that was never stopped" {
    options="--set train.epochs=200 --set train.batch_size=7"
    for valid in "" "--valid-groups S02 --set train.patience=0"; do
        train whole $options $valid w.st
        resume="moe-train --resume --state part.state --no-history ${valid%% --set*} -q -o part w.st"
        stops=0
        for _ in $(seq 20); do
            [ $stops -lt 3 ] || break
            rm -f part part.state
            stop TERM "$(printf 0.%03d $((RANDOM % 250 + 20)))" moe-train $small --no-history -o part $options --threads 1 $valid -q w.st
            [ $code -eq 143 ] || [ $code -eq 0 ]
            [ $code -eq 143 ] || continue
            [ ! -e part ]
            [ -e part.state ] || continue # before the first step: nothing to keep
            stops=$((stops + 1))
            for _ in 1 2; do # and again on the way
                stop TERM "$(printf 0.%03d $((RANDOM % 100 + 20)))" $resume
                [ $code -eq 0 ] || [ $code -eq 143 ]
            done
            $resume
            cmp whole part
        done
        [ $stops -ge 2 ] || { echo "stopped $stops times only"; false; }
    done
}

@test "SIGINT ends with 130, a state and a word on how to go on" {
    stop INT log.jsonl moe-train $small --set train.epochs=1000000 --log log.jsonl -o m2 w.st 2>said
    [ $code -eq 130 ]
    [ -s m2.state ]
    [ ! -e m2 ]
    grep -q "moe-train: stopped; continue with --resume --state m2.state" said
    [ "$(ask m2.state 'm["moe.format"]')" = state/1 ]
    [ "$(ask m2.state 'json.loads(m["moe.train"])["step"] > 0')" = True ]
}

@test "--state names the file a stop leaves" {
    stop TERM log.jsonl moe-train $small --set train.epochs=1000000 --log log.jsonl --state here.state -q -o m2 w.st
    [ $code -eq 143 ]
    [ -s here.state ]
    [ ! -e m2 ]
    [ ! -e m2.state ]
}

@test "early stopping and the best epoch survive a stop in any epoch" {
    options="--set train.epochs=40 --set train.patience=6 --set train.lr=0.05 --set train.schedule=constant --set train.warmup_steps=0 --valid-groups S03"
    train whole $options --log whole.log w.st
    epochs=$(wc -l <whole.log)
    [ "$epochs" -lt 40 ] # it did stop early, and not at its best
    best=$(jq -s 'map(select(.best))[-1].epoch' whole.log)
    [ "$best" -lt "$epochs" ]
    train best $options --set train.epochs=$best w.st
    cmp <(ask whole 't') <(ask best 't')
    for n in 1 2 $((epochs - 1)); do # each a run that ends after n epochs, then goes on
        train part $options --set train.epochs=$n --state s w.st
        moe-train --resume --state s --no-history --valid-groups S03 --set train.epochs=40 -o part w.st
        cmp <(ask whole 't') <(ask part 't')
    done
}

@test "four epochs and two more are six, under a constant schedule" {
    options="--set train.schedule=constant --set train.warmup_steps=0"
    train six $options --set train.epochs=6 w.st
    train four $options --set train.epochs=4 --state s w.st
    moe-train --resume --state s --set train.epochs=6 --no-history -o more w.st
    cmp six more
    run ! cmp -s four more
}

@test "a finished state gives its model again, and fewer epochs than done train no further" {
    train a --set train.epochs=3 --set train.schedule=constant --state s w.st
    moe-train --resume --state s --no-history -o b w.st
    cmp a b
    moe-train --resume --state s --no-history --set train.epochs=1 -o c w.st
    cmp <(ask a t) <(ask c t)
}

@test "the state holds the seed: a draw of groups is the same after a stop" {
    options="--seed 12 --valid-fraction 0.5 --set train.schedule=constant"
    train a $options --set train.epochs=3 w.st
    train b $options --set train.epochs=1 --state s w.st
    moe-train --resume --state s --valid-fraction 0.5 --set train.epochs=3 --no-history -o b w.st
    cmp a b
}

@test "the state is written after every epoch and outlives SIGKILL" {
    options="--set train.epochs=1000000 --set train.patience=0"
    moe-train $small $options --state s --log l -o never w.st &
    pid=$!
    for _ in $(seq 600); do [ -s s ] && [ "$(wc -l <l)" -gt 3 ] && break; sleep 0.05; done
    kill -KILL $pid
    wait $pid || true
    [ ! -e never ]
    epoch=$(ask s 'json.loads(m["moe.train"])["epoch"]')
    [ "$epoch" -ge 2 ]
    moe-train --resume --state s --set train.epochs=$((epoch + 2)) --log l2 -o m2 w.st
    [ "$(jq -s 'map(.epoch)[0]' l2)" -eq $((epoch + 1)) ]
}

@test "a damaged or foreign state is refused, and no model comes of it" {
    train a --set train.epochs=1 --state s w.st
    r="moe-train --resume -o never.st"
    head -c 3000 s >cut.st
    refused 65 cut.st $r --state cut.st w.st
    refused 65 "m.st: not a training state" $r --state m.st w.st
    cp w.st windows-as-state.st
    refused 65 windows-as-state.st $r --state windows-as-state.st w.st
    refused 66 none $r --state none w.st
    moe-split --window 32 --experts 2 --halo 1 eeg/S0[12]*.csv -o other.st
    refused 65 "belongs to other windows" $r --state s other.st
    refused 65 "belongs to other windows" $r --state s --valid-groups S00 w.st
    edit w.st louder.st 'for k in "01":
    x = t["expert." + k][2]
    for i in range(len(x)): x[i] *= 2'
    refused 65 "belongs to other windows" $r --state s louder.st # the same names over other numbers
    refused 64 "--seed 3 has no effect" $r --state s --seed 3 w.st
    refused 64 "needs --state" $r w.st
    refused 64 "exclude each other" $r --state s --init m.st w.st
    refused 64 "the state has its configuration" $r --state s --preset seed w.st
    refused 78 "encoder.hidden_dim" $r --state s --set encoder.hidden_dim=16 w.st
    edit s bad 'del t["adam.v.classifier.bias"]'
    refused 65 adam.v.classifier.bias $r --state bad w.st
    edit s bad 't["adam.m.classifier.bias"][2][0] = math.nan'
    refused 65 adam.m.classifier.bias $r --state bad w.st
    for change in 'd["step"] = -1' 'del d["epoch"]' 'd["seed"] = "x"' 'd["seed"] = 1' 'd["fingerprint"] = 5' 'd["in_epoch"] = 2' \
        'd["in_epoch"] = 1.5' 'd["best_loss"] = "low"' 'd["epoch"] = 1e300' 'd["right"] = 7'; do
        edit s bad "d = json.loads(m['moe.train']); $change; m['moe.train'] = json.dumps(d)"
        refused 65 moe.train $r --state bad w.st
    done
    edit s bad 'm["moe.train"] = "{"'
    refused 65 moe.train $r --state bad w.st
}

@test "a state from within an epoch keeps its batch size" {
    stop TERM log.jsonl moe-train $small --set train.epochs=1000000 --set train.batch_size=1 --log log.jsonl -q -o m2 w.st
    [ $code -eq 143 ]
    [ "$(ask m2.state 'json.loads(m["moe.train"])["in_epoch"]')" -gt 0 ] || skip "stopped between two epochs"
    refused 78 train.batch_size moe-train --resume --state m2.state --set train.batch_size=3 -o never.st w.st
}

@test "the answer to a window is the same alone, in any batch, in any order, with any threads" {
    moe-train --set encoder.hidden_dim=8 --set train.epochs=1 -o dm.st w.st
    moe-train --preset seed $small --set train.epochs=1 -o sm.st w.st
    for model in m.st dm.st sm.st; do
        moe-predict -m $model w.st >all
        for batch in 1 7 64; do
            for threads in 1 3; do
                moe-predict -m $model --batch $batch --threads $threads w.st | cmp - all
                moe-route -m $model --jsonl --batch $batch --threads $threads w.st >route.$batch.$threads
                cmp route.1.1 route.$batch.$threads
            done
        done
        edit w.st turned.st 'for name in t:
    if name.startswith("window."): t[name] = (*t[name][:2], t[name][2][::-1])'
        moe-predict -m $model turned.st | tac | cmp - all
        edit w.st alone.st 'for name in t:
    if name.startswith("window."): t[name] = (t[name][0], [1], t[name][2][41:42])'
        [ "$(moe-predict -m $model alone.st)" = "$(sed -n 42p all)" ]
    done
}

@test "a pipe is the same as a file, through the whole chain" {
    cut="--window 32 --experts 2 --halo 1 --no-history"
    moe-split $cut eeg/*.csv -o f.st
    train f.model --set train.epochs=1 f.st
    moe-split $cut eeg/*.csv | train p.model --set train.epochs=1 -
    cmp f.model p.model
    moe-split $cut eeg/*.csv | train p.model --set train.epochs=1
    cmp f.model p.model
    moe-split --like f.model eeg/S01_1.csv --no-history -o n.st
    moe-route -m f.model n.st --no-history -o f.route
    moe-split --like f.model eeg/S01_1.csv --no-history | moe-route -m f.model - --no-history | cmp - f.route
    moe-route -m f.model n.st --no-history | cmp - f.route
    moe-stats f.route >f.stats
    moe-split --like f.model eeg/S01_1.csv | moe-route -m f.model | moe-stats | cmp - f.stats
    moe-predict -m f.model n.st >f.said
    moe-predict -m f.model <n.st | cmp - f.said
    moe-predict -m f.model n.st -o p.said
    cmp f.said p.said
    moe-predict -m f.model - <eeg/S01_1.csv | jq -c 'del(.recording, .group)' >p.said
    jq -c 'del(.recording, .group)' f.said | cmp - p.said
    train - --set train.epochs=1 f.st | cmp - f.model
}

@test "files one after the other on a pipe are joined: the union" {
    cut="--window 32 --experts 2 --halo 1 --no-history"
    moe-split $cut eeg/S0[01]_1.csv -o a.st
    moe-split $cut eeg/S0[23]_1.csv -o b.st
    train whole --set train.epochs=1 w.st
    cat a.st b.st | train joined --set train.epochs=1 -
    cmp <(ask whole t) <(ask joined t)
    [ "$(ask joined 'm["moe.train_groups"]')" = '["S00","S01","S02","S03"]' ]
    train two --set train.epochs=1 a.st b.st
    cmp joined two
    moe-predict -m m.st w.st >all
    cat a.st b.st | moe-predict -m m.st | cmp - all
    moe-predict -m m.st a.st b.st | cmp - all
}

@test "on a pipe each file is answered before the next is there" {
    moe-split --like m.st eeg/S00_1.csv -o a.st
    moe-split --like m.st eeg/S01_1.csv -o b.st
    mkfifo in
    moe-predict -m m.st <in >said &
    pid=$!
    exec 8>in
    cat a.st >&8
    for _ in $(seq 400); do [ "$(wc -l <said)" -eq 16 ] && break; sleep 0.05; done
    [ "$(wc -l <said)" -eq 16 ]
    moe-predict -m m.st a.st | cmp - said
    cat b.st >&8
    exec 8>&-
    wait $pid
    moe-predict -m m.st a.st b.st | cmp - said

    moe-route -m m.st --jsonl <in >routed &
    pid=$!
    exec 8>in
    cat a.st >&8
    for _ in $(seq 400); do [ "$(wc -l <routed)" -eq 16 ] && break; sleep 0.05; done
    [ "$(wc -l <routed)" -eq 16 ]
    exec 8>&-
    wait $pid
}

@test "a full disk is an error with a message, for every program and every output" {
    moe-route -m m.st w.st -o r.st
    full() { # full COMMAND...: standard output is full, or an option in the command names it
        run bash -c '"$@" >/dev/full' - "$@"
        [ "$status" -eq 74 ] || { echo "$*: status $status: $output" && return 1; }
        [[ "$output" == "$1: "*"No space left on device"* ]] || { echo "$*: $output" && return 1; }
    }
    full moe-split --window 32 --experts 2 eeg/S00_1.csv
    full moe-split --window 32 --experts 2 eeg/S00_1.csv -o /dev/full
    full moe-split --window 32 --experts 2 --explain eeg/S00_1.csv
    full moe-predict -m m.st w.st
    full moe-predict -m m.st --csv w.st
    full moe-predict -m m.st --per recording --tsv w.st
    full moe-predict -m m.st -o /dev/full w.st
    full moe-route -m m.st w.st
    full moe-route -m m.st --jsonl w.st
    full moe-route -m m.st -o /dev/full w.st
    full moe-stats r.st
    full moe-stats --raw r.st
    full moe-stats m.st
    full moe-stats r.st -o /dev/full
    full moe-train $small --set train.epochs=1 w.st -o -
    full moe-train $small --set train.epochs=1 w.st -o /dev/full
    full moe-train --print-config
    full moe-train $small --set train.epochs=5 --log /dev/full -o x w.st
    [ ! -e x ]
    [ "$(ask x.state 'json.loads(m["moe.train"])["step"]')" -eq 2 ] # it stopped at the first line, and can be resumed
    full moe-train $small --set train.epochs=1 --log /dev/full --log-every 1 -o x w.st
    full moe-train $small --set train.epochs=1 --state /dev/full -o x w.st
    full moe-cv $small --set train.epochs=1 w.st
    full moe-cv $small --set train.epochs=1 w.st -o /dev/full
    full moe-cv $small --set train.epochs=1 --summary /dev/full -o x w.st
    full moe-synth --subjects 1 --seconds 4 --truth /dev/full -o never-made
    for program in moe-split moe-train moe-predict moe-cv moe-route moe-stats moe-synth; do
        full $program --help
        full $program --version
    done
}

@test "killed while writing: the old file is whole, and the next run clears nothing up in its name" {
    cp m.st kept
    moe-split --window 32 --stride 1 --experts 2 --halo 1 eeg/*.csv -o many.st
    moe-predict -m m.st --csv many.st -o p.csv
    cp p.csv p.kept
    for delay in 0.002 0.005 0.01 0.02 0.04; do
        stop KILL $delay moe-train $small --set train.epochs=1 -o m.st w.st
        cmp m.st kept || ask m.st 'len(t)' # the old one, or the new one, but a whole one
        cp kept m.st
        stop KILL $delay moe-predict -m m.st --csv many.st -o p.csv
        cmp p.csv p.kept
    done
    find . -name '.*.tmp*' -delete
    stop TERM 0.01 moe-predict -m m.st --csv many.st -o p.csv
    cmp p.csv p.kept
    [ -z "$(find . -name '.*.tmp*')" ] # a signal that can be caught leaves nothing behind
}

@test "a second SIGTERM ends training at once and leaves the old model" {
    cp m.st kept
    moe-train $small --set train.epochs=1000000 -q -o m.st w.st &
    pid=$!
    sleep 0.2
    kill -TERM $pid
    kill -TERM $pid 2>/dev/null || true
    code=0
    wait $pid || code=$?
    [ $code -eq 143 ]
    cmp m.st kept
}

@test "a closed pipe ends a program in silence" {
    moe-split --window 32 --stride 1 --experts 2 --halo 1 eeg/*.csv -o many.st
    for command in "moe-predict -m m.st" "moe-route -m m.st --jsonl" "moe-route -m m.st"; do
        run bash -c "cat many.st many.st many.st | $command 2>said | head -c 10 >/dev/null; echo \${PIPESTATUS[1]}"
        [ "$output" -eq 141 ]
        [ ! -s said ]
    done
}

@test "an output in a folder that is not there is refused before the work" {
    for program in "moe-split --window 32 --experts 2 eeg/S00_1.csv" "moe-predict -m m.st w.st" "moe-route -m m.st w.st" \
        "moe-stats m.st" "moe-train $small --set train.epochs=1000000 w.st"; do
        refused 73 nowhere/x $program -o nowhere/x
    done
    refused 73 nowhere/s moe-train $small --set train.epochs=1000000 --state nowhere/s -o never.st w.st
    refused 73 nowhere/l moe-train $small --set train.epochs=1000000 --log nowhere/l -o never.st w.st
    refused 73 folder moe-train $small --set train.epochs=1000000 -o eeg w.st
}

@test "binary output is not written to a terminal" {
    script -qec true /dev/null </dev/null >/dev/null 2>&1 || skip "no terminal can be opened here"
    for command in "moe-route -m m.st w.st" "moe-split --window 32 --experts 2 eeg/S00_1.csv" \
        "moe-train --set train.epochs=1 w.st -o -" "moe-train nothing.st"; do # refused before anything is read
        run script -qec "$command" /dev/null </dev/null
        [ "$status" -eq 64 ]
        [[ "$output" == *"is a terminal"* ]]
    done
    run script -qec "moe-predict -m m.st w.st" /dev/null </dev/null
    [ "$status" -eq 0 ]
    [[ "$output" == '{"recording"'* ]]
}

@test "under cron, without a terminal, success is silent" {
    {
        moe-split --window 32 --experts 2 --halo 1 eeg/*.csv -o x.st
        moe-train $small --set train.epochs=2 --valid-groups S00 --state s --log l -o x.model x.st
        moe-train $small --resume --state s --valid-groups S00 -o x.model x.st 2>&1 || moe-train --resume --state s --valid-groups S00 -o x.model x.st
        moe-route -m x.model x.st -o x.route
        moe-stats x.route -o x.stats
        moe-predict -m x.model x.st -o x.said
    } >said 2>&1 </dev/null
    [ ! -s said ] || { cat said; false; }
}

@test "progress shows on a terminal, or when asked, and nowhere else" {
    moe-train $small --set train.epochs=2 --progress always -o x w.st 2>said
    grep -q "epoch 1 of 2, loss" said
    moe-train $small --set train.epochs=2 --progress never -v -o x w.st 2>said
    grep -q "moe-train: epoch 2 of 2: loss" said
    moe-train $small --set train.epochs=2 -o x w.st 2>said
    [ ! -s said ]
}

@test "what is read is never written over" {
    cp w.st in.st
    cp eeg/S00_1.csv in.csv
    ln -sf in.st link.st
    for command in "moe-train $small --log in.st -o x in.st" "moe-train $small -o ./in.st in.st" \
        "moe-train $small --state link.st -o x in.st" "moe-train $small --log x -o x in.st" \
        "moe-train $small -o x in.st in.st" "moe-split -o ./in.csv in.csv" "moe-predict -m m.st -o link.st in.st" \
        "moe-route -m m.st -o in.st link.st"; do
        run -64 $command
    done
    cmp w.st in.st
    cmp eeg/S00_1.csv in.csv
    [ -L link.st ]
}

@test "a limit on the address space ends with a message, not with waiting" {
    ldd "$(command -v moe-predict)" | grep -q asan && skip "a sanitizer takes the address space itself"
    for limit in 100000 200000; do
        run timeout 60 bash -c "ulimit -v $limit; exec moe-predict --threads 1 -m m.st w.st"
        [ "$status" -eq 71 ]
        [[ "$output" == *"address space"* ]]
    done
}

@test "a program has the threads it was asked for and no other, on all processors the shell has" {
    mkfifo in
    for n in 1 3; do
        rm -f out
        moe-predict -m m.st --threads $n <in >out 3>&- &
        exec 8>in
        head -n 40 eeg/S00_1.csv >&8
        until [ -s out ]; do sleep 0.01; done # a line is out: everything that will be started is
        [ "$(awk '/^Threads:/ { print $2 }' /proc/$!/status)" -eq $n ]
        [ "$(grep Cpus_allowed: /proc/$!/status)" = "$(grep Cpus_allowed: /proc/self/status)" ]
        exec 8>&-
        wait $!
    done
}

@test "cutting several recordings: the same bytes for any number of threads, and the first error of all" {
    options="--window 20 --stride 9 --experts 2 --halo 1 --no-history"
    moe-split $options --threads 1 -o one.st eeg/*.csv
    for n in 2 3 7; do
        moe-split $options --threads $n -o many.st eeg/*.csv
        cmp one.st many.st
        moe-split --explain --threads $n eeg/*.csv >many
        moe-split --explain --threads 1 eeg/*.csv | cmp - many
    done
    moe-split $options -o many.st <(cat eeg/S00_1.csv) <(cat eeg/S01_1.csv)
    [ "$(ask many.st 'm["moe.length"]')" = 20 ]
    # labels are numbered by all recordings together, whichever is read first
    for i in 0 1 2 3; do sed "s/task/class$((9 - i))/" eeg/S0${i}_1.csv >L$i.csv; done
    for n in 1 2 4; do
        moe-split $options --threads $n -o $n.st L?.csv
        cmp 1.st $n.st
        run -65 moe-split $options --threads $n --max-classes 4 -o never.st L?.csv
        [ "$output" = "moe-split: L3.csv: more than 4 different labels together with the earlier recordings; is this the label column? --max-classes raises the limit" ]
    done
    [ "$(ask 1.st 'm["moe.classes"]')" = '["class6","class7","class8","class9","rest"]' ]
    echo 1,2 >>L1.csv
    echo a,b >L2.csv
    for n in 1 2 4; do
        run -65 moe-split $options --threads $n -o never.st L?.csv not-there.csv
        [[ $output == "moe-split: L1.csv:"*": 2 cells"* ]]
        run -66 moe-split $options --threads $n -o never.st L0.csv not-there.csv L1.csv
        [[ $output == "moe-split: not-there.csv"* ]]
    done
}
