/* electrodes.tsv: columns name, x, y, z among others; n/a where a position is not known. What its
 * numbers mean is in the file beside it (scalp/coordsystem.h), and is found out where that is
 * silent. */
#include "scalp/electrodes.h"

#include "base/error.h"
#include "base/mem.h"
#include "io/number.h"
#include "io/named_table.h"
#include "scalp/coordsystem.h"
#include "scalp/sphere.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double degree = 3.14159265358979323846 / 180;

/* Radii a head has in each unit. On a sphere of radius 1 it is not known how large the head is: it
 * gets the usual size. */
static const struct unit {
	const char *name;
	double mm, least, most;
} units[] = {{"m", 1000, 0.04, 0.2}, {"cm", 10, 4, 20}, {"mm", 1, 40, 200}, {"radii", 95, 0.5, 2}};
enum { UNITS = sizeof units / sizeof *units };

void electrode_file_free(struct electrode_file *f)
{
	names_free(&f->name);
	free(f->p);
}

static bool cell_is(struct csv_cell cell, const char *list)
{
	char *word = mem_text_n(cell.s, (size_t)(cell.end - cell.s));
	for (char *c = word; *c; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
	bool found = text_among(list, word);
	free(word);
	return found;
}

/* --- the table */

static int read_axis(const struct named_table *s, const char *name, char axis, int column, double *x)
{
	struct csv_cell c;
	*x = (double)NAN;
	if (!named_table_cell(s, column, &c) || cell_is(c, "nan|na") ||
		(number_parse(c.s, c.end, x) && isfinite(*x)))
		return 0;
	return named_table_fault(s, "%c of \"%s\" is \"%.*s\", neither a number nor n/a", axis, name,
		named_table_shown(c), c.s);
}

static int one_row(struct electrode_file *f, const struct named_table *s, const int column[4])
{
	static const char axis[] = "xyz";
	const struct csv_cell *who = &s->cell[column[0]];
	char *name = mem_text_n(who->s, (size_t)(who->end - who->s));
	int twice = names_find(&f->name, name), n = f->name.n, r = 0;
	names_add(&f->name, name);
	GROW(f->p, n + 1);
	if (!*name)
		r = named_table_fault(s, "the electrode has no name");
	else if (twice >= 0)
		r = named_table_fault(s, "electrode \"%s\" is listed twice", name);
	for (int j = 0; j < 3 && !r; j++)
		r = read_axis(s, name, axis[j], column[j + 1], &f->p[n][j]);
	if (!r && isnan(f->p[n][0] + f->p[n][1] + f->p[n][2]))
		f->p[n][0] = (double)NAN;
	free(name);
	return r;
}

static int read_table(struct electrode_file *f, struct named_table *s)
{
	static const char *const title[] = {"name", "x", "y", "z"};
	int column[4], more;
	if (named_table_begin(s, '\t', NULL))
		return -1;
	for (int k = 0; k < 4; k++)
		if ((column[k] = names_find(&s->columns, title[k])) < 0)
			return err_set(EX_DATAERR,
				"%s: there is no column \"%s\"; a table of electrodes has the columns "
				"name, x, y, z, separated by tabs",
				named_table_name(s), title[k]);
	while ((more = named_table_next(s)) == 1)
		if (one_row(f, s, column))
			return -1;
	return more;
}

/* --- what its numbers mean */

static void turn_axes(double p[3], bool nose_is_x)
{
	if (!nose_is_x)
		return;
	double x = p[0];
	p[0] = -p[1];
	p[1] = x;
}

/* Mean angle between the measured and the standard positions of the electrodes, radians; *named =
 * how many have a standard position. */
static double name_disagreement(const struct electrode_file *f, bool nose_is_x, int *named)
{
	double sum = 0;
	*named = 0;
	for (int i = 0; i < f->name.n; i++) {
		double q[3], p[3] = {f->p[i][0], f->p[i][1], f->p[i][2]};
		if (isnan(p[0]) || !montage_position(f->name.s[i], q))
			continue;
		turn_axes(p, nose_is_x);
		sum += montage_angle(p, q);
		++*named;
	}
	return *named ? sum / *named : 0;
}

/* Which way the axes go: as the names of the electrodes show when half of them have standard
 * positions, else as in the sidecar. */
static int turn_all(struct electrode_file *f, const char *path, bool nose_is_x, int known)
{
	int named;
	double right = name_disagreement(f, false, &named), ahead = name_disagreement(f, true, &named);
	if (named >= 4 && 2 * named >= known) {
		nose_is_x = ahead < right;
		if (fmin(ahead, right) > 40 * degree)
			return err_set(EX_DATAERR,
				"%s: positions and names do not agree (they are %.0f degrees apart on "
				"average); x must point to the right, y to the nose and z up, or x to the "
				"nose and y to the left",
				path, fmin(ahead, right) / degree);
	}
	for (int i = 0; i < f->name.n; i++)
		turn_axes(f->p[i], nose_is_x);
	return 0;
}

/* The unit that is given, or the one that makes the size that of a head. */
static const struct unit *unit_of(const char *path, const struct coordsystem *said, const struct sphere *s)
{
	for (int i = 0; i < UNITS; i++) {
		bool fits = s->radius >= units[i].least && s->radius <= units[i].most;
		if (said->unit ? !strcmp(said->unit, units[i].name) && fits : fits)
			return &units[i];
	}
	if (said->unit)
		err_set(EX_DATAERR,
			"%s: the radius of the head would be %.4g %s, in the unit that %s gives; correct the "
			"positions or the unit",
			path, s->radius, said->unit, said->path);
	else
		err_set(EX_DATAERR,
			"%s: the radius of the head would be %.4g, which is not plausible in m, cm or mm; "
			"correct the positions",
			path, s->radius);
	return NULL;
}

/* Onto the unit sphere about the centre of the fitted one. */
static int fit_to_sphere(
	struct electrode_file *f, const char *path, const struct coordsystem *said, struct names *notes)
{
	int n = 0;
	struct sphere s;
	double(*known)[3] = mem_new((size_t)f->name.n + 1, sizeof *known);
	for (int i = 0; i < f->name.n; i++)
		if (!isnan(f->p[i][0]))
			memcpy(known[n++], f->p[i], sizeof *known);
	bool fits = sphere_fit(&s, (const double(*)[3])known, n);
	free(known);
	if (!fits || s.error > s.radius / 4)
		return err_set(EX_DATAERR,
			"%s: %d positions do not determine a head: at least four are needed, roughly on a "
			"sphere and not in one plane",
			path, n);
	const struct unit *unit = unit_of(path, said, &s);
	if (!unit)
		return -1;
	for (int i = 0; i < f->name.n; i++) {
		double size = 0;
		for (int j = 0; j < 3; j++) {
			f->p[i][j] -= s.centre[j];
			size += f->p[i][j] * f->p[i][j];
		}
		for (int j = 0; j < 3; j++)
			f->p[i][j] /= sqrt(size);
	}
	f->radius = s.radius * unit->mm;
	char *sentence = mem_format("%s: %d positions in %s (%s), the radius of the head is %.1f mm", path, n,
		unit->name, said->unit ? said->path : "by their size", f->radius);
	names_add(notes, sentence);
	free(sentence);
	return turn_all(f, path, said->nose_is_x, n);
}

int electrode_file_read(struct electrode_file *f, const char *path, struct names *notes)
{
	struct named_table s = {0};
	struct coordsystem said = {0};
	int r = named_table_open(&s, path) || read_table(f, &s) || coordsystem_read(&said, path)
			? -1
			: fit_to_sphere(f, path, &said, notes);
	coordsystem_free(&said);
	named_table_close(&s);
	return r;
}
