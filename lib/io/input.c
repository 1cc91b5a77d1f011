#include "io/input.h"

#include "base/error.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 1 << 12 };

struct input {
	int fd;
	char *name;
	bool regular, end;
	uint64_t size, taken;
	size_t from, n; /* unread bytes are buffer[from .. from+n) */
	unsigned char buffer[BUFFER];
};

struct input *input_open(const char *path)
{
	bool standard = !path || !strcmp(path, "-");
	struct stat st;
	const char *name = standard ? "standard input" : path;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err_errno(EX_NOINPUT, "%s", name);
		return NULL;
	}
	bool fine = false;
	int mode = fcntl(fd, F_GETFL);
	if (mode < 0 || mode & O_PATH || (mode & O_ACCMODE) == O_WRONLY)
		err_set(EX_NOINPUT,
			"%s: is closed or not open for reading; name a file, or feed one through a pipe",
			name);
	else if (fstat(fd, &st))
		err_errno(EX_NOINPUT, "%s", name);
	else if (S_ISDIR(st.st_mode))
		err_set(EX_NOINPUT, "%s: is a folder, not a file", name);
	else if (standard && isatty(fd))
		err_set(EX_USAGE, "no input: name a file, or feed one through a pipe");
	else if (S_ISREG(st.st_mode) && st.st_size == 0)
		err_set(EX_DATAERR, "%s: the file is empty", name);
	else
		fine = true;
	if (fine)
		return input_of_fd(fd, name);
	if (!standard)
		close(fd);
	return NULL;
}

struct input *input_of_fd(int fd, const char *name)
{
	struct stat st = {0};
	struct input *in = NEW(struct input);
	in->fd = fd;
	in->name = mem_text(name);
	in->regular = !fstat(fd, &st) && S_ISREG(st.st_mode);
	in->size = in->regular ? (uint64_t)st.st_size : 0;
	off_t at = in->regular ? lseek(fd, 0, SEEK_CUR) : 0;
	in->taken = at > 0 ? (uint64_t)at : 0;
	return in;
}

void input_close(struct input *in)
{
	if (!in)
		return;
	if (in->fd != STDIN_FILENO)
		close(in->fd);
	free(in->name);
	free(in);
}

const char *input_name(const struct input *in)
{
	return in->name;
}

static long read_some(struct input *in, void *to, size_t n)
{
	for (;;) {
		ssize_t r = read(in->fd, to, n);
		if (r >= 0)
			return r;
		if (errno != EINTR)
			return err_errno(EX_IOERR, "%s: cannot read", in->name);
	}
}

const unsigned char *input_peek(struct input *in, size_t want, size_t *got)
{
	must(want <= BUFFER);
	if (in->from + want > BUFFER) {
		memmove(in->buffer, in->buffer + in->from, in->n);
		in->from = 0;
	}
	while (in->n < want && !in->end) {
		long r = read_some(in, in->buffer + in->from + in->n, BUFFER - in->from - in->n);
		if (r < 0)
			return NULL;
		in->end = r == 0;
		in->n += (size_t)r;
	}
	*got = in->n < want ? in->n : want;
	return in->buffer + in->from;
}

long input_read(struct input *in, void *to, size_t n)
{
	long r;
	if (in->n) {
		size_t k = in->n < n ? in->n : n;
		memcpy(to, in->buffer + in->from, k);
		in->from += k;
		in->n -= k;
		r = (long)k;
	} else {
		in->from = 0;
		r = in->end ? 0 : read_some(in, to, n);
		in->end |= r == 0 && n > 0;
	}
	if (r > 0)
		in->taken += (uint64_t)r;
	return r;
}

bool input_ready(struct input *in)
{
	struct pollfd p = {.fd = in->fd, .events = POLLIN};
	return in->n || in->end || poll(&p, 1, 0) > 0;
}

bool input_is_file(const struct input *in, int *fd, uint64_t *size)
{
	*fd = in->fd;
	*size = in->size;
	return in->regular;
}

uint64_t input_offset(const struct input *in)
{
	return in->taken;
}

void input_take_all(struct input *in)
{
	in->taken = in->size;
	in->n = 0;
	in->end = true;
}

struct magic {
	const char *bytes;
	size_t n;
	const char *what, *remedy;
};

