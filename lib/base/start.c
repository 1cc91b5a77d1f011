#include "base/start.h"

#include <sched.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

static cpu_set_t all;
static bool narrowed;

/* The C library and the sanitizers are not ready yet: bare system calls only. */
__attribute__((no_sanitize("address", "undefined", "thread"))) static void narrow(
	int argc, char **argv, char **environment)
{
	static cpu_set_t one;
	unsigned here = 0;
	(void)argc;
	(void)argv;
	(void)environment;
	if (syscall(SYS_getcpu, &here, NULL, NULL) || here >= CPU_SETSIZE ||
		syscall(SYS_sched_getaffinity, 0, sizeof all, &all) <= 0)
		return;
	one.__bits[here / __NCPUBITS] = (__cpu_mask)1 << here % __NCPUBITS;
	narrowed = !syscall(SYS_sched_setaffinity, 0, sizeof one, &one);
}

/* The dynamic linker calls these before it initialises any library. */
__attribute__((section(".preinit_array"), used)) static void (*const before)(int, char **, char **) = narrow;

void start_done(void)
{
	if (narrowed)
		sched_setaffinity(0, sizeof all, &all);
}
