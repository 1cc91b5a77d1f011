#!/usr/bin/env bats
# moe-stats: figures against a second implementation (tests/reference/routing_stats.py), adding up, descriptions, bad input.

bats_require_minimum_version 1.5.0

setup_file() {
    cd "$BATS_FILE_TMPDIR" || exit 1
    make="python3 $BATS_TEST_DIRNAME/reference/routing_stats.py make"
    $make a.st --windows 40
    $make b.st --windows 30 --seed 2
    $make k1.st --windows 20 --k 1
    $make full.st --windows 20 --capacity 2
    $make all.st --windows 60 --seed 3
    $make tail.st --windows 60 --seed 3 --first 25
    $make head.st --windows 25 --seed 3
    python3 - "$BATS_TEST_DIRNAME/reference" <<'END'
import json, sys
sys.path.insert(0, sys.argv[1])
import container as c
common = {"moe.length": "4", "moe.stride": "2", "moe.rate": "128", "moe.unit": "uV", "moe.halo": "1",
          "moe.channels": '["Fz","Cz","Oz"]', "moe.classes": '["rest","task"]'}
regions = [{"name": "front", "channel": [-1, 0, 1], "core": [0, 1, 0]}, {"name": "back", "channel": [0, 1, 2, -1], "core": [0, 1, 1, 0]}]
model = {"global_token": ("F32", [1, 1, 4]), "experts.0.input_projection.weight": ("F32", [4, 3]),
         "experts.0.transformer.layers.0.moe.router.weight": ("F32", [2, 4]), "experts.1.input_projection.weight": ("F32", [4, 4]),
         "gate.fc1.weight": ("F32", [2, 4]), "classifier.weight": ("F32", [2, 4]), "scale.mean": ("F32", [3])}
def size(shape):
    n = 1
    for d in shape:
        n *= d
    return n
model = {k: c.tensor(t, s, [0.5] * size(s)) for k, (t, s) in model.items()}
c.save("model.st", model, dict(common, **{"moe.format": "model/1", "moe.regions": json.dumps(regions),
    "moe.config": '{"preset": "seed",\n "encoder": {"hidden_dim": 4}}', "moe.train_groups": '["S00", "S01"]',
    "moe.history": '[{"program": "moe-train", "version": "x", "argv": ["a b"]}]'}))
state = dict(model, **{"adam.m.global_token": model["global_token"], "best.global_token": model["global_token"]})
c.save("state.st", state, dict(common, **{"moe.format": "state/1", "moe.regions": json.dumps(regions)}))
windows = {"expert.0": c.tensor("F32", [8, 3], [0] * 24), "expert.1": c.tensor("F32", [8, 4], [0] * 32),
           "region.0.channel": c.tensor("I32", [3], [-1, 0, 1]), "region.0.core": c.tensor("U8", [3], [0, 1, 0]),
           "region.1.channel": c.tensor("I32", [4], [0, 1, 2, -1]), "region.1.core": c.tensor("U8", [4], [0, 1, 1, 0]),
           "window.start": c.tensor("I64", [3], [0, 2, 4]), "window.label": c.tensor("I32", [3], [0, -1, 0]),
           "window.recording": c.tensor("I32", [3], [0, 0, 0]), "window.group": c.tensor("I32", [3], [1, 1, 0])}
c.save("windows.st", windows, dict(common, **{"moe.format": "windows/1", "moe.regions": '["front","back"]',
    "moe.recordings": '["x.csv"]', "moe.groups": '["S00","S01"]'}))
c.save("plain.st", {"x": c.tensor("F32", [2], [1, 2])}, {})
END
}