static const struct magic magics[] = {
	{"\x1f\x8b", 2, "a gzip archive", "unpack it first (zcat FILE | ...)"},
	{"PK\x03\x04", 4, "a zip archive or an Excel workbook", "unpack it, or save the sheet as CSV"},
	{"\xfd"
	 "7zXZ",
		5, "an xz archive", "unpack it first (xzcat FILE | ...)"},
	{"BZh", 3, "a bzip2 archive", "unpack it first (bzcat FILE | ...)"},
	{"version https://git-lfs", 23, "a git-LFS pointer, not the file itself", "run git lfs pull"},
	{"\xff"
	 "BIOSEMI",
		8, "a BDF recording", "export it as CSV"},
	{"\x89HDF", 4, "an HDF5 file", "export it as CSV"},
	{"MATLAB 5.0", 10, "a MATLAB file", "export it as CSV"},
	{"\x93NUMPY", 6, "a NumPy array", "save it as CSV"},
	{"{\\rtf", 5, "a rich text document", "save it as CSV"},
	{"\xd0\xcf\x11\xe0", 4, "an old Excel workbook", "save the sheet as CSV"},
	{"\x28\xb5\x2f\xfd", 4, "a zstd archive", "unpack it first (zstdcat FILE | ...)"},
	{"7z\xbc\xaf", 4, "a 7z archive", "unpack it first"},
	{"PAR1", 4, "a Parquet file", "save it as CSV"},
	{"ARROW1", 6, "an Arrow file", "save it as CSV"},
	{"XDF:", 4, "an XDF recording", "export it as CSV"},
	{"GDF ", 4, "a GDF recording", "export it as CSV"},
	{"Brain Vision", 12, "a BrainVision header", "export the recording as CSV"},
	{"BrainVision", 11, "a BrainVision header", "export the recording as CSV"},
	{"%PDF", 4, "a PDF document", "export the data as CSV"},
	{"\xff\xfe", 2, "UTF-16 text", "convert it (iconv -f UTF-16 -t UTF-8)"},
	{"\xfe\xff", 2, "UTF-16 text", "convert it (iconv -f UTF-16 -t UTF-8)"},
};

static bool starts_with_word(const unsigned char *p, size_t n, const char *word)
{
	return n >= strlen(word) && !strncasecmp((const char *)p, word, strlen(word));
}

/* Version 0 and seven blanks, in a header of 256 bytes that is one line. */
static bool is_edf(const unsigned char *p, size_t n)
{
	return n >= 8 && !memcmp(p, "0       ", 8) && !memchr(p, '\n', n) && !memchr(p, '\r', n);
}

int input_kind(struct input *in)
{
	size_t n;
	const unsigned char *p = input_peek(in, in->regular ? 256 : 64, &n);
	if (!p)
		return -1;
	if (!n)
		return err_set(EX_DATAERR, "%s: the input is empty", in->name);
	if (n >= 9) { /* u64 length below 2^32, then the header's brace or blanks */
		bool small = !p[4] && !p[5] && !p[6] && !p[7];
		if (small && (p[8] == '{' || p[8] == ' ' || p[8] == '\n' || p[8] == '\t' || p[8] == '\r'))
			return INPUT_SAFETENSORS;
	}
	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
		if (n >= magics[i].n && !memcmp(p, magics[i].bytes, magics[i].n))
			return err_set(
				EX_DATAERR, "%s: this is %s; %s", in->name, magics[i].what, magics[i].remedy);
	size_t skip = 0;
	while (skip < n && strchr(" \t\r\n", p[skip]) && p[skip])
		skip++;
	if (starts_with_word(p + skip, n - skip, "<!doctype") ||
		starts_with_word(p + skip, n - skip, "<html") ||
		starts_with_word(p + skip, n - skip, "<?xml"))
		return err_set(EX_DATAERR,
			"%s: this is a web page or XML, not a table; the download went wrong", in->name);
	if (starts_with_word(p + skip, n - skip, "@relation"))
		return err_set(EX_DATAERR, "%s: this is an ARFF file; save it as CSV", in->name);
	if (is_edf(p, n))
		return err_set(EX_DATAERR, "%s: this is an EDF recording; export it as CSV", in->name);
	if (n >= 8 && memchr(p, 0, n < 64 ? n : 64))
		return err_set(EX_DATAERR, "%s: binary data (a NUL byte near the start), not a table of text",
			in->name);
	return INPUT_TEXT;
}
