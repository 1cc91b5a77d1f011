# For the Bats files of moe-split: data made on the spot, and a look into what comes out.
# shellcheck shell=bash disable=SC2154 # status and output are those of run

setup() {
    bin=$(cd "${MOE_BIN:-build/bin}" && pwd)
    PATH=$bin:$PATH
    cd "$BATS_TEST_TMPDIR" || exit
    export TMPDIR=$BATS_TEST_TMPDIR
}

# show FILE KEY: a metadata value, or a tensor as "TYPE [shape] values..."
show() {
    python3 - "$@" <<'PY'
import json, struct, sys
raw = open(sys.argv[1], 'rb').read()
n = struct.unpack('<Q', raw[:8])[0]
assert (8 + n) % 64 == 0
head = json.loads(raw[8:8 + n])
key = sys.argv[2]
if key in head['__metadata__']:
    print(head['__metadata__'][key])
elif key in head:
    t = head[key]
    b, e = t['data_offsets']
    code = {'F32': 'f', 'I64': 'q', 'I32': 'i', 'U8': 'B'}[t['dtype']]
    values = struct.unpack('<%d%s' % ((e - b) // struct.calcsize(code), code), raw[8 + n + b:8 + n + e])
    print(t['dtype'], t['shape'], *('%g' % v for v in values))
else:
    print('absent')
PY
}

# model FILE CHANNELS RATE: a file with a model's layout: window 4, stride 2, two regions over three channels
model() {
    python3 - "$@" <<'PY'
import json, struct, sys
channels = sys.argv[2].split(',')
meta = {'moe.format': 'model/1', 'moe.length': '4', 'moe.stride': '2', 'moe.rate': sys.argv[3], 'moe.unit': 'uV', 'moe.halo': '1',
        'moe.channels': json.dumps(channels), 'moe.classes': '["rest","task"]',
        'moe.regions': json.dumps([{'name': 'left', 'channel': [-1, 0, 1], 'core': [0, 1, 0]},
                                   {'name': 'right', 'channel': [0, 1, 2, -1], 'core': [0, 1, 1, 0]}])}
head = json.dumps({'__metadata__': meta}).encode()
open(sys.argv[1], 'wb').write(struct.pack('<Q', len(head)) + head)
PY
}

# ramp ROWS [LABELS...]: channels a, b, c; a = row, b = -row, c = row / 2; labels spread evenly
ramp() {
    local rows=$1
    shift
    awk -v n="$rows" -v labels="$*" 'BEGIN { k = split(labels, l, " "); printf "a,b,c%s\n", k ? ",label" : ""
        for (i = 0; i < n; i++) printf "%d,%d,%.1f%s\n", i, -i, i / 2, k ? "," l[int(i * k / n) + 1] : "" }'
}

# refused STATUS WORDS COMMAND...: the status, the words in the message behind the program's name, no output file
refused() {
    local status_wanted=$1 words=$2
    shift 2
    run "$@" -o never.st
    [ "$status" -eq "$status_wanted" ] || { echo "status $status: $output" && return 1; }
    [[ "$output" == "moe-split: "*"$words"* ]] || { echo "said: $output" && return 1; }
    [ ! -e never.st ]
    [ -z "$(find . -name '.never*')" ]
}

# times FORMAT STEP ROW...: a recording of 40 rows with these times; rows named jump by 10 steps more
times() {
    awk -v f="$1" -v step="$2" -v jumps="$3" -v name="${4:-time}" 'BEGIN { n = split(jumps, j, " "); print name ",a"
        for (i = 0; i < 40; i++) { for (k = 1; k <= n; k++) if (j[k] == i) lost += 10
            printf f ",%d\n", 1000 + (i + lost) * step, i } }'
}
