#include "check.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/rng.h"
#include "io/safetensors.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Length, header and data as one block of bytes. */
static struct text container(const char *json, size_t n, size_t data_bytes)
{
	struct text t = {0};
	for (int i = 0; i < 8; i++) {
		char b = (char)(n >> 8 * i & 255);
		text_add_n(&t, &b, 1);
	}
	text_add_n(&t, json, n);
	for (size_t i = 0; i < data_bytes; i++) {
		char b = (char)(i * 37 + 11);
		text_add_n(&t, &b, 1);
	}
	return t;
}

static struct input *file_of(const void *bytes, size_t n)
{
	int fd = memfd_create("t", MFD_CLOEXEC);
	if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET))
		bug("memfd");
	return input_of_fd(fd, "t");
}

/* Up to 64 kB through a pipe. */
static struct input *pipe_of(const void *bytes, size_t n)
{
	int fd[2];
	if (pipe(fd) || write(fd[1], bytes, n) != (ssize_t)n || close(fd[1]))
		bug("pipe");
	return input_of_fd(fd[0], "t");
}

/* The verdict on bytes as a file: NULL = accepted, else the message. */
static const char *verdict(const void *bytes, size_t n)
{
	struct input *in = file_of(bytes, n);
	struct st_file *f = NULL;
	int r = st_next(in, &f);
	input_close(in);
	st_free(r == 1 ? f : NULL);
	return r == 1                       ? NULL
	       : r == 0                     ? "at the end"
	       : err_status() == EX_DATAERR ? err_text()
					    : "wrong status";
}

/* The verdict must hold the words, or be acceptance when words is NULL; on a pipe as in a file. */
static void judge(int line, const char *json, size_t n, size_t data, const char *words)
{
	struct text t = container(json, n, data);
	const char *v = verdict(t.s, t.n);
	if (words ? !v || !strstr(v, words) : v != NULL) {
		check_failed_here++;
		fprintf(stderr, "%s:%d: %.100s: %s, not %s\n", __FILE__, line, json, v ? v : "accepted",
			words ? words : "accepted");
	}
	if (t.n < 60000) {
		struct input *in = pipe_of(t.s, t.n);
		struct st_file *f = NULL;
		int r = st_next(in, &f);
		if (r == 1) {
			struct st_file *g = NULL;
			int behind = st_next(in, &g);
			st_free(behind == 1 ? g : NULL);
			r = behind == 0;
			st_free(f);
		}
		if ((r == 1) != !words) {
			check_failed_here++;
			fprintf(stderr, "%s:%d: %.100s: another verdict on a pipe\n", __FILE__, line, json);
		}
		input_close(in);
	}
	text_free(&t);
}
#define JUDGE(json, data, words) judge(__LINE__, json, strlen(json), data, words)
#define ONE(entry)               "{\"a\":{" entry "}}"

