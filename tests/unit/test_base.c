#include "check.h"

#include "base/available.h"
#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/option.h"
#include "base/pool.h"
#include "base/rng.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void arena_reuses_one_block(void)
{
	struct arena *a = arena_new();
	for (int turn = 0; turn < 3; turn++) {
		char *x = arena_take(a, 100000), *y = arena_take(a, 10), *z = arena_take(a, 300000);
		CHECK((uintptr_t)x % 64 == 0 && (uintptr_t)y % 64 == 0 && (uintptr_t)z % 64 == 0);
		memset(x, 1, 100000);
		memset(z, 2, 300000);
		CHECK(x[99999] == 1 && (z + 300000 <= x || x + 100000 <= z));
		arena_reset(a);
	}
	CHECK(arena_peak(a) >= 400010 && arena_peak(a) < 401000);
	arena_free(a);
}

/* What a child says on standard error that does `work`, and how it ends. */
static int said_by(void (*work)(void), char text[static 300])
{
	int to[2], status;
	CHECK(!pipe(to));
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		dup2(to[1], STDERR_FILENO);
		work();
		_exit(0);
	}
	close(to[1]);
	ssize_t n = read(to[0], text, 299);
	text[n > 0 ? n : 0] = 0;
	close(to[0]);
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void ask_for_all(void)
{
	err_program("moe-test");
	mem_doing("counting %d sheep", 3);
	mem_remedy("count fewer");
	mem_grow(NULL, SIZE_MAX / 2, 4);
}

static void be_wrong(void)
{
	err_program("moe-test");
	bug("black sheep");
}

static void the_end_bears_the_programs_name(void)
{
	char text[300], wanted[300];
	CHECK(said_by(ask_for_all, text) == EX_OSERR);
	snprintf(wanted, sizeof wanted,
		"moe-test: out of memory (%zu elements of 4 bytes) while counting 3 sheep; count fewer\n",
		SIZE_MAX / 2);
	CHECK_TEXT(text, wanted);
	CHECK(said_by(be_wrong, text) == EX_SOFTWARE);
	CHECK(!strncmp(text, "moe-test: bug at ", 17));
}

static void system_calls_without_memory_are_out_of_memory(void)
{
	errno = ENOMEM;
	err_errno(EX_NOINPUT, "file");
	CHECK(err_status() == EX_OSERR);
	errno = ENOENT;
	err_errno(EX_NOINPUT, "file");
	CHECK(err_status() == EX_NOINPUT);
}

