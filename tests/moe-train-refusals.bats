#!/usr/bin/env bats
# moe-train: what it refuses, and in which words.
# shellcheck disable=SC2086,SC2154 # options kept in a variable are split on purpose; variables come from the helpers

load train_helpers

setup_file() {
    make_data
}

@test "a value a key cannot have is refused, and says what is possible" {
    no_train 78 'train.lr: 0 is outside 1e-12 to 1000' --set train.lr=0 w.st
    no_train 78 'train.lr is not a number' --set train.lr=fast w.st
    no_train 78 'train.epochs is not a whole number' --set train.epochs=1.5 w.st
    no_train 78 'encoder.dropout: 1 is outside' --set encoder.dropout=1 w.st
    no_train 78 'train.shuffle is neither true nor false' --set train.shuffle=yes w.st
    no_train 78 'train.schedule: "linear" is none of constant|cosine|onecycle|step' --set train.schedule=linear w.st
    no_train 78 'encoder.heads: 3 does not divide encoder.hidden_dim, 8' $small --set encoder.heads=3 w.st
    no_train 78 'encoder.positional=sinusoidal needs an even' --set encoder.hidden_dim=9 --set encoder.heads=1 \
        --set encoder.positional=sinusoidal w.st
    no_train 78 'encoder.bands' --set 'encoder.bands=[4,4]' w.st
    no_train 78 'encoder.bands' --set 'encoder.bands=[4]' w.st
    no_train 78 'encoder.bands' --set 'encoder.bands=[1,40,50]' w.st # nothing is above 32 Hz
    no_train 78 'max_seq_length' --preset seed --set encoder.max_seq_length=10 w.st
    no_train 64 'KEY=VALUE was expected' --set train.lr w.st
    no_train 64 'KEY=VALUE was expected' --set =1 w.st
    no_train 78 'use --preset' --set preset=seed w.st
    no_train 78 'none of default|seed|' --preset none w.st
}

@test "an unknown key is refused with a suggestion, one without effect with the reason" {
    no_train 78 'unknown key train.learning_rate' --set train.learning_rate=1 w.st
    no_train 78 'unknown key encoder.layer; did you mean encoder.layers' --set encoder.layer=1 w.st
    no_train 78 'encoder.patch has no effect: encoder.tokens is not patch' --set encoder.patch=4 w.st
    no_train 78 'encoder.bands has no effect' --preset seed --set 'encoder.bands=[1,4]' w.st
    no_train 78 'encoder.window has no effect' --preset seed --set encoder.window=1 w.st
    no_train 78 'encoder.hop has no effect' --preset seed --set encoder.hop=1 w.st
    no_train 78 'bridge.sync has no effect: bridge.tokens is 0' --set bridge.tokens=0 --set bridge.sync=end w.st
    no_train 78 'train.decay has no effect: train.weight_decay is 0' --set train.weight_decay=0 --set train.decay=all w.st
    no_train 78 'train.patience has no effect' --set train.patience=3 w.st
    no_train 78 'train.patience has no effect' --init m.st --set train.patience=3 w.st
    no_train 78 'gate.temperature has no effect: there is one region' --set gate.temperature=2 one.st
    no_train 78 'bridge.sync has no effect: there is one region' --set bridge.sync=none one.st
    for key in gate.type=linear gate.combine=answers gate.top_k=1 gate.noise_std=1 gate.load_balance_weight=1; do
        no_train 78 "${key%=*} has no effect: there is one region" --set $key one.st
    done
    no_train 78 'gate.top_k=3 has no effect: there are 2 regions' --set gate.top_k=3 w.st
    no_train 78 'gate.temperature has no effect: gate.top_k is 1' --set gate.top_k=1 --set gate.temperature=2 w.st
    no_train 78 'encoder.pool=attention has no effect: a window is one token' --set encoder.pool=attention --set encoder.bands=[8,13] w.st
    no_train 78 'bridge.sync_every has no effect: bridge.sync is not layer' --set bridge.sync_every=2 w.st
    no_train 78 'bridge.sync=layer has no effect: bridge.sync_every is 2, encoder.layers 2' --set bridge.sync=layer \
        --set bridge.sync_every=2 w.st
    no_train 78 'moe.top_k has no effect' --set moe.top_k=2 w.st
}

