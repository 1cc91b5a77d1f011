#!/usr/bin/env bats
# Bad surroundings: closed standard streams, files that change while they are read, SIGKILL, limits of the system, file systems that
# lack something.
# shellcheck disable=SC2086,SC2154 # options kept in a variable are split on purpose; variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
    moe-predict -m m.st w.st -o p.jsonl
    moe-route -m m.st w.st --no-history -o r.st
    "${CC:-cc}" -std=c11 -D_GNU_SOURCE -shared -fPIC -o failing.so "$BATS_TEST_DIRNAME/preload/failing.c" -ldl
}

sanitized() {
    ldd "$(command -v moe-predict)" | grep -qE 'asan|tsan'
}

# fail WHAT: from here on `$failing PROGRAM...` is the program where that fails (tests/preload/failing.c)
fail() {
    sanitized && skip "a sanitizer wants to be loaded first"
    failing="env FAILING=$1 LD_PRELOAD=$BATS_FILE_TMPDIR/failing.so"
}

# commands KIND: a command of every program, one a line, whose result goes to a file out or a folder out (file), to standard
# output (output), or which reads standard input (input)
commands() {
    local few="moe-train $small --set train.epochs=2 --no-history -v" cv="moe-cv $small --set train.epochs=1 --no-history -v"
    local lines=$BATS_FILE_TMPDIR/p.jsonl cut="moe-split -v --window 32 --experts 2 --no-history"
    case $1 in
    file)
        printf '%s\n' "$few --valid-groups S01 -o out w.st" "$cv -o out w.st" "$cut -o out eeg/S00_1.csv eeg/S01_1.csv" \
            "moe-predict -v -m m.st -o out w.st" "moe-route -v --no-history -m m.st -o out w.st" "moe-stats -v -o out r.st" \
            "moe-score -v -o out $lines" "moe-synth -v --subjects 1 --seconds 4 -o out"
        ;;
    output)
        printf '%s\n' "$few -o - w.st" "$cv w.st" "$cut eeg/S00_1.csv" "moe-predict -m m.st w.st" "moe-route -m m.st w.st" \
            "moe-stats r.st" "moe-score $lines" "moe-synth --help" "moe-train --print-config" "moe-cv --version"
        ;;
    input)
        printf '%s\n' "$few -o never.st w.st -" "$few -o never.st" "$few --valid - -o never.st w.st" "$cv -" "$cut -o never.st -" \
            "$cut -o never.st eeg/S00_1.csv -" "moe-predict -m m.st" "moe-predict -m m.st -o never.st -" "moe-route -m m.st -" \
            "moe-stats" "moe-stats --leak-check w.st -" "moe-score" "moe-score --compare $lines -"
        ;;
    esac
}

# no_litter: no temporary file is left
no_litter() {
    [ -z "$(find . -name '.*.tmp*')" ] || { find . -name '.*.tmp*' && return 1; }
}

# until_true COMMAND...: waits until the command succeeds, half a minute or more
until_true() {
    for _ in $(seq 2000); do
        "$@" && return
        sleep 0.01
    done
    echo "never: $*" && return 1
}

running() {
    [ -n "$(readlink "/proc/$1/exe")" ] # a process that ended and was not waited for has none
}

# ended PID: waits for it, half a minute or more and no longer; sets code
ended() {
    until_true eval "! running $1" || kill -KILL "$1"
    code=0
    wait "$1" || code=$?
}

@test "with standard streams closed every program's results are the same bytes" {
    while read -r command; do
        rm -rf out wanted
        bash -c "$command 2>said" >/dev/null
        mv out wanted
        for closed in '2>&-' '<&- 2>&-' '<&- >&- 2>&-' '<&- >&-'; do
            rm -rf out
            run bash -c "exec $command $closed"
            [ "$status" -eq 0 ] || { echo "$command $closed: $status $output"; false; }
            diff -r out wanted || { echo "$command $closed"; false; }
        done
    done < <(commands file)
    rm -r out wanted
    moe-train $small --set train.epochs=2 --log wanted -o x w.st
    moe-train $small --set train.epochs=2 --log out -v -o x w.st 2>&-
    [ "$(jq -c .loss out)" = "$(jq -c .loss wanted)" ]
}