static void limits_are_what_is_there(void)
{
	enum { MORE = 64 << 20 };
	struct available before = available_memory();
	CHECK(before.bytes > 0 && isfinite(before.bytes));
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;
	CHECK(f && fscanf(f, "%*s %*s %*s %*s %*s %ld", &pages) == 1);
	fclose(f);
	struct rlimit old, low;
	getrlimit(RLIMIT_DATA, &old);
	low = old;
	low.rlim_cur = (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + MORE;
	CHECK(!setrlimit(RLIMIT_DATA, &low));
	struct available less = available_memory();
	setrlimit(RLIMIT_DATA, &old);
	CHECK(less.bytes <= MORE && less.bytes > MORE / 2);
	CHECK_TEXT(less.why, "ulimit -d");
}

static void add_index(void *context, int i, int worker)
{
	(void)worker;
	((int *)context)[i] += i;
}

static void pool_runs_every_task_once(void)
{
	for (int threads = 1; threads <= 3; threads++) {
		struct pool *p = pool_new(threads);
		int hit[100] = {0};
		for (int round = 0; round < 50; round++)
			pool_run(p, 100, add_index, hit);
		for (int i = 0; i < 100; i++)
			CHECK(hit[i] == 50 * i);
		pool_free(p);
	}
}

static void rng_is_what_it_says(void)
{
	struct rng r = rng_stream(1, "test", 2, 3), same = rng_stream(1, "test", 2, 3),
		   other = rng_stream(1, "test", 2, 4);
	CHECK(rng_next(&r) == rng_next(&same));
	CHECK(rng_next(&r) != rng_next(&other));
	double sum = 0, square = 0, fourth = 0;
	int n = 100000;
	for (int i = 0; i < n; i++) {
		double x = rng_normal(&r);
		sum += x;
		square += x * x;
		fourth += x * x * x * x;
	}
	CHECK_NEAR(sum / n, 0, 0.015);
	CHECK_NEAR(square / n, 1, 0.02);
	CHECK_NEAR(fourth / n, 3, 0.15);
	int count[7] = {0};
	for (int i = 0; i < 70000; i++)
		count[rng_below(&r, 7)]++;
	for (int i = 0; i < 7; i++)
		CHECK(abs(count[i] - 10000) < 500);
}

static void permutation_is_one_and_uniform(void)
{
	int first[5] = {0};
	for (uint64_t seed = 0; seed < 5000; seed++) {
		struct rng r = rng_stream(seed, "order", 0, 0);
		int64_t p[5];
		int seen = 0;
		rng_permutation(&r, p, 5);
		for (int i = 0; i < 5; i++)
			seen |= 1 << p[i];
		CHECK(seen == 31);
		first[p[0]]++;
	}
	for (int i = 0; i < 5; i++)
		CHECK(abs(first[i] - 1000) < 150);
}

static int json_fails(const char *s)
{
	cJSON *j = json_parse(s, strlen(s), "x");
	cJSON_Delete(j);
	return !j;
}

static void json_is_strict(void)
{
	const char *bad[] = {"", "{", "[1,]", "01", "1.", "-", "+1", ".5", "1e", "nan", "{\"a\":1,\"a\":2}",
		"[] x", "[1] []", "\"a\nb\"", "\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "{a:1}",
		"[{\"b\":{\"c\":1,\"c\":1}}]", "\xef\xbb\xbf{}", "\"a", "[1 2]", "0x10"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (!json_fails(bad[i])) {
			fprintf(stderr, "accepted: %s\n", bad[i]);
			CHECK(0);
		}
	const char *good[] = {"{}", " [1, -2.5e-3, 0, 10] ", "{\"a\":{\"b\":1},\"b\":{\"b\":2}}",
		"\"\\u00e9\xc3\xa9\"", "true", "null"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		CHECK(!json_fails(good[i]));
}

static void json_numbers_keep_their_bits(void)
{
	struct rng r = rng_stream(5, "json", 0, 0);
	for (int i = 0; i < 20000; i++) {
		union {
			uint64_t u;
			double x;
		} v = {.u = rng_next(&r)};
		if (!isfinite(v.x))
			continue;
		struct text t = {0};
		json_double(&t, v.x);
		CHECK(strtod(t.s, NULL) == v.x);
		t.n = 0;
		float f = (float)rng_normal(&r);
		json_float(&t, (double)f);
		CHECK(strtof(t.s, NULL) == f);
		text_free(&t);
	}
	struct text t = {0};
	json_double(&t, 0.1);
	json_string(&t, "a\"\\\n\x01\xff");
	CHECK_TEXT(t.s, "0.1\"a\\\"\\\\\\n\\u0001\xef\xbf\xbd\"");
	text_free(&t);
}

static void names_do_what_lists_do(void)
{
	struct names l = {0};
	names_split(&l, " a, b ,,c", ',');
	CHECK(l.n == 3 && names_find(&l, "b") == 1 && names_find(&l, "d") == -1 && !names_duplicate(&l));
	CHECK(names_intern(&l, "a") == 0 && names_intern(&l, "d") == 3);
	names_add(&l, "b");
	CHECK_TEXT(names_duplicate(&l), "b");
	names_free(&l);
	names_split(&l, "\"eyes, closed\", \"a \"\"b\"\"\" ,c", ',');
	CHECK(l.n == 3);
	CHECK_TEXT(l.s[0], "eyes, closed");
	CHECK_TEXT(l.s[1], "a \"b\"");
	CHECK_TEXT(l.s[2], "c");
	names_free(&l);
	const char *list[] = {"window", "stride", "rate"};
	CHECK_TEXT(text_nearest("windwo", list, 3), "window");
	CHECK(!text_nearest("zzzzzz", list, 3));
}

static struct {
	bool flag, given;
	long long n;
	double x;
	const char *s;
	int choice;
	struct span span;
	struct names list;
} o;

static const struct option table[] = {
	{"flag", 'f', OPT_FLAG, &o.flag, .help = "a flag"},
	{"number", 'n', OPT_INT, &o.n, .value = "4", .min = 1, .max = 10, .help = "a number",
		.given = &o.given},
	{"real", 0, OPT_REAL, &o.x, .value = "0.5", .help = "a real"},
	{"text", 't', OPT_TEXT, &o.s, .help = "a text"},
	{"choice", 0, OPT_CHOICE, &o.choice, .value = "b", .choices = "a|b|c", .help = "a choice"},
	{"span", 0, OPT_SPAN, &o.span, .value = "300", .min = 1, .max = 1000, .help = "a span"},
	{"set", 0, OPT_LIST, &o.list, .help = "a list"},
	{.name = NULL},
};
static const struct program program = {"moe-test", "tests", "FILE...", table, NULL, NULL};

static struct names given; /* the strings options point into; freed at the end of a case */

static int parse(struct names *operands, int n, const char **arg)
{
	char *argv[16];
	names_free(&o.list);
	memset(&o, 0, sizeof o);
	int first = names_add(&given, "moe-test");
	for (int i = 0; i < n; i++)
		names_add(&given, arg[i]);
	for (int i = 0; i <= n; i++)
		argv[i] = given.s[first + i];
	return options_parse(&program, n + 1, argv, operands);
}

static void parsed(struct names *operands)
{
	names_free(operands);
	names_free(&o.list);
	names_free(&given);
}
#define PARSE(...)                                                                      \
	parse(&operands, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), \
		(const char *[]){__VA_ARGS__})

static void options_are_parsed(void)
{
	struct names operands = {0};
	CHECK(!PARSE("a.csv", "-fn7", "--real=2.5", "-t", "hello", "-", "--choice", "c", "--span", "1.5s",
		"--set", "a=1", "--set=b=2", "--", "-x"));
	CHECK(o.flag && o.given && o.n == 7 && o.x == 2.5 && o.choice == 2 && o.span.seconds &&
		o.span.amount == 1.5);
	CHECK_TEXT(o.s, "hello");
	CHECK(operands.n == 3 && !strcmp(operands.s[1], "-") && !strcmp(operands.s[2], "-x"));
	CHECK(o.list.n == 2 && !strcmp(o.list.s[1], "b=2"));
	CHECK(!PARSE("x"));
	CHECK(o.n == 4 && o.x == 0.5 && o.choice == 1 && !o.span.seconds && o.span.amount == 300 && !o.given);
	parsed(&operands);
}

static void options_are_checked(void)
{
	struct names operands = {0};
	CHECK(PARSE("--number", "11") && err_status() == EX_USAGE && strstr(err_text(), "1 to 10"));
	CHECK(PARSE("--number", "x") && strstr(err_text(), "whole number"));
	CHECK(PARSE("--number") && strstr(err_text(), "needs a value"));
	CHECK(PARSE("--numbr", "3") && strstr(err_text(), "--number"));
	CHECK(PARSE("--choice", "d") && strstr(err_text(), "a|b|c"));
	CHECK(PARSE("--span", "0") && PARSE("--span", "1.5") && PARSE("--span", "-2s"));
	CHECK(PARSE("-t", "") && strstr(err_text(), "empty"));
	CHECK(PARSE("--flag=1") && PARSE("-z") && PARSE("--real", "nan"));
	parsed(&operands);
}

static void help_shows_every_option(void)
{
	struct text t = {0};
	options_help(&program, &t);
	options_mdoc(&program, &t);
	options_bash(&program, &t);
	for (const struct option *p = table; p->name; p++)
		CHECK(strstr(t.s, p->name));
	CHECK(strstr(t.s, "default 4; 1 to 10"));
	text_free(&t);
}

int main(void)
{
	CASE(arena_reuses_one_block);
	CASE(the_end_bears_the_programs_name);
	CASE(system_calls_without_memory_are_out_of_memory);
	CASE(limits_are_what_is_there);
	CASE(pool_runs_every_task_once);
	CASE(rng_is_what_it_says);
	CASE(permutation_is_one_and_uniform);
	CASE(json_is_strict);
	CASE(json_numbers_keep_their_bits);
	CASE(names_do_what_lists_do);
	CASE(options_are_parsed);
	CASE(options_are_checked);
	CASE(help_shows_every_option);
	return check_done();
}
