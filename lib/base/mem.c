#include "base/mem.h"

#include "base/error.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

static char doing[200];
static const char *remedy = "raise the limit (ulimit -v, ulimit -d), or end other programs";

void mem_remedy(const char *sentence)
{
	remedy = sentence;
}

void mem_doing(const char *format, ...)
{
	va_list a;
	va_start(a, format);
	vsnprintf(doing, sizeof doing, format, a);
	va_end(a);
}

static void how_much(char text[static 80], size_t count, size_t size)
{
	*text = 0;
	if (size == 1)
		snprintf(text, 80, " (%zu bytes)", count);
	else if (size)
		snprintf(text, 80, " (%zu elements of %zu bytes)", count, size);
}

/* Without memory of its own, and without what libraries do at the end, which may wait for memory or
 * for other threads. */
static _Noreturn void exhausted(size_t count, size_t size)
{
	static atomic_flag first = ATOMIC_FLAG_INIT;
	while (atomic_flag_test_and_set(&first)) /* of several threads one speaks */
		pause();
	char amount[80];
	how_much(amount, count, size);
	fprintf(stderr, "%s: out of memory%s%s%s; %s\n", err_program_name(), amount, *doing ? " while " : "",
		doing, remedy);
	quick_exit(EX_OSERR);
}

void mem_exhausted(void)
{
	exhausted(0, 0);
}

void *mem_new(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);
	if (!p)
		exhausted(count, size);
	return p;
}

void *mem_grow(void *old, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		exhausted(count, size);
	size_t bytes = count * size;
	void *p = realloc(old, bytes ? bytes : 1);
	if (!p)
		exhausted(count, size);
	return p;
}

void *mem_take(size_t bytes)
{
	return mem_grow(NULL, bytes, 1);
}

char *mem_text_n(const char *s, size_t n)
{
	char *p = mem_new(n + 1, 1);
	memcpy(p, s, n);
	return p;
}

char *mem_text(const char *s)
{
	return mem_text_n(s, strlen(s));
}

char *mem_vformat(const char *format, va_list a)
{
	va_list again;
	va_copy(again, a);
	int n = vsnprintf(NULL, 0, format, again);
	va_end(again);
	must(n >= 0);
	char *p = mem_new((size_t)n + 1, 1);
	vsnprintf(p, (size_t)n + 1, format, a);
	return p;
}

char *mem_format(const char *format, ...)
{
	va_list a;
	va_start(a, format);
	char *p = mem_vformat(format, a);
	va_end(a);
	return p;
}

void mem_return_large(void)
{
	mallopt(M_MMAP_THRESHOLD, 1 << 16);
}

static bool can_map(size_t bytes, int protection)
{
	void *p = mmap(NULL, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p != MAP_FAILED && !munmap(p, bytes);
}

/* Memory that cannot be written counts for ulimit -v only, other memory for ulimit -d, too. */
static const char *space_limit(size_t bytes)
{
	struct rlimit data;
	if (!can_map(bytes, PROT_NONE))
		return "raise the limit (ulimit -v)";
	return getrlimit(RLIMIT_DATA, &data) || data.rlim_cur == RLIM_INFINITY
		       ? "the system has no more"
		       : "raise the limit (ulimit -d)";
}

void mem_need_space(size_t bytes, const char *what_for)
{
	if (!can_map(bytes, PROT_READ | PROT_WRITE)) {
		fprintf(stderr,
			"%s: out of memory: %s needs %zu MB of address space; %s, or use fewer --threads\n",
			err_program_name(), what_for, bytes >> 20, space_limit(bytes));
		quick_exit(EX_OSERR); /* the end of such a library would wait as well */
	}
}

enum { ALIGN = 64, FIRST_BLOCK = 1 << 16 };

struct block {
	struct block *before;
	size_t size, used;
	unsigned char *data;
};

struct arena {
	struct block *top;
	size_t in_use, peak;
};

static struct block *block_new(size_t size, struct block *before)
{
	struct block *b = NEW(struct block);
	b->data = aligned_alloc(ALIGN, size);
	if (!b->data)
		exhausted(size, 1);
	b->size = size;
	b->before = before;
	return b;
}

static void blocks_free(struct block *b)
{
	while (b) {
		struct block *before = b->before;
		free(b->data);
		free(b);
		b = before;
	}
}

struct arena *arena_new(void)
{
	return NEW(struct arena);
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	blocks_free(a->top);
	free(a);
}

void *arena_take(struct arena *a, size_t bytes)
{
	if (bytes > SIZE_MAX / 4)
		exhausted(bytes, 1);
	bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
	if (!a->top || a->top->size - a->top->used < bytes) {
		size_t size = a->top ? 2 * a->top->size : FIRST_BLOCK;
		a->top = block_new(size > bytes ? size : bytes, a->top);
	}
	void *p = a->top->data + a->top->used;
	a->top->used += bytes;
	a->in_use += bytes;
	if (a->in_use > a->peak)
		a->peak = a->in_use;
	return p;
}

void arena_reset(struct arena *a)
{
	if (a->top && a->top->before) {
		blocks_free(a->top);
		a->top = block_new(a->peak, NULL);
	}
	if (a->top)
		a->top->used = 0;
	a->in_use = 0;
}

size_t arena_peak(const struct arena *a)
{
	return a->peak;
}
