/* electrodes.tsv: columns name, x, y, z among others; n/a where a position is not known. What its numbers mean is in the file
 * beside it whose name ends in coordsystem.json (BIDS), and is found out where that is silent. */
#include "eeg/electrodes.h"

#include "base/error.h"
#include "base/json.h"
#include "base/mem.h"
#include "eeg/sphere.h"
#include "io/csv.h"
#include "io/input.h"
#include "io/number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static const double degree = 3.14159265358979323846 / 180;

/* Radii a head has in each unit. On a sphere of radius 1 it is not known how large the head is: it gets the usual size. */
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

static bool is(const char *s, size_t n, const char *list)
{
	char *word = mem_text_n(s, n);
	for (char *c = word; *c; c++)
		*c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
	bool found = text_among(list, word);
	free(word);
	return found;
}

/* --- the table */

static int one_row(struct electrode_file *f, const char *at, const struct csv_cell *cell, const int column[4])
{
	static const char axis[] = "xyz";
	const struct csv_cell *who = &cell[column[0]];
	char *name = mem_text_n(who->s, (size_t)(who->end - who->s));
	int twice = names_find(&f->name, name), n = f->name.n, r = 0;
	names_add(&f->name, name);
	GROW(f->p, n + 1);
	if (!*name || twice >= 0)
		r = err_set(EX_DATAERR, *name ? "%s: electrode \"%s\" stands there twice" : "%s: no name", at,
			name);
	for (int j = 0; j < 3 && !r; j++) {
		const struct csv_cell *c = &cell[column[j + 1]];
		size_t size = (size_t)(c->end - c->s);
		if (!size || is(c->s, size, "n/a|nan|na"))
			f->p[n][j] = (double)NAN;
		else if (!number_parse(c->s, c->end, &f->p[n][j]) || !isfinite(f->p[n][j]))
			r = err_set(EX_DATAERR, "%s: %c of \"%s\" is \"%.*s\", no number and not n/a", at,
				axis[j], name, (int)(size > 40 ? 40 : size), c->s);
	}
	if (!r && isnan(f->p[n][0] + f->p[n][1] + f->p[n][2]))
		f->p[n][0] = (double)NAN;
	free(name);
	return r;
}

static int read_table(struct electrode_file *f, const char *path, struct csv_table *t)
{
	static const char *const title[] = {"name", "x", "y", "z"};
	const struct names *names = csv_table_names(t);
	const struct csv_cell *cell;
	int column[4], r = 0;
	for (int k = 0; k < 4 && !r; k++)
		if ((column[k] = names_find(names, title[k])) < 0)
			r = err_set(EX_DATAERR,
				"%s: there is no column \"%s\"; a table of electrodes has the columns name, "
				"x, "
				"y, z, separated by tabs",
				path, title[k]);
	while (!r && (r = csv_table_next(t, &cell)) == 1) {
		char *at = mem_format("%s:%lld", path, (long long)csv_table_line(t));
		r = one_row(f, at, cell, column);
		free(at);
	}
	return r;
}

/* --- what its numbers mean */

struct meaning {
	char *sidecar;           /* NULL = none there */
	const struct unit *unit; /* NULL = not said */
	bool nose_is_x;          /* x to the nose and y to the left ear, as CTF and EEGLAB have them */
};

static char *sidecar_of(const char *path)
{
	static const char end[] = "electrodes.tsv";
	if (!text_ends(path, end))
		return NULL;
	char *name = mem_format("%.*scoordsystem.json", (int)(strlen(path) - strlen(end)), path);
	if (!access(name, F_OK))
		return name;
	free(name);
	return NULL;
}

static int understand(struct meaning *m, const cJSON *root)
{
	const cJSON *unit = json_get(root, "EEGCoordinateUnits"),
		    *system = json_get(root, "EEGCoordinateSystem");
	const char *name = cJSON_IsString(unit) ? unit->valuestring : "n/a";
	for (int i = 0; i < UNITS - 1; i++)
		if (!strcasecmp(name, units[i].name))
			m->unit = &units[i];
	if (!m->unit && !is(name, strlen(name), "n/a"))
		return err_set(EX_DATAERR, "%s: EEGCoordinateUnits is \"%.40s\", not m, cm, mm or n/a",
			m->sidecar, name);
	m->nose_is_x = cJSON_IsString(system) &&
		       is(system->valuestring, strlen(system->valuestring), "ctf|eeglab|4dbti|kityokogawa");
	return 0;
}

