#!/usr/bin/env bats
# The scripts of examples/ on small synthetic recordings.

setup_file() {
    cd "$BATS_FILE_TMPDIR" || exit 1
    PATH=$MOE_BIN:$PATH
    moe-synth --subjects 4 --channels 8 --seconds 12 --rate 64 --seed 3 -o eeg
}

setup() {
    examples=$BATS_TEST_DIRNAME/../examples
    PATH=$MOE_BIN:$PATH
    cd "$BATS_TEST_TMPDIR" || exit 1
    eeg=$BATS_FILE_TMPDIR/eeg
    export EPOCHS=1 CUT="--window 64 --regions 2"
}

@test "every script is POSIX shell without a mistake in its syntax" {
    for f in "$examples"/*.sh; do sh -n "$f"; done
}

@test "own recordings: explained, trained, routed, predicted" {
    run sh "$examples/01-own-recordings.sh" "$eeg" --window 64 --regions 2
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

@test "own recordings: what came of the training is said" {
    run sh "$examples/01-own-recordings.sh" "$eeg" --window 64 --regions 2
    echo "$output"
    best=$(jq -rs 'map(select(.best)) | last | "epoch \(.epoch) was best on the groups left out: accuracy \(.valid_accuracy * 1000 | round / 1000),"' train.jsonl)
    [[ $output == *"$best"* ]]
}

@test "experiments: a folder without recordings, or of one person, is an error that says so" {
    mkdir -p empty tmp
    run env TMPDIR="$PWD/tmp" sh "$examples/04-transformer.sh" empty
    echo "$output"
    [ "$status" -eq 66 ]
    [ "$output" = "empty: there are no recordings (*.csv) in it" ]
    cp "$eeg"/S00_1.csv empty/
    run env TMPDIR="$PWD/tmp" sh "$examples/04-transformer.sh" empty
    echo "$output"
    [ "$status" -eq 65 ]
    [[ $output == "empty: recordings of one subject only (S00)"* ]]
    [ -z "$(ls tmp)" ]
}

@test "the demo says where the class was, what the gate weighed and how good the answers are" {
    run env DEMO_FOLDER="$PWD/demo" EPOCHS=1 sh "$examples/demo.sh"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *"The class was put into region 2"* ]]
    [[ $output =~ "The largest is that of region "[0-3] ]]
    [[ $output =~ accuracy\ [01](\.[0-9]+)?,\ where ]]
}

# experiment SCRIPT ARGUMENTS...: its output in $output; it must end well and leave nothing behind
experiment() {
    local script=$1
    shift
    mkdir -p tmp
    run env TMPDIR="$PWD/tmp" sh "$examples/$script" "$@"
    echo "$output"
    [ "$status" -eq 0 ]
    [ -z "$(ls tmp)" ]
    ! grep -qE 'null|[nN]a[nN]|jq: |moe-[a-z]*: ' <<<"$output"
}

@test "regions: a halo lets a region see over its border, and the region that matters is the one that is missed" {
    unset EPOCHS
    experiment 03-regions.sh
    sed -n 's/.*halo \([01]\): accuracy \([0-9.]*\) .*/\1 \2/p' <<<"$output" >halo
    awk '{ a[$1] = $2 } END { exit !(a[0] < 0.65 && a[1] > 0.9) }' halo
    grep -q "region 2 sees P7 P3 P4 P8 T8 PO7" <<<"$output"
    [ "$(grep -c "in all, accuracy" <<<"$output")" -eq 3 ]
    [ "$(sed -n 's/.*without region \([0-3]\): \([-0-9.]*\).*/\2 \1/p' <<<"$output" | sort -g | head -n 1 | cut -d' ' -f2)" = 2 ]
}

@test "regions: with recordings of one's own" {
    experiment 03-regions.sh "$eeg" --window 64 --regions 2
    grep -q "regions: 0 1$" <<<"$output"
}

@test "transformers: a mixture has more parameters than the plain one, of which fewer are active" {
    experiment 04-transformer.sh "$eeg" --window 64
    sed -n 's/^   \([a-z].*[a-z0-9]\)  *\([0-9]*\) in all, \([0-9]*\) active; accuracy.*/\1:\2:\3/p' <<<"$output" >sizes
    [ "$(wc -l <sizes)" -eq 5 ]
    awk -F: '$1 == "plain" { plain = $2; ok = $2 == $3 } $1 ~ /^mixtures in all/ { all = $2; more = $2 > $3 && $3 > plain }
        $1 ~ /^in layers/ { some = $2 < all && $2 > plain } END { exit !(ok && more && some) }' sizes
}

@test "specialisation: capacity drops places, nothing else does" {
    experiment 05-specialisation.sh "$eeg" --window 64
    [ "$(grep -c "accuracy.*dropped 0;.*dropped 0$" <<<"$output")" -eq 3 ]
    grep -q "capacity by the load.*dropped 0\.[0-9]*; .*dropped 0\.[0-9]*$" <<<"$output"
    [ "$(grep -c "share, " <<<"$output")" -eq 2 ]
}

