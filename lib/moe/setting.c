#include "moe/setting.h"

#include "base/error.h"
#include "moe/expert.h"
#include "moe/router.h"

#include <stddef.h>

const struct setting *setting_at(int i)
{
	for (int r = 0; router_table[r]; r++)
		for (const struct setting *s = router_table[r]->settings; s && s->name; s++)
			if (i-- == 0)
				return s;
	for (int e = 0; expert_table[e]; e++)
		for (const struct setting *s = expert_table[e]->settings; s && s->name; s++)
			if (i-- == 0)
				return s;
	return NULL;
}

double setting_value(const double *own, const struct setting *s)
{
	int i = 0;
	while (setting_at(i) != s)
		must(setting_at(i++));
	return own[i];
}
