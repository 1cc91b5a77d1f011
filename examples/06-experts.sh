#!/bin/sh
# Types of experts, ways of choosing them, capacity, balance: one table each, and a report of how the experts were used.
#
# usage: 06-experts.sh [FOLDER [moe-split option...]]
#
# FOLDER holds recordings of your own (see 01-own-recordings.sh); without it they are made with a rhythm of 10 Hz at the back while
# the class is "rest" and one of 20 Hz at the sides while it is "task".
set -eu
# shellcheck source=examples/common.sh
. "$(dirname "$0")/common.sh"
: "${EPOCHS:=8}"
if [ $# -gt 0 ]; then
    divide "$1"
    shift
else
    moe-synth --subjects 8 --seconds 60 --rate 64 --effect rest:10@O1+O2 --effect task:20@C3+C4 --seed 1 -o "$work/eeg"
    divide "$work/eeg"
    set -- --window 1s
fi
cut_windows --regions 1 --halo 0 "$@"

model() { # model WHAT OPTION...: tokens of four samples, one layer dense and one with eight experts
    what=$1
    shift
    train --set bridge.tokens=0 --set encoder.hidden_dim=32 --set encoder.ffn_dim=64 --set encoder.tokens=patch --set encoder.patch=4 \
        --set train.lr=0.003 --set 'moe.layers=[1]' "$@"
    usage >"$work/usage"
    printf '   %-34s %s; accuracy %s; %s\n' "$what" "$(size)" "$(accuracy)" "$(jq -r 'def two: . * 100 | round / 100; .layers[0] |
        "entropy \(.entropy_normalised | two), largest share \(.max_over_mean | two) times the mean, empty \(.overflow | two)"' "$work/usage")"
}

echo "1. Types of experts, two of eight for four neighbouring tokens (a convolution wants neighbours):"
set -- --set moe.route_unit=patch
model "feed-forward" "$@" --set 'moe.expert_types=["ffn*8"]'
model "feed-forward, SwiGLU" "$@" --set 'moe.expert_types=["ffn*8"]' --set moe.ffn=swiglu
model "attention" "$@" --set 'moe.expert_types=["attention*8"]'
model "convolution over time" "$@" --set 'moe.expert_types=["conv*8"]'
model "four, two and two of them" "$@" --set 'moe.expert_types=["ffn*4","attention*2","conv*2"]'

set -- --set moe.num_experts=8
echo "2. Ways of choosing, for each token:"
model "linear, with noise in training" "$@" --set moe.router=noisy_topk
model "cosine" "$@" --set moe.router=cosine
model "soft mixture by slots" "$@" --set moe.router=soft_moe

echo "3. Capacity, one expert a token; what is dropped goes on as it is:"
model "as much as comes" "$@" --set moe.top_k=1
model "1.25 in training, 1 after it" "$@" --set moe.top_k=1 --set moe.capacity_factor=1.25 --set moe.capacity_factor_eval=1

echo "4. Balance, two experts a token:"
model "none" "$@" --set moe.load_balance_weight=0
model "a bias that is moved" "$@" --set moe.balance=bias --set moe.balance_rate=0.01
model "a loss, and the z-loss" "$@" --set moe.load_balance_weight=0.1 --set moe.z_loss_weight=0.001

echo "5. The last one in words:"
moe-route -m "$work/model.st" "$work/new.st" | moe-stats --report | sed 's/^/   /'