static void upstream_cases_get_their_verdict(void)
{
	CHECK(strstr(verdict("abc", 3), "truncated"));
	CHECK(strstr(verdict("\x3c\0\0\0\0\xff\xff\xff", 8), "above the limit"));
	CHECK(strstr(verdict("\x3c\0\0\0\0\0\0\0", 8), "truncated"));
	JUDGE("\xff", 0, "not UTF-8");
	JUDGE("{", 0, "string was expected");
	struct text t = {0};
	for (int i = 0; i < 10; i++)
		text_addf(&t, "%s\"weight_%d\":{\"dtype\":\"F32\",\"shape\":[2,2],\"data_offsets\":[0,16]}",
			i ? "," : "{", i);
	text_add(&t, "}");
	JUDGE(t.s, 16, "overlap");
	text_free(&t);
	const char *valid = ONE("\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[0,16]");
	JUDGE(valid, 16, NULL);
	JUDGE(valid, 16 + 37, "follows");
	JUDGE(valid, 14, "truncated");
	JUDGE(ONE("\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[0,4]"), 4, "need 16 bytes");
	JUDGE(ONE("\"dtype\":\"I32\",\"shape\":[2,18446744073709551614],\"data_offsets\":[0,16]"), 16,
		"too large");
	JUDGE(ONE("\"dtype\":\"I32\",\"shape\":[2,9223372036854775807],\"data_offsets\":[0,16]"), 16,
		"overflows");
	JUDGE(ONE("\"dtype\":\"I32\",\"shape\":[3,9223372036854775807],\"data_offsets\":[0,16]"), 16,
		"overflows");
	JUDGE(ONE("\"dtype\":\"F4\",\"shape\":[1,3],\"data_offsets\":[0,2]"), 2, "whole bytes");
	JUDGE(ONE("\"dtype\":\"F4\",\"shape\":[1,2],\"data_offsets\":[0,2]"), 2, "need 1 bytes");
	JUDGE(ONE("\"dtype\":\"F4\",\"shape\":[1,2],\"data_offsets\":[0,1]"), 1, NULL);
	JUDGE("{}\r \t\n", 0, NULL);
	JUDGE("\t\n{}\r ", 0, NULL);
	JUDGE(ONE("\"dtype\":\"F32\",\"shape\":[2,0],\"data_offsets\":[0,0]"), 0, NULL);
	JUDGE(ONE("\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]"), 4, NULL);
	JUDGE("{}", 0, NULL);
	JUDGE("{\"__metadata__\":{\"framework\":\"pt\"}}", 0, NULL);
	JUDGE(ONE("\"dtype\":\"F32\",\"shape\":[1024,1024],\"data_offsets\":[0,4194304]"), 1, "truncated");
	struct text cut = container(valid, strlen(valid), 0), abuse = container(valid, strlen(valid), 16);
	CHECK(strstr(verdict(cut.s, cut.n / 2), "truncated"));
	abuse.s[0] = (char)0xe8;
	abuse.s[1] = 3; /* the header's length is set to 1000 in a small file */
	CHECK(strstr(verdict(abuse.s, abuse.n), "truncated"));
	text_free(&cut);
	text_free(&abuse);
}

