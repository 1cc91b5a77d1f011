#!/usr/bin/env bats
# moe-route: the routing file, its lines, and what it refuses. Pipes, threads and full disks are in contracts.bats.
# shellcheck disable=SC2154 # variables come from the helpers

load train_helpers
bats_require_minimum_version 1.5.0

setup_file() {
    make_data
    moe_model mix.st
}

no_route() { # no_route STATUS WORDS ARGUMENTS...
    local wanted=$1 words=$2
    shift 2
    refused "$wanted" "$words" moe-route "$@" -o never.st
}

@test "a routing file has the gate, the table of windows and their metadata" {
    moe-route -m m.st w.st -o r.st
    [ "$(ask r.st 'm["moe.format"]')" = routing/1 ]
    [ "$(ask r.st 'sorted(t)')" = "['gate.weight', 'region.0.channel', 'region.0.core', 'region.1.channel', 'region.1.core', 'window.condition', 'window.group', 'window.label', 'window.recording', 'window.sample', 'window.start']" ]
    [ "$(ask r.st 't["gate.weight"][:2]')" = "('F32', [64, 2])" ]
    for key in moe.length moe.stride moe.rate moe.unit moe.halo moe.channels moe.classes moe.recordings moe.groups moe.regions; do
        [ "$(ask r.st "m['$key']")" = "$(ask w.st "m['$key']")" ] || { echo $key; false; }
    done
    for name in window.start window.sample window.label window.recording window.group; do
        [ "$(ask r.st "t['$name']")" = "$(ask w.st "t['$name']")" ] || { echo $name; false; }
    done
    [ "$(ask r.st 'max(abs(t["gate.weight"][2][i] + t["gate.weight"][2][i + 1] - 1) for i in range(0, 128, 2)) < 1e-6')" = True ]
    [ "$(ask r.st '[h["program"] for h in json.loads(m["moe.history"])][-1]')" = moe-route ]
    moe-route -m m.st --no-history w.st -o r.st
    [ "$(ask r.st '"moe.history" in m')" = False ]
}

@test "file, lines and predictions agree on the gate" {
    moe-route -m m.st w.st -o r.st
    moe-route -m m.st --jsonl w.st >r.jsonl
    [ "$(jq -c keys_unsorted r.jsonl | sort -u)" = '["recording","group","start","time","label","gate","layers"]' ]
    [ "$(wc -l <r.jsonl)" -eq 64 ]
    [ "$(ask r.st '[float("%.9g" % x) for x in t["gate.weight"][2]]')" = "$(jq -s 'map(.gate[])' -c r.jsonl | python3 -c 'import json; print([float(x) for x in json.loads(input())])')" ]
    moe-predict -m m.st w.st | jq -c '[.recording, .group, .start, .time, .label, .gate]' >said
    jq -c '[.recording, .group, .start, .time, .label, .gate]' r.jsonl | cmp - said
}

@test "a model without a gate gives its region the weight 1" {
    # shellcheck disable=SC2086
    moe-train $small --set train.epochs=1 -o one.model one.st
    [ "$(ask one.model '"gate.fc1.weight" in t')" = False ]
    moe-route -m one.model --jsonl one.st | jq -es 'all(.gate == [1])'
    moe-route -m one.model one.st | moe-stats | jq -e '.gate.share == [1]'
}

