#!/usr/bin/env bats
# What a newcomer adds goes in by one file and one line: copied aside, added, compiled and used.

setup() {
    cd "$BATS_TEST_TMPDIR" || return
    project=$BATS_TEST_DIRNAME/..
}

# build PROGRAM FILE...: with the changed copies in ./copy in the place of those of lib
build() {
    local program=$1 cc
    shift
    read -r cc flags <"$MOE_BIN/../flags"
    # shellcheck disable=SC2086
    (cd "$project" && $cc -I"$BATS_TEST_TMPDIR/copy" $flags -o "$BATS_TEST_TMPDIR/$program" "cmd/$program.c" "$@" \
        "$MOE_BIN/../libmoe.a" -lopenblas -lcsv -lcjson -lm -pthread)
}

@test "a dialect: one file and one line of the list" {
    mkdir -p copy/recording/dialect
    cp "$project"/lib/recording/dialect/dialect.[ch] copy/recording/dialect
    sed -i 's/^\tX(openbci).*/\tX(acme) \\\n&/' copy/recording/dialect/dialect.h
    cat >copy/recording/dialect/acme.c <<'END'
#include "recording/dialect/dialect.h"

static bool acme_is(const struct preview *g)
{
	return dialect_find_column(g, "acme *") >= 0;
}

static void acme_plan(const struct preview *g, struct header_info *f)
{
	f->rate = 50;
	f->rate_from = "dialect";
	for (int i = 0; i < g->n; i++)
		header_info_role(f, i, dialect_name_matches(g->names->s[i], "acme *") ? ROLE_CHANNEL : ROLE_IGNORED, "no signal of ACME");
}

const struct dialect dialect_acme = {acme_is, acme_plan};
END
    build moe-split "$PWD"/copy/recording/dialect/{dialect,acme}.c
    { echo "acme 1,acme 2,weather" && seq -f '%g,1,2' 100; } >S1_a.csv
    ./moe-split --explain --window 10 --experts 1 --halo 0 S1_a.csv >found
    jq -e '.dialect == "acme" and .rate == 50 and .channels == ["acme 1", "acme 2"] and .windows == 10' found
    ./moe-split --dialect acme --explain --window 10 --experts 1 --halo 0 S1_a.csv | cmp - found
    ./moe-split --dialect plain --rate 50 --explain --window 10 --experts 1 --halo 0 S1_a.csv | jq -e '.channels | length == 3'
    run ./moe-split --help
    [[ $output == *acme* ]]
}
