#include "eeg/montage.h"

#include "base/error.h"
#include "base/mem.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const double degree = 3.14159265358979323846 / 180;

/* Rows and how many degrees their midline point lies in front of Cz. Central rows have two names: one on the side. */
static const struct {
	const char *name;
	int front;
} rows[] = {{"N", 90}, {"Fp", 72}, {"AFp", 63}, {"AF", 54}, {"AFF", 45}, {"F", 36}, {"FFC", 27}, {"FFT", 27},
	{"FC", 18}, {"FT", 18}, {"FCC", 9}, {"FTT", 9}, {"C", 0}, {"T", 0}, {"CCP", -9}, {"TTP", -9},
	{"CP", -18}, {"TP", -18}, {"CPP", -27}, {"TPP", -27}, {"P", -36}, {"PPO", -45}, {"PO", -54},
	{"POO", -63}, {"O", -72}, {"OI", -81}, {"I", -90}};

static const char *const aliases[][2] = {{"T3", "T7"}, {"T4", "T8"}, {"T5", "P7"}, {"T6", "P8"},
	{"M1", "TP9"}, {"M2", "TP10"}, {"A1", "T9"}, {"A2", "T10"}};

static void on_sphere(double p[3], double inclination, double azimuth)
{
	p[0] = -sin(inclination) * sin(azimuth); /* azimuth counts from the nose to the left */
	p[1] = sin(inclination) * cos(azimuth);
	p[2] = cos(inclination);
}

/* The point at a fraction of the arc from the midline point M to the ring point P, on the circle through P, M and P's mirror
 * image: in the circle's plane, with s measured from the middle of the chord towards M, its centre is at s0. */
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

/* Steps from the midline: number 1 or 2 is one, 9 or 10 is five, h takes half a step back. 0 for z, -1 when malformed. */
static double steps(const char *s, bool *right)
{
	*right = false;
	if (!strcasecmp(s, "z"))
		return 0;
	if (!isdigit((unsigned char)*s) || *s == '0')
		return -1;
	char *end;
	long n = strtol(s, &end, 10);
	double half = strcasecmp(end, "h") ? 0 : 0.5;
	if (n > 10 || (*end && half == 0))
		return -1;
	*right = n % 2 == 0;
	return (double)((n + 1) / 2) - half;
}

bool montage_position(const char *name, double p[3])
{
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		if (!strcasecmp(name, aliases[i][0]))
			name = aliases[i][1];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t n = strlen(rows[i].name);
		bool right;
		double j = strncasecmp(name, rows[i].name, n) ? -1 : steps(name + n, &right);
		if (j < 0)
			continue;
		int front = rows[i].front;
		if (abs(front) >
			72) { /* below the ring at the front and back: N1 Nz N2, OI1 OIz OI2, I1 Iz I2 */
			if (j > 1)
				return false;
			on_sphere(p, abs(front) * degree, (front > 0 ? 18 * j : 180 - 18 * j) * degree);
		} else if (
			abs(front) ==
			72) { /* Fp and O lie on the ring themselves: one step and they are at its next mark */
			if (j > 1)
				return false;
			on_row(p, front, j);
		} else if (j <= 4) {
			on_row(p, front, j / 4);
		} else { /* below the ring */
			on_sphere(p, (72 + 18 * (j - 4)) * degree, (90 - front) * degree);
		}
		if (right)
			p[0] = -p[0];
		return true;
	}
	return false;
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

static int row_of(const char *name)
{
	size_t n = strcspn(name, "z0123456789");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		if (strlen(rows[i].name) == n && !strncmp(name, rows[i].name, n))
			return rows[i].front;
	bug("an electrode of no row");
}

static int front_to_back(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;
	int r = row_of(y) - row_of(x);
	if (r)
		return r;
	double p[3], q[3];
	montage_position(x, p);
	montage_position(y, q);
	return (p[0] > q[0]) - (p[0] < q[0]);
}

int montage_pick(struct names *out, int n)
{
	struct names all = {0};
	names_split(&all, n == 19 ? classic_19 : in_turn, ' ');
	int r = 0;
	if (n > all.n) {
		r = err_set(EX_USAGE,
			"%d channels: there are names for %d; give a list of 10-05 names instead", n, all.n);
	} else {
		qsort(all.s, (size_t)n, sizeof *all.s, front_to_back);
		for (int i = 0; i < n; i++)
			names_add(out, all.s[i]);
	}
	names_free(&all);
	return r;
}
