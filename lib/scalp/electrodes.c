#include "scalp/electrodes.h"

#include "base/error.h"
#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const double degree = 3.14159265358979323846 / 180, usual_radius = 95;

void electrodes_free(struct electrodes *e)
{
	free(e->site);
	*e = (struct electrodes){0};
}

long electrodes_apart(const struct electrodes *e, int a, int b)
{
	return lround(montage_angle(e->site[a].p, e->site[b].p) * 1e6);
}

/* The row of a channel in the file: of the same name, else letter case aside, else of the same
 * 10-05 site; -1 = none. */
static int row_of(const struct electrode_file *f, const char *channel)
{
	struct montage_site here, there;
	int row = names_find(&f->name, channel);
	for (int i = 0; i < f->name.n && row < 0; i++)
		if (!strcasecmp(f->name.s[i], channel))
			row = i;
	for (int i = 0; i < f->name.n && row < 0 && montage_find(channel, &here); i++)
		if (montage_find(f->name.s[i], &there) && !memcmp(here.p, there.p, sizeof here.p))
			row = i;
	return row;
}

static bool place_measured(struct montage_site *s, const struct electrode_file *f, const char *channel)
{
	int row = row_of(f, channel);
	if (row < 0 || isnan(f->p[row][0]))
		return false;
	const double *p = f->p[row];
	if (!montage_find(channel, s) || montage_angle(s->p, p) > 30 * degree) {
		*s = montage_nearest(p);
		/* Measured midlines are not quite straight; C1 is 9 degrees beside it. */
		s->side = fabs(p[0]) < sin(4 * degree) ? 0 : p[0] < 0 ? -1 : 1;
	}
	memcpy(s->p, p, sizeof s->p);
	return true;
}

static int refuse_unknown(const struct names *who, const char *recording, const char *path)
{
	char *list = names_join(who, ", "), *drop = names_join(who, ",");
	if (path)
		err_set(EX_DATAERR,
			"%s: %s has no position for channel%s %s; add %s there, or leave %s out (--drop %s)",
			recording, path, who->n > 1 ? "s" : "", list, who->n > 1 ? "them" : "it",
			who->n > 1 ? "them" : "it", drop);
	else
		err_set(EX_DATAERR,
			"%s: no position is known for channel%s %s, which the 10-05 system does not have; "
			"give a file that says where %s with --electrodes, or --drop %s to leave %s out",
			recording, who->n > 1 ? "s" : "", list, who->n > 1 ? "they are" : "it is", drop,
			who->n > 1 ? "them" : "it");
	free(list);
	free(drop);
	return -1;
}

int electrodes_place(struct electrodes *e, const struct names *channels, const char *recording,
	const char *path, struct names *notes)
{
	struct electrode_file f = {.radius = usual_radius};
	struct names lost = {0};
	*e = (struct electrodes){.n = channels->n, .site = NEW_ARRAY(struct montage_site, channels->n)};
	int r = path ? electrode_file_read(&f, path, notes) : 0;
	for (int c = 0; c < channels->n && !r; c++)
		if (!(path ? place_measured(&e->site[c], &f, channels->s[c])
			   : montage_find(channels->s[c], &e->site[c])))
			names_add(&lost, channels->s[c]);
	if (!r && lost.n)
		r = refuse_unknown(&lost, recording, path);
	e->radius = f.radius;
	names_free(&lost);
	electrode_file_free(&f);
	return r;
}
