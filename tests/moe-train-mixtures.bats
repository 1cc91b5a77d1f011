#!/usr/bin/env bats
# moe-train with mixtures of experts: the log's layers, the warning of an expert nobody chooses, and that both survive a stop.
# shellcheck disable=SC2154 # variables come from the helpers

load train_helpers

setup_file() {
    make_data
}

mix() { # mix NAME ARGUMENTS...: trains NAME on w.st with two mixtures a region
    local name=$1
    shift
    # shellcheck disable=SC2086
    moe-train $small --set encoder.layers=2 --set moe.layers=all --no-history --log "$name.log" -o "$name" "$@" w.st
}

# starve IN OUT: a model whose routers of layer 0 hardly choose expert 2, and never will: its logit is far below
starve() {
    edit "$1" "$2" '
for k in (0, 1): t["experts.%d.transformer.layers.0.moe.router.bias" % k][2][2] = -30.0'
}

@test "every epoch's line has the shares and losses of every mixture" {
    mix m1 --set train.epochs=2 --set moe.z_loss_weight=0.001 --set train.batch_size=10
    jq -es '[.[] | (.layers | map([.region, .layer]) == [[0,0],[0,1],[1,0],[1,1]]) and
        (.layers | all((.share | length) == 4 and (.share | add - 1 | fabs < 1e-8))) and
        ((.layers | map(.aux) | add) - .aux | fabs < 1e-6) and ((.layers | map(.z) | add) - .z | fabs < 1e-6) and .aux > 0 and .z > 0] | all' m1.log
    # the losses are what is added to the task's
    jq -es '[.[] | .task + 0.01 * .aux + 0.001 * .z - .loss | fabs < 1e-6] | all' m1.log
    mix m2 --set train.epochs=1 --set moe.router=soft_moe
    jq -e '.layers | length == 4 and all(.share == null and .aux == 0)' m2.log
    mix m3 --set train.epochs=1 --set "moe.layers=[1]"
    [ "$(jq -c '[.layers[] | [.region, .layer]]' m3.log)" = '[[0,1],[1,1]]' ]
    # shellcheck disable=SC2086
    moe-train $small --set train.epochs=1 --log plain.log -o plain w.st
    [ "$(jq 'has("layers")' plain.log)" = false ]
}

@test "the log tells what was dropped for want of capacity" {
    still="--set train.epochs=2 --set train.lr=1e-12 --set encoder.dropout=0 --set encoder.tokens=sample"
    # shellcheck disable=SC2086
    mix free $still
    jq -es '[.[].layers[].overflow == 0] | all' free.log
    # shellcheck disable=SC2086
    mix tight $still --set moe.capacity_factor=0.5 --set moe.capacity_factor_eval=0.5
    jq -es '[.[].layers[].overflow | . > 0.4 and . < 1] | all' tight.log # half the places there are, at the most
    moe-route -m tight w.st | moe-stats | jq -c '[.layers[].overflow]' >a
    jq -c '[.layers[].overflow]' tight.log | tail -1 | cmp - a
}

@test "the shares are those that moe-route sees" {
    mix still --set train.epochs=1 --set train.lr=1e-12 --set encoder.dropout=0 --set moe.top_k=1
    moe-route -m still w.st | moe-stats | jq -c '[.layers[].share]' >a
    jq -c '[.layers[].share]' still.log | cmp - a
}

@test "an expert that starves for three epochs is named, once, with what to try" {
    mix biased --set train.epochs=1 --set moe.bias=true
    starve biased starved.st
    mix longer --init starved.st --set train.epochs=6 --set train.lr=1e-6 2>said
    [ "$(wc -l <said)" -eq 2 ]
    for k in 0 1; do
        grep -q "^moe-train: region $k, layer 0: expert 2 got 0 % of the tokens; .*try a larger moe.load_balance_weight (it is 0.01), moe.router=noisy_topk, or fewer experts" said
    done
    mix shorter --init starved.st --set train.epochs=2 --set train.lr=1e-6 2>said
    [ ! -s said ]
    mix quiet -q --init starved.st --set train.epochs=4 --set train.lr=1e-6 2>said
    [ ! -s said ]
}

@test "a run that was stopped logs and warns as one that was not, and makes the same bytes" {
    mix biased --set train.epochs=1 --set moe.bias=true
    starve biased starved.st
    local how="--init starved.st --set train.lr=1e-6 --set train.batch_size=7"
    # shellcheck disable=SC2086
    mix whole $how --set train.epochs=5 --state whole.state 2>said
    # shellcheck disable=SC2086
    mix part $how --set train.epochs=2 --state part.state 2>first
    [ ! -s first ]
    moe-train --resume --state part.state --set train.epochs=5 --no-history --log part.log -o part w.st 2>second
    cmp said second
    cmp whole part
    jq -c 'del(.windows_per_s)' whole.log >a
    jq -c 'del(.windows_per_s)' part.log | cmp - a
    [ "$(ask part.state 'json.loads(m["moe.train"])["mixtures"][0]["starved"]')" = '[0, 0, -1, 0]' ]
}

@test "stopped within an epoch: the epoch's line is that of a run that was never stopped" {
    local how="--set train.schedule=constant --set train.warmup_steps=0 --set train.batch_size=1"
    # shellcheck disable=SC2086
    moe-train $small --set encoder.layers=2 --set moe.layers=all --no-history --log part.log --log-every 1 -q $how \
        --set train.epochs=100000 -o part w.st &
    while ! [ "$(grep -c "" part.log 2>/dev/null)" -ge 10 ] 2>/dev/null; do kill -0 $!; done
    kill -TERM $!
    wait $! || [ $? -eq 143 ]
    local epochs
    epochs=$(ask part.state 'json.loads(m["moe.train"])["epoch"] + 1')
    # shellcheck disable=SC2086
    moe-train --resume --state part.state --set train.epochs="$epochs" --no-history --log part.log -o part w.st
    # shellcheck disable=SC2086
    mix whole $how --set train.epochs="$epochs"
    cmp whole part
    jq -c 'select(.epoch) | del(.windows_per_s)' part.log >a
    jq -c 'del(.windows_per_s)' whole.log | cmp - a
}

@test "a state whose counts of mixtures are damaged is refused" {
    mix m1 --set train.epochs=1 --state good.state
    while IFS= read -r change; do
        edit good.state bad.state "
train = json.loads(m['moe.train']); x = train['mixtures']
$change
m['moe.train'] = json.dumps(train)"
        refused 65 '"mixtures" does not hold the counts' moe-train --resume --state bad.state --set train.epochs=2 -o never.st w.st
    done <<'END'
del train["mixtures"]
x.pop()
x[0]["count"][1] = -1
x[0]["count"].pop()
del x[0]["dropped"]
x[0]["dropped"] = -1
x[1]["starved"][0] = 3
x[1]["aux"] = "1"
del x[2]["z"]
END
}
