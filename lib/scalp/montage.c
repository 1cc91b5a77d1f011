#include "scalp/montage.h"

#include "base/error.h"
#include "base/mem.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const double degree = 3.14159265358979323846 / 180;

/* Rows, how many degrees their midline point lies in front of Cz, and which steps from the midline
 * they have. Between F and P the end of a row has a name of its own, with a T. */
static const struct {
	const char *name;
	int front;
	double least, most;
} rows[] = {{"N", 90, 0, 1}, {"NFp", 81, 0, 1}, {"Fp", 72, 0, 1}, {"AFp", 63, 0, 5}, {"AF", 54, 0, 5},
	{"AFF", 45, 0, 5}, {"F", 36, 0, 5}, {"FFC", 27, 0, 3}, {"FFT", 27, 3.5, 5}, {"FC", 18, 0, 3},
	{"FT", 18, 3.5, 5}, {"FCC", 9, 0, 3}, {"FTT", 9, 3.5, 5}, {"C", 0, 0, 3}, {"T", 0, 3.5, 5},
	{"CCP", -9, 0, 3}, {"TTP", -9, 3.5, 5}, {"CP", -18, 0, 3}, {"TP", -18, 3.5, 5}, {"CPP", -27, 0, 3},
	{"TPP", -27, 3.5, 5}, {"P", -36, 0, 5}, {"PPO", -45, 0, 5}, {"PO", -54, 0, 5}, {"POO", -63, 0, 5},
	{"O", -72, 0, 1}, {"OI", -81, 0, 1}, {"I", -90, 0, 1}};
enum { ROWS = sizeof rows / sizeof *rows };

static const char *const aliases[][2] = {{"T1", "FT9"}, {"T2", "FT10"}, {"T3", "T7"}, {"T4", "T8"},
	{"T5", "P7"}, {"T6", "P8"}, {"M1", "TP9"}, {"M2", "TP10"}, {"A1", "T9"}, {"A2", "T10"}};

/* What stands behind a hyphen when it is a reference, and no second electrode of a pair. */
static const char references[] = "REF|LE|AVG|AV|AR|A1|A2|M1|M2";

static void on_sphere(double p[3], double inclination, double azimuth)
{
	p[0] = -sin(inclination) * sin(azimuth); /* azimuth counts from the nose to the left */
	p[1] = sin(inclination) * cos(azimuth);
	p[2] = cos(inclination);
}

/* The point at a fraction of the arc from the midline point M to the ring point P, on the circle
 * through P, M and P's mirror image: in the circle's plane, with s measured from the middle of the
 * chord towards M, its centre is at s0. */
static void on_row(double p[3], double front, double fraction)
{
	double ring[3], middle[3];
	on_sphere(ring, 72 * degree, (90 - front) * degree);
	on_sphere(middle, front * degree, 0);
	double up[2] = {middle[1] - ring[1], middle[2] - ring[2]}, d = hypot(up[0], up[1]);
	double half = -ring[0], s0 = (d * d - half * half) / (2 * d), r = d - s0;
	double angle = fraction * atan2(half, -s0), s = s0 + r * cos(angle);
	p[0] = -r * sin(angle);
	p[1] = ring[1] + up[0] / d * s;
	p[2] = ring[2] + up[1] / d * s;
}

/* The name alone: "EEG Fp1-REF", "RAW_TP9", "Fc5." and "C3-A2" are Fp1, TP9, Fc5 and C3. False when
 * there is something else around it. */
static bool strip_name(const char *name, char out[static 8])
{
	name += strspn(name, " ");
	if ((!strncasecmp(name, "EEG", 3) || !strncasecmp(name, "RAW", 3)) && name[3] &&
		strchr(" .-_:", name[3]))
		name += 3 + strspn(name + 3, " .-_:");
	size_t n = strcspn(name, "-"), all = n;
	while (n && strchr(" .", name[n - 1]))
		n--;
	if (n >= 8)
		return false;
	for (size_t i = 0; i < n; i++)
		out[i] = (char)toupper((unsigned char)name[i]);
	out[n] = 0;
	if (!name[all])
		return true;
	char reference[8] = "";
	name += all + 1 + strspn(name + all + 1, " ");
	for (size_t i = 0; i < 7 && name[i]; i++)
		reference[i] = (char)toupper((unsigned char)name[i]);
	return text_among(references, reference) && !text_among(references, out);
}

/* Steps from the midline: number 1 or 2 is one, 9 or 10 is five, h takes half a step back. 0 for z,
 * -1 when malformed. */
