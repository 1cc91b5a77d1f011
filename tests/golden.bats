#!/usr/bin/env bats
# Every case of tests/golden, numbers of a second implementation (tests/reference/README), through moe-predict and moe-train.
# The description of a test is the name of its case.

golden=$BATS_TEST_DIRNAME/golden

check() {
    run python3 -B "$BATS_TEST_DIRNAME/reference/golden_check.py" "$MOE_BIN" "$golden/$BATS_TEST_DESCRIPTION.safetensors"
    echo "# $output" >&3
    [ "$status" -eq 0 ]
}

@test "every golden case has its test here" {
    diff <(basename -s .safetensors "$golden"/*.safetensors | sort) \
        <(sed -n 's/^@test "\([^"]*\)" { check; }$/\1/p' "$BATS_TEST_FILENAME" | sort)
}

@test "classes-3" { check; }
@test "clip" { check; }
@test "conv" { check; }
@test "conv-hop" { check; }
@test "covariance" { check; }
@test "covariance-lines" { check; }
@test "decay-matrices" { check; }
@test "experts-attention" { check; }
@test "experts-conv" { check; }
@test "experts-mixed" { check; }
@test "experts-residual" { check; }
@test "ffn-geglu" { check; }
@test "ffn-glu" { check; }
@test "ffn-norms" { check; }
@test "ffn-residual" { check; }
@test "ffn-swiglu" { check; }
@test "halo-0" { check; }
@test "halo-wide" { check; }
@test "one-region" { check; }
@test "patch" { check; }
@test "position-none" { check; }
@test "position-wave" { check; }
@test "pre-gelu" { check; }
@test "seed" { check; }
@test "smooth-weight" { check; }
@test "gate-warm" { check; }
@test "spectral" { check; }
@test "sync-none" { check; }
@test "tokens-0" { check; }
@test "tokens-2" { check; }
@test "uneven" { check; }
@test "answers" { check; }
@test "exchange" { check; }
@test "exchange-2" { check; }
@test "gate-balance" { check; }
@test "gate-linear" { check; }
@test "gate-top" { check; }
@test "joined" { check; }
@test "pool-attention" { check; }
@test "moe-topk" { check; }
@test "moe-topk-1" { check; }
@test "moe-topk-plain" { check; }
@test "moe-noisy" { check; }
@test "moe-soft" { check; }
@test "moe-slots" { check; }
@test "moe-expert-choice" { check; }
@test "moe-cosine" { check; }
@test "moe-uniform" { check; }
@test "moe-condition" { check; }
@test "moe-capacity" { check; }
@test "moe-drops" { check; }
@test "moe-priority" { check; }
@test "moe-sigmoid" { check; }
@test "moe-groups" { check; }
@test "moe-mass" { check; }
@test "moe-special" { check; }
@test "moe-tree" { check; }
@test "moe-tree-3" { check; }
@test "moe-scope" { check; }
