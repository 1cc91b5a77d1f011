# moe-tools: build, test, install. Lists are wildcards: a new program is cmd/NAME.c, man/NAME.1 and tests/NAME.bats.
#
#   make            all programs into build/bin/
#   make deps       install the Debian packages for building, demo and tests   (deps-dev: linters, sanitizers, fuzzers)
#   make demo       synthesise, split, train, route, predict, with figures
#   make test       everything that proves it; ends with "N passed, N failed"
#   make SAN=address,undefined test     the same under sanitizers             (CC=clang: the other compiler)
#   make mutants    whether the tests notice single changes that switch a feature off (long)
#   make tsan       unit tests and threaded programs under ThreadSanitizer

PREFIX  ?= /usr/local
DESTDIR ?=
CC      ?= cc
SAN     ?=
VERSION := $(shell sed -n 's/.*MOE_VERSION "\(.*\)"/\1/p' lib/base/version.h)

# A build of its own for each kind, so that they do not overwrite each other.
comma := ,
B := build$(if $(SAN),/san-$(subst $(comma),-,$(SAN)))
ifdef PROFILE
override B := $B/profile
endif

WARN    = -Wno-psabi -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Werror
OPT     = $(if $(SAN),-O1 -fno-omit-frame-pointer,-O3)
SANFLAG = $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all)
CFLAGS ?= -g
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -Ilib -Icmd $(WARN) $(OPT) $(SANFLAG) $(if $(PROFILE),-DPROFILE) $(CFLAGS) -pthread -ffp-contract=off
LIBS    = -lopenblas -lcsv -lcjson -lm -pthread