@test "what did nothing is no key and no router any more, and a file that holds its one value is still read" {
    no_train 78 'unknown key train.prox_mu' --set train.prox_mu=0 w.st
    no_train 78 'moe.router: "modality" is none of topk|' --set moe.layers=all --set moe.router=modality w.st
    moe-train --print-config >said
    moe-train --help=keys >>said
    grep -q train.augment said
    [ "$(grep -c -e prox_mu -e modality -e 'not implemented' said)" -eq 0 ]
    printf '{"train":{"prox_mu":0.5}}' >c.json
    no_train 78 'unknown key train.prox_mu' --config c.json w.st
    printf '{"train":{"prox_mu":0}}' >c.json
    moe-train --config c.json --print-config >held
    moe-train --print-config | diff - held
}

@test "mistakes in a configuration file" {
    bad() { # bad TEXT WORDS [STATUS]
        printf '%s' "$1" >c.json
        no_train "${3:-78}" "c.json" --config c.json w.st
        [[ "$output" == *"$2"* ]] || { echo "$1: $output"; false; }
    }
    bad '{"train":{"lr":0.1}' "not JSON" 65
    bad '{"train":{"lr":0.1,"lr":0.2}}' lr 65
    bad '{"train":{"lr":"0.1"}}' "train.lr is not a number"
    bad '{"train":{"lr":[1]}}' "train.lr"
    bad '{"train":{"lr":null}}' "train.lr"
    bad '{"train":5}' "unknown key train"
    bad '{"trian":{"lr":1}}' "unknown key trian.lr; did you mean train.lr"
    bad '[1]' "not a JSON object"
    bad '{"preset":"none"}' "default|seed|"
    bad '{"preset":7}' "preset"
    bad '{"encoder":{"patch":7}} x' "not JSON" 65
    printf '{"encoder":{"patch":7}}' >c.json
    no_train 78 "encoder.patch has no effect" --config c.json w.st
    : >c.json
    no_train 65 "c.json: the file is empty" --config c.json w.st
    no_train 66 "none.json" --config none.json w.st
}

@test "windows that do not fit: channels, length, rate, unit" {
    cut="--experts 2 --halo 1"
    moe-split --window 16 $cut eeg/S00_1.csv -o short.st
    no_train 65 "short.st: windows of 16 samples instead of 32" --init m.st short.st
    no_train 65 "short.st: windows of 16 samples instead of 32" w.st short.st
    first=$(ask w.st 'json.loads(m["moe.channels"])[0]') second=$(ask w.st 'json.loads(m["moe.channels"])[1]')
    moe-split --window 32 --experts 1 --drop "$first" eeg/S00_1.csv -o fewer.st
    no_train 65 "fewer.st: missing channel $first; the file has $second" --init m.st fewer.st
    edit w.st rate.st 'm["moe.rate"] = "128"'
    no_train 65 "rate.st: sampled at 128 Hz instead of 64 Hz" --init m.st rate.st
    edit w.st unit.st 'm["moe.unit"] = "mV"'
    no_train 65 unit --init m.st unit.st
}

@test "what is no windows file is named" {
    no_train 65 "eeg/S00_1.csv: this is text, not windows" eeg/S00_1.csv
    no_train 65 "standard input: this is text, not windows" - <eeg/S00_1.csv
    no_train 65 "m.st: not a windows file (moe.format is model/1" m.st
    : >empty
    no_train 65 "empty" empty
    no_train 66 "none.st" none.st
    head -c 4000 w.st >cut.st
    no_train 65 cut.st cut.st
    (cat w.st && echo) >more.st
    no_train 65 more.st more.st
    edit w.st bad.st 't["window.start"][2][3] = 1 << 40'
    no_train 65 "window.start" bad.st
    edit w.st bad.st 't["window.label"][2][3] = 2'
    no_train 65 "window.label" bad.st
    gzip -c w.st >w.gz
    no_train 65 "gzip" w.gz
    refused 64 "cannot be the same file" moe-train -o never.st --state never.st w.st
}

