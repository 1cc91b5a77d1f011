#include "recording/label.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "io/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The name of a label: whole numbers lose their point ("1.0" is 1), blanks are gone already. */
static char *label_text(struct csv_cell c)
{
	double x;
	if (number_parse(c.s, c.end, &x) && x == floor(x) && fabs(x) < 1e15)
		return mem_format("%.0f", x == 0 ? 0 : x);
	return mem_text_n(c.s, (size_t)(c.end - c.s));
}

bool label_same(const char *a, const char *b)
{
	char *x = label_text((struct csv_cell){a, a + strlen(a)});
	char *y = label_text((struct csv_cell){b, b + strlen(b)});
	bool same = !strcmp(x, y);
	free(x);
	free(y);
	return same;
}

static bool is_ignored(const struct reading_options *o, const char *name)
{
	for (int i = 0; i < o->ignore.n; i++)
		if (label_same(o->ignore.s[i], name))
			return true;
	return false;
}

int label_read(const struct reading_options *o, const char *file, long long line, struct csv_cell c,
	struct names *labels, int32_t *label)
{
	*label = -1;
	if (number_missing(c.s, c.end))
		return 0;
	char *name = label_text(c);
	int e = 0;
	if (!json_utf8(name, strlen(name)))
		e = err_set(EX_DATAERR, "%s:%lld: the label is not UTF-8 text", file, line);
	else if (!is_ignored(o, name)) {
		*label = names_find(labels, name);
		if (*label < 0 && o->classes.n)
			e = err_set(EX_DATAERR,
				"%s:%lld: label \"%.60s\" is not one of --classes; add it there, or ignore "
				"it with --ignore-label",
				file, line, name);
		else if (*label < 0 && labels->n == o->max_classes)
			e = err_set(EX_DATAERR,
				"%s:%lld: more than %d different labels; is this the label column? "
				"--max-classes raises the limit",
				file, line, o->max_classes);
		else if (*label < 0)
			*label = names_add(labels, name);
	}
	free(name);
	return e;
}
