#!/usr/bin/env bats
# The house: where things stand, what may include what, and that every program is documented, tested, installed.

setup() {
    cd "$BATS_TEST_DIRNAME/.." || exit 1
    MOE_BIN=${MOE_BIN:-$PWD/build/bin}
    programs=$(basename -s .c cmd/*.c)
}

none() { # none TEXT: fails and shows the text unless it is empty
    [ -z "$1" ] || {
        echo "$1"
        return 1
    }
}

@test "includes point one way" {
    none "$(find lib -name '*.[ch]' -exec awk '
        BEGIN {
            may["base"] = ""
            may["io"] = " base "
            may["tensor"] = " base "
            may["format"] = " io base "
            may["score"] = " io base "
            may["filter"] = " format base "
            may["scalp"] = " format io base "
            may["synth"] = " scalp format io base "
            may["recording"] = " filter format io base "
            may["sidecar"] = " recording format io base "
            may["cut"] = " sidecar scalp recording filter format io base "
            may["moe"] = " tensor base "
            may["model"] = " moe tensor format io base "
            may["dataset"] = " model format io base "
            may["predict"] = " dataset model score cut recording io base "
            may["analysis"] = " predict dataset model moe score format io base "
            may["train"] = " analysis predict dataset model moe tensor score format io base "
        }
        /^[ \t]*#[ \t]*include[ \t]*"/ {
            split(FILENAME, from, "/")
            split($0, quoted, "\"")
            if (split(quoted[2], to, "/") < 2) { print FILENAME ": " quoted[2] " has no folder"; next }
            if (!(from[2] in may)) { print FILENAME ": the folder " from[2] " has no place in the order"; next }
            if (to[1] != from[2] && index(may[from[2]], " " to[1] " ") == 0)
                print FILENAME ":" FNR ": " from[2] " includes " quoted[2]
        }' {} +)"
}

@test "no circle of files in the rooms of recordings (split, its state and its sidecars are one module)" {
    grep -rE '^#include "[a-z]' lib/{filter,scalp,synth,recording,sidecar,cut} |
        sed -E 's,^lib/([^.]*)\.[ch]:#include "([^.]*)\.h".*,\1 \2,; s,cut/(split_state|sidecars)\b,cut/split,g' |
        awk '$1 != $2' >"$BATS_TEST_TMPDIR/edges"
    [ "$(wc -l <"$BATS_TEST_TMPDIR/edges")" -gt 100 ]
    none "$(tsort "$BATS_TEST_TMPDIR/edges" 2>&1 >/dev/null)"
}

@test "programs that do not train hold nothing of lib/train" {
    objects=$(find lib/train -name '*.c' | sed "s,\(.*\)c$,$MOE_BIN/../\1o,")
    # shellcheck disable=SC2086
    nm -g --defined-only $objects | awk 'NF == 3 && $2 == "T" { print $3 }' | sort -u >"$BATS_TEST_TMPDIR/train"
    grep -qx trainer_run "$BATS_TEST_TMPDIR/train"
    for p in moe-predict moe-route moe-score moe-stats moe-split moe-synth; do
        none "$(nm "$MOE_BIN/$p" | awk '$2 == "T" { print $3 }' | sort -u | comm -12 - "$BATS_TEST_TMPDIR/train" | sed "s/^/$p: /")"
    done
    nm "$MOE_BIN/moe-train" | grep -q ' T trainer_run$'
}

@test "routers, expert types, tokenisers, optimizers and augmentations are told apart by traits, not by name" {
    row=$(sed -n 's/^\tROW(\(.*\)).*/\1/p' lib/moe/routers.h lib/moe/experts.h lib/model/tokenisers.h lib/model/optimizers.h \
        lib/model/augmentations.h | sort -u | paste -sd'|')
    [[ "|$row|" == *"|noisy_topk|"*"|sample|"* ]]
    # Where they stand themselves, presets and defaults aside, and words that mean something else there.
    none "$(grep -rnE "(strcmp|text_among|_find)\([^;]*\"([a-z_]+\|)*($row)[\"|]" lib cmd --include='*.[ch]')"
    none "$(grep -rnwE "(router|expert|tokeniser|optimizer|augmentation)_($row)" lib cmd --include='*.[ch]' |
        grep -vE '^lib/(moe|model|train)/(router|expert|tokeniser|optimizer|augmentation)/')"
    none "$(grep -rnE '(ROUTER|TOKENISER|OPTIMIZER|AUGMENT|EXPERT)_[A-Z]' lib cmd --include='*.[ch]' |
        grep -vE '^lib/moe/|(ROUTER|EXPERT|TOKEN)_(TENSORS|LEVELS|KINDS)|EXPERT_ACTIVATION|_H$|OPTIMIZER_SLOTS|_(NAME|ROW|DECLARATION)\b|AUGMENTATIONS')"
}

