#include "io/output.h"

#include "base/error.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 1 << 16, SLOTS = 16 };

struct output {
	int fd;
	char *name;   /* as the user wrote it, for messages */
	char *target; /* where rename goes; NULL when written directly */
	char *temporary;
	bool regular, failed;
	size_t n;
	unsigned char buffer[BUFFER];
};

/* Names the signal handler removes. A slot is written before the file exists and cleared after the rename. */
static char *volatile guarded[SLOTS];

static void guard(char *path)
{
	for (int i = 0; i < SLOTS; i++)
		if (!guarded[i]) {
			guarded[i] = path;
			return;
		}
}

static void unguard(const char *path)
{
	for (int i = 0; i < SLOTS; i++)
		if (guarded[i] == path)
			guarded[i] = NULL;
}

static void remove_temporaries(void)
{
	for (int i = 0; i < SLOTS; i++)
		if (guarded[i])
			unlink(guarded[i]);
}

static void on_signal(int signal)
{
	remove_temporaries();
	struct sigaction standard = {.sa_handler = SIG_DFL};
	sigaction(signal, &standard, NULL);
	raise(signal);
}

void output_guard_signals(void)
{
	static const int fatal[] = {SIGINT, SIGTERM, SIGHUP};
	static bool told;
	if (!told) { /* a bug, out of memory */
		atexit(remove_temporaries);
		at_quick_exit(remove_temporaries);
		told = true;
	}
	for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++) {
		struct sigaction old, a = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
		sigaction(fatal[i], NULL, &old);
		if (old.sa_handler == SIG_DFL)
			sigaction(fatal[i], &a, NULL);
	}
}

/* Opens the temporary file next to the target, with the mode the result shall have. */
static int open_temporary(struct output *o)
{
	char *slash = strrchr(o->target, '/');
	int folder = slash ? (int)(slash - o->target) + 1 : 0;
	o->temporary = mem_format("%.*s.%.200s.tmpXXXXXX", folder, o->target, o->target + folder);
	o->fd = mkstemp(o->temporary);
	if (o->fd < 0)
		return err_errno(EX_CANTCREAT, "%s: cannot create it", o->name);
	guard(o->temporary);
	struct stat st;
	mode_t mask = umask(0);
	umask(mask);
	mode_t mode = !stat(o->target, &st) ? st.st_mode & 0777 : (mode_t)(0666u & ~mask);
	fchmod(o->fd, mode);
	return 0;
}

static int open_file(struct output *o, const char *path)
{
	struct stat st;
	bool exists = !stat(path, &st);
	if (!exists && !lstat(path, &st))
		return err_set(EX_CANTCREAT, "%s: is a link that leads nowhere", path);
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
	if (fstat(o->fd, &st))
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

static int write_all(struct output *o, const unsigned char *p, size_t n)
{
	while (n) {
		ssize_t w = write(o->fd, p, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0) {
			o->failed = true;
			return err_errno(EX_IOERR, "%s: cannot write", o->name);
		}
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

int output_flush(struct output *o)
{
	if (o->failed)
		return -1;
	size_t n = o->n;
	o->n = 0;
	return write_all(o, o->buffer, n);
}

int output_write(struct output *o, const void *data, size_t bytes)
{
	if (o->failed)
		return -1;
	if (!bytes) /* data may be NULL then */
		return 0;
	if (bytes > BUFFER - o->n && output_flush(o))
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

/* The rename itself must survive a power cut as well. */
static void sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? mem_text_n(path, (size_t)(slash - path) + 1) : mem_text(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(folder);
}

int output_commit(struct output *o)
{
	int r = output_flush(o);
	if (!r && o->target && fsync(o->fd))
		r = err_errno(EX_IOERR, "%s: cannot write", o->name);
	int fd = o->fd;
	o->fd = -1;
	if (close(fd) && !r &&
		errno != EINTR) /* closing standard output too: a full disk may show only here */
		r = err_errno(EX_IOERR, "%s: cannot write", o->name);
	if (!r && o->target) {
		if (rename(o->temporary, o->target)) {
			r = err_errno(EX_CANTCREAT, "%s: cannot put it in place", o->name);
		} else {
			sync_folder(o->target);
			unguard(o->temporary);
			free(o->temporary);
			o->temporary = NULL;
		}
	}
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
		unguard(o->temporary);
	}
	free(o->temporary);
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

int output_spool(void)
{
	const char *folder = getenv("TMPDIR");
	if (!folder || !*folder)
		folder = "/tmp";
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	char *path = mem_format("%s/moe-XXXXXX", folder); /* file systems without nameless files */
	fd = mkstemp(path);
	if (fd >= 0)
		unlink(path);
	else
		err_errno(EX_CANTCREAT,
			"%s: cannot create a temporary file there (TMPDIR names another folder)", folder);
	free(path);
	return fd;
}
