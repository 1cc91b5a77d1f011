#include "io/output.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/mapping.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 1 << 16, SLOTS = 2048 };

struct output {
	int fd;
	char *name;      /* as the user wrote it, for messages */
	char *target;    /* where the result goes; NULL when written directly */
	char *temporary; /* its name until then; NULL while it has none */
	bool regular, failed;
	size_t n;
	unsigned char buffer[BUFFER];
};

/* Names of temporary files, removed when a signal or exit ends the program. A slot is written
 * before the file exists and cleared when it is renamed; more than there are slots are not
 * removed. */
static _Atomic(char *) guarded[SLOTS];

void output_remove_temporaries(void)
{
	for (int i = 0; i < SLOTS; i++) {
		const char *path = atomic_load(&guarded[i]);
		if (path)
			unlink(path);
	}
}

static void register_removal(void)
{
	(void)atexit(output_remove_temporaries); /* out of memory, for instance */
	(void)at_quick_exit(output_remove_temporaries);
}

static void guard_path(char *path)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, register_removal);
	for (int i = 0; i < SLOTS; i++) {
		char *none = NULL;
		if (atomic_compare_exchange_strong(&guarded[i], &none, path))
			return;
	}
}

static void unguard_path(char *path)
{
	for (int i = 0; i < SLOTS; i++) {
		char *own = path;
		if (atomic_compare_exchange_strong(&guarded[i], &own, NULL))
			return;
	}
}

static void on_signal(int signal)
{
	output_remove_temporaries();
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigaction(signal, &standard, NULL);
	raise(signal);
}

void output_guard_signals(void)
{
	static const int fatal[] = {SIGINT, SIGTERM, SIGHUP};
	for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
		struct sigaction old, a = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
		sigaction(fatal[i], NULL, &old);
		if (old.sa_handler == SIG_DFL)
			sigaction(fatal[i], &a, NULL);
	}
}

/* The target's folder with its slash, or nothing. */
static int folder_length(const struct output *o)
{
	const char *slash = strrchr(o->target, '/');
	return slash ? (int)(slash - o->target) + 1 : 0;
}

/* The mode the result shall have. */
static void set_mode(const struct output *o)
{
	struct stat st;
	mode_t mask = umask(0);
	umask(mask);
	mode_t mode = !stat(o->target, &st) ? st.st_mode & 0777 : (mode_t)(0666u & ~mask);
	fchmod(o->fd, mode);
}

static char *temporary_name(const struct output *o, const char *end)
{
	int folder = folder_length(o);
	return mem_format("%.*s.%.200s.tmp%s", folder, o->target, o->target + folder, end);
}

static void forget_name(struct output *o)
{
	unguard_path(o->temporary);
	free(o->temporary);
	o->temporary = NULL;
}

static int open_named(struct output *o)
{
	o->temporary = temporary_name(o, "XXXXXX");
	guard_path(o->temporary); /* mkstemp changes the name where it stands */
	o->fd = mkstemp(o->temporary);
	if (o->fd < 0) {
		err_errno(EX_CANTCREAT, "%s: cannot create it", o->name);
		forget_name(o);
		return -1;
	}
	set_mode(o);
	return 0;
}

/* A file without a name in that folder, gone when it is closed; -1 where the file system has
 * none. */
