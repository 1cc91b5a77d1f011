#include "scalp/sphere.h"

#include <math.h>

enum { STEPS = 50 };
static const double flat = 1e-4; /* of the determinant a ball's points have */

static double determinant(double a[3][3])
{
	return a[0][0] * (a[1][1] * a[2][2] - a[1][2] * a[2][1]) -
	       a[0][1] * (a[1][0] * a[2][2] - a[1][2] * a[2][0]) +
	       a[0][2] * (a[1][0] * a[2][1] - a[1][1] * a[2][0]);
}

/* a x = b by Cramer's rule; false when a, symmetric and not negative, is nearly singular. */
static bool solve_linear(double a[3][3], const double b[3], double x[3])
{
	double whole = determinant(a), size = (a[0][0] + a[1][1] + a[2][2]) / 3;
	if (!(whole > flat * size * size * size))
		return false;
	for (int j = 0; j < 3; j++) {
		double part[3][3];
		for (int i = 0; i < 3; i++)
			for (int k = 0; k < 3; k++)
				part[i][k] = k == j ? b[i] : a[i][k];
		x[j] = determinant(part) / whole;
	}
	return true;
}

static double direction_from(const double c[3], const double x[3], double u[3])
{
	for (int i = 0; i < 3; i++)
		u[i] = x[i] - c[i];
	double r = sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2]);
	for (int i = 0; i < 3 && r > 0; i++)
		u[i] /= r;
	return r;
}

static void add_outer(double a[3][3], const double u[3])
{
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			a[i][j] += u[i] * u[j];
}

/* About the points' mean m the linear problem is (sum y y') c = sum y |y|^2 / 2, y = x - m. */
static bool linear_solution(double c[3], const double (*x)[3], int n)
{
	double m[3] = {0}, a[3][3] = {{0}}, b[3] = {0}, off[3];
	for (int i = 0; i < n; i++)
		for (int j = 0; j < 3; j++)
			m[j] += x[i][j] / n;
	for (int i = 0; i < n; i++) {
		double y[3] = {x[i][0] - m[0], x[i][1] - m[1], x[i][2] - m[2]};
		double half = (y[0] * y[0] + y[1] * y[1] + y[2] * y[2]) / 2;
		add_outer(a, y);
		for (int j = 0; j < 3; j++)
			b[j] += y[j] * half;
	}
	if (n < 4 || !solve_linear(a, b, off))
		return false;
	for (int j = 0; j < 3; j++)
		c[j] = m[j] + off[j];
	return true;
}

/* One Gauss-Newton step of the centre: with u the directions from it, d(|x - c| - r) = -(u - mean
 * u) dc. */
static bool gauss_newton_step(struct sphere *s, const double (*x)[3], int n)
{
	double mean[3] = {0}, radius = 0, a[3][3] = {{0}}, b[3] = {0}, d[3], u[3];
	for (int i = 0; i < n; i++) {
		radius += direction_from(s->centre, x[i], u) / n;
		for (int j = 0; j < 3; j++)
			mean[j] += u[j] / n;
	}
	s->error = 0;
	for (int i = 0; i < n; i++) {
		double off = direction_from(s->centre, x[i], u) - radius;
		for (int j = 0; j < 3; j++)
			u[j] -= mean[j];
		add_outer(a, u);
		for (int j = 0; j < 3; j++)
			b[j] += u[j] * off;
		s->error += off * off / n;
	}
	s->error = sqrt(s->error);
	s->radius = radius;
	if (!solve_linear(a, b, d))
		return false;
	for (int j = 0; j < 3; j++)
		s->centre[j] += d[j];
	return sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]) > 1e-12 * radius;
}

bool sphere_fit(struct sphere *s, const double (*x)[3], int n)
{
	if (!linear_solution(s->centre, x, n))
		return false;
	for (int i = 0; i < STEPS && gauss_newton_step(s, x, n); i++)
		;
	return isfinite(s->radius);
}