@test "a closed standard output is an error where the result should go there" {
    while read -r command; do
        run bash -c "exec $command >&-"
        [ "$status" -eq 73 ] || { echo "$command: $status $output"; false; }
        [[ "$output" == "${command%% *}: "*"standard output: is closed"* ]] || { echo "$command: $output"; false; }
        run bash -c "exec $command >&- 2>&-"
        [ "$status" -eq 73 ]
    done < <(commands output)
    run bash -c "moe-predict -m m.st -o /dev/stdout w.st >&-"
    [ "$status" -eq 73 ]
    run bash -c "moe-predict -m m.st w.st 1<w.st"
    [ "$status" -eq 73 ]
}

@test "a closed standard input is an error and never another file" {
    while read -r command; do
        run bash -c "exec $command <&- >out"
        [ "$status" -eq 66 ] || { echo "$command: $status $output"; false; }
        [[ "$output" == *"${command%% *}: standard input: is closed"* ]] || { echo "$command: $output"; false; }
        [ ! -e never.st ]
    done < <(commands input)
    run bash -c "moe-stats /dev/stdin <&-"
    [ "$status" -eq 66 ]
    run bash -c "moe-stats - 0>written"
    [ "$status" -eq 66 ]
}

@test "windows that become shorter while they train: named, 74, nothing left" {
    for threads in 1 3; do
        cp "$BATS_FILE_TMPDIR/w.st" w.st
        rm -f log
        moe-train $small --set train.epochs=1000000 --threads $threads --log log --state s -o never.st w.st 2>said &
        until_true test -s log
        : >w.st
        ended $!
        cat said
        [ $code -eq 74 ]
        grep -qE "^moe-train: w.st: (became shorter|changed) while it was read; .*replace files with mv, never by overwriting them$" said
        [ ! -e never.st ]
        no_litter
    done
}