static void names_and_keys_are_strict(void)
{
	JUDGE("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
	      "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
		2, "twice");
	JUDGE("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
	      "\"\\u0061\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}}",
		2, "twice");
	JUDGE("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
	      "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
		1, "overlap");
	JUDGE(ONE("\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]"), 1, "twice");
	JUDGE(ONE("\"dtype\":\"U8\",\"shape\":[1]"), 1, "missing");
	JUDGE(ONE("\"shape\":[1],\"data_offsets\":[0,1]"), 1, "missing");
	JUDGE(ONE("\"dtype\":\"U8\",\"data_offsets\":[0,1]"), 1, "missing");
	JUDGE(ONE("\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"more\":1"), 1, "unknown key");
	JUDGE(ONE("\"dtype\":\"u8\",\"shape\":[1],\"data_offsets\":[0,1]"), 1, "unknown dtype");
	JUDGE(ONE("\"dtype\":\"F128\",\"shape\":[1],\"data_offsets\":[0,1]"), 1, "unknown dtype");
	JUDGE(ONE("\"dtype\":8,\"shape\":[1],\"data_offsets\":[0,1]"), 1, "string was expected");
	JUDGE("{\"\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "without a name");
	JUDGE("{\"a\\u0000b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "NUL");
	JUDGE("{\"\\ud800\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "surrogate");
	JUDGE("{\"\\udc00\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "surrogate");
	JUDGE("{\"\\ud83d\\ude00\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, NULL);
	JUDGE("{\"\xed\xa0\x80\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "UTF-8");
	JUDGE("{\"a\nb\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "control character");
	JUDGE("{\"a\\x\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1, "escape");
	JUDGE("{\"a\":1}", 0, "not an object");
	JUDGE("[]", 0, "does not start");
	JUDGE("null", 0, "does not start");
	JUDGE("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},}", 1, "string was expected");
	JUDGE("{} x", 0, "follows");
	JUDGE("{}{}", 0, "follows");
	JUDGE("\xef\xbb\xbf{}", 0, "does not start");
	judge(__LINE__, "{}\0\0", 4, 0, "UTF-8");
}

static void metadata_maps_strings_to_strings(void)
{
	JUDGE("{\"__metadata__\":null}", 0, "not an object");
	JUDGE("{\"__metadata__\":{\"a\":1}}", 0, "not a string");
	JUDGE("{\"__metadata__\":{\"a\":{\"b\":\"c\"}}}", 0, "not a string");
	JUDGE("{\"__metadata__\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", 1,
		"not a string");
	JUDGE("{\"__metadata__\":{},\"__metadata__\":{}}", 0, "twice");
	JUDGE("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "twice");
	JUDGE("{\"__metadata__\":{}}", 0, NULL);
	JUDGE("{\"__metadata__\":{\"\":\"\"}}", 0, NULL);
	struct text deep = {0};
	text_add(&deep, "{\"__metadata__\":");
	for (int i = 0; i < 129; i++)
		text_add(&deep, "{\"a\":");
	JUDGE(deep.s, 0, "not a string");
	text_free(&deep);
}

static void numbers_are_whole_and_offsets_tile(void)
{
#define OFFSETS(x) ONE("\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":" x)
	JUDGE(OFFSETS("[-0,1]"), 1, "data_offsets");
	JUDGE(OFFSETS("[0,-1]"), 1, "data_offsets");
	JUDGE(OFFSETS("[0,1.0]"), 1, "data_offsets");
	JUDGE(OFFSETS("[0,1e0]"), 1, "data_offsets");
	JUDGE(OFFSETS("[0,01]"), 1, "data_offsets");
	JUDGE(OFFSETS("[0,1,2]"), 1, "data_offsets");
	JUDGE(OFFSETS("[0]"), 1, "data_offsets");
	JUDGE(OFFSETS("\"0,1\""), 1, "data_offsets");
	JUDGE(OFFSETS("[1,0]"), 1, "need 1 bytes");
	JUDGE(OFFSETS("[1,2]"), 2, "a gap before it");
	JUDGE(OFFSETS("[0,99999999999999999999]"), 1, "data_offsets");
	JUDGE(OFFSETS("[18446744073709551615,0]"), 1, "need 1 bytes");
	JUDGE(ONE("\"dtype\":\"U8\",\"shape\":[1e2],\"data_offsets\":[0,100]"), 100, "not whole");
	JUDGE(ONE("\"dtype\":\"U8\",\"shape\":[-1],\"data_offsets\":[0,1]"), 1, "whole number");
	JUDGE(ONE("\"dtype\":\"U8\",\"shape\":[1.5],\"data_offsets\":[0,1]"), 1, "not whole");
	JUDGE(ONE("\"dtype\":\"U8\",\"shape\":1,\"data_offsets\":[0,1]"), 1, "not a list");
	JUDGE(ONE("\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]"), 1, NULL);
	JUDGE(ONE("\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,1]"), 1,
		"8 dimensions");
	JUDGE("{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]},"
	      "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
		2, NULL);
	JUDGE("{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[2,3]},"
	      "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}",
		3, "a gap before it");
	JUDGE("{\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[1,3]},"
	      "\"a\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}",
		3, "overlap");
	JUDGE("{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},"
	      "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
	      "\"c\":{\"dtype\":\"F64\",\"shape\":[0,5],\"data_offsets\":[1,1]}}",
		1, NULL);
}

static void header_length_is_limited(void)
{
	JUDGE("", 0, "does not start");
	uint64_t old = st_header_limit;
	st_header_limit = 64;
	char json[66];
	memset(json, ' ', sizeof json);
	memcpy(json, "{}", 2);
	judge(__LINE__, json, 64, 0, NULL);
	judge(__LINE__, json, 65, 0, "above the limit");
	st_header_limit = old;
}

static void two_blobs_are_a_fault_in_a_file_and_two_files_on_a_pipe(void)
{
	struct text t = container("{}", 2, 0);
	text_add_n(&t, t.s, t.n);
	CHECK(strstr(verdict(t.s, t.n), "follows"));
	text_free(&t);
	const char *json = ONE("\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]");
	t = container(json, strlen(json), 3);
	text_add_n(&t, t.s, t.n);
	struct input *in = pipe_of(t.s, t.n);
	struct st_file *f = NULL;
	for (int i = 0; i < 2; i++) {
		CHECK(st_next(in, &f) == 1);
		const unsigned char *p = f ? st_find(f, "a")->data : NULL;
		CHECK(p && p[0] == 11 && p[1] == 48 && p[2] == 85);
		st_free(f);
		f = NULL;
	}
	CHECK(st_next(in, &f) == 0);
	input_close(in);
	in = pipe_of(t.s, t.n - 1);
	CHECK(st_next(in, &f) == 1);
	st_free(f);
	CHECK(st_next(in, &f) == -1 && strstr(err_text(), "truncated"));
	input_close(in);
	text_free(&t);
}

static void unaligned_data_is_read(void)
{
	const char *json = "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
			   "\"b\":{\"dtype\":\"F64\",\"shape\":[2],\"data_offsets\":[1,17]}} ";
	struct text t = container(json, strlen(json), 1);
	double x[2] = {1.5, -2.25};
	text_add_n(&t, (char *)x, sizeof x);
	struct input *in = file_of(t.s, t.n);
	struct st_file *f = NULL;
	CHECK(st_next(in, &f) == 1);
	int64_t shape[1] = {-1};
	const double *b = f ? st_need(f, "b", ST_F64, 1, shape) : NULL;
	CHECK(b && (uintptr_t)b % sizeof *b == 0 && shape[0] == 2 && b[0] == 1.5 && b[1] == -2.25);
	CHECK(f && !st_need(f, "b", ST_F32, 1, shape) && strstr(err_text(), "tensor b is F64 [2]"));
	CHECK(f && !st_need(f, "c", ST_F32, 1, shape) && strstr(err_text(), "missing"));
	st_free(f);
	input_close(in);
	text_free(&t);
}

/* --- writing */

static char folder[] = "/tmp/moe-test-XXXXXX", path[64];

static int emit_bytes(void *context, struct output *o)
{
	(void)context;
	return output_write(o, "xyz", 3);
}

static void what_is_written_is_read(void)
{
	float a[6] = {1, 2, 3, 4, 5, NAN};
	int64_t b[1] = {-5}, two[2] = {2, 3}, one = 1, three = 3, none = 0;
	struct st_writer *w = st_writer_new();
	st_put_emitter(w, "bytes", ST_U8, 1, &three, emit_bytes, NULL);
	st_put(w, "z", ST_F32, 2, two, a);
	st_put(w, "name \"with\" \xc3\xa9", ST_I64, 1, &one, b);
	st_put(w, "empty", ST_F32, 1, &none, NULL);
	st_put(w, "scalar", ST_F32, 0, NULL, a);
	st_put_meta(w, "key\n", "value\t\"\\");
	struct output *o = output_open(path, OUTPUT_BINARY);
	CHECK(o && !st_write(w, o) && !output_commit(o));
	st_writer_free(w);
	struct st_file *f = st_read(path);
	CHECK(f && f->n == 5);
	if (!f)
		return;
	const struct st_tensor *z = st_find(f, "z");
	CHECK(z && z->rank == 2 && z->shape[0] == 2 && z->shape[1] == 3 && !memcmp(z->data, a, sizeof a));
	CHECK(z && (uintptr_t)z->data % 4 == 0);
	CHECK(*(const int64_t *)st_find(f, "name \"with\" \xc3\xa9")->data == -5);
	CHECK(!memcmp(st_find(f, "bytes")->data, "xyz", 3));
	CHECK(st_find(f, "empty")->count == 0 && st_find(f, "scalar")->count == 1);
	CHECK_TEXT(st_meta(f, "key\n"), "value\t\"\\");
	CHECK(!st_meta(f, "key") && !st_find(f, "Z"));
	st_free(f);
}

/* Random sets of tensors come back as they were, and in order of falling width. */
static void random_sets_come_back(void)
{
	static const enum st_type type[] = {ST_F64, ST_F32, ST_I16, ST_U8};
	static unsigned char data[4096];
	struct rng r = rng_stream(9, "sets", 0, 0);
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)rng_next(&r);
	for (int turn = 0; turn < 50; turn++) {
		struct st_writer *w = st_writer_new();
		int n = (int)rng_below(&r, 12);
		enum st_type t[12];
		int64_t shape[12][2];
		for (int i = 0; i < n; i++) {
			char name[16];
			snprintf(name, sizeof name, "t%d", i * 7 % 13);
			t[i] = type[rng_below(&r, 4)];
			shape[i][0] = (int64_t)rng_below(&r, 6);
			shape[i][1] = (int64_t)rng_below(&r, 6);
			st_put(w, name, t[i], 2, shape[i], data + 8 * i);
		}
		struct output *o = output_open(path, OUTPUT_BINARY);
		CHECK(o && !st_write(w, o) && !output_commit(o));
		st_writer_free(w);
		struct st_file *f = st_read(path);
		CHECK(f && f->n == n);
		for (int i = 0; i < n && f; i++) {
			char name[16];
			snprintf(name, sizeof name, "t%d", i * 7 % 13);
			const void *p = st_need(f, name, t[i], 2, shape[i]);
			CHECK(p && !memcmp(p, data + 8 * i, (size_t)st_find(f, name)->bytes));
		}
		st_free(f);
	}
}

static int emit_and_die(void *context, struct output *o)
{
	(void)context;
	static const char half[1 << 17];
	if (output_write(o, half, sizeof half) || output_flush(o))
		return -1;
	raise(SIGKILL);
	return 0;
}

static void killed_while_writing_leaves_the_old_file(void)
{
	int64_t one = 1, large = 1 << 18;
	float x = 42;
	struct st_writer *w = st_writer_new();
	st_put(w, "x", ST_F32, 1, &one, &x);
	struct output *o = output_open(path, OUTPUT_BINARY);
	CHECK(o && !st_write(w, o) && !output_commit(o));
	st_writer_free(w);
	fflush(stdout);
	pid_t child = fork();
	if (!child) {
		w = st_writer_new();
		st_put_emitter(w, "x", ST_U8, 1, &large, emit_and_die, NULL);
		o = output_open(path, OUTPUT_BINARY);
		_exit(o && !st_write(w, o) ? 0 : 1);
	}
	int status = 0;
	CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
		WTERMSIG(status) == SIGKILL);
	struct st_file *f = st_read(path);
	CHECK(f && *(const float *)st_find(f, "x")->data == 42);
	st_free(f);
}

/* Writing over the file that is mapped while it is read from. */
static void a_mapped_file_may_be_replaced(void)
{
	struct st_file *f = st_read(path);
	CHECK(f != NULL);
	if (!f)
		return;
	const struct st_tensor *x = st_find(f, "x");
	struct st_writer *w = st_writer_new();
	st_put(w, "y", x->type, x->rank, x->shape, x->data);
	struct output *o = output_open(path, OUTPUT_BINARY);
	CHECK(o && !st_write(w, o) && !output_commit(o));
	st_writer_free(w);
	CHECK(*(const float *)x->data == 42);
	st_free(f);
	f = st_read(path);
	CHECK(f && st_find(f, "y") && *(const float *)st_find(f, "y")->data == 42);
	st_free(f);
}

/* A header that the reader must not need quadratic time for: minutes then, a moment otherwise. */
static void a_million_entries_are_read(void)
{
	uint64_t old = st_header_limit;
	st_header_limit = 200 << 20;
	struct text t = {0};
	int n = 1000000;
	for (int i = 0; i < n; i++)
		text_addf(&t, "%s\"%d\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[%d,%d]}",
			i ? "," : "{", n - i, i, i + 1);
	text_add(&t, "}");
	struct st_file *f = st_parse_header("t", t.s, t.n, (uint64_t)n);
	CHECK(f && f->n == n && st_find(f, "777777"));
	st_free(f);
	CHECK(!st_parse_header("t", t.s, t.n, 5));
	t.n = 0;
	for (int i = 0; i < 100000; i++)
		text_addf(&t, "%s\"%d\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}",
			i ? "," : "{", i);
	text_add(&t, "}");
	CHECK(!st_parse_header("t", t.s, t.n, 1) && strstr(err_text(), "overlap"));
	text_free(&t);
	st_header_limit = old;
}

int main(void)
{
	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof path, "%s/x.st", folder);
	CASE(upstream_cases_get_their_verdict);
	CASE(names_and_keys_are_strict);
	CASE(metadata_maps_strings_to_strings);
	CASE(numbers_are_whole_and_offsets_tile);
	CASE(header_length_is_limited);
	CASE(two_blobs_are_a_fault_in_a_file_and_two_files_on_a_pipe);
	CASE(unaligned_data_is_read);
	CASE(what_is_written_is_read);
	CASE(random_sets_come_back);
	CASE(killed_while_writing_leaves_the_old_file);
	CASE(a_mapped_file_may_be_replaced);
	CASE(a_million_entries_are_read);
	char *command = mem_format("rm -rf %s", folder);
	int r = system(command);
	free(command);
	return check_done() || r;
}
