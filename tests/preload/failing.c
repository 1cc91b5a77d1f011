/* System calls that fail as they do on other systems, or on bad days: preloaded by tests/hostile.bats, FAILING says what fails.
 *
 *     tmpfile   files without names, as on file systems that have none
 *     proc      finding an open file in /proc, as where that is not mounted
 *     link      giving an open file a name, as where a rule of the system forbids it
 *     memory    files without names, and memory soon after the first was asked for
 *     folder    flushing a folder, as on a broken disk
 *     flushless flushing a folder, as on file systems that cannot
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int calls_left = -1; /* of calloc, until it fails; -1: it does not */

static bool failing(const char *what)
{
	const char *e = getenv("FAILING");
	return e && !strcmp(e, what);
}

static int fail_with(int e)
{
	errno = e;
	return -1;
}

int open(const char *path, int flags, ...)
{
	va_list a;
	va_start(a, flags);
	mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(a, mode_t) : 0;
	va_end(a);
	if ((flags & O_TMPFILE) == O_TMPFILE && failing("memory"))
		calls_left = 20;
	if ((flags & O_TMPFILE) == O_TMPFILE && (failing("tmpfile") || failing("memory")))
		return fail_with(EOPNOTSUPP);
	return openat(AT_FDCWD, path, flags, mode);
}

int stat(const char *restrict path, struct stat *restrict to)
{
	return !strncmp(path, "/proc/self/fd/", 14) && failing("proc") ? fail_with(ENOENT)
								       : fstatat(AT_FDCWD, path, to, 0);
}

int linkat(int from, const char *path, int to, const char *name, int flags)
{
	int (*real)(int, const char *, int, const char *, int) =
		(int (*)(int, const char *, int, const char *, int))dlsym(RTLD_NEXT, "linkat");
	return failing("link") ? fail_with(EPERM) : real(from, path, to, name, flags);
}

int fsync(int fd)
{
	struct stat st;
	bool folder = !fstat(fd, &st) && S_ISDIR(st.st_mode);
	if (folder && failing("folder"))
		return fail_with(EIO);
	return folder && failing("flushless") ? fail_with(EINVAL) : fdatasync(fd);
}

void *__libc_calloc(size_t, size_t);

void *calloc(size_t n, size_t size)
{
	if (calls_left > 0)
		calls_left--;
	return calls_left ? __libc_calloc(n, size) : NULL;
}
