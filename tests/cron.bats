#!/usr/bin/env bats
# examples/02-cron.sh, retraining at night: which model is kept, and that it stays whole and alone whatever goes wrong.

load train_helpers

setup_file() {
    cd "$BATS_FILE_TMPDIR" || exit 1
    PATH=$MOE_BIN:$PATH
    export EPOCHS=1 CUT="--window 64 --regions 2"
    moe-synth --subjects 5 --channels 8 --seconds 12 --rate 64 --seed 3 -o eeg
    mkdir held-out exchanged
    mv eeg/S04_*.csv held-out/
    # the same with the classes exchanged: what learns from these is wrong about the people held out
    for f in eeg/*.csv; do
        sed 's/,rest$/,X/; s/,task$/,rest/; s/,X$/,task/' "$f" >"exchanged/${f##*/}"
    done
    sh "$BATS_TEST_DIRNAME/../examples/02-cron.sh" eeg held-out good.st
}

setup() {
    examples=$BATS_TEST_DIRNAME/../examples
    PATH=$MOE_BIN:$PATH
    cd "$BATS_TEST_TMPDIR" || exit 1
    eeg=$BATS_FILE_TMPDIR/eeg held_out=$BATS_FILE_TMPDIR/held-out exchanged=$BATS_FILE_TMPDIR/exchanged
    export EPOCHS=1 CUT="--window 64 --regions 2"
    cp "$BATS_FILE_TMPDIR/good.st" good.st
    cp good.st model.st
    running=()
}

teardown() {
    local p
    for p in "${running[@]}"; do kill -KILL "$p" 2>/dev/null || :; done
}

# retrain ARGUMENTS...: with bats' run
retrain() {
    run sh "$examples/02-cron.sh" "$@"
    echo "$output"
}

tidy() { # nothing of a run lies about
    [ -z "$(find . -name '.retrain*')" ]
}

untouched() { # nor has the model changed
    cmp model.st good.st
    tidy
}

good() { # good MODEL: it has learnt what good.st has
    [ "$(tensors "$1")" = "$(tensors good.st)" ]
}

# training_is_endless: from here on moe-train goes on for good and tells its process id in ./training
training_is_endless() {
    mkdir bin
    cat >bin/moe-train <<EOF
#!/bin/sh
echo \$\$ >"$PWD/training.new"
mv "$PWD/training.new" "$PWD/training"
exec "$MOE_BIN/moe-train" "\$@" --set train.epochs=1000000 --set train.patience=0
EOF
    chmod +x bin/moe-train
    ordinary_path=$PATH
    PATH=$PWD/bin:$PATH # for what the script calls
}

# start ARGUMENTS...: the script in the background, until it trains; its process id in $script, that of moe-train in $training
start() {
    local i
    rm -f training
    env --default-signal=INT sh "$examples/02-cron.sh" "$@" 3>&- 2>err &
    script=$!
    running+=("$script")
    for ((i = 0; i < 600; i++)); do
        [ ! -e training ] || break
        sleep 0.1
    done
    training=$(<training)
    running+=("$training")
}

is_over() { # is_over PROCESS: it is gone, or dead and not yet waited for
    local state
    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 0
    [ -z "$state" ] || [ "$state" = Z ]
}

@test "the first run makes the model, says nothing and leaves nothing behind" {
    rm model.st
    retrain "$eeg" "$held_out" model.st
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    moe-predict -m model.st "$held_out"/S04_1.csv >answers
    [ -s answers ]
    grep -q "old none kept new" model.st.log
    tidy
}

@test "a new model that is as good does not replace the old one" {
    touch -d 2001-01-01 model.st
    retrain "$eeg" "$held_out" model.st
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ "$(stat -c %Y model.st)" = "$(date -d 2001-01-01 +%s)" ] # its equal in bytes was not put in its place
    grep -q "kept old" model.st.log
    untouched
}

