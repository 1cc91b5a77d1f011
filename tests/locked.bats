#!/usr/bin/env bats
# What is locked to the start of a window and no power shows: a deflection that turns its sign with the class.
# shellcheck disable=SC2086,SC2154 # options kept in a variable are split on purpose; variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    PATH=$(realpath "${MOE_BIN:-build/bin}"):$PATH
    cd "$BATS_FILE_TMPDIR" || exit 1
    mkdir eeg
    moe-synth --subjects 8 --channels 6 --rate 64 --seconds 60 --snr 0 --seed 3 -o plain || return 1
    for f in plain/*.csv; do deflected "$f" >"eeg/${f##*/}"; done
    moe-split -q --window 64 --regions 1 --halo 0 eeg/*.csv -o w.st
}

# cv KEYS...: the accuracy on subjects held out, of preset separable with these values
cv() {
    moe-cv -q --folds 4 --preset separable "${@/#/--set=}" --summary s.json --no-history -o lines.jsonl w.st
    jq .accuracy s.json
}

@test "separable filters learn it; covariances, band powers and powers of learned filters do not, nor does a rate of next to 0" {
    accuracy=$(cv)
    jq -en "$accuracy > 0.9" >/dev/null || { echo "$accuracy"; false; }
    for keys in encoder.tokens=covariance encoder.tokens=spectral encoder.tokens=conv train.lr=1e-12; do
        accuracy=$(cv $keys)
        jq -en "$accuracy > 0.4 and $accuracy < 0.6" >/dev/null || { echo "$keys: $accuracy"; false; }
    done
}

@test "the tensors of separable filters and of pooling by position, which learn; a filter that does not fit is refused" {
    keys=(tokens=separable pool=position filters=12 kernel=0.2 window=0.25 hop=0.125)
    keys=("${keys[@]/#/--set=encoder.}" --set train.epochs=2)
    train m "${keys[@]}" w.st
    at=experts.0
    [ "$(ask m '[t["'$at'." + n][1] for n in ("tokens.temporal.weight", "tokens.spatial.weight", "tokens.spatial.bias", "input_projection.weight", "pool.weight")]')" = "[[12, 13], [12, 6], [12], [8, 12], [7, 8]]" ]
    [ "$(ask m 'all(any(abs(x - s) > 1e-6 for x in t["'$at'." + n][2]) for n, s in (("tokens.spatial.bias", 0), ("pool.weight", 1)))')" = True ]
    no_train 78 "encoder.kernel: 20 samples do not fit a token's stretch of 16 (encoder.window)" "${keys[@]}" --set encoder.kernel=0.3125 w.st
}
