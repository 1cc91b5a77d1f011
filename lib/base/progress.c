#include "base/progress.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

double progress_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void progress_begin(struct progress *p, enum progress_mode mode, bool quiet)
{
	*p = (struct progress){.start = progress_now()};
	p->on = mode == PROGRESS_ALWAYS || (mode == PROGRESS_AUTO && !quiet && isatty(STDERR_FILENO));
}

void progress_show(struct progress *p, double done, double total, const char *format, ...)
{
	double now = p->on ? progress_now() : 0;
	if (!p->on || now - p->last < 0.1)
		return;
	p->last = now;
	p->dirty = true;
	struct text words = {0};
	va_list a;
	va_start(a, format);
	char *raw = mem_vformat(format, a);
	va_end(a);
	text_shown(&words, raw);
	free(raw);
	if (total > 0 && done > 0) {
		double left = (now - p->start) * (total - done) / done;
		fprintf(stderr, "\r\033[K%3.0f%% %s, %.0f s left", 100 * done / total, text_string(&words),
			left);
	} else {
		fprintf(stderr, "\r\033[K%s", text_string(&words));
	}
	text_free(&words);
	fflush(stderr);
}

void progress_end(struct progress *p)
{
	if (p->dirty)
		fputs("\r\033[K", stderr);
	p->dirty = false;
}
