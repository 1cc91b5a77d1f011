/* For LD_PRELOAD: from call FAIL_AT on, counted from 1, the program has no memory any more. Counted are the calls by the program
 * itself and by libcjson and libcsv, which take memory for it; the start of other libraries is left alone. FAIL_ONCE=1: only that call
 * fails. FAIL_OF=libcsv: only those by this library. With FAIL_COUNT=FILE their number is written there at the end. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

enum { RANGES = 32 };
static struct range {
	uintptr_t from, to;
} range[RANGES];
static int ranges;
static long fail_at = -1, once;
static atomic_long calls;

static int add(struct dl_phdr_info *i, size_t size, void *context)
{
	(void)size;
	(void)context;
	const char *of = getenv("FAIL_OF");
	bool own = of ? strstr(i->dlpi_name, of) != NULL
		      : !*i->dlpi_name || strstr(i->dlpi_name, "libcjson") || strstr(i->dlpi_name, "libcsv");
	for (int k = 0; own && k < i->dlpi_phnum && ranges < RANGES; k++)
		if (i->dlpi_phdr[k].p_type == PT_LOAD)
			range[ranges++] = (struct range){i->dlpi_addr + i->dlpi_phdr[k].p_vaddr,
				i->dlpi_addr + i->dlpi_phdr[k].p_vaddr + i->dlpi_phdr[k].p_memsz};
	return 0;
}

static void at_end(void)
{
	FILE *f = fopen(getenv("FAIL_COUNT"), "w");
	if (f) {
		fprintf(f, "%ld\n", atomic_load(&calls));
		fclose(f);
	}
}

__attribute__((constructor)) static void begin(void)
{
	const char *at = getenv("FAIL_AT");
	once = getenv("FAIL_ONCE") != NULL;
	if (getenv("FAIL_COUNT"))
		atexit(at_end);
	dl_iterate_phdr(add, NULL);
	fail_at = at ? atol(at) : 0;
}

static bool fails(const void *caller)
{
	uintptr_t a = (uintptr_t)caller;
	for (int i = 0; i < ranges && fail_at >= 0; i++)
		if (a >= range[i].from && a < range[i].to) {
			long n = atomic_fetch_add(&calls, 1) + 1;
			if (!fail_at || n < fail_at || (once && n > fail_at))
				return false;
			errno = ENOMEM;
			return true;
		}
	return false;
}

#define CALLER __builtin_return_address(0)

void *malloc(size_t n)
{
	return fails(CALLER) ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	return fails(CALLER) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return fails(CALLER) ? NULL : __libc_realloc(p, n);
}

void *aligned_alloc(size_t align, size_t n)
{
	return fails(CALLER) ? NULL : __libc_memalign(align, n);
}