@test "a failing program is heard and the old model stays" {
    mkdir broken
    echo "no numbers here" >broken/S00_1.csv
    retrain broken "$held_out" model.st
    [ "$status" -ne 0 ]
    [[ $output == *moe-split:* ]]
    untouched
}

@test "a second run while the lock is held ends with 75 and says so" {
    : >model.st.lock
    run flock model.st.lock sh "$examples/02-cron.sh" "$eeg" "$held_out" model.st
    [ "$status" -eq 75 ]
    [[ $output == *"another run is at work on it"* ]]
    untouched
}

@test "a new model that is worse does not replace the old one" {
    retrain "$exchanged" "$held_out" model.st
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    untouched
    # shellcheck disable=SC2034
    read -r time _ new _ old _ kept <model.st.log
    [ "$kept" = old ]
    awk "BEGIN { exit !($new < 0.3 && $old > 0.7) }"
}

@test "a new model that is better replaces the old one, for those who could read that" {
    sh "$examples/02-cron.sh" "$exchanged" "$held_out" bad.st
    chmod 640 bad.st
    (
        umask 077
        sh "$examples/02-cron.sh" "$eeg" "$held_out" bad.st
    )
    good bad.st
    tail -n 1 bad.st.log | grep -q "kept new"
    [ "$(stat -c %a bad.st)" = 640 ]
    tidy
}

@test "TERM, INT or HUP to the script end the training, free the lock and leave the model and nothing else" {
    training_is_endless
    for s in TERM:143 INT:130 HUP:129; do
        start "$eeg" "$held_out" model.st
        run flock -n model.st.lock true
        [ "$status" -eq 1 ]
        kill -"${s%:*}" "$script"
        wait "$script" && status=0 || status=$?
        echo "$s: $status; $(cat err)"
        [ "$status" -eq "${s#*:}" ]
        is_over "$training"
        flock -n model.st.lock true
        grep -q "model.st is as it was" err
        [ ! -s model.st.log ]
        untouched
    done
}

@test "what a run has left that was killed is removed by the next one, what belongs to another model is not" {
    training_is_endless
    start "$eeg" "$held_out" other.st
    start "$eeg" "$held_out" model.st
    kill -KILL "$script"
    wait "$script" || :
    PATH=$ordinary_path retrain "$eeg" "$held_out" model.st # the training goes on and has the lock
    [ "$status" -eq 75 ]
    kill -KILL "$training"
    flock model.st.lock true
    [ -d .retrain-model.st ]
    PATH=$ordinary_path retrain "$eeg" "$held_out" model.st
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ "$(find . -name '.retrain*')" = ./.retrain-other.st ]
    run flock -n other.st.lock true
    [ "$status" -eq 1 ]
    cmp model.st good.st
}

@test "a model that is a symbolic link stays one, and the lock is that of its target" {
    mkdir store
    sh "$examples/02-cron.sh" "$exchanged" "$held_out" store/real.st
    ln -s store/real.st link.st
    ln -s link.st further.st
    sh "$examples/02-cron.sh" "$eeg" "$held_out" further.st
    [ "$(readlink further.st)" = link.st ]
    [ "$(readlink link.st)" = store/real.st ]
    [ ! -L store/real.st ]
    good store/real.st
    grep -q "kept new" further.st.log
    tidy
    run flock store/real.st.lock sh "$examples/02-cron.sh" "$eeg" "$held_out" link.st
    [ "$status" -eq 75 ]
}

@test "a link that leads to no model yet gets one there" {
    mkdir store
    ln -s store/real.st link.st
    retrain "$eeg" "$held_out" link.st
    [ "$status" -eq 0 ]
    [ -L link.st ]
    good store/real.st
}

@test "the environment cannot talk the script out of the lock" {
    MOE_LOCKED=model.st run flock model.st.lock sh "$examples/02-cron.sh" "$eeg" "$held_out" model.st
    [ "$status" -eq 75 ]
    untouched
}