@test "every mixture is written: probabilities, experts, weights of every token" {
    moe-route -m mix.st --batch 5 w.st -o r.st # several batches, the last one short
    [ "$(ask r.st 'sorted(n for n in t if n.startswith("layer"))')" = "$(python3 -c 'print(sorted("layer.%d.%d.%s" % (k, l, w) for k in (0, 1) for l in (0, 1) for w in ("probability", "expert", "weight")))')" ]
    [ "$(ask r.st '[t["layer.1.0." + w][:2] for w in ("probability", "expert", "weight")]')" = "$(ask mix.st '[(y, [64, t["experts.0.pos_embedding"][1][1], w]) for y, w in (("F32", 4), ("I32", 2), ("F32", 2))]')" ]
    edit r.st seen.st '
for place in ("0.0", "0.1", "1.0", "1.1"):
    p, e, w = (t["layer.%s.%s" % (place, what)][2] for what in ("probability", "expert", "weight"))
    for i in range(len(p) // 4):
        q = p[4 * i:4 * i + 4]
        best = sorted(range(4), key=lambda j: (-q[j], j))[:2]
        assert abs(sum(q) - 1) < 1e-6 and list(e[2 * i:2 * i + 2]) == best
        assert max(abs(w[2 * i + j] - q[best[j]] / (q[best[0]] + q[best[1]])) for j in (0, 1)) < 1e-6
m["seen"] = "yes"'
    [ "$(ask seen.st 'm["seen"]')" = yes ]
    moe-route -m mix.st w.st --no-history -o all.st
    moe-route -m mix.st --batch 7 --threads 3 --no-history w.st -o again.st
    cmp all.st again.st
    moe-stats r.st >figures
    python3 -B "$reference/routing_stats.py" check figures r.st
}

@test "the lines have the layers too" {
    moe-route -m mix.st w.st -o r.st
    moe-route -m mix.st --jsonl --batch 7 w.st >r.jsonl
    [ "$(jq -c '[.layers[] | [.region, .layer]]' r.jsonl | sort -u)" = '[[0,0],[0,1],[1,0],[1,1]]' ]
    for what in probability expert weight; do
        [ "$(ask r.st "[float('%.9g' % x) for x in t['layer.1.1.$what'][2]]")" = "$(jq -c "[.layers[3].${what}[][]]" r.jsonl | python3 -c 'import json, sys; print([float(x) for line in sys.stdin for x in json.loads(line)])')" ]
    done
}

@test "routers of known weights choose what they must" {
    moe_model biased.st moe.bias=true
    edit biased.st known.st '
for k in (0, 1):
    t["experts.%d.transformer.layers.0.moe.router.weight" % k][2][:] = type(t["global_token"][2])(t["global_token"][2].typecode, [0] * 32)
    for e in range(4): t["experts.%d.transformer.layers.0.moe.router.bias" % k][2][e] = e'
    moe-route -m known.st --jsonl --layer 0 w.st | jq -es '
        ([0, 1, 2, 3] | map(exp) | map(. / 31.192874)) as $p | [.[].layers[] | .expert[] == [3, 2]] + [.[].layers[].probability[] | [., $p] | transpose | map(.[0] - .[1] | fabs < 1e-4) | all] | all'
}

@test "routers that mix give every expert its share" {
    moe_model soft.st moe.router=soft
    moe_model slots.st moe.router=soft_moe moe.slots=2
    moe_model takes.st moe.router=expert_choice
    for name in soft slots; do
        moe-route -m $name.st --jsonl w.st | jq -es '[.[].layers[] | (.expert | all(. == [0, 1, 2, 3])), .weight == .probability, (.weight[] | add - 1 | fabs < 1e-6)] | all'
    done
    # the experts choose: places they leave are empty and weigh nothing, every expert has as many tokens
    moe-route -m takes.st --jsonl w.st | jq -es '
        [.[].layers[] | ([.expert, .weight] | transpose | map(transpose | map(.[0] >= 0 or .[1] == 0) | all)[]),
            (.expert | transpose | map(map(select(. >= 0)) | length) | unique | length == 1)] | all'
    [ "$(moe-route -m takes.st w.st | moe-stats | jq -c '[.layers[].share | unique | length] | unique')" = '[1]' ]
}

@test "--layer and --region choose what is written" {
    moe-route -m mix.st --layer 1 --region 0 w.st -o r.st
    [ "$(ask r.st 'sorted(n for n in t if n.startswith("layer"))')" = "['layer.0.1.expert', 'layer.0.1.probability', 'layer.0.1.weight']" ]
    [ "$(moe-route -m mix.st --region 1,0 --jsonl w.st | jq -c '[.layers[] | [.region, .layer]]' | sort -u)" = '[[0,0],[0,1],[1,0],[1,1]]' ]
    moe-route -m mix.st w.st -o all.st
    [ "$(ask r.st 't["layer.0.1.weight"]')" = "$(ask all.st 't["layer.0.1.weight"]')" ]
    no_route 64 "no layer 2; there are 0 to 1" -m mix.st --layer 2 w.st
    no_route 64 "no region 7; there are 0 to 1" -m mix.st --region 7 w.st
    no_route 64 "--layer: x is not a number" -m mix.st --layer 0,x w.st
    no_route 64 "--region: the list is empty" -m mix.st --region , w.st
    no_route 64 "no mixture-of-experts layers" -m m.st --layer 0 w.st
    moe_model second.st "moe.layers=[1]"
    no_route 64 "layer 0 of the model is not a mixture" -m second.st --layer 0,1 w.st
}

# ablated RULE ARGUMENTS...: the routing of mix.st with the arguments is what RULE, lines of Python that change one token's
# e and w, makes of the routing without
ablated() {
    local rule=$1
    shift
    moe-route -m "$model" "$@" --layer 0 w.st -o cut.st
    moe-route -m "$model" --layer 0 w.st -o whole.st
    python3 -B - "$reference" "$rule" <<'END'
import sys
sys.path.insert(0, sys.argv[1])
import container as c
a, b = c.load("whole.st")[0], c.load("cut.st")[0]
changed = 0
for k in ("0", "1"):
    e0, w0, e1, w1 = (t["layer.%s.0.%s" % (k, what)] for t in (a, b) for what in ("expert", "weight"))
    assert a["layer.%s.0.probability" % k] == b["layer.%s.0.probability" % k]
    n = e0[1][2]
    for i in range(0, len(e0[2]), n):
        e, w = list(e0[2][i:i + n]), list(w0[2][i:i + n])
        exec(sys.argv[2])
        changed += e != list(e0[2][i:i + n])
        assert list(e1[2][i:i + n]) == e, (i, e, e1[2][i:i + n])
        assert max(abs(x - y) for x, y in zip(w, w1[2][i:i + n])) < 1e-6, (i, w, w1[2][i:i + n])
assert changed
END
}

@test "what is left out is left out, and the rest renormalised where the router does so" {
    local off='w = [0 if x in gone else y for x, y in zip(e, w)]; e = [-1 if x in gone else x for x in e]'
    local again='
if sum(w): w = [x / sum(w) for x in w]'
    model=mix.st
    ablated "gone = (0, 3); $off$again" --omit 0,3
    ablated "gone = (0, 1, 3); $off$again" --only 2
    ablated 'e, w = [e[0], -1], [1.0, 0.0]' --force-k 1
    model=one-expert.st
    moe_model $model moe.top_k=1
    ablated "gone = (0, 2); $off" --omit 2,0
    model=all-experts.st
    moe_model $model moe.router=soft
    ablated "gone = (1,); $off$again" --omit 1
    ablated "gone = [i for i in range(4) if i not in sorted(range(4), key=lambda j: (-w[j], j))[:2]]; $off$again" --force-k 2
    model=takes.st
    moe_model $model moe.router=expert_choice
    ablated "gone = (1,); $off" --omit 1
    model=even.st
    moe_model $model moe.router=random
    ablated "gone = (0,); $off$again" --omit 0
    model=slots.st
    moe_model $model moe.router=soft_moe
    moe-route -m slots.st --jsonl w.st --omit 0 --layer 0 | jq -es '[.[].layers[].weight[] | .[0] == 0 and (add - 1 | fabs < 1e-6)] | all'
}

@test "leaving out acts where it is asked to, and on what follows" {
    moe-route -m mix.st --jsonl w.st >whole
    moe-route -m mix.st --jsonl --region 1 --omit 0 w.st >cut.jsonl
    jq -c '[.layers[2:][]]' whole >a
    jq -c .layers cut.jsonl >b
    run ! cmp -s a b
    [ "$(jq -c '.gate' whole)" != "$(jq -c '.gate' cut.jsonl)" ]
    moe-route -m mix.st --layer 0 w.st --no-history -o first
    moe-route -m mix.st --layer 0 --only 0,1,2,3 --force-k 2 w.st --no-history -o nothing # all of them are left
    cmp first nothing
    moe-route -m mix.st --layer 0 --omit 0 --batch 5 --threads 2 --no-history w.st -o a.st
    moe-route -m mix.st --layer 0 --omit 0 --no-history w.st | cmp - a.st
}

@test "experts that cannot be left out are refused" {
    no_route 64 "--omit: the model has no expert 4; there are 0 to 3" -m mix.st --omit 4 w.st
    no_route 64 "--omit leaves a layer without experts" -m mix.st --omit 0,1,2,3 w.st
    no_route 64 "--only: x is not a number" -m mix.st --only x w.st
    no_route 64 "exclude each other" -m mix.st --only 1 --omit 2 w.st
    no_route 64 "--force-k 3: a token of this model goes to 2 experts only" -m mix.st --force-k 3 w.st
    no_route 64 "--omit has no effect: the model has no mixture" -m m.st --omit 0 w.st
    for router in soft_moe expert_choice; do
        moe_model free.st moe.router=$router
        no_route 64 "--force-k has no effect with the router $router" -m free.st --force-k 1 w.st
    done
}

@test "the table speaks of the model's regions and channels, whatever the windows are cut into" {
    moe-split --window 32 --experts 4 --halo 0 eeg/*.csv -o four.st
    moe-route -m m.st four.st -o r.st
    moe-route -m m.st w.st -o s.st
    [ "$(ask r.st 'm["moe.regions"]')" = "$(ask m.st 'json.dumps([r["name"] for r in json.loads(m["moe.regions"])], separators=(",", ":"))')" ]
    [ "$(ask r.st 't["gate.weight"]')" = "$(ask s.st 't["gate.weight"]')" ]
}

@test "a recording is routed as the windows cut from it" {
    moe-split --like m.st eeg/S01_1.csv -o s.st
    moe-route -m m.st --jsonl s.st >a
    moe-route -m m.st --jsonl eeg/S01_1.csv | cmp - a
    moe-route -m m.st --jsonl - <eeg/S01_1.csv | jq -c .gate >b
    jq -c .gate a | cmp - b
}

@test "several inputs: one file in a file, one after the other on a pipe, the same figures" {
    moe-split --like m.st eeg/S01_1.csv -o a.st
    moe-split --like m.st eeg/S02_1.csv -o b.st
    moe-route -m m.st a.st b.st eeg/S03_1.csv -o r.st
    [ "$(ask r.st 't["gate.weight"][1]')" = "[48, 2]" ]
    [ "$(ask r.st 'm["moe.groups"]')" = '["S01","S02","S03"]' ]
    moe-stats r.st >figures
    moe-route -m m.st a.st b.st eeg/S03_1.csv | moe-stats | cmp - figures
    cat a.st b.st | moe-route -m m.st - eeg/S03_1.csv | moe-stats | cmp - figures
    moe-route -m m.st a.st b.st eeg/S03_1.csv >r2.st # standard output may be a regular file
    [ "$(ask r2.st 't["gate.weight"][1]')" = "[48, 2]" ]
}

@test "labels the model does not know are kept" {
    edit w.st other.st 'm["moe.classes"] = "[\"sleep\",\"rest\"]"'
    moe-route -m m.st other.st -o r.st
    [ "$(moe-stats r.st | jq -c '.gate.by_class | keys')" = '["rest","sleep"]' ]
    [ "$(moe-route -m m.st --jsonl other.st | jq -r .label | sort -u | tr '\n' ' ')" = "rest sleep " ]
}

@test "missing channels as in moe-predict" {
    first=$(ask w.st 'json.loads(m["moe.channels"])[0]')
    moe-split --window 32 --experts 1 --halo 0 --drop "$first" eeg/*.csv -o fewer.st
    no_route 65 "fewer.st: missing channel $first; the file has" -m m.st fewer.st
    for way in interp zero; do
        moe-route -m m.st --missing-channel $way --jsonl fewer.st | jq -c .gate >a
        moe-predict -m m.st --missing-channel $way fewer.st | jq -c .gate | cmp - a
    done
}

@test "bad input is named, and nothing is written" {
    no_route 64 "-m MODEL is missing" w.st
    no_route 66 none.st -m none.st w.st
    no_route 66 none.st -m m.st none.st
    no_route 65 "not a model" -m w.st w.st
    no_route 65 "not a windows file" -m m.st m.st
    head -c 4000 w.st >cut.st
    no_route 65 cut.st -m m.st cut.st
    no_route 65 cut.st -m m.st w.st cut.st
    edit w.st rate.st 'm["moe.rate"] = "100"'
    no_route 65 "100 Hz" -m m.st rate.st
    moe-split --window 16 --experts 2 --halo 1 eeg/S01_1.csv -o short.st
    no_route 65 "windows of 16 samples" -m m.st short.st
    edit w.st nan.st 't["expert.0"][2][4 * 700 + 1] = math.nan'
    no_route 65 "sample 188 is not a finite number" -m m.st nan.st
    sed '9s/,[^,]*,/,loud,/' eeg/S01_1.csv >text.csv
    no_route 65 "text.csv:9" -m m.st text.csv
    no_route 64 "--batch" -m m.st --batch 0 w.st
    : >empty
    no_route 65 "empty" -m m.st empty
}

@test "the manual's examples run" {
    moe_model model.safetensors
    cp w.st windows.st
    cp eeg/S03_1.csv new.csv
    run_examples moe-route.1 5
    [ -s routing.st ]
}

@test "the examples of moe-layers(7) run" {
    cp w.st windows.st
    run_examples moe-layers.7 2
}
