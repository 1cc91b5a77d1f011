# For the Bats files of moe-train, moe-predict and moe-route: small recordings, small models, a look into files.
# shellcheck shell=bash disable=SC2034,SC2154 # small is for the tests; status and output are those of run

# Options of a model that trains in milliseconds. Split where it is used.
small="--set encoder.hidden_dim=8 --set encoder.heads=2 --set encoder.layers=1 --set encoder.ffn_dim=8"

# make_data: in the file's folder eeg/S0[0-3]_1.csv, w.st (S00 to S03: 64 windows of 32 at 64 Hz, two regions, each
# person a condition), one.st (one
# region), few.st (one region, one person), and m.st, a model of two epochs
make_data() {
    PATH=$(realpath "${MOE_BIN:-build/bin}"):$PATH
    cd "$BATS_FILE_TMPDIR" || exit 1
    moe-synth --subjects 4 --channels 4 --rate 64 --seconds 8 --seed 5 -o eeg || return 1
    moe-split --window 32 --experts 2 --halo 1 --condition 'S0.' eeg/*.csv -o w.st || return 1
    moe-split --window 32 --experts 1 --halo 0 eeg/*.csv -o one.st || return 1
    moe-split --window 32 --experts 1 --halo 0 eeg/S00*.csv -o few.st || return 1
    # shellcheck disable=SC2086
    moe-train $small --set train.epochs=2 --no-history -o m.st w.st
}

# train OUT ARGUMENTS...: a small model without history
train() {
    local out=$1
    shift
    # shellcheck disable=SC2086
    moe-train $small --no-history -o "$out" "$@"
}

# deflected FILE: the recording with a wave on two channels from sample 16 to 47 of each second: up and down in one class, down and
# up in the other, so that no power tells them apart
deflected() {
    awk -F, -v OFS=, 'NR == 1 { print; next }
    {
        n = $NF == was ? n + 1 : 0; was = $NF; t = n % 64
        if (t >= 16 && t < 48) {
            d = 12 * sin((t - 16) * 3.14159265 / 16) * ($NF == "task" ? 1 : -1)
            $2 = sprintf("%.2f", $2 + d); $3 = sprintf("%.2f", $3 + d)
        }
        print
    }' "$1"
}

# tensors FILE: a digest of all tensors, without the header (the configuration is in it)
tensors() {
    local header
    header=$(od -An -tu8 -N8 "$1")
    tail -c +$((header + 9)) "$1" | cksum
}

# mix OUT ARGUMENTS...: a small model of two epochs with mixtures in every layer, on w.st; quick, the same for the same arguments
mix() {
    local out=$1
    shift
    # shellcheck disable=SC2086
    moe-train $small --set moe.layers=all --set train.epochs=2 --set train.batch_size=24 --no-history -q "$@" -o "$out" w.st
}

# moe_model NAME KEYS...: a model of one epoch whose two layers are both mixtures of four experts
moe_model() {
    local name=$1
    shift
    # shellcheck disable=SC2086
    moe-train -q $small --set encoder.layers=2 --set moe.layers=all --set train.epochs=1 "${@/#/--set=}" --no-history -o "$name" w.st
}

setup() {
    PATH=$(realpath "${MOE_BIN:-build/bin}"):$PATH
    reference=$BATS_TEST_DIRNAME/reference
    cd "$BATS_TEST_TMPDIR" || exit 1
    export TMPDIR=$BATS_TEST_TMPDIR
    ln -s "$BATS_FILE_TMPDIR/eeg" eeg
    cp "$BATS_FILE_TMPDIR"/*.st .
}

# edit IN OUT CODE: changes tensors t and metadata m by lines of Python
edit() {
    python3 -B -c '
import json, math, sys
sys.path.insert(0, sys.argv[1])
import container as c
t, m = c.load(sys.argv[2])
exec(sys.argv[4])
c.save(sys.argv[3], t, m)' "$reference" "$1" "$2" "$3"
}

# ask FILE CODE: prints what Python makes of tensors t and metadata m
ask() {
    python3 -B -c '
import json, math, sys
sys.path.insert(0, sys.argv[1])
import container as c
t, m = c.load(sys.argv[2])
print(eval(sys.argv[3]))' "$reference" "$1" "$2"
}

# near TOLERANCE A B: files of equally many numbers a line are the same within it
near() {
    python3 - "$@" <<'END'
import re, sys
a, b = ([[float(x) for x in re.findall(r"[-+.\deE]+", line)] for line in open(f)] for f in sys.argv[2:])
assert len(a) == len(b) > 0
for x, y in zip(a, b):
    assert len(x) == len(y) > 0 and all(abs(i - j) <= float(sys.argv[1]) for i, j in zip(x, y)), (x, y)
END
}

# pieces FILE: a line for each window of each of the containers in FILE: sample, label, recording, group, hash of each region,
# and what the recording went through
pieces() {
    python3 -B - "$1" <<'PY'
import hashlib, json, struct, sys
raw, at = open(sys.argv[1], 'rb').read(), 0
while at < len(raw):
    n = struct.unpack('<Q', raw[at:at + 8])[0]
    head = json.loads(raw[at + 8:at + 8 + n])
    meta, data = head.pop('__metadata__'), at + 8 + n
    def tensor(name):
        b, e = head[name]['data_offsets']
        return raw[data + b:data + e]
    def numbers(name):
        t = tensor(name)
        return struct.unpack('<%d%s' % (head[name]['shape'][0], 'q' if head[name]['dtype'] == 'I64' else 'i'), t)
    classes = json.loads(meta['moe.classes']) + [None]
    rows, length = numbers('window.start'), int(meta['moe.length'])
    for i, row in enumerate(rows):
        regions = []
        for k in range(len(json.loads(meta['moe.regions']))):
            width = 4 * head[f'expert.{k}']['shape'][1]
            regions.append(hashlib.md5(tensor(f'expert.{k}')[row * width:(row + length) * width]).hexdigest())
        print(numbers('window.sample')[i], classes[numbers('window.label')[i]],
              json.loads(meta['moe.recordings'])[numbers('window.recording')[i]],
              json.loads(meta['moe.groups'])[numbers('window.group')[i]], *regions, meta.get('moe.conditioning'))
    at = data + max(t['data_offsets'][1] for t in head.values())
PY
}

# refused STATUS WORDS PROGRAM ARGUMENTS...: the status, the words behind the program's name, and no file never.st
refused() {
    local wanted=$1 words=$2
    shift 2
    run "$@"
    [ "$status" -eq "$wanted" ] || { echo "$*: status $status: $output" && return 1; }
    [[ "$output" == "$1: "*"$words"* ]] || { echo "$*: said: $output" && return 1; }
    [ ! -e never.st ] || { echo "$*: left never.st" && return 1; }
    [ -z "$(find . -name '.*.tmp*')" ] || { echo "$*: left a temporary file" && return 1; }
}

# no_train STATUS WORDS ARGUMENTS...: refused by moe-train on a small model
no_train() {
    local wanted=$1 words=$2
    shift 2
    refused "$wanted" "$words" moe-train "$@" -o never.st
}

# manual_examples PAGE: the commands of its examples, one a line
manual_examples() {
    sed -n '/^\.S[hs] E[Xx][Aa]/,/^\.S[hs] /p' "$BATS_TEST_DIRNAME/../man/$1" | sed -n 's/^\.Dl \$ //p'
}

# run_examples PAGE LEAST: all of them, in order, each with success; LEAST says how many there are at least
run_examples() {
    manual_examples "$1" >examples
    [ "$(wc -l <examples)" -ge "$2" ]
    while IFS= read -r line; do
        run bash -o pipefail -c "$line" </dev/null
        [ "$status" -eq 0 ] || { echo "$line: $output" && return 1; }
    done <examples
}