@test "types of experts: every row has its figures, capacity keeps the fullest expert down" {
    experiment 06-experts.sh "$eeg" --window 64
    [ "$(grep -c "in all, .* active; accuracy .*; entropy .* times the mean, empty" <<<"$output")" -eq 13 ]
    sed -n 's/.*as much as comes.*largest share \([0-9.]*\) .*/\1/p; s/.*1.25 in training.*largest share \([0-9.]*\) .*/\1/p' <<<"$output" >largest
    [ "$(wc -l <largest)" -eq 2 ]
    awk 'NR == 1 { free = $1 } END { exit !($1 <= free) }' largest
    grep -q "Shares run from" <<<"$output"
}

@test "routers: experts that choose are evenly used, and soft has all parameters active" {
    experiment 07-routers.sh "$eeg" --window 64
    grep -qE "soft +([0-9]+) in all, \1 active" <<<"$output"
    grep -q "expert_choice .*; 1 to 1, " <<<"$output"
    [ "$(grep -c "most often together" <<<"$output")" -eq 2 ]
    [ "$(grep -c "layer [01], expert [0-7]: " <<<"$output")" -eq 3 ]
}

@test "two rhythms: expert and rhythm go together beyond every permutation, and do not when there is no rhythm" {
    unset EPOCHS
    SEEDS="1 2" experiment 08-two-rhythms.sh
    [ "$(grep -o "above every one: .*" <<<"$output" | paste -sd, -)" = "above every one: 2 of 2 seeds,above every one: 0 of 2 seeds" ]
}

@test "a relation: only an exchange between the layers finds it" {
    unset EPOCHS
    SEEDS=1 experiment 09-relation.sh
    tail -n 1 <<<"$output" >figures
    # 360 windows: chance is within 0.5 +- 0.08 in 998 of 1000 cases
    awk '{ for (i = 2; i <= 5; i++) if ($i < 0.42 || $i > 0.58) bad = 1; exit bad || $6 < 0.9 }' figures
}

# made_up SNR OPTION...: recordings of people made up, in the folder named after the SNR; one without an effect shows what luck does
made_up() {
    moe-synth --snr "$@" -o "$1"
}

# figures WHAT: accuracy, the lower end of its interval (or -) and the limit of chance, of that line of $output
figures() {
    sed -nE "s/^$1: accuracy ([0-9.]+)(, ([0-9.]+) to [^,]*)?, chance [0-9.]+, up to ([0-9.]+);.*/\1 \3- \4/p" <<<"$output"
}

# beyond_chance WHAT ACCURACY: that much is reached, and the interval, if there is one, lies above what chance reaches in 95 of 100 cases
beyond_chance() {
    figures "$1" | awk -v least="$2" '{ found++; ok = $1 >= least && $1 > $3 && ($2 == "-" || $2 + 0 > $3) } END { exit !(found == 1 && ok) }'
}

# by_luck WHAT ACCURACY: less than that
by_luck() {
    figures "$1" | awk -v most="$2" '{ found++; ok = $1 < most } END { exit !(found == 1 && ok) }'
}

@test "mental arithmetic: the class of people not seen is told beyond chance where there is something to tell, and only there" {
    export SEEDS=1 EPOCHS=6
    made_up 0.1 --subjects 8 --channels 8 --seconds 40 --where C3,C4 --seed 1
    made_up 0 --subjects 8 --channels 8 --seconds 40 --where C3,C4 --seed 1
    experiment 10-mental-arithmetic.sh 0.1 --regions 2
    beyond_chance zscore 0.8
    beyond_chance group 0.8
    experiment 10-mental-arithmetic.sh 0 --regions 2
    by_luck zscore 0.65
    by_luck group 0.65
}

@test "three lights: which one is looked at is told beyond chance, and not where there is none" {
    export SEEDS=1 EPOCHS=10
    local lights="--subjects 5 --channels O1,Oz,O2,POz,PO3,PO4,PO7,PO8 --rate 256 --seconds 60 --classes none,13,21,17
        --effect 13:13@O1+Oz --effect 21:21@Oz+O2 --effect 17:17@POz+Oz --seed 1"
    # shellcheck disable=SC2086
    made_up 0.05 $lights
    # shellcheck disable=SC2086
    made_up 0 $lights
    experiment 11-ssvep.sh 0.05
    beyond_chance zscore 0.65
    beyond_chance group 0.65
    experiment 11-ssvep.sh 0
    by_luck zscore 0.5
    by_luck group 0.5
}