static int open_nameless(const char *folder)
{
	return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* By this path an open file can be given a name, if /proc is there. */
static void own_path(int fd, char path[static 40])
{
	snprintf(path, 40, "/proc/self/fd/%d", fd);
}

static bool can_be_named(int fd)
{
	char path[40];
	struct stat a, b;
	own_path(fd, path);
	return !fstat(fd, &a) && !stat(path, &b) && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Opens the temporary file in the target's folder: without a name, so that nothing is left whatever
 * ends the program, or where that cannot be under a hidden one. */
static int open_temporary(struct output *o)
{
	int n = folder_length(o);
	char *folder = n ? mem_text_n(o->target, (size_t)n) : mem_text(".");
	o->fd = open_nameless(folder);
	free(folder);
	if (o->fd >= 0 && can_be_named(o->fd)) {
		set_mode(o);
		return 0;
	}
	if (o->fd >= 0)
		close(o->fd);
	return open_named(o);
}

static int open_file(struct output *o, const char *path)
{
	struct stat st;
	bool exists = !stat(path, &st);
	if (!exists && !lstat(path, &st))
		return err_set(
			EX_CANTCREAT, "%s: is a broken symbolic link; remove it, or name another file", path);
	if (exists && S_ISDIR(st.st_mode))
		return err_set(EX_CANTCREAT, "%s: is a folder; name a file", path);
	if (exists && !S_ISREG(st.st_mode)) {
		o->fd = open(path, O_WRONLY | O_CLOEXEC);
		return o->fd < 0 ? err_errno(EX_CANTCREAT, "%s: cannot open it for writing", path) : 0;
	}
	char *real = exists ? realpath(path, NULL) : NULL; /* a link stays, its target is replaced */
	o->target = real ? real : mem_text(path);
	o->regular = true;
	return open_temporary(o);
}

struct output *output_open(const char *path, enum output_kind kind)
{
	struct output *o = NEW(struct output);
	bool standard = !path || !strcmp(path, "-");
	o->name = mem_text(standard ? "standard output" : path);
	o->fd = -1;
	if (!standard) {
		if (open_file(o, path)) {
			output_discard(o);
			return NULL;
		}
		return o;
	}
	o->fd = STDOUT_FILENO;
	struct stat st;
	int mode = fcntl(o->fd, F_GETFL);
	if (mode < 0 || mode & O_PATH || (mode & O_ACCMODE) == O_RDONLY)
		err_set(EX_CANTCREAT,
			"standard output: is closed or not open for writing; send it to a file or a pipe");
	else if (fstat(o->fd, &st))
		err_errno(EX_CANTCREAT, "standard output");
	else if (kind == OUTPUT_BINARY && isatty(o->fd))
		err_set(EX_USAGE,
			"standard output is a terminal and the result is binary; use -o FILE or a pipe");
	else {
		o->regular = S_ISREG(st.st_mode);
		return o;
	}
	output_discard(o);
	return NULL;
}

static int refuse_write(const struct output *o, int e)
{
	errno = e;
	return err_errno(EX_IOERR, "%s: cannot write", o->name);
}

static int write_all(struct output *o, const unsigned char *p, size_t n)
{
	while (n) {
		ssize_t w = write(o->fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0) {
			o->failed = true;
			int e = errno; /* EFAULT: the bytes of a mapped file, which are gone */
			return e == EFAULT && mapping_check() ? -1 : refuse_write(o, e);
		}
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

static int empty_buffer(struct output *o)
{
	if (o->failed)
		return -1;
	size_t n = o->n;
	o->n = 0;
	return write_all(o, o->buffer, n);
}

/* What is written directly is handed out here, so what it was made from must be whole. */
int output_flush(struct output *o)
{
	if (!o->failed && !o->target && mapping_check())
		o->failed = true;
	return empty_buffer(o);
}

int output_write(struct output *o, const void *data, size_t bytes)
{
	if (o->failed)
		return -1;
	if (!bytes) /* data may be NULL then */
		return 0;
	if (bytes > BUFFER - o->n && empty_buffer(o))
		return -1;
	if (bytes > BUFFER)
		return write_all(o, data, bytes);
	memcpy(o->buffer + o->n, data, bytes);
	o->n += bytes;
	return 0;
}

int output_printf(struct output *o, const char *format, ...)
{
	char small[512];
	va_list a;
	va_start(a, format);
	int n = vsnprintf(small, sizeof small, format, a);
	va_end(a);
	must(n >= 0);
	if ((size_t)n < sizeof small)
		return output_write(o, small, (size_t)n);
	char *large = mem_new((size_t)n + 1, 1);
	va_start(a, format);
	vsnprintf(large, (size_t)n + 1, format, a);
	va_end(a);
	int r = output_write(o, large, (size_t)n);
	free(large);
	return r;
}

bool output_is_stream(const struct output *o)
{
	return !o->regular;
}

bool output_is_pipe(const char *path)
{
	struct stat st;
	bool there = !path || !strcmp(path, "-") ? !fstat(STDOUT_FILENO, &st) : !stat(path, &st);
	return there && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* The name itself must survive a power cut as well. Some folders cannot be flushed, or only be
 * written to. */
static int sync_folder(const struct output *o)
{
	int n = folder_length(o), r = 0;
	char *folder = n ? mem_text_n(o->target, (size_t)n) : mem_text(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 ? errno != EACCES : fsync(fd) && errno != EINVAL && errno != EOPNOTSUPP)
		r = err_errno(
			EX_IOERR, "%s: was written, but its folder cannot be flushed to the disk", o->name);
	if (fd >= 0)
		close(fd);
	free(folder);
	return r;
}

/* Gives the file a hidden name next to the target, one of so many that none is met twice. */
static int link_hidden(struct output *o, const char *path)
{
	unsigned long long x;
	char end[20];
	if (getrandom(&x, sizeof x, 0) != sizeof x)
		return -1;
	snprintf(end, sizeof end, "%016llx", x);
	o->temporary = temporary_name(o, end);
	guard_path(o->temporary);
	if (!linkat(AT_FDCWD, path, AT_FDCWD, o->temporary, AT_SYMLINK_FOLLOW))
		return 0;
	forget_name(o);
	return -1;
}

/* Where a rule of the system forbids to name it: into a file that has a name from the start. */
static int copy_to_named(struct output *o)
{
	int from = o->fd, r = open_named(o);
	off_t at = 0;
	ssize_t n = 1;
	while (!r && (n = sendfile(o->fd, from, &at, 1 << 30)) > 0)
		;
	if (!r && (n < 0 || fsync(o->fd)))
		r = refuse_write(o, errno);
	close(from);
	return r;
}

/* A result that has no name yet gets the target's when nothing is there, else a hidden one to be
 * renamed. */
static int name_it(struct output *o, bool *in_place)
{
	char path[40];
	own_path(o->fd, path);
	*in_place = !linkat(AT_FDCWD, path, AT_FDCWD, o->target, AT_SYMLINK_FOLLOW);
	return *in_place || (errno == EEXIST && !link_hidden(o, path)) ? 0 : copy_to_named(o);
}

/* From the whole file to the target. */
static int put_in_place(struct output *o)
{
	bool in_place = false;
	if (!o->temporary && name_it(o, &in_place))
		return -1;
	if (!in_place && rename(o->temporary, o->target))
		return err_errno(EX_CANTCREAT, "%s: cannot move the finished file into place", o->name);
	if (!in_place)
		forget_name(o);
	return sync_folder(o);
}

int output_commit(struct output *o)
{
	int r = output_flush(o);
	if (!r && o->target && fsync(o->fd))
		r = refuse_write(o, errno);
	if (!r && o->target)
		r = mapping_check() || put_in_place(o) ? -1 : 0;
	int fd = o->fd;
	o->fd = -1;
	if (close(fd) && !r &&
		errno != EINTR) /* closing standard output too: a full disk may show only here */
		r = refuse_write(o, errno);
	output_discard(o);
	return r;
}

void output_discard(struct output *o)
{
	if (!o)
		return;
	if (o->fd > STDERR_FILENO)
		close(o->fd);
	if (o->temporary) {
		unlink(o->temporary);
		forget_name(o);
	}
	free(o->target);
	free(o->name);
	free(o);
}

bool output_replaces(const char *output, const char *input)
{
	struct stat a, b;
	return output && input && !stat(output, &a) && !stat(input, &b) && S_ISREG(a.st_mode) &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

int output_end(struct output *o, int failed)
{
	if (!failed)
		return output_commit(o);
	output_discard(o);
	return -1;
}

int output_drop_link(const char *path)
{
	struct stat st;
	bool link = !lstat(path, &st) && S_ISLNK(st.st_mode);
	return link && unlink(path) ? err_errno(EX_CANTCREAT, "%s: cannot replace this link", path) : 0;
}

int output_temporary(void)
{
	const char *folder = getenv("TMPDIR");
	if (!folder || !*folder)
		folder = "/tmp";
	int fd = open_nameless(folder);
	if (fd >= 0)
		return fd;
	char *path = mem_format("%s/moe-XXXXXX", folder); /* file systems without nameless files */
	fd = mkstemp(path);
	if (fd >= 0)
		unlink(path);
	else
		err_errno(EX_CANTCREAT,
			"%s: cannot create a temporary file there (set TMPDIR to use another folder)",
			folder);
	free(path);
	return fd;
}