@test "the library neither prints nor ends the program (error, mem and progress aside)" {
    none "$(find lib -name '*.[ch]' ! -path lib/base/error.c ! -path lib/base/mem.c ! -path lib/base/progress.c -exec \
        grep -nE '(^|[^a-z_])(exit|_exit|abort|perror|puts|putchar|printf|vprintf)[[:space:]]*\(|fprintf\([[:space:]]*std(out|err)' {} + |
        grep -vE '^[^:]*:[0-9]+:[[:space:]]*(/?\*|//)')"
}

@test "programs speak to people in one place, which escapes what names hold" {
    none "$(grep -nE 'std(out|err)|perror|[^a-z_](printf|puts|putchar|dprintf)[[:space:]]*\(' cmd/*.c cmd/sidecars.h)"
    [ "$(grep -c 'fprintf(stderr' cmd/program.h)" -eq 1 ]
}

@test "a dialect is named in its own file and in the list, and nowhere else" {
    while IFS= read -r d; do
        [ "$(grep -rlE "dialect_$d\b|\b${d}_(is|plan)\b|X\($d\)" lib cmd --include='*.[ch]' | wc -l)" -eq 2 ] ||
            { echo "$d is named in other files, too"; false; }
    done < <(sed -n 's/^\tX(\([a-z]*\)).*/\1/p' lib/recording/dialect/dialect.h)
}

@test "the library knows no option letter" {
    none "$(grep -rnE 'getopt|argv\[' lib --include='*.c' | grep -vE '^lib/(base/option|io/history)\.c:')"
}

@test "every program has its page and its tests" {
    for p in $programs; do
        [ -f "man/$p.1" ] || { echo "man/$p.1 is missing"; false; }
        [ -f "tests/$p.bats" ] || { echo "tests/$p.bats is missing"; false; }
    done
}

@test "README and moe-tools.7 name every program" {
    for p in $programs; do
        grep -q -- "$p" README.md || { echo "README.md does not name $p"; false; }
        grep -q "^\.Xr $p 1\|^.*\.It Xr $p 1" man/moe-tools.7 || { echo "man/moe-tools.7 does not name $p"; false; }
    done
}

@test "what the pages say of options and keys is what the programs have" {
    for p in $programs; do
        MOE_BIN=$MOE_BIN tests/man-options "$p"
    done
    MOE_BIN=$MOE_BIN tests/man-options keys
    tests/man-options layers
}

@test "every page is free of mandoc's warnings and has the sections a user looks for" {
    for page in man/*.[157]; do
        none "$(mandoc -T lint -W warning "$page")"
    done
    for p in $programs; do
        for section in NAME SYNOPSIS DESCRIPTION OPTIONS "EXIT STATUS" "SEE ALSO"; do
            grep -qx "\.Sh $section" "man/$p.1" || { echo "man/$p.1 has no section $section"; false; }
        done
        [ "$(grep -m 1 '^\.Ss ' "man/$p.1")" = '.Ss Examples' ] || { echo "man/$p.1 does not begin with examples"; false; }
        [ "$(sed -n '/^\.Ss Examples/,/^\.S[hs] /p' "man/$p.1" | grep -cE '^(\.Dl \$ .*)?moe-')" -ge 5 ] || { echo "man/$p.1 has too few examples"; false; }
    done
}

@test "every page has the status that running out of memory ends with, and JSON and CSV take memory as all do" {
    for page in man/*.1 man/moe-tools.7; do
        sed -n '/^\.Sh EXIT STATUS/,/^\.Sh [^E]/p' "$page" | grep -q '\b71\b' || { echo "$page does not name 71"; false; }
    done
    none "$(grep -nE 'cJSON_(Parse|Create|Add|Print|Duplicate)[A-Za-z]*\(' -r lib cmd --include='*.[ch]' | grep -v '^lib/base/json.c:')"
    none "$(grep -rnE '[^_a-z](malloc|calloc|realloc|strdup|strndup|asprintf|aligned_alloc) *\(' lib cmd --include='*.[ch]' | grep -v '^lib/base/mem.c:')"
}

@test "every program tells its name and version, and its help shows its options" {
    version=$(sed -n 's/.*MOE_VERSION "\(.*\)"/\1/p' lib/base/version.h)
    for p in $programs; do
        [ "$("$MOE_BIN/$p" --version)" = "$p (moe-tools) $version" ]
        "$MOE_BIN/$p" --help | grep -q -- --version
    done
}

@test "the completions are shell" {
    for p in $programs; do
        "$MOE_BIN/$p" --help=bash >"$BATS_TEST_TMPDIR/$p"
        bash -n "$BATS_TEST_TMPDIR/$p"
        grep -q -- "$p" "$BATS_TEST_TMPDIR/$p"
    done
}

@test "an unknown option is a mistake in usage for every program" {
    for p in $programs; do
        run "$MOE_BIN/$p" --no-such-option
        [ "$status" -eq 64 ]
        [[ $output == "$p: "*no-such-option* ]]
    done
}

@test "files are short enough to be read in one sitting" {
    none "$(find cmd lib tests \( -name '*.[ch]' -o -name '*.bats' -o -name '*.py' \) -exec wc -l {} + |
        awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines" }')"
}

@test "the prose of comments is at most 100 columns wide (diagrams and formulas set apart may be wider)" {
    none "$(find lib cmd -name '*.[ch]' | while IFS= read -r f; do
        expand -t 8 "$f" | awk -v f="$f" 'length > 100 && /^ *(\/\* ?|\* )[A-Za-z]/ { print f ":" FNR ": " $0 }'
    done)"
}

@test "nothing unfinished is left in the sources" {
    none "$(grep -rnwE 'TODO|FIXME|XXX|HACK' cmd lib man examples README.md Makefile)"
}

@test "what make install lays down, make uninstall takes away" {
    d=$BATS_TEST_TMPDIR/root
    make -s install B="$(dirname "$MOE_BIN")" DESTDIR="$d" PREFIX=/usr
    for p in $programs; do
        [ -x "$d/usr/bin/$p" ]
        [ -f "$d/usr/share/man/man1/$p.1" ]
        [ -f "$d/usr/share/bash-completion/completions/$p" ]
    done
    for page in man/*.[157]; do [ -f "$d/usr/share/man/man${page##*.}/${page##*/}" ]; done
    [ -f "$d/usr/share/doc/moe-tools/README.md" ]
    make -s uninstall B="$(dirname "$MOE_BIN")" DESTDIR="$d" PREFIX=/usr
    none "$(find "$d" ! -type d)"
}

