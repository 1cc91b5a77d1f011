#!/usr/bin/env bats
# moe-cv --controls and --fail-if-idle: each control is what it says, and the comparison is that of moe-score.
# shellcheck disable=SC2086,SC2154 # options kept in a variable are split on purpose; variables come from the helpers

bats_require_minimum_version 1.5.0
load train_helpers

setup_file() {
    make_data
    moe-synth --subjects 6 --channels 4 --rate 64 --seconds 8 --snr 0.1 --seed 3 -o six
    moe-split --window 32 --experts 2 --halo 1 six/*.csv -o six.st
    moe-split --window 32 --experts 1 --halo 0 six/*.csv -o joined.st
}

layers="--set moe.layers=all --set train.epochs=1 --set train.lr=0.01"

# cv ARGUMENTS...: small models; what is said goes to the file said
cv() {
    moe-cv $small $layers --no-history "$@" 2>said || { cat said && return 1; }
}

# figures FILE [NAME]: accuracy, balanced accuracy and log loss in a summary: of the run, or of a control
figures() {
    jq -r --arg name "$2" 'if $name == "" then .runs[0] else .controls[] | select(.name == $name) end |
        "\(.accuracy) \(.balanced_accuracy) \(.log_loss)"' "$1"
}

@test "--controls: answers stay the same bytes, and nothing else in the summary changes" {
    cv --summary plain.json -o plain six.st
    cv --controls --summary s.json -o lines six.st
    cmp plain lines
    untimed='walk(if type == "object" then del(.train_seconds, .test_seconds) else . end)'
    diff <(jq "$untimed" plain.json) <(jq "$untimed | del(.controls, .controls_left_out)" s.json)
    [ "$(jq -c '[.controls[].name]' s.json)" = \
        '[null,"frozen","linear","constant-gate","random-router","dense","one-region","permuted","chance"]' ]
    [ "$(sed -n '/: control  /,$s/^moe-cv: //p' said | awk -F'  +' '{ print $1 }' | paste -sd,)" = \
        "control,(the model),frozen,linear,constant-gate,random-router,dense,one-region,permuted,chance" ]
    near 1e-12 <(figures s.json) <(jq -r '.controls[0] | "\(.accuracy) \(.balanced_accuracy) \(.log_loss)"' s.json)
}

@test "the same controls for any number of threads, with validation and several seeds" {
    for threads in 1 3 16; do
        cv --controls --seeds 1,4 --valid-fraction 0.3 --set train.calibrate=temperature --threads $threads \
            --keep k$threads --summary s.json -o lines six.st
        jq -c '[.controls, .controls_left_out]' s.json >c$threads
        cat lines said >>c$threads
    done
    cmp c1 c3
    cmp c1 c16
    diff -r k1 k16
}

@test "random-router, one-region and permuted are what these options and windows give by themselves" {
    cv --controls --summary s.json -o lines six.st
    cv --set moe.router=random --summary random.json -o random six.st
    near 1e-12 <(figures random.json) <(figures s.json random-router)
    moe-cv $small $layers --no-history --summary joined.json -o joined joined.st
    near 1e-12 <(figures joined.json) <(figures s.json one-region)
    cv --permute-labels group --summary permuted.json -o permuted six.st
    near 1e-12 <(figures permuted.json) <(figures s.json permuted)
    [ "$(figures s.json | cut -d' ' -f3)" != "$(figures random.json | cut -d' ' -f3)" ]
}

@test "differences and their intervals are those of moe-score, figure by figure" {
    cv --controls=random-router --summary s.json -o lines six.st
    cv --set moe.router=random -o random six.st
    while read -r metric figure; do
        moe-score -q --compare random --metric $metric lines | jq -r '.compare |
            "\(.difference) \(.interval[0]) \(.interval[1]) \(.by_group | map(.difference | tostring) | join(" "))"' >scored
        jq -r ".controls[1].difference.$figure |
            \"\(.mean) \(.interval[0]) \(.interval[1]) \(.each | map(tostring) | join(\" \"))\"" s.json >compared
        near 1e-6 compared scored
    done <<<$'acc accuracy\nbacc balanced_accuracy\nlogloss log_loss'
    jq -e '.controls[1].difference | all(.above == (.each | map(select(. > 0)) | length) and
        .below == (.each | map(select(. < 0)) | length) and .n == 6)' s.json
}

@test "frozen is what a rate of next to nothing leaves; it has the start values of the model" {
    cv --controls=frozen --keep k --summary s.json -o lines six.st
    cv --set train.lr=1e-12 --keep still --summary still.json -o still.jsonl six.st
    near 1e-6 <(figures still.json) <(figures s.json frozen)
    [ "$(figures s.json | cut -d' ' -f3)" != "$(figures s.json frozen | cut -d' ' -f3)" ]
    moe-predict -m k/frozen-fold-0.safetensors six.st | jq -c .p >a
    moe-predict -m still/fold-0.safetensors six.st | jq -c .p >b
    near 1e-4 a b
}

@test "linear is the prior alone: neither seed nor size of the encoders changes it, and the gate weighs all windows alike" {
    cv --controls=linear,frozen --keep k --summary s.json -o lines six.st
    cv --controls=linear,frozen --seed 9 --set encoder.ffn_dim=12 --set gate.top_k=1 --summary t.json -o lines six.st
    near 1e-9 <(figures s.json linear) <(figures t.json linear)
    [ "$(figures s.json frozen)" != "$(figures t.json frozen)" ]
    [ "$(moe-predict -m k/linear-fold-0.safetensors six.st | jq -c .gate | sort -u | wc -l)" -eq 1 ]
    [ "$(ask k/linear-fold-0.safetensors '[any(any(r) if isinstance(r, list) else r for r in t[n][2]) for n in ("classifier.weight", "classifier.bias")]')" = \
        "[False, False]" ]
}

@test "constant-gate: the gate weighs all windows alike, by weights that training moved; the rest is trained" {
    cv --controls=constant-gate,frozen --set train.lr=0.05 --keep k --summary s.json -o lines six.st
    moe-predict -m k/constant-gate-fold-1.safetensors six.st | jq -c .gate | sort -u >constant
    [ "$(wc -l <constant)" -eq 1 ]
    [ "$(moe-predict -m k/fold-1.safetensors six.st | jq -c .gate | sort -u | wc -l)" -gt 1 ]
    moe-cv $small $layers -q --keep still --controls=constant-gate --set train.lr=1e-12 --no-history -o lines six.st
    run ! cmp -s constant <(moe-predict -m still/constant-gate-fold-1.safetensors six.st | jq -c .gate | sort -u)
    [ "$(figures s.json constant-gate)" != "$(figures s.json frozen)" ]
    moe-cv $small $layers -q --keep flat --controls=constant-gate --set gate.type=linear --set train.lr=0.05 --no-history -o lines six.st
    [ "$(moe-predict -m flat/constant-gate-fold-1.safetensors six.st | jq -c .gate | sort -u | wc -l)" -eq 1 ]
}

@test "dense: one expert in each MoE layer, as wide as what a token passes, whatever that is" {
    for options in "--set moe.top_k=3" "--set moe.shared_experts=1" "--set moe.residual_expert=true --set moe.ffn=swiglu" \
        "--set moe.router=hierarchical --set moe.top_k_groups=2" "--set moe.router=expert_choice" \
        "--set moe.capacity_factor=1.25 --set moe.drop_policy=priority" "--set moe.layers=[0] --set moe.groups=2"; do
        cv $options --controls=dense,random-router --folds 2 --keep k -o lines six.st
        active=$(moe-train --print-config --init k/fold-0.safetensors | awk '$1 == "parameters" && $3 == "active" { print $2 }')
        moe-train --print-config --init k/dense-fold-0.safetensors | awk '$1 == "parameters" { print $2 }' >sizes
        echo "$options: $active, dense $(paste -sd' ' sizes)"
        awk -v active="$active" '{ off = $1 / active - 1; bad += off > 0.05 || off < -0.05 } END { exit bad || NR != 2 }' sizes
        [ "$(moe-train --print-config --init k/random-router-fold-0.safetensors | awk '$1 == "moe.router" { print $2 }')" = '"random"' ]
        rm -r k
    done
    # all of a tree's experts, and as many of them as a token passes in it
    cv --set moe.router=hierarchical --set 'moe.levels=[2,3]' --set moe.top_k_groups=2 --set moe.top_k=1 --controls=random-router \
        --folds 2 --keep k -o lines six.st
    [ "$(moe-train --print-config --init k/random-router-fold-0.safetensors | awk '$1 == "moe.num_experts" || $1 == "moe.top_k" { print $2 }' |
        paste -sd' ')" = "6 2" ]
}

@test "chance: the largest class of the training windows answers" {
    edit six.st uneven.st 'l = t["window.label"][2]
for i in range(0, len(l), 3): l[i] = -1 if l[i] == 1 else l[i]'
    cv --controls=chance --summary s.json -o lines uneven.st
    jq -s '(group_by(.label) | map(length)) as $n | ($n | max) / ($n | add)' lines >wanted
    near 1e-12 wanted <(jq '.controls[1].accuracy' s.json)
    [ "$(jq '.controls[1].balanced_accuracy' s.json)" = 0.5 ]
}

@test "a control that does not apply is left out by name, and cannot be one that has to be beaten" {
    moe-cv $small --set encoder.evidence=none --set train.epochs=1 --controls --summary s.json -o lines one.st 2>said
    for name in linear constant-gate random-router dense one-region; do
        grep -q "^moe-cv: the control $name is left out: " said
    done
    [ "$(jq -c '[.controls_left_out[].name], [.controls[].name]' s.json | paste -sd' ')" = \
        '["linear","constant-gate","random-router","dense","one-region"] [null,"frozen","permuted","chance"]' ]
    refused 78 "the control dense cannot be run: the configuration has no MoE layer" moe-cv $small --fail-if-idle dense -o never.st one.st
    refused 64 '"dens" is no control; did you mean dense; they are all|frozen|' moe-cv --controls=dens -o never.st one.st
    refused 64 '"all" is no control; they are frozen|' moe-cv --fail-if-idle all -o never.st one.st
    refused 64 "exclude each other" moe-cv --controls --permute-labels group -o never.st one.st
    moe-cv $small --set moe.layers=all --set moe.router=random --set train.epochs=1 --controls=random-router -o lines w.st 2>said
    grep -q "the control random-router is left out: its router is random already" said
}

@test "the model has to beat the controls of --fail-if-idle: if not, 1, when all results are written" {
    run --separate-stderr moe-cv $small --set train.epochs=1 --fail-if-idle frozen,chance --summary s.json -o lines six.st
    [ "$status" -eq 1 ]
    [ "$(wc -l <lines)" -eq "$(jq .tested s.json)" ]
    [ "$(jq -c '[.controls[].name]' s.json)" = '[null,"frozen","chance"]' ]
    grep -q "^moe-cv: not better than the control frozen (.*): difference in accuracy .*0\.[0-9]*, 95 % interval .* over 6 groups$" <<<"$stderr"
    [ "$(grep -c "not better than" <<<"$stderr")" -eq 1 ] # it beats chance
    moe-cv -q $small --set train.epochs=1 --fail-if-idle chance --fail-if-idle permuted -o lines six.st
    run -1 moe-cv -q $small --set train.epochs=1 --fail-if-idle chance --fail-if-idle frozen -o lines six.st
}