@test "a model that is damaged or another is named by tensor" {
    head -c 2000 m.st >cut.st
    no_train 65 cut.st --init cut.st w.st
    edit m.st bad.st 't["classifier.weight"] = ("F32", [8, 2], t["classifier.weight"][2])'
    no_train 65 "bad.st: tensor classifier.weight" --init bad.st w.st
    edit m.st bad.st 'del t["gate.fc2.bias"]'
    no_train 65 "gate.fc2.bias" --init bad.st w.st
    edit m.st bad.st 'for k in [k for k in t if k.startswith("gate.")]: del t[k]'
    no_train 65 "gate.fc1.weight" --init bad.st w.st
    edit m.st bad.st 't["gate.fc2.bias"][2][0] = math.inf'
    no_train 65 "bad.st: tensor gate.fc2.bias: element 0 is not a finite number" --init bad.st w.st
    edit m.st bad.st 't["experts.7.bias"] = t["gate.fc2.bias"]'
    no_train 65 "tensor experts.7.bias does not belong" --init bad.st w.st
    edit m.st bad.st 't["scale.std"][2][1] = 0.0'
    no_train 65 "scale.std" --init bad.st w.st
    edit m.st bad.st 'm["moe.config"] = "{"'
    no_train 65 "bad.st: metadata moe.config" --init bad.st w.st
    for config in '{"encoder": {"layers": 0}}' '{"encoder": {"colour": 1}}' '{"preset": "none"}' '{"encoder": {"heads": 3}}' \
        '{"moe": {"layers": [7]}}' '{"bridge": {"sync": "often"}}' '[]'; do
        edit m.st bad.st "m['moe.config'] = '$config'"
        no_train 65 "bad.st: metadata moe.config" --init bad.st w.st
    done
    edit m.st bad.st 'o = json.loads(m["moe.config"]); o["gate"]["combine"] = "answers"; m["moe.config"] = json.dumps(o)'
    no_train 65 "heads.0.weight" --init bad.st w.st
    edit m.st bad.st 'm["moe.config"] = json.dumps({"encoder": {"hidden_dim": 65536, "ffn_dim": 1048576, "layers": 256}})'
    no_train 65 "bad.st: tensor" --init bad.st w.st # no memory is asked for before the tensors are there
    edit m.st bad.st 'del m["moe.channels"]'
    no_train 65 "moe.channels" --init bad.st w.st
    no_train 65 "w.st: not a model" --init w.st w.st
}

@test "a sample number beyond what is exact is refused by every program that reads windows, and the largest one is not" {
    edit w.st far.st 't["window.sample"][2][-1] = 2**63 - 1'
    edit w.st negative.st 't["window.sample"][2][-1] = -1'
    edit w.st last.st 't["window.sample"][2][-1] = 2**53'
    for bad in far negative; do
        words="$bad.st: tensor window.sample: window 63: "
        no_train 65 "$words" $small --valid-groups S00 $bad.st
        no_train 65 "$words" $small --valid-tail 0.3 $bad.st
        no_train 65 "$words" $small --set train.scale=ems $bad.st
        refused 65 "$words" moe-stats --leak-check $bad.st w.st
        refused 65 "$words" moe-stats --leak-check w.st $bad.st
        refused 65 "$words" moe-predict -m m.st $bad.st -o never.st
        refused 65 "$words" moe-route -m m.st $bad.st -o never.st
        refused 65 "$words" moe-cv $small --test-stride 16 $bad.st -o never.st
    done
    train last.model --valid-tail 0.3 last.st
    moe-stats --leak-check last.st w.st >/dev/null || [ $? -eq 1 ]
    [ "$(moe-predict -m m.st last.st | tail -n 1 | jq .start)" = 9007199254740992 ]
    moe-route -m m.st w.st -o r.st
    edit r.st far.route 't["window.sample"][2][-1] = 2**63 - 1'
    refused 65 "far.route: tensor window.sample: window 63: " moe-stats far.route
}