@test "names with blanks, quotes, dollars and dashes in front" {
    # shellcheck disable=SC2016 # no shell is to expand them
    local folder='-r $(touch pwned) "x'"'" name='-m $(touch pwned);* "x'"'"
    cp -r "$eeg" "./$folder"
    mv "./$folder/S00_1.csv" "./$folder/-S00 \$(touch pwned);b_1.csv"
    cp -r "$held_out" ./-h
    retrain "$folder" -h "$name"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    [ -s "./$name" ]
    grep -q "kept new" "./$name.log"
    [ ! -e pwned ]
    tidy
}

@test "folders without recordings, recordings without labels: said, and the model stays" {
    mkdir empty unlabelled
    retrain empty "$held_out" model.st
    [ "$status" -eq 66 ]
    [[ $output == *"empty: "*"no recordings"* ]]
    retrain "$eeg" empty model.st
    [ "$status" -eq 66 ]
    [[ $output == *"empty: "*"no recordings"* ]]
    for f in "$held_out"/*.csv; do sed '2,$s/,[a-z]*$/,/' "$f" >"unlabelled/${f##*/}"; done
    retrain "$eeg" unlabelled model.st
    [ "$status" -eq 65 ]
    [[ $output == *"unlabelled: no window has a label"* ]]
    untouched
    retrain "$eeg" "$held_out"
    [ "$status" -eq 64 ]
    [[ $output == *usage:* ]]
}

@test "a damaged model is said before anything is trained, and stays for a person to look at" {
    head -c 500 good.st >damaged.st
    cp damaged.st before
    mkdir bin
    printf '#!/bin/sh\n: >"%s/training"\nexit 1\n' "$PWD" >bin/moe-train
    chmod +x bin/moe-train
    PATH=$PWD/bin:$PATH
    retrain "$eeg" "$held_out" damaged.st
    [ "$status" -eq 65 ]
    [[ $output == *"damaged.st: "* ]]
    [ ! -e training ]
    cmp damaged.st before
    tidy
}

@test "no room on the disk: said, and the model stays" {
    run bash -c 'ulimit -f 8; exec sh "$@"' - "$examples/02-cron.sh" "$eeg" "$held_out" model.st
    echo "$output"
    [ "$status" -ne 0 ]
    [[ $output == *moe-split* ]]
    untouched
}

@test "a place or a log that cannot be written is said" {
    mkdir folder.st
    retrain "$eeg" "$held_out" folder.st
    [ "$status" -eq 73 ]
    [[ $output == *"folder.st: a folder"* ]]
    retrain "$eeg" "$held_out" nowhere/model.st
    [ "$status" -eq 73 ]
    [[ $output == *"nowhere/model.st: its folder is not there"* ]]
    mkdir model.st.log
    retrain "$eeg" "$held_out" model.st
    [ "$status" -eq 73 ]
    [[ $output == *"model.st.log: cannot be written"* ]]
    rmdir model.st.log
    ln -s /dev/full model.st.log
    retrain "$eeg" "$held_out" model.st
    [ "$status" -eq 74 ]
    [[ $output == *"model.st.log: cannot be written; the old model was kept"* ]]
    untouched
}

@test "systemd units: the timer makes up for missed nights and the service takes neither a held lock nor a stop for a failure" {
    grep -qx "Persistent=true" "$examples/moe-retrain.timer"
    grep -qx "SuccessExitStatus=75 143" "$examples/moe-retrain.service"
    script=$(sed -n 's/^ExecStart=.*examples\/\([^ ]*\) .*/\1/p' "$examples/moe-retrain.service")
    [ -f "$examples/$script" ]
    if command -v systemd-analyze >/dev/null; then
        run systemd-analyze verify --man=no "$examples/moe-retrain.timer"
        [ "$status" -eq 0 ]
    fi
}