@test "the archive of make dist is whole: its library builds" {
    git rev-parse HEAD >/dev/null 2>&1 || skip "not a git repository"
    git archive --prefix=dist/ HEAD | tar x -C "$BATS_TEST_TMPDIR"
    cd "$BATS_TEST_TMPDIR/dist"
    for f in Makefile README.md LICENSE .ci/run lib/README.md; do [ -f "$f" ]; done
    make -n all >/dev/null
    for source in cmd/*.c; do # every header is there; compiling in earnest is what `make` did
        "${CC:-cc}" -std=c11 -D_GNU_SOURCE -Ilib -Icmd -fsyntax-only "$source"
    done
}

@test "the tests that FEATURES.md names are there" {
    local missing=0 name
    # shellcheck disable=SC2016 # the backticks are of Markdown
    while IFS= read -r name; do
        grep -qrF "$name" tests --include='*.bats' --include='*.c' || { echo "no such test: $name"; missing=1; }
    done < <(grep '^|' tests/FEATURES.md | cut -d'|' -f4 | grep -o '"[^"]*"\|`[a-z0-9_]*`' | tr -d '"`' | grep -v '^test_')
    [ "$missing" = 0 ]
}

@test "FEATURES.md has all the numbers of the features, the keys of mixtures, and no other keys" {
    local key number last
    for last in 000-6 001-17 002-20 003-29 004-31; do
        for number in $(seq "${last#*-}"); do
            grep -qw "${last%-*}-$number" tests/FEATURES.md || { echo "${last%-*}-$number is missing"; false; }
        done
    done
    # shellcheck disable=SC2016 # the backticks are of Markdown
    for key in $(grep '^|' tests/FEATURES.md | cut -d'|' -f3 | grep -o '`[a-z]*\.[a-z0-9_]*' | tr -d '`'); do
        grep -q "^$key " tests/keys.table || { echo "no such key: $key"; false; }
    done
    for key in $(cut -d' ' -f1 tests/keys.table | grep -e '^moe\.' -e '^gate\.' -e '^bridge\.' | uniq); do
        grep -q "\`${key}[\`=]" tests/FEATURES.md || { echo "$key has no line"; false; }
    done
}

@test "the name of a struct that a header shows is nobody else's" {
    find lib -name '*.[ch]' -exec awk '/^struct [a-z_0-9]+ \{/ { print $2, FILENAME }' {} + | sort -u >"$BATS_TEST_TMPDIR/structs"
    none "$(awk '{ file[$1] = file[$1] " " $2; n[$1]++; shown[$1] += $2 ~ /\.h$/ }
        END { for (s in n) if (n[s] > 1 && shown[s]) print s ":" file[s] }' "$BATS_TEST_TMPDIR/structs")"
}