static int read_sidecar(struct meaning *m)
{
	size_t n;
	struct input *in = input_open(m->sidecar);
	const unsigned char *s = in ? input_peek(in, 1 << 20, &n) : NULL;
	cJSON *root = s ? json_parse((const char *)s, n, m->sidecar) : NULL;
	int r = root ? understand(m, root) : -1;
	cJSON_Delete(root);
	input_close(in);
	return r;
}

static void turn(double p[3], bool nose_is_x)
{
	if (!nose_is_x)
		return;
	double x = p[0];
	p[0] = -p[1];
	p[1] = x;
}

/* Mean angle between where the electrodes are and where their names say, radians; *named = how many have such a name. */
static double disagreement(const struct electrode_file *f, bool nose_is_x, int *named)
{
	double sum = 0;
	*named = 0;
	for (int i = 0; i < f->name.n; i++) {
		double q[3], p[3] = {f->p[i][0], f->p[i][1], f->p[i][2]};
		if (isnan(p[0]) || !montage_position(f->name.s[i], q))
			continue;
		turn(p, nose_is_x);
		sum += montage_angle(p, q);
		++*named;
	}
	return *named ? sum / *named : 0;
}

/* Which way the axes go: as the names say when half of the electrodes have one, else as the sidecar says. */
static int turn_all(struct electrode_file *f, const char *path, bool nose_is_x, int known)
{
	int named;
	double right = disagreement(f, false, &named), ahead = disagreement(f, true, &named);
	if (named >= 4 && 2 * named >= known) {
		nose_is_x = ahead < right;
		if (fmin(ahead, right) > 40 * degree)
			return err_set(EX_DATAERR,
				"%s: positions and names do not agree (%.0f degrees apart in the mean); x "
				"points "
				"to the right, y to the nose and z up, or x to the nose and y to the left",
				path, fmin(ahead, right) / degree);
	}
	for (int i = 0; i < f->name.n; i++)
		turn(f->p[i], nose_is_x);
	return 0;
}

static int find_unit(struct meaning *m, const char *path, const struct sphere *s)
{
	const struct unit *said = m->unit;
	for (int i = 0; i < UNITS && !m->unit; i++)
		if (s->radius >= units[i].least && s->radius <= units[i].most)
			m->unit = &units[i];
	if (!m->unit)
		return err_set(EX_DATAERR,
			"%s: the head's radius is %.4g, which no unit explains; say it in a file beside it "
			"(coordsystem.json: EEGCoordinateUnits m, cm or mm)",
			path, s->radius);
	if (said && (s->radius < said->least || s->radius > said->most))
		return err_set(EX_DATAERR, "%s: a head's radius of %.4g %s (the unit is from %s)", path,
			s->radius, said->name, m->sidecar);
	return 0;
}

/* Onto the unit sphere about the centre of the fitted one. */
static int fit(struct electrode_file *f, const char *path, struct meaning *m, struct names *notes)
{
	bool said = m->unit;
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
			"%s: %d positions do not show a head: at least four are needed, about on a sphere "
			"and "
			"not in one plane",
			path, n);
	if (find_unit(m, path, &s))
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
	f->radius = s.radius * m->unit->mm;
	if (turn_all(f, path, m->nose_is_x, n))
		return -1;
	char *sentence = mem_format("%s: %d positions in %s (%s), the head's radius is %.1f mm", path, n,
		m->unit->name, said ? m->sidecar : "by their size", f->radius);
	names_add(notes, sentence);
	free(sentence);
	return 0;
}

int electrode_file_read(struct electrode_file *f, const char *path, struct names *notes)
{
	struct input *in = input_open(path);
	struct csv_form form = {.delim = '\t', .header = CSV_HEADER_YES};
	struct csv_table *t = in ? csv_table_new(in, &form) : NULL;
	struct meaning m = {.sidecar = sidecar_of(path)};
	int r = t ? read_table(f, path, t) : -1;
	if (!r && m.sidecar)
		r = read_sidecar(&m);
	if (!r)
		r = fit(f, path, &m, notes);
	free(m.sidecar);
	csv_table_free(t);
	input_close(in);
	return r;
}