LIB_SRC  := $(sort $(wildcard lib/*/*.c lib/*/*/*.c))
PROGRAMS := $(patsubst cmd/%.c,%,$(sort $(wildcard cmd/*.c)))
UNITS    := $(patsubst tests/unit/%.c,%,$(sort $(wildcard tests/unit/*.c)))
BENCHES  := $(patsubst tests/bench/%.c,%,$(sort $(wildcard tests/bench/*.c)))
FUZZERS  := $(patsubst tests/fuzz/%.c,%,$(sort $(wildcard tests/fuzz/*.c)))
BATS     := $(sort $(wildcard tests/*.bats))

# `make V=1` shows the commands.
Q := $(if $(V),,@)

all: $(PROGRAMS:%=$B/bin/%)

# The kernels may fuse multiply and add, and need not keep errno and traps.
KERNEL = $(if $(findstring lib/tensor/,$<)$(findstring lib/train/optimizer/,$<),-ffp-contract=fast -fno-math-errno -fno-trapping-math)

# Objects depend on the compiler and its flags: switching CC rebuilds.
$B/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(CC) $(ALL_CFLAGS)' | cmp -s - $@ || printf '%s\n' '$(CC) $(ALL_CFLAGS)' > $@
FORCE:

$B/%.o: %.c $B/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(KERNEL) -MMD -MP -c -o $@ $<
$B/double/%.o: %.c $B/flags
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(KERNEL) -DREAL_DOUBLE -MMD -MP -c -o $@ $<

$B/libmoe.a: $(LIB_SRC:%.c=$B/%.o)
	@rm -f $@
	$(Q)ar rcs $@ $^
$B/double/libmoe.a: $(LIB_SRC:%.c=$B/double/%.o)
	@rm -f $@
	$(Q)ar rcs $@ $^
$B/bin/%: $B/cmd/%.o $B/libmoe.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)
$B/unit/%: $B/tests/unit/%.o $B/libmoe.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)
# counts the passes over raw samples
$B/unit/test_survey: LDFLAGS += -Wl,--wrap=dataset_raw
$B/gradcheck/%: $B/double/tests/unit/%.o $B/double/libmoe.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)
$B/bench/%: $B/tests/bench/%.o $B/libmoe.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

-include $(shell find $B -name '*.d' 2>/dev/null)
.SECONDARY:

# --- tests. Each program of tests/unit prints one "ok" or "not ok" line per case; *_grad and *_exact also run in
# double.
GRADS := $(filter %_grad %_exact,$(UNITS))

unit: $(UNITS:%=$B/unit/%)
	@tests/run unit $^
gradcheck: $(GRADS:%=$B/gradcheck/%)
	@tests/run gradcheck $^
test: all $(UNITS:%=$B/unit/%) $(GRADS:%=$B/gradcheck/%)
	@MOE_BIN=$(abspath $B/bin) tests/run all $(UNITS:%=$B/unit/%) $(GRADS:%=$B/gradcheck/%) $(BATS)
# ThreadSanitizer: the unit tests, and every program that uses threads.
tsan:
	@$(MAKE) --no-print-directory SAN=thread tsan-run
tsan-run: all $(UNITS:%=$B/unit/%)
	@TSAN_OPTIONS="exitcode=66 $$TSAN_OPTIONS" MOE_BIN=$(abspath $B/bin) tests/run tsan $(UNITS:%=$B/unit/%) tests/threads.bats
valgrind: $(UNITS:%=$B/unit/%)
	@MOE_WRAP='valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite' tests/run valgrind $^

# --- speed. Measured in turn with what `make bench-peers` made, if it is there; never part of the tests.
#   make bench             the table               (BENCH_JSON=1: JSON Lines; FAST=1: one round, less of it; BENCH_ROUNDS=N)
#   make bench BENCH_ONLY=training-run    one part of it alone (or model); so the lines below, for its part of RESULTS.md
#   make bench PROFILE=1   where the time of a training step goes, by operation
#   make bench-plot bench-results     the picture and the tables of tests/bench/RESULTS.md from the last run
PEERS ?= build/peers
BENCH_THREADS ?= 2
RESULT = $B/bench/result$(BENCH_ONLY:%=-%).jsonl
export BENCH_THREADS BENCH_ONLY

bench: all $(BENCHES:%=$B/bench/%)
ifdef PROFILE
	@for ffn in 2048 128; do echo "training step, feed-forward $$ffn, $(BENCH_THREADS) threads"; \
		$B/bench/engine train ffn=$$ffn threads=$(BENCH_THREADS) || exit; done
	@for experts in 8 64; do echo "training step, top-2 of $$experts experts, $(BENCH_THREADS) threads"; \
		$B/bench/engine train hidden=64 ffn=256 T=100 K=1 halo=0 bridge.tokens=0 moe.layers=all moe.top_k=2 \
		moe.num_experts=$$experts threads=$(BENCH_THREADS) runs=20 || exit; done
else
	@tests/bench/run $B $(PEERS) >$(RESULT).new && mv $(RESULT).new $(RESULT)
	@$(if $(BENCH_JSON),cat,tests/bench/table.py) $(RESULT)
endif
bench-plot:
	@tests/bench/plot.py $(RESULT) >tests/bench/growth.svg.new && mv tests/bench/growth.svg.new tests/bench/growth.svg
bench-results:
	@tests/bench/table.py $(RESULT) --write tests/bench/RESULTS.md
# About 3 GB and ten minutes, most of them for torch.compile, which BENCH_ONLY=training-run leaves out; done again it is a look
# whether all is there.
bench-peers:
	@test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -c 'import torch, onnx, onnxscript, onnxruntime, pandas; from importlib.metadata import version; version("braindecode")' \
		2>/dev/null || $(PEERS)/bin/python -m pip install -q torch onnx onnxscript onnxruntime pandas braindecode
	@test "$(BENCH_ONLY)" = training-run || $(PEERS)/bin/python -B tests/bench/peers.py prepare $(PEERS)/cache $(BENCH_THREADS)

# --- fuzzing: FUZZ_SECONDS for each target, findings are kept in build/fuzz/
FUZZ_SECONDS ?= 60
FUZZ_CC ?= clang
FUZZ_FLAGS = -std=c11 -D_GNU_SOURCE -Ilib -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -pthread
build/fuzz/%: tests/fuzz/%.c $(LIB_SRC) $(wildcard lib/*/*.h) $(wildcard lib/*/*/*.h)
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -o $@ $< $(LIB_SRC) $(LIBS)
fuzz: $(FUZZERS:%=build/fuzz/%)
	@for f in $^; do n=$$(basename $$f); mkdir -p build/fuzz/corpus-$$n; \
		echo "fuzzing $$n for $(FUZZ_SECONDS) s"; \
		$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -artifact_prefix=build/fuzz/$$n- \
			$$(test -d tests/fuzz/seeds-$$n || mkdir -p build/fuzz/corpus-$$n; echo build/fuzz/corpus-$$n) \
			$$(ls -d tests/fuzz/seeds-$$n 2>/dev/null) >build/fuzz/$$n.log 2>&1 \
			|| { tail -40 build/fuzz/$$n.log; exit 1; }; tail -1 build/fuzz/$$n.log; done

# --- golden cases of the second implementation, recorded again: then read the diff. Needs Python with torch.
PYTHON ?= python3
golden:
	$(PYTHON) -B tests/reference/make_golden.py tests/golden

# --- man pages: the OPTIONS section between the two marks comes from the program's own table
man: all
	@for p in $(PROGRAMS); do MOE_BIN=$(abspath $B/bin) tests/man-options $$p --write || exit; done
	@MOE_BIN=$(abspath $B/bin) tests/man-options keys --write
	@tests/man-options layers --write

# --- single changes that switch a feature off, each of which some test has to notice; MUTANTS='routing gating' for some of them
mutants:
	@tests/mutants $(MUTANTS)

lint: all
	@tests/lint $(if $(CI),--strict)

# --- packages
DEPS     = gcc libc6-dev make pkg-config libopenblas-dev libcsv-dev libcjson-dev bats mandoc jq python3
DEPS_DEV = clang clang-format clang-tidy cppcheck shellcheck valgrind libclang-rt-14-dev
SUDO     = $(shell [ "$$(id -u)" = 0 ] || echo sudo)
APT      = DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 install -y --no-install-recommends

deps:
	@tests/have-packages $(DEPS) || { echo "installing: $(DEPS)"; \
		$(SUDO) apt-get -qq update && $(SUDO) env $(APT) $(DEPS) >/dev/null; }
deps-dev: deps
	@tests/have-packages $(DEPS_DEV) || { echo "installing: $(DEPS_DEV)"; \
		$(SUDO) apt-get -qq update && $(SUDO) env $(APT) $(DEPS_DEV) >/dev/null; }

demo: all
	@MOE_BIN=$(abspath $B/bin) sh examples/demo.sh

# --- installing
BINDIR = $(DESTDIR)$(PREFIX)/bin
MANDIR = $(DESTDIR)$(PREFIX)/share/man
COMPDIR = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
DOCDIR = $(DESTDIR)$(PREFIX)/share/doc/moe-tools
MAN := $(sort $(wildcard man/*.[157]))

install: all
	install -d $(BINDIR) $(MANDIR)/man1 $(MANDIR)/man5 $(MANDIR)/man7 $(COMPDIR) $(DOCDIR)/examples
	install -m 755 $(PROGRAMS:%=$B/bin/%) $(BINDIR)
	for m in $(MAN); do install -m 644 $$m $(MANDIR)/man$${m##*.}/ || exit; done
	for p in $(PROGRAMS); do $B/bin/$$p --help=bash > $(COMPDIR)/$$p || exit; done
	install -m 644 README.md LICENSE $(DOCDIR)
	install -m 644 $(wildcard examples/*) $(DOCDIR)/examples
uninstall:
	rm -f $(PROGRAMS:%=$(BINDIR)/%) $(PROGRAMS:%=$(COMPDIR)/%)
	for m in $(notdir $(MAN)); do rm -f $(MANDIR)/man$${m##*.}/$$m; done
	rm -rf $(DOCDIR)
dist:
	@mkdir -p build
	git archive --format=tar.gz --prefix=moe-tools-$(VERSION)/ -o build/moe-tools-$(VERSION).tar.gz HEAD
	@echo build/moe-tools-$(VERSION).tar.gz

clean:
	rm -rf build

.PHONY: all unit gradcheck test tsan tsan-run valgrind bench bench-plot bench-results bench-peers fuzz golden man mutants lint deps deps-dev demo install uninstall dist clean FORCE
