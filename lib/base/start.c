#include "base/start.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static cpu_set_t all;
static bool narrowed;

/* The C library and the sanitizers are not ready yet: bare system calls only. */
#define BARE __attribute__((no_sanitize("address", "undefined", "thread")))

BARE static void use_one_processor(void)
{
	static cpu_set_t one;
	unsigned here = 0;
	if (syscall(SYS_getcpu, &here, NULL, NULL) || here >= CPU_SETSIZE ||
		syscall(SYS_sched_getaffinity, 0, sizeof all, &all) <= 0)
		return;
	one.__bits[here / __NCPUBITS] = (__cpu_mask)1 << here % __NCPUBITS;
	narrowed = !syscall(SYS_sched_setaffinity, 0, sizeof one, &one);
}

/* A descriptor from 0 to 2 that is closed would be given to the next file that is opened, and words
 * or data meant for the standard streams would go there. Opening takes the lowest free number, so
 * going upwards fills each one in its place: 0 and 1 by what can neither be read nor written, under
 * whatever name (/dev/stdout too), 2 by what swallows all. */
BARE static void fill_standard(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (syscall(SYS_fcntl, fd, F_GETFD) < 0 &&
			(fd < STDERR_FILENO || syscall(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY) < 0))
			syscall(SYS_openat, AT_FDCWD, "/", O_PATH);
}

BARE static void prepare(int argc, char **argv, char **environment)
{
	(void)argc;
	(void)argv;
	(void)environment;
	fill_standard();
	use_one_processor();
}

/* The dynamic linker calls these before it initialises any library. */
__attribute__((section(".preinit_array"), used)) static void (*const before)(int, char **, char **) = prepare;

void start_done(void)
{
	if (narrowed)
		sched_setaffinity(0, sizeof all, &all);
}

/* The stack grows when it is needed, up to the limit there is then. */
int start_stack(void)
{
	struct rlimit stack;
	if (getrlimit(RLIMIT_STACK, &stack) || stack.rlim_cur >= STACK_NEEDED)
		return 0;
	stack.rlim_cur = STACK_NEEDED;
	return stack.rlim_max >= STACK_NEEDED && !setrlimit(RLIMIT_STACK, &stack) ? 0 : -1;
}
