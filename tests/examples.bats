#!/usr/bin/env bats
# The scripts of examples/ on small synthetic recordings.

setup_file() {
    cd "$BATS_FILE_TMPDIR" || exit 1
    PATH=$MOE_BIN:$PATH
    moe-synth --subjects 5 --channels 8 --seconds 12 --rate 64 --seed 3 -o eeg
    mkdir held-out
    mv eeg/S04_*.csv held-out/
}

setup() {
    examples=$BATS_TEST_DIRNAME/../examples
    PATH=$MOE_BIN:$PATH
    cd "$BATS_TEST_TMPDIR" || exit 1
    eeg=$BATS_FILE_TMPDIR/eeg held_out=$BATS_FILE_TMPDIR/held-out
    export EPOCHS=1 CUT="--window 64 --experts 2"
}

@test "every script is POSIX shell without a mistake in its syntax" {
    for f in "$examples"/*.sh; do sh -n "$f"; done
}

@test "own recordings: explained, trained, routed, predicted" {
    run sh "$examples/01-own-recordings.sh" "$eeg" --window 64 --experts 2
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"S00_1.csv: 768 rows at 64 Hz, 8 channels"* ]]
    [ -s windows.safetensors ]
    [ -s model.safetensors ]
    [ "$(wc -l <train.jsonl)" -ge 1 ]
    [ "$(wc -l <predictions.csv)" -eq 5 ] # a header and four recordings
}

@test "own recordings: a folder that is not there is an error" {
    run sh "$examples/01-own-recordings.sh" nowhere
    [ "$status" -ne 0 ]
    [ ! -e windows.safetensors ]
}

@test "cron: the first run makes the model, says nothing and leaves nothing behind" {
    run sh "$examples/02-cron.sh" "$eeg" "$held_out" "$PWD/model.st"
    echo "$output"
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    moe-predict -m model.st "$held_out"/S04_1.csv >answers
    [ -s answers ]
    grep -q "old none kept new" model.st.log
    [ "$(find . -name '.retrain*')" = "" ]
}

@test "cron: a new model that is not better does not replace the old one" {
    sh "$examples/02-cron.sh" "$eeg" "$held_out" "$PWD/model.st"
    cp model.st before
    run sh "$examples/02-cron.sh" "$eeg" "$held_out" "$PWD/model.st"
    echo "$output"
    [ "$status" -eq 0 ]
    cmp model.st before # trained alike, so equally good
    [ "$(wc -l <model.st.log)" -eq 2 ]
    tail -n 1 model.st.log | grep -q "kept old"
}

@test "cron: a failing program is heard and the old model stays" {
    sh "$examples/02-cron.sh" "$eeg" "$held_out" "$PWD/model.st"
    cp model.st before
    mkdir broken
    echo "no numbers here" >broken/S00_1.csv
    run sh "$examples/02-cron.sh" "$PWD/broken" "$held_out" "$PWD/model.st"
    [ "$status" -ne 0 ]
    [[ $output == *moe-split:* ]]
    cmp model.st before
    [ "$(find . -name '.retrain*')" = "" ]
}

@test "cron: a second run while the lock is held ends with 75" {
    : >model.st.lock
    flock model.st.lock sh "$examples/02-cron.sh" "$eeg" "$held_out" model.st && status=0 || status=$?
    [ "$status" -eq 75 ]
    [ ! -e model.st ]
}

@test "systemd units: the timer makes up for missed nights and the service takes a held lock for success" {
    grep -qx "Persistent=true" "$examples/moe-retrain.timer"
    grep -qx "SuccessExitStatus=75" "$examples/moe-retrain.service"
    script=$(sed -n 's/^ExecStart=.*examples\/\([^ ]*\) .*/\1/p' "$examples/moe-retrain.service")
    [ -f "$examples/$script" ]
    if command -v systemd-analyze >/dev/null; then
        run systemd-analyze verify --man=no "$examples/moe-retrain.timer"
        [ "$status" -eq 0 ]
    fi
}

@test "the demo says where the class was, what the gate weighed and how good the answers are" {
    run env DEMO_FOLDER="$PWD/demo" EPOCHS=1 sh "$examples/demo.sh"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"The class was put into region 2"* ]]
    [[ $output =~ "The largest is that of region "[0-3] ]]
    [[ $output =~ accuracy\ [01](\.[0-9]+)?,\ where ]]
}