@test "fists or feet: the class in runs not seen of one person is told beyond chance, and not where there is no difference" {
    export SEEDS=1 EPOCHS=10
    made_up 0.1 --subjects 1 --sessions 6 --channels 8 --seconds 40 --where C3,C4 --seed 4
    made_up 0 --subjects 1 --sessions 6 --channels 8 --seconds 40 --where C3,C4 --seed 4
    experiment 12-fists-or-feet.sh 0.1 --regions 2
    beyond_chance zscore 0.8
    experiment 12-fists-or-feet.sh 0 --regions 2
    by_luck zscore 0.65
}

@test "chance: with the classes of people exchanged at random the evaluation is at chance, to which what has seen the people does not come down" {
    export EPOCHS=4 PERMUTATIONS=10
    made_up 0.1 --subjects 6 --channels 8 --seconds 40 --where C3,C4 --seed 1
    experiment 13-chance.sh 0.1 --regions 2
    sed -nE 's/^of 10 permutations: mean accuracy ([0-9.]+), chance 0.5, standard error of the mean ([0-9.]+)$/\1 \2/p' <<<"$output" >mean
    awk '{ off = $1 < 0.5 ? 0.5 - $1 : $1 - 0.5; ok = off < 0.1 && off < 4 * $2 && $2 < 0.1 } END { exit !(NR == 1 && ok) }' mean
    # One such exchange, and a model that has seen the people who test it.
    for s in S00 S02 S03; do sed -i 's/,rest$/,X/; s/,task$/,rest/; s/,X$/,task/' 0.1/${s}_1.csv; done
    moe-split -q --window 300 --stride 100 --regions 2 --reference average -o seen.st 0.1/*.csv
    moe-train -q --set train.epochs=$EPOCHS -o model.st seen.st
    moe-predict -m model.st seen.st | jq -n '[inputs | .label == .class] | (map(select(.)) | length) / length' >leaked
    cat leaked
    awk '{ exit !($1 > 0.6) }' leaked
}

@test "truth: the region with the effect is found by ablation and by the gate" {
    unset EPOCHS
    SEEDS="1 2 3 4" SUBJECTS=16 experiment 14-truth.sh
    [ "$(awk -F'\t' '$1 ~ /^[0-9]+$/ { print $2 }' <<<"$output" | paste -sd' ')" = "1 2 3 0" ]
    # what knows nothing has three of four in one case of 20
    sed -n 's/^true by ablation in \([0-9]*\) of 4, by the gate in \([0-9]*\)$/\1 \2/p' <<<"$output" >found
    awk '{ ok = $1 >= 3 && $2 >= 3 && $1 + $2 >= 7 } END { exit !(NR == 1 && ok) }' found
}

@test "views: the default and the preset, plain and adapted, with and without steps; and what each view counts" {
    export SEEDS=1 EPOCHS=1 FOLDS=3
    made_up 0.1 --subjects 6 --channels 8 --seconds 20 --where C3,C4 --seed 1
    experiment 16-views.sh 0.1 --regions 2
    [ "$(grep -c '^\(default\|views\), \(trained\|frozen\), \(zscore\|group\): accuracy 0\.' <<<"$output")" -eq 8 ]
    [ "$(grep -c '^[a-z]*@[a-z]* counts [0-9]* %$' <<<"$output")" -eq 4 ]
    mkdir cut
    moe-split -q --window 300 --regions 1 --halo 0 -o cut/a.st 0.1/*.csv
    STEPS=frozen experiment 16-views.sh cut
    [ "$(grep -c ', frozen, ' <<<"$output")" -eq 4 ]
}

@test "controls: a row for each, of recordings and of windows, and what does not apply is named" {
    export SEEDS=1 EPOCHS=2
    made_up 0.1 --subjects 6 --channels 8 --seconds 20 --where C3,C4 --seed 1
    experiment 15-controls.sh 0.1 --regions 2
    [ "$(awk -F'\t' 'NF > 1 { print $1 }' <<<"$output" | paste -sd,)" = \
        "control,(the model),frozen,linear,constant-gate,random-router,dense,one-region,permuted,chance" ]
    # the model beats permuted labels and chance, with its whole interval, in most people
    awk -F'\t' '$1 == "permuted" || $1 == "chance" { n++; ok += $6 > 0 && $8 >= 5 } END { exit n != 2 || ok != 2 }' <<<"$output"
    mkdir cut
    moe-split -q --window 300 --regions 1 --halo 0 -o cut/a.st 0.1/S0[0-2]*.csv
    moe-split -q --window 300 --regions 1 --halo 0 -o cut/b.st 0.1/S0[3-5]*.csv
    FOLDS=loso OPTIONS="" CONTROLS=frozen,dense experiment 15-controls.sh cut
    [ "$(awk -F'\t' 'NF > 1 { print $1 }' <<<"$output" | paste -sd,)" = "control,(the model),frozen" ]
    grep -q "^left out: dense: the configuration has no MoE layer$" <<<"$output"
}
