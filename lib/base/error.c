#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local char text[2048];
static _Thread_local int status;
static const char *program = "moe-tools";

void err_program(const char *name)
{
	program = name;
}

const char *err_program_name(void)
{
	return program;
}

int err_set(int s, const char *format, ...)
{
	va_list a;
	status = s;
	va_start(a, format);
	vsnprintf(text, sizeof text, format, a);
	va_end(a);
	return -1;
}

int err_errno(int s, const char *format, ...)
{
	int e = errno;
	va_list a;
	status = e == ENOMEM ? EX_OSERR : s;
	va_start(a, format);
	vsnprintf(text, sizeof text, format, a);
	va_end(a);
	size_t n = strlen(text);
	snprintf(text + n, sizeof text - n, ": %s", strerror(e));
	return -1;
}

int err_at(const char *format, ...)
{
	char old[sizeof text];
	va_list a;
	memcpy(old, text, sizeof text);
	va_start(a, format);
	vsnprintf(text, sizeof text, format, a);
	va_end(a);
	size_t n = strlen(text);
	snprintf(text + n, sizeof text - n, ": %.*s", (int)(sizeof text - n), old);
	return -1;
}

const char *err_text(void)
{
	return text[0] ? text : "unknown error";
}

int err_status(void)
{
	return status ? status : EX_SOFTWARE;
}

void err_bug(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s: bug at %s:%d: %s; please report it\n", program, file, line, what);
	exit(EX_SOFTWARE);
}