static double parse_steps(const char *s, int *side)
{
	*side = 0;
	if (!strcasecmp(s, "z"))
		return 0;
	if (!isdigit((unsigned char)*s) || *s == '0')
		return -1;
	char *end;
	long n = strtol(s, &end, 10);
	double half = strcasecmp(end, "h") ? 0 : 0.5;
	if (n > 10 || (*end && half == 0))
		return -1;
	*side = n % 2 ? -1 : 1;
	return (double)((n + 1) / 2) - half;
}

static struct montage_site site_of(int front, double j, int side)
{
	struct montage_site s = {.front = front, .steps = j, .side = side};
	if (abs(front) > 72) /* the rows below the ring */
		on_sphere(s.p, abs(front) * degree, (front > 0 ? 18 * j : 180 - 18 * j) * degree);
	else if (j > 4) /* the ends below the ring */
		on_sphere(s.p, (72 + 18 * (j - 4)) * degree, (90 - front) * degree);
	else /* Fp and O lie on the ring: a step, and they are at its next mark */
		on_row(s.p, front, abs(front) == 72 ? j : j / 4);
	if (side > 0)
		s.p[0] = -s.p[0];
	return s;
}

bool montage_find(const char *name, struct montage_site *out)
{
	char buffer[8];
	if (!strip_name(name, buffer))
		return false;
	name = buffer;
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		if (!strcmp(name, aliases[i][0]))
			name = aliases[i][1];
	for (int i = 0; i < ROWS; i++) {
		size_t n = strlen(rows[i].name);
		int side = 0;
		double j = strncasecmp(name, rows[i].name, n) ? -1 : parse_steps(name + n, &side);
		if (j < rows[i].least || j > rows[i].most)
			continue;
		*out = site_of(rows[i].front, j, side);
		return true;
	}
	return false;
}

bool montage_position(const char *name, double p[3])
{
	struct montage_site s;
	bool found = montage_find(name, &s);
	if (found)
		memcpy(p, s.p, sizeof s.p);
	return found;
}

struct montage_site montage_nearest(const double p[3])
{
	struct montage_site best = {0};
	double least = HUGE_VAL;
	for (int i = 0; i < ROWS; i++)
		for (double j = rows[i].least; j <= rows[i].most; j += 0.5) {
			int sides = j > 0 ? 1 : 0;
			for (int side = -sides; side <= sides; side += 2) {
				struct montage_site s = site_of(rows[i].front, j, side);
				double angle = montage_angle(p, s.p);
				if (angle < least) {
					least = angle;
					best = s;
				}
			}
		}
	return best;
}

double montage_angle(const double a[3], const double b[3])
{
	double dot = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
	return acos(dot > 1 ? 1 : dot < -1 ? -1 : dot);
}

/* In the order in which they are worth having. */
static const char in_turn[] = "C3 C4 O1 O2 Fp1 Fp2 P3 P4 F3 F4 T7 T8 P7 P8 PO7 PO8 Fz Cz Pz Oz F7 F8 FC5 FC6 "
			      "CP5 CP6 FC1 FC2 CP1 CP2 "
			      "AF3 AF4 PO3 PO4 AFz Fpz FCz CPz POz AF7 AF8 FT7 FT8 TP7 TP8 F5 F6 F1 F2 C5 C6 "
			      "C1 C2 P5 P6 P1 P2 FC3 FC4 "
			      "CP3 CP4 Iz T9 T10 F9 F10 P9 P10 FT9 FT10 TP9 TP10 PO9 PO10";
static const char classic_19[] = "Fp1 Fp2 F7 F3 Fz F4 F8 T7 C3 Cz C4 T8 P7 P3 Pz P4 P8 O1 O2";

static int front_to_back(const void *a, const void *b)
{
	struct montage_site x, y;
	must(montage_find(*(char *const *)a, &x) && montage_find(*(char *const *)b, &y));
	return x.front != y.front ? y.front - x.front : (x.p[0] > y.p[0]) - (x.p[0] < y.p[0]);
}

int montage_pick(struct names *out, int n)
{
	struct names all = {0};
	names_split(&all, n == 19 ? classic_19 : in_turn, ' ');
	int r = 0;
	if (n > all.n) {
		r = err_set(EX_USAGE,
			"%d channels: at most %d can be chosen by number; give a list of 10-05 names instead",
			n, all.n);
	} else {
		qsort(all.s, (size_t)n, sizeof *all.s, front_to_back);
		for (int i = 0; i < n; i++)
			names_add(out, all.s[i]);
	}
	names_free(&all);
	return r;
}
