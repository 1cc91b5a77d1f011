#include "train/cv_words.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SEEDS = 10000, MOST_FOLDS = 1000000 };

/* "5", or "1..3", which is cut at its dots. */
static bool parse_range(char *s, long long *from, long long *to)
{
	char *dots = strstr(s, "..");
	if (dots)
		*dots = 0;
	return text_to_long(s, from) && text_to_long(dots ? dots + 2 : s, to) && *from >= 0 && *to >= *from &&
	       *to - *from < MOST_SEEDS;
}

int cv_words_seeds(const char *list, uint64_t **seed, int *n)
{
	struct names parts = {0};
	int bad = 0, room = 0;
	*seed = NULL;
	*n = 0;
	names_split(&parts, list, ',');
	for (int i = 0; i < parts.n && !bad; i++) {
		long long from, to;
		bad = !parse_range(parts.s[i], &from, &to) || *n + (to - from) >= MOST_SEEDS;
		for (long long s = from; !bad && s <= to; s++) {
			for (int k = 0; k < *n; k++)
				bad |= (*seed)[k] == (uint64_t)s;
			ROOM_FOR_ONE(*seed, *n, room);
			(*seed)[(*n)++] = (uint64_t)s;
		}
	}
	names_free(&parts);
	return bad || !*n ? err_set(EX_USAGE,
				    "--seeds: \"%s\" is not a list of different seeds (like 1,5,9 or 1..3)",
				    list)
			  : 0;
}

int cv_words_folds(const char *word, int *folds)
{
	long long k = 0;
	if (strcmp(word, "loso") && (!text_to_long(word, &k) || k < 2 || k > MOST_FOLDS))
		return err_set(EX_USAGE, "--folds: \"%s\" is neither loso nor a number of at least 2", word);
	*folds = (int)k;
	return 0;
}

int cv_words_stride(struct span s, double rate, int64_t *samples)
{
	double n = s.seconds ? round(s.amount * rate) : s.amount;
	if ((s.amount > 0 && n < 1) || n > 5e8)
		return err_set(EX_USAGE,
			"--test-stride: %g s are %.0f samples at %g Hz; give at least one sample and at most "
			"5e8",
			s.amount, n, rate);
	*samples = (int64_t)n;
	return 0;
}