setup() {
    bin=$(realpath "${MOE_BIN:-build/bin}")
    reference=$BATS_TEST_DIRNAME/reference
    page=$BATS_TEST_DIRNAME/../man/moe-stats.1
    PATH=$bin:$PATH
    cd "$BATS_TEST_TMPDIR" || exit 1
    cp "$BATS_FILE_TMPDIR"/*.st .
}

refused() { # refused STATUS WORDS COMMAND...
    local status_wanted=$1 words=$2
    shift 2
    run "$@"
    echo "status $status: $output"
    [ "$status" -eq "$status_wanted" ]
    [[ $output == *"$words"* ]]
    [[ $output == moe-stats:* ]]
}

# damage IN OUT CODE: changes tensors t and metadata m by a line of Python
damage() {
    python3 -c '
import sys
sys.path.insert(0, sys.argv[1])
import container as c
t, m = c.load(sys.argv[2])
exec(sys.argv[4])
c.save(sys.argv[3], t, m)' "$reference" "$1" "$2" "$3"
}

@test "figures are those of a second implementation" {
    moe-stats a.st >one.json
    python3 "$reference/routing_stats.py" check one.json a.st
    moe-stats a.st b.st >two.json
    python3 "$reference/routing_stats.py" check two.json a.st b.st
    moe-stats k1.st >k1.json
    python3 "$reference/routing_stats.py" check k1.json k1.st
    moe-stats full.st >full.json
    python3 "$reference/routing_stats.py" check full.json full.st
    [ "$(jq -c '.layers[2].capacity' full.json)" = '[2,1,2,1,2]' ]
    [ "$(jq -c '[.layers[0] | .capacity_utilisation, .capacity[0]]' one.json)" = '[null,null]' ]
    [ "$(jq .windows two.json)" -eq 70 ]
    [ "$(jq -c '[.layers[] | [.region, .name, .layer, .experts, .k]]' two.json)" = '[[0,"front",0,5,2],[0,"front",1,5,2],[2,"parietal",1,5,2]]' ]
    [ "$(jq -r .gate.largest two.json)" = back ] # where the fixture puts the weight
    [ "$(jq -c .gate.regions two.json)" = '["front","central","parietal","back"]' ]
}

@test "specialisation is one less the entropy of the class" {
    damage k1.st pure.st 'n = t["gate.weight"][1][0]; g = t["gate.weight"][2]
for i in range(n):
    t["window.label"][2][i] = i % 2
    for k in range(4): g[4 * i + k] = 1.0 if k == (i % 2) * 3 else 0.0'
    [ "$(moe-stats pure.st | jq -c .gate.specialisation)" = '[1,null,null,1]' ]
    damage pure.st alike.st 'g = t["gate.weight"][2]
for i in range(len(g)): g[i] = 1.0 if i % 4 == 2 else 0.0'
    [ "$(moe-stats alike.st | jq -c .gate.specialisation)" = '[null,null,0,null]' ]
}

# The layer 0.0 of all.st made to know what RULE says: Python for the expert of window i by its label and group
taught() {
    damage all.st taught.st "
t = {k: v for k, v in t.items() if not k.startswith('layer.0.1') and not k.startswith('layer.2')}
e = t['layer.0.0.expert'][2]
for i in range(60):
    t['window.label'][2][i], t['window.group'][2][i] = i % 2, i // 2 % 3
    label, group = i % 2, i // 2 % 3
    for j in range(3):
        e[6 * i + 2 * j], e[6 * i + 2 * j + 1] = $1, 4"
}

@test "experts that know the person are told from those that know the class" {
    taught group # experts 0 to 2 follow the group, 4 is always there
    moe-stats taught.st >f.json
    [ "$(jq -c '.layers[0] | [.knows, .flagged]' f.json)" = '[["group","group","group",null,"neither"],[0,1,2]]' ]
    [ "$(jq -c '.layers[0] | [.group_specialisation[0], .group_specialisation_p[0], .group_information_p, .specialisation[0]]' f.json)" = '[1,0.005,0.005,0]' ]
    moe-stats --report taught.st | grep -q 'expert 1 depends on the subject rather than the class: S01 has 1 of it'
    taught '2 * label' # experts 0 and 2 follow the class
    moe-stats taught.st >f.json
    [ "$(jq -c '.layers[0] | [.knows[0], .knows[2], .flagged]' f.json)" = '["class","class",[]]' ]
    [ "$(jq -c '.layers[0].specialisation_p[0]' f.json)" = 0.005 ]
    moe-stats --report taught.st | grep -q 'expert 2 depends on the class: task has 1 of it'
    taught '0 if i % 4 else 1' # neither, as near as can be
    [ "$(moe-stats taught.st | jq -c '.layers[0].flagged')" = '[]' ]
    # classes that differ between persons only cannot be told from them
    damage taught.st nested.st 't["window.label"][2][:] = type(t["window.label"][2])("i", [g % 2 for g in t["window.group"][2]])'
    [ "$(moe-stats nested.st | jq -c '.layers[0] | [.knows[0], .specialisation_p[0]]')" = '[null,null]' ]
    moe-stats --report nested.st | grep -q 'Class and subject cannot be distinguished'
}

@test "p-values repeat with the seed, and not with another" {
    moe-stats a.st >one
    moe-stats --seed 1 a.st | cmp - one
    moe-stats --seed 2 a.st >two
    run ! cmp -s one two
    jq -c 'del(.seed) | del(.. | .specialisation_p?, .group_specialisation_p?, .information_p?, .group_information_p?, .knows?, .flagged?)' one >a
    jq -c 'del(.seed) | del(.. | .specialisation_p?, .group_specialisation_p?, .information_p?, .group_information_p?, .knows?, .flagged?)' two | cmp - a
    [ "$(moe-stats --permutations 0 a.st | jq -c '[.permutations, .gate.information_p, (.gate.knows | unique)]')" = '[0,null,[null]]' ]
    moe-stats a.st | jq -e '[.layers[].specialisation_p[] | . >= 1 / 200 and . <= 1] | all'
}

@test "by region: what the gate says, and the mean of its layers" {
    moe-stats a.st >f.json
    jq -e '[.by_region[].name] == .gate.regions and [.by_region[].importance] == .gate.importance and [.by_region[].layers] == [2, 0, 1, 0]' f.json
    jq -e '([.layers[] | select(.region == 0) | .cv] | add / 2) - .by_region[0].cv | fabs < 1e-8' f.json
    jq -e '.by_region[1] | has("cv") | not' f.json
}

@test "a report in words names shares, empty places and pairs" {
    moe-stats --report a.st >words
    [ "$(head -1 words)" = "40 windows of 3 groups; 2 classes" ]
    grep -qx 'Region front, layer 1: 5 experts, 2 for a token' words
    share=$(moe-stats a.st | jq '.layers[0].share | max * 1000 | round / 1000')
    grep -q "to $share (expert" words
    grep -q '% of the places stayed empty' words
    grep -q 'are most often chosen together' words
    grep -Eqx '  A token has 1 to 2 experts: [0-9.]+ % have 2 or more\.' words
    moe-stats --raw a.st | moe-stats --merge --report - | cmp - words
}

@test "a pipe of several files is the same as the files" {
    moe-stats a.st b.st >files
    cat a.st b.st | moe-stats >pipe
    cat a.st b.st | moe-stats - >dash
    moe-stats a.st - <b.st >mixed
    cmp files pipe
    cmp files dash
    cmp files mixed
}

@test "counts of parts add up to the figures of the whole, in any order" {
    moe-stats all.st >whole
    moe-stats --raw head.st >head.json
    moe-stats --raw tail.st -o tail.json
    moe-stats --merge head.json tail.json >merged
    moe-stats --merge tail.json head.json >turned
    cmp whole merged
    jq -S 'del(.. | .by_class?, .by_group?)' turned >turned-plain
    jq -S 'del(.. | .by_class?, .by_group?)' whole >whole-plain
    cmp turned-plain whole-plain
    moe-stats --raw full.st >full.json
    moe-stats --merge full.json | cmp - <(moe-stats full.st)
    moe-stats --raw --merge head.json tail.json | moe-stats --merge - >twice
    cmp whole twice
    moe-stats head.st tail.st >both
    cmp whole both
    moe-stats --merge --csv head.json tail.json >table
    moe-stats --csv all.st | cmp - table
}

@test "tables: a row for each place, set of windows and expert" {
    moe-stats --csv a.st >t.csv
    moe-stats --tsv a.st >t.tsv
    tr ',' '\t' <t.csv | cmp - t.tsv
    [ "$(head -1 t.csv)" = part,region,layer,expert,by,name,tokens,count,share,importance,average_weight,entropy,entropy_normalised,cv,max_over_mean,overflow,margin,unrouted,specialisation,specialisation_p,group_specialisation,group_specialisation_p,importance_deviation,max_over_min,max_probability,min_probability,fewest_experts,most_experts,weight_min,weight_max,capacity,capacity_utilisation ]
    awk -F, 'NF != 32 { exit 1 }' t.csv
    [ "$(grep -c '^gate' t.csv)" -eq $((4 * (1 + 2 + 3))) ]
    [ "$(grep -c '^layer' t.csv)" -eq $((3 * 5 * (1 + 2 + 3))) ]
    share=$(moe-stats a.st | jq '.layers[2].by_group.S01.share[4]')
    [ "$(awk -F, '$1 == "layer" && $2 == "parietal" && $3 == 1 && $4 == 4 && $6 == "S01" { print $9 }' t.csv)" = "$share" ]
    damage a.st quoted.st 'm["moe.groups"] = "[\"a,b\",\"c\\\"d\",\"S02\"]"'
    moe-stats --csv quoted.st | grep -q ',group,"a,b",'
    moe-stats --csv quoted.st | grep -q ',group,"c""d",'
}

@test "groups and classes of different files are matched by name" {
    damage b.st renamed.st 'm["moe.groups"] = "[\"S02\",\"S03\",\"S00\"]"; m["moe.classes"] = "[\"task\",\"rest\"]"'
    moe-stats a.st renamed.st >f.json
    python3 "$reference/routing_stats.py" check f.json a.st renamed.st
    [ "$(jq -c '.gate.by_group | keys' f.json)" = '["S00","S01","S02","S03"]' ]
}

@test "a file without layers, without sample numbers, without windows" {
    damage a.st gate.st 't = {k: v for k, v in t.items() if not k.startswith("layer") and k != "window.sample"}'
    [ "$(moe-stats gate.st | jq -c .layers)" = '[]' ]
    damage a.st none.st 't = {k: (v[0], [0] + v[1][1:], v[2][:0]) for k, v in t.items()}'
    [ "$(moe-stats none.st | jq -c '[.windows, .gate.share, .gate.largest, .gate.by_class]')" = '[0,[0,0,0,0],null,{}]' ]
}

@test "a model is described by its parts" {
    moe-stats model.st >m.json
    [ "$(wc -l <m.json)" -eq 1 ]
    [ "$(jq -c '[.file,.format,.rate,.unit,.length,.stride,.halo,.channels,.classes]' m.json)" = \
        '["model.st","model/1",128,"uV",4,2,1,["Fz","Cz","Oz"],["rest","task"]]' ]
    [ "$(jq -c .regions m.json)" = '[{"name":"front","width":3,"core":["Fz"],"halo":["Cz"]},{"name":"back","width":4,"core":["Cz","Oz"],"halo":["Fz"]}]' ]
    [ "$(jq -cS .parameters m.json)" = '{"classifier":8,"experts":36,"experts.0":20,"experts.1":16,"gate":8,"global_token":4,"moe":8,"total":56}' ]
    [ "$(jq -c '[.scaler,.train_groups,.config,.history[0].argv]' m.json)" = '[true,["S00","S01"],{"preset":"seed","encoder":{"hidden_dim":4}},["a b"]]' ]
    [ "$(jq -c '.tensors["scale.mean"]' m.json)" = '{"type":"F32","shape":[3]}' ]
    # the optimizer's tensors of a state file are not parameters
    [ "$(moe-stats state.st | jq -c '[.format,.parameters.total]')" = '["state/1",56]' ]
}

@test "windows and routing files are described by their windows" {
    [ "$(moe-stats windows.st | jq -c '[.windows,.windows_by_class,.unlabelled,.windows_by_group]')" = '[3,{"rest":2,"task":0},1,{"S00":1,"S01":2}]' ]
    [ "$(moe-stats --describe a.st | jq -c '[.format,.windows,.history[0].program]')" = '["routing/1",40,"fixture"]' ]
    [ "$(moe-stats plain.st | jq -c '[.format,.tensors]')" = '[null,{"x":{"type":"F32","shape":[2]}}]' ]
    [ "$(moe-stats model.st windows.st | jq -r .file | xargs)" = 'model.st windows.st' ]
}

@test "missing, folder, empty, text, wrong kind, truncated" {
    refused 66 'nowhere.st' moe-stats nowhere.st
    mkdir folder
    refused 66 'folder' moe-stats folder
    : >empty
    refused 65 'empty' moe-stats empty
    echo 'time,Fz' >x.csv
    refused 65 'x.csv: text' moe-stats x.csv
    refused 65 'standard input: text' bash -c 'moe-stats <x.csv'
    head -c 1000 a.st >short.st
    refused 65 'short.st' moe-stats short.st
    head -c $(($(wc -c <a.st) - 3)) a.st >cut.st
    refused 65 'cut.st' moe-stats cut.st
    head -c 500 b.st | cat a.st - >joined
    refused 65 'standard input' bash -c 'cat joined | moe-stats' # the second file of the pipe ends early
    refused 65 'joined' moe-stats joined
    refused 65 'not a routing file' moe-stats --raw model.st
    refused 64 'among other files' moe-stats model.st a.st
    refused 65 'not a routing file' moe-stats a.st model.st
}

@test "damaged tensors and metadata are named" {
    while IFS='|' read -r words code; do
        damage a.st bad.st "$code"
        refused 65 "$words" moe-stats bad.st
        [[ $output == *bad.st* ]]
    done <<'END'
gate.weight: window 2|t["gate.weight"][2][9] = float("nan")
gate.weight: window 2|t["gate.weight"][2][9] = -0.5
layer.0.1.probability: window 1|t["layer.0.1.probability"][2][16] = 7
layer.2.1.expert: window 0: 5|t["layer.2.1.expert"][2][0] = 5
layer.2.1.expert: window 0: -2|t["layer.2.1.expert"][2][0] = -2
twice|t["layer.0.0.expert"][2][0] = t["layer.0.0.expert"][2][1] = 3
layer.0.0.weight: window 0|t["layer.0.0.weight"][2][0] = float("inf")
layer.0.0.weight|del t["layer.0.0.weight"]
layer.0.0.probability|del t["layer.0.0.probability"]
layer.0.00.weight|t["layer.0.00.weight"] = t["layer.0.0.weight"]
layer.0.1.capacity|t["layer.0.1.capacity"] = c.tensor("I32", [5], [1, 2, 3, 4, 0])
layer.0.1.capacity|t["layer.0.1.capacity"] = c.tensor("I32", [4], [1, 2, 3, 3])
layer.9.0|t["layer.9.0.probability"] = t["layer.0.0.probability"]
window.label: window 3: 2|t["window.label"][2][3] = 2
window.group: window 0: -1|t["window.group"][2][0] = -1
window.recording|t["window.recording"] = c.tensor("I32", [1], [0])
gate.weight|t["gate.weight"] = ("F32", [20, 8], t["gate.weight"][2])
moe.groups|del m["moe.groups"]
moe.classes|m["moe.classes"] = "[1]"
moe.regions|m["moe.regions"] = "{}"
moe.regions|m["moe.regions"] = "[\"a"
moe.rate|m["moe.rate"] = "-1"
stands twice|m["moe.groups"] = '["S00","S00","S01"]'
END
}

@test "a windows file with a damaged label, a model with a damaged configuration" {
    damage windows.st bad.st 't["window.label"][2][1] = 7'
    refused 65 'window.label: window 1 has the index 7, but there are 2 names' moe-stats bad.st
    damage model.st bad.st 'm["moe.config"] = "{"'
    refused 65 'moe.config: not JSON' moe-stats bad.st
}

@test "what belongs to different models is not added up" {
    refused 65 'region 0, layer 0: 1 of 5 experts for each token, but 2 of 5' moe-stats a.st k1.st
    damage a.st other.st 'm["moe.regions"] = "[\"a\",\"b\",\"c\",\"d\"]"'
    refused 65 'regions a, b, c, d, but front' moe-stats a.st other.st
}

@test "damaged counts are refused" {
    moe-stats --raw a.st >good.json
    while IFS='|' read -r words change; do
        jq -c "$change" good.json >bad.json
        refused 65 "$words" moe-stats --merge bad.json
        [[ $output == *bad.json* ]]
    done <<'END'
usage/1|.format = "usage/2"
"windows"|.windows = -1
"windows"|.windows = 1.5
"regions"|del(.regions)
"groups"|.groups = ["S00","S00"]
does not begin with the gate|.sites = []
does not begin with the gate|.sites = [.sites[1]]
"tokens"|.sites[0].all.tokens = "4"
"count"|.sites[1].all.count[0] = -1
"count"|.sites[1].all.count = []
"pair"|.sites[1].all.pair = [0]
"pair"|.sites[1].experts = 20000
2^52|.sites[0].all.entropy = [0,9007199254740000]
the gate has|.sites[0].k = 2 | .sites[0].experts = 2 | .sites[0].all.pair = [0,0,0,0]
"by_class"|.sites[0].by_class = 3
"window"|del(.sites[0].window)
"window"|.sites[1].window.class[0] = 7
"window"|.sites[1].window.group[0] = -1
"window"|.sites[1].window.count[0] = 0.5
"window"|.sites[1].window.count |= .[1:]
"served"|del(.sites[1].all.served)
"served"|.sites[1].all.served = [1,2]
"square"|del(.sites[1].all.square)
"room"|del(.sites[1].all.room)
"filled"|.sites[1].all.filled = -1
"limited"|del(.sites[1].all.limited)
"largest"|.sites[1].all.largest = [-1,0]
"weight_range"|del(.sites[1].all.weight_range)
"weight_range"|.sites[1].all.weight_range = [0.5]
"weight_range"|.sites[1].all.weight_range = [0.5,0.25]
"weight_range"|.sites[1].all.weight_range = [-1,0.25]
only the gate is|.sites[1].layer = -1
END
    echo '{"format":"usage/1"' >bad.json
    refused 65 'bad.json: not JSON' moe-stats --merge bad.json
    refused 65 'reads counts written by moe-stats --raw' moe-stats --merge a.st
    refused 65 'text, not a routing file' moe-stats good.json
}

@test "options that do not go together, or do not exist" {
    refused 64 'exclude each other' moe-stats --csv --tsv a.st
    refused 64 'exclude each other' moe-stats --raw --csv a.st
    refused 64 'which --describe cannot describe' moe-stats --merge --describe a.st
    refused 64 'unknown option --mergee; did you mean --merge?' moe-stats --mergee a.st
    refused 65 'header' moe-stats --max-header 1024 a.st
}

@test "a full disk and a missing folder are errors, and the old result stays when the input is bad" {
    refused 74 'No space left' bash -c 'moe-stats a.st >/dev/full'
    refused 74 'No space left' moe-stats -o /dev/full a.st
    refused 73 'nowhere/x' moe-stats -o nowhere/x a.st
    echo old >result
    refused 65 '' moe-stats -o result a.st model.st
    [ "$(cat result)" = old ]
    moe-stats -o result a.st
    moe-stats a.st | cmp - result
}

@test "the examples of the page run" {
    cp a.st routing.safetensors
    cp head.st morning.safetensors
    cp tail.st evening.safetensors
    cp model.st model.safetensors
    awk '/^\.S[hs] / { on = /^\.Ss Examples/ } on && /^\.Ed/ { in_it = 0 } in_it { print } on && /^\.Bd/ { in_it = 1 }' \
        "$page" | grep -v -e --ablate -e --leak-check >examples # those are in moe-stats-ablate.bats and leaks.bats
    [ "$(grep -c '^moe-stats' examples)" -ge 6 ]
    run bash -eu -o pipefail examples
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == *'"back"]'* ]]
    [[ $output == *'"windows":60'* ]]
    [[ $output == *'"total": 56'* ]]
}