@test "windows that are written over while they train: named, 74, no model; replaced by mv they may be" {
    train wanted --set train.epochs=100 w.st
    moe-train $small --set train.epochs=1000000 --log log -o never.st w.st 2>said &
    until_true test -s log
    head -c 64 /dev/zero | dd of=w.st bs=1 seek=9000 conv=notrunc 2>/dev/null
    ended $!
    cat said
    [ $code -eq 74 ]
    grep -q "^moe-train: w.st: changed while it was read; run again, and replace files with mv, never by overwriting them$" said
    [ ! -e never.st ]
    [ ! -e never.st.state ]
    for way in "mv one.st w.st" "rm w.st"; do
        cp "$BATS_FILE_TMPDIR"/*.st .
        rm -f log
        moe-train $small --set train.epochs=100 --no-history --log log -o out w.st &
        until_true test -s log
        $way
        ended $!
        [ $code -eq 0 ]
        cmp out wanted
    done
}

@test "a live pipe keeps its model, whatever becomes of the file" {
    cat w.st w.st | moe-predict -m m.st >wanted
    mkfifo in
    for way in "rm m.st" "mv one.st m.st" "truncate -s 0 m.st"; do
        cp "$BATS_FILE_TMPDIR"/*.st .
        moe-predict -m m.st <in >out &
        exec 8>in
        cat w.st >&8
        until_true test -s out
        $way
        cat "$BATS_FILE_TMPDIR/w.st" >&8
        exec 8>&-
        ended $!
        [ $code -eq 0 ]
        cmp out wanted
    done
}

# writing PID: whether it has a result open that has no name, or a hidden one
writing() {
    find "/proc/$1/fd" -lname "$PWD/*(deleted)" 2>/dev/null | grep -q . || find . -name '.*.tmp*' | grep -q .
}

# killed SIGNAL PROGRAM...: ends the program by the signal once it has a result open; standard input is a pipe that stays silent
killed() {
    local signal=$1
    shift
    [ -p silent ] || mkfifo silent
    "$@" <silent 3>&- &
    local pid=$!
    exec 8>silent
    until_true writing $pid
    kill -"$signal" $pid
    ended $pid
    exec 8>&-
}

@test "SIGKILL leaves nothing and the old result" {
    for out in old new; do
        echo old >old
        killed KILL moe-predict -m m.st -o $out -
        [ $code -eq 137 ]
        no_litter
        killed KILL moe-cv -q $small --set train.epochs=1000000 --summary $out.json -o $out w.st
        [ $code -eq 137 ]
        no_litter
        [ "$(cat old)" = old ]
        [ ! -e new ]
    done
}

@test "results keep the mode of what they replace, a link its target, and others have that of the umask" {
    moe-predict -m m.st w.st >wanted
    for what in nothing tmpfile proc link; do
        rm -f a b c d
        echo old >a
        chmod 640 a
        echo old >b
        ln -s b c
        fail $what
        (umask 027 && for f in a c d; do $failing moe-predict -m m.st -o $f w.st || exit; done)
        for f in a b d; do cmp $f wanted; done
        [ "$(stat -c %a a b d)" = $'640\n644\n640' ]
        [ -L c ]
        no_litter
    done
}

@test "without nameless files: a hidden one, which signals and want of memory remove" {
    echo old >out
    for what in tmpfile proc; do
        fail $what
        for signal in TERM HUP; do
            killed $signal $failing moe-predict -m m.st -o out -
            [ $code -gt 128 ]
            no_litter
        done
        killed KILL $failing moe-predict -m m.st -o out -
        find . -name '.out.tmp*' | grep -q . # it is this way that is tested
        find . -name '.*.tmp*' -delete
    done
    fail memory
    run $failing moe-predict -m m.st -o out w.st
    echo "$output"
    [ "$status" -eq 71 ]
    no_litter
    fail tmpfile
    run $failing bash -c "ulimit -d 250000; exec moe-cv --threads 2 $small --set train.epochs=1 -o out w.st"
    [ "$status" -eq 71 ]
    no_litter
    $failing moe-cv -q $small --set train.epochs=1 --seeds 1..9999 -o out w.st 2>said &
    until_true writing $!
    : >w.st
    ended $!
    cat said
    [ $code -eq 74 ]
    no_litter
    [ "$(cat out)" = old ]
}

@test "a folder that cannot be flushed is an error, unless its file system never can" {
    fail folder
    run $failing moe-predict -m m.st -o out w.st
    [ "$status" -eq 74 ]
    [ "$output" = "moe-predict: out: was written, but its folder cannot be flushed to the disk: Input/output error" ]
    fail flushless
    $failing moe-predict -m m.st -o out w.st
}

@test "a file that grows beyond ulimit -f: named, 74, nothing left" {
    for command in "moe-predict -m m.st w.st -o out" "moe-split --window 32 --stride 1 --experts 2 eeg/S00_1.csv -o out" \
        "moe-cv $small --set train.epochs=1 -o out w.st" "moe-route -m m.st w.st -o out"; do
        run bash -c "ulimit -f 2; exec $command"
        [ "$status" -eq 74 ]
        [[ "$output" == "${command%% *}: "*"File too large" ]] || { echo "$output"; false; }
        [ ! -e out ]
        no_litter
    done
    run bash -c "ulimit -f 2; exec moe-predict -m m.st w.st >out"
    [ "$status" -eq 74 ]
    [ "$output" = "moe-predict: standard output: cannot write: File too large" ]
}

@test "a small stack is made larger, or refused in words" {
    sanitized && skip "a sanitizer needs more"
    for s in 24 64; do
        bash -c "ulimit -S -s $s; exec moe-cv -q --threads 3 $small --set train.epochs=1 -o out w.st"
        bash -c "ulimit -S -s $s; exec moe-train -q --threads 3 $small --set train.epochs=1 -o out w.st"
        for program in moe-split moe-train moe-predict moe-cv moe-route moe-stats moe-score moe-synth; do
            run bash -c "ulimit -s $s; exec $program --help"
            [ "$status" -eq 71 ]
            [ "$output" = "$program: the stack is limited to less than 1024 KB; raise the limit (ulimit -s 1024)" ]
        done
    done
}

@test "a limit on memory is told by its name" {
    sanitized && skip "a sanitizer takes the address space itself"
    for limit in d v; do
        run bash -c "ulimit -$limit 250000; exec moe-cv --threads 2 $small --set train.epochs=1 w.st"
        [ "$status" -eq 71 ]
        [[ "$output" == *"raise the limit (ulimit -$limit)"* ]]
    done
}

@test "two runs do not share a log" {
    moe-train $small --set train.epochs=1000000 --log log --state s -q -o a w.st 3>&- &
    until_true test -s s
    had=$(wc -l <log)
    for way in "" "--resume --state t"; do
        cp s t
        run moe-train ${way:-$small} --log log -o never.st w.st
        echo "$output"
        [ "$status" -eq 75 ]
        [ "$output" = "moe-train: log: another run is writing to it; wait until it ends, or give each run its own --log" ]
        [ ! -e never.st ]
    done
    [ "$(wc -l <log)" -ge "$had" ]
    kill $!
    ended $!
    [ $code -eq 143 ]
    train b --set train.epochs=2 --log log w.st
    [ "$(jq -s 'map(.epoch) == [1, 2]' log)" = true ]
    moe-train $small --set train.epochs=1000000 --log /dev/null --state u -q -o a w.st 3>&- &
    until_true test -s u
    train b --set train.epochs=1 --log /dev/null w.st
    kill $!
    ended $!
}
